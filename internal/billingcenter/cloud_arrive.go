package billingcenter

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Where the doors of the marketplaces lead buyers.
const (
	ArrivePath  = cloudsPath + "/enter"
	RefusedPath = cloudsPath + "/refused"

	arrivalPath = cloudsPath + "/arrival"
)

// keyArrival keeps with which purchase a browser arrived, and until when, while
// its user signs in or registers.
const keyArrival = "arrival"

// Arrival is the page of a buyer whom a marketplace sent here (domain section
// 5, entry C).
type Arrival struct {
	Frame        web.Frame
	Form         *web.Form
	Subscription marketplace.Subscription
	SignedIn     bool
	UserName     string
	Bound        bool // to the account that is signed in
	Offered      []Settleable
	Zone         *time.Location
}

// arrive spends the ticket of a buyer. One whom the marketplace vouches for,
// and whose purchase is bound, is signed in; anybody else says first who they
// are. A browser that looks ahead spends nothing.
func (b *Console) arrive(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") || r.Header.Get("Purpose") == "prefetch" {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	var s marketplace.Subscription
	var a account.Billing
	err := b.Store.Write(ctx, func(tx *store.Tx) error {
		at := b.Now()
		arrival, err := tx.UseArrival(ctx, r.URL.Query().Get("ticket"), at)
		if err != nil {
			return err
		}
		if s, err = tx.Subscription(ctx, arrival.SubscriptionID); err != nil || !arrival.SignsIn || s.Payer == "" {
			return err
		}
		if a, err = tx.BillingByID(ctx, s.Payer); err != nil {
			return err
		}
		if a.Disabled {
			return account.ErrDisabled
		}
		return tx.Audit(ctx, audit.Entry{
			At: at, Actor: a.ID, Address: web.Address(r), Action: "billing_account.entered_from_marketplace", Subject: a.ID,
			Detail: map[string]string{"cloud": string(s.Cloud), "account": s.Account, "instance": s.Instance},
		})
	})
	if err != nil {
		return err
	}
	if a.ID != "" {
		if err := b.desk.Enter(r, a.ID, a.Password, ""); err != nil {
			return err
		}
		return web.SeeOther(w, r, cloudPath(s))
	}
	b.web.Keep(ctx, keyArrival, s.ID+" "+strconv.FormatInt(b.Now().Add(marketplace.ArrivalLife).Unix(), 10))
	return web.SeeOther(w, r, arrivalPath)
}

// arrived is the purchase with which this browser came.
func (b *Console) arrived(ctx context.Context, tx *store.Tx) (marketplace.Subscription, error) {
	id, until, _ := strings.Cut(b.web.Kept(ctx, keyArrival), " ")
	seconds, err := strconv.ParseInt(until, 10, 64)
	if err != nil || b.Now().Unix() >= seconds {
		return marketplace.Subscription{}, marketplace.ErrArrival
	}
	return tx.Subscription(ctx, id)
}

// awaited reports whether a purchase waits for the account that is signing in.
func (b *Console) awaited(ctx context.Context) bool { return b.web.Kept(ctx, keyArrival) != "" }

func (b *Console) arrivalPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderArrival(w, r, web.Blank())
}

func (b *Console) renderArrival(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Arrival{Form: form, SignedIn: a.ID != "", UserName: a.UserName, Zone: zoneOf(a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Subscription, err = b.arrived(ctx, tx); err != nil || !page.SignedIn {
			return err
		}
		page.Bound = page.Subscription.Payer == a.ID
		page.Offered, err = b.settleable(ctx, tx, page.Subscription)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "cloud.arrival.title"), "clouds")
	return web.Render(w, r, form.Status(), arrivalView(page))
}

// bindArrival binds the purchase to the account that is signed in, and lets it
// settle the workspaces that were chosen. Where it cannot settle them, it stays
// bound, and the page says what stands in the way.
func (b *Console) bindArrival(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	a := payer(ctx)
	var s marketplace.Subscription
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		if s, err = b.arrived(ctx, tx); err != nil {
			return err
		}
		cloud, err := b.Clouds.Cloud(s.Cloud)
		if err != nil {
			return err
		}
		if _, unit := cloud.Unit(s.Product, a.Currency); unit != nil {
			return marketplace.ErrCurrency.With("currency", string(a.Currency))
		}
		s, err = marketplace.Bind(ctx, tx, s.Cloud, s.Bought(), a.ID, actor(r), b.Now())
		return err
	})
	if err == nil {
		if ids := chosen(form); len(ids) > 0 {
			err = b.settleAll(ctx, s, ids, actor(r))
		}
	}
	if form.Refused(besideIfNone(err, "workspaces")) {
		return b.renderArrival(w, r, form)
	}
	if err != nil {
		return err
	}
	b.web.Forget(ctx, keyArrival)
	b.say(ctx, "cloud.said.added")
	return web.SeeOther(w, r, cloudPath(s))
}

// refusals are what a door may say by its code.
var refusals = []*fault.Error{
	marketplace.ErrSignature, marketplace.ErrSkewed, marketplace.ErrReplayed, marketplace.ErrFields, marketplace.ErrRegistration,
	marketplace.ErrOtherProduct, marketplace.ErrInactive, marketplace.ErrUnreachable, marketplace.ErrUnknown, marketplace.ErrCrowd,
}

// refusedPage says why a marketplace's buyer was not let in.
func (b *Console) refusedPage(_ http.ResponseWriter, r *http.Request) error {
	for _, f := range refusals {
		if f.Code == r.URL.Query().Get("why") {
			return f
		}
	}
	return marketplace.ErrArrival
}

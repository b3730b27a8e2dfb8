package billingcenter

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const (
	openPath     = arrivalPath + "/workspace"
	openCodePath = openPath + "/code"

	keyOpening = "opening" // what the buyer entered, until the code is right
)

// What the buyer says of the Studio account that is to own the workspace.
const (
	ownerExists = "exists"
	ownerNew    = "new"
)

// OpenWorkspace is the pages on which a buyer opens a workspace with a purchase
// (domain section 5, entry C).
type OpenWorkspace struct {
	Frame        web.Frame
	Form         *web.Form
	Subscription marketplace.Subscription
	Sites        []site.Site // on which the purchase may settle one
	Email        string      // where the code went
	Title        string      // of the agreement
	Paragraphs   []string
}

// opening is what was entered, as the session keeps it. The password is not
// part of it: its hash waits with the registration.
type opening struct {
	Site         site.ID
	Name         string
	Language     string
	Email        string
	Registration string // of a new Studio account; empty for one that exists
	Proved       bool   // the code was right
}

// subject ties a code to one payer opening a workspace with one purchase.
func (o opening) subject(s marketplace.Subscription, payerID string) string {
	return s.ID + "/" + payerID + "/" + o.Name
}

func (b *Console) openState(r *http.Request, form *web.Form) (OpenWorkspace, error) {
	ctx := r.Context()
	a := payer(ctx)
	page := OpenWorkspace{Form: form}
	page.Title, page.Paragraphs = paragraphs(upgrade.AgreementText(web.Language(ctx)))
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Subscription, err = b.arrived(ctx, tx)
		return err
	})
	if err != nil {
		return page, err
	}
	if s := page.Subscription; s.Payer != "" && s.Payer != a.ID {
		return page, marketplace.ErrClaimed
	}
	for _, s := range site.Open() {
		if page.Subscription.Opens(s, a, b.Profile) == nil {
			page.Sites = append(page.Sites, s)
		}
	}
	page.Frame = b.frame(r, web.T(ctx, "cloud.open.title"), "clouds")
	return page, nil
}

func (b *Console) openPage(w http.ResponseWriter, r *http.Request) error {
	return b.renderOpen(w, r, web.Blank())
}

func (b *Console) renderOpen(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	page, err := b.openState(r, form)
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), openView(page))
}

// open takes what is to be opened, and mails the code by which the address of
// its owner is proved. Nothing is bound yet.
func (b *Console) open(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	o := opening{
		Site: site.ID(form.Text("site")), Name: strings.TrimSpace(form.Text("name")), Language: form.Text("language"), Email: strings.TrimSpace(form.Text("email")),
	}
	a := payer(ctx)
	switch {
	case !form.Ticked("agreed"):
		err = upgrade.ErrNotAgreed.On("agreed")
	case !b.byLogin.Allows("open:" + a.ID):
		err = account.ErrTooManyLogins.On("email")
	default:
		err = b.Store.Write(ctx, func(tx *store.Tx) error { return b.sendOpening(ctx, tx, r, form, &o) })
	}
	if form.Refused(err) {
		if fault.From(err).Code == marketplace.ErrNoStudio.Code {
			b.byLogin.Failed("open:" + a.ID)
		}
		return b.renderOpen(w, r, form)
	}
	if err != nil {
		return err
	}
	b.keepOpening(ctx, o)
	return web.SeeOther(w, r, openCodePath)
}

// sendOpening checks everything that can be checked before the code.
func (b *Console) sendOpening(ctx context.Context, tx *store.Tx, r *http.Request, form *web.Form, o *opening) error {
	a, at := payer(ctx), b.Now()
	s, err := b.arrived(ctx, tx)
	if err != nil {
		return err
	}
	on, err := site.Find(o.Site)
	if err != nil {
		return fault.From(err).On("site")
	}
	if err := s.Opens(on, a, b.Profile); err != nil {
		return besideIfNone(err, "site")
	}
	if _, err := s.Bind(a.ID, at); err != nil {
		return besideIfNone(err, "site")
	}
	if _, err := workspace.New(o.Site, o.Name, o.Language, a.ID, at); err != nil {
		return besideIfNone(err, "name")
	}
	if form.Text("owner") == ownerNew {
		began, err := account.Begin(ctx, tx, account.StudioSystem, account.Basics{
			Site: o.Site, UserName: form.Text("user_name"), Email: o.Email, Phone: form.Text("phone"),
			Password: form.Text("password"), Repeat: form.Text("password_repeat"), Language: web.Language(ctx),
		}, at)
		o.Email, o.Registration = began.Email, began.ID
		return err
	}
	owner, err := marketplace.Owned(ctx, tx, o.Site, o.Email)
	if err != nil {
		return err
	}
	o.Email = owner.Email
	mail := account.CodeSent{Purpose: account.ForOpening, Email: owner.Email, Language: owner.Language, Site: o.Site, For: o.Name}
	return besideIfNone(account.SendCode(ctx, tx, mail, o.subject(s, a.ID), at), "email")
}

func (b *Console) keepOpening(ctx context.Context, o opening) {
	text, err := json.Marshal(o)
	if err != nil {
		panic("billingcenter: an opening cannot be written: " + err.Error()) // it is made of texts
	}
	b.web.Keep(ctx, keyOpening, string(text))
}

// keptOpening is what this browser is in the middle of opening.
func (b *Console) keptOpening(ctx context.Context) (o opening, err error) {
	if json.Unmarshal([]byte(b.web.Kept(ctx, keyOpening)), &o) != nil {
		return o, marketplace.ErrArrival
	}
	return o, nil
}

func (b *Console) openCodePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderOpenCode(w, r, web.Blank())
}

func (b *Console) renderOpenCode(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	o, err := b.keptOpening(r.Context())
	if err != nil {
		return err
	}
	page, err := b.openState(r, form)
	if err != nil {
		return err
	}
	page.Email = o.Email
	return web.Render(w, r, form.Status(), openCodeView(page))
}

// openNow proves the address, then binds, opens, upgrades and settles at once.
// A code that is right is not asked for again when something else stands in
// the way.
func (b *Console) openNow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	o, err := b.keptOpening(ctx)
	if err != nil {
		return err
	}
	if !o.Proved {
		err = b.Store.Write(ctx, func(tx *store.Tx) error { return store.Keep(b.proveOpening(ctx, tx, o, form.Text("code"))) })
		if err == nil {
			o.Proved = true
			b.keepOpening(ctx, o)
		}
	}
	var ws workspace.Workspace
	if err == nil {
		err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
			ws, err = b.openWith(ctx, tx, r, o)
			return err
		})
	}
	if form.Refused(besideIfNone(err, "code")) {
		return b.renderOpenCode(w, r, form)
	}
	if err != nil {
		return err
	}
	b.web.Forget(ctx, keyOpening)
	b.web.Forget(ctx, keyArrival)
	b.say(ctx, "cloud.said.opened", "name", ws.Name)
	return web.SeeOther(w, r, bindPath(ws.ID, "/opened"))
}

func (b *Console) proveOpening(ctx context.Context, tx *store.Tx, o opening, digits string) error {
	s, err := b.arrived(ctx, tx)
	if err != nil {
		return err
	}
	if o.Registration != "" {
		_, err = account.Verify(ctx, tx, o.Registration, digits, b.Now())
		return err
	}
	return account.TryCode(ctx, tx, account.ForOpening, o.Email, o.subject(s, payer(ctx).ID), digits, b.Now())
}

func (b *Console) openWith(ctx context.Context, tx *store.Tx, r *http.Request, o opening) (workspace.Workspace, error) {
	a, at := payer(ctx), b.Now()
	s, err := b.arrived(ctx, tx)
	if err != nil {
		return workspace.Workspace{}, err
	}
	cloud, err := b.Clouds.Cloud(s.Cloud)
	if err != nil {
		return workspace.Workspace{}, err
	}
	if _, unit := cloud.Unit(s.Product, a.Currency); unit != nil {
		return workspace.Workspace{}, marketplace.ErrCurrency.With("currency", string(a.Currency))
	}
	var owner account.Studio
	if o.Registration != "" {
		owner, err = account.FinishStudio(ctx, tx, o.Registration, a.Profile, true, web.Address(r), at)
	} else {
		owner, err = marketplace.Owned(ctx, tx, o.Site, o.Email)
	}
	if err != nil {
		return workspace.Workspace{}, err
	}
	return marketplace.Open(ctx, tx, b.rules(), s, marketplace.Opening{
		Site: o.Site, Name: o.Name, Language: o.Language, Owner: owner, AgreedIn: web.Language(ctx),
	}, a, actor(r), at)
}

// resendOpening mails another code.
func (b *Console) resendOpening(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := b.keptOpening(ctx)
	if err != nil {
		return err
	}
	form := web.Blank()
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		s, err := b.arrived(ctx, tx)
		if err != nil {
			return err
		}
		if o.Registration != "" {
			return account.Resend(ctx, tx, o.Registration, b.Now())
		}
		owner, err := marketplace.Owned(ctx, tx, o.Site, o.Email)
		if err != nil {
			return err
		}
		mail := account.CodeSent{Purpose: account.ForOpening, Email: owner.Email, Language: owner.Language, Site: o.Site, For: o.Name}
		return account.SendCode(ctx, tx, mail, o.subject(s, payer(ctx).ID), b.Now())
	})
	if form.Refused(besideIfNone(err, "code")) {
		return b.renderOpenCode(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "bc.said.code_sent", "email", o.Email)
	return web.SeeOther(w, r, openCodePath)
}

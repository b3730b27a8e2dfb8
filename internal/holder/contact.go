package holder

import (
	"errors"
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// ContactPage is each step of changing the e-mail address or the phone.
type ContactPage struct {
	Frame   web.Frame
	Prefix  string
	Form    *web.Form
	Kind    account.ContactKind
	Holder  account.Person
	Step    int // 1 what it shall be, 2 the code to the present address, 3 the code to the new one
	New     string
	BegunAt time.Time
	Zone    *time.Location
}

func (d *Desk) path(k account.ContactKind) string { return d.Prefix + "/account/" + string(k) }

func (d *Desk) contactPage(k account.ContactKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return d.renderContact(w, r, k, web.Blank(), false)
	}
}

// renderContact shows the step that the change is at. What was begun is left
// aside when somebody wants to begin again, or when the form that is shown
// again is that of the first step.
func (d *Desk) renderContact(w http.ResponseWriter, r *http.Request, k account.ContactKind, form *web.Form, first bool) error {
	ctx := r.Context()
	p := d.Holder(ctx)
	page := ContactPage{
		Frame: d.Frame(r, web.T(ctx, "holder.contact.title."+string(k)), "account"), Prefix: d.Prefix, Form: form, Kind: k, Holder: p, Step: 1, Zone: d.Zone(ctx),
	}
	if first || r.URL.Query().Get("again") != "" {
		return web.Render(w, r, form.Status(), ContactView(page))
	}
	var c account.Contact
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		c, err = tx.Contact(ctx, d.System, p.ID, k)
		return err
	})
	switch {
	case errors.Is(err, account.ErrContactNotBegun), err == nil && !c.Waits(d.Now()):
	case err != nil:
		return err
	default:
		page.Step, page.New, page.BegunAt = 2, c.New, c.BegunAt
		if !c.ProvedAt.IsZero() {
			page.Step = 3
		}
	}
	return web.Render(w, r, form.Status(), ContactView(page))
}

func (d *Desk) beginContact(k account.ContactKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		form, err := web.Parse(w, r)
		if err != nil {
			return err
		}
		err = d.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := account.BeginContact(ctx, tx, d.who(r), k, form.Text(string(k)), d.Now())
			return err
		})
		if form.Refused(err) {
			return d.renderContact(w, r, k, form, true)
		}
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, d.path(k))
	}
}

func (d *Desk) resendContact(k account.ContactKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, form := r.Context(), web.Blank()
		err := d.Store.Write(ctx, func(tx *store.Tx) error {
			return account.ResendContact(ctx, tx, d.who(r), k, d.Now())
		})
		if form.Refused(err) {
			return d.renderContact(w, r, k, form, false)
		}
		if err != nil {
			return err
		}
		d.say(ctx, "holder.said.code")
		return web.SeeOther(w, r, d.path(k))
	}
}

// provePresent takes the code of the present address. A phone is changed by
// it, an address has one step more.
func (d *Desk) provePresent(k account.ContactKind) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx := r.Context()
		form, err := web.Parse(w, r)
		if err != nil {
			return err
		}
		err = d.Store.Write(ctx, func(tx *store.Tx) error {
			_, err := account.ProvePresent(ctx, tx, d.who(r), k, form.Text("code"), d.Now())
			return store.Keep(err)
		})
		if form.Refused(err) {
			return d.renderContact(w, r, k, form, false)
		}
		if err != nil {
			return err
		}
		if k == account.PhoneContact {
			d.say(ctx, "holder.said.phone")
			return web.SeeOther(w, r, d.Prefix+"/account")
		}
		return web.SeeOther(w, r, d.path(k))
	}
}

func (d *Desk) proveNew(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = d.Store.Write(ctx, func(tx *store.Tx) error {
		return store.Keep(account.ProveNew(ctx, tx, d.who(r), form.Text("code"), d.Now()))
	})
	if form.Refused(err) {
		return d.renderContact(w, r, account.EmailContact, form, false)
	}
	if err != nil {
		return err
	}
	d.say(ctx, "holder.said.email")
	return web.SeeOther(w, r, d.Prefix+"/account")
}

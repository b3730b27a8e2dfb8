package billingcenter

import (
	"errors"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// InvoiceProfiles are the profiles of an account, with the form for another
// one or for the one that is changed.
type InvoiceProfiles struct {
	Frame   web.Frame
	Form    *web.Form
	Account account.Billing
	Changed invoice.Profile // zero: the form makes a new one
	Rows    []invoice.Profile
}

// InvoiceAddresses are the delivery addresses of an account.
type InvoiceAddresses struct {
	Frame   web.Frame
	Form    *web.Form
	Changed invoice.Address
	Rows    []invoice.Address
}

func isState(err error) bool { return errors.Is(err, invoice.ErrState) }

func (b *Console) profilesPage(w http.ResponseWriter, r *http.Request) error {
	e := payer(r.Context()).Enterprise
	return b.showProfiles(w, r, web.Blank("type", string(invoice.Electronic), "title", e.Company, "tax_number", e.TaxpayerID), invoice.Profile{})
}

func (b *Console) profilePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var p invoice.Profile
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		p, err = tx.InvoiceProfile(ctx, payer(ctx).ID, r.PathValue("profile"))
		return err
	})
	if err != nil {
		return err
	}
	return b.showProfiles(w, r, web.Blank("type", string(p.Type), "title", p.Title, "tax_number", p.TaxNumber, "bank", p.Bank, "bank_account", p.BankAccount,
		"registered_address", p.RegisteredAddress, "registered_phone", p.RegisteredPhone), p)
}

func (b *Console) showProfiles(w http.ResponseWriter, r *http.Request, form *web.Form, changed invoice.Profile) error {
	ctx := r.Context()
	page := InvoiceProfiles{Frame: b.frame(r, web.T(ctx, "invoice.tab.profiles"), "invoices"), Form: form, Account: payer(ctx), Changed: changed}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.InvoiceProfiles(ctx, page.Account.ID, invoicesOnPage)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), profilesPage(page))
}

func (b *Console) saveProfile(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	p := invoice.Profile{
		ID: r.PathValue("profile"), AccountID: payer(ctx).ID, Type: invoice.Type(form.Text("type")), Title: form.Text("title"), TaxNumber: form.Text("tax_number"),
		Bank: form.Text("bank"), BankAccount: form.Text("bank_account"), RegisteredAddress: form.Text("registered_address"), RegisteredPhone: form.Text("registered_phone"),
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.SaveProfile(ctx, tx, p, web.Address(r), b.Now())
		return err
	})
	switch {
	case errors.Is(err, invoice.ErrProfileUnknown):
		return err
	case form.Refused(err):
		return b.showProfiles(w, r, form, p)
	case err != nil:
		return err
	}
	b.say(ctx, "invoice.said_profile")
	return web.SeeOther(w, r, profilesPath)
}

func (b *Console) deleteProfile(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := b.Store.Write(ctx, func(tx *store.Tx) error {
		return invoice.DeleteProfile(ctx, tx, payer(ctx).ID, r.PathValue("profile"), web.Address(r), b.Now())
	})
	if err != nil {
		return err
	}
	b.say(ctx, "invoice.said_profile_deleted")
	return web.SeeOther(w, r, profilesPath)
}

func (b *Console) addressesPage(w http.ResponseWriter, r *http.Request) error {
	a := payer(r.Context())
	return b.showAddresses(w, r, web.Blank("recipient", a.Profile.Contact, "email", a.Email, "phone", a.Phone), invoice.Address{})
}

func (b *Console) addressPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var a invoice.Address
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		a, err = tx.InvoiceAddress(ctx, payer(ctx).ID, r.PathValue("address"))
		return err
	})
	if err != nil {
		return err
	}
	return b.showAddresses(w, r, web.Blank("recipient", a.Recipient, "phone", a.Phone, "email", a.Email, "postal", a.Postal), a)
}

func (b *Console) showAddresses(w http.ResponseWriter, r *http.Request, form *web.Form, changed invoice.Address) error {
	ctx := r.Context()
	page := InvoiceAddresses{Frame: b.frame(r, web.T(ctx, "invoice.tab.addresses"), "invoices"), Form: form, Changed: changed}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.InvoiceAddresses(ctx, payer(ctx).ID, invoicesOnPage)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), addressesPage(page))
}

func (b *Console) saveAddress(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	a := invoice.Address{
		ID: r.PathValue("address"), AccountID: payer(ctx).ID, Recipient: form.Text("recipient"), Phone: form.Text("phone"), Email: form.Text("email"), Postal: form.Text("postal"),
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := invoice.SaveAddress(ctx, tx, a, web.Address(r), b.Now())
		return err
	})
	switch {
	case errors.Is(err, invoice.ErrAddressUnknown):
		return err
	case form.Refused(err):
		return b.showAddresses(w, r, form, a)
	case err != nil:
		return err
	}
	b.say(ctx, "invoice.said_address")
	return web.SeeOther(w, r, addressesPath)
}

func (b *Console) deleteAddress(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := b.Store.Write(ctx, func(tx *store.Tx) error {
		return invoice.DeleteAddress(ctx, tx, payer(ctx).ID, r.PathValue("address"), web.Address(r), b.Now())
	})
	if err != nil {
		return err
	}
	b.say(ctx, "invoice.said_address_deleted")
	return web.SeeOther(w, r, addressesPath)
}

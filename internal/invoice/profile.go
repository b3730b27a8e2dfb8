package invoice

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// Faults of profiles and addresses.
var (
	ErrProfileUnknown = fault.New(fault.NotFound, "invoice_profile_unknown", "There is no such invoice profile.")
	ErrAddressUnknown = fault.New(fault.NotFound, "invoice_address_unknown", "There is no such delivery address.")
	ErrManyProfiles   = fault.New(fault.Conflict, "invoice_profiles_many", "An account has at most 50 invoice profiles. Delete one that is not needed.")
	ErrManyAddresses  = fault.New(fault.Conflict, "invoice_addresses_many", "An account has at most 50 delivery addresses. Delete one that is not needed.")
	ErrType           = fault.New(fault.Invalid, "invoice_type", "Choose the type of the invoice.")
	ErrTitleCertified = fault.New(fault.Invalid, "invoice_title", "The title of an invoice is the name that the account is certified for.")
	ErrBank           = fault.New(fault.Invalid, "invoice_bank", "A special VAT invoice needs the name of the bank, at most 128 characters.")
	ErrBankAccount    = fault.New(fault.Invalid, "invoice_bank_account", "A special VAT invoice needs the bank account: 4 to 40 digits, letters, spaces and hyphens.")
	ErrRegistered     = fault.New(fault.Invalid, "invoice_registered_address", "A special VAT invoice needs the registered address, at most 256 characters.")
	ErrRegisteredCall = fault.New(fault.Invalid, "invoice_registered_phone", "A special VAT invoice needs the registered phone number.")
	ErrRecipient      = fault.New(fault.Invalid, "invoice_recipient", "Enter who receives the invoice, at most 128 characters.")
	ErrNowhere        = fault.New(fault.Invalid, "invoice_address_nowhere", "Enter an e-mail address, or a postal address with a phone number.")
	ErrPostal         = fault.New(fault.Invalid, "invoice_address_postal", "A postal address has at most 256 characters and comes with a phone number.")
	ErrAddressEmail   = fault.New(fault.Conflict, "invoice_address_no_email", "An electronic invoice is sent by mail, and this delivery address has no e-mail address. Add one, or choose another.")
	ErrAddressPost    = fault.New(fault.Conflict, "invoice_address_no_post", "An invoice of paper is sent by post, and this delivery address has no postal address. Add one, or choose another.")
)

// Type is the sort of a tax invoice.
type Type string

// The types (domain section 13).
const (
	Ordinary   Type = "vat_ordinary"
	Special    Type = "vat_special"
	Electronic Type = "electronic_ordinary"
)

// Types lists them as a form offers them.
func Types() []Type { return []Type{Electronic, Ordinary, Special} }

// OnPaper reports whether such an invoice is sent by post.
func (t Type) OnPaper() bool { return t != Electronic }

// Profile is what an invoice is made out to. A special VAT invoice needs every
// field; the others need the title and the tax registration number.
type Profile struct {
	ID                string
	AccountID         string
	Type              Type
	Title             string
	TaxNumber         string
	Bank              string
	BankAccount       string
	RegisteredAddress string
	RegisteredPhone   string
	ChangedAt         time.Time
}

// Address is where invoices are delivered to: by mail, by post, or both.
type Address struct {
	ID        string
	AccountID string
	Recipient string
	Phone     string
	Email     string
	Postal    string
	ChangedAt time.Time
}

// The bounds of what is typed, and of how many there may be.
const (
	maxName      = 128
	maxPostal    = 256
	leastAccount = 4
	mostAccount  = 40
	most         = 50
)

// oneLine is a text with single spaces, or ok is false: it is too long or
// holds what no line has.
func oneLine(text string, longest int) (line string, ok bool) {
	line = strings.Join(strings.Fields(text), " ")
	return line, utf8.ValidString(line) && utf8.RuneCountInString(line) <= longest && !strings.ContainsFunc(line, unicode.IsControl)
}

// Normal checks a profile against what the account is certified for, and gives
// it as it is kept.
func (p Profile) Normal(certified account.Enterprise) (Profile, error) {
	if certified.IsZero() {
		return p, account.ErrNotCertified
	}
	var list fault.Fields
	need := p.Type == Special
	keep := func(field *string, longest int, e *fault.Error, name string) {
		line, ok := oneLine(*field, longest)
		if *field = line; !ok || need && line == "" {
			list = append(list, e.On(name))
		}
	}
	if p.Type != Ordinary && p.Type != Special && p.Type != Electronic {
		list = append(list, ErrType.On("type"))
	}
	if p.Title, _ = oneLine(p.Title, maxPostal); p.Title != certified.Company {
		list = append(list, ErrTitleCertified.On("title"))
	}
	e, err := account.NormalEnterprise(certified.Company, p.TaxNumber)
	if p.TaxNumber = e.TaxpayerID; err != nil {
		list = append(list, account.ErrTaxpayerID.On("tax_number"))
	}
	keep(&p.Bank, maxName, ErrBank, "bank")
	keep(&p.BankAccount, mostAccount, ErrBankAccount, "bank_account")
	if p.BankAccount != "" && !accountNumber(p.BankAccount) {
		list = append(list, ErrBankAccount.On("bank_account"))
	}
	keep(&p.RegisteredAddress, maxPostal, ErrRegistered, "registered_address")
	phone, err := account.NormalPhone(p.RegisteredPhone)
	if err != nil || need && phone == "" {
		list = append(list, ErrRegisteredCall.On("registered_phone"))
	}
	p.RegisteredPhone = phone
	return p, list.OrNil()
}

// accountNumber reports whether the text may be the number of a bank account.
func accountNumber(text string) bool {
	if len(text) < leastAccount {
		return false
	}
	for _, r := range text {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != ' ' && r != '-' {
			return false
		}
	}
	return true
}

// Normal checks an address and gives it as it is kept: somebody who receives,
// and an e-mail address, or a postal address with a phone number.
func (a Address) Normal() (Address, error) {
	var list fault.Fields
	var ok bool
	if a.Recipient, ok = oneLine(a.Recipient, maxName); !ok || a.Recipient == "" {
		list = append(list, ErrRecipient.On("recipient"))
	}
	var err error
	if a.Phone, err = account.NormalPhone(a.Phone); err != nil {
		list = append(list, fault.From(err).On("phone"))
	}
	if strings.TrimSpace(a.Email) != "" {
		if a.Email, err = account.NormalEmail(a.Email); err != nil {
			list = append(list, fault.From(err).On("email"))
		}
	} else {
		a.Email = ""
	}
	if a.Postal, ok = oneLine(a.Postal, maxPostal); !ok || a.Postal != "" && a.Phone == "" {
		list = append(list, ErrPostal.On("postal"))
	}
	if len(list) == 0 && a.Email == "" && a.Postal == "" {
		list = append(list, ErrNowhere.On("email"))
	}
	return a, list.OrNil()
}

// Takes reports whether an invoice of the type can be delivered there.
func (a Address) Takes(t Type) error {
	switch {
	case t.OnPaper() && (a.Postal == "" || a.Phone == ""):
		return ErrAddressPost.On("address")
	case !t.OnPaper() && a.Email == "":
		return ErrAddressEmail.On("address")
	}
	return nil
}

// ProfileTx is what profiles and addresses need of a transaction.
type ProfileTx interface {
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	// InvoiceProfile finds a profile of the account, or ErrProfileUnknown.
	InvoiceProfile(ctx context.Context, accountID, id string) (Profile, error)
	InvoiceProfiles(ctx context.Context, accountID string, limit int) ([]Profile, error)
	// SaveInvoiceProfile inserts or replaces one.
	SaveInvoiceProfile(ctx context.Context, p Profile) error
	DeleteInvoiceProfile(ctx context.Context, accountID, id string) error
	// InvoiceAddress finds an address of the account, or ErrAddressUnknown.
	InvoiceAddress(ctx context.Context, accountID, id string) (Address, error)
	InvoiceAddresses(ctx context.Context, accountID string, limit int) ([]Address, error)
	// SaveInvoiceAddress inserts or replaces one.
	SaveInvoiceAddress(ctx context.Context, a Address) error
	DeleteInvoiceAddress(ctx context.Context, accountID, id string) error
	Audit(ctx context.Context, e audit.Entry) error
}

// SaveProfile makes a profile, or changes the one of its ID. Requests that
// were made with it keep it as it was.
func SaveProfile(ctx context.Context, tx ProfileTx, p Profile, address string, at time.Time) (Profile, error) {
	a, err := tx.BillingByID(ctx, p.AccountID)
	if err != nil {
		return p, err
	}
	if p, err = p.Normal(a.Enterprise); err != nil {
		return p, err
	}
	var before Profile
	action := "invoice_profile.changed"
	if p.ID != "" {
		if before, err = tx.InvoiceProfile(ctx, p.AccountID, p.ID); err != nil {
			return p, err
		}
	} else {
		all, err := tx.InvoiceProfiles(ctx, p.AccountID, most)
		if err != nil {
			return p, err
		}
		if len(all) >= most {
			return p, ErrManyProfiles
		}
		p.ID, action = id.New(id.InvoiceProfile), "invoice_profile.created"
	}
	p.ChangedAt = at
	if err := tx.SaveInvoiceProfile(ctx, p); err != nil {
		return p, err
	}
	return p, tx.Audit(ctx, audit.Entry{At: at, Actor: a.ID, Address: address, Action: action, Subject: p.ID, Detail: changed(before.facts(), p.facts())})
}

// DeleteProfile removes a profile. Requests keep it.
func DeleteProfile(ctx context.Context, tx ProfileTx, accountID, profileID, address string, at time.Time) error {
	before, err := tx.InvoiceProfile(ctx, accountID, profileID)
	if err != nil {
		return err
	}
	if err := tx.DeleteInvoiceProfile(ctx, accountID, profileID); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{At: at, Actor: accountID, Address: address, Action: "invoice_profile.deleted", Subject: profileID, Detail: changed(before.facts(), Profile{}.facts())})
}

// SaveAddress makes an address, or changes the one of its ID. Requests that
// were made with it keep it as it was.
func SaveAddress(ctx context.Context, tx ProfileTx, a Address, from string, at time.Time) (Address, error) {
	a, err := a.Normal()
	if err != nil {
		return a, err
	}
	var before Address
	action := "invoice_address.changed"
	if a.ID != "" {
		if before, err = tx.InvoiceAddress(ctx, a.AccountID, a.ID); err != nil {
			return a, err
		}
	} else {
		all, err := tx.InvoiceAddresses(ctx, a.AccountID, most)
		if err != nil {
			return a, err
		}
		if len(all) >= most {
			return a, ErrManyAddresses
		}
		a.ID, action = id.New(id.InvoiceAddress), "invoice_address.created"
	}
	a.ChangedAt = at
	if err := tx.SaveInvoiceAddress(ctx, a); err != nil {
		return a, err
	}
	return a, tx.Audit(ctx, audit.Entry{At: at, Actor: a.AccountID, Address: from, Action: action, Subject: a.ID, Detail: changed(before.facts(), a.facts())})
}

// DeleteAddress removes an address. Requests keep it.
func DeleteAddress(ctx context.Context, tx ProfileTx, accountID, addressID, from string, at time.Time) error {
	before, err := tx.InvoiceAddress(ctx, accountID, addressID)
	if err != nil {
		return err
	}
	if err := tx.DeleteInvoiceAddress(ctx, accountID, addressID); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{At: at, Actor: accountID, Address: from, Action: "invoice_address.deleted", Subject: addressID, Detail: changed(before.facts(), Address{}.facts())})
}

func (p Profile) facts() map[string]string {
	return map[string]string{
		"type": string(p.Type), "title": p.Title, "tax_number": p.TaxNumber, "bank": p.Bank, "bank_account": p.BankAccount,
		"registered_address": p.RegisteredAddress, "registered_phone": p.RegisteredPhone,
	}
}

func (a Address) facts() map[string]string {
	return map[string]string{"recipient": a.Recipient, "phone": a.Phone, "email": a.Email, "postal": a.Postal}
}

// changed is what the audit log keeps of a change: each field that differs, as
// it was and is.
func changed(before, after map[string]string) map[string]string {
	detail := map[string]string{}
	for name, now := range after {
		if was := before[name]; was != now {
			detail[name] = was + " -> " + now
		}
	}
	return detail
}

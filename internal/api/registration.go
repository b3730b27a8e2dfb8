package api

import (
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// Registration is an account in the making. Its ID is a secret of whoever
// began it.
type Registration struct {
	ID        string    `json:"id"`
	Email     string    `json:"email" doc:"Where the code went."`
	Verified  bool      `json:"verified" doc:"The code was right; the next step makes the account."`
	ExpiresAt time.Time `json:"expires_at"`
}

func registrationOf(r account.Registration) *Registration {
	return &Registration{ID: r.ID, Email: r.Email, Verified: !r.VerifiedAt.IsZero(), ExpiresAt: r.CreatedAt.Add(account.RegistrationLife)}
}

// studioBasics is step 1 of a Studio registration.
type studioBasics struct {
	Body struct {
		Site     string `json:"site" example:"cn1"`
		UserName string `json:"user_name"`
		Email    string `json:"email"`
		Phone    string `json:"phone,omitempty"`
		Password string `json:"password" maxLength:"256"`
		Language string `json:"language" enum:"en,zh"`
	}
}

func (s *server) beginStudio(c *call, in *studioBasics) (*Registration, error) {
	b := in.Body
	return s.begin(c, account.StudioSystem, account.Basics{
		Site: site.ID(b.Site), UserName: b.UserName, Email: b.Email, Phone: b.Phone,
		Password: b.Password, Repeat: b.Password, Language: b.Language,
	})
}

// billingBasics is step 1 of a Billing Center registration.
type billingBasics struct {
	Body struct {
		Currency string `json:"currency" example:"CNY"`
		UserName string `json:"user_name" doc:"Unique, and never changed later."`
		Email    string `json:"email"`
		Phone    string `json:"phone,omitempty"`
		Password string `json:"password" maxLength:"256"`
		Language string `json:"language" enum:"en,zh"`
	}
}

func (s *server) beginBilling(c *call, in *billingBasics) (*Registration, error) {
	b := in.Body
	return s.begin(c, account.BillingSystem, account.Basics{
		Currency: money.Currency(b.Currency), UserName: b.UserName, Email: b.Email, Phone: b.Phone,
		Password: b.Password, Repeat: b.Password, Language: b.Language,
	})
}

func (s *server) begin(c *call, system account.System, b account.Basics) (*Registration, error) {
	if err := refuse(ErrTooManyBegins, s.begins.take(c.Address, s.begins.most)); err != nil {
		return nil, err
	}
	if !open(b.Site) {
		b.Site = "" // refused together with whatever else is wrong
	}
	return transact(c.Context, s, &b, func(c *call, b *account.Basics) (*Registration, error) {
		r, err := account.Begin(c, c.tx, system, *b, c.at)
		if err != nil {
			return nil, err
		}
		return registrationOf(r), nil
	})
}

// open reports whether teams may register on the site.
func open(id site.ID) bool {
	for _, s := range site.Open() {
		if s.ID == id {
			return true
		}
	}
	return false
}

// Begun names a registration.
type Begun struct {
	ID string `path:"registration_id" maxLength:"64"`
}

// of checks that a registration belongs to the account system of the path.
func (b Begun) of(c *call, system account.System) error {
	r, err := c.tx.Registration(c, b.ID)
	if err == nil && r.System != system {
		return account.ErrRegistrationUnknown
	}
	return err
}

func resend(system account.System) func(c *call, in *Begun) (*Registration, error) {
	return func(c *call, in *Begun) (*Registration, error) {
		if err := in.of(c, system); err != nil {
			return nil, err
		}
		if err := account.Resend(c, c.tx, in.ID, c.at); err != nil {
			return nil, err
		}
		r, err := c.tx.Registration(c, in.ID)
		return registrationOf(r), err
	}
}

// verification is the code that was mailed.
type verification struct {
	Begun
	Body struct {
		Code string `json:"code" maxLength:"32" example:"123456"`
	}
}

func verify(system account.System) func(c *call, in *verification) (*Registration, error) {
	return func(c *call, in *verification) (*Registration, error) {
		if err := in.of(c, system); err != nil {
			return nil, err
		}
		r, err := account.Verify(c, c.tx, in.ID, in.Body.Code, c.at)
		if err != nil {
			return nil, counted(err)
		}
		return registrationOf(r), nil
	}
}

// counted commits a refused try of a code, so that it counts.
func counted(err error) error {
	if fault.From(err).Kind == fault.Internal {
		return err
	}
	return store.Keep(err)
}

// Profile is step 2: the company and its contact.
type Profile struct {
	Company      string `json:"company"`
	Industry     string `json:"industry,omitempty"`
	Region       string `json:"region,omitempty"`
	Introduction string `json:"introduction,omitempty"`
	Contact      string `json:"contact,omitempty"`
}

func (p Profile) noun() account.Profile { return account.Profile(p) }

// completion turns a registration into an account.
type completion struct {
	Begun
	Body struct {
		Profile
		Agreed bool `json:"agreed" doc:"The terms are agreed to."`
	}
}

// StudioAccount is a login to one site.
type StudioAccount struct {
	ID        string    `json:"id"`
	Site      string    `json:"site"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone,omitempty"`
	Language  string    `json:"language"`
	Profile   Profile   `json:"profile"`
	CreatedAt time.Time `json:"created_at"`
}

func studioOf(a account.Studio) *StudioAccount {
	return &StudioAccount{
		ID: a.ID, Site: string(a.Site), UserName: a.UserName, Email: a.Email, Phone: a.Phone,
		Language: a.Language, Profile: Profile(a.Profile), CreatedAt: local(a.CreatedAt, a.Site),
	}
}

// BillingAccount is a login to the Billing Center, and the payer.
type BillingAccount struct {
	ID        string    `json:"id"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone,omitempty"`
	Currency  string    `json:"currency"`
	Language  string    `json:"language"`
	Profile   Profile   `json:"profile"`
	CreatedAt time.Time `json:"created_at"`
}

func billingOf(a account.Billing) *BillingAccount {
	return &BillingAccount{
		ID: a.ID, UserName: a.UserName, Email: a.Email, Phone: a.Phone, Currency: string(a.Currency),
		Language: a.Language, Profile: Profile(a.Profile), CreatedAt: a.CreatedAt.UTC(),
	}
}

func finishStudio(c *call, in *completion) (*StudioAccount, error) {
	if err := in.of(c, account.StudioSystem); err != nil {
		return nil, err
	}
	a, err := account.FinishStudio(c, c.tx, in.ID, in.Body.noun(), in.Body.Agreed, c.Address, c.at)
	if err != nil {
		return nil, err
	}
	if _, err := workspace.Welcome(c, c.tx, a, c.Address, c.at); err != nil {
		return nil, err
	}
	return studioOf(a), nil
}

func finishBilling(c *call, in *completion) (*BillingAccount, error) {
	if err := in.of(c, account.BillingSystem); err != nil {
		return nil, err
	}
	a, err := account.FinishBilling(c, c.tx, in.ID, in.Body.noun(), in.Body.Agreed, c.Address, c.at)
	if err != nil {
		return nil, err
	}
	return billingOf(a), nil
}

func showStudio(c *call, _ *nothing) (*StudioAccount, error)   { return studioOf(c.Studio), nil }
func showBilling(c *call, _ *nothing) (*BillingAccount, error) { return billingOf(c.Billing), nil }

// Site is where a team may register.
type Site struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Operator string `json:"operator" doc:"The cloud that runs the region."`
	Currency string `json:"currency"`
	Zone     string `json:"zone" doc:"A service day begins at midnight here." example:"Asia/Shanghai"`
}

func listSites(_ *call, in *struct{ Paged }) (*Page[Site], error) {
	return pageOf(in.Paged, "sites", site.Open(), func(s site.Site) string { return string(s.ID) }, func(s site.Site) Site {
		return Site{string(s.ID), s.Name, s.Operator, string(s.Currency), s.Zone.String()}
	})
}

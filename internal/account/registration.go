package account

import (
	"context"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// System is one of the two account systems.
type System string

// The systems that a person may register with.
const (
	StudioSystem  System = "studio"
	BillingSystem System = "billing"
)

// RegistrationLife is how long an unfinished registration is kept.
const RegistrationLife = 24 * time.Hour

// Faults of the registration's steps.
var (
	ErrRegistrationUnknown = fault.New(fault.Gone, "registration_unknown", "This registration has ended or is too old. Begin again.")
	ErrEmailUnverified     = fault.New(fault.Conflict, "email_not_verified", "Enter the code that was mailed to you first.")
)

// Registration is an account in the making: step 1 of domain section 4 until
// step 2 turns it into an account.
type Registration struct {
	ID         string
	System     System
	Site       site.ID        // Studio only
	Currency   money.Currency // Billing Center only
	UserName   string
	Email      string
	Phone      string
	Password   string // the hash
	Language   string
	VerifiedAt time.Time
	CreatedAt  time.Time
}

// Basics is what step 1 asks for, as typed.
type Basics struct {
	Site     site.ID
	Currency money.Currency
	UserName string
	Email    string
	Phone    string
	Password string
	Repeat   string
	Language string
}

// Tx is what registration needs of a transaction.
type Tx interface {
	StudioByEmail(ctx context.Context, s site.ID, email string) (Studio, error)
	StudioByPhone(ctx context.Context, s site.ID, phone string) (Studio, error)
	InsertStudio(ctx context.Context, a Studio) error
	BillingByName(ctx context.Context, userName string) (Billing, error)
	BillingByLogin(ctx context.Context, login string) (Billing, error)
	InsertBilling(ctx context.Context, a Billing) error
	Registration(ctx context.Context, id string) (Registration, error)
	SaveRegistration(ctx context.Context, r Registration) error
	DeleteRegistration(ctx context.Context, id string) error
	Codes
	Audit(ctx context.Context, e audit.Entry) error
}

// Codes is what mailing and trying codes needs of a transaction.
type Codes interface {
	LatestCode(ctx context.Context, p Purpose, email, subject string) (Code, error)
	CodesSince(ctx context.Context, p Purpose, email string, since time.Time) (int, error)
	SaveCode(ctx context.Context, c Code) error
	Announce(ctx context.Context, event any) error
}

// Begin takes step 1 and mails the code. Every fault of the form is named.
func Begin(ctx context.Context, tx Tx, system System, b Basics, at time.Time) (Registration, error) {
	r, list := b.check(system)
	taken, err := takenBy(ctx, tx, r)
	if err != nil {
		return r, err
	}
	if list = append(list, taken...); len(list) > 0 {
		return r, list
	}
	if r.Password, err = HashPassword(b.Password); err != nil {
		return r, err
	}
	r.ID, r.CreatedAt = id.New(id.Reference), at
	if err := tx.SaveRegistration(ctx, r); err != nil {
		return r, err
	}
	return r, sendCode(ctx, tx, r, at)
}

func (b Basics) check(system System) (Registration, fault.Fields) {
	r := Registration{System: system, Site: b.Site, Currency: b.Currency, Language: b.Language}
	var list fault.Fields
	keep := func(field string, err error) {
		if err != nil {
			list = append(list, fault.From(err).On(field))
		}
	}
	var err error
	if system == StudioSystem {
		_, err = site.Find(b.Site)
		keep("site", err)
	} else {
		_, err = money.ParseCurrency(string(b.Currency))
		keep("currency", err)
	}
	r.UserName, err = NormalUserName(b.UserName)
	keep("user_name", err)
	r.Email, err = NormalEmail(b.Email)
	keep("email", err)
	r.Phone, err = NormalPhone(b.Phone)
	keep("phone", err)
	keep("password", passwordForm(b.Password))
	if b.Repeat != b.Password {
		keep("password_repeat", ErrPasswordRepeat)
	}
	return r, list
}

// takenBy names what another account of the system has already.
func takenBy(ctx context.Context, tx Tx, r Registration) (fault.Fields, error) {
	var list fault.Fields
	look := func(field, value string, found error, refusal *fault.Error) error {
		switch {
		case value == "" || isUnknown(found):
			return nil
		case found != nil:
			return found
		}
		list = append(list, refusal.On(field))
		return nil
	}
	var errs [3]error
	if r.System == StudioSystem {
		_, errs[1] = tx.StudioByEmail(ctx, r.Site, r.Email)
		_, errs[2] = tx.StudioByPhone(ctx, r.Site, r.Phone)
		errs[0] = ErrUnknown // a Studio user name is a display name
	} else {
		_, errs[0] = tx.BillingByName(ctx, r.UserName)
		_, errs[1] = tx.BillingByLogin(ctx, r.Email)
		_, errs[2] = tx.BillingByLogin(ctx, r.Phone)
	}
	for _, err := range []error{
		look("user_name", r.UserName, errs[0], ErrUserNameTaken),
		look("email", r.Email, errs[1], ErrEmailTaken),
		look("phone", r.Phone, errs[2], ErrPhoneTaken),
	} {
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func isUnknown(err error) bool { return err != nil && fault.From(err).Code == ErrUnknown.Code }

// Resend mails another code for the registration.
func Resend(ctx context.Context, tx Tx, registration string, at time.Time) error {
	r, err := openRegistration(ctx, tx, registration, at)
	if err != nil {
		return err
	}
	return sendCode(ctx, tx, r, at)
}

func sendCode(ctx context.Context, tx Codes, r Registration, at time.Time) error {
	return SendCode(ctx, tx, CodeSent{Purpose: r.purpose(), Email: r.Email, Language: r.Language, Site: r.Site}, r.ID, at)
}

func (r Registration) purpose() Purpose {
	if r.System == BillingSystem {
		return ForBilling
	}
	return ForStudio
}

// SendCode makes a code for the event's purpose and address, tied to the
// subject, and announces it with its digits so that it is mailed.
func SendCode(ctx context.Context, tx Codes, mail CodeSent, subject string, at time.Time) error {
	if err := mayCode(ctx, tx, mail.Purpose, mail.Email, subject, at); err != nil {
		return err
	}
	code, digits := NewCode(mail.Purpose, mail.Email, subject, at)
	if err := tx.SaveCode(ctx, code); err != nil {
		return err
	}
	mail.Digits, mail.ExpiresAt = digits, code.ExpiresAt
	return tx.Announce(ctx, mail)
}

// mayCode holds the limits of mailing: a pause between two codes, and so many
// an hour to one address.
func mayCode(ctx context.Context, tx Codes, p Purpose, email, subject string, at time.Time) error {
	n, err := tx.CodesSince(ctx, p, email, at.Add(-time.Hour))
	if err != nil {
		return err
	}
	last, err := tx.LatestCode(ctx, p, email, subject)
	switch {
	case err != nil && !isCode(err, ErrCodeNone):
		return err
	case err == nil && last.UsedAt.IsZero() && at.Before(last.SentAt.Add(CodePause)), n >= CodeMost:
		return ErrCodeOften
	}
	return nil
}

// TryCode tries the digits against the newest code of that purpose, address
// and subject and keeps what came of it. The caller must commit also when
// there is a fault (store.Keep), so that a wrong try counts.
func TryCode(ctx context.Context, tx Codes, p Purpose, email, subject, digits string, at time.Time) error {
	code, err := tx.LatestCode(ctx, p, email, subject)
	if err != nil {
		return err
	}
	code, refusal := code.Try(digits, at)
	if err := tx.SaveCode(ctx, code); err != nil {
		return err
	}
	return refusal
}

func isCode(err error, want *fault.Error) bool { return fault.From(err).Code == want.Code }

// Verify takes the mailed code. Commit also when there is a fault.
func Verify(ctx context.Context, tx Tx, registration, digits string, at time.Time) (Registration, error) {
	r, err := openRegistration(ctx, tx, registration, at)
	if err != nil || !r.VerifiedAt.IsZero() {
		return r, err
	}
	if err := TryCode(ctx, tx, r.purpose(), r.Email, r.ID, digits, at); err != nil {
		return r, err
	}
	r.VerifiedAt = at
	return r, tx.SaveRegistration(ctx, r)
}

func openRegistration(ctx context.Context, tx Tx, registration string, at time.Time) (Registration, error) {
	r, err := tx.Registration(ctx, registration)
	if err == nil && !at.Before(r.CreatedAt.Add(RegistrationLife)) {
		return r, ErrRegistrationUnknown
	}
	return r, err
}

// finish checks step 2 and closes the registration.
func finish(ctx context.Context, tx Tx, registration string, p Profile, agreed bool, at time.Time) (Registration, error) {
	r, err := openRegistration(ctx, tx, registration, at)
	if err != nil {
		return r, err
	}
	if r.VerifiedAt.IsZero() {
		return r, ErrEmailUnverified
	}
	var list fault.Fields
	if err := p.Valid(); err != nil {
		list = append(list, err.(fault.Fields)...)
	}
	if !agreed {
		list = append(list, ErrAgreement.On("agreed"))
	}
	taken, err := takenBy(ctx, tx, r)
	if err != nil {
		return r, err
	}
	if list = append(list, taken...); len(list) > 0 {
		return r, list
	}
	return r, tx.DeleteRegistration(ctx, r.ID)
}

// FinishStudio takes step 2: from here on the Studio account exists. If the
// flow stops now, the next login asks to create a workspace.
func FinishStudio(ctx context.Context, tx Tx, registration string, p Profile, agreed bool, address string, at time.Time) (Studio, error) {
	r, err := finish(ctx, tx, registration, p, agreed, at)
	if err != nil {
		return Studio{}, err
	}
	a := Studio{
		ID: id.New(id.StudioAccount), Site: r.Site, UserName: r.UserName, Email: r.Email, Phone: r.Phone,
		Password: r.Password, Profile: p, Language: r.Language, CreatedAt: at,
	}
	if err := tx.InsertStudio(ctx, a); err != nil {
		return Studio{}, err
	}
	hello := Registered{Site: a.Site, UserName: a.UserName, Email: a.Email, Language: a.Language, RegisteredAt: at}
	if err := tx.Announce(ctx, hello); err != nil {
		return Studio{}, err
	}
	return a, tx.Audit(ctx, audit.Entry{At: at, Actor: a.ID, Address: address, Action: "studio_account.registered", Subject: a.ID})
}

// FinishBilling takes step 2 of a Billing Center registration.
func FinishBilling(ctx context.Context, tx Tx, registration string, p Profile, agreed bool, address string, at time.Time) (Billing, error) {
	r, err := finish(ctx, tx, registration, p, agreed, at)
	if err != nil {
		return Billing{}, err
	}
	return insertBilling(ctx, tx, Billing{
		UserName: r.UserName, Email: r.Email, Phone: r.Phone, Password: r.Password,
		Currency: r.Currency, Profile: p, Language: r.Language,
	}, address, at)
}

// Beside creates the Billing Center account of the ticked box: the Studio
// account's address, phone and initial password, and the user name given here
// (the Studio one unless it is taken). From then on the two are independent.
func Beside(ctx context.Context, tx Tx, a Studio, userName, address string, at time.Time) (Billing, error) {
	s, err := site.Find(a.Site)
	if err != nil {
		return Billing{}, err
	}
	name, err := NormalUserName(userName)
	if err != nil {
		return Billing{}, fault.From(err).On("billing_user_name")
	}
	b := Billing{UserName: name, Email: a.Email, Phone: a.Phone, Password: a.Password, Currency: s.Currency, Profile: a.Profile, Language: a.Language}
	taken, err := takenBy(ctx, tx, Registration{System: BillingSystem, UserName: name, Email: a.Email, Phone: a.Phone})
	if err != nil {
		return Billing{}, err
	}
	if len(taken) > 0 {
		return Billing{}, taken[0].On("billing_user_name")
	}
	return insertBilling(ctx, tx, b, address, at)
}

func insertBilling(ctx context.Context, tx Tx, b Billing, address string, at time.Time) (Billing, error) {
	b.ID, b.CreatedAt = id.New(id.BillingAccount), at
	if err := tx.InsertBilling(ctx, b); err != nil {
		return Billing{}, err
	}
	hello := Registered{UserName: b.UserName, Email: b.Email, Language: b.Language, RegisteredAt: at}
	if err := tx.Announce(ctx, hello); err != nil {
		return Billing{}, err
	}
	return b, tx.Audit(ctx, audit.Entry{At: at, Actor: b.ID, Address: address, Action: "billing_account.registered", Subject: b.ID})
}

package account

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
)

// Faults of certification.
var (
	ErrEnterpriseName       = fault.New(fault.Invalid, "enterprise_name", "Enter the company's name as the business licence has it, at most 256 characters.")
	ErrTaxpayerID           = fault.New(fault.Invalid, "taxpayer_id", "A taxpayer ID has 4 to 32 letters and digits.")
	ErrCertifiedAlready     = fault.New(fault.Conflict, "certified_already", "The account is certified for this company and taxpayer ID already.")
	ErrCertificationUnknown = fault.New(fault.NotFound, "certification_unknown", "There is no such certification.")
	ErrCertificationDecided = fault.New(fault.Conflict, "certification_decided", "This certification was decided or replaced meanwhile. Load the page again.")
	ErrCertificationReason  = fault.New(fault.Invalid, "certification_reason", "Enter the reason, at most 256 characters.")
	ErrNotCertified         = fault.New(fault.Conflict, "not_certified", "This account is not certified. Submit the company's name and taxpayer ID under Certification first.")
)

// The bounds of a taxpayer ID: those of China have 15 to 20 characters, those
// of elsewhere differ.
const (
	leastTaxpayerID = 4
	mostTaxpayerID  = 32
)

// Enterprise is a company as its business licence names it. Two that are equal
// are the same: both fields are kept in their normal form.
type Enterprise struct {
	Company    string
	TaxpayerID string
}

// IsZero reports that there is none.
func (e Enterprise) IsZero() bool { return e == Enterprise{} }

// NormalEnterprise checks a company's name and taxpayer ID and gives the form
// in which they are compared: single spaces, and the ID in capitals without
// any.
func NormalEnterprise(company, taxpayerID string) (Enterprise, error) {
	var list fault.Fields
	e := Enterprise{Company: strings.Join(strings.Fields(company), " ")}
	if n := utf8.RuneCountInString(e.Company); n == 0 || n > maxText || !utf8.ValidString(e.Company) || strings.ContainsFunc(e.Company, unicode.IsControl) {
		list = append(list, ErrEnterpriseName.On("company"))
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(taxpayerID) {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		case r == ' ', r == '-':
		default:
			b.WriteString(strings.Repeat("?", mostTaxpayerID+1)) // nothing that has it is one
		}
	}
	if e.TaxpayerID = b.String(); len(e.TaxpayerID) < leastTaxpayerID || len(e.TaxpayerID) > mostTaxpayerID {
		list = append(list, ErrTaxpayerID.On("taxpayer_id"))
	}
	return e, list.OrNil()
}

// SameEnterprise reports whether both accounts are certified for one and the
// same company, as re-binding a workspace from one to the other asks (domain
// section 13).
func (a Billing) SameEnterprise(b Billing) bool {
	return !a.Enterprise.IsZero() && a.Enterprise == b.Enterprise
}

// CertificationState is how far a certification came.
type CertificationState string

// The states. Of all that an account ever submitted, one at most is submitted.
const (
	CertificationNone      CertificationState = "none"      // nothing was submitted
	CertificationSubmitted CertificationState = "submitted" // the operator looks at it
	CertificationCertified CertificationState = "certified" // the operator found it true
	CertificationRejected  CertificationState = "rejected"  // the operator did not, and says why
	CertificationReplaced  CertificationState = "replaced"  // the holder submitted another one before it was decided
)

// CertificationStates lists those that something submitted can have.
func CertificationStates() []CertificationState {
	return []CertificationState{CertificationSubmitted, CertificationCertified, CertificationRejected, CertificationReplaced}
}

// nextCertification says what may become of a state.
var nextCertification = map[CertificationState][]CertificationState{
	CertificationSubmitted: {CertificationCertified, CertificationRejected, CertificationReplaced},
}

// May reports whether the state may become the other one.
func (s CertificationState) May(next CertificationState) bool {
	return slices.Contains(nextCertification[s], next)
}

// Certification is a company's name and taxpayer ID as an account submitted
// them, and what became of that. An account that is certified stays so, as it
// was, until the operator certifies what it submitted anew.
type Certification struct {
	ID          string
	AccountID   string
	Enterprise  Enterprise
	ScanID      string // of the business licence; empty when none was sent
	State       CertificationState
	SubmittedAt time.Time
	DecidedBy   string
	DecidedAt   time.Time
	Reason      string // of a rejection
}

// Decide gives the certification its outcome.
func (c Certification) Decide(to CertificationState, by, reason string, at time.Time) (Certification, error) {
	if !c.State.May(to) {
		return c, ErrCertificationDecided
	}
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); to == CertificationRejected && (n == 0 || n > maxText || !utf8.ValidString(reason)) {
		return c, ErrCertificationReason.On("reason")
	}
	c.State, c.DecidedBy, c.DecidedAt = to, by, at
	if to == CertificationRejected {
		c.Reason = reason
	}
	return c, nil
}

// CertificationDecided happens when the operator certified or rejected.
type CertificationDecided struct {
	Certification Certification
	Certified     Enterprise // that the account was certified for before; zero for none
	UserName      string
	Email         string
	Language      string
	Currency      money.Currency
}

// Deciding is the operator's word on a certification.
type Deciding struct {
	CertificationID string
	To              CertificationState
	Reason          string // of a rejection
	Operator        string
	Address         string
}

// CertificationTx is what certification needs of a transaction.
type CertificationTx interface {
	BillingByID(ctx context.Context, id string) (Billing, error)
	// InsertAttachment keeps a file.
	InsertAttachment(ctx context.Context, f attachment.File) error
	// ReplaceCertification ends what the account submitted and nobody decided.
	ReplaceCertification(ctx context.Context, accountID string, at time.Time) error
	// InsertCertification keeps a submitted one; there is one of an account at
	// most, else ErrCertificationDecided.
	InsertCertification(ctx context.Context, c Certification) error
	// CertificationForUpdate finds one, kept from other writers, or ErrCertificationUnknown.
	CertificationForUpdate(ctx context.Context, id string) (Certification, error)
	// DecideCertification keeps the outcome of one that is still submitted,
	// else ErrCertificationDecided.
	DecideCertification(ctx context.Context, c Certification) error
	// SetEnterprise keeps what the account is certified for.
	SetEnterprise(ctx context.Context, accountID string, e Enterprise) error
	Audit(ctx context.Context, e audit.Entry) error
	Announce(ctx context.Context, event any) error
}

// SubmitCertification asks the operator to certify the account's company. What
// waited for a decision is replaced. The scan of the licence may be left out.
func SubmitCertification(ctx context.Context, tx CertificationTx, accountID string, e Enterprise, scan attachment.Sent, address string, at time.Time) (Certification, error) {
	var list fault.Fields
	e, err := NormalEnterprise(e.Company, e.TaxpayerID)
	errors.As(err, &list)
	var file attachment.File
	if !scan.None() {
		if file, err = scan.Take(at); err != nil {
			list = append(list, fault.From(err).On("scan"))
		}
	}
	if err := list.OrNil(); err != nil {
		return Certification{}, err
	}
	a, err := tx.BillingByID(ctx, accountID)
	if err != nil {
		return Certification{}, err
	}
	if a.Enterprise == e {
		return Certification{}, ErrCertifiedAlready
	}
	c := Certification{
		ID: id.New(id.Certification), AccountID: a.ID, Enterprise: e, ScanID: file.ID,
		State: CertificationSubmitted, SubmittedAt: at,
	}
	if file.ID != "" {
		if err := tx.InsertAttachment(ctx, file); err != nil {
			return c, err
		}
	}
	if err := tx.ReplaceCertification(ctx, a.ID, at); err != nil {
		return c, err
	}
	if err := tx.InsertCertification(ctx, c); err != nil {
		return c, err
	}
	return c, tx.Audit(ctx, audit.Entry{At: at, Actor: a.ID, Address: address, Action: "certification.submitted", Subject: a.ID, Detail: c.detail(a.Enterprise)})
}

// DecideCertification certifies or rejects what an account submitted. What was
// decided that way before stays as it is.
func DecideCertification(ctx context.Context, tx CertificationTx, d Deciding, at time.Time) (Certification, error) {
	before, err := tx.CertificationForUpdate(ctx, d.CertificationID)
	if err != nil || before.State == d.To {
		return before, err
	}
	c, err := before.Decide(d.To, d.Operator, d.Reason, at)
	if err != nil {
		return c, err
	}
	a, err := tx.BillingByID(ctx, c.AccountID)
	if err != nil {
		return c, err
	}
	if err := tx.DecideCertification(ctx, c); err != nil {
		return c, err
	}
	if c.State == CertificationCertified {
		if err := tx.SetEnterprise(ctx, a.ID, c.Enterprise); err != nil {
			return c, err
		}
	}
	entry := audit.Entry{At: at, Actor: d.Operator, Address: d.Address, Action: "certification." + string(c.State), Subject: a.ID, Detail: c.detail(a.Enterprise)}
	if err := tx.Audit(ctx, entry); err != nil {
		return c, err
	}
	return c, tx.Announce(ctx, CertificationDecided{
		Certification: c, Certified: a.Enterprise, UserName: a.UserName, Email: a.Email, Language: a.Language, Currency: a.Currency,
	})
}

// detail is what the audit log keeps: what the account was certified for, and
// what this says.
func (c Certification) detail(was Enterprise) map[string]string {
	d := map[string]string{
		"certification": c.ID, "state": string(c.State), "company": c.Enterprise.Company, "taxpayer_id": c.Enterprise.TaxpayerID,
	}
	if !was.IsZero() {
		d["company"], d["taxpayer_id"] = was.Company+" -> "+c.Enterprise.Company, was.TaxpayerID+" -> "+c.Enterprise.TaxpayerID
	}
	if c.Reason != "" {
		d["reason"] = c.Reason
	}
	return d
}

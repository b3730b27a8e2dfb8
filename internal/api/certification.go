package api

import (
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
)

// certifications are the calls of enterprise certification.
func (s *server) certifications() []route {
	const own, all = "/billing-center/certification", "/operator/certifications"
	return []route{
		reads(line(get, own, BillingCenter, "", "show-certification", "The company that the account is certified for, and what it submitted last"), showCertification),
		wide(writes(line(post, own, BillingCenter, "", "submit-certification", "Submit a company's name and taxpayer ID for certification"), created, submitCertification)),
		reads(onDuty(get, all, account.Look, "list-certifications", "Certifications that wait for a decision, the longest waiting first"), listCertifications),
		reads(onDuty(get, all+"/{certification_id}/scan", account.CertifyAccounts, "show-certification-scan", "The scan of the licence that came with a certification"), showScan),
		writes(onDuty(post, all+"/{certification_id}/decision", account.CertifyAccounts, "decide-certification", "Certify or reject; decided the same way again, nothing happens"), ok, decideCertification),
	}
}

// Enterprise is a company as its business licence names it.
type Enterprise struct {
	Company    string `json:"company" example:"Acme Ltd"`
	TaxpayerID string `json:"taxpayer_id" example:"91330100MA27XXXX1A"`
}

// CertificationStanding is what an account is certified for, and what it
// submitted last.
type CertificationStanding struct {
	Certified *Enterprise    `json:"certified,omitempty" doc:"Missing while the account is certified for none."`
	Latest    *Certification `json:"latest,omitempty" doc:"Missing when nothing was submitted."`
}

// Certification is what an account submitted, and what became of it.
type Certification struct {
	ID          string     `json:"id"`
	AccountID   string     `json:"account_id"`
	Company     string     `json:"company"`
	TaxpayerID  string     `json:"taxpayer_id"`
	Scan        bool       `json:"scan" doc:"Whether a scan of the licence came with it."`
	State       string     `json:"state" enum:"submitted,certified,rejected,replaced"`
	SubmittedAt time.Time  `json:"submitted_at"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
	Reason      string     `json:"reason,omitempty" doc:"Of a rejection."`
}

// utc is an optional instant: nil for the zero time.
func utc(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

func certificationOf(c account.Certification) Certification {
	return Certification{
		ID: c.ID, AccountID: c.AccountID, Company: c.Enterprise.Company, TaxpayerID: c.Enterprise.TaxpayerID, Scan: c.ScanID != "",
		State: string(c.State), SubmittedAt: c.SubmittedAt.UTC(), DecidedAt: utc(c.DecidedAt), Reason: c.Reason,
	}
}

func showCertification(c *call, _ *nothing) (*CertificationStanding, error) {
	shown := &CertificationStanding{}
	if e := c.Billing.Enterprise; !e.IsZero() {
		shown.Certified = &Enterprise{e.Company, e.TaxpayerID}
	}
	all, err := c.tx.CertificationsOf(c, c.AccountID, 1)
	if len(all) > 0 {
		latest := certificationOf(all[0])
		shown.Latest = &latest
	}
	return shown, err
}

// File is a PDF, PNG or JPEG of at most 5 MB.
type File struct {
	Name    string `json:"name" maxLength:"512" example:"licence.pdf"`
	Type    string `json:"type,omitempty" readOnly:"true" doc:"Found out from its content." example:"application/pdf"`
	Content []byte `json:"content" doc:"In base64."`
}

// sent is the file as it came in; none gives the zero value.
func (f *File) sent() attachment.Sent {
	if f == nil {
		return attachment.Sent{}
	}
	return attachment.Sent{Name: f.Name, Content: f.Content}
}

func fileOf(f attachment.File) *File { return &File{f.Name, string(f.Type), f.Content} }

// certifying is a company submitted for certification.
type certifying struct {
	Body struct {
		Company    string `json:"company" maxLength:"1024" example:"Acme Ltd"`
		TaxpayerID string `json:"taxpayer_id" maxLength:"64" example:"91330100MA27XXXX1A"`
		Scan       *File  `json:"scan,omitempty" doc:"Of the business licence."`
	}
}

func submitCertification(c *call, in *certifying) (*Certification, error) {
	e := account.Enterprise{Company: in.Body.Company, TaxpayerID: in.Body.TaxpayerID}
	made, err := account.SubmitCertification(c, c.tx, c.AccountID, e, in.Body.Scan.sent(), c.Address, c.at)
	shown := certificationOf(made)
	return &shown, err
}

func listCertifications(c *call, in *struct{ Paged }) (*Page[Certification], error) {
	place, err := in.after("certifications")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.CertificationQueue(c, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "certifications", all, func(x account.Certification) string { return x.ID }, certificationOf), nil
}

// certificationIn names a certification.
type certificationIn struct {
	CertificationID string `path:"certification_id" maxLength:"64"`
}

func showScan(c *call, in *certificationIn) (*File, error) {
	of, err := c.tx.CertificationForUpdate(c, in.CertificationID)
	if err != nil {
		return nil, err
	}
	f, err := c.tx.Attachment(c, of.ScanID)
	if err != nil {
		return nil, err
	}
	return fileOf(f), nil
}

// certificationDecision is the operator's word.
type certificationDecision struct {
	CertificationID string `path:"certification_id" maxLength:"64"`
	Body            struct {
		State  string `json:"state" enum:"certified,rejected"`
		Reason string `json:"reason,omitempty" maxLength:"1024" doc:"Of a rejection: the payer reads it."`
	}
}

func decideCertification(c *call, in *certificationDecision) (*Certification, error) {
	made, err := account.DecideCertification(c, c.tx, account.Deciding{
		CertificationID: in.CertificationID, To: account.CertificationState(in.Body.State), Reason: in.Body.Reason, Operator: c.AccountID, Address: c.Address,
	}, c.at)
	shown := certificationOf(made)
	return &shown, err
}

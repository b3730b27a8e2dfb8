package client

import (
	"context"
	"net/http"
	"time"
)

// Enterprise is a company as its business licence names it.
type Enterprise struct {
	Company    string `json:"company"`
	TaxpayerID string `json:"taxpayer_id"`
}

// CertificationStanding is what an account is certified for, and what it
// submitted last; each is nil where there is none.
type CertificationStanding struct {
	Certified *Enterprise    `json:"certified"`
	Latest    *Certification `json:"latest"`
}

// Certification is what an account submitted: submitted, certified, rejected
// or replaced.
type Certification struct {
	ID          string     `json:"id"`
	AccountID   string     `json:"account_id"`
	Company     string     `json:"company"`
	TaxpayerID  string     `json:"taxpayer_id"`
	Scan        bool       `json:"scan"`
	State       string     `json:"state"`
	SubmittedAt time.Time  `json:"submitted_at"`
	DecidedAt   *time.Time `json:"decided_at"`
	Reason      string     `json:"reason"`
}

// File is a PDF, PNG or JPEG of at most 5 MB. Its type is found out from its
// content.
type File struct {
	Name    string `json:"name"`
	Type    string `json:"type,omitempty"`
	Content []byte `json:"content"`
}

// Certification is what the account is certified for.
func (b *BillingCenter) Certification(ctx context.Context) (CertificationStanding, error) {
	return ask[CertificationStanding](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/certification"})
}

// SubmitCertification submits a company, with a scan of its licence or nil.
func (b *BillingCenter) SubmitCertification(ctx context.Context, e Enterprise, scan *File) (Certification, error) {
	body := struct {
		Enterprise
		Scan *File `json:"scan,omitempty"`
	}{e, scan}
	return ask[Certification](ctx, b.door, request{method: http.MethodPost, path: "/billing-center/certification", body: body})
}

// Certifications lists those that wait for a decision, the longest waiting
// first.
func (o *Operator) Certifications(ctx context.Context, p Page) (List[Certification], error) {
	return ask[List[Certification]](ctx, o.door, request{method: http.MethodGet, path: "/operator/certifications", query: p.query()})
}

// CertificationScan is the scan of the licence that came with a certification.
func (o *Operator) CertificationScan(ctx context.Context, id string) (File, error) {
	return ask[File](ctx, o.door, request{method: http.MethodGet, path: path("operator", "certifications", id, "scan")})
}

// DecideCertification certifies or rejects, the latter with a reason.
func (o *Operator) DecideCertification(ctx context.Context, id, state, reason string) (Certification, error) {
	body := map[string]string{"state": state}
	if reason != "" {
		body["reason"] = reason
	}
	return ask[Certification](ctx, o.door, request{method: http.MethodPost, path: path("operator", "certifications", id, "decision"), body: body})
}

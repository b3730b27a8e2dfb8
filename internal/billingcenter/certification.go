package billingcenter

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// certificationsShown bounds the list of what an account submitted.
const certificationsShown = 50

const certificationPath = Prefix + "/certification"

// Certification is the page on which an account has its company certified.
type Certification struct {
	Frame   web.Frame
	Form    *web.Form
	Account account.Billing
	Zone    *time.Location
	Latest  account.Certification   // zero when nothing was submitted
	All     []account.Certification // the newest first
}

// certifications are the routes of certification.
func (b *Console) certifications() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: certificationPath, Needs: web.SignedIn, Handler: b.certificationPage},
		{Method: http.MethodPost, Pattern: certificationPath, Needs: web.SignedIn, Handler: b.submitCertification},
		{Method: http.MethodGet, Pattern: certificationPath + "/{certification}/scan", Needs: web.SignedIn, Handler: b.certificationScan},
	}
}

func (b *Console) certificationPage(w http.ResponseWriter, r *http.Request) error {
	e := payer(r.Context()).Enterprise
	return b.showCertification(w, r, web.Blank("company", e.Company, "taxpayer_id", e.TaxpayerID))
}

func (b *Console) showCertification(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Certification{Frame: b.frame(r, web.T(ctx, "certification.title"), "account"), Form: form, Account: a, Zone: zoneOf(a.Currency)}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.All, err = tx.CertificationsOf(ctx, a.ID, certificationsShown)
		return err
	})
	if err != nil {
		return err
	}
	if len(page.All) > 0 {
		page.Latest = page.All[0]
	}
	return web.Render(w, r, form.Status(), certificationPage(page))
}

func (b *Console) submitCertification(w http.ResponseWriter, r *http.Request) error {
	form, scan, err := web.ParseUpload(w, r, "scan")
	if err != nil {
		return err
	}
	ctx := r.Context()
	e := account.Enterprise{Company: form.Text("company"), TaxpayerID: form.Text("taxpayer_id")}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := account.SubmitCertification(ctx, tx, payer(ctx).ID, e, scan, web.Address(r), b.Now())
		return err
	})
	if form.Refused(err) {
		return b.showCertification(w, r, form)
	}
	if err != nil {
		return err
	}
	b.say(ctx, "certification.said")
	return web.SeeOther(w, r, certificationPath)
}

func (b *Console) certificationScan(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var f attachment.File
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		c, err := tx.CertificationOf(ctx, payer(ctx).ID, r.PathValue("certification"))
		if err == nil {
			f, err = tx.Attachment(ctx, c.ScanID)
		}
		return err
	})
	if err != nil {
		return err
	}
	return web.SendFile(w, f)
}

// state is what the account's certification is now, and how that is shown.
func (p Certification) state() account.CertificationState {
	switch {
	case p.Latest.State == account.CertificationSubmitted, p.Latest.State == account.CertificationRejected:
		return p.Latest.State
	case !p.Account.Enterprise.IsZero():
		return account.CertificationCertified
	}
	return account.CertificationNone
}

// standing is the sentence on the account's certification.
func (p Certification) standing(ctx context.Context) web.Notice {
	certified := p.Account.Enterprise.Company
	switch p.state() {
	case account.CertificationSubmitted:
		n := web.Notice{Tone: web.Accent, Title: web.T(ctx, "certification.submitted_title"), Text: web.T(ctx, "certification.submitted_text", "company", p.Latest.Enterprise.Company)}
		if certified != "" {
			n.Text += " " + web.T(ctx, "certification.still", "company", certified)
		}
		return n
	case account.CertificationRejected:
		n := web.Notice{Tone: web.Bad, Title: web.T(ctx, "certification.rejected_title"), Text: web.T(ctx, "certification.rejected_text", "reason", p.Latest.Reason)}
		if certified != "" {
			n.Text += " " + web.T(ctx, "certification.still", "company", certified)
		}
		return n
	case account.CertificationCertified:
		return web.Notice{Tone: web.Good, Title: web.T(ctx, "certification.certified_title"), Text: web.T(ctx, "certification.certified_text", "company", certified, "taxpayer_id", p.Account.Enterprise.TaxpayerID)}
	}
	return web.Notice{Tone: web.Warn, Title: web.T(ctx, "certification.none_title"), Text: web.T(ctx, "certification.none_text")}
}

// button is what the form's button says.
func (p Certification) button(ctx context.Context) string {
	switch p.state() {
	case account.CertificationSubmitted:
		return web.T(ctx, "certification.replace_do")
	case account.CertificationCertified:
		return web.T(ctx, "certification.change_do")
	}
	return web.T(ctx, "certification.submit_do")
}

func certificationTone(s account.CertificationState) web.Tone {
	switch s {
	case account.CertificationCertified:
		return web.Good
	case account.CertificationRejected:
		return web.Bad
	case account.CertificationSubmitted:
		return web.Warn
	}
	return web.Plain
}

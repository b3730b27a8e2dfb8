package operator

import (
	"context"
	"net/http"
	"net/url"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

const certificationsPath = Prefix + "/certifications"

// certificationsShown bounds the lists of the page.
const certificationsShown = 100

// CertificationRow is a certification with its account.
type CertificationRow struct {
	account.Certification
	Account account.Billing
}

// Certifications is what waits to be certified, and what was decided lately.
type Certifications struct {
	Frame   web.Frame
	Waiting []CertificationRow
	Decided []CertificationRow
	Pager   web.Pager
}

// CertificationView is one certification, to be decided.
type CertificationView struct {
	Frame   web.Frame
	Form    *web.Form
	Row     CertificationRow
	Decider string
	Scan    attachment.File // without its content; zero when none was sent
	Others  []account.Certification
}

// certifications are the routes of certification.
func (o *Console) certifications() []web.Route {
	const one = certificationsPath + "/{certification}"
	return []web.Route{
		{Method: http.MethodGet, Pattern: certificationsPath, Needs: needs(account.Look), Handler: o.certificationsPage},
		{Method: http.MethodGet, Pattern: one, Needs: needs(account.Look), Handler: o.certificationPage},
		{Method: http.MethodGet, Pattern: one + "/scan", Needs: needs(account.CertifyAccounts), Handler: o.certificationScan},
		{Method: http.MethodPost, Pattern: one + "/certify", Needs: needs(account.CertifyAccounts), Handler: o.certify},
		{Method: http.MethodPost, Pattern: one + "/reject", Needs: needs(account.CertifyAccounts), Handler: o.rejectCertification},
	}
}

func (o *Console) certificationsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Certifications{Frame: o.frame(r, web.T(ctx, "op.nav.certifications"), "certifications")}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		waiting, err := tx.CertificationQueue(ctx, r.URL.Query().Get("after"), certificationsShown)
		if err != nil {
			return err
		}
		if n := len(waiting); n == certificationsShown {
			page.Pager.Older = certificationsPath + "?" + url.Values{"after": {waiting[n-1].ID}}.Encode()
		}
		decided, err := tx.CertificationsDecided(ctx, certificationsShown)
		if err != nil {
			return err
		}
		if page.Waiting, err = withAccounts(ctx, tx, waiting); err != nil {
			return err
		}
		page.Decided, err = withAccounts(ctx, tx, decided)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, certificationsPage(page))
}

func withAccounts(ctx context.Context, tx *store.Tx, list []account.Certification) ([]CertificationRow, error) {
	rows := make([]CertificationRow, len(list))
	for i, c := range list {
		a, err := tx.BillingByID(ctx, c.AccountID)
		if err != nil {
			return nil, err
		}
		rows[i] = CertificationRow{c, a}
	}
	return rows, nil
}

func (o *Console) certificationPage(w http.ResponseWriter, r *http.Request) error {
	return o.showCertification(w, r, web.Blank())
}

func (o *Console) showCertification(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := CertificationView{Frame: o.frame(r, web.T(ctx, "op.certification.page"), "certifications"), Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		c, err := tx.CertificationForUpdate(ctx, r.PathValue("certification"))
		if err != nil {
			return err
		}
		rows, err := withAccounts(ctx, tx, []account.Certification{c})
		if err != nil {
			return err
		}
		page.Row = rows[0]
		if c.ScanID != "" {
			if page.Scan, err = tx.Attachment(ctx, c.ScanID); err != nil {
				return err
			}
		}
		if c.DecidedBy != "" && c.DecidedBy != c.AccountID {
			by, err := tx.OperatorByID(ctx, c.DecidedBy)
			if err != nil {
				return err
			}
			page.Decider = by.Name
		}
		page.Others, err = tx.CertificationsOf(ctx, c.AccountID, certificationsShown)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), certificationPage(page))
}

func (o *Console) certificationScan(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var f attachment.File
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		c, err := tx.CertificationForUpdate(ctx, r.PathValue("certification"))
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

func (o *Console) certify(w http.ResponseWriter, r *http.Request) error {
	return o.decideCertification(w, r, account.CertificationCertified, "op.said.certified")
}

func (o *Console) rejectCertification(w http.ResponseWriter, r *http.Request) error {
	return o.decideCertification(w, r, account.CertificationRejected, "op.said.not_certified")
}

func (o *Console) decideCertification(w http.ResponseWriter, r *http.Request, to account.CertificationState, said string) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	d := account.Deciding{
		CertificationID: r.PathValue("certification"), To: to, Reason: form.Text("reason"), Operator: operator(ctx).ID, Address: web.Address(r),
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := account.DecideCertification(ctx, tx, d, o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.showCertification(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, said)
	return web.SeeOther(w, r, certificationsPath+"/"+url.PathEscape(d.CertificationID))
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

// certified is what an account is certified for, for a list of facts.
func certified(a account.Billing) (name, note string) {
	if a.Enterprise.IsZero() {
		return "–", ""
	}
	return a.Enterprise.Company, a.Enterprise.TaxpayerID
}

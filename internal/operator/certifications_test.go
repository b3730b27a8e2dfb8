package operator

import (
	"context"
	"net/http"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestCertificationGallery(t *testing.T) {
	t.Parallel()
	licensed := account.Enterprise{Company: "杭州示例电子商务有限公司", TaxpayerID: "91330100MA27XXXX1A"}
	row := func(state account.CertificationState, scan, reason string) CertificationRow {
		return CertificationRow{account.Certification{ID: "cert_" + string(state), AccountID: acme.ID, Enterprise: licensed, ScanID: scan, State: state, SubmittedAt: noon, Reason: reason}, acme}
	}
	waiting, rejected := row(account.CertificationSubmitted, "attc_1", ""), row(account.CertificationRejected, "", "The scan is of another company.")
	view := func(r CertificationRow, form *web.Form, by string) page {
		return func(ctx context.Context) templ.Component {
			return certificationPage(CertificationView{
				Frame: frame(ctx, "Certification", "certifications"), Form: form, Row: r, Decider: by, Scan: attachment.File{Name: "营业执照.pdf"},
				Others: []account.Certification{r.Certification, rejected.Certification},
			})
		}
	}
	gallery.Check(t, asAdmin([]gallery.State{
		{Name: "operator/certifications-empty", Page: func(ctx context.Context) templ.Component {
			return certificationsPage(Certifications{Frame: frame(ctx, "Certifications", "certifications")})
		}},
		{Name: "operator/certifications", Page: func(ctx context.Context) templ.Component {
			return certificationsPage(Certifications{Frame: frame(ctx, "Certifications", "certifications"), Waiting: []CertificationRow{waiting}, Decided: []CertificationRow{row(account.CertificationCertified, "", ""), rejected}})
		}},
		{Name: "operator/certification", Page: view(waiting, refused(web.Blank(), account.ErrCertificationReason.On("reason")), "")},
		{Name: "operator/certification-rejected", Page: view(rejected, web.Blank(), "ops")},
	}))
}

func TestTheOperatorCertifiesWhatWaits(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/certifications").says("Nothing waits")
	submitted := func(company string) (c account.Certification) {
		h.write(func(ctx context.Context, tx *store.Tx) (err error) {
			e := account.Enterprise{Company: company, TaxpayerID: "9133"}
			c, err = account.SubmitCertification(ctx, tx, h.payer.ID, e, attachment.Sent{Name: "a.pdf", Content: []byte("%PDF-1")}, "", noon)
			return err
		})
		return c
	}
	c := submitted("Acme Ltd")
	h.get(http.StatusOK, "/certifications").says("Acme Ltd 9133 acme")
	h.get(http.StatusOK, "/certifications/"+c.ID).says("Certified for –")
	h.get(http.StatusOK, "/certifications/"+c.ID+"/scan")
	h.get(http.StatusNotFound, "/certifications/cert_none").refused("certification_unknown")
	h.post(http.StatusUnprocessableEntity, "/certifications/"+c.ID+"/reject", "reason", " ").refused("certification_reason")
	for range 2 {
		h.post(http.StatusOK, "/certifications/"+c.ID+"/certify").says("Certified for Acme Ltd")
	}
	h.post(http.StatusConflict, "/certifications/"+c.ID+"/reject", "reason", "too late").refused("certification_decided")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Certified for Acme Ltd 9133")
	second := submitted("Acme Group")
	h.post(http.StatusOK, "/certifications/"+second.ID+"/reject", "reason", "Not your company.").says("Not your company.")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Certified for Acme Ltd 9133")
	if got := h.log(h.payer.ID); len(got) != 4 || got[0] != "certification.rejected" || got[2] != "certification.certified" {
		t.Errorf("the log says %v", got)
	}
}

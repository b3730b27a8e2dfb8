package billingcenter

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestCertificationGallery(t *testing.T) {
	t.Parallel()
	licensed := account.Enterprise{Company: "杭州示例电子商务有限公司", TaxpayerID: "91330100MA27XXXX1A"}
	one := func(state account.CertificationState, reason string) account.Certification {
		return account.Certification{ID: "cert_1", AccountID: acme.ID, Enterprise: licensed, ScanID: "attc_1", State: state, SubmittedAt: noon, Reason: reason}
	}
	show := func(certified account.Enterprise, form *web.Form, all ...account.Certification) page {
		return func(ctx context.Context) templ.Component {
			p := Certification{Frame: frame(ctx, "Certification", "account"), Form: form, Account: acme, Zone: hangzhou, All: all}
			p.Account.Enterprise = certified
			if len(all) > 0 {
				p.Latest = all[0]
			}
			return certificationPage(p)
		}
	}
	was := account.Enterprise{Company: "杭州示例网络有限公司", TaxpayerID: "91330100MA27XXXX1A"}
	gallery.Check(t, []gallery.State{
		{Name: "billing-center/certification-none", Page: show(account.Enterprise{}, web.Blank())},
		{Name: "billing-center/certification-wrong", Page: show(account.Enterprise{}, refused(web.Blank("company", "", "taxpayer_id", "?"),
			account.ErrEnterpriseName.On("company"), account.ErrTaxpayerID.On("taxpayer_id"), attachment.ErrType.On("scan")))},
		{Name: "billing-center/certification-submitted", Page: show(was, web.Blank("company", was.Company), one(account.CertificationSubmitted, ""), one(account.CertificationReplaced, ""))},
		{Name: "billing-center/certification-rejected", Page: show(account.Enterprise{}, web.Blank(), one(account.CertificationRejected, "The scan is of another company."))},
		{Name: "billing-center/certification-certified", Page: show(licensed, web.Blank("company", licensed.Company, "taxpayer_id", licensed.TaxpayerID), one(account.CertificationCertified, ""))},
	})
}

// upload posts a form with a file, as a browser without script does.
func (v *visitor) upload(want int, path, field, name string, content []byte, pairs ...string) answer {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := form.WriteField(pairs[i], pairs[i+1]); err != nil {
			v.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(field, name)
	if err != nil {
		v.t.Fatal(err)
	}
	_, _ = part.Write(content)
	if err := form.Close(); err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.url+Prefix+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", v.url)
	return v.do(want, r)
}

// certify lets the operator decide on what waits of the account.
func (h *house) certify(a account.Billing, to account.CertificationState, reason string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		waiting, err := tx.CertificationsOf(ctx, a.ID, 1)
		if err != nil {
			return err
		}
		_, err = account.DecideCertification(ctx, tx, account.Deciding{CertificationID: waiting[0].ID, To: to, Reason: reason, Operator: "oper_1"}, h.clock.Now())
		return err
	})
}

func TestACompanyIsSubmittedWithItsLicence(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	v.get(http.StatusOK, "/certification").says("Not certified")
	picture := []byte("\x89PNG\r\n\x1a\n\x00\xff picture")
	page := v.upload(http.StatusUnprocessableEntity, "/certification", "scan", "licence.png", []byte("<script>"), "company", "", "taxpayer_id", "9133")
	page.refused("enterprise_name", "company")
	page.refused("file_type", "scan")
	if typed, _ := page.Find("#taxpayer_id").Attr("value"); typed != "9133" {
		t.Errorf("what was typed is lost: %q", typed)
	}
	v.upload(http.StatusUnprocessableEntity, "/certification", "scan", "a.pdf", append([]byte("%PDF-"), make([]byte, attachment.MaxBytes)...), "company", "Acme", "taxpayer_id", "9133").
		refused("file_too_large", "scan")
	page = v.upload(http.StatusOK, "/certification", "scan", "../licence.jpg", picture, "company", " Acme  Ltd", "taxpayer_id", "9133 0100").at("/certification")
	page.says("Being checked")
	page.says("Acme Ltd 91330100 Download")
	scan, _ := page.Find("td a").Attr("href")
	file := v.get(http.StatusOK, scan[len(Prefix):])
	if file.body != string(picture) || file.header.Get("Content-Type") != "image/png" || file.header.Get("Content-Disposition") != "attachment; filename=licence.png" {
		t.Errorf("the scan comes back as %q, %v", file.body, file.header)
	}
	rival := h.signedIn(h.payer("rival", money.CNY))
	rival.get(http.StatusNotFound, scan[len(Prefix):]).refused("certification_unknown", "")
	h.certify(a, account.CertificationRejected, "This is another company's licence.")
	h.clock.Advance(time.Minute)
	v.get(http.StatusOK, "/certification").says("The operator says: This is another company's licence.")
	v.post(http.StatusOK, "/certification", "company", "Acme Ltd", "taxpayer_id", "91330100")
	h.certify(a, account.CertificationCertified, "")
	h.clock.Advance(time.Minute)
	v.get(http.StatusOK, "/certification").says("This account is certified for Acme Ltd, taxpayer ID 91330100.")
	v.post(http.StatusConflict, "/certification", "company", "Acme Ltd", "taxpayer_id", "91330100").refused("certified_already", "")
	v.post(http.StatusOK, "/certification", "company", "Acme Group Ltd", "taxpayer_id", "91330100").says("The account stays certified for Acme Ltd.")
}

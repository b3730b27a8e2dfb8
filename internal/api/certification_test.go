package api_test

import (
	"bytes"
	"strings"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store/storetest"
)

func TestACompanyIsCertifiedByCalls(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	payer := h.asBilling(h.billing("acme", money.CNY))
	ops := h.client.Operator(h.session(api.Operator, h.operator().ID))
	ctx := t.Context()
	standing, err := payer.Certification(ctx)
	if must(t, standing, err).Certified != nil || standing.Latest != nil {
		t.Errorf("certified from the start: %+v", standing)
	}
	large := client.File{Name: "licence.pdf", Content: append([]byte("%PDF-"), bytes.Repeat([]byte{0xff}, attachment.MaxBytes-5)...)}
	one, err := payer.SubmitCertification(ctx, client.Enterprise{Company: "Acme  Ltd", TaxpayerID: "9133 0100"}, &large)
	if must(t, one, err).Company != "Acme Ltd" || one.TaxpayerID != "91330100" || !one.Scan || one.State != "submitted" {
		t.Errorf("submitted %+v", one)
	}
	scan, err := ops.CertificationScan(ctx, one.ID)
	if must(t, scan, err).Type != "application/pdf" || !bytes.Equal(scan.Content, large.Content) {
		t.Errorf("the scan comes back as %s of %d bytes", scan.Type, len(scan.Content))
	}
	_, err = ops.DecideCertification(ctx, one.ID, "rejected", "")
	refused(t, err, "certification_reason")
	two, err := payer.SubmitCertification(ctx, client.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100"}, nil)
	must(t, two, err)
	_, err = ops.DecideCertification(ctx, one.ID, "certified", "")
	refused(t, err, "certification_decided")
	waiting, err := ops.Certifications(ctx, client.Page{})
	if len(must(t, waiting, err).Items) != 1 || waiting.Items[0].ID != two.ID {
		t.Errorf("waiting are %+v", waiting.Items)
	}
	for range 2 {
		_, err = ops.DecideCertification(ctx, two.ID, "certified", "")
		must(t, two, err)
	}
	if standing, err = payer.Certification(ctx); must(t, standing, err).Certified == nil || *standing.Certified != (client.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100"}) {
		t.Errorf("certified for %+v", standing.Certified)
	}
	_, err = ops.CertificationScan(ctx, two.ID)
	refused(t, err, "file_unknown")
}

// TestOnlyACallThatTakesAFileTakesMore holds the bounds of bodies.
func TestOnlyACallThatTakesAFileTakesMore(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	in := h.session(api.BillingCenter, h.billing("acme", money.CNY).ID)
	body := `{"company":"Acme","taxpayer_id":"9133","scan":{"name":"a.pdf","content":"` + strings.Repeat("A", 100<<10) + `"}}`
	for name, c := range map[string]struct {
		as   client.Session
		sent raw
		code string
	}{
		"a file of nothing known":  {in, raw{method: "POST", path: "/billing-center/certification", body: body}, "file_type"},
		"signed out":               {client.Session{}, raw{method: "POST", path: "/billing-center/certification", body: body}, "body_too_large"},
		"another call":             {in, raw{method: "POST", path: "/billing-center/activations", body: body}, "body_too_large"},
		"beyond a file":            {in, raw{method: "POST", path: "/billing-center/certification", body: strings.Repeat(" ", 8<<20)}, "body_too_large"},
		"a file that is no base64": {in, raw{method: "POST", path: "/billing-center/certification", body: `{"company":"Acme","taxpayer_id":"9133","scan":{"name":"a.pdf","content":"?"}}`}, "field_invalid"},
	} {
		if a := h.send(c.as, c.sent); a.problem.Code != c.code {
			t.Errorf("%s: %d %s, want %s", name, a.status, a.problem.Code, c.code)
		}
	}
}

package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/account"
)

func TestAnEnterpriseHasANormalForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		company, taxpayer string
		want              account.Enterprise
		refused           []error
	}{
		"as typed":              {"Acme Ltd", "91330100MA27XXXX1A", account.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100MA27XXXX1A"}, nil},
		"spaces and small ones": {"  Acme \t Ltd ", "9133 0100-ma27 xxxx1a", account.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100MA27XXXX1A"}, nil},
		"chinese":               {"杭州示例科技有限公司", "9133", account.Enterprise{Company: "杭州示例科技有限公司", TaxpayerID: "9133"}, nil},
		"nothing":               {" ", "", account.Enterprise{}, []error{account.ErrEnterpriseName, account.ErrTaxpayerID}},
		"too long":              {strings.Repeat("长", 257), "913", account.Enterprise{}, []error{account.ErrEnterpriseName, account.ErrTaxpayerID}},
		"not a number":          {"Acme", "9133_0100", account.Enterprise{}, []error{account.ErrTaxpayerID}},
		"digits of elsewhere":   {"Acme", "９１３３", account.Enterprise{}, []error{account.ErrTaxpayerID}},
		"broken text":           {"Acme\xff", "9133", account.Enterprise{}, []error{account.ErrEnterpriseName}},
		"hidden characters":     {"Acme\x00Ltd", "9133", account.Enterprise{}, []error{account.ErrEnterpriseName}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := account.NormalEnterprise(c.company, c.taxpayer)
			if len(c.refused) == 0 && (err != nil || e != c.want) {
				t.Errorf("%+v, %v", e, err)
			}
			for _, want := range c.refused {
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
		})
	}
}

func TestTheNormalFormOfAnEnterpriseIsItsOwn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e, err := account.NormalEnterprise(rapid.String().Draw(t, "company"), rapid.StringMatching(`[ -]*[0-9a-zA-Z -]{4,20}`).Draw(t, "taxpayer"))
		if err != nil {
			return
		}
		if again, err := account.NormalEnterprise(e.Company, e.TaxpayerID); err != nil || again != e {
			t.Fatalf("%+v becomes %+v, %v", e, again, err)
		}
	})
}

func TestOnlyCertifiedAccountsAreOfOneEnterprise(t *testing.T) {
	t.Parallel()
	acme := account.Enterprise{Company: "Acme", TaxpayerID: "9133"}
	a, b, none := account.Billing{Enterprise: acme}, account.Billing{Enterprise: acme}, account.Billing{}
	other := account.Billing{Enterprise: account.Enterprise{Company: "Acme", TaxpayerID: "9134"}}
	if !a.SameEnterprise(b) || a.SameEnterprise(other) || a.SameEnterprise(none) || none.SameEnterprise(none) {
		t.Error("enterprises are mixed up")
	}
}

// TestACertificationIsDecidedOnce tries every outcome on every state.
func TestACertificationIsDecidedOnce(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	for _, from := range account.CertificationStates() {
		for _, to := range account.CertificationStates() {
			before := account.Certification{ID: "cert_1", State: from}
			c, err := before.Decide(to, "oper_1", " the scan is of another company ", at)
			may := from == account.CertificationSubmitted && to != account.CertificationSubmitted
			switch {
			case may && (err != nil || c.State != to || c.DecidedBy != "oper_1" || c.DecidedAt != at):
				t.Errorf("%s to %s: %+v, %v", from, to, c, err)
			case may && (c.Reason != "") != (to == account.CertificationRejected):
				t.Errorf("%s to %s keeps the reason %q", from, to, c.Reason)
			case !may && (!errors.Is(err, account.ErrCertificationDecided) || c != before):
				t.Errorf("%s to %s: %+v, %v", from, to, c, err)
			}
		}
	}
	waiting := account.Certification{State: account.CertificationSubmitted}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 257)} {
		if _, err := waiting.Decide(account.CertificationRejected, "oper_1", reason, at); !errors.Is(err, account.ErrCertificationReason) {
			t.Errorf("rejected because of %q: %v", reason, err)
		}
	}
}

package notify_test

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
)

// certificationOf is a decision on a company, of an account that was certified
// for another one or for none.
func certificationOf(language string, state account.CertificationState, was string) account.CertificationDecided {
	c := account.Certification{
		Enterprise: account.Enterprise{Company: "杭州示例科技有限公司 Acme", TaxpayerID: "91330100MA27XXXX1A"},
		State:      state, SubmittedAt: at.AddDate(0, 0, -1), DecidedAt: at,
	}
	if state == account.CertificationRejected {
		c.Reason = "The scan shows the licence of another company."
	}
	return account.CertificationDecided{
		Certification: c, Certified: account.Enterprise{Company: was}, UserName: "acme-billing", Email: "finance@example.com",
		Language: language, Currency: money.CNY,
	}
}

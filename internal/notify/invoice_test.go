package notify_test

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
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

// invoiceOf is a request that came to a state.
func invoiceOf(language string, state invoice.State, of invoice.Type) invoice.Moved {
	r := invoice.Request{
		ID: "invr_0123456789", Number: "IR-CNY-2026-000007", UserName: "acme-billing", Profile: invoice.Profile{Type: of, Title: "杭州示例科技有限公司"},
		Address: invoice.Address{Recipient: "Mei Li", Postal: "1 Example Road, Hangzhou", Email: "finance@example.com"},
		Lines:   make([]invoice.Line, 3), Total: money.MustParse("1250.80", money.CNY), State: state,
	}
	switch state {
	case invoice.Issued, invoice.Sent:
		r.TaxNumber, r.TaxDay = "26332000000012345678", period.MustParseDay("2026-03-01")
		if r.Delivery = "finance@example.com"; of.OnPaper() {
			r.Delivery = "SF 1234567890"
		}
	case invoice.Reversed:
		r.TaxNumber, r.TaxDay, r.Reason = "26332000000012345678", period.MustParseDay("2026-03-01"), "The title is wrong."
		r.Red = invoice.Red{Number: "RL-CNY-2026-000001", TaxNumber: "26332000000099999999", TaxDay: period.MustParseDay("2026-03-01")}
	case invoice.Rejected:
		r.Reason = "The bank account does not belong to the company."
	}
	return invoice.Moved{Request: r, Email: "finance@example.com", Language: language, At: at}
}

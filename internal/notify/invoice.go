package notify

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/invoice"
)

// certificationDecided tells the holder what became of a certification.
func certificationDecided(e account.CertificationDecided) []letter {
	c := e.Certification
	l := letter{kind: CertificationCertified, to: e.Email, language: e.Language, at: c.DecidedAt,
		words: map[string]any{"Company": c.Enterprise.Company, "Certified": e.Certified.Company},
		facts: []fact{{"billing_account", e.UserName}, {"company", c.Enterprise.Company}, {"taxpayer_id", c.Enterprise.TaxpayerID}}}
	if c.State == account.CertificationRejected {
		l.kind = CertificationRejected
		l.facts = append(l.facts, fact{"reason", c.Reason})
	}
	l.facts = append(l.facts, fact{"decided", billingTime(c.DecidedAt, e.Currency)})
	return []letter{l}
}

// InvoiceReversed is the mail about a red-letter invoice.
const InvoiceReversed Kind = "invoice_reversed"

// invoiceKinds are the mails of the states of a request.
var invoiceKinds = map[invoice.State]Kind{
	invoice.Requested: InvoiceRequested, invoice.Issued: InvoiceIssued, invoice.Sent: InvoiceSent,
	invoice.Rejected: InvoiceRejected, invoice.Withdrawn: InvoiceWithdrawn, invoice.Reversed: InvoiceReversed,
}

// invoiceTypes are the names of the types, as the consoles show them.
var invoiceTypes = map[string]map[invoice.Type]string{
	"en": {invoice.Ordinary: "Ordinary VAT invoice", invoice.Special: "Special VAT invoice", invoice.Electronic: "Electronic ordinary invoice"},
	"zh": {invoice.Ordinary: "增值税普通发票", invoice.Special: "增值税专用发票", invoice.Electronic: "电子普通发票"},
}

// invoiceMoved tells the payer where a request is now.
func invoiceMoved(e invoice.Moved) []letter {
	r := e.Request
	l := letter{kind: invoiceKinds[r.State], to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Number": r.Number, "Total": sum(r.Total), "Paper": r.Profile.Type.OnPaper(), "Lines": len(r.Lines)},
		facts: []fact{
			{"invoice_request", r.Number}, {"billing_account", r.UserName}, {"invoice_type", invoiceTypes[spoken(e.Language)][r.Profile.Type]},
			{"invoice_title", r.Profile.Title}, {"amount", sum(r.Total)},
		}}
	if r.TaxNumber != "" {
		l.facts = append(l.facts, fact{"tax_number", r.TaxNumber}, fact{"tax_day", r.TaxDay.String()})
	}
	switch {
	case r.State == invoice.Sent && r.Profile.Type.OnPaper():
		l.facts = append(l.facts, fact{"tracking", r.Delivery}, fact{"sent_to", r.Address.Recipient + ", " + r.Address.Postal})
	case r.State == invoice.Sent:
		l.facts = append(l.facts, fact{"sent_to", r.Delivery})
	case r.State == invoice.Reversed:
		l.facts = append(l.facts, fact{"red_number", r.Red.Number}, fact{"red_tax_number", r.Red.TaxNumber}, fact{"red_tax_day", r.Red.TaxDay.String()}, fact{"reason", r.Reason})
	case r.State == invoice.Rejected:
		l.facts = append(l.facts, fact{"reason", r.Reason})
	}
	return []letter{l}
}

package notify

import "tollgate.dev/internal/account"

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

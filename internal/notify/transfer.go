package notify

import (
	"net/url"

	"tollgate.dev/internal/wallet"
)

// TransferRejected is the mail about a bank transfer that was not credited
// (domain section 14 leaves it to us): who waits for money reads why.
const TransferRejected Kind = "transfer_rejected"

func transferRejected(e wallet.TransferRejected) []letter {
	t := e.Transfer
	return []letter{{kind: TransferRejected, to: e.Email, links: []link{{"transfer", inBilling("/recharge/" + url.PathEscape(t.ID))}}, language: e.Language, at: t.DecidedAt,
		words: map[string]any{"Amount": sum(t.Amount)},
		facts: []fact{
			{"billing_account", e.UserName}, {"amount", sum(t.Amount)}, {"reference", t.Reference},
			{"declared_at", billingTime(t.DeclaredAt, t.Amount.Currency())}, {"reason", t.Reason},
			{"decided", billingTime(t.DecidedAt, t.Amount.Currency())},
		}}}
}

// difference says that another amount arrived than the payer declared.
func difference(e wallet.CashCredited) []fact {
	if e.Difference == "" {
		return nil
	}
	return []fact{{"declared", sum(e.Declared)}, {"difference", e.Difference}}
}

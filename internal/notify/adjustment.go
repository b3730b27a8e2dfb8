package notify

import "tollgate.dev/internal/wallet"

// BalanceAdjusted is the mail about a correction of the account (domain
// section 14 leaves it to us): nothing changes without its holder knowing why.
const BalanceAdjusted Kind = "balance_adjusted"

func balanceAdjusted(e wallet.BalanceAdjusted) []letter {
	a := e.Adjustment
	amount, credit := a.Amount, a.Amount.Sign() > 0
	if !credit {
		amount = amount.Neg()
	}
	facts := []fact{{"billing_account", e.UserName}, {"adjusted", sum(a.Amount)}, {"reason", a.Reason}}
	if a.BillNumber != "" {
		facts = append(facts, fact{"adjusted_bill", a.BillNumber})
	}
	facts = append(facts, fact{"balance", sum(e.Cash)})
	if e.Owed.Sign() > 0 {
		facts = append(facts, fact{"owed", sum(e.Owed)})
	}
	facts = append(facts, fact{"adjusted_at", billingTime(a.DecidedAt, a.Amount.Currency())})
	return []letter{{kind: BalanceAdjusted, to: e.Email, language: e.Language, at: a.DecidedAt, facts: facts,
		words: map[string]any{"Amount": sum(amount), "Credit": credit, "Owed": e.Owed.Sign() > 0}}}
}

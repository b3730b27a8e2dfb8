package notify

import (
	"strconv"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// The kinds of mail about vouchers and cards (domain section 14 asks for them
// as our choice).
const (
	SourceGiven     Kind = "source_given"     // by the operator
	CardBought      Kind = "card_bought"      // for cash
	SourceActivated Kind = "source_activated" // by a code
	SourceExpiring  Kind = "source_expiring"  // within a week, with something left
	SourceLapsed    Kind = "source_lapsed"    // with something left
)

func sourceIssued(e wallet.SourceIssued) []letter {
	s := e.Source
	kind := map[wallet.Origin]Kind{wallet.Bought: CardBought, wallet.Activated: SourceActivated}[s.Origin]
	if kind == "" {
		kind = SourceGiven
	}
	facts := append([]fact{{"billing_account", e.UserName}}, sourceFacts(s)...)
	if s.Balance.Minor() < s.Face.Minor() { // a card fills arrears first
		debt := money.Of(s.Face.Minor()-s.Balance.Minor(), s.Face.Currency())
		facts = append(facts, fact{"paid_debt", sum(debt)})
	}
	facts = append(facts, fact{"valid", validity(s, e.Language)})
	if s.Tail != "" {
		facts = append(facts, fact{"code_tail", s.Tail})
	}
	if s.Reason != "" {
		facts = append(facts, fact{"reason", s.Reason})
	}
	if e.Earned.ID != "" {
		facts = append(facts, fact{"earned", sum(e.Earned.Face)}, fact{"earned_valid", validity(e.Earned, e.Language)})
	}
	facts = append(facts, fact{"issued", billingTime(e.IssuedAt, s.Face.Currency())})
	return []letter{{kind: kind, to: e.Email, language: e.Language, at: e.IssuedAt, facts: facts,
		words: map[string]any{"Face": sum(s.Face), "Payment": string(s.Payment), "Earned": e.Earned.ID != ""}}}
}

func sourcesExpiring(e wallet.SourcesExpiring) []letter {
	left, facts := int64(0), []fact{{"billing_account", e.UserName}}
	for _, s := range e.Sources {
		left += s.Balance.Minor()
		facts = append(facts, sourceFacts(s)...)
		facts = append(facts, fact{"left", sum(s.Balance)}, fact{"valid", validity(s, e.Language)})
	}
	first := e.Sources[0]
	return []letter{{kind: SourceExpiring, to: e.Email, language: e.Language, at: e.WarnedAt, facts: facts,
		words: map[string]any{"Left": sum(money.Of(left, first.Face.Currency())), "Count": strconv.Itoa(len(e.Sources)), "One": len(e.Sources) == 1,
			"Payment": string(first.Payment), "Valid": validity(first, e.Language)}}}
}

func sourceLapsed(e wallet.SourceLapsed) []letter {
	facts := append([]fact{{"billing_account", e.UserName}}, sourceFacts(e.Source)...)
	facts = append(facts, fact{"lapsed", sum(e.Left)}, fact{"valid", validity(e.Source, e.Language)})
	return []letter{{kind: SourceLapsed, to: e.Email, language: e.Language, at: e.LapsedAt, facts: facts,
		words: map[string]any{"Left": sum(e.Left), "Payment": string(e.Source.Payment)}}}
}

// sourceFacts say which voucher or card it is.
func sourceFacts(s wallet.Source) []fact {
	return []fact{{"source_" + string(s.Payment), s.ID}, {"face", sum(s.Face)}}
}

// validity is the last day on which a voucher or card holds, or the instant of
// its end where that lies within a day.
func validity(s wallet.Source, language string) string {
	if s.ExpiresAt.IsZero() {
		return map[string]string{"en": "without end", "zh": "长期有效"}[spoken(language)]
	}
	if day, ok := wallet.LastDay(s.ExpiresAt, wallet.Zone(s.Face.Currency())); ok {
		return day.String()
	}
	return billingTime(s.ExpiresAt, s.Face.Currency())
}

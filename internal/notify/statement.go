package notify

import (
	"strconv"

	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// statementIssued is mail 3: the month's total, what paid it, and what is owed
// and until when.
func statementIssued(e statement.Issued) []letter {
	s := e.Statement
	facts := []fact{
		{"statement", s.Number},
		{"month", s.Month.String()},
		{"billing_account", s.UserName},
		{"workspaces", strconv.Itoa(len(s.Workspaces))},
		{"bills", strconv.FormatInt(s.Bills, 10)},
		{"total", sum(s.Total)},
	}
	for _, kind := range wallet.Payments() {
		if a := s.Paid.By(kind); !a.IsZero() {
			facts = append(facts, fact{"by_" + string(kind), sum(a)})
		}
	}
	if s.Late.Bills > 0 {
		facts = append(facts, fact{"late", sum(s.Late.Total)})
	}
	if adjusted, err := s.Adjusted(); err == nil && len(s.Adjustments) > 0 { // checked when it was made
		facts = append(facts, fact{"adjusted", sum(adjusted)})
	}
	if s.Owed.Sign() > 0 {
		facts = append(facts, fact{"owed", sum(s.Owed)})
	}
	if !s.DueBy.IsZero() {
		facts = append(facts, fact{"due_by", s.DueBy.String()})
	}
	return []letter{{kind: StatementIssued, to: e.Email, language: e.Language, at: s.IssuedAt, facts: facts,
		words: map[string]any{"Month": s.Month.String(), "Total": sum(s.Total), "Owed": s.Owed.Sign() > 0}}}
}

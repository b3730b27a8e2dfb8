package invoice

import (
	"fmt"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
)

// Check looks for what a request holds that is not so: lines that do not sum
// to it, and months that are not what their statements say (I5).
func (r Request) Check(statements func(id string) (statement.Statement, error)) []audit.Finding {
	var found []audit.Finding
	find := func(format string, args ...any) {
		found = append(found, audit.Finding{Invariant: "I5", Subject: r.ID, Detail: fmt.Sprintf(format, args...)})
	}
	if err := r.Sums(); err != nil {
		find("the lines of %s do not sum to it", r.Number)
	}
	for _, l := range r.Lines {
		if l.Kind != Month {
			continue
		}
		s, err := statements(l.ItemID)
		switch {
		case err != nil || s.Payer != r.AccountID:
			find("%s is no statement of its account", l.ItemID)
		case l.Cash != s.Paid.Cash || l.Total != s.Total || l.Label != s.Number:
			find("it says %s of %s paid in cash, statement %s says %s of %s", l.Cash, l.Total, s.Number, s.Paid.Cash, s.Total)
		case more(l.Repaid, s.Paid.Owed):
			find("it says that %s was repaid, of statement %s only %s was owed", l.Repaid, s.Number, s.Paid.Owed)
		}
	}
	return found
}

// more reports whether one amount is more than the other, or cannot be
// compared with it.
func more(a, b money.Amount) bool {
	order, err := a.Cmp(b)
	return err != nil || order > 0
}

package statement

import (
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// Adjustment is a correction of what the account has, on a line of its own. It
// is no part of the total: that is what was billed, which no correction changes.
type Adjustment struct {
	ID       string
	Reason   string
	Bill     string // the number of the bill that it corrects; empty for none
	BookedAt time.Time
	Amount   money.Amount // above zero in the payer's favour
}

// adjusted are the statement's lines of adjustments.
func adjusted(list []wallet.Adjustment) []Adjustment {
	var lines []Adjustment
	for _, a := range list {
		lines = append(lines, Adjustment{a.ID, a.Reason, a.BillNumber, a.DecidedAt, a.Amount})
	}
	return lines
}

// Adjusted is the sum of the adjustments: above zero in the payer's favour.
func (s Statement) Adjusted() (money.Amount, error) {
	sum := money.Of(0, s.Currency)
	var err error
	for _, a := range s.Adjustments {
		if sum, err = sum.Add(a.Amount); err != nil {
			return sum, ErrUnsummed.With("statement", s.ID).Because(err)
		}
	}
	return sum, nil
}

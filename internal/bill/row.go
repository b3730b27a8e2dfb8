package bill

import (
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// LongestRange is how many days bills can be read of at once, and MostTallied
// how many bills can be summed.
const (
	LongestRange = 400
	MostTallied  = 100_000
)

// Faults of sums.
var (
	ErrTallyLarge = fault.New(fault.Conflict, "summary_too_large", "These are too many bills for one sum.").
			Says("These are more than %d bills. Ask for fewer days, or for one workspace.", MostTallied).With("most", MostTallied)
	ErrCurrencies = fault.New(fault.Conflict, "currencies_differ", "The bills of these days are in more than one currency. Say which one to sum.")
)

// Deducted is what was taken for the line from what it was paid with.
func (l Line) Deducted() (money.Amount, error) { return l.Amount.Sub(l.Paid.Owed) }

// Tally sums the lines of many bills of one currency by item.
type Tally struct {
	Currency money.Currency // of the first bill, where none was asked for
	Bills    int
	Total    money.Amount
	Paid     Paid
	Items    map[string]money.Amount
}

// NewTally sums bills of that currency only; empty takes the one that the
// bills have, which must be one.
func NewTally(c money.Currency) *Tally {
	return &Tally{Currency: c, Total: money.Of(0, c), Paid: nothing(c), Items: map[string]money.Amount{}}
}

// Add sums one more bill.
func (t *Tally) Add(b Bill) error {
	if t.Currency == "" {
		*t = *NewTally(b.Market.Currency)
	}
	if b.Market.Currency != t.Currency {
		return ErrCurrencies.On("currency").With("first", string(t.Currency)).With("other", string(b.Market.Currency))
	}
	if t.Bills == MostTallied {
		return ErrTallyLarge
	}
	t.Bills++
	for _, l := range b.Lines {
		sum, ok := t.Items[l.Item]
		if !ok {
			sum = money.Of(0, t.Currency)
		}
		sum, err := sum.Add(l.Amount)
		if err != nil {
			return err
		}
		t.Items[l.Item] = sum
	}
	for _, kind := range wallet.Payments() {
		if err := t.Paid.add(kind, b.Paid.By(kind)); err != nil {
			return err
		}
	}
	var err error
	t.Total, err = t.Total.Add(b.Total)
	return err
}

package bill

import (
	"errors"
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/rate"
)

// costing is a bill of one line that nothing paid.
func costing(item, amount string, c money.Currency) Bill {
	a := money.MustParse(amount, c)
	paid := nothing(c)
	paid.Owed = a
	line := Line{Line: rate.Line{Item: item, Amount: a}, Paid: paid}
	return Bill{Market: catalog.Market{Currency: c}, Lines: []Line{line}, Total: a, Paid: paid}
}

func TestATallyIsTheSumOfItsBills(t *testing.T) {
	t.Parallel()
	tally := NewTally("")
	for _, b := range []Bill{costing("logs", "1.10", money.CNY), costing("sms", "0.05", money.CNY), costing("logs", "2.25", money.CNY)} {
		if err := tally.Add(b); err != nil {
			t.Fatal(err)
		}
	}
	if tally.Bills != 3 || tally.Currency != money.CNY || tally.Total.String() != "3.40" || tally.Paid.Owed.String() != "3.40" ||
		tally.Items["logs"].String() != "3.35" || tally.Items["sms"].String() != "0.05" {
		t.Errorf("tally %+v", tally)
	}
}

func TestATallyMixesNoCurrencies(t *testing.T) {
	t.Parallel()
	tally := NewTally("")
	err := errors.Join(tally.Add(costing("logs", "1", money.CNY)), tally.Add(costing("logs", "1", money.USD)))
	if f := fault.From(err); !errors.Is(err, ErrCurrencies) || f.Field != "currency" || tally.Total.String() != "1.00" {
		t.Errorf("got %v, and %s", err, tally.Total)
	}
}

func TestATallyIsBounded(t *testing.T) {
	t.Parallel()
	tally := NewTally(money.CNY)
	tally.Bills = MostTallied
	if err := tally.Add(costing("logs", "1", money.CNY)); !errors.Is(err, ErrTallyLarge) || !tally.Total.IsZero() {
		t.Errorf("got %v", err)
	}
}

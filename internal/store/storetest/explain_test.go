package storetest_test

import (
	"errors"
	"testing"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func (x shopOf) explain(t *testing.T, number string) (bill.Explanation, error) {
	t.Helper()
	var e bill.Explanation
	err := x.s.Read(t.Context(), func(tx *store.Tx) error {
		b, err := tx.BillByNumber(t.Context(), number)
		if err != nil {
			return err
		}
		e, err = bill.Explain(t.Context(), tx, catalog.Default(), b)
		return err
	})
	return e, err
}

// TestExplainedHoursMakeTheBillToTheCent recomputes every line from the
// samples that its explanation shows, by hand, without the rater (P5).
func TestExplainedHoursMakeTheBillToTheCent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.recharge(t, "5")
		cn1, _ := site.Find("cn1")
		hours := day(march1).Hours(cn1.Zone)
		for i, n := range []int64{1_234_567, 0, 999_999, 1} {
			x.use(t, "logs", "14d", hours[12+i], n+1)
			x.use(t, "logs", "30d", hours[13+i], 7*n+1)
			x.use(t, "timeseries", "7d", hours[12+i], 1000+n/1000)
			x.useOf(t, 1, "logs", "7d", hours[12+i], 5_000_000) // of the free plan
		}
		x.use(t, "task_call", "none", hours[20], 54_321)
		closeDay(t, s, march1)
		b := x.bill(t, march1)
		e, err := x.explain(t, b.Number)
		if err != nil || len(e.Lines) != 4 || e.Entry.Cause != bill.CauseOf("cn1", b.Day) || e.Entry.Number == 0 {
			t.Fatalf("%d lines, paid by entry %d of %s: %v", len(e.Lines), e.Entry.Number, e.Entry.Cause, err)
		}
		total := money.Of(0, money.CNY)
		for _, l := range e.Lines {
			if l.Hours[9].Billed || !l.Hours[10].Billed || len(l.Hours) != 24 {
				t.Errorf("the upgrade at 10:20 leaves hours %+v", l.Hours)
			}
			if amount := byHand(t, l); amount != l.Amount || !l.Agrees() {
				t.Errorf("line %d: its hours make %s, the bill says %s", l.Number, amount, l.Amount)
			}
			total, _ = total.Add(l.Amount)
		}
		if total != b.Total {
			t.Errorf("lines of %s, the bill says %s", total, b.Total)
		}
		for _, number := range []string{"", "-", "cn1", "cn1-2026-000002", "cn1-2026-x", b.ID} {
			if _, err := x.explain(t, number); !errors.Is(err, bill.ErrUnknown) {
				t.Errorf("number %q: %v", number, err)
			}
		}
	})
}

// byHand adds or compares the hours, divides by the size of the unit, cuts to
// two decimals, multiplies and rounds.
func byHand(t *testing.T, l bill.ExplainedLine) money.Amount {
	t.Helper()
	var n int64
	for _, h := range l.Hours {
		if q := h.Samples[0].Quantity; l.Item.Rule == catalog.Max24 {
			n = max(n, q)
		} else {
			n += q
		}
	}
	size, ok := l.Item.Unit.Size.Int()
	if !ok {
		t.Fatalf("unit of %s", l.Item.Unit.Size)
	}
	exact, err := quantity.Scaled(n*100/size, 2).Mul(l.UnitPrice)
	if err != nil {
		t.Fatal(err)
	}
	minor, _ := exact.RoundedHalfUp(money.Decimals)
	return money.Of(minor, l.Amount.Currency())
}

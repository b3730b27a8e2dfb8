package storetest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// cutShort is a market whose subscription ended in the middle of a day: a
// record that was taken, an advance, a bill, and a charge that waits.
func cutShort(t *testing.T, s *store.Store) *market {
	t.Helper()
	x := newMarket(t, s, site.AWS)
	hour := upgraded.Truncate(time.Hour)
	x.use(t, "logs", "14d", hour.Add(time.Hour), 2_000_000)
	x.at = noon.Add(20 * time.Minute)
	hear(t, s, event(x.sub, marketplace.Released, x.at), x.at)
	x.conclude(t)
	x.deliver(t)
	x.use(t, "logs", "14d", hour.Add(5*time.Hour), 1_000_000)
	closeDay(t, s, march1)
	return x
}

// TestVerifySeesWhatIsWrongWithMarketplaces breaks the books, each time in one
// place.
func TestVerifySeesWhatIsWrongWithMarketplaces(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`UPDATE marketplace_charge SET minor = minor + 1 WHERE kind = 'bill'`,
		`UPDATE marketplace_charge SET taken = taken - 1 WHERE kind = 'advance'`,
		`DELETE FROM marketplace_charge WHERE kind = 'bill'`,
		`UPDATE marketplace_charge SET record_id = 'mrec_none' WHERE kind = 'advance'`,
		`UPDATE marketplace_charge SET record_id = '' WHERE kind = 'advance'`,
		`UPDATE marketplace_record SET minor = minor - 1, taken = taken - 1`,
		`UPDATE marketplace_record SET taken = 0`,
		`UPDATE marketplace_record SET returned = 1`,
		`UPDATE marketplace_share SET minor = minor + 1`,
		`UPDATE marketplace_share SET told = told + 1`,
		`UPDATE marketplace_carried SET minor = minor + 1`,
		`UPDATE marketplace_subscription SET state = 'active'`,
		`UPDATE marketplace_subscription SET ends_at = ends_at + 1`,
		`DELETE FROM marketplace_event WHERE kind = 'released'`,
		`UPDATE workspace SET settlement = 'billing_center'`,
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			cutShort(t, s)
			sound(t, s)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			for _, f := range findings(t, s) {
				if f.Invariant == "I9" {
					return
				}
			}
			t.Error("verify found nothing")
		})
	}
}

func TestReconciliationExplainsEachDifference(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := cutShort(t, s)
		var r marketplace.Reconciliation
		if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
			r, err = tx.Reconciliation(t.Context(), site.AWS, period.MustParseDay(march1).Month())
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(r.Rows) != 2 || r.Agree() {
			t.Fatalf("%+v", r.Rows)
		}
		waits, taken := r.Rows[0], r.Rows[1]
		if waits.Billed != cny("1.50") || !waits.Sent.IsZero() || fmt.Sprint(waits.Apart) != "[{stranded 1.50}]" {
			t.Errorf("what waits: %+v", waits)
		}
		if taken.Billed != cny("3") || taken.Sent != cny("3") || taken.Accepted != cny("3") || !taken.Agrees() || taken.Dimension != "amount" {
			t.Errorf("what was taken: %+v", taken)
		}
		var csv strings.Builder
		if err := r.WriteCSV(&csv); err != nil || !strings.Contains(csv.String(), "aws,2026-03,"+x.shop.ID+",a,amount,CNY,3.00,3.00,3.00,,\n") {
			t.Errorf("%v:\n%s", err, csv.String())
		}
	})
}

// reconciled is the one row of the market's month.
func (x *market) reconciled(t *testing.T) marketplace.Reconciled {
	t.Helper()
	var r marketplace.Reconciliation
	if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		r, err = tx.Reconciliation(t.Context(), x.cloud.method, period.MustParseDay(march1).Month())
		return err
	}); err != nil || len(r.Rows) != 1 {
		t.Fatalf("%+v, %v", r.Rows, err)
	}
	return r.Rows[0]
}

// explains fails unless the row is so, and its parts make it whole.
func explains(t *testing.T, r marketplace.Reconciled, billed, sent, accepted, apart string) {
	t.Helper()
	whole := r.Accepted
	for _, a := range r.Apart {
		var err error
		if whole, err = whole.Add(a.Amount); err != nil {
			t.Fatal(err)
		}
	}
	if r.Billed != cny(billed) || r.Sent != cny(sent) || r.Accepted != cny(accepted) || fmt.Sprint(r.Apart) != apart || whole != r.Billed {
		t.Errorf("billed %s, sent %s, accepted %s, %v; want %s, %s, %s, %s", r.Billed, r.Sent, r.Accepted, r.Apart, billed, sent, accepted, apart)
	}
}

// TestEachKindOfDifferenceIsExplained walks a charge through what can become of
// it, with a unit that it does not fit.
func TestEachKindOfDifferenceIsExplained(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		x.cloud.unit.Price = cny("0.70")
		hour := func(minor int64, script func(int, []marketplace.Record) mishap) {
			x.cloud.script = script
			x.charge(t, x.sub, minor)
			x.at = marketplace.NextHour(x.at)
			x.seal(t, x.sub)
			x.deliver(t)
		}
		says := func(m mishap) func(int, []marketplace.Record) mishap {
			return func(int, []marketplace.Record) mishap { return m }
		}
		hour(300, says(noFault)) // 4 units
		explains(t, x.reconciled(t), "3", "2.80", "2.80", "[{carried 0.20}]")
		hour(150, says(throttled)) // 2 units, with what was carried
		explains(t, x.reconciled(t), "4.50", "4.20", "2.80", "[{carried 0.30} {pending 1.40}]")
		x.cloud.script = says(lostAnswer)
		x.until(t, x.at.Add(time.Minute))
		explains(t, x.reconciled(t), "4.50", "4.20", "2.80", "[{carried 0.30} {sent 1.40}]")
		x.cloud.script = nil
		x.until(t, x.at.Add(30*time.Minute))
		explains(t, x.reconciled(t), "4.50", "4.20", "4.20", "[{carried 0.30}]")
		x.cloud.poison = func(marketplace.Record) bool { return true }
		hour(110, nil) // 2 units, nothing is left
		explains(t, x.reconciled(t), "5.60", "5.60", "4.20", "[{rejected 1.40}]")
		x.cloud.poison = nil
		all := x.records(t)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := marketplace.Decide(ctx, tx, all[len(all)-1].ID, marketplace.Again, "the listing was mended", workspace.Actor{AccountID: "oper_1"}, x.at)
			return err
		})
		explains(t, x.reconciled(t), "5.60", "4.20", "4.20", "[{carried 1.40}]")
		hour(70, nil)
		explains(t, x.reconciled(t), "6.30", "6.30", "6.30", "[]")
		x.cloud.taken[fmt.Sprint("i-1 amount ", x.at.Unix())] = marketplace.Record{} // of somebody else's making
		hour(70, nil)
		explains(t, x.reconciled(t), "7", "7", "6.30", "[{duplicate_diff 0.70}]")
		if got, want := x.cloud.total(), int64(630); got != want {
			t.Errorf("the cloud collects %d, want %d", got, want)
		}
		sound(t, s)
	})
}

// TestAnOperatorDecidesWhatIsLost takes each verdict of a record that was
// refused.
func TestAnOperatorDecidesWhatIsLost(t *testing.T) {
	t.Parallel()
	for v, c := range map[marketplace.Verdict]struct {
		state marketplace.RecordState
		total int64
	}{
		marketplace.IsTaken:  {marketplace.Accepted, 200},
		marketplace.WriteOff: {marketplace.WrittenOff, 200},
		marketplace.Resend:   {marketplace.Accepted, 700},
		marketplace.Again:    {marketplace.Reissued, 700},
	} {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := newMarket(t, s, site.AWS)
			x.charge(t, x.sub, 500)
			x.at = noon.Add(time.Hour)
			r := x.seal(t, x.sub)[0]
			x.cloud.poison = func(marketplace.Record) bool { return true }
			x.deliver(t)
			x.cloud.poison = nil
			decide := func(v marketplace.Verdict, why string) func(context.Context, *store.Tx) error {
				return func(ctx context.Context, tx *store.Tx) error {
					_, err := marketplace.Decide(ctx, tx, r.ID, v, why, workspace.Actor{AccountID: "oper_1"}, x.at)
					return err
				}
			}
			refused(t, s, marketplace.ErrRemark, decide(v, " "))
			refused(t, s, marketplace.ErrVerdict, decide("perhaps", "why"))
			write(t, s, decide(v, "looked at the console"))
			refused(t, s, marketplace.ErrDecided, decide(v, "again"))
			x.charge(t, x.sub, 200)
			x.at = noon.Add(2 * time.Hour)
			x.seal(t, x.sub)
			x.until(t, noon.Add(3*time.Hour))
			if got := x.records(t)[0].State; got != c.state || x.cloud.total() != c.total {
				t.Errorf("%s, %d taken, want %s and %d", got, x.cloud.total(), c.state, c.total)
			}
			sound(t, s)
		})
	}
}

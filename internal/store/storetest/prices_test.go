package storetest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// closePriced closes a day of cn1 by the catalogue.
func closePriced(t *testing.T, s *store.Store, c *catalog.Catalog, d string) {
	t.Helper()
	cn1, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	b := books(s)
	b.Catalog = c
	if closed, err := b.CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: day(d)}, day(d).End(cn1.Zone).Add(time.Minute)); err != nil || closed.Parked != 0 {
		t.Fatalf("close %s: %+v, %v", d, closed, err)
	}
}

// soundBy fails the test when the books do not hold by the catalogue.
func soundBy(t *testing.T, s *store.Store, c *catalog.Catalog) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		found, err := tx.Verify(t.Context(), c)
		for _, f := range found {
			t.Errorf("verify: %v", f)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// noonOf is the start of an hour in the middle of a day of cn1.
func noonOf(d string) time.Time { return day(d).Start(hangzhou).Add(14 * time.Hour) }

var hangzhou = time.FixedZone("UTC+08:00", 8*3600)

// agreedOnTheSecond bills 4 million logs on each of the first three days of March; on
// the second a price of 1.25 is agreed.
func agreedOnTheSecond(t *testing.T, s *store.Store) shopOf {
	t.Helper()
	a, other := newShop(t, s, "a"), newShop(t, s, "b")
	if _, err := agree(t, s, a.payer.ID, logsAt("1.25", "2026-03-02", "2026-03-02"), upgraded); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{march1, "2026-03-02", "2026-03-03"} {
		a.use(t, "logs", "14d", noonOf(d), 4_000_000)
		other.use(t, "logs", "14d", noonOf(d), 4_000_000)
		closeDay(t, s, d)
		if got := other.bill(t, d); got.Total.String() != "6.00" {
			t.Errorf("on %s another payer pays %s", d, got.Total)
		}
	}
	return a
}

func TestAnAgreedPriceIsBilledOnItsDaysOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := agreedOnTheSecond(t, s)
		for d, want := range map[string]string{march1: "6.00", "2026-03-02": "5.00", "2026-03-03": "6.00"} {
			b := a.bill(t, d)
			if b.Total.String() != want || (b.Lines[0].Override != "") != (want == "5.00") {
				t.Errorf("%s: %s, %+v, want %s", d, b.Total, b.Lines, want)
			}
			if marked := strings.Contains(string(b.Document()), " 1.25 5 5.00 override=prce_"); marked != (want == "5.00") {
				t.Errorf("%s: the document is %s", d, b.Document())
			}
			if err := s.Read(t.Context(), func(tx *store.Tx) error {
				e, err := bill.Explain(t.Context(), tx, catalog.Default(), b)
				for _, l := range e.Lines {
					if !l.Agrees() {
						t.Errorf("%s: made again the line is %+v", d, l.Again)
					}
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
		sound(t, s)
	})
}

func TestAnAgreedPriceThatChangedAfterwardsIsFound(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		`UPDATE price_override SET price = '1'`,
		`UPDATE price_override SET last_day = '2026-03-03'`,
		`DELETE FROM price_override`,
	} {
		s := storetest.SQLite(t)
		agreedOnTheSecond(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		})
		if found := findings(t, s); len(found) == 0 || found[0].Invariant != "I5" {
			t.Errorf("after %s verify says %v", sql, found)
		}
	}
}

func TestAnAddedVersionIsBilledFromItsDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, c := newShop(t, s, "a"), catalog.Default().Shipped()
		if err := add(t, s, c, hostsFor("march", "2026-03-02", "2024-11-06", "2.5"), upgraded); err != nil {
			t.Fatal(err)
		}
		if err := reload(t, s, c); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{march1, "2026-03-02"} {
			a.use(t, "network_host", "none", noonOf(d), 3)
			closePriced(t, s, c, d)
		}
		for d, want := range map[string]string{march1: "2024-11-06 6.00", "2026-03-02": "march 7.50"} {
			if b := a.bill(t, d); b.Catalog+" "+b.Total.String() != want {
				t.Errorf("%s: %s %s, want %s", d, b.Catalog, b.Total, want)
			}
		}
		soundBy(t, s, c)
	})
}

// TestBothRoundingPoliciesReachTheBill holds C-06: units are cut to two
// decimals, or stay exact when the version says so; lines are rounded half up.
func TestBothRoundingPoliciesReachTheBill(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, c := newShop(t, s, "a"), catalog.Default().Shipped()
		exact := "versions:\n  - {id: exact, from: 2026-03-02, amends: \"2024-11-06\", rounding: {units: exact, lines: half_up}}\n"
		if err := add(t, s, c, []byte(exact), upgraded); err != nil {
			t.Fatal(err)
		}
		if err := reload(t, s, c); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{march1, "2026-03-02"} {
			a.use(t, "logs", "60d", noonOf(d), 1_234_567)
			closePriced(t, s, c, d)
		}
		for d, want := range map[string]string{
			march1:       " 1.23 2.5 3.075 3.08 ",
			"2026-03-02": " 1.234567 2.5 3.0864175 3.09 ",
		} {
			if got := string(a.bill(t, d).Document()); !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", d, got, want)
			}
		}
		soundBy(t, s, c)
	})
}

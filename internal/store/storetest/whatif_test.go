package storetest_test

import (
	"context"
	"fmt"
	"testing"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
)

// dearerVersion changes the price of hosts, and how traces are counted when asked to.
func dearerVersion(from string, counting bool) []byte {
	text := string(hostsFor("dearer", from, "2024-11-06", "2.345")) + "    rounding: {units: exact, lines: half_up}\n"
	if counting {
		text = text[:len(text)-len("    rounding: {units: exact, lines: half_up}\n")] + `      - id: apm_trace
        name: {en: APM traces, zh: 应用性能 Trace}
        counted: the larger of the new trace IDs and a hundredth of the spans
        unit: {size: "1000000", en: traces, zh: 个}
        sampling: new_in_hour
        rule: max_of_two
        alternative: {counter: spans, divisor: "100"}
        retention: apm_trace
        classes: [3d, 7d, 14d, 30d, 60d]
        prices:
          CNY/china:          {3d: "2", 7d: "3", 14d: "7", 30d: "10.8", 60d: "19.44"}
          CNY/international:  {3d: "6", 7d: "10", 14d: "20", 30d: "36", 60d: "64.8"}
          USD/china:          {3d: "0.29", 7d: "0.43", 14d: "0.86", 30d: "1.54", 60d: "2.78"}
          USD/international:  {3d: "0.9", 7d: "1.4", 14d: "2.8", 30d: "5.14", 60d: "9.26"}
`
	}
	return []byte(text)
}

// marchOf is three days of March of two workspaces, billed by the catalogue; a
// price of logs is agreed with the first.
func marchOf(t *testing.T, s *store.Store, c *catalog.Catalog) (shopOf, shopOf) {
	t.Helper()
	a, b := newShop(t, s, "a"), newShop(t, s, "b")
	if _, err := agree(t, s, a.payer.ID, logsAt("1.25", "2026-03-02", ""), upgraded); err != nil {
		t.Fatal(err)
	}
	for i, d := range []string{march1, "2026-03-02", "2026-03-03"} {
		for _, x := range []shopOf{a, b} {
			x.use(t, "logs", "14d", noonOf(d), 1_234_567)
			x.use(t, "network_host", "none", noonOf(d), int64(3+i))
			x.use(t, "apm_trace", "14d", noonOf(d), 200_000)
			spans := usage.Key{WorkspaceID: x.shop.ID, Generation: x.shop.Generation, Item: "apm_trace", Counter: "spans", Class: "14d"}
			batch := usage.Batch{Gateway: "test", Epoch: 1, Seq: flushes.Add(1), Deltas: []usage.Delta{{Key: spans, Hour: noonOf(d), Add: 9_000_000}}}
			write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, batch) })
		}
		closePriced(t, s, c, d)
	}
	return a, b
}

// TestWhatIfIsWhatTheBillsWouldHaveBeen bills the same usage twice, by the
// present catalogue and by one in which the version already holds.
func TestWhatIfIsWhatTheBillsWouldHaveBeen(t *testing.T) {
	t.Parallel()
	for _, counting := range []bool{false, true} {
		t.Run(fmt.Sprintf("counting=%v", counting), func(t *testing.T) {
			t.Parallel()
			s, then := storetest.SQLite(t), storetest.SQLite(t)
			present := catalog.Default()
			a, b := marchOf(t, s, present)
			held, err := present.With(dearerVersion(march1, counting))
			if err != nil {
				t.Fatal(err)
			}
			a2, b2 := marchOf(t, then, held)
			tried, err := present.Check(dearerVersion("2026-05-01", counting), march12)
			if err != nil {
				t.Fatal(err)
			}
			v, err := tried.Find("dearer")
			if err != nil {
				t.Fatal(err)
			}
			w, rows := whatIf(t, s, tried, v, 10)
			if len(rows) != 2 || w.Next != "" || w.Bills != 6 || w.Failed != 0 {
				t.Fatalf("%d rows, next %q, %d bills, %d failed", len(rows), w.Next, w.Bills, w.Failed)
			}
			sum := money.Of(0, money.CNY)
			for i, pair := range [][2]shopOf{{a, a2}, {b, b2}} {
				before, after := pair[0].march(t), pair[1].march(t)
				if rows[i].Before != before || rows[i].After != after || rows[i].WorkspaceID != pair[0].shop.ID || before == after {
					t.Errorf("row %d is %+v, want %s and %s", i, rows[i], before, after)
				}
				if sum, err = sum.Add(after); err != nil {
					t.Fatal(err)
				}
			}
			if got := w.Totals[money.CNY]; got.After != sum || len(w.Accounts) != 2 {
				t.Errorf("in all %+v, want %s", got, sum)
			}
			items := map[string]string{}
			for _, i := range w.Items[money.CNY] {
				items[i.Item] = i.Before.String() + " " + i.After.String()
			}
			if items["network_host"] != "48.00 56.30" { // 24 hosts: at 2, and at 2.345 rounded by day
				t.Errorf("items are %v", items)
			}
		})
	}
}

func (x shopOf) march(t *testing.T) money.Amount {
	t.Helper()
	var sum money.Amount
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		sum, err = tx.BilledBetween(ctx, x.shop.ID, money.CNY, day(march1), day("2026-03-31"))
		return err
	})
	return sum
}

func whatIf(t *testing.T, s *store.Store, c *catalog.Catalog, v *catalog.Version, limit int) (*bill.WhatIf, []bill.WhatIfRow) {
	t.Helper()
	m, err := period.ParseMonth("2026-03")
	if err != nil {
		t.Fatal(err)
	}
	w := bill.NewWhatIf(c, v, m)
	var rows []bill.WhatIfRow
	if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
		rows, err = w.Walk(t.Context(), tx, "", limit)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return w, rows
}

func TestWhatIfGoesOnWhereItStopped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, b := marchOf(t, s, catalog.Default())
		v, err := catalog.Default().Find("2024-11-06")
		if err != nil {
			t.Fatal(err)
		}
		w, rows := whatIf(t, s, catalog.Default(), v, 1)
		if len(rows) != 1 || rows[0].WorkspaceID != a.shop.ID || w.Next != a.shop.ID {
			t.Fatalf("%+v, next %q", rows, w.Next)
		}
		if err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
			rows, err = w.Walk(t.Context(), tx, w.Next, 1)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if len(rows) != 1 || rows[0].WorkspaceID != b.shop.ID || w.Next != "" || w.Workspaces != 2 {
			t.Errorf("%+v, next %q", rows, w.Next)
		}
		if c := w.Totals[money.CNY]; c.Before != c.After {
			t.Errorf("the version of the bills makes others: %+v", c)
		}
	})
}

func TestWhatIfNamesBillsThatCouldNotBeMade(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	marchOf(t, s, catalog.Default())
	first, err := catalog.Default().Find("2020-01-01") // its series have no classes
	if err != nil {
		t.Fatal(err)
	}
	storetest.ChangeUsage(t, s, func(sample *usage.Sample) {
		if sample.Item == "logs" && sample.WorkspaceID == "wksp_a" {
			sample.Item, sample.Class = "timeseries", "3d"
		}
	})
	w, _ := whatIf(t, s, catalog.Default(), first, 10)
	if w.Failed != 3 || len(w.Unrated) != 3 || w.Unrated[0].Reason.Code != "class_unknown" || w.Bills != 6 {
		t.Errorf("%d failed: %+v", w.Failed, w.Unrated)
	}
}

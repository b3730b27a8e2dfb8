package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// What a store transaction must be able to do for the catalogue.
var (
	_ catalog.Tx         = (*store.Tx)(nil)
	_ catalog.OverrideTx = (*store.Tx)(nil)
)

// march12 is noon in Hangzhou, the 12th at every site.
var march12 = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)

var someone = catalog.Actor{ID: "oper_1", Address: "192.0.2.7"}

// hostsFor is a version that changes nothing but the price of network hosts in CNY.
func hostsFor(id, from, amends, price string) []byte {
	return fmt.Appendf(nil, `versions:
  - id: %q
    from: %s
    amends: %q
    items:
      - id: network_host
        name: {en: Network hosts, zh: 网络主机}
        counted: distinct hosts that sent eBPF network data that day
        unit: {size: "1", en: hosts, zh: 台}
        sampling: day_to_date
        rule: max24
        prices:
          CNY/china: {none: %q}
          CNY/international: {none: "4"}
          USD/china: {none: "0.29"}
          USD/international: {none: "0.6"}
`, id, from, amends, price)
}

// add adds a version as of the instant.
func add(t *testing.T, s *store.Store, c *catalog.Catalog, document []byte, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, _, err := c.Add(t.Context(), tx, document, someone, at)
		return err
	})
}

func remove(t *testing.T, s *store.Store, c *catalog.Catalog, id string, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := c.Remove(t.Context(), tx, id, someone, at)
		return err
	})
}

func reload(t *testing.T, s *store.Store, c *catalog.Catalog) error {
	t.Helper()
	return s.Read(t.Context(), func(tx *store.Tx) error { return c.Reload(t.Context(), tx) })
}

func TestACatalogueVersionThatHoldsIsNeitherChangedNorRemoved(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := catalog.Default().Shipped()
		april, may := hostsFor("april", "2026-04-01", "2024-11-06", "2.5"), hostsFor("may", "2026-05-01", "april", "3")
		if err := errors.Join(add(t, s, c, april, march12), add(t, s, c, may, march12)); err != nil {
			t.Fatal(err)
		}
		for name, r := range map[string]struct {
			got, want error
		}{
			"below another":  {remove(t, s, c, "april", march12), catalog.ErrNotLast},
			"of the program": {remove(t, s, c, "2024-11-06", march12), catalog.ErrShipped},
			"unknown":        {remove(t, s, c, "june", march12), catalog.ErrVersion},
			"that holds":     {remove(t, s, c, "may", march12.AddDate(0, 2, 0)), catalog.ErrUsed},
			"name again":     {add(t, s, c, hostsFor("may", "2026-06-01", "may", "1"), march12), catalog.ErrInvalid},
			"backdated":      {add(t, s, c, hostsFor("june", "2026-06-01", "may", "1"), march12.AddDate(0, 4, 0)), catalog.ErrInvalid},
		} {
			if !errors.Is(r.got, r.want) {
				t.Errorf("%s: %v, want %v", name, r.got, r.want)
			}
		}
		if err := errors.Join(remove(t, s, c, "may", march12), reload(t, s, c)); err != nil || len(c.Versions()) != 4 {
			t.Fatalf("one to come: %v; %d versions", err, len(c.Versions()))
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			added, err := tx.AddedVersions(ctx)
			if len(added) != 1 || string(added[0].Document) != string(april) || added[0].By != someone.ID || !added[0].At.Equal(march12) {
				t.Errorf("kept is %+v", added)
			}
			log, err2 := tx.AuditLog(ctx, "may", 0, 9)
			if len(log) != 2 || log[0].Action != "catalog.version_removed" || log[1].Action != "catalog.version_added" || log[1].Detail["sha256"] != catalog.Digest(may) {
				t.Errorf("the log says %+v", log)
			}
			return errors.Join(err, err2)
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE catalog_version SET document = REPLACE(document, '2.5', '9')`)
			return err
		})
		if err := reload(t, s, c); err == nil {
			t.Error("a version that was changed behind the program's back was adopted")
		}
	})
}

// release is the catalogue of a later program, which ships two versions more:
// one from before, one from after those that operators added.
func release(t *testing.T) *catalog.Catalog {
	t.Helper()
	text, err := os.ReadFile("../../catalog/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range [][]byte{hostsFor("early", "2026-03-20", "2024-11-06", "7"), hostsFor("april", "2026-06-01", "early", "8")} {
		text = append(text, bytes.TrimPrefix(more, []byte("versions:\n"))...)
	}
	c, err := catalog.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hosts is what a network host costs on a day.
func hosts(t *testing.T, c *catalog.Catalog, on string) string {
	t.Helper()
	v, err := c.At(day(on))
	if err != nil {
		t.Fatal(err)
	}
	item, err := v.Item("network_host")
	if err != nil {
		t.Fatal(err)
	}
	p, err := item.Price(money.CNY, site.China, "none")
	if err != nil {
		t.Fatal(err)
	}
	return p.String()
}

// TestAReleaseDoesNotChangePricesThatAnOperatorFixed starts a program that
// ships versions of its own, one of them with a name that was taken, on a
// store to which others were added.
func TestAReleaseDoesNotChangePricesThatAnOperatorFixed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		old := catalog.Default().Shipped()
		if err := errors.Join(add(t, s, old, hostsFor("april", "2026-04-01", "2024-11-06", "2.5"), march12), reload(t, s, old)); err != nil {
			t.Fatal(err)
		}
		next := release(t)
		if next.HeldBack(nil) != nil || hosts(t, next, "2026-03-25") != "7" {
			t.Fatal("where nothing was added, the program's versions do not hold")
		}
		if err := reload(t, s, next); err != nil {
			t.Fatalf("the new program does not start: %v", err)
		}
		for _, on := range []string{"2026-03-25", "2026-04-01", "2026-07-01"} {
			if before, after := hosts(t, old, on), hosts(t, next, on); before != after {
				t.Errorf("on %s a host costs %s by the new program, and %s by the old one", on, after, before)
			}
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, added, err := next.Whole(ctx, tx)
			held := next.HeldBack(added)
			if len(held) != 2 || held[0].ID != "early" || held[1].ID != "april" {
				t.Errorf("held back are %v", held)
			}
			return err
		})
		// The operator takes the release's prices over, as a version of his own.
		if err := errors.Join(add(t, s, next, hostsFor("early", "2026-05-01", "april", "7"), march12), reload(t, s, next)); err != nil || hosts(t, next, "2026-05-01") != "7" {
			t.Errorf("taken over: %v", err)
		}
		if err := errors.Join(remove(t, s, next, "early", march12), reload(t, s, next)); err != nil {
			t.Errorf("taken back: %v", err)
		}
		if err := remove(t, s, next, "april", march12.AddDate(0, 0, 12)); !errors.Is(err, catalog.ErrUncover) {
			t.Errorf("a version of the program came to hold on days that have begun: %v", err)
		}
		if err := errors.Join(remove(t, s, next, "april", march12), reload(t, s, next)); err != nil || hosts(t, next, "2026-03-25") != "7" || hosts(t, next, "2026-07-01") != "8" {
			t.Errorf("without what was added: %v", err)
		}
	})
}

func TestAnOlderProgramThanTheOneThatAddedAVersionSaysSo(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	if err := add(t, s, release(t), hostsFor("july", "2026-07-01", "april", "9"), march12); err != nil {
		t.Fatal(err)
	}
	if err := reload(t, s, catalog.Default().Shipped()); err == nil || !strings.Contains(err.Error(), "july was built on april, which this program does not have") {
		t.Errorf("%v", err)
	}
}

func TestADayWhoseCloseBeganKeepsItsPrices(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	newShop(t, s, "a")
	closeDay(t, s, march1)
	early := upgraded.AddDate(0, 0, -5)
	if err := add(t, s, catalog.Default().Shipped(), hostsFor("x", march1, "2024-11-06", "3"), early); !errors.Is(err, catalog.ErrUsed) {
		t.Errorf("%v", err)
	}
}

func TestOneOfTwoVersionsAtOnceIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := catalog.Default().Shipped()
		var both sync.WaitGroup
		var refused [2]error
		for i, from := range []string{"2026-04-01", "2026-05-01"} {
			both.Go(func() { refused[i] = add(t, s, c, hostsFor(from, from, "2024-11-06", "3"), march12) })
		}
		both.Wait()
		if (refused[0] == nil) == (refused[1] == nil) {
			t.Errorf("both amend the same version: %v and %v", refused[0], refused[1])
		}
		if err := reload(t, s, c); err != nil {
			t.Error(err)
		}
	})
}

func agree(t *testing.T, s *store.Store, payer string, typed catalog.Agreement, at time.Time) (catalog.Override, error) {
	t.Helper()
	var o catalog.Override
	err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
		o, err = catalog.Default().Agree(t.Context(), tx, payer, typed, someone, at)
		return err
	})
	return o, err
}

// logsAt is an agreement that is in order.
func logsAt(price, from, last string) catalog.Agreement {
	return catalog.Agreement{Item: "logs", Group: site.China, Class: "14d", Price: price, From: from, Last: last, Reason: "Contract 17"}
}

func TestAgreedPricesAreCheckedAsTheCataloguesAre(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	payer := newShop(t, s, "a").payer
	for name, c := range map[string]struct {
		change func(a *catalog.Agreement)
		field  string
		want   error
	}{
		"no price":         {func(a *catalog.Agreement) { a.Price = "" }, "price", catalog.ErrPrice},
		"negative":         {func(a *catalog.Agreement) { a.Price = "-1" }, "price", catalog.ErrPrice},
		"too many digits":  {func(a *catalog.Agreement) { a.Price = "1.0000001" }, "price", catalog.ErrPrice},
		"absurd":           {func(a *catalog.Agreement) { a.Price = "1234567890" }, "price", catalog.ErrPrice},
		"an exponent":      {func(a *catalog.Agreement) { a.Price = "1e3" }, "price", catalog.ErrPrice},
		"item unknown":     {func(a *catalog.Agreement) { a.Item = "coffee" }, "item", catalog.ErrItemUnknown},
		"in packages only": {func(a *catalog.Agreement) { a.Item, a.Class = "datakit_host", "none" }, "item", catalog.ErrNotSold},
		"class unknown":    {func(a *catalog.Agreement) { a.Class = "180d" }, "class", catalog.ErrClassUnknown},
		"group unknown":    {func(a *catalog.Agreement) { a.Group = "mars" }, "group", catalog.ErrGroup},
		"not sold there":   {func(a *catalog.Agreement) { a.Item, a.Class, a.Group = "sms", "none", site.International }, "group", catalog.ErrNotSold},
		"begun":            {func(a *catalog.Agreement) { a.From = "2026-03-12" }, "from", catalog.ErrOverrideFrom},
		"no date":          {func(a *catalog.Agreement) { a.From = "soon" }, "from", nil},
		"ends first":       {func(a *catalog.Agreement) { a.Last = "2026-03-31" }, "last", catalog.ErrOverrideLast},
		"no reason":        {func(a *catalog.Agreement) { a.Reason = " " }, "reason", catalog.ErrOverrideReason},
		"wrong all over":   {func(a *catalog.Agreement) { *a = catalog.Agreement{} }, "item", catalog.ErrItemUnknown},
	} {
		typed := logsAt("1.25", "2026-04-01", "")
		c.change(&typed)
		_, err := agree(t, s, payer.ID, typed, march12)
		var list fault.Fields
		named := false
		if errors.As(err, &list) {
			for _, f := range list {
				named = named || f.Field == c.field && (c.want == nil || errors.Is(f, c.want))
			}
		}
		if !named {
			t.Errorf("%s: %v, want %v on %s", name, err, c.want, c.field)
		}
	}
	if _, err := agree(t, s, "bcac_none", logsAt("1", "2026-04-01", ""), march12); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("nobody: %v", err)
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		all, err := tx.OverridesOf(ctx, payer.ID)
		if len(all) != 0 {
			t.Errorf("refused, yet kept: %+v", all)
		}
		return err
	})
}

func TestAgreedPricesDoNotOverlapAndEndTomorrow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		payer := newShop(t, s, "a").payer
		first, err := agree(t, s, payer.ID, logsAt("1.25", "2026-04-01", "2026-04-30"), march12)
		if err != nil {
			t.Fatal(err)
		}
		for last, from := range map[string]string{"": "2026-04-30", "2026-04-01": "2026-03-13", "2026-04-10": "2026-04-05"} {
			if _, err := agree(t, s, payer.ID, logsAt("1", from, last), march12); !errors.Is(err, catalog.ErrOverrideOverlap) {
				t.Errorf("from %s to %q: %v", from, last, err)
			}
		}
		second, err := agree(t, s, payer.ID, logsAt("1.2", "2026-05-01", ""), march12)
		if err != nil {
			t.Fatal(err)
		}
		end := func(o catalog.Override, at time.Time) (catalog.Override, error) {
			err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
				o, err = catalog.Default().End(t.Context(), tx, payer.ID, o.ID, someone, at)
				return err
			})
			return o, err
		}
		if o, err := end(second, march12); err != nil || !o.Withdrawn() || o.Holds(day("2026-05-01")) {
			t.Errorf("one to come: %+v, %v", o, err)
		}
		if o, err := end(first, march12.AddDate(0, 1, 0)); err != nil || o.Last != day("2026-04-12") {
			t.Errorf("one that holds: %+v, %v", o, err)
		}
		for _, o := range []catalog.Override{first, second} {
			if _, err := end(o, march12.AddDate(0, 2, 0)); !errors.Is(err, catalog.ErrOverrideEnded) {
				t.Errorf("one that has ended: %v", err)
			}
		}
		if _, err := end(catalog.Override{ID: "prce_x"}, march12); !errors.Is(err, catalog.ErrOverrideUnknown) {
			t.Errorf("unknown: %v", err)
		}
		if third, err := agree(t, s, payer.ID, logsAt("1.1", "2026-05-01", ""), march12); err != nil || third.Market.Currency != money.CNY {
			t.Errorf("where one was withdrawn: %+v, %v", third, err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for on, want := range map[string]int{"2026-03-31": 0, "2026-04-01": 1, "2026-04-12": 1, "2026-04-13": 0, "2026-05-02": 1} {
				all, err := tx.OverridesOn(ctx, day(on))
				if err != nil || len(all[payer.ID]) != want {
					t.Errorf("on %s: %+v, %v", on, all, err)
				}
			}
			log, err := tx.AuditLog(ctx, payer.ID, 0, 9)
			if len(log) != 5 {
				t.Errorf("the log says %+v", log)
			}
			return err
		})
	})
}

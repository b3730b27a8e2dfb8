package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// busyDay is a day with usage of seven workspaces, one of which cannot be
// billed. Three of them have one payer, who has too little for all.
func busyDay(t *testing.T, s *store.Store) []shopOf {
	t.Helper()
	a, d := newShop(t, s, "a"), newShop(t, s, "d")
	shops := []shopOf{a, newShop(t, s, "b"), newShop(t, s, "c"), d, d.sister(t, "e"), d.sister(t, "f"), newShop(t, s, "g")}
	a.recharge(t, "1")
	d.recharge(t, "20")
	hour := upgraded.Truncate(time.Hour)
	for i, x := range shops {
		class := "14d"
		if i == 1 {
			class = "nonsense"
		}
		x.use(t, "logs", class, hour, int64(i+1)*1_234_567)
		x.use(t, "task_call", "none", hour, int64(i+1)*7_000)
	}
	return shops
}

// sister is another workspace of the same payer.
func (x shopOf) sister(t *testing.T, name string) shopOf {
	t.Helper()
	w, err := workspace.New("cn1", name, "en", "acnt_"+name, upgraded.AddDate(0, 0, -3))
	if err != nil {
		t.Fatal(err)
	}
	w.ID = "wksp_" + name
	if w, err = w.Upgrade(x.payer.ID, upgraded); err != nil {
		t.Fatal(err)
	}
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertWorkspace(ctx, w) })
	return shopOf{s: x.s, payer: x.payer, shop: w}
}

// hashes of the closed day and its bills.
func hashes(t *testing.T, s *store.Store, shops []shopOf) string {
	t.Helper()
	text := ""
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		d, err := tx.SiteDay(t.Context(), "cn1", day(march1))
		text = d.Hash
		for _, x := range shops {
			b, _ := tx.BillOfDay(t.Context(), x.shop.ID, day(march1))
			text += " " + b.Hash
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return text
}

// undisturbed is what a busy day comes to when each workspace has a lot of its
// own and nothing happens.
func undisturbed(t *testing.T) string {
	t.Helper()
	s := storetest.SQLite(t)
	shops := busyDay(t, s)
	b := books(s)
	b.Lot = 1
	closeBy(t, b)
	return hashes(t, s, shops)
}

func closeBy(t *testing.T, b bill.Books) bill.SiteDay {
	t.Helper()
	closed, err := b.CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: day(march1)}, noon.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	return closed
}

// TestALotDoesNotTakeTheConnectionOfTheOneBefore closes a day side by side
// through a store that has one connection for writing, and holds the first lot
// back until another one has come: that one waits for the first to commit, and
// with its connection taken the first never could.
func TestALotDoesNotTakeTheConnectionOfTheOneBefore(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	s := storetest.SQLite(t)
	shops := busyDay(t, s)
	b := books(s)
	b.Workers, b.Lot = 4, 1
	write, calls, second := b.Write, atomic.Int64{}, make(chan struct{})
	b.Write = func(ctx context.Context, f func(bill.Tx) error) error {
		switch calls.Add(1) { // the first call begins the day
		case 2:
			select {
			case <-second:
				<-time.After(100 * time.Millisecond) // it takes the connection
			case <-time.After(300 * time.Millisecond): // it waits, as it should
			}
		case 3:
			close(second)
		}
		return write(ctx, f)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := b.CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: day(march1)}, noon.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	if got := hashes(t, s, shops); got != want {
		t.Errorf("side by side: %s\nundisturbed: %s", got, want)
	}
}

// TestCloseMayDieAnywhere stops the close before and after each of its
// transactions and runs it again: the bills are the same to the byte, and
// nothing was paid twice.
func TestCloseMayDieAnywhere(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	for n := range 18 {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprint("write ", n, " committed ", committed), func(t *testing.T) {
				t.Parallel()
				s := storetest.SQLite(t)
				shops := busyDay(t, s)
				dieAt(t, s, n, committed)
				closed := closeBy(t, books(s))
				if got := hashes(t, s, shops); got != want {
					t.Errorf("after a death: %s\nundisturbed: %s", got, want)
				}
				if closed.Bills != 6 || closed.Parked != 1 || closed.Done != 7 || closed.Total != 7 {
					t.Errorf("closed: %+v", closed)
				}
				sound(t, s)
			})
		}
	}
}

// TestLotsSideBySideGiveTheSameBills closes the day with lots of every size,
// several at once: the numbers, the chains and the payers' money are the same.
func TestLotsSideBySideGiveTheSameBills(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	for lot := 1; lot < 8; lot++ {
		t.Run(fmt.Sprint("lots of ", lot), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				shops := busyDay(t, s)
				b := books(s)
				b.Lot, b.Workers, b.OneWrite = lot, 4, s.OneWriter()
				b.Read = func(ctx context.Context, f func(bill.Tx) error) error {
					return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
				}
				var seen int64
				b.Progress = func(d bill.SiteDay) {
					if d.Done <= seen || d.Done > d.Total {
						t.Errorf("%d of %d are done, before it were %d", d.Done, d.Total, seen)
					}
					seen = d.Done
				}
				if closed := closeBy(t, b); closed.Done != 7 || seen != 7 {
					t.Errorf("%d are done", closed.Done)
				}
				if got := hashes(t, s, shops); got != want {
					t.Errorf("lots of %d: %s\none by one: %s", lot, got, want)
				}
				sound(t, s)
			})
		})
	}
}

// TestLotThatFailsIsBilledOneByOne lets a lot's transaction fail as a whole:
// its workspaces are billed each by itself, and nobody else notices.
func TestLotThatFailsIsBilledOneByOne(t *testing.T) {
	t.Parallel()
	want := undisturbed(t)
	for fails := range 4 {
		t.Run(fmt.Sprint("lot ", fails), func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				shops := busyDay(t, s)
				b := books(s)
				b.Lot, b.Workers, b.OneWrite = 2, 3, s.OneWriter()
				b.Read = b.Write
				calmly, failed := b.Write, false
				b.Write = func(ctx context.Context, f func(bill.Tx) error) error {
					return calmly(ctx, func(tx bill.Tx) error {
						err := f(tx)
						if d, _ := tx.SiteDay(ctx, "cn1", day(march1)); err == nil && !failed && d.Done == min(7, int64(fails+1)*2) {
							failed = true
							return errors.New("the disk is full")
						}
						return err
					})
				}
				if closed := closeBy(t, b); !failed || closed.Bills != 6 || closed.Done != 7 {
					t.Errorf("failed %v: %+v", failed, closed)
				}
				if got := hashes(t, s, shops); got != want {
					t.Errorf("after a failed lot: %s\nundisturbed: %s", got, want)
				}
				sound(t, s)
			})
		})
	}
}

// TestAnyPastDayComesOutTheSame makes the documents of all bills again from
// the hours that are stored.
func TestAnyPastDayComesOutTheSame(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		history(t, s)
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			for _, w := range []string{"wksp_a", "wksp_b"} {
				bills, err := tx.BillsOf(t.Context(), w, day(march1), day("2026-03-03"), 10)
				if err != nil || len(bills) != 3 {
					t.Errorf("%d bills of %s, %v", len(bills), w, err)
				}
				for _, b := range bills {
					document, err := bill.Again(t.Context(), tx, catalog.Default(), b)
					if err != nil || bill.Sum(document) != b.Hash {
						t.Errorf("bill %s again: %s, %v", b.Number, document, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// dieAt runs the close in lots of two until the nth transaction, which is
// undone or committed before the process is gone.
func dieAt(t *testing.T, s *store.Store, n int, committed bool) {
	t.Helper()
	ctx, die := context.WithCancel(t.Context())
	defer die()
	b, count := books(s), 0
	b.Lot = 2
	calmly := b.Write
	b.Write = func(ctx context.Context, f func(bill.Tx) error) error {
		dying := count == n
		count++
		if dying && !committed {
			die()
		}
		err := calmly(ctx, f)
		if dying {
			die()
		}
		return err
	}
	_, err := b.CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: day(march1)}, noon.AddDate(0, 0, 1))
	if err == nil && count > n+1 {
		t.Errorf("the close went on for %d transactions after its death", count-n-1)
	}
}

func BenchmarkCloseWorkspace(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) { benchmarkClose(b, open(b)) })
	}
}

// benchmarkClose closes a day of workspaces that each used six items and
// reports the workspaces billed in a second.
func benchmarkClose(b *testing.B, s *store.Store) {
	const workspaces = 200
	ctx := b.Context()
	var used []usage.Sample
	if err := s.Write(ctx, func(tx *store.Tx) error {
		payer := account.Billing{ID: "bcac_acme", UserName: "acme", Email: "pay@acme.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		if err := tx.InsertBilling(ctx, payer); err != nil {
			return err
		}
		for i := range workspaces {
			w := workspace.Workspace{
				ID: fmt.Sprintf("wksp_%05d", i), Site: "cn1", Name: "shop", Language: "en", OwnerID: "acnt_1", Plan: workspace.Commercial,
				Generation: 2, State: workspace.Normal, Payer: payer.ID, Settlement: site.BillingCenter, CreatedAt: upgraded, UpgradedAt: upgraded,
			}
			if err := tx.InsertWorkspace(ctx, w); err != nil {
				return err
			}
			for item, class := range map[string]string{"timeseries": "7d", "logs": "14d", "apm_trace": "14d", "rum_pv": "14d", "task_call": "none", "network_host": "none"} {
				key := usage.Key{WorkspaceID: w.ID, Generation: 2, Item: item, Class: class}
				used = append(used, usage.Sample{Key: key, Hour: upgraded.Truncate(time.Hour), Quantity: 1234567})
			}
		}
		return storetest.KeepUsage(ctx, tx, used)
	}); err != nil {
		b.Fatal(err)
	}
	d := day(march1)
	for b.Loop() {
		closed, err := books(s).CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: d}, noon.AddDate(0, 3, 0))
		if err != nil || closed.Parked != 0 || d == day(march1) && closed.Bills != workspaces {
			b.Fatalf("%+v, %v", closed, err)
		}
		b.StopTimer()
		d = d.Add(1)
		storetest.ChangeUsage(b, s, func(sample *usage.Sample) { sample.Hour = sample.Hour.Add(24 * time.Hour) })
		b.StartTimer()
	}
	b.ReportMetric(float64(workspaces*b.N)/b.Elapsed().Seconds(), "workspaces/s")
}

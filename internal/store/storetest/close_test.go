package storetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// busyDay is a day with usage of four workspaces, one of which cannot be billed.
func busyDay(t *testing.T) (*store.Store, []shopOf) {
	t.Helper()
	s := storetest.SQLite(t)
	shops := []shopOf{newShop(t, s, "a"), newShop(t, s, "b"), newShop(t, s, "c"), newShop(t, s, "d")}
	hour := upgraded.Truncate(time.Hour)
	for i, x := range shops {
		class := "14d"
		if i == 1 {
			class = "nonsense"
		}
		x.use(t, "logs", class, hour, int64(i+1)*1_234_567)
	}
	return s, shops
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

// TestCloseMayDieAnywhere stops the close before and after each of its
// transactions and runs it again: the bills are the same to the byte, and
// nothing was paid twice.
func TestCloseMayDieAnywhere(t *testing.T) {
	t.Parallel()
	calm, shops := busyDay(t)
	closeDay(t, calm, march1)
	want := hashes(t, calm, shops)
	for n := range 9 {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprint("write ", n, " committed ", committed), func(t *testing.T) {
				t.Parallel()
				s, shops := busyDay(t)
				dieAt(t, s, n, committed)
				closeDay(t, s, march1)
				if got := hashes(t, s, shops); got != want {
					t.Errorf("after a death: %s\nundisturbed: %s", got, want)
				}
				sound(t, s)
			})
		}
	}
}

// dieAt runs the close until the nth transaction, which is undone or committed
// before the process is gone.
func dieAt(t *testing.T, s *store.Store, n int, committed bool) {
	t.Helper()
	ctx, die := context.WithCancel(t.Context())
	defer die()
	b, count := books(s), 0
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
	hour := period.Micros(upgraded.Truncate(time.Hour))
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
				if _, err := tx.Exec(ctx, `
					INSERT INTO usage_sample (workspace_id, generation, hour, item, counter, class, quantity)
					VALUES ($1, 2, $2, $3, '', $4, 1234567)`, w.ID, hour, item, class); err != nil {
					return err
				}
			}
		}
		return nil
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
		if err := s.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE usage_sample SET hour = hour + $1`, int64(24*time.Hour/time.Microsecond))
			return err
		}); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(workspaces*b.N)/b.Elapsed().Seconds(), "workspaces/s")
}

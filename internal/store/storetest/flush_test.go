package storetest_test

import (
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// BenchmarkFlush adds what a gateway hands over in one batch: 2,000 workspaces
// of six items each, again and again in the same day.
func BenchmarkFlush(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		b.Run(name, func(b *testing.B) { benchmarkFlush(b, open(b), 2000) })
	}
}

func benchmarkFlush(b *testing.B, s *store.Store, workspaces int) {
	ctx := b.Context()
	deltas := make([]usage.Delta, 0, 6*workspaces)
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
				deltas = append(deltas, usage.Delta{Key: usage.Key{WorkspaceID: w.ID, Generation: 2, Item: item, Class: class}, Add: 1234567})
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	seq, hours := int64(0), 0
	for b.Loop() {
		seq++
		hours = (hours + 1) % 24
		for i := range deltas {
			deltas[i].Hour = upgraded.Truncate(time.Hour).Add(time.Duration(hours) * time.Hour)
		}
		batch := usage.Batch{Gateway: "gate_1", Epoch: 1, Seq: seq, Deltas: deltas, Through: noon.Add(time.Duration(seq) * time.Second)}
		if err := s.Write(ctx, func(tx *store.Tx) error { return tx.AddUsage(ctx, batch) }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(workspaces*b.N)/b.Elapsed().Seconds(), "workspaces/s")
}

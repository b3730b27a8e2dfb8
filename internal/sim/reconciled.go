package sim

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
)

// Record is usage that was sealed for a cloud, and what became of it.
type Record struct {
	Cloud       string `json:"cloud"`
	ID          string `json:"id"` // of the account
	Instance    string `json:"instance"`
	WindowStart string `json:"window_start"`
	WindowEnd   string `json:"window_end"`
	Dimension   string `json:"dimension"`
	Quantity    string `json:"quantity"`
	Currency    string `json:"currency"`
	Amount      string `json:"amount"`  // that the quantity stands for
	Carried     string `json:"carried"` // what it left for the next one
	State       string `json:"state"`
}

// Reconciled is what was billed here, sent, and accepted by a cloud, of a
// workspace's month.
type Reconciled struct {
	Cloud     string            `json:"cloud"`
	Month     string            `json:"month"`
	Workspace string            `json:"workspace"`
	Dimension string            `json:"dimension"`
	Currency  string            `json:"currency"`
	Billed    string            `json:"billed"`
	Sent      string            `json:"sent"`
	Accepted  string            `json:"accepted"`
	Apart     map[string]string `json:"apart"` // what explains the differences, by state
}

// sentToClouds gathers the records of usage, and holds them against the bills.
func (p *play) sentToClouds(ctx context.Context, tx *store.Tx, o *Outcome) error {
	records, err := tx.UsageRecords(ctx, store.UsageFilter{}, "", most)
	if err != nil {
		return err
	}
	for _, r := range records {
		o.Cloud = append(o.Cloud, Record{
			Cloud: string(r.Cloud), ID: r.Account, Instance: r.Instance, WindowStart: instant(r.Window.From, time.UTC), WindowEnd: instant(r.Window.To, time.UTC),
			Dimension: r.Dimension, Quantity: r.Quantity.Plain(), Currency: string(r.Amount.Currency()), Amount: r.Amount.String(), Carried: r.Carried.String(), State: string(r.State),
		})
	}
	slices.SortFunc(o.Cloud, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.WindowStart, b.WindowStart), cmp.Compare(a.Cloud, b.Cloud), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Dimension, b.Dimension))
	})
	names := map[string]string{}
	for _, w := range p.shops {
		names[w.id] = w.name
	}
	last := period.DayOf(p.clock.Now(), time.UTC).Add(1).Month() // some site's
	for m := period.DayOf(p.scenario.Start, time.UTC).Add(-1).Month(); !last.First().Before(m.First()); m = m.Next() {
		if err := p.reconciled(ctx, tx, o, m, names); err != nil {
			return err
		}
	}
	return nil
}

func (p *play) reconciled(ctx context.Context, tx *store.Tx, o *Outcome, month period.Month, names map[string]string) error {
	for _, cloud := range connected() {
		if !p.markets[cloud].sells() {
			continue
		}
		of, err := tx.Reconciliation(ctx, cloud, month)
		if err != nil {
			return err
		}
		for _, row := range of.Rows {
			apart := map[string]string{}
			for _, a := range row.Apart {
				apart[string(a.State)] = a.Amount.String()
			}
			o.Reconciled = append(o.Reconciled, Reconciled{
				Cloud: string(cloud), Month: month.String(), Workspace: names[row.WorkspaceID], Dimension: row.Dimension, Currency: string(row.Billed.Currency()),
				Billed: row.Billed.String(), Sent: row.Sent.String(), Accepted: row.Accepted.String(), Apart: apart,
			})
		}
	}
	return nil
}

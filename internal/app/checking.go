package app

import (
	"context"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

// checkBooks verifies the books and keeps what was found for the operator.
func (a *App) checkBooks(ctx context.Context, _ audit.CheckBooks) error {
	_, err := a.verify(ctx)
	return err
}

// verify is a verification whose verdict is kept, and told when it is bad.
func (a *App) verify(ctx context.Context) ([]audit.Finding, error) {
	at := a.clock.Now()
	report, err := Verify(ctx, a.store)
	if err != nil {
		return nil, err
	}
	for _, f := range report.Findings[:min(len(report.Findings), audit.MostKept)] {
		a.log.Error("the books do not hold", "invariant", f.Invariant, "subject", f.Subject, "detail", f.Detail)
	}
	return report.Findings, a.store.Write(ctx, func(tx *store.Tx) error {
		return tx.KeepVerdict(ctx, audit.Verdict{At: at, Findings: report.Findings})
	})
}

// checking falls due every night.
func (a *App) checking() job.Task {
	return job.Task{
		Name: "verify the books",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) {
			last, err := tx.LastVerdict(ctx)
			return audit.NextCheck(last), true, err
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			last, err := tx.LastVerdict(ctx)
			if err != nil {
				return err
			}
			due := audit.NextCheck(last)
			if due.After(at) { // it was done since somebody looked
				return nil
			}
			return tx.Enqueue(ctx, audit.CheckBooks{Due: due.UTC()})
		},
	}
}

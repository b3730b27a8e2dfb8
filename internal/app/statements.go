package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
)

// statementsWait is how long the statements of a month wait for a site whose
// days are not closed. Its bills go on the next statement then.
const statementsWait = 48 * time.Hour

// statements is where statements are made.
func (a *App) statements() statement.Desk {
	return statement.Desk{Catalog: a.catalog, Patience: statementsWait, Write: func(ctx context.Context, f func(statement.Tx) error) error {
		return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
	}}
}

// restate makes a parked statement again.
func (a *App) restate(ctx context.Context, accountID string, m period.Month) (statement.Statement, error) {
	return a.statements().Issue(ctx, accountID, m, a.clock.Now())
}

func (a *App) registerStatements() {
	desk := a.statements()
	job.Register(a.runner, func(ctx context.Context, m statement.IssueMonth) error {
		run, err := desk.IssueMonth(ctx, m, a.clock.Now())
		switch {
		case errors.Is(err, statement.ErrDaysOpen):
			return job.Wait(waitAgain)
		case err != nil:
			return fmt.Errorf("statements of %s in %s: %w", m.Month, m.Currency, err)
		}
		a.log.Info("statements issued", "currency", m.Currency, "month", m.Month, "statements", run.Statements, "parked", run.Parked)
		return nil
	})
}

// issuing is the calendar's task of monthly statements, statement.issue.
func (a *App) issuing() job.Task {
	return job.Task{
		Name: "issue statements",
		Next: func(ctx context.Context, tx *store.Tx) (earliest time.Time, any bool, err error) {
			for _, c := range money.Currencies() {
				m, some, err := statement.Next(ctx, tx, c)
				if err != nil {
					return earliest, any, err
				}
				if !some {
					continue
				}
				if at := statement.DueAt(c, m); !any || at.Before(earliest) {
					earliest, any = at, true
				}
			}
			return earliest, any, nil
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			for _, c := range money.Currencies() {
				m, some, err := statement.Next(ctx, tx, c)
				if err != nil {
					return err
				}
				if !some || at.Before(statement.DueAt(c, m)) {
					continue
				}
				if err := tx.Enqueue(ctx, statement.IssueMonth{Currency: c, Month: m.String()}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

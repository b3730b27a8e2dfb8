package main

import (
	"context"
	"fmt"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

// verifyCommand checks the books of a store, running or not.
type verifyCommand struct{ installation }

// Run prints one line per invariant and exits 1 when one does not hold.
func (c *verifyCommand) Run(ctx context.Context) error {
	return c.with(ctx, func(s *store.Store, _ *job.Clock) error {
		report, err := app.Verify(ctx, s)
		if err != nil {
			return err
		}
		fmt.Print(report)
		if !report.OK() {
			return &exit{1}
		}
		return nil
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tollgate.dev/internal/app"
)

// verifyCommand checks the books of a store, running or not.
type verifyCommand struct {
	Data  string `help:"Data folder of the installation." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
	Store string `help:"sqlite:PATH or postgres://…; empty is SQLite in the data folder." env:"TOLLGATE_STORE"`
}

// Run prints one line per invariant and exits 1 when one does not hold.
func (c *verifyCommand) Run(ctx context.Context) (err error) {
	if _, err := os.Stat(c.Data); err != nil && c.Store == "" {
		return fmt.Errorf("there is no installation in the data folder: %w", err)
	}
	s, err := app.OpenStore(ctx, c.Store, c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	report, err := app.Verify(ctx, s)
	if err != nil {
		return err
	}
	fmt.Print(report)
	if !report.OK() {
		return &exit{1}
	}
	return nil
}

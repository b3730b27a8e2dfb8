package main

import (
	"context"
	"errors"
	"os"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
)

// source finds the catalogue: a file's, an installation's, or the one that is
// shipped. An installation has its own today, and accounts with agreed prices.
func (c *priceCommand) source(ctx context.Context, p *pricing) {
	installed := c.Data != "" || c.Store != ""
	if c.Account != "" && !installed {
		p.wrong("--account", "is of an installation: name it with --data or --store")
	}
	switch {
	case installed && c.Catalog != "":
		p.wrong("--catalog", "an installation has its own catalogue: leave out --catalog, or --data and --store")
	case installed:
		c.installed(ctx, p)
	case c.Catalog != "":
		text, err := os.ReadFile(c.Catalog)
		if err == nil {
			p.catalog, err = catalog.Load(text)
		}
		if err != nil {
			p.wrong("--catalog", "%v", err)
		}
	default:
		p.catalog = catalog.Default()
	}
}

// installed reads the catalogue of a store, and what is agreed with the account.
func (c *priceCommand) installed(ctx context.Context, p *pricing) {
	from := installation{Data: c.Data, Store: c.Store}
	err := from.with(ctx, func(s *store.Store, clock *job.Clock) error {
		p.today = period.DayOf(clock.Now(), time.UTC)
		return s.Read(ctx, func(tx *store.Tx) (err error) {
			if p.catalog, _, err = catalog.Default().Whole(ctx, tx); err != nil || c.Account == "" {
				return err
			}
			p.payer, err = tx.BillingByID(ctx, c.Account)
			if errors.Is(err, account.ErrUnknown) {
				p.payer, err = tx.BillingByName(ctx, c.Account)
			}
			if errors.Is(err, account.ErrUnknown) {
				p.wrong("--account", "the installation has no Billing Center account %q", c.Account)
				return nil
			}
			if err == nil {
				p.agreed, err = tx.OverridesOf(ctx, p.payer.ID)
			}
			return err
		})
	})
	if err == nil {
		return
	}
	p.catalog = nil
	argument := "--store"
	if c.Store == "" {
		argument = "--data"
	}
	if f := fault.From(err); f.Kind != fault.Internal {
		p.wrong(argument, "%s", f.Message)
		return
	}
	p.wrong(argument, "%v", err)
}

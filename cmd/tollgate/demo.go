package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/site"
)

// demoCommand runs everything with no outside service: embedded store, built-in
// mail server with a mailbox page, movable clock, and a team that reports.
type demoCommand struct {
	Data          string `help:"Folder that keeps the demo between runs; delete it to begin anew." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
	Store         string `help:"sqlite:PATH or postgres://…; empty is SQLite in the data folder." env:"TOLLGATE_STORE"`
	Listen        string `help:"Address of the consoles." default:"127.0.0.1:8080"`
	GatewayListen string `help:"Address of the collectors' door." default:"127.0.0.1:8081"`
	Profile       string `help:"Which settlement methods sites offer: seed or newer." default:"seed" enum:"seed,newer"`

	approvalFlags
}

// Run serves until the process is told to stop.
func (c *demoCommand) Run(ctx context.Context, log *slog.Logger) error {
	limits, err := c.limits()
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, app.Config{
		Data: c.Data, Store: c.Store, Listen: c.Listen, GatewayListen: c.GatewayListen,
		Sink: "local", Profile: site.Profile(c.Profile), Sandbox: true, Demo: true, Version: version, Log: log, Limits: limits,
		Bank: billingcenter.Beneficiary{Holder: "Demo Operator Ltd", Bank: "Demo Bank", Number: "0000 0000 0000 0000"},
	})
	if err != nil {
		return err
	}
	return a.Run(ctx, func() { fmt.Fprint(os.Stdout, a.Welcome()) })
}

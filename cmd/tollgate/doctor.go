package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
)

// doctorCommand examines an installation, running or not. Give it the
// environment of serve.
type doctorCommand struct {
	installation
	Output     string `short:"o" help:"text or json." default:"text" enum:"text,json"`
	Production bool   `help:"A simulator or a moved clock is a failure and not a warning."`

	SMTPAddress  string `help:"host:port of the mail server." env:"TOLLGATE_SMTP_ADDRESS"`
	SMTPFrom     string `hidden:"" default:"Tollgate <no-reply@localhost.localdomain>" env:"TOLLGATE_SMTP_FROM"`
	SMTPUser     string `hidden:"" env:"TOLLGATE_SMTP_USER"`
	SMTPPassword string `hidden:"" env:"TOLLGATE_SMTP_PASSWORD"`
	SMTPSecurity string `help:"opportunistic, mandatory, implicit or none." default:"opportunistic" enum:"opportunistic,mandatory,implicit,none" env:"TOLLGATE_SMTP_SECURITY"`

	StripeAPI     string `hidden:"" env:"TOLLGATE_STRIPE_API"`
	AlipayGateway string `hidden:"" env:"TOLLGATE_ALIPAY_GATEWAY"`

	marketFlags
	secretKeyFlags
}

// Run prints a line for each thing looked at and ends with 1 when one fails.
func (c *doctorCommand) Run(ctx context.Context) error {
	markets, err := c.markets()
	if err != nil {
		return err
	}
	ring, keys := c.ring()
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		found, err := app.Patient{
			Store: s, Now: clock.Now(), Real: time.Now(), Data: c.Data, Elsewhere: c.elsewhere(), Production: c.Production, Markets: markets, Secrets: ring, Keys: keys,
			Mail: notify.Server{Address: c.SMTPAddress, From: c.SMTPFrom, User: c.SMTPUser, Password: c.SMTPPassword, Security: notify.Security(c.SMTPSecurity)},
		}.Examine(ctx)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
				return err
			}
		}
		failed := false
		for _, f := range found {
			failed = failed || f.Health == app.Ill
			if c.Output == "text" {
				fmt.Printf("%-5s %s: %s\n", f.Health, f.What, f.Says)
			}
		}
		if failed {
			return &exit{1}
		}
		return nil
	})
}

// elsewhere are the vendors that are reached at another address than their own.
func (c *doctorCommand) elsewhere() map[string]string {
	all := map[string]string{}
	for name, address := range map[string]string{
		"Stripe": c.StripeAPI, "Alipay": c.AlipayGateway, "Alibaba Cloud": c.Alibaba.API, "Alibaba Cloud International": c.AlibabaIntl.API,
		"AWS Marketplace": c.AWSMetering, "Huawei Cloud": c.HuaweiAPI,
	} {
		if address != "" {
			all[name] = address
		}
	}
	return all
}

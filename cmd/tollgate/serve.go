package main

import (
	"context"
	"log/slog"
	"time"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/site"
)

// serveCommand runs an installation with a mail server of the operator's.
type serveCommand struct {
	Data          string        `help:"Folder of the embedded store, the records and the spool." default:"tollgate-data" env:"TOLLGATE_DATA" type:"path"`
	Store         string        `help:"sqlite:PATH or postgres://…; empty is SQLite in the data folder." env:"TOLLGATE_STORE"`
	Listen        string        `help:"Address of the consoles and the API." default:"127.0.0.1:8080" env:"TOLLGATE_LISTEN"`
	GatewayListen string        `help:"Address of the collectors' door." default:"127.0.0.1:8081" env:"TOLLGATE_GATEWAY_LISTEN"`
	BaseURL       string        `help:"How browsers reach the consoles." env:"TOLLGATE_BASE_URL"`
	GatewayURL    string        `help:"How collectors reach the gateway." env:"TOLLGATE_GATEWAY_URL"`
	Sink          string        `help:"Where records go: local or discard." default:"local" enum:"local,discard" env:"TOLLGATE_SINK"`
	Profile       string        `help:"Which settlement methods sites offer: seed or newer." default:"seed" enum:"seed,newer" env:"TOLLGATE_PROFILE"`
	Site          []site.ID     `help:"Sites whose tokens the gateway takes; all when none is named." env:"TOLLGATE_SITE"`
	FlushEvery    time.Duration `help:"How often usage goes from the spool to the store." default:"1s" env:"TOLLGATE_FLUSH_EVERY"`
	ShareReports  int           `help:"Reports of one workspace at a time; more wait, then are answered 503. 0 for no bound." default:"16" env:"TOLLGATE_SHARE_REPORTS"`
	ShareBytes    int64         `help:"Bytes a second that one workspace may report, packed; more is answered 503. 0 for no bound." default:"0" env:"TOLLGATE_SHARE_BYTES"`
	TrustedProxy  []string      `help:"Addresses or networks of the proxies in front, whose X-Forwarded-For is believed." env:"TOLLGATE_TRUSTED_PROXY"`
	Sandbox       bool          `help:"A clock that can be moved forward. Never in production." env:"TOLLGATE_SANDBOX"`

	SMTPAddress  string `help:"host:port of the mail server." required:"" env:"TOLLGATE_SMTP_ADDRESS"`
	SMTPFrom     string `help:"Sender of mails." default:"Tollgate <no-reply@localhost.localdomain>" env:"TOLLGATE_SMTP_FROM"`
	SMTPUser     string `help:"Login at the mail server." env:"TOLLGATE_SMTP_USER"`
	SMTPPassword string `help:"Password at the mail server." env:"TOLLGATE_SMTP_PASSWORD"`
	SMTPSecurity string `help:"opportunistic, mandatory, implicit or none." default:"opportunistic" enum:"opportunistic,mandatory,implicit,none" env:"TOLLGATE_SMTP_SECURITY"`

	channelFlags
	marketFlags
	secretKeyFlags
	approvalFlags

	BankHolder string `help:"Holder of the bank account that payers transfer to." env:"TOLLGATE_BANK_HOLDER"`
	BankName   string `help:"Its bank." env:"TOLLGATE_BANK_NAME"`
	BankNumber string `help:"Its number." env:"TOLLGATE_BANK_NUMBER"`

	OperatorEmail    string `help:"Makes an operator account of this address at the first start." env:"TOLLGATE_OPERATOR_EMAIL"`
	OperatorPassword string `help:"Its password." env:"TOLLGATE_OPERATOR_PASSWORD"`
}

// config reads the flags, the environment and the files that they name.
func (c *serveCommand) config(log *slog.Logger) (out app.Config, err error) {
	channels, err := c.channels()
	if err != nil {
		return out, err
	}
	limits, err := c.limits()
	if err != nil {
		return out, err
	}
	markets, err := c.markets()
	if err != nil {
		return out, err
	}
	ring, err := c.ring()
	if err != nil {
		return out, err
	}
	return app.Config{
		Channels: channels, Limits: limits, Markets: markets, Secrets: ring,
		Data: c.Data, Store: c.Store, Listen: c.Listen, GatewayListen: c.GatewayListen,
		BaseURL: c.BaseURL, GatewayURL: c.GatewayURL, Sink: c.Sink, Profile: site.Profile(c.Profile),
		Proxies: c.TrustedProxy, Sites: c.Site, Sandbox: c.Sandbox, FlushEvery: c.FlushEvery, Share: gateway.Share{Reports: c.ShareReports, Bytes: c.ShareBytes}, Version: version, Log: log,
		Bank: billingcenter.Beneficiary{Holder: c.BankHolder, Bank: c.BankName, Number: c.BankNumber},
		Mail: notify.Server{
			Address: c.SMTPAddress, From: c.SMTPFrom, User: c.SMTPUser, Password: c.SMTPPassword,
			Security: notify.Security(c.SMTPSecurity),
		},
	}, nil
}

// Run serves until the process is told to stop.
func (c *serveCommand) Run(ctx context.Context, log *slog.Logger) error {
	config, err := c.config(log)
	if err != nil {
		return err
	}
	a, err := app.Open(ctx, config)
	if err != nil {
		return err
	}
	if c.OperatorEmail != "" {
		if err := a.AddOperator(ctx, c.OperatorEmail, c.OperatorPassword); err != nil {
			return a.CloseAfter(err)
		}
	}
	return a.Run(ctx, func() {
		log.Info("ready", "consoles", a.BaseURL(), "gateway", a.GatewayURL())
	})
}

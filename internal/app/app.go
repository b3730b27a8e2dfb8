package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/demo"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/mailbox"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/till"
	"tollgate.dev/internal/topup"
)

// App is an open installation. Its parts start and stop in Run.
type App struct {
	config   Config
	log      *slog.Logger
	store    *store.Store
	till     *till.Till
	clock    *job.Clock
	catalog  *catalog.Catalog
	sink     sink.Sink
	gateway  *gateway.Gateway
	runner   *job.Runner
	calendar *job.Calendar
	send     func(context.Context, notify.Mail) error // to the mail server
	flush    func(context.Context) error              // what the gateway counted, to the store
	unwatch  func()                                   // ends the reading of added catalogue versions
	mailbox  *mailbox.Mailbox                         // demo only
	people   *demo.Collector                          // demo only
	desk     *topup.Desk
	clouds   *marketplace.Desk
	doors    *hooks.Clouds
	given    map[secret.Place]bool      // credentials of clouds that the settings hold
	unsealed map[secret.Place]time.Time // stored ones in use, and when each was entered
	follow   func()                     // ends the reading of AWS's events
	sims     *sims                      // demo only
	markets  *marketSims                // demo only
	played   bool                       // a simulation: nobody watches over it
	doorKey  string                     // opens the sandbox's clock for tools

	web, door, smtp     net.Listener
	baseURL, gatewayURL string
	ready               readiness
}

// Open opens the parts in order: folder, addresses, store, clock, sink,
// gateway, jobs. Nothing is served yet.
func Open(ctx context.Context, c Config) (*App, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	a := &App{config: c, log: c.Log}
	for _, open := range []func(context.Context) error{
		a.listen, a.openStore, a.openMail, a.openTopups, a.openClouds, a.openSink, a.openGateway, a.openJobs, a.openDemo,
	} {
		if err := open(ctx); err != nil {
			return nil, a.CloseAfter(err)
		}
	}
	return a, nil
}

func (a *App) listen(ctx context.Context) (err error) {
	var l net.ListenConfig
	if a.web, err = l.Listen(ctx, "tcp", a.config.Listen); err != nil {
		return fmt.Errorf("listen for browsers: %w", err)
	}
	if a.door, err = l.Listen(ctx, "tcp", a.config.GatewayListen); err != nil {
		return fmt.Errorf("listen for collectors: %w", err)
	}
	a.baseURL, a.gatewayURL = urlOf(a.config.BaseURL, a.web), urlOf(a.config.GatewayURL, a.door)
	return nil
}

func (a *App) openStore(ctx context.Context) (err error) {
	a.catalog = catalog.Default().Shipped()
	if a.store, err = OpenStore(ctx, a.config.Store, a.config.Data); err != nil {
		return err
	}
	a.store.LinkTo(a.baseURL)
	a.clock = job.Real()
	if a.config.Sandbox {
		if a.clock, err = job.Sandbox(ctx, a.store); err != nil {
			return err
		}
	}
	a.till = till.Open(a.store, a.clock.Now)
	return a.reloadCatalog(ctx)
}

// openMail opens the way out for mails: the demo's own mailbox, or the
// operator's server.
func (a *App) openMail(ctx context.Context) (err error) {
	server := a.config.Mail
	if a.config.Demo {
		var l net.ListenConfig
		if a.smtp, err = l.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listen for mails: %w", err)
		}
		a.mailbox = mailbox.New(mailbox.Config{Now: a.clock.Now, Logger: a.log})
		server = notify.Server{Address: a.smtp.Addr().String(), From: "Tollgate <no-reply@tollgate.example>", Security: notify.Plain}
	}
	sender, err := notify.NewSender(server)
	if err != nil {
		return err
	}
	a.send = sender.Send
	return nil
}

func (a *App) openSink(context.Context) (err error) {
	if a.config.Sink == "discard" {
		a.sink = sink.Discard{}
		return nil
	}
	a.sink, err = sink.OpenLocal(filepath.Join(a.config.Data, "records"), a.log)
	return err
}

const secretSetting = "meter.secret"

// secret is the installation's key for the hashes of exact sets, made at the
// first start. It never changes: sets of different keys cannot be joined.
func (a *App) secret(ctx context.Context) (key [32]byte, err error) {
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		text, ok, err := tx.Setting(ctx, secretSetting)
		if err != nil {
			return err
		}
		if !ok {
			if _, err := rand.Read(key[:]); err != nil {
				return err
			}
			return tx.SetSetting(ctx, secretSetting, base64.StdEncoding.EncodeToString(key[:]))
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(raw) != len(key) {
			return fmt.Errorf("setting %s is not 32 bytes in base64", secretSetting)
		}
		copy(key[:], raw)
		return nil
	})
	return key, err
}

// AddOperator makes an administrator unless the address has an account.
func (a *App) AddOperator(ctx context.Context, email, password string) error {
	hash, err := account.HashPassword(password)
	if err != nil {
		return err
	}
	err = a.store.Write(ctx, func(tx *store.Tx) error {
		_, err := account.AddOperator(ctx, tx, account.OperatorDraft{Email: email, Role: account.Admin}, hash, account.CommandLine, a.clock.Now())
		return err
	})
	if errors.Is(err, account.ErrOperatorTaken) {
		return nil
	}
	return err
}

// BaseURL is how browsers reach the consoles.
func (a *App) BaseURL() string { return a.baseURL }

// GatewayURL is how collectors reach the gateway.
func (a *App) GatewayURL() string { return a.gatewayURL }

// CloseAfter closes what is open and gives the error that led to it.
func (a *App) CloseAfter(err error) error { return errors.Join(err, a.close()) }

func (a *App) close() error {
	var errs []error
	for _, l := range []net.Listener{a.web, a.door, a.smtp} {
		if l != nil {
			_ = l.Close() // a server may have closed it already
		}
	}
	if a.sink != nil {
		errs = append(errs, a.sink.Close())
	}
	if a.till != nil {
		a.till.Close()
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

// stopWithin bounds each part of a clean shutdown.
const stopWithin = 20 * time.Second

// headers must arrive soon; bodies have their own deadlines in the doors.
const headersWithin = 10 * time.Second

func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: headersWithin, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

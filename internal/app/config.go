// Package app puts the house together: it opens the store, the sink, the
// gateway, the consoles and the jobs, starts them in order and stops them in
// the opposite order. It holds no rule of its own.
package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/postgres"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/wallet"
)

// Config is everything that an installation may set.
type Config struct {
	Data          string // the folder of the embedded store, the records and the spool
	Store         string // empty: SQLite in Data; sqlite:PATH; postgres://…
	Listen        string // address of the consoles and the API
	GatewayListen string // address of the collectors' door
	BaseURL       string // how browsers reach the consoles; empty: http:// and Listen
	GatewayURL    string // how collectors reach the gateway; empty: http:// and GatewayListen
	Sink          string // local or discard
	Mail          notify.Server
	Profile       site.Profile
	Sites         []site.ID                 // whose tokens the gateway takes; empty for all
	Sandbox       bool                      // a movable clock; never in production
	Demo          bool                      // mailbox, demo people, a team that reports
	Proxies       []string                  // addresses and networks whose X-Forwarded-For is believed
	Bank          billingcenter.Beneficiary // where payers transfer to
	Channels      Channels                  // by which payers pay online
	Limits        wallet.Limits             // above which two operators credit a bank transfer
	Markets       Markets                   // of clouds, that settle
	Secrets       secret.Ring               // seals the credentials of clouds that operators enter
	Clouds        []marketplace.Cloud       // further ones, of a simulation
	Version       string
	FlushEvery    time.Duration // from the gateway's spool to the store
	Share         gateway.Share // what one workspace may take of the gateway
	Log           *slog.Logger
}

// Faults of a configuration end the start; they are for the operator's terminal.
func (c Config) check() error {
	switch {
	case c.Data == "":
		return fmt.Errorf("a data folder is needed")
	case c.Sink != "local" && c.Sink != "discard":
		return fmt.Errorf("sink %q: choose local or discard", c.Sink)
	case c.Profile != site.Seed && c.Profile != site.Newer:
		return fmt.Errorf("site profile %q: choose seed or newer", c.Profile)
	case len(unknown(c.Sites)) > 0:
		return fmt.Errorf("site %q: there is no such site", unknown(c.Sites)[0])
	case !c.Demo && c.Mail.Address == "":
		return fmt.Errorf("a mail server is needed: the upgrade sends codes by mail")
	}
	return nil
}

// unknown lists the sites that do not exist.
func unknown(sites []site.ID) []site.ID {
	return slices.DeleteFunc(slices.Clone(sites), func(s site.ID) bool {
		_, err := site.Find(s)
		return err == nil
	})
}

// isPostgres reports whether a URL names a PostgreSQL database.
func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// sqlitePath is the file of a store that is no PostgreSQL database; empty is
// the one in the folder.
func sqlitePath(url, folder string) (string, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	switch {
	case url == "":
		return filepath.Join(folder, "tollgate.db"), nil
	case !ok:
		return "", fmt.Errorf("store %q: use sqlite:PATH or postgres://…", url)
	}
	return path, nil
}

// OpenExisting opens the store of an installation that is there: a file that
// is not is refused and not made, so that a mistyped path is no empty
// installation.
func OpenExisting(ctx context.Context, url, folder string) (*store.Store, error) {
	if !isPostgres(url) {
		path, err := sqlitePath(url, folder)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("there is no installation: %w", err)
		}
	}
	return OpenStore(ctx, url, folder)
}

// OpenStore opens the store that a URL names, and makes the file where there
// is none; empty is SQLite in the folder.
func OpenStore(ctx context.Context, url, folder string) (*store.Store, error) {
	if isPostgres(url) {
		e, err := postgres.Open(ctx, url)
		if err != nil {
			return nil, err
		}
		return store.New(e), nil
	}
	path, err := sqlitePath(url, folder)
	if err != nil {
		return nil, err
	}
	e, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return store.New(e), nil
}

// urlOf is the address of a listener as a browser on this machine writes it.
func urlOf(configured string, l net.Listener) string {
	if configured != "" {
		return strings.TrimSuffix(configured, "/")
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

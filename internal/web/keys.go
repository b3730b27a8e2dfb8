package web

import (
	"context"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

// KeysPage is the API keys of a workspace, of a Billing Center account, or of
// the platform's services.
type KeysPage struct {
	Frame   Frame
	Form    *Form
	Path    string // of the page
	Lede    string // what the keys read
	Note    string // who may read what with them
	Address string // of the installation, for the example
	Example string // of a call; empty for one that reads
	Fresh   *FreshKey
	Keys    []KeyRow
	Zone    *time.Location
	Today   period.Day // for the example
}

// FreshKey is a key that was made by this very request. Its secret is nowhere
// else: not in the store, not in a session, not on the next page.
type FreshKey struct {
	Name   string
	Secret string
}

// example is a first call with the key.
func (p KeysPage) example() string {
	if p.Example != "" {
		return strings.ReplaceAll(p.Example, "$KEY", p.Fresh.Secret)
	}
	return "curl -H 'Authorization: Bearer " + p.Fresh.Secret + "' \\\n  '" + p.Address + "/api/v1/billing/summary?from=" + p.Today.Month().First().String() + "&to=" + p.Today.String() + "'"
}

// KeyRow is a key in the list.
type KeyRow struct {
	Key   account.Key
	Maker string
	Reads string // what it reads now
	Stops bool   // it works no more though nobody revoked it
}

// KeyRows are keys that all may do the same while they work.
func KeyRows(ctx context.Context, keys []account.Key, may string, maker func(account.Key) string) []KeyRow {
	var rows []KeyRow
	for _, k := range keys {
		row := KeyRow{Key: k, Maker: maker(k), Reads: may}
		if k.Revoked() {
			row.Reads = T(ctx, "keys.reads_none")
		}
		rows = append(rows, row)
	}
	return rows
}

// state is the sign of what a key is good for.
func (k KeyRow) state(ctx context.Context) (Tone, string) {
	switch {
	case k.Key.Revoked():
		return Plain, T(ctx, "keys.state.revoked")
	case k.Stops:
		return Bad, T(ctx, "keys.state.stopped")
	}
	return Good, T(ctx, "keys.state.works")
}

// used is when a key was last used.
func (k KeyRow) used(ctx context.Context) string {
	if k.Key.UsedOn.IsZero() {
		return T(ctx, "keys.never")
	}
	return k.Key.UsedOn.String()
}

// RevokeKeyPage asks whether a key shall work no more.
type RevokeKeyPage struct {
	Frame Frame
	Path  string // of the list
	Row   KeyRow
	Zone  *time.Location
}

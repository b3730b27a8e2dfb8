package web

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

// KeysPage is the API keys of a workspace or of a Billing Center account.
type KeysPage struct {
	Frame   Frame
	Form    *Form
	Path    string // of the page
	Lede    string // what the keys read
	Note    string // who may read what with them
	Address string // of the installation, for the example
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
	return "curl -H 'Authorization: Bearer " + p.Fresh.Secret + "' \\\n  '" + p.Address + "/api/v1/billing/summary?from=" + p.Today.Month().First().String() + "&to=" + p.Today.String() + "'"
}

// KeyRow is a key in the list.
type KeyRow struct {
	Key   account.Key
	Maker string
	Reads string // what it reads now
	Stops bool   // it works no more though nobody revoked it
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

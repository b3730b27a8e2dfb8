package web

import (
	"context"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
)

// KeysPage is the API keys of a workspace, of a Billing Center account, or of
// the platform's services.
type KeysPage struct {
	Frame   Frame
	Form    *Form
	Path    string // of the page
	Words   KeyWords
	Fields  templ.Component // what the form asks besides the name; may be nil
	Address string          // of the installation, for the example
	Fresh   *FreshKey
	Keys    []KeyRow
	Zone    *time.Location
	Today   period.Day // for the example
}

// KeyWords is what the page says of its keys.
type KeyWords struct {
	Title    string
	Lede     string // what the keys do
	Note     string // who may do what with them
	NameHint string
	May      string // the head of the column that says what a key may do
	Try      string // above the example of a call
}

// ReadingKeys are the words for keys that read.
func ReadingKeys(ctx context.Context, lede, note string) KeyWords {
	return KeyWords{
		Title: T(ctx, "keys.title"), Lede: lede, Note: note, NameHint: T(ctx, "keys.name_hint"), May: T(ctx, "keys.reads"), Try: T(ctx, "keys.example"),
	}
}

// FreshKey is a key that was made by this very request. Its secret is nowhere
// else: not in the store, not in a session, not on the next page.
type FreshKey struct {
	Name    string
	Secret  string
	Example string // of a call, "$KEY" for the secret; empty for one that reads
}

// example is a first call with the key.
func (p KeysPage) example() string {
	if p.Fresh.Example != "" {
		return strings.ReplaceAll(p.Fresh.Example, "$KEY", p.Fresh.Secret)
	}
	return "curl -H 'Authorization: Bearer " + p.Fresh.Secret + "' \\\n  '" + p.Address + "/api/v1/billing/summary?from=" + p.Today.Month().First().String() + "&to=" + p.Today.String() + "'"
}

// KeyRow is a key in the list.
type KeyRow struct {
	Key   account.Key
	Maker string
	May   string // what it may do now
	Stops bool   // it works no more though nobody revoked it
}

// KeyRows are keys that none stopped but who revoked them.
func KeyRows(ctx context.Context, keys []account.Key, may, maker func(account.Key) string) []KeyRow {
	var rows []KeyRow
	for _, k := range keys {
		row := KeyRow{Key: k, Maker: maker(k), May: may(k)}
		if k.Revoked() {
			row.May = T(ctx, "keys.reads_none")
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

package api

import (
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// PaidWorkspace is a workspace that a Billing Center account pays for.
type PaidWorkspace struct {
	ID         string     `json:"id"`
	Site       string     `json:"site"`
	Name       string     `json:"name"`
	State      string     `json:"state" enum:"normal,grace,locked,cleared,dissolved"`
	Settlement string     `json:"settlement" example:"billing_center"`
	UpgradedAt *time.Time `json:"upgraded_at,omitempty"`
}

func listPaidWorkspaces(c *call, in *struct{ Paged }) (*Page[PaidWorkspace], error) {
	all, err := c.tx.WorkspacesPaidBy(c, c.AccountID)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "paid_workspaces", all, func(w workspace.Workspace) string { return w.ID }, func(w workspace.Workspace) PaidWorkspace {
		return PaidWorkspace{w.ID, string(w.Site), w.Name, string(w.State), string(w.Settlement), instant(w.UpgradedAt, w.Site)}
	})
}

// Entry is one movement of a payer's money: income or expense.
type Entry struct {
	Number  int64         `json:"number" doc:"Its place in the account's ledger, from 1."`
	Kind    string        `json:"kind" example:"charge"`
	Cause   string        `json:"cause" doc:"What is behind it: a transfer, a voucher, a card or a bill; close:SITE:DAY for the bills of a day, which name the entry." example:"close:cn1:2026-03-01"`
	At      time.Time     `json:"at"`
	Changes []EntryChange `json:"changes" nullable:"false"`
}

// EntryChange is what a movement did to one balance of the account.
type EntryChange struct {
	Balance string `json:"balance" doc:"cash, voucher, full_reduction, card or arrears." example:"cash"`
	Source  string `json:"source,omitempty" doc:"Which voucher or card."`
	Change  Amount `json:"change" doc:"Below zero: less than before."`
}

// entryOf shows the account's side of a movement.
func entryOf(e wallet.Entry) Entry {
	shown := Entry{Number: e.Number, Kind: string(e.Kind), Cause: e.Cause, At: e.At.UTC(), Changes: []EntryChange{}}
	for _, p := range e.Postings {
		if p.Account.Payer() != e.Payer {
			continue
		}
		kind, rest, _ := strings.Cut(string(p.Account), ":")
		_, source, _ := strings.Cut(rest, ":")
		shown.Changes = append(shown.Changes, EntryChange{kind, source, amountOf(p.Amount)})
	}
	return shown
}

// within asks for movements of a time.
type within struct {
	Paged
	From time.Time `query:"from" doc:"The first instant."`
	To   time.Time `query:"to" doc:"The instant behind the last."`
	Kind string    `query:"kind" maxLength:"32" doc:"Only entries of this kind." example:"charge"`
}

func listEntries(c *call, in *within) (*Page[Entry], error) {
	place, err := in.after("entries")
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil || before < 1 {
			return nil, ErrCursor.On("cursor")
		}
	}
	entries, err := c.tx.LedgerEntriesIn(c, c.AccountID, store.Range{From: in.From, To: in.To, Kind: wallet.Kind(in.Kind)}, before, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "entries", entries, func(e wallet.Entry) string { return strconv.FormatInt(e.Number, 10) }, entryOf), nil
}

package bill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

// Change is what was billed and what it would have been.
type Change struct{ Before, After money.Amount }

// Difference is what would have been billed more.
func (c Change) Difference() (money.Amount, error) { return c.After.Sub(c.Before) }

func (c *Change) add(before, after money.Amount) error {
	var err error
	if c.Before, err = c.Before.Add(before); err != nil {
		return err
	}
	c.After, err = c.After.Add(after)
	return err
}

// ItemChange is the change of one item.
type ItemChange struct {
	Item string
	Change
}

// WhatIfRow is the change for a workspace and one of its payers.
type WhatIfRow struct {
	WorkspaceID string
	Payer       string
	Currency    money.Currency
	Bills       int
	Change
	Items []ItemChange // in catalogue order
}

// Unrated is a bill that the version could not have made.
type Unrated struct {
	Bill   Bill
	Reason *fault.Error
}

// WhatIf is what a catalogue version would have made of the bills of a month.
// Agreed prices stay as they were. It keeps and moves nothing.
type WhatIf struct {
	Version    *catalog.Version
	Month      period.Month
	Workspaces int
	Bills      int
	Totals     map[money.Currency]*Change
	Items      map[money.Currency][]ItemChange // in catalogue order
	Accounts   map[string]*Change              // by payer
	Unrated    []Unrated                       // the first of them
	Failed     int                             // how many there are; they are in no sum
	Next       string                          // the workspace to go on after; empty: all were looked at

	catalog *catalog.Catalog
	tariffs map[catalog.Market]*rate.Tariff
	same    map[string]bool // by version of a bill: whether it counts as this one does
}

// mostUnrated bounds the bills that are named for what is wrong with them.
const mostUnrated = 20

// WhatIfTx is what trying a version needs of a transaction.
type WhatIfTx interface {
	// WorkspacesBilled lists workspaces that have bills of the days, by ID after the given one.
	WorkspacesBilled(ctx context.Context, first, last period.Day, after string, limit int) ([]string, error)
	// BillsOf lists a workspace's bills of the days, the newest first.
	BillsOf(ctx context.Context, workspaceID string, first, last period.Day, limit int) ([]Bill, error)
	ShareTx
}

// NewWhatIf starts to try a version on a month's bills. The catalogue is the
// one that the bills were made by.
func NewWhatIf(c *catalog.Catalog, v *catalog.Version, m period.Month) *WhatIf {
	return &WhatIf{
		Version: v, Month: m, catalog: c,
		Totals: map[money.Currency]*Change{}, Items: map[money.Currency][]ItemChange{}, Accounts: map[string]*Change{},
		tariffs: map[catalog.Market]*rate.Tariff{}, same: map[string]bool{},
	}
}

// Walk tries the version on the bills of so many workspaces behind the given
// one, adds them to the sums, and gives a row for each. Next tells where to go on.
func (w *WhatIf) Walk(ctx context.Context, tx WhatIfTx, after string, limit int) ([]WhatIfRow, error) {
	first, last := w.Month.First(), w.Month.Last()
	ids, err := tx.WorkspacesBilled(ctx, first, last, after, limit+1)
	if err != nil {
		return nil, fmt.Errorf("workspaces billed in %s: %w", w.Month, err)
	}
	w.Next = ""
	if len(ids) > limit {
		ids = ids[:limit]
		w.Next = ids[limit-1]
	}
	var rows []WhatIfRow
	for _, id := range ids {
		bills, err := tx.BillsOf(ctx, id, first, last, last.Sub(first)+1)
		if err != nil {
			return nil, fmt.Errorf("bills of %s: %w", id, err)
		}
		of, err := w.workspace(ctx, tx, bills)
		if err != nil {
			return nil, err
		}
		rows = append(rows, of...)
		w.Workspaces++
	}
	return rows, nil
}

// workspace tries the version on the bills of one workspace; it has a row for
// each of its payers.
func (w *WhatIf) workspace(ctx context.Context, tx WhatIfTx, bills []Bill) ([]WhatIfRow, error) {
	var rows []WhatIfRow
	for _, b := range bills {
		w.Bills++
		again, err := w.again(ctx, tx, b)
		var refused *fault.Error
		if errors.As(err, &refused) {
			if w.Failed++; len(w.Unrated) < mostUnrated {
				w.Unrated = append(w.Unrated, Unrated{b, refused})
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(rows, func(r WhatIfRow) bool { return r.Payer == b.Payer && r.Currency == b.Market.Currency })
		if i < 0 {
			i = len(rows)
			rows = append(rows, WhatIfRow{WorkspaceID: b.WorkspaceID, Payer: b.Payer, Currency: b.Market.Currency})
		}
		rows[i].Bills++
		if err := w.sum(&rows[i], b, again); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// sum adds a bill and what it would have been to its row and to all sums.
func (w *WhatIf) sum(row *WhatIfRow, b Bill, again rate.Rated) error {
	c := b.Market.Currency
	if w.Totals[c] == nil {
		w.Totals[c] = &Change{}
	}
	if w.Accounts[b.Payer] == nil {
		w.Accounts[b.Payer] = &Change{}
	}
	for _, to := range []*Change{&row.Change, w.Totals[c], w.Accounts[b.Payer]} {
		if err := to.add(b.Total, again.Total); err != nil {
			return err
		}
	}
	zero := money.Of(0, c)
	for _, l := range b.Lines {
		if err := w.item(row, l.Item, l.Amount, zero); err != nil {
			return err
		}
	}
	for _, l := range again.Lines {
		if err := w.item(row, l.Item, zero, l.Amount); err != nil {
			return err
		}
	}
	return nil
}

func (w *WhatIf) item(row *WhatIfRow, item string, before, after money.Amount) error {
	var err error
	if row.Items, err = w.added(row.Items, item, before, after); err != nil {
		return err
	}
	c := row.Currency
	w.Items[c], err = w.added(w.Items[c], item, before, after)
	return err
}

// added adds to the item's change in a list that is in catalogue order.
func (w *WhatIf) added(list []ItemChange, item string, before, after money.Amount) ([]ItemChange, error) {
	position, _ := w.Version.Position(item)
	i, found := slices.BinarySearchFunc(list, position, func(c ItemChange, position int) int {
		at, _ := w.Version.Position(c.Item)
		return cmp.Compare(at, position)
	})
	if !found {
		list = slices.Insert(list, i, ItemChange{Item: item})
	}
	return list, list[i].add(before, after)
}

// again rates a bill's day by the version. Where the version counts as the
// bill's own did, the quantities are those of the lines; else they are made
// of the hours anew.
func (w *WhatIf) again(ctx context.Context, tx WhatIfTx, b Bill) (rate.Rated, error) {
	same, err := w.counts(b.Catalog)
	if err != nil {
		return rate.Rated{}, err
	}
	if same && !b.packaged() {
		quantities := make([]usage.Quantity, len(b.Lines))
		for i, l := range b.Lines {
			quantities[i] = usage.Quantity{Item: l.Item, Class: l.Class, Index: l.Index, Quantity: l.Quantity}
		}
		return w.tariff(b).Rate(quantities)
	}
	s, err := site.Find(b.Site)
	if err != nil {
		return rate.Rated{}, err
	}
	of, err := tx.Workspace(ctx, b.WorkspaceID)
	if err != nil {
		return rate.Rated{}, fmt.Errorf("workspace of bill %s: %w", b.Number, err)
	}
	window := usage.Of(b.Day, s.Zone).Since(of.UpgradedAt)
	samples, err := tx.UsageBetween(ctx, b.WorkspaceID, b.Generation, window.From, window.To)
	if err != nil {
		return rate.Rated{}, fmt.Errorf("usage of bill %s: %w", b.Number, err)
	}
	share, err := ShareOf(ctx, tx, w.Version, b.Market, s, of.ID, b.Day)
	if err != nil {
		return rate.Rated{}, err
	}
	return RateShared(w.Version, b.Market, share, samples, b.Agreed()...)
}

func (w *WhatIf) tariff(b Bill) *rate.Tariff {
	if agreed := b.Agreed(); len(agreed) > 0 {
		return rate.NewTariff(w.Version, b.Market, agreed...)
	}
	if w.tariffs[b.Market] == nil {
		w.tariffs[b.Market] = rate.NewTariff(w.Version, b.Market)
	}
	return w.tariffs[b.Market]
}

// counts reports whether the version makes the same quantities of the same
// hours as the other one does, and bills the same items.
func (w *WhatIf) counts(versionID string) (bool, error) {
	if same, known := w.same[versionID]; known {
		return same, nil
	}
	other, err := w.catalog.Find(versionID)
	if err != nil {
		return false, err
	}
	same := true
	for _, item := range w.Version.Items {
		old, err := other.Item(item.ID)
		same = same && err == nil && old.Rule == item.Rule && old.Alternative.Counter == item.Alternative.Counter &&
			old.Alternative.Exponent == item.Alternative.Exponent && old.PayAsYouGo == item.PayAsYouGo && old.OperatorSwitch == item.OperatorSwitch
	}
	w.same[versionID] = same
	return same, nil
}

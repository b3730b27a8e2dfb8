package bill

import (
	"context"
	"fmt"
	"slices"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// keep bills what was rated, in one transaction: money moves, bills get their
// numbers, those that fail are parked, and the close moves on. The numbers
// follow those of the lot before, and so does the commit.
func (l *lot) keep(ctx context.Context, tx Tx, charges []charge, parked []Parked) error {
	l.desk.room.Empty()
	purses, err := l.purses(ctx, tx, charges)
	if err != nil {
		return err
	}
	advances, err := tx.AdvancesOf(ctx, l.site.ID, l.day)
	if err != nil {
		return fmt.Errorf("advances of %s: %w", l.day, err)
	}
	paid := l.desk.paid[:0]
	for _, c := range charges {
		if err := ahead(c.due, advances[c.workspace.ID]); err != nil {
			return err
		}
		if c.paid, err = purses[c.workspace.Payer].Pay(c.workspace.Settlement, c.due); err != nil {
			parked = append(parked, l.park(c.workspace, err))
			continue
		}
		paid = append(paid, c)
	}
	l.desk.paid = paid
	after, err := l.turn.number(ctx, int64(len(paid)))
	if err != nil {
		return err
	}
	hashes, err := l.issue(ctx, tx, paid, after)
	if err != nil {
		return err
	}
	if err := wallet.KeepEntries(ctx, tx, l.inOrder(purses), CauseOf(l.site.ID, l.day), l.keys(paid), l.at); err != nil {
		return fmt.Errorf("keep the entries: %w", err)
	}
	for _, p := range parked {
		if err := tx.Park(ctx, p); err != nil {
			return fmt.Errorf("park %s: %w", p.WorkspaceID, err)
		}
	}
	if err := l.turn.before(ctx); err != nil {
		return err
	}
	from := l.turn.from()
	l.turn.link = from
	for _, hash := range hashes {
		l.turn.link = l.turn.link.Next(hash)
	}
	if err := tx.ExtendSeries(ctx, Series(l.site.ID, l.day), from, l.turn.link); err != nil {
		return err
	}
	return tx.AdvanceSiteDay(ctx, l.site.ID, l.day, int64(len(l.workspaces)), l.last())
}

// purses opens what the payers of the charges have, currency by currency.
func (l *lot) purses(ctx context.Context, tx Tx, charges []charge) (map[string]*wallet.Purse, error) {
	payers := map[money.Currency][]string{}
	for i := range charges {
		c := &charges[i]
		in := c.rated.Market.Currency
		if list := payers[in]; len(list) == 0 || list[len(list)-1] != c.workspace.Payer {
			payers[in] = append(list, c.workspace.Payer)
		}
	}
	all := map[string]*wallet.Purse{}
	for _, currency := range []money.Currency{money.CNY, money.USD} {
		if len(payers[currency]) == 0 {
			continue
		}
		opened, err := wallet.OpenPurses(ctx, tx, &l.desk.room, payers[currency], currency, l.at)
		if err != nil {
			return nil, err
		}
		for payer, purse := range opened {
			all[payer] = purse
		}
	}
	return all, nil
}

func (l *lot) inOrder(purses map[string]*wallet.Purse) []*wallet.Purse {
	list := make([]*wallet.Purse, 0, len(purses))
	for _, payer := range l.payers() {
		if p := purses[payer]; p != nil {
			list = append(list, p)
		}
	}
	return list
}

// keys are the idempotency keys of the payers' entries: a payer may have one of
// each lot, and the first workspace that it pays for tells them apart.
func (l *lot) keys(paid []charge) func(payer string) string {
	first := map[string]string{}
	for i := range paid {
		c := &paid[i]
		if _, known := first[c.workspace.Payer]; !known && c.paid.Entry != 0 {
			first[c.workspace.Payer] = c.workspace.ID
		}
	}
	return func(payer string) string { return CauseOf(l.site.ID, l.day) + ":" + payer + ":" + first[payer] }
}

// issue composes the bills and keeps them. It gives their hashes in the order
// of their numbers.
func (l *lot) issue(ctx context.Context, tx Tx, paid []charge, after int64) (hashes []string, err error) {
	if len(paid) == 0 {
		return nil, nil
	}
	d := l.desk
	d.press.text = d.press.text[:0]
	ids := make([]string, len(paid))
	bills := slices.Grow(d.bills[:0], len(paid))[:len(paid)]
	hashes = slices.Grow(d.hashes[:0], len(paid))[:len(paid)]
	d.bills, d.hashes = bills, hashes
	for i := range paid {
		c := &paid[i]
		b, document, err := d.press.compose(Draft{
			Workspace: c.workspace, Day: l.day, Rated: c.rated, Parts: c.paid.Parts,
			Number: after + int64(i) + 1, Entry: c.paid.Entry, IssuedAt: l.at,
		})
		if err != nil {
			return nil, err
		}
		b.Lines = nil // the press uses them for the next one
		ids[i], hashes[i], bills[i] = c.workspace.ID, b.Hash, Issued{b, document}
	}
	if err := tx.InsertBills(ctx, bills); err != nil {
		return nil, fmt.Errorf("keep %d bills: %w", len(bills), err)
	}
	if err := tx.ChargeClouds(ctx, bills); err != nil {
		return nil, fmt.Errorf("charge the clouds: %w", err)
	}
	if !l.unpark {
		return hashes, nil
	}
	return hashes, tx.UnparkAll(ctx, l.site.ID, ids, l.day)
}

// oneByOne bills each workspace of a lot in a transaction of its own, and
// parks the one that fails.
func (b Books) oneByOne(ctx context.Context, l *lot) error {
	for _, w := range l.workspaces {
		if err := b.closeOne(ctx, l.site, l.day, w.ID, l.at); err != nil {
			return err
		}
	}
	return b.Write(ctx, func(tx Tx) error {
		return tx.AdvanceSiteDay(ctx, l.site.ID, l.day, int64(len(l.workspaces)), l.last())
	})
}

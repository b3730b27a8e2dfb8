package store

import (
	"context"
	"errors"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// pageOfBills bounds the bills that are held in memory at once.
const pageOfBills = 500

// verifyBills reads the closed days, and then every bill in the order of the
// numbers, which the days hold.
func (tx *Tx) verifyBills(ctx context.Context, c *catalog.Catalog) ([]audit.Finding, error) {
	check := bill.NewCheck(c)
	if err := tx.verifyDays(ctx, check); err != nil {
		return nil, err
	}
	var series string
	var seq int64
	for {
		rows, err := tx.Query(ctx, `
			SELECT document, hash, workspace_id, day, series, seq, payer, entry, currency,
				total, paid_voucher, paid_full_reduction, paid_card, paid_cash, paid_cloud, owed
			FROM bill
			WHERE series > $1
				OR (series = $1 AND seq > $2)
			ORDER BY series, seq
			LIMIT $3`, series, seq, int64(pageOfBills))
		page, err := collect(rows, err, scanStored)
		if err != nil {
			return nil, err
		}
		for _, s := range page {
			series, seq = s.Series, s.Seq
			b, ok := check.Bill(s)
			if !ok {
				continue
			}
			if err := tx.verifyBill(ctx, c, check, b, s.Bill.Entry); err != nil {
				return nil, err
			}
		}
		if len(page) < pageOfBills {
			break
		}
	}
	if g, ok := check.Charged(); ok {
		if err := tx.verifyCharge(ctx, check, g); err != nil {
			return nil, err
		}
	}
	err := tx.verifyNumbers(ctx, check)
	return check.Findings(), err
}

// verifyCharge compares bills with the entry that paid them.
func (tx *Tx) verifyCharge(ctx context.Context, check *bill.Check, g bill.Charged) error {
	e, found, err := tx.LedgerEntryOf(ctx, g.Payer, g.Entry)
	if err == nil {
		check.Paid(g, e, found)
	}
	return err
}

// verifyBill compares one bill with its usage, and those of the entry before,
// when it is another one, with that.
func (tx *Tx) verifyBill(ctx context.Context, c *catalog.Catalog, check *bill.Check, b bill.Bill, entry int64) error {
	if g, ok := check.Charge(b, entry); ok {
		if err := tx.verifyCharge(ctx, check, g); err != nil {
			return err
		}
	}
	w, err := tx.Workspace(ctx, b.WorkspaceID)
	if errors.Is(err, workspace.ErrUnknown) {
		check.Orphan(b)
		return nil
	}
	if err != nil {
		return err
	}
	var samples []usage.Sample
	if s, err := site.Find(b.Site); err == nil {
		window := usage.Of(b.Day, s.Zone).Since(w.UpgradedAt)
		if samples, err = tx.UsageBetween(ctx, w.ID, b.Generation, window.From, window.To); err != nil {
			return err
		}
	}
	agreed, err := tx.OverridesOf(ctx, b.Payer)
	if err != nil {
		return err
	}
	share, err := tx.shareOn(ctx, c, b)
	if err == nil {
		check.Usage(b, w, samples, share, agreed)
	}
	return err
}

// scanStored reads a bill as it lies there, whatever its document says.
func scanStored(r Row) (bill.Stored, error) {
	var s bill.Stored
	var document, day string
	var total int64
	var paid [6]int64
	b := &s.Bill
	if err := r.Scan(&document, &b.Hash, &b.WorkspaceID, &day, &s.Series, &s.Seq, &b.Payer, &b.Entry, &b.Market.Currency,
		&total, &paid[0], &paid[1], &paid[2], &paid[3], &paid[4], &paid[5]); err != nil {
		return s, err
	}
	s.Document = []byte(document)
	c := b.Market.Currency
	b.Total = money.Of(total, c)
	b.Paid = bill.Paid{
		Voucher: money.Of(paid[0], c), FullReduction: money.Of(paid[1], c), Card: money.Of(paid[2], c),
		Cash: money.Of(paid[3], c), Cloud: money.Of(paid[4], c), Owed: money.Of(paid[5], c),
	}
	err := b.Day.UnmarshalText([]byte(day))
	b.ID = bill.IDOf(b.WorkspaceID, b.Day)
	return s, err
}

func (tx *Tx) verifyNumbers(ctx context.Context, check *bill.Check) error {
	rows, err := tx.Query(ctx, `
		SELECT n.series, n.last, n.link, COUNT(b.seq), COALESCE(MIN(b.seq), 0), COALESCE(MAX(b.seq), 0)
		FROM document_number n
		LEFT JOIN bill b ON b.series = n.series
		WHERE SUBSTR(n.series, 1, 3) NOT IN ('ST-', 'IR-', 'RL-')
		GROUP BY n.series, n.last, n.link
		ORDER BY n.series`)
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var e bill.End
		var bills, smallest, largest int64
		err := r.Scan(&e.Series, &e.Number, &e.Hash, &bills, &smallest, &largest)
		if err == nil {
			check.Ends(e, bills, smallest, largest)
		}
		return struct{}{}, err
	})
	return err
}

func (tx *Tx) verifyDays(ctx context.Context, check *bill.Check) error {
	rows, err := tx.Query(ctx, `
		SELECT `+siteDayColumns+`
		FROM site_day
		ORDER BY site, day`)
	days, err := collect(rows, err, scanSiteDay)
	if err != nil {
		return err
	}
	for _, d := range days {
		check.Day(d)
	}
	return tx.eachChain(ctx, "day:", func(s string, head link) { check.LastDay(site.ID(s), head.hash) })
}

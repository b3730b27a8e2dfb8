package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// CommercialAfter lists the Commercial workspaces of a site behind a place, in
// the order of their payers and IDs, with what a bill needs of them. A
// dissolved one that has left its payer is not among them.
func (tx *Tx) CommercialAfter(ctx context.Context, s site.ID, after bill.Place, limit int) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT w.id, w.generation, w.payer, w.settlement, w.upgraded_at
		FROM workspace w
		WHERE w.site = $1
			AND w.plan = 'commercial'
			AND w.payer <> ''
			AND (w.payer, w.id) > ($2, $3)
		ORDER BY w.payer, w.id
		LIMIT $4`, string(s), after.Payer, after.WorkspaceID, int64(limit))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	list := make([]workspace.Workspace, 0, limit)
	before := workspace.Workspace{Site: s, Plan: workspace.Commercial}
	for rows.Next() {
		w := before // mostly all but the ID is that of the one before
		if err := scanCommercial(rows, &w); err != nil {
			return nil, fmt.Errorf("workspaces of %s: %w", s, err)
		}
		list = append(list, w)
		before = w
	}
	return list, rows.Err()
}

// scanCommercial reads a workspace over the one before.
func scanCommercial(rows Rows, w *workspace.Workspace) error {
	c, ok := binaryColumns(rows)
	if !ok {
		var upgraded int64
		err := rows.Scan(&w.ID, &w.Generation, &w.Payer, &w.Settlement, &upgraded)
		w.UpgradedAt = period.FromMicros(upgraded)
		return err
	}
	w.ID = string(c[0])
	w.Generation = workspace.Generation(binary.BigEndian.Uint64(c[1]))
	if string(c[2]) != w.Payer {
		w.Payer = string(c[2])
	}
	if string(c[3]) != string(w.Settlement) {
		w.Settlement = site.Method(c[3])
	}
	w.UpgradedAt = period.FromMicros(int64(binary.BigEndian.Uint64(c[4])))
	return nil
}

// binaryColumns is the columns of a row in PostgreSQL's binary form; ok is false
// when the engine has another one. They hold until the next row.
func binaryColumns(rows Rows) (columns [][]byte, ok bool) {
	b, ok := rows.(interface {
		Binary() (columns [][]byte, ok bool)
	})
	if !ok {
		return nil, false
	}
	return b.Binary()
}

// CountCommercial counts the Commercial workspaces of a site.
func (tx *Tx) CountCommercial(ctx context.Context, s site.ID) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM workspace
		WHERE site = $1
			AND plan = 'commercial'
			AND payer <> ''`, string(s)).Scan(&n)
	return n, err
}

// CurrenciesOf tells in which currency each payer pays.
func (tx *Tx) CurrenciesOf(ctx context.Context, payers []string) (map[string]money.Currency, error) {
	rows, err := tx.Query(ctx, `
		SELECT id, currency
		FROM billing_account
		WHERE `+tx.among("id", 1), tx.list(payers))
	of := make(map[string]money.Currency, len(payers))
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var id, currency string
		err := r.Scan(&id, &currency)
		of[id] = money.Currency(currency)
		return struct{}{}, err
	})
	return of, err
}

// Billed tells which of the workspaces have a bill of the day.
func (tx *Tx) Billed(ctx context.Context, workspaceIDs []string, day period.Day) (map[string]bool, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id
		FROM bill
		WHERE day = $2
			AND `+tx.among("workspace_id", 1), tx.list(workspaceIDs), day.String())
	billed := map[string]bool{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var id string
		err := r.Scan(&id)
		billed[id] = true
		return struct{}{}, err
	})
	return billed, err
}

var billInsert = strings.Fields(`seq entry total paid_voucher paid_full_reduction paid_card paid_cash paid_cloud owed issued_at
	day workspace_id series payer currency hash document`)

// InsertBills keeps bills of one series for ever.
func (tx *Tx) InsertBills(ctx context.Context, bills []bill.Issued) error {
	if len(bills) == 0 {
		return nil
	}
	series, first, err := splitNumber(bills[0].Number)
	if err != nil {
		return err
	}
	var day period.Day // all have one
	var date string
	return tx.insertMany(ctx, "bill", billInsert, len(bills), func(i int, to *Fields) {
		b := &bills[i]
		if b.Day != day || date == "" {
			day, date = b.Day, b.Day.String()
		}
		for _, n := range [...]int64{
			first + int64(i), b.Entry, b.Total.Minor(),
			b.Paid.Voucher.Minor(), b.Paid.FullReduction.Minor(), b.Paid.Card.Minor(), b.Paid.Cash.Minor(), b.Paid.Cloud.Minor(), b.Paid.Owed.Minor(),
			period.Micros(b.IssuedAt),
		} {
			to.Int(n)
		}
		for _, text := range [...]string{date, b.WorkspaceID, series, b.Payer, string(b.Market.Currency), b.Hash} {
			to.Text(text)
		}
		to.Bytes(b.Document)
	})
}

// splitNumber is the series and the place of a number such as cn1-2026-000123.
func splitNumber(number string) (series string, seq int64, err error) {
	cut := strings.LastIndexByte(number, '-')
	if cut < 0 {
		return "", 0, bill.ErrUnknown
	}
	if seq, err = strconv.ParseInt(number[cut+1:], 10, 64); err != nil {
		return "", 0, bill.ErrUnknown
	}
	return number[:cut], seq, nil
}

// UnparkAll forgets why a site's day of workspaces could not be billed.
func (tx *Tx) UnparkAll(ctx context.Context, s site.ID, workspaceIDs []string, day period.Day) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM parked
		WHERE site = $2
			AND day = $3
			AND `+tx.among("workspace_id", 1), tx.list(workspaceIDs), string(s), day.String())
	return err
}

// SeriesEnd is where the chain of a series stands, kept from other writers.
func (tx *Tx) SeriesEnd(ctx context.Context, series string) (bill.Link, error) {
	if !tx.readOnly {
		if _, err := tx.Exec(ctx, `
			INSERT INTO document_number (series, last)
			VALUES ($1, 0)
			ON CONFLICT (series) DO NOTHING`, series); err != nil {
			return bill.Link{}, err
		}
	}
	var l bill.Link
	err := tx.QueryRow(ctx, `
		SELECT last, link
		FROM document_number
		WHERE series = $1`+tx.lockWrites(), series).Scan(&l.Number, &l.Hash)
	if errors.Is(err, ErrNoRows) {
		return bill.Link{}, nil
	}
	return l, err
}

// SeriesEnds are those of all series of a site that have a bill, in their order.
func (tx *Tx) SeriesEnds(ctx context.Context, s site.ID) ([]bill.End, error) {
	prefix := string(s) + "-"
	rows, err := tx.Query(ctx, `
		SELECT series, last, link
		FROM document_number
		WHERE SUBSTR(series, 1, $1) = $2
			AND last > 0
		ORDER BY series`, int64(len(prefix)), prefix)
	return collect(rows, err, func(r Row) (e bill.End, err error) {
		err = r.Scan(&e.Series, &e.Number, &e.Hash)
		return e, err
	})
}

// ExtendSeries moves the chain of a series on, or fails with bill.ErrMoved when
// it does not stand where it should.
func (tx *Tx) ExtendSeries(ctx context.Context, series string, from, to bill.Link) error {
	if from == to {
		return nil
	}
	if from.Number == 0 {
		if _, err := tx.Exec(ctx, `
			INSERT INTO document_number (series, last)
			VALUES ($1, 0)
			ON CONFLICT (series) DO NOTHING`, series); err != nil {
			return err
		}
	}
	n, err := tx.Exec(ctx, `
		UPDATE document_number
		SET last = $4, link = $5
		WHERE series = $1
			AND last = $2
			AND link = $3`, series, from.Number, from.Hash, to.Number, to.Hash)
	return exactlyOne(n, err, bill.ErrMoved.With("series", series))
}

// AdvanceSiteDay keeps how far the close of a day has come.
func (tx *Tx) AdvanceSiteDay(ctx context.Context, s site.ID, day period.Day, done int64, to bill.Place) error {
	n, err := tx.Exec(ctx, `
		UPDATE site_day
		SET done = done + $3, after_payer = $4, after_workspace = $5
		WHERE site = $1
			AND day = $2
			AND closed_at = 0
			AND (after_payer, after_workspace) < ($4, $5)`, string(s), day.String(), done, to.Payer, to.WorkspaceID)
	return exactlyOne(n, err, fmt.Errorf("the close of %s of %s moved meanwhile", day, s))
}

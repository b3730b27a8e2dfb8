package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// CommercialAfter lists the Commercial workspaces of a site behind a place, in
// the order of their payers and IDs. A dissolved one that has left its payer is
// not among them.
func (tx *Tx) CommercialAfter(ctx context.Context, s site.ID, after bill.Place, limit int) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.site = $1
			AND w.plan = 'commercial'
			AND w.payer <> ''
			AND (w.payer, w.id) > ($2, $3)
		ORDER BY w.payer, w.id
		LIMIT $4`, string(s), after.Payer, after.WorkspaceID, int64(limit))
	return collect(rows, err, scanWorkspace)
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
		WHERE `+tx.among("workspace_id", 1)+`
			AND day = $2`, tx.list(workspaceIDs), day.String())
	billed := map[string]bool{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var id string
		err := r.Scan(&id)
		billed[id] = true
		return struct{}{}, err
	})
	return billed, err
}

// UsageOf gives the samples of workspaces' generation whose hours lie in
// [from, to), in no order.
func (tx *Tx) UsageOf(ctx context.Context, workspaceIDs []string, g workspace.Generation, from, to time.Time) (map[string][]usage.Sample, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, hour, item, counter, class, quantity
		FROM usage_sample
		WHERE `+tx.among("workspace_id", 1)+`
			AND generation = $2
			AND hour >= $3
			AND hour < $4`, tx.list(workspaceIDs), int64(g), period.Micros(from), period.Micros(to))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	of := make(map[string]*[]usage.Sample, len(workspaceIDs))
	lists := make([][]usage.Sample, len(workspaceIDs))
	for i, id := range workspaceIDs {
		of[id] = &lists[i]
	}
	r := sampleReader{rows: rows, generation: g, known: map[string]string{}}
	r.binary, _ = rows.(binaryRows)
	for rows.Next() {
		s, err := r.next()
		if err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		list := of[s.WorkspaceID]
		if list == nil {
			return nil, errors.New("read usage: a workspace that was not asked for")
		}
		if *list == nil {
			*list = make([]usage.Sample, 0, 16)
		}
		*list = append(*list, s)
	}
	all := make(map[string][]usage.Sample, len(workspaceIDs))
	for i, id := range workspaceIDs {
		all[id] = lists[i]
	}
	return all, rows.Err()
}

// binaryRows is what an engine offers that gives columns as they came.
type binaryRows interface {
	// Binary is the columns of the row in PostgreSQL's binary form; ok is false
	// when it has another one.
	Binary() (columns [][]byte, ok bool)
}

// sampleReader reads samples. The same few words are in all of them, so that
// it keeps each once.
type sampleReader struct {
	rows       Rows
	binary     binaryRows
	generation workspace.Generation
	known      map[string]string
	last       string // the workspace of the row before
	hourOf     int64
	hour       time.Time
}

func (r *sampleReader) next() (usage.Sample, error) {
	s := usage.Sample{Key: usage.Key{Generation: r.generation}}
	var hour int64
	if r.binary != nil {
		if c, ok := r.binary.Binary(); ok && len(c) == 6 && len(c[1]) == 8 && len(c[5]) == 8 {
			if string(c[0]) != r.last {
				r.last = string(c[0])
			}
			hour = int64(binary.BigEndian.Uint64(c[1]))
			s.WorkspaceID, s.Item, s.Counter, s.Class = r.last, r.word(c[2]), r.word(c[3]), r.word(c[4])
			s.Quantity, s.Hour = int64(binary.BigEndian.Uint64(c[5])), r.at(hour)
			return s, nil
		}
	}
	err := r.rows.Scan(&s.WorkspaceID, &hour, &s.Item, &s.Counter, &s.Class, &s.Quantity)
	s.Hour = r.at(hour)
	return s, err
}

func (r *sampleReader) word(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	word, ok := r.known[string(text)]
	if !ok {
		word = string(text)
		r.known[word] = word
	}
	return word
}

func (r *sampleReader) at(hour int64) time.Time {
	if r.hour.IsZero() || hour != r.hourOf {
		r.hourOf, r.hour = hour, period.FromMicros(hour)
	}
	return r.hour
}

// BillLinks are the ends of the workspaces' chains of bills.
func (tx *Tx) BillLinks(ctx context.Context, workspaceIDs []string) (map[string]bill.Link, error) {
	names := make([]string, len(workspaceIDs))
	for i, id := range workspaceIDs {
		names[i] = billChain(id)
	}
	heads, err := tx.heads(ctx, names, "")
	links := make(map[string]bill.Link, len(heads))
	for name, l := range heads {
		links[strings.TrimPrefix(name, billChain(""))] = bill.Link{Bills: l.n, Hash: l.hash}
	}
	return links, err
}

// heads reads the ends of chains; those that do not exist are left out.
func (tx *Tx) heads(ctx context.Context, names []string, lock string) (map[string]link, error) {
	rows, err := tx.Query(ctx, `
		SELECT name, n, hash
		FROM chain
		WHERE `+tx.among("name", 1)+lock, tx.list(names))
	heads := make(map[string]link, len(names))
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var name string
		var l link
		err := r.Scan(&name, &l.n, &l.hash)
		heads[name] = l
		return struct{}{}, err
	})
	return heads, err
}

var billInsert = strings.Fields(`workspace_id day id series seq site payer settlement generation currency price_group catalog
	total paid_voucher paid_full_reduction paid_card paid_cash paid_cloud owed issued_at document hash`)

// InsertBills keeps bills for ever and makes each its workspace's last.
func (tx *Tx) InsertBills(ctx context.Context, bills []bill.Issued) error {
	numbers := make([]int64, len(bills))
	for i, b := range bills {
		var err error
		if numbers[i], err = strconv.ParseInt(b.Number[strings.LastIndexByte(b.Number, '-')+1:], 10, 64); err != nil {
			return fmt.Errorf("number of bill %s: %w", b.Number, err)
		}
	}
	row := make([]any, len(billInsert))
	if err := tx.insertMany(ctx, "bill", billInsert, len(bills), func(i int) []any {
		b := &bills[i]
		copy(row, []any{
			b.WorkspaceID, b.Day.String(), b.ID, bill.Series(b.Site, b.Day), numbers[i], string(b.Site), b.Payer, string(b.Settlement), int64(b.Generation),
			string(b.Market.Currency), string(b.Market.Group), b.Catalog, b.Total.Minor(),
			b.Paid.Voucher.Minor(), b.Paid.FullReduction.Minor(), b.Paid.Card.Minor(), b.Paid.Cash.Minor(), b.Paid.Cloud.Minor(), b.Paid.Owed.Minor(),
			period.Micros(b.IssuedAt), string(b.Document), b.Hash,
		})
		return row
	}); err != nil {
		return err
	}
	names, links := make([]string, len(bills)), make([]link, len(bills))
	for i, b := range bills {
		names[i], links[i] = billChain(b.WorkspaceID), link{b.Link, b.Hash}
	}
	return tx.extendAll(ctx, names, links)
}

// extendAll moves the heads of chains on by one each, and makes those that are
// new. A chain that moved meanwhile fails it.
func (tx *Tx) extendAll(ctx context.Context, names []string, next []link) error {
	if tx.dialect != Postgres {
		for i, name := range names {
			if _, err := tx.head(ctx, name); err != nil {
				return err
			}
			if err := tx.extend(ctx, name, next[i]); err != nil {
				return err
			}
		}
		return nil
	}
	numbers, hashes := make([]int64, len(next)), make([]string, len(next))
	for i, l := range next {
		numbers[i], hashes[i] = l.n, l.hash
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO chain (name, n, hash)
		SELECT * FROM UNNEST($1::TEXT[], $2::BIGINT[], $3::TEXT[])
		ON CONFLICT (name) DO UPDATE SET n = excluded.n, hash = excluded.hash
		WHERE chain.n = excluded.n - 1`, names, numbers, hashes)
	if err == nil && n != int64(len(names)) {
		err = errors.New("a chain moved meanwhile")
	}
	return err
}

// UnparkAll forgets why days of workspaces could not be billed.
func (tx *Tx) UnparkAll(ctx context.Context, workspaceIDs []string, day period.Day) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM parked
		WHERE `+tx.among("workspace_id", 1)+`
			AND day = $2`, tx.list(workspaceIDs), day.String())
	return err
}

// TakeNumbers takes n numbers of a series behind the given last one.
func (tx *Tx) TakeNumbers(ctx context.Context, series string, after, n int64) error {
	if n == 0 {
		return nil
	}
	if after == 0 {
		if _, err := tx.Exec(ctx, `
			INSERT INTO document_number (series, last)
			VALUES ($1, 0)
			ON CONFLICT (series) DO NOTHING`, series); err != nil {
			return err
		}
	}
	taken, err := tx.Exec(ctx, `
		UPDATE document_number
		SET last = last + $3
		WHERE series = $1
			AND last = $2`, series, after, n)
	return exactlyOne(taken, err, fmt.Errorf("numbers of %s behind %d were taken meanwhile", series, after))
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

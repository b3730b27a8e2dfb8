package store

import (
	"context"
	"errors"
	"fmt"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// scanBill reads a bill from its document.
func scanBill(r Row) (bill.Bill, error) {
	var document, hash string
	var issued, entry int64
	err := r.Scan(&document, &hash, &issued, &entry)
	if errors.Is(err, ErrNoRows) {
		return bill.Bill{}, bill.ErrUnknown
	}
	if err != nil {
		return bill.Bill{}, fmt.Errorf("read a bill: %w", err)
	}
	b, err := bill.Read([]byte(document))
	b.IssuedAt, b.Entry = period.FromMicros(issued), entry
	if err == nil && b.Hash != hash {
		err = fmt.Errorf("bill %s is not what was issued", b.Number)
	}
	return b, err
}

const billColumns = `b.document, b.hash, b.issued_at, b.entry`

// Bill finds a bill by its ID, or bill.ErrUnknown.
func (tx *Tx) Bill(ctx context.Context, id string) (bill.Bill, error) {
	workspaceID, day, ok := bill.SplitID(id)
	if !ok {
		return bill.Bill{}, bill.ErrUnknown
	}
	return tx.BillOfDay(ctx, workspaceID, day)
}

// BillOfDay finds a workspace's bill of a day, or bill.ErrUnknown.
func (tx *Tx) BillOfDay(ctx context.Context, workspaceID string, day period.Day) (bill.Bill, error) {
	return scanBill(tx.QueryRow(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		WHERE b.workspace_id = $1
			AND b.day = $2`, workspaceID, day.String()))
}

// BillsOf lists a workspace's bills of the days from first to last, the newest
// first.
func (tx *Tx) BillsOf(ctx context.Context, workspaceID string, first, last period.Day, limit int) ([]bill.Bill, error) {
	within, args, err := tx.daily(ctx, "bill", "b.day", 3, first, last)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		WHERE b.workspace_id = $1
			AND `+within+`
		ORDER BY b.day DESC
		LIMIT $2`, append([]any{workspaceID, int64(limit)}, args...)...)
	return collect(rows, err, scanBill)
}

// BillsPaidBy lists the bills that a Billing Center account pays, of the days
// from first to last, the newest first and by number within a day.
func (tx *Tx) BillsPaidBy(ctx context.Context, payer string, first, last period.Day, limit int) ([]bill.Bill, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		WHERE b.payer = $1
			AND b.day BETWEEN $2 AND $3
		ORDER BY b.day DESC, b.series, b.seq
		LIMIT $4`, payer, first.String(), last.String(), int64(limit))
	return collect(rows, err, scanBill)
}

// BilledBetween sums a workspace's bills of the days from first to last.
func (tx *Tx) BilledBetween(ctx context.Context, workspaceID string, c money.Currency, first, last period.Day) (money.Amount, error) {
	var minor int64
	within, args, err := tx.daily(ctx, "bill", "day", 3, first, last)
	if err != nil {
		return money.Of(0, c), err
	}
	err = tx.QueryRow(ctx, `
		SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT)
		FROM bill
		WHERE workspace_id = $1
			AND currency = $2
			AND `+within, append([]any{workspaceID, string(c)}, args...)...).Scan(&minor)
	return money.Of(minor, c), err
}

// NextNumber takes the next number of a series. A transaction that is undone
// gives it back, so that numbers have no gaps.
func (tx *Tx) NextNumber(ctx context.Context, series string) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		INSERT INTO document_number (series, last)
		VALUES ($1, 1)
		ON CONFLICT (series) DO UPDATE SET last = document_number.last + 1
		RETURNING last`, series).Scan(&n)
	return n, err
}

// Park keeps the reason why a workspace's day could not be billed.
func (tx *Tx) Park(ctx context.Context, p bill.Parked) error {
	figures, err := p.FiguresText()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO parked (workspace_id, day, site, code, reason, figures, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (workspace_id, day) DO UPDATE SET code = excluded.code, reason = excluded.reason, figures = excluded.figures, at = excluded.at`,
		p.WorkspaceID, p.Day.String(), string(p.Site), p.Code, p.Reason, figures, period.Micros(p.At))
	return err
}

// Unpark forgets it.
func (tx *Tx) Unpark(ctx context.Context, workspaceID string, day period.Day) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM parked
		WHERE workspace_id = $1
			AND day = $2`, workspaceID, day.String())
	return err
}

// Parked lists the parked workspaces, the longest waiting first.
func (tx *Tx) Parked(ctx context.Context, limit int) ([]bill.Parked, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, day, site, code, reason, figures, at
		FROM parked
		ORDER BY at, workspace_id, day
		LIMIT $1`, int64(limit))
	return collect(rows, err, func(r Row) (bill.Parked, error) {
		var p bill.Parked
		var day, figures string
		var at int64
		if err := r.Scan(&p.WorkspaceID, &day, &p.Site, &p.Code, &p.Reason, &figures, &at); err != nil {
			return p, err
		}
		p.At = period.FromMicros(at)
		if err := p.ReadFigures(figures); err != nil {
			return p, err
		}
		return p, p.Day.UnmarshalText([]byte(day))
	})
}

// CountParked counts the workspaces that are parked for a site's day.
func (tx *Tx) CountParked(ctx context.Context, s site.ID, day period.Day) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM parked
		WHERE site = $1
			AND day = $2`, string(s), day.String()).Scan(&n)
	return n, err
}

const siteDayColumns = `site, day, began_at, closed_at, total, done, after_payer, after_workspace, bills, parked, series, through, digest, older, previous, hash`

func scanSiteDay(r Row) (bill.SiteDay, error) {
	var d bill.SiteDay
	var day string
	var began, closed int64
	err := r.Scan(&d.Site, &day, &began, &closed, &d.Total, &d.Done, &d.After.Payer, &d.After.WorkspaceID, &d.Bills, &d.Parked, &d.Series, &d.Through, &d.Digest, &d.Older, &d.Previous, &d.Hash)
	if err != nil {
		return d, err
	}
	d.BeganAt, d.ClosedAt = period.FromMicros(began), period.FromMicros(closed)
	return d, d.Day.UnmarshalText([]byte(day))
}

// SiteDay finds the close of a site's day; a day that was not begun is the
// zero value.
func (tx *Tx) SiteDay(ctx context.Context, s site.ID, day period.Day) (bill.SiteDay, error) {
	return tx.oneSiteDay(tx.QueryRow(ctx, `
		SELECT `+siteDayColumns+`
		FROM site_day
		WHERE site = $1
			AND day = $2`, string(s), day.String()))
}

// LastSiteDay finds the latest day of a site that was begun; the zero value
// when none was.
func (tx *Tx) LastSiteDay(ctx context.Context, s site.ID) (bill.SiteDay, error) {
	return tx.oneSiteDay(tx.QueryRow(ctx, `
		SELECT `+siteDayColumns+`
		FROM site_day
		WHERE site = $1
		ORDER BY day DESC
		LIMIT 1`, string(s)))
}

// LastSiteDayKept is LastSiteDay, and no close of the site begins until the
// transaction ends: usage that it books into an open day is there when that
// day is billed. SQLite's writers exclude each other anyway.
func (tx *Tx) LastSiteDayKept(ctx context.Context, s site.ID) (bill.SiteDay, error) {
	if tx.dialect == Postgres {
		if _, err := tx.Exec(ctx, `
			INSERT INTO chain (name, n, hash)
			VALUES ($1, 0, '')
			ON CONFLICT (name) DO NOTHING`, dayChain(s)); err != nil {
			return bill.SiteDay{}, err
		}
		var n int64
		if err := tx.QueryRow(ctx, `
			SELECT n
			FROM chain
			WHERE name = $1
			FOR SHARE`, dayChain(s)).Scan(&n); err != nil {
			return bill.SiteDay{}, err
		}
	}
	return tx.LastSiteDay(ctx, s)
}

func (tx *Tx) oneSiteDay(r Row) (bill.SiteDay, error) {
	d, err := scanSiteDay(r)
	if errors.Is(err, ErrNoRows) {
		return bill.SiteDay{}, nil
	}
	return d, err
}

// BeginSiteDay keeps that the close of a day has begun. The chain of the
// site's days keeps two of them apart.
func (tx *Tx) BeginSiteDay(ctx context.Context, d bill.SiteDay) error {
	last, err := tx.head(ctx, dayChain(d.Site))
	if err != nil {
		return err
	}
	if last.hash != d.Previous {
		return fmt.Errorf("days of %s moved meanwhile", d.Site)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO site_day (site, day, began_at, closed_at, total, bills, parked, series, through, digest, previous, hash)
		VALUES ($1, $2, $3, 0, $4, 0, 0, $5, 0, '', $6, '')`,
		string(d.Site), d.Day.String(), period.Micros(d.BeganAt), d.Total, d.Series, d.Previous)
	return err
}

// dayChain is the chain of a site's closed days.
func dayChain(s site.ID) string { return "day:" + string(s) }

// FinishSiteDay keeps that a day is closed.
func (tx *Tx) FinishSiteDay(ctx context.Context, d bill.SiteDay) error {
	last, err := tx.head(ctx, dayChain(d.Site))
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `
		UPDATE site_day
		SET closed_at = $3, bills = $4, parked = $5, through = $6, digest = $7, hash = $8, older = $9
		WHERE site = $1
			AND day = $2
			AND closed_at = 0`,
		string(d.Site), d.Day.String(), period.Micros(d.ClosedAt), d.Bills, d.Parked, d.Through, d.Digest, d.Hash, d.Older)
	if err := exactlyOne(n, err, fmt.Errorf("%s of %s was closed meanwhile", d.Day, d.Site)); err != nil {
		return err
	}
	return tx.extend(ctx, dayChain(d.Site), link{last.n + 1, d.Hash})
}

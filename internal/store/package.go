package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
)

const packageColumns = `id, payer, site, currency, catalog, first_day, last_day, bought_at, remind_at`

// boughtPackage is a package and the currency of its prices.
type boughtPackage struct {
	prepaid.Package
	currency money.Currency
}

func scanPackage(r Row) (boughtPackage, error) {
	var p boughtPackage
	var first, last string
	var bought, remind int64
	err := r.Scan(&p.ID, &p.Payer, &p.Site, &p.currency, &p.Catalog, &first, &last, &bought, &remind)
	if errors.Is(err, ErrNoRows) {
		return p, prepaid.ErrUnknown
	}
	if err != nil {
		return p, err
	}
	p.BoughtAt, p.RemindAt = period.FromMicros(bought), period.FromMicros(remind)
	return p, days(first, &p.First, last, &p.Last)
}

// days reads two days.
func days(first string, f *period.Day, last string, l *period.Day) error {
	return errors.Join(f.UnmarshalText([]byte(first)), l.UnmarshalText([]byte(last)))
}

// Package finds a package with its terms and traffic packages, or
// prepaid.ErrUnknown.
func (tx *Tx) Package(ctx context.Context, id string) (prepaid.Package, error) {
	return tx.packageBy(ctx, id, "")
}

// PackageForUpdate is Package, kept from other writers.
func (tx *Tx) PackageForUpdate(ctx context.Context, id string) (prepaid.Package, error) {
	return tx.packageBy(ctx, id, tx.lockWrites())
}

func (tx *Tx) packageBy(ctx context.Context, id, lock string) (prepaid.Package, error) {
	p, err := scanPackage(tx.QueryRow(ctx, `
		SELECT `+packageColumns+`
		FROM package
		WHERE id = $1`+lock, id))
	if err != nil {
		return p.Package, err
	}
	return tx.whole(ctx, p)
}

// PackagesOf lists a payer's packages, the newest first.
func (tx *Tx) PackagesOf(ctx context.Context, payer string, limit int) ([]prepaid.Package, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+packageColumns+`
		FROM package
		WHERE payer = $1
		ORDER BY number DESC
		LIMIT $2`, payer, int64(limit))
	found, err := collect(rows, err, scanPackage)
	if err != nil {
		return nil, err
	}
	all := make([]prepaid.Package, len(found))
	for i, p := range found {
		if all[i], err = tx.whole(ctx, p); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// whole adds the terms and traffic packages.
func (tx *Tx) whole(ctx context.Context, p boughtPackage) (prepaid.Package, error) {
	rows, err := tx.Query(ctx, `
		SELECT first_day, last_day, size, price, quotas
		FROM package_term
		WHERE package_id = $1
		ORDER BY first_day`, p.ID)
	if p.Terms, err = collect(rows, err, func(r Row) (t prepaid.Term, err error) {
		var first, last, quotas string
		var price int64
		if err := r.Scan(&first, &last, &t.Size, &price, &quotas); err != nil {
			return t, err
		}
		t.Price = money.Of(price, p.currency)
		return t, errors.Join(days(first, &t.First, last, &t.Last), json.Unmarshal([]byte(quotas), &t.Quotas))
	}); err != nil {
		return p.Package, fmt.Errorf("terms of %s: %w", p.ID, err)
	}
	if len(p.Terms) == 0 {
		return p.Package, fmt.Errorf("package %s has no terms", p.ID)
	}
	if err := tx.seatsOf(ctx, &p.Package); err != nil {
		return p.Package, fmt.Errorf("workspaces of %s: %w", p.ID, err)
	}
	rows, err = tx.Query(ctx, `
		SELECT id, item, capacity, units, unit_price, discount, exact, price, first_day, bought_at
		FROM package_traffic
		WHERE package_id = $1
		ORDER BY number`, p.ID)
	p.Traffic, err = collect(rows, err, func(r Row) (t prepaid.Traffic, err error) {
		var units, unitPrice, discount, exact, first string
		var price, bought int64
		if err := r.Scan(&t.ID, &t.Item, &t.Capacity, &units, &unitPrice, &discount, &exact, &price, &first, &bought); err != nil {
			return t, err
		}
		t.Price, t.BoughtAt = money.Of(price, p.currency), period.FromMicros(bought)
		for _, figure := range []struct {
			text string
			to   *quantity.Decimal
		}{{units, &t.Units}, {unitPrice, &t.UnitPrice}, {discount, &t.Discount}, {exact, &t.Exact}} {
			if *figure.to, err = quantity.Parse(figure.text); err != nil {
				return t, err
			}
		}
		return t, t.First.UnmarshalText([]byte(first))
	})
	if err != nil {
		return p.Package, fmt.Errorf("traffic packages of %s: %w", p.ID, err)
	}
	return p.Package, nil
}

// seatsOf fills in the workspaces of each term.
func (tx *Tx) seatsOf(ctx context.Context, p *prepaid.Package) error {
	terms := make(map[string]*prepaid.Term, len(p.Terms))
	for i := range p.Terms {
		terms[p.Terms[i].First.String()] = &p.Terms[i]
	}
	rows, err := tx.Query(ctx, `
		SELECT first_day, workspace_id
		FROM package_seat
		WHERE package_id = $1
		ORDER BY first_day, position`, p.ID)
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var first, workspaceID string
		err := r.Scan(&first, &workspaceID)
		if t := terms[first]; err == nil && t != nil {
			t.Workspaces = append(t.Workspaces, workspaceID)
		}
		return struct{}{}, err
	})
	return err
}

// InsertPackage keeps a package with its terms.
func (tx *Tx) InsertPackage(ctx context.Context, p prepaid.Package) error {
	if _, err := tx.Exec(ctx, `
		INSERT INTO package (id, payer, number, site, currency, catalog, first_day, last_day, bought_at, remind_at)
		SELECT $1, $2, COUNT(*) + 1, $3, $4, $5, $6, $7, $8, $9
		FROM package
		WHERE payer = $2`,
		p.ID, p.Payer, string(p.Site), string(p.Terms[0].Price.Currency()), p.Catalog, p.First.String(), p.Last.String(),
		period.Micros(p.BoughtAt), period.Micros(p.RemindAt)); err != nil {
		return err
	}
	for _, t := range p.Terms {
		if err := tx.insertTerm(ctx, p.ID, t); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) insertTerm(ctx context.Context, packageID string, t prepaid.Term) error {
	quotas, err := json.Marshal(t.Quotas)
	if err != nil {
		return fmt.Errorf("encode quotas: %w", err)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO package_term (package_id, first_day, last_day, size, price, quotas)
		VALUES ($1, $2, $3, $4, $5, $6)`, packageID, t.First.String(), t.Last.String(), t.Size, t.Price.Minor(), string(quotas)); err != nil {
		return err
	}
	for i, id := range t.Workspaces {
		if _, err := tx.Exec(ctx, `
			INSERT INTO package_seat (package_id, first_day, position, workspace_id)
			VALUES ($1, $2, $3, $4)`, packageID, t.First.String(), int64(i), id); err != nil {
			return err
		}
	}
	return nil
}

// SaveTerm keeps a term that holds from its first day to the end of the
// package. What was to hold from then on is forgotten, and the term before
// ends on the day before.
func (tx *Tx) SaveTerm(ctx context.Context, packageID string, t prepaid.Term) error {
	first := t.First.String()
	for _, sql := range []string{
		`DELETE FROM package_seat WHERE package_id = $1 AND first_day >= $2`,
		`DELETE FROM package_term WHERE package_id = $1 AND first_day >= $2`,
	} {
		if _, err := tx.Exec(ctx, sql, packageID, first); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `
		UPDATE package_term
		SET last_day = $3
		WHERE package_id = $1
			AND last_day >= $2`, packageID, first, t.First.Add(-1).String()); err != nil {
		return err
	}
	return tx.insertTerm(ctx, packageID, t)
}

// InsertTraffic keeps a traffic package.
func (tx *Tx) InsertTraffic(ctx context.Context, packageID string, t prepaid.Traffic) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO package_traffic (id, package_id, number, item, capacity, units, unit_price, discount, exact, price, first_day, bought_at)
		SELECT $1, $2, COUNT(*) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11
		FROM package_traffic
		WHERE package_id = $2`,
		t.ID, packageID, t.Item, t.Capacity, t.Units.String(), t.UnitPrice.String(), t.Discount.String(), t.Exact.String(),
		t.Price.Minor(), t.First.String(), period.Micros(t.BoughtAt))
	return err
}

// TrafficDiscount is the factor that was granted to a payer for an item; 1
// where none was.
func (tx *Tx) TrafficDiscount(ctx context.Context, payer, item string) (quantity.Decimal, error) {
	var text string
	err := tx.QueryRow(ctx, `
		SELECT discount
		FROM traffic_discount
		WHERE payer = $1
			AND item = $2`, payer, item).Scan(&text)
	if errors.Is(err, ErrNoRows) {
		return prepaid.NoDiscount, nil
	}
	if err != nil {
		return quantity.Zero, err
	}
	return quantity.Parse(text)
}

// TrafficDiscounts lists all that were granted to a payer, by item.
func (tx *Tx) TrafficDiscounts(ctx context.Context, payer string) ([]prepaid.Discount, error) {
	rows, err := tx.Query(ctx, `
		SELECT item, discount, granted_by, granted_at
		FROM traffic_discount
		WHERE payer = $1
		ORDER BY item`, payer)
	return collect(rows, err, func(r Row) (prepaid.Discount, error) {
		var d prepaid.Discount
		var text string
		var granted int64
		err := r.Scan(&d.Item, &text, &d.GrantedBy, &granted)
		if err == nil {
			d.GrantedAt = period.FromMicros(granted)
			d.Factor, err = quantity.Parse(text)
		}
		return d, err
	})
}

// SaveTrafficDiscount keeps the factor.
func (tx *Tx) SaveTrafficDiscount(ctx context.Context, payer, item string, d quantity.Decimal, by string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO traffic_discount (payer, item, discount, granted_by, granted_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (payer, item) DO UPDATE SET discount = excluded.discount, granted_by = excluded.granted_by, granted_at = excluded.granted_at`,
		payer, item, d.String(), by, period.Micros(at))
	return err
}

// SetReminder keeps when a package's payer is told next that it ends.
func (tx *Tx) SetReminder(ctx context.Context, packageID string, at time.Time) error {
	n, err := tx.Exec(ctx, `
		UPDATE package
		SET remind_at = $2
		WHERE id = $1`, packageID, period.Micros(at))
	return exactlyOne(n, err, prepaid.ErrUnknown)
}

// NextReminder is the earliest instant at which a package's payer is told that
// it ends.
func (tx *Tx) NextReminder(ctx context.Context) (at time.Time, ok bool, err error) {
	var us int64
	err = tx.QueryRow(ctx, `
		SELECT remind_at
		FROM package
		WHERE remind_at > 0
		ORDER BY remind_at
		LIMIT 1`).Scan(&us)
	if errors.Is(err, ErrNoRows) {
		return at, false, nil
	}
	return period.FromMicros(us), err == nil, err
}

// PackagesToRemind lists packages whose payers are to be told, the earliest first.
func (tx *Tx) PackagesToRemind(ctx context.Context, at time.Time, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM package
		WHERE remind_at > 0
			AND remind_at <= $1
		ORDER BY remind_at, id
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, scanText)
}

func scanText(r Row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

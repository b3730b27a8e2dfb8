package store

import (
	"context"
	"fmt"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
)

// keepOthersOut lets one transaction at a time change a small table. SQLite's
// writers exclude each other anyway.
func (tx *Tx) keepOthersOut(ctx context.Context, table string) error {
	if tx.dialect != Postgres || tx.readOnly {
		return nil
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE `+table+` IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return fmt.Errorf("keep others out of %s: %w", table, err)
	}
	return nil
}

// AddedVersions lists the catalogue versions that were added, oldest first; in
// a write transaction nobody else changes them until its end.
func (tx *Tx) AddedVersions(ctx context.Context) ([]catalog.Added, error) {
	if err := tx.keepOthersOut(ctx, "catalog_version"); err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT id, follows, effective_from, document, sha256, added_by, added_at
		FROM catalog_version
		ORDER BY effective_from`)
	return collect(rows, err, func(r Row) (catalog.Added, error) {
		var a catalog.Added
		var from, document string
		var at int64
		if err := r.Scan(&a.ID, &a.Follows, &from, &document, &a.SHA256, &a.By, &at); err != nil {
			return a, err
		}
		a.Document, a.At = []byte(document), period.FromMicros(at)
		return a, a.From.UnmarshalText([]byte(from))
	})
}

// InsertVersion keeps a catalogue version.
func (tx *Tx) InsertVersion(ctx context.Context, a catalog.Added) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO catalog_version (id, follows, effective_from, document, sha256, added_by, added_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Follows, a.From.String(), string(a.Document), a.SHA256, a.By, period.Micros(a.At))
	return err
}

// DeleteVersion forgets a catalogue version that never held.
func (tx *Tx) DeleteVersion(ctx context.Context, id string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM catalog_version
		WHERE id = $1`, id)
	return exactlyOne(n, err, catalog.ErrVersion)
}

// ClosingSince reports whether the close of this day or a later one has begun
// at any site.
func (tx *Tx) ClosingSince(ctx context.Context, day period.Day) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM site_day
		WHERE day >= $1`, day.String()).Scan(&n)
	return n > 0, err
}

const overrideColumns = `id, payer, item, currency, price_group, class, price, first_day, last_day, reason, added_by, added_at`

func scanOverride(r Row) (catalog.Override, error) {
	var o catalog.Override
	var price, from, last string
	var at int64
	err := r.Scan(&o.ID, &o.Payer, &o.Item, &o.Market.Currency, &o.Market.Group, &o.Class, &price, &from, &last, &o.Reason, &o.AddedBy, &at)
	if err != nil {
		return o, err
	}
	o.AddedAt = period.FromMicros(at)
	if o.Price, err = quantity.Parse(price); err != nil {
		return o, fmt.Errorf("agreed price %s: %w", o.ID, err)
	}
	if last != "" {
		if err := o.Last.UnmarshalText([]byte(last)); err != nil {
			return o, fmt.Errorf("agreed price %s: %w", o.ID, err)
		}
	}
	return o, o.From.UnmarshalText([]byte(from))
}

// KeepOverrides keeps others from changing agreed prices until the transaction
// ends.
func (tx *Tx) KeepOverrides(ctx context.Context) error {
	return tx.keepOthersOut(ctx, "price_override")
}

// OverridesOf lists the prices agreed with a payer, by their first day.
func (tx *Tx) OverridesOf(ctx context.Context, payer string) ([]catalog.Override, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+overrideColumns+`
		FROM price_override
		WHERE payer = $1
		ORDER BY first_day, id`, payer)
	return collect(rows, err, scanOverride)
}

// OverridesOn gives the agreed prices that hold on a day, by payer: all that a
// close of the day needs of them.
func (tx *Tx) OverridesOn(ctx context.Context, day period.Day) (map[string][]catalog.Override, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+overrideColumns+`
		FROM price_override
		WHERE first_day <= $1
			AND (last_day = '' OR last_day >= $1)
		ORDER BY payer, first_day, id`, day.String())
	all, err := collect(rows, err, scanOverride)
	if err != nil {
		return nil, err
	}
	by := map[string][]catalog.Override{}
	for _, o := range all {
		by[o.Payer] = append(by[o.Payer], o)
	}
	return by, nil
}

// InsertOverride keeps an agreed price.
func (tx *Tx) InsertOverride(ctx context.Context, o catalog.Override) error {
	last := ""
	if !o.Last.IsZero() {
		last = o.Last.String()
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO price_override (`+overrideColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		o.ID, o.Payer, o.Item, string(o.Market.Currency), string(o.Market.Group), o.Class, o.Price.String(), o.From.String(), last,
		o.Reason, o.AddedBy, period.Micros(o.AddedAt))
	return err
}

// EndOverride sets the last day of an agreed price.
func (tx *Tx) EndOverride(ctx context.Context, id string, last period.Day) error {
	n, err := tx.Exec(ctx, `
		UPDATE price_override
		SET last_day = $2
		WHERE id = $1`, id, last.String())
	return exactlyOne(n, err, catalog.ErrOverrideUnknown)
}

// WorkspacesBilled lists workspaces that have bills of the days from first to
// last, by ID after the given one.
func (tx *Tx) WorkspacesBilled(ctx context.Context, first, last period.Day, after string, limit int) ([]string, error) {
	within, args, err := tx.daily(ctx, "bill", "b.day", 3, first, last)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `
		SELECT w.id
		FROM workspace w
		WHERE w.id > $1
			AND EXISTS (
				SELECT 1
				FROM bill b
				WHERE b.workspace_id = w.id
					AND `+within+`
			)
		ORDER BY w.id
		LIMIT $2`, append([]any{after, int64(limit)}, args...)...)
	return collect(rows, err, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	})
}

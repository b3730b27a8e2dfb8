package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// CoverOf is the package that a workspace is in on a day, if any.
func (tx *Tx) CoverOf(ctx context.Context, workspaceID string, day period.Day) (prepaid.Cover, bool, error) {
	id, err := tx.packageOn(ctx, workspaceID, day)
	if err != nil || id == "" {
		return prepaid.Cover{}, false, err
	}
	p, err := tx.Package(ctx, id)
	if err != nil {
		return prepaid.Cover{}, false, err
	}
	c, ok := p.CoverOn(day)
	return c, ok, nil
}

// packageOn is the ID of the package that a workspace is in on a day; empty
// when it is in none.
func (tx *Tx) packageOn(ctx context.Context, workspaceID string, day period.Day) (string, error) {
	var id string
	err := tx.QueryRow(ctx, `
		SELECT s.package_id
		FROM package_seat s
		JOIN package_term t ON t.package_id = s.package_id AND t.first_day = s.first_day
		WHERE s.workspace_id = $1
			AND t.first_day <= $2
			AND t.last_day >= $2`, workspaceID, day.String()).Scan(&id)
	if errors.Is(err, ErrNoRows) {
		return "", nil
	}
	return id, err
}

// SeatTaken reports whether the workspace is in another package on any of the
// days.
func (tx *Tx) SeatTaken(ctx context.Context, workspaceID, packageID string, first, last period.Day) (bool, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM package_seat s
		JOIN package_term t ON t.package_id = s.package_id AND t.first_day = s.first_day
		WHERE s.workspace_id = $1
			AND s.package_id <> $2
			AND t.first_day <= $4
			AND t.last_day >= $3`, workspaceID, packageID, first.String(), last.String()).Scan(&n)
	return n > 0, err
}

// SeatsOf lists the packages that a workspace is in from a day on.
func (tx *Tx) SeatsOf(ctx context.Context, workspaceID string, from period.Day) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT s.package_id
		FROM package_seat s
		JOIN package_term t ON t.package_id = s.package_id AND t.first_day = s.first_day
		WHERE s.workspace_id = $1
			AND t.last_day >= $2
		ORDER BY s.package_id`, workspaceID, from.String())
	return collect(rows, err, scanText)
}

// CoveredThrough is the last day, from the given one on, on which a workspace
// is in a package as things stand.
func (tx *Tx) CoveredThrough(ctx context.Context, workspaceID string, from period.Day) (last period.Day, covered bool, err error) {
	var text string
	err = tx.QueryRow(ctx, `
		SELECT COALESCE(MAX(t.last_day), '')
		FROM package_seat s
		JOIN package_term t ON t.package_id = s.package_id AND t.first_day = s.first_day
		WHERE s.workspace_id = $1
			AND t.last_day >= $2`, workspaceID, from.String()).Scan(&text)
	if err != nil || text == "" {
		return last, false, err
	}
	return last, true, last.UnmarshalText([]byte(text))
}

// OpenDay is the day, or the first one behind it whose close has not begun. No
// close of the site begins until the transaction ends.
func (tx *Tx) OpenDay(ctx context.Context, s site.ID, day period.Day) (period.Day, error) {
	last, err := tx.LastSiteDayKept(ctx, s)
	if err == nil && last.Begun() && !last.Day.Before(day) {
		day = last.Day.Add(1)
	}
	return day, err
}

// CoversOn gives the packages of a site on a day, by workspace.
func (tx *Tx) CoversOn(ctx context.Context, s site.ID, day period.Day) (map[string]*prepaid.Cover, error) {
	const holding = `
		FROM package p
		JOIN package_term t ON t.package_id = p.id
		`
	const onDay = `
		WHERE p.site = $1
			AND p.last_day >= $2
			AND t.first_day <= $2
			AND t.last_day >= $2`
	covers := map[string]*prepaid.Cover{}
	rows, err := tx.Query(ctx, `
		SELECT p.id, t.quotas`+holding+onDay, string(s), day.String())
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var text string
		c := &prepaid.Cover{Quotas: map[string]quantity.Decimal{}}
		if err := r.Scan(&c.Package, &text); err != nil {
			return struct{}{}, err
		}
		var quotas map[string]int64
		err := json.Unmarshal([]byte(text), &quotas)
		for item, n := range quotas {
			c.Quotas[item] = quantity.Of(n)
		}
		covers[c.Package] = c
		return struct{}{}, err
	}); err != nil || len(covers) == 0 {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		SELECT p.id, x.item, x.capacity`+holding+`JOIN package_traffic x ON x.package_id = p.id AND x.first_day <= $2`+onDay, string(s), day.String())
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var id, item string
		var capacity int64
		if err := r.Scan(&id, &item, &capacity); err != nil {
			return struct{}{}, err
		}
		sum, err := covers[id].Quotas[item].Add(quantity.Of(capacity))
		covers[id].Quotas[item] = sum
		return struct{}{}, err
	}); err != nil {
		return nil, err
	}
	by := map[string]*prepaid.Cover{}
	rows, err = tx.Query(ctx, `
		SELECT p.id, x.workspace_id`+holding+`JOIN package_seat x ON x.package_id = p.id AND x.first_day = t.first_day`+onDay+`
		ORDER BY p.id, x.position`, string(s), day.String())
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var id, workspaceID string
		if err := r.Scan(&id, &workspaceID); err != nil {
			return struct{}{}, err
		}
		covers[id].Workspaces = append(covers[id].Workspaces, workspaceID)
		by[workspaceID] = covers[id]
		return struct{}{}, nil
	})
	return by, err
}

// WorkspacesByID lists workspaces by their IDs, in no order.
func (tx *Tx) WorkspacesByID(ctx context.Context, ids []string) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE `+tx.among("w.id", 1), tx.list(ids))
	return collect(rows, err, scanWorkspace)
}

// PackagesToCharge lists the packages of a site that have traffic packages on
// a day which were not charged yet, in the order of payers.
func (tx *Tx) PackagesToCharge(ctx context.Context, s site.ID, day period.Day) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT p.id
		FROM package p
		WHERE p.site = $1
			AND p.first_day <= $2
			AND p.last_day >= $2
			AND EXISTS (
				SELECT 1
				FROM package_traffic x
				WHERE x.package_id = p.id
					AND x.first_day <= $2
			)
			AND NOT EXISTS (
				SELECT 1
				FROM package_charge c
				WHERE c.package_id = p.id
					AND c.day = $2
					AND c.kind = $3
			)
		ORDER BY p.payer, p.number`, string(s), day.String(), string(prepaid.Daily))
	return collect(rows, err, scanText)
}

const chargeColumns = `c.document, c.hash, c.at`

// scanCharge reads a charge from its document.
func scanCharge(r Row) (prepaid.Charge, error) {
	var document, hash string
	var at int64
	err := r.Scan(&document, &hash, &at)
	if errors.Is(err, ErrNoRows) {
		return prepaid.Charge{}, prepaid.ErrChargeUnknown
	}
	if err != nil {
		return prepaid.Charge{}, fmt.Errorf("read a charge of a package: %w", err)
	}
	c, err := prepaid.ReadCharge([]byte(document))
	c.At = period.FromMicros(at)
	if err == nil && c.Hash != hash {
		err = fmt.Errorf("charge %s is not what was made", c.ID)
	}
	return c, err
}

// PackageCharge finds a charge, or prepaid.ErrChargeUnknown.
func (tx *Tx) PackageCharge(ctx context.Context, id string) (prepaid.Charge, error) {
	return scanCharge(tx.QueryRow(ctx, `
		SELECT `+chargeColumns+`
		FROM package_charge c
		WHERE c.id = $1`, id))
}

// PackageCharges lists the charges of a package, the newest day first.
func (tx *Tx) PackageCharges(ctx context.Context, packageID string, limit int) ([]prepaid.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+chargeColumns+`
		FROM package_charge c
		WHERE c.package_id = $1
		ORDER BY c.day DESC, c.at DESC, c.kind
		LIMIT $2`, packageID, int64(limit))
	return collect(rows, err, scanCharge)
}

// PackageChargesOf lists the charges of a payer, by day.
func (tx *Tx) PackageChargesOf(ctx context.Context, payer string, first, last period.Day, limit int) ([]prepaid.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+chargeColumns+`
		FROM package_charge c
		JOIN package p ON p.id = c.package_id
		WHERE c.payer = $1
			AND c.day BETWEEN $2 AND $3
		ORDER BY c.day, p.number, c.at, c.kind
		LIMIT $4`, payer, first.String(), last.String(), int64(limit))
	return collect(rows, err, scanCharge)
}

// PackageChargesPage lists the charges of a payer's packages of a range of
// days, the newest day first, after the charge of the given ID (empty for the
// first page). A charge that is not the payer's leads nowhere.
func (tx *Tx) PackageChargesPage(ctx context.Context, payer string, first, last period.Day, after string, limit int) ([]prepaid.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+chargeColumns+`
		FROM package_charge c
		LEFT JOIN package_charge a ON a.id = $4 AND a.payer = $1
		WHERE c.payer = $1
			AND c.day BETWEEN $2 AND $3
			AND ($4 = ''
				OR c.day < a.day
				OR c.day = a.day AND (c.at < a.at OR c.at = a.at AND c.id > a.id))
		ORDER BY c.day DESC, c.at DESC, c.id
		LIMIT $5`, payer, first.String(), last.String(), after, int64(limit))
	return collect(rows, err, scanCharge)
}

// InsertPackageCharge keeps a charge for ever.
func (tx *Tx) InsertPackageCharge(ctx context.Context, c prepaid.Charge) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO package_charge (id, package_id, payer, kind, day, currency, total, at, document, hash, statement_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '')`,
		c.ID, c.Package, c.Payer, string(c.Kind), c.Day.String(), string(c.Total.Currency()), c.Total.Minor(), period.Micros(c.At), string(c.Document()), c.Hash)
	return err
}

// TakeCharges puts all charges of a payer's packages on the statement whose
// days are not after the last one and that are on none yet.
func (tx *Tx) TakeCharges(ctx context.Context, statementID, payer string, c money.Currency, last period.Day) (int64, error) {
	n, err := tx.Exec(ctx, `
		UPDATE package_charge
		SET statement_id = $1
		WHERE payer = $2
			AND currency = $3
			AND day <= $4
			AND statement_id = ''`, statementID, payer, string(c), last.String())
	if err != nil {
		return 0, fmt.Errorf("put charges of %s on %s: %w", payer, statementID, err)
	}
	return n, nil
}

// ChargesOn lists the charges of a statement, by day.
func (tx *Tx) ChargesOn(ctx context.Context, statementID string) ([]prepaid.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+chargeColumns+`
		FROM package_charge c
		LEFT JOIN package p ON p.id = c.package_id
		WHERE c.statement_id = $1
		ORDER BY c.day, p.number, c.at, c.kind`, statementID)
	return collect(rows, err, scanCharge)
}

package store

import (
	"context"
	"errors"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// shareOn is what its package had left for the workspace of a bill on its day.
// What cannot be counted leaves none: the bill then differs from its hours.
func (tx *Tx) shareOn(ctx context.Context, c *catalog.Catalog, b bill.Bill) (*prepaid.Share, error) {
	s, err := site.Find(b.Site)
	if err != nil {
		return nil, nil
	}
	v, err := c.Find(b.Catalog)
	if err != nil {
		return nil, nil
	}
	share, err := bill.ShareOf(ctx, tx, v, b.Market, s, b.WorkspaceID, b.Day)
	if errors.Is(err, prepaid.ErrUncounted) || errors.Is(err, prepaid.ErrUnknown) {
		return nil, nil
	}
	return share, err
}

// verifyPackages compares every package with its charges, and what it covered
// with what it holds.
func (tx *Tx) verifyPackages(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	check := &prepaid.Check{}
	closed := map[site.ID]period.Day{}
	for after := ""; ; {
		rows, err := tx.Query(ctx, `
			SELECT `+packageColumns+`
			FROM package
			WHERE id > $1
			ORDER BY id
			LIMIT $2`, after, int64(pageOfBills))
		page, err := collect(rows, err, scanPackage)
		if err != nil {
			return nil, err
		}
		for _, bought := range page {
			after = bought.ID
			p, err := tx.whole(ctx, bought)
			if err != nil {
				return nil, err
			}
			if err := tx.verifyPackage(ctx, check, p, closed); err != nil {
				return nil, err
			}
		}
		if len(page) < pageOfBills {
			break
		}
	}
	found, err := tx.strays(ctx, "I4", `
		SELECT e.id, 'the charge for a package does not exist'
		FROM ledger_entry e
		LEFT JOIN package_charge c ON c.id = e.cause
		WHERE e.kind IN ('package', 'package_day')
			AND c.id IS NULL`)
	if err != nil {
		return nil, err
	}
	orphans, err := tx.strays(ctx, "I8", `
		SELECT c.id, 'the package that it was charged for does not exist'
		FROM package_charge c
		LEFT JOIN package p ON p.id = c.package_id
		WHERE p.id IS NULL`)
	return append(append(check.Findings(), found...), orphans...), err
}

// verifyPackage looks at one package. closed remembers the last day of each
// site whose close is done.
func (tx *Tx) verifyPackage(ctx context.Context, check *prepaid.Check, p prepaid.Package, closed map[site.ID]period.Day) error {
	through, known := closed[p.Site]
	if !known {
		last, err := tx.LastSiteDay(ctx, p.Site)
		if err != nil {
			return err
		}
		if through = last.Day; last.Begun() && !last.Closed() {
			through = last.Day.Add(-1)
		}
		closed[p.Site] = through
	}
	charges, err := tx.PackageCharges(ctx, p.ID, mostCharges)
	if err != nil {
		return err
	}
	for _, c := range charges {
		e, found, err := tx.LedgerEntry(ctx, c.Key())
		if err != nil {
			return err
		}
		check.Charge(c, e, found)
	}
	if !through.IsZero() { // a close that goes on has charged some packages of its day already
		charges = upTo(charges, through)
	}
	check.Package(p, charges, through)
	return tx.verifyCovered(ctx, check, p)
}

// mostCharges is beyond what a package can have: ten years of days, and its
// upgrades.
const mostCharges = 5000

func upTo(charges []prepaid.Charge, last period.Day) []prepaid.Charge {
	var kept []prepaid.Charge
	for _, c := range charges {
		if c.Kind != prepaid.Daily || !c.Day.After(last) {
			kept = append(kept, c)
		}
	}
	return kept
}

// verifyCovered sums what the bills of a package's workspaces say that it
// covered, day by day.
func (tx *Tx) verifyCovered(ctx context.Context, check *prepaid.Check, p prepaid.Package) error {
	within, args, err := tx.daily(ctx, "bill", "b.day", 2, p.First, p.Last)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		SELECT b.document
		FROM bill b
		JOIN (
			SELECT DISTINCT workspace_id
			FROM package_seat
			WHERE package_id = $1
		) s ON s.workspace_id = b.workspace_id
		WHERE `+within+`
		ORDER BY b.day`, append([]any{p.ID}, args...)...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var day period.Day
	sums := map[string]quantity.Decimal{}
	told := func() {
		for item, covered := range sums {
			check.Covered(p, day, item, covered)
		}
		clear(sums)
	}
	for rows.Next() {
		var document string
		if err := rows.Scan(&document); err != nil {
			return err
		}
		b, err := bill.Read([]byte(document))
		if err != nil {
			continue // the bills' own check says so
		}
		if b.Day != day {
			told()
			day = b.Day
		}
		for _, l := range b.Lines {
			if l.Package == nil || l.Package.Package != p.ID {
				continue
			}
			if sums[l.Item], err = sums[l.Item].Add(l.Package.Covered); err != nil {
				return err
			}
		}
	}
	told()
	return rows.Err()
}

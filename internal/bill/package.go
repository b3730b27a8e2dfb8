package bill

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// PackageTx is what packages add to the close of a day.
type PackageTx interface {
	ShareTx
	prepaid.ChargeTx
	// CoversOn gives the packages of a site on a day, by workspace.
	CoversOn(ctx context.Context, s site.ID, day period.Day) (map[string]*prepaid.Cover, error)
	// WorkspacesByID lists workspaces by their IDs, in no order.
	WorkspacesByID(ctx context.Context, ids []string) ([]workspace.Workspace, error)
	// PackagesToCharge lists the packages of a site that have traffic packages
	// on a day which were not charged yet, in the order of payers.
	PackagesToCharge(ctx context.Context, s site.ID, day period.Day) ([]string, error)
}

// chargePackages charges the traffic packages of a day, behind its bills: each
// package in a transaction of its own, and once.
func (b Books) chargePackages(ctx context.Context, v *catalog.Version, s site.Site, day period.Day, at time.Time) error {
	read := b.Read
	if read == nil {
		read = b.Write
	}
	var packages []string
	if err := read(ctx, func(tx Tx) (err error) {
		packages, err = tx.PackagesToCharge(ctx, s.ID, day)
		return err
	}); err != nil {
		return fmt.Errorf("packages to charge on %s: %w", day, err)
	}
	payable := func(item string) bool {
		it, err := v.Item(item)
		return err != nil || it.VoucherPayable
	}
	for _, id := range packages {
		if err := b.Write(ctx, func(tx Tx) error {
			_, err := prepaid.ChargeDay(ctx, tx, id, day, payable, at)
			return err
		}); err != nil {
			return fmt.Errorf("charge package %s for %s: %w", id, day, err)
		}
	}
	return nil
}

// packaged reports whether a package covered anything on the bill.
func (b Bill) packaged() bool {
	return slices.ContainsFunc(b.Lines, func(l Line) bool { return l.Package != nil })
}

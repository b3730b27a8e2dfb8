package bill

import (
	"context"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// CloudTx is what bills that a cloud collects need of a transaction.
type CloudTx interface {
	// AdvancesOf gives, by workspace, what clouds have been charged of a site's
	// day before its bills. Whoever asks keeps the payers' chains, so that none
	// is added meanwhile.
	AdvancesOf(ctx context.Context, s site.ID, day period.Day) (map[string][]wallet.Part, error)
	// ChargeClouds keeps what clouds have to collect of bills, besides what
	// they were charged in advance.
	ChargeClouds(ctx context.Context, bills []Issued) error
}

// ahead takes into account what clouds were charged of the lines in advance, as
// far as there are lines for it. A transaction that is run again says it anew.
func ahead(due []wallet.Due, advances []wallet.Part) error {
	for i := range due {
		due[i].Before = nil
	}
	for _, a := range advances {
		left := a.Amount
		for i := range due {
			open := due[i].Amount
			for _, b := range due[i].Before {
				var err error
				if open, err = open.Sub(b.Amount); err != nil {
					return err
				}
			}
			over, err := left.Cmp(open)
			if err != nil {
				return err
			}
			part := a
			if part.Amount = left; over > 0 {
				part.Amount = open
			}
			if part.Amount.Sign() <= 0 {
				continue
			}
			due[i].Before = append(due[i].Before, part)
			if left, err = left.Sub(part.Amount); err != nil {
				return err
			}
		}
	}
	return nil
}

// SoFar is what a cloud would have to collect of a workspace's day as it stands:
// what its lines come to, without what vouchers and cards pay and clouds were
// charged of it before. It gives what is left of the sources then.
func SoFar(v *catalog.Version, rated rate.Rated, means wallet.Deduction, advances []wallet.Part) (money.Amount, wallet.Deduction, error) {
	sum := money.Of(0, rated.Market.Currency)
	due, _, err := rater{version: v}.due(nil, rated)
	if err != nil {
		return sum, means, err
	}
	if err := ahead(due, advances); err != nil {
		return sum, means, err
	}
	parts, err := wallet.Deduct(means, due)
	if err != nil {
		return sum, means, err
	}
	for i, line := range parts {
		for _, p := range line[len(due[i].Before):] {
			if p.Payment != wallet.ByCloud {
				continue
			}
			if sum, err = sum.Add(p.Amount); err != nil {
				return sum, means, err
			}
		}
	}
	means, err = means.Spend(parts)
	return sum, means, err
}

package prepaid

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// begin finds a payer's package and the day from which a change holds: the
// next one of its site, since a day that has begun stays as it is.
func begin(ctx context.Context, tx Tx, payer, packageID string, at time.Time) (Package, period.Day, error) {
	p, err := tx.PackageForUpdate(ctx, packageID)
	if err != nil {
		return p, period.Day{}, err
	}
	if p.Payer != payer { // another payer's is as unknown as none
		return Package{}, period.Day{}, ErrUnknown
	}
	zone, err := p.zone()
	if err != nil {
		return p, period.Day{}, err
	}
	from := period.DayOf(at, zone).Add(1)
	if from.Before(p.First) {
		from = p.First
	}
	if from.After(p.Last) {
		return p, from, ErrEnded.With("last", p.Last.String())
	}
	return p, from, nil
}

// Arrange says which workspaces share a package from the next service day on,
// and in which order. The list is the whole of them; it may be empty.
func Arrange(ctx context.Context, tx Tx, payer, packageID string, workspaces []string, by Actor, at time.Time) (Package, error) {
	held, err := lockAll(ctx, tx, workspaces)
	if err != nil {
		return Package{}, err
	}
	p, from, err := begin(ctx, tx, payer, packageID, at)
	if err != nil {
		return p, err
	}
	t := p.Newest()
	if slices.Equal(t.Workspaces, workspaces) {
		return p, nil
	}
	t.First, t.Workspaces = from, slices.Clone(workspaces)
	if err := seats(ctx, tx, p, t, held); err != nil {
		return p, err
	}
	if p, err = p.put(ctx, tx, t); err != nil {
		return p, err
	}
	return p, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "package.arranged", Subject: p.ID,
		Detail: map[string]string{"from": from.String(), "workspaces": strings.Join(workspaces, " ")},
	})
}

// Release takes a workspace out of its packages from the next service day on:
// it gets another payer, or is dissolved. No package is no mistake.
func Release(ctx context.Context, tx Tx, workspaceID string, today period.Day, by Actor, at time.Time) error {
	packages, err := tx.SeatsOf(ctx, workspaceID, today.Add(1))
	if err != nil {
		return err
	}
	for _, packageID := range packages {
		p, err := tx.PackageForUpdate(ctx, packageID)
		if err != nil {
			return err
		}
		t := p.Newest()
		if t.First.Before(today.Add(1)) {
			t.First = today.Add(1)
		}
		t.Workspaces = slices.DeleteFunc(slices.Clone(t.Workspaces), func(id string) bool { return id == workspaceID })
		if _, err := p.put(ctx, tx, t); err != nil {
			return err
		}
		if err := tx.Audit(ctx, audit.Entry{
			At: at, Actor: by.AccountID, Address: by.Address, Action: "package.arranged", Subject: p.ID,
			Detail: map[string]string{"from": t.First.String(), "workspaces": strings.Join(t.Workspaces, " ")},
		}); err != nil {
			return err
		}
	}
	return nil
}

// put adds a term to the package.
func (p Package) put(ctx context.Context, tx Tx, t Term) (Package, error) {
	if err := tx.SaveTerm(ctx, p.ID, t); err != nil {
		return p, fmt.Errorf("keep a term of %s: %w", p.ID, err)
	}
	terms := slices.DeleteFunc(slices.Clone(p.Terms), func(o Term) bool { return !o.First.Before(t.First) })
	if n := len(terms); n > 0 {
		terms[n-1].Last = t.First.Add(-1)
	}
	p.Terms = append(terms, t)
	return p, nil
}

// Step is what an upgrade costs.
type Step struct {
	Size     string
	From     period.Day   // from which the new quotas hold
	Before   money.Amount // the price of the size that is had
	After    money.Amount
	DaysLeft int
	Days     int
	Price    money.Amount // the difference for the days that are left, half up
	Quotas   map[string]int64
}

// Steps lists the upgrades of a package on a day. The domain names no price:
// ours is the difference of the two sizes for the days that are left.
func (p Package) Steps(v *catalog.Version, today period.Day) []Step {
	from := today.Add(1)
	if from.Before(p.First) {
		from = p.First
	}
	if from.After(p.Last) {
		return nil
	}
	has := p.Newest()
	now, _ := v.AnnualPackages.Package(has.Size)
	var steps []Step
	for _, id := range now.UpgradesTo {
		to, ok := v.AnnualPackages.Package(id)
		if !ok || to.Price.Currency() != has.Price.Currency() || to.Price.Minor() < has.Price.Minor() {
			continue
		}
		s := Step{Size: id, From: from, Before: has.Price, After: to.Price, DaysLeft: p.Last.Sub(from) + 1, Days: p.Days(), Quotas: to.Quotas}
		s.Price = proRata(money.Of(to.Price.Minor()-has.Price.Minor(), to.Price.Currency()), s.DaysLeft, s.Days)
		steps = append(steps, s)
	}
	return steps
}

// Upgrade makes a package a larger one from the next service day on. Asked for
// again, it changes nothing.
func Upgrade(ctx context.Context, tx Tx, c *catalog.Catalog, payer, packageID, size string, mix wallet.Mix, by Actor, at time.Time) (Package, Charge, error) {
	p, from, err := begin(ctx, tx, payer, packageID, at)
	if err != nil {
		return p, Charge{}, err
	}
	id := ChargeIDOf(p.ID, Upgraded, size)
	if p.Newest().Size == size {
		charge, err := tx.PackageCharge(ctx, id)
		if isUnknown(err) {
			err = ErrNoUpgrade.On("size")
		}
		return p, charge, err
	}
	zone, err := p.zone()
	if err != nil {
		return p, Charge{}, err
	}
	today := period.DayOf(at, zone)
	v, err := c.At(today)
	if err != nil {
		return p, Charge{}, err
	}
	steps := p.Steps(v, today)
	i := slices.IndexFunc(steps, func(s Step) bool { return s.Size == size })
	if i < 0 {
		return p, Charge{}, ErrNoUpgrade.On("size")
	}
	step := steps[i]
	charge := Charge{ID: id, Kind: Upgraded, Payer: p.Payer, Package: p.ID, Site: p.Site, Total: step.Price, At: at, Lines: []ChargeLine{{
		Item: size, From: p.Newest().Size, Before: step.Before, After: step.After, DaysLeft: step.DaysLeft, Days: step.Days, Amount: step.Price,
	}}}
	if charge, err = pay(ctx, tx, p, charge, mix, at); err != nil {
		return p, Charge{}, err
	}
	t := p.Newest()
	t.First, t.Size, t.Price, t.Quotas = from, size, step.After, maps.Clone(step.Quotas)
	if p, err = p.put(ctx, tx, t); err != nil {
		return p, Charge{}, err
	}
	a, err := tx.BillingByID(ctx, p.Payer)
	if err != nil {
		return p, Charge{}, err
	}
	if err := tx.Announce(ctx, Receipt{a.UserName, a.Email, a.Language, p, size, charge, from}); err != nil {
		return p, Charge{}, err
	}
	return p, charge, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "package.upgraded", Subject: p.ID,
		Detail: map[string]string{"from": charge.Lines[0].From, "to": size, "first": from.String(), "price": step.Price.String()},
	})
}

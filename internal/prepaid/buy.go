package prepaid

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

func isUnknown(err error) bool {
	return errors.Is(err, ErrUnknown) || errors.Is(err, ErrChargeUnknown)
}

// Tx is what packages need of a transaction.
type Tx interface {
	ChargeTx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	// PackageForUpdate finds a package, kept from other writers, or ErrUnknown.
	PackageForUpdate(ctx context.Context, id string) (Package, error)
	// InsertPackage keeps a package with its terms.
	InsertPackage(ctx context.Context, p Package) error
	// SaveTerm keeps a term that holds from its first day to the end of the
	// package; the term before ends on the day before it.
	SaveTerm(ctx context.Context, packageID string, t Term) error
	// SeatTaken reports whether the workspace is in another package on any of the days.
	SeatTaken(ctx context.Context, workspaceID, packageID string, first, last period.Day) (bool, error)
	// SeatsOf lists the packages that a workspace is in from a day on.
	SeatsOf(ctx context.Context, workspaceID string, from period.Day) ([]string, error)
	// OpenDay is the day, or the first one behind it whose close has not begun.
	// No close of the site begins until the transaction ends.
	OpenDay(ctx context.Context, s site.ID, day period.Day) (period.Day, error)
	// InsertTraffic keeps a traffic package.
	InsertTraffic(ctx context.Context, packageID string, t Traffic) error
	// TrafficDiscount is the factor that was granted to a payer for an item; 1 where none was.
	TrafficDiscount(ctx context.Context, payer, item string) (quantity.Decimal, error)
	// SaveTrafficDiscount keeps it.
	SaveTrafficDiscount(ctx context.Context, payer, item string, d quantity.Decimal, by string, at time.Time) error
	// SetReminder keeps when a package's payer is told next that it ends.
	SetReminder(ctx context.Context, packageID string, at time.Time) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Actor is who does something about a package.
type Actor struct {
	AccountID string
	Address   string
}

// Order is a package to be bought. Its ID becomes the package's: an order that
// comes twice is carried out once.
type Order struct {
	ID         string
	Payer      string
	Size       string
	Workspaces []string   // in the order in which they share
	Starts     period.Day // a day of their site; zero: today
	Mix        wallet.Mix
}

// NewOrderID is the ID of an order.
func NewOrderID() string { return id.New(id.Package) }

// Receipt happens when a package was bought or upgraded and paid.
type Receipt struct {
	UserName string
	Email    string
	Language string
	Package  Package
	Name     string // the size
	Charge   Charge
	From     period.Day // from which it holds
}

// Buy sells a package. It holds from the day of the purchase, the whole of it,
// unless the order says a later one.
func Buy(ctx context.Context, tx Tx, c *catalog.Catalog, o Order, by Actor, at time.Time) (Package, Charge, error) {
	payer, err := tx.BillingByID(ctx, o.Payer)
	if err != nil {
		return Package{}, Charge{}, err
	}
	if !id.Valid(id.Package, o.ID) {
		return Package{}, Charge{}, ErrUnknown.On("order")
	}
	held, err := lockAll(ctx, tx, o.Workspaces)
	if err != nil {
		return Package{}, Charge{}, err
	}
	if _, err := tx.LedgerHead(ctx, o.Payer); err != nil { // two orders of one ID come after each other
		return Package{}, Charge{}, err
	}
	before, err := tx.Package(ctx, o.ID)
	switch {
	case err == nil && before.Payer != o.Payer:
		return Package{}, Charge{}, ErrUnknown.On("order")
	case err == nil:
		charge, err := tx.PackageCharge(ctx, ChargeIDOf(o.ID, Bought, ""))
		return before, charge, err
	case !isUnknown(err):
		return Package{}, Charge{}, err
	}
	p, err := o.shape(ctx, tx, c, payer, held, at)
	if err != nil {
		return Package{}, Charge{}, err
	}
	term := p.Terms[0]
	if err := seats(ctx, tx, p, term, held); err != nil {
		return Package{}, Charge{}, err
	}
	charge := Charge{ID: ChargeIDOf(p.ID, Bought, ""), Kind: Bought, Payer: p.Payer, Package: p.ID, Site: p.Site, Total: term.Price, At: at}
	charge.Lines = []ChargeLine{{Item: term.Size, Amount: term.Price}}
	if charge, err = pay(ctx, tx, p, charge, o.Mix, at); err != nil {
		return Package{}, Charge{}, err
	}
	if err := tx.InsertPackage(ctx, p); err != nil {
		return Package{}, Charge{}, fmt.Errorf("keep package %s: %w", p.ID, err)
	}
	err = tx.Announce(ctx, Receipt{payer.UserName, payer.Email, payer.Language, p, term.Size, charge, p.First})
	if err != nil {
		return Package{}, Charge{}, err
	}
	return p, charge, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "package.bought", Subject: p.ID,
		Detail: map[string]string{"size": term.Size, "price": term.Price.String(), "first": p.First.String(), "last": p.Last.String(), "workspaces": strings.Join(term.Workspaces, " ")},
	})
}

// shape makes the package of an order.
func (o Order) shape(ctx context.Context, tx Tx, c *catalog.Catalog, payer account.Billing, held map[string]workspace.Workspace, at time.Time) (Package, error) {
	if len(o.Workspaces) == 0 {
		return Package{}, ErrNoWorkspaces.On("workspaces")
	}
	first, known := held[o.Workspaces[0]]
	if !known || first.Payer != payer.ID {
		return Package{}, ErrNotYours.On("workspaces").With("workspace", o.Workspaces[0])
	}
	s, err := site.Find(first.Site)
	if err != nil {
		return Package{}, err
	}
	today := period.DayOf(at, s.Zone)
	v, err := c.At(today)
	switch {
	case err != nil:
		return Package{}, err
	case !v.AnnualPackages.Sells(payer.Currency):
		return Package{}, ErrCurrency.With("currency", string(payer.Currency))
	}
	size, ok := v.AnnualPackages.Package(o.Size)
	if !ok {
		return Package{}, ErrSizeUnknown.On("size")
	}
	starts := o.Starts
	if starts.IsZero() || starts == today {
		if starts, err = tx.OpenDay(ctx, s.ID, today); err != nil {
			return Package{}, err
		}
	} else if starts.Before(today) || starts.Sub(today) > MostAhead {
		return Package{}, ErrStarts.On("starts")
	}
	p := Package{ID: o.ID, Payer: payer.ID, Site: s.ID, Catalog: v.ID, First: starts, BoughtAt: at}
	p.Last = period.DayOf(starts.Start(time.UTC).AddDate(v.AnnualPackages.ValidYears, 0, -1), time.UTC)
	p.Terms = []Term{{p.First, p.Last, size.ID, size.Price, maps.Clone(size.Quotas), slices.Clone(o.Workspaces)}}
	p.RemindAt = p.reminder(at, s.Zone)
	return p, nil
}

// pay takes the price from the mix, and keeps the charge.
func pay(ctx context.Context, tx Tx, p Package, c Charge, mix wallet.Mix, at time.Time) (Charge, error) {
	zone, err := p.zone()
	if err != nil {
		return c, err
	}
	c.Day = period.DayOf(at, zone)
	if c.Total.Minor() > wallet.MostAmount {
		return c, wallet.ErrAbsurd
	}
	c.Lines[0].Paid, err = wallet.Spend(ctx, tx, wallet.Buying{
		Key: c.Key(), Kind: c.Kind.EntryKind(), Cause: c.ID, Payer: c.Payer, Price: c.Total, Mix: mix,
	}, at)
	if err != nil {
		return c, err
	}
	c = c.sealed()
	if err := tx.InsertPackageCharge(ctx, c); err != nil {
		return c, fmt.Errorf("keep the charge of %s: %w", p.ID, err)
	}
	return c, nil
}

// lockAll finds workspaces, always in one order, against deadlocks. One that
// does not exist is left out; the list is judged afterwards.
func lockAll(ctx context.Context, tx Tx, ids []string) (map[string]workspace.Workspace, error) {
	if len(ids) > MostWorkspaces {
		return nil, ErrManyShare.On("workspaces").With("most", MostWorkspaces)
	}
	held := make(map[string]workspace.Workspace, len(ids))
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if _, twice := held[id]; twice {
			return nil, ErrTwice.On("workspaces").With("workspace", id)
		}
		w, err := tx.WorkspaceForUpdate(ctx, id)
		if errors.Is(err, workspace.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		held[id] = w
	}
	return held, nil
}

// seats judges the workspaces of a term.
func seats(ctx context.Context, tx Tx, p Package, t Term, held map[string]workspace.Workspace) error {
	var wrong fault.Fields
	for i, id := range t.Workspaces {
		refuse := func(f *fault.Error) {
			wrong = append(wrong, f.On("workspaces").With("workspace", id).With("position", strconv.Itoa(i+1)))
		}
		w, known := held[id]
		switch {
		case !known || w.Payer != p.Payer: // another payer's is as unknown as none
			refuse(ErrNotYours)
			continue
		case w.State.Over() != nil:
			refuse(fault.From(w.State.Over()))
			continue
		case w.Site != p.Site:
			refuse(ErrOtherSite)
			continue
		case w.Settlement != site.BillingCenter:
			refuse(ErrNeedsCenter)
			continue
		}
		taken, err := tx.SeatTaken(ctx, id, p.ID, t.First, t.Last)
		if err != nil {
			return err
		}
		if taken {
			refuse(ErrTaken)
		}
	}
	return wrong.OrNil()
}

// proRata is the part of an amount for the days that are left, half up.
func proRata(a money.Amount, left, days int) money.Amount {
	whole := a.Minor() * int64(left)
	return money.Of((2*whole+int64(days))/(2*int64(days)), a.Currency())
}

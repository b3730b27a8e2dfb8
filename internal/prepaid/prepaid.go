// Package prepaid holds annual packages and traffic packages: what a payer has
// bought ahead, which workspaces share it in which order, and how much of a
// day's usage it covers (domain section 10.3). It owns packages, their terms,
// the conversion of classes, the sharing of a quota, and what is charged for
// packages. It does not own the figures, which are the catalogue's, nor the
// money, which is the ledger's, nor the lines of a bill.
//
// Always true: the terms of a package follow each other without a gap from its
// first day to its last, and one that has begun never changes but for its end;
// a workspace is in at most one package on a day; what all workspaces of a
// package have covered on a day is never more than its quota; a package and
// its upgrades are paid in full before they hold.
package prepaid

import (
	"slices"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// Faults of packages.
var (
	ErrUnknown       = fault.New(fault.NotFound, "package_unknown", "There is no such package.")
	ErrSizeUnknown   = fault.New(fault.Invalid, "package_size_unknown", "The catalogue has no such package.")
	ErrCurrency      = fault.New(fault.Conflict, "package_currency", "Packages are sold in CNY only. This account pays in another currency.")
	ErrNoWorkspaces  = fault.New(fault.Invalid, "package_workspaces_missing", "Choose at least one workspace that shares the package.")
	ErrManyShare     = fault.New(fault.Invalid, "package_workspaces_many", "A package is shared by at most 100 workspaces.")
	ErrTwice         = fault.New(fault.Invalid, "package_workspace_twice", "This workspace is in the list more than once.")
	ErrNotYours      = fault.New(fault.Invalid, "package_workspace_unknown", "This account pays for no such workspace.")
	ErrOtherSite     = fault.New(fault.Conflict, "package_other_site", "All workspaces of a package are on one site.")
	ErrNeedsCenter   = fault.New(fault.Conflict, "package_needs_billing_center", "A package covers only workspaces that the Billing Center account settles. Change the settlement method of this workspace first.")
	ErrTaken         = fault.New(fault.Conflict, "package_workspace_taken", "This workspace is in another package on some of these days.")
	ErrStarts        = fault.New(fault.Invalid, "package_starts", "A package begins today, or on one of the next 60 days.")
	ErrEnded         = fault.New(fault.Conflict, "package_ended", "This package has ended.")
	ErrNoUpgrade     = fault.New(fault.Conflict, "package_upgrade_impossible", "This package cannot be upgraded to that one.")
	ErrTrafficItem   = fault.New(fault.Invalid, "traffic_package_unknown", "There is no traffic package for this item.")
	ErrCapacity      = fault.New(fault.Invalid, "traffic_capacity", "The capacity is a multiple of the base of this item.")
	ErrCapacityLarge = fault.New(fault.Invalid, "traffic_capacity_large", "This capacity is larger than any that can be real. Contact the operator.")
	ErrDiscount      = fault.New(fault.Invalid, "traffic_discount", "Enter a factor above 0 and at most 1, with at most four decimals, such as 0.8.")
	ErrUncounted     = fault.New(fault.Unavailable, "package_usage_uncounted", "The usage of another workspace that shares the package cannot be counted.")
	ErrChargeUnread  = fault.New(fault.Internal, "package_charge_unreadable", "This charge of a package cannot be read.")
	ErrChargeUnknown = fault.New(fault.NotFound, "package_charge_unknown", "There is no such charge.")
)

// Bounds of packages.
const (
	MostWorkspaces = 100 // that share one
	MostAhead      = 60  // days from the purchase to the first day
)

// Package is an annual package that was bought.
type Package struct {
	ID       string
	Payer    string // the Billing Center account
	Site     site.ID
	Catalog  string     // the version by which it was bought
	First    period.Day // service days of the site
	Last     period.Day
	Terms    []Term    // in the order of their days
	Traffic  []Traffic // in the order in which they were bought
	BoughtAt time.Time
	RemindAt time.Time // when its payer is told next that it ends; zero: no more
}

// Term is what holds of a package from one day to another.
type Term struct {
	First      period.Day
	Last       period.Day
	Size       string           // the package of the catalogue
	Price      money.Amount     // of the size, for the whole time
	Quotas     map[string]int64 // a day, by item, as the catalogue had them at the purchase
	Workspaces []string         // in the order in which they share
}

// Traffic is capacity that was added to a package. It ends with it.
type Traffic struct {
	ID        string
	Item      string
	Capacity  int64            // a day
	Units     quantity.Decimal // capacity by the unit of the price
	UnitPrice quantity.Decimal
	Discount  quantity.Decimal // 1: none
	Exact     quantity.Decimal // units x unit price x discount
	Price     money.Amount     // of a day: exact, half up
	First     period.Day
	BoughtAt  time.Time
}

// On is the term of a day.
func (p Package) On(day period.Day) (Term, bool) {
	i := slices.IndexFunc(p.Terms, func(t Term) bool { return !day.Before(t.First) && !day.After(t.Last) })
	if i < 0 {
		return Term{}, false
	}
	return p.Terms[i], true
}

// Newest is the last term: what holds once every change has come into force.
func (p Package) Newest() Term { return p.Terms[len(p.Terms)-1] }

// Days is how many it holds.
func (p Package) Days() int { return p.Last.Sub(p.First) + 1 }

// TrafficOn lists the traffic packages of a day.
func (p Package) TrafficOn(day period.Day) []Traffic {
	return slices.DeleteFunc(slices.Clone(p.Traffic), func(t Traffic) bool { return day.Before(t.First) || day.After(p.Last) })
}

// State is where a package is in its time.
type State string

// The states.
const (
	Ahead  State = "ahead" // its first day has not begun
	Active State = "active"
	Ended  State = "ended"
)

// StateOn is the state on a day of its site.
func (p Package) StateOn(day period.Day) State {
	switch {
	case day.Before(p.First):
		return Ahead
	case day.After(p.Last):
		return Ended
	}
	return Active
}

// zone is that of the site's days.
func (p Package) zone() (*time.Location, error) {
	s, err := site.Find(p.Site)
	return s.Zone, err
}

// Package settle holds who is charged for a workspace and when that may be
// changed (domain section 11). It owns the rules; it does not own the list of
// methods of a site, which is the site's, nor the order of deduction, which is
// the wallet's policy.
//
// Always true: a workspace that a cloud settles stays with it until the
// subscription has ended; besides that, its method changes at most once in a
// calendar month of its site; one that is in an annual package stays with the
// Billing Center.
package settle

import (
	"errors"
	"slices"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Faults of settlement.
var (
	ErrNotCommercial  = fault.New(fault.Conflict, "settlement_needs_commercial", "Only a workspace on the Commercial plan is settled. Upgrade it first.")
	ErrSame           = fault.New(fault.Conflict, "settlement_unchanged", "This workspace is settled this way already.")
	ErrCloudLocked    = fault.New(fault.Conflict, "settlement_cloud_locked", "A cloud account settles this workspace. Unsubscribe from the product on the cloud's marketplace first.")
	ErrNotAllowed     = fault.New(fault.Invalid, "settlement_not_allowed", "This site does not offer this settlement method.")
	ErrOnlyCloud      = fault.New(fault.Conflict, "settlement_only_cloud", "This workspace was opened from a cloud's marketplace. Only an account of that cloud can settle it.")
	ErrThisMonth      = fault.New(fault.Conflict, "settlement_already_changed_this_month", "The settlement method was changed this month. It can be changed again next month.")
	ErrPackaged       = fault.New(fault.Conflict, "settlement_package_bound", "An annual package covers this workspace, which only the Billing Center account can settle. Take it out of the package first, or wait until the package has ended.")
	ErrNoSubscription = fault.New(fault.Invalid, "settlement_needs_subscription", "Choose the cloud account that settles the workspace, or bind one first.")
	ErrNotEnabled     = fault.New(fault.Unavailable, "settlement_not_enabled", "This settlement method is not enabled on this installation.")
)

// Rules is what an installation allows.
type Rules struct {
	Profile site.Profile
	Enabled []site.Method // the clouds that are connected; the Billing Center always is
}

// Standing is what a change is judged by.
type Standing struct {
	Workspace  workspace.Workspace
	Arbitrary  bool      // the operator's switch on the payer's account (domain C-11)
	Subscribed bool      // a cloud settles the workspace and its subscription lives
	Chosen     bool      // the method was chosen since the workspace was opened; the first choice does not count
	ChangedAt  time.Time // the last change that counted; zero when there was none

	OpenedOn site.Method // the cloud from whose marketplace the workspace was opened, which alone may settle it; empty for none

	Packaged       bool       // the workspace is in an annual package
	PackageThrough period.Day // the last day on which it is
}

// Option is a method as the change dialog shows it.
type Option struct {
	Method      site.Method
	Preselected bool
	Enabled     bool // false: shown, but refused on this installation
}

// Options lists what the dialog offers besides the Billing Center; it is empty
// where the upgrade returns straight to Billing.
func (r Rules) Options(s site.Site, arbitrary bool) []Option {
	preselected, offered := s.Preselected(r.Profile, arbitrary)
	if !offered {
		return nil
	}
	var options []Option
	for _, m := range s.Allowed(r.Profile, arbitrary) {
		if m != site.BillingCenter {
			options = append(options, Option{Method: m, Preselected: m == preselected, Enabled: r.Enables(m)})
		}
	}
	return options
}

// Enables reports whether the method can be used on this installation.
func (r Rules) Enables(m site.Method) bool {
	return m == site.BillingCenter || slices.Contains(r.Enabled, m)
}

// Held says why the method cannot be changed now whatever the other one is, if
// it cannot, and from which day it can; what a cloud settles has no such day
// and stays until it is unsubscribed there. The lock of a cloud is looked at
// before the month (domain C-12).
func (r Rules) Held(st Standing, at time.Time) error {
	w := st.Workspace
	s, err := site.Find(w.Site)
	if err != nil {
		return err
	}
	if err := w.State.Over(); err != nil {
		return err
	}
	switch next := nextChange(s, st.ChangedAt); {
	case w.Plan != workspace.Commercial:
		return ErrNotCommercial
	case w.Settlement != site.BillingCenter && st.Subscribed:
		return ErrCloudLocked
	case st.Packaged: // domain section 11: only the Billing Center
		return PackagedThrough(st.PackageThrough)
	case at.Before(next) && !st.unlocks():
		day := period.DayOf(next, s.Zone).String()
		return ErrThisMonth.With("possible", day).Says("The settlement method was changed this month. It can be changed again from %s on.", day)
	}
	return nil
}

// PackagedThrough is the refusal of what a package forbids until that day has ended.
func PackagedThrough(through period.Day) error {
	day := through.Add(1).String()
	return ErrPackaged.With("possible", day).
		Says("An annual package covers this workspace, which only the Billing Center account can settle. Take it out of the package first, or wait: from %s on it can be changed.", day)
}

// Change judges a change by the person who pays. counts says whether it uses
// up this month's change. What the site does not offer is refused before the
// month is looked at. Leaving a cloud whose subscription no longer lives unlocks
// the workspace: it waits for no month and never counts (domain sections 11 and
// 12). A change that the system forces does not ask here.
func (r Rules) Change(st Standing, to site.Method, at time.Time) (counts bool, err error) {
	w := st.Workspace
	s, err := site.Find(w.Site)
	if err != nil {
		return false, err
	}
	held := r.Held(st, at)
	switch {
	case w.State.Over() != nil, errors.Is(held, ErrNotCommercial):
		return false, held
	case w.Settlement == to && (to == site.BillingCenter || st.Subscribed):
		return false, ErrSame
	case held != nil && !errors.Is(held, ErrThisMonth):
		return false, held
	case st.OpenedOn != "" && to != st.OpenedOn: // domain section 5, entry C
		return false, ErrOnlyCloud.With("method", string(st.OpenedOn))
	case !slices.Contains(s.Allowed(r.Profile, st.Arbitrary), to):
		return false, ErrNotAllowed.With("method", string(to))
	case held != nil:
		return false, held
	case !r.Enables(to):
		return false, ErrNotEnabled.With("method", string(to))
	}
	return st.Chosen && !st.unlocks(), nil
}

// unlocks reports whether any change leaves a cloud whose subscription no
// longer lives.
func (st Standing) unlocks() bool {
	return st.Workspace.Settlement != site.BillingCenter && !st.Subscribed
}

// nextChange is the first instant at which the month's change is there again:
// the start of the month after the last change, in the site's zone.
func nextChange(s site.Site, changedAt time.Time) time.Time {
	if changedAt.IsZero() {
		return time.Time{}
	}
	return period.DayOf(changedAt, s.Zone).Month().Next().First().Start(s.Zone)
}

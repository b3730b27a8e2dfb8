package prepaid

import (
	"context"
	"time"

	"tollgate.dev/internal/period"
)

// warnings are how many days before its end a package's payer is told (our
// choice: the domain names no mail).
var warnings = []int{30, 1}

// Remind is the job that tells a package's payer that it ends.
type Remind struct {
	PackageID string `json:"package_id"`
}

// Kind names the job for the queue.
func (Remind) Kind() string { return "package.remind" }

// UniqueByArgs keeps one job of a package waiting at most.
func (Remind) UniqueByArgs() bool { return true }

// Expiring happens when a package ends soon.
type Expiring struct {
	UserName string
	Email    string
	Language string
	Package  Package
	Days     int // that are left, today included
	At       time.Time
}

// reminder is the first instant behind the given one at which the payer is
// told; zero when there is none.
func (p Package) reminder(after time.Time, zone *time.Location) time.Time {
	for _, days := range warnings {
		if at := p.Last.Add(1 - days).Start(zone); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// Warn tells the payer of a package that it ends soon, when it is time to.
func Warn(ctx context.Context, tx Tx, packageID string, at time.Time) error {
	p, err := tx.PackageForUpdate(ctx, packageID)
	if err != nil || p.RemindAt.IsZero() || at.Before(p.RemindAt) {
		return err
	}
	zone, err := p.zone()
	if err != nil {
		return err
	}
	if err := tx.SetReminder(ctx, p.ID, p.reminder(at, zone)); err != nil {
		return err
	}
	left := p.Last.Sub(period.DayOf(at, zone)) + 1
	if left < 1 { // nobody looked in time
		return nil
	}
	a, err := tx.BillingByID(ctx, p.Payer)
	if err != nil {
		return err
	}
	return tx.Announce(ctx, Expiring{UserName: a.UserName, Email: a.Email, Language: a.Language, Package: p, Days: left, At: at})
}

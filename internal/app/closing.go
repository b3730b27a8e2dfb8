package app

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// When a day's close stops waiting for a gateway that was heard of shortly
// before midnight and not since: its usage is late then and goes to the next
// day.
const (
	quietBefore = 24 * time.Hour
	waitAtMost  = 6 * time.Hour
	waitAgain   = time.Second
)

// abreast is how many lots of a close are worked on at the same time. Two thirds
// of a lot's time is the database's, and lots wait for their turn to commit: of
// five, two processors are busy nearly all the time (docs/performance.md).
var abreast = max(5, runtime.NumCPU())

// books is where days are closed.
func (a *App) books(quiet time.Duration) bill.Books {
	return bill.Books{
		Catalog: a.catalog, Quiet: quiet, Workers: abreast, OneWrite: a.store.OneWriter(), Progress: a.progress(),
		Write: func(ctx context.Context, f func(bill.Tx) error) error {
			return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(bill.Tx) error) error {
			return a.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
}

// sayEvery is how often a close that takes long says how far it has come. The
// operator's page reads it from the day itself, at any time.
const sayEvery = 10 * time.Second

func (a *App) progress() func(bill.SiteDay) {
	said := time.Now()
	return func(d bill.SiteDay) {
		if time.Since(said) < sayEvery {
			return
		}
		said = time.Now()
		a.log.Info("day is being closed", "site", d.Site, "day", d.Day, "workspaces", d.Done, "of", d.Total)
	}
}

func (a *App) registerClosing() {
	job.Register(a.runner, func(ctx context.Context, d bill.CloseDay) error {
		s, err := site.Find(d.Site)
		if err != nil {
			return err
		}
		if err := a.reloadCatalog(ctx); err != nil {
			return err
		}
		now, quiet := a.clock.Now(), quietBefore
		if now.After(d.Day.End(s.Zone).Add(waitAtMost)) {
			quiet = 0
		}
		day, err := a.books(quiet).CloseDay(ctx, d, now)
		switch {
		case errors.Is(err, bill.ErrNotFlushed):
			return job.Wait(waitAgain)
		case err != nil:
			return fmt.Errorf("close %s of %s: %w", d.Day, d.Site, err)
		}
		a.log.Info("day closed", "site", d.Site, "day", d.Day, "bills", day.Bills, "parked", day.Parked)
		return a.watch(ctx, alert.Check{Site: d.Site, Day: d.Day})
	})
	job.Register(a.runner, a.clean)
}

// due lists, for each site that has Commercial workspaces, the next day to
// close and when it falls due.
func (a *App) due(ctx context.Context, tx *store.Tx) (map[site.ID]period.Day, time.Time, error) {
	firsts, err := tx.CommercialSites(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	days, earliest := map[site.ID]period.Day{}, time.Time{}
	for id, first := range firsts {
		s, err := site.Find(id)
		if err != nil {
			return nil, time.Time{}, err
		}
		last, err := tx.LastSiteDay(ctx, id)
		if err != nil {
			return nil, time.Time{}, err
		}
		closed := last.Day
		switch {
		case !last.Begun():
			closed = bill.FirstClosed(s.Zone, first)
		case !last.Closed():
			closed = last.Day.Add(-1) // go on where it stopped
		}
		days[id] = closed.Add(1)
		if at := bill.DueAt(s.Zone, closed); earliest.IsZero() || at.Before(earliest) {
			earliest = at
		}
	}
	return days, earliest, nil
}

// closing is the calendar's task of closing days.
func (a *App) closing() job.Task {
	return job.Task{
		Name: "close days",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) {
			days, earliest, err := a.due(ctx, tx)
			return earliest, len(days) > 0, err
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			days, _, err := a.due(ctx, tx)
			if err != nil {
				return err
			}
			for id, day := range days {
				s, err := site.Find(id)
				if err != nil {
					return err
				}
				if at.Before(day.End(s.Zone)) {
					continue
				}
				if err := tx.Enqueue(ctx, bill.CloseDay{Site: id, Day: day}); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// Clean is the job that removes what no longer serves: records whose retention
// has ended, ended sessions, used codes, the sets of days long past.
type Clean struct {
	Day period.Day `json:"day"` // of UTC
}

// Kind names the job for the queue.
func (Clean) Kind() string { return "house.clean" }

// UniqueByArgs keeps one of a day.
func (Clean) UniqueByArgs() bool { return true }

const cleanedSetting = "house.cleaned"

// keepSets is how many days the members of exact sets are kept: a day that is
// closed needs its counts only.
const keepSets = 3

// keepEvents is for how long a usage event that comes again is known: longer
// than a month, so that no service that was down sends one twice.
const keepEvents = 45 * 24 * time.Hour

func (a *App) clean(ctx context.Context, c Clean) error {
	now := a.clock.Now()
	if err := failpoint.Around("sink.expire", func() error { return a.sink.Expire(ctx, now) }); err != nil {
		return fmt.Errorf("expire records: %w", err)
	}
	if err := a.forgetLate(ctx, now); err != nil {
		return err
	}
	return a.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Sweep(ctx, time.Now(), now); err != nil {
			return err
		}
		if err := tx.SweepTries(ctx, now.Add(-wallet.TryWindow)); err != nil {
			return err
		}
		if err := tx.SweepMembers(ctx, c.Day.Add(-keepSets)); err != nil {
			return err
		}
		if err := tx.SweepEvents(ctx, now.Add(-keepEvents)); err != nil {
			return err
		}
		return tx.SetSetting(ctx, cleanedSetting, c.Day.String())
	})
}

// cleaning falls due once a day, when the day begins in UTC.
func (a *App) cleaning() job.Task {
	return job.Task{
		Name: "clean the house",
		Next: func(ctx context.Context, tx *store.Tx) (time.Time, bool, error) {
			at, err := nextClean(ctx, tx)
			return at, true, err
		},
		Enqueue: func(ctx context.Context, tx *store.Tx, at time.Time) error {
			if due, err := nextClean(ctx, tx); err != nil || due.After(at) {
				return err
			}
			return tx.Enqueue(ctx, Clean{Day: period.DayOf(at, time.UTC)})
		},
	}
}

// nextClean is when the day behind the last clean one begins. A house that was
// never cleaned is due already.
func nextClean(ctx context.Context, tx *store.Tx) (time.Time, error) {
	text, ok, err := tx.Setting(ctx, cleanedSetting)
	if err != nil || !ok {
		return time.Unix(0, 0), err
	}
	day, err := period.ParseDay(text)
	return day.End(time.UTC), err
}

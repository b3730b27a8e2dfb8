package bill

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

func isUnknown(err error) bool { return errors.Is(err, ErrUnknown) }

// SiteDay is the close of one service day of a site. From its beginning on,
// late usage of the day goes to the next one.
type SiteDay struct {
	Site     site.ID
	Day      period.Day
	BeganAt  time.Time
	ClosedAt time.Time // zero while it goes on
	Total    int64     // Commercial workspaces when it began
	Done     int64     // those that were looked at so far
	After    Place     // the last of them
	Bills    int64     // with a number behind the last one of the day before; a late bill of an earlier day may be one
	Parked   int64
	Series   string
	Through  int64  // the last number of the series when the day was closed
	Digest   string // the link of the series at that number: every bill up to it is in it
	Older    string // where the chains of the site's other years stood
	Previous string // the hash of the closed day before
	Hash     string
}

// Begun reports whether the close has begun.
func (d SiteDay) Begun() bool { return !d.BeganAt.IsZero() }

// Closed reports whether it is done.
func (d SiteDay) Closed() bool { return !d.ClosedAt.IsZero() }

// Sum is the hash of the closed day, which the next one holds.
func (d SiteDay) Sum() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%d\n%s\n%d\n%s\n%s", d.Previous, d.Site, d.Day, d.Bills, d.Series, d.Through, d.Digest, d.Older))
	return hexOf(sum)
}

// through is the last number of a series that the day holds: that of the day
// before is where the next one goes on.
func (d SiteDay) through(series string) int64 {
	if d.Series == series {
		return d.Through
	}
	return 0
}

// Books is where a day is closed: many workspaces in a transaction, several
// transactions side by side. A workspace that fails does not stop the others.
type Books struct {
	Write    func(ctx context.Context, f func(Tx) error) error
	Read     func(ctx context.Context, f func(Tx) error) error // nil: Write serves
	Catalog  *catalog.Catalog
	Quiet    time.Duration      // a gateway not heard of for longer than this before the day's end holds no usage
	Lot      int                // workspaces in a transaction; 0 for LotOf
	Workers  int                // lots worked on side by side; 0 for one
	OneWrite bool               // transactions that write exclude each other, so that one may not wait for another
	Progress func(done SiteDay) // told after each lot, in order
}

// LotOf is how many workspaces are billed in one transaction: enough that the
// commit is a small part of it, few enough that memory stays flat and nobody
// waits long for a payer's chain.
const LotOf = 1000

// CloseDay closes a service day of a site: it bills every Commercial workspace
// that used something, parks those that fail, and chains the day to the one
// before. It may be stopped anywhere and run again to the same bills. It
// returns ErrNotFlushed when a gateway still holds usage of the day: try later.
func (b Books) CloseDay(ctx context.Context, job CloseDay, at time.Time) (SiteDay, error) {
	s, err := site.Find(job.Site)
	if err != nil {
		return SiteDay{}, err
	}
	day, err := b.begin(ctx, s, job.Day, at)
	if err != nil || day.Closed() {
		return day, err
	}
	r, err := b.newRun(s, day, at)
	if err != nil {
		return day, err
	}
	if err := r.bill(ctx); err != nil {
		return r.day, err
	}
	if err := b.chargePackages(ctx, r.version, s, day.Day, at); err != nil {
		return r.day, err
	}
	return b.finish(ctx, r.day, at)
}

// begin keeps that the close began, in order and not before the day's end.
func (b Books) begin(ctx context.Context, s site.Site, day period.Day, at time.Time) (SiteDay, error) {
	var d SiteDay
	err := b.Write(ctx, func(tx Tx) (err error) {
		if d, err = tx.SiteDay(ctx, s.ID, day); err != nil || d.Begun() {
			return err
		}
		end := day.End(s.Zone)
		if at.Before(end) {
			return ErrNotDue.With("day", day.String())
		}
		last, err := tx.LastSiteDay(ctx, s.ID)
		switch {
		case err != nil:
			return err
		case last.Begun() && (!last.Closed() || last.Day.Add(1) != day):
			return ErrOutOfOrder.With("day", day.String()).With("last", last.Day.String())
		}
		through, known, err := tx.FlushedThrough(ctx, end.Add(-b.Quiet))
		if err != nil {
			return err
		}
		if err := Flushed(through, known, end); err != nil {
			return err
		}
		d = SiteDay{Site: s.ID, Day: day, BeganAt: at, Previous: last.Hash, Series: Series(s.ID, day)}
		if d.Total, err = tx.CountCommercial(ctx, s.ID); err != nil {
			return err
		}
		return tx.BeginSiteDay(ctx, d)
	})
	return d, err
}

// closeOne bills a workspace or parks it with the reason.
func (b Books) closeOne(ctx context.Context, s site.Site, day period.Day, workspaceID string, at time.Time) error {
	err := b.Write(ctx, func(tx Tx) error {
		_, err := Close(ctx, tx, b.Catalog, day, workspaceID, at)
		return err
	})
	if err == nil || ctx.Err() != nil {
		return err
	}
	p := Parked{WorkspaceID: workspaceID, Site: s.ID, Day: day, At: at, Kept: fault.Keep(err)}
	return b.Write(ctx, func(tx Tx) error { return tx.Park(ctx, p) })
}

// Retry bills a parked workspace's day after its close. While a day of the site
// is being closed, its lots take the numbers, and nobody else may.
func (b Books) Retry(ctx context.Context, workspaceID string, day period.Day, at time.Time) (Bill, error) {
	var made Bill
	err := b.Write(ctx, func(tx Tx) (err error) {
		w, err := tx.Workspace(ctx, workspaceID)
		if err != nil {
			return err
		}
		last, err := tx.LastSiteDayKept(ctx, w.Site)
		if err != nil {
			return err
		}
		if last.Begun() && !last.Closed() {
			return ErrClosing.With("day", last.Day.String())
		}
		if d, err := tx.SiteDay(ctx, w.Site, day); err != nil || !d.Begun() {
			return errors.Join(err, ErrNotDue.With("day", day.String()))
		}
		made, err = Close(ctx, tx, b.Catalog, day, workspaceID, at)
		return err
	})
	return made, err
}

// finish marks the day closed and chains it.
func (b Books) finish(ctx context.Context, d SiteDay, at time.Time) (SiteDay, error) {
	err := b.Write(ctx, func(tx Tx) error {
		now, err := tx.SiteDay(ctx, d.Site, d.Day)
		if err != nil || now.Closed() {
			d = now
			return err
		}
		if err := d.cover(ctx, tx); err != nil {
			return err
		}
		if d.Parked, err = tx.CountParked(ctx, d.Site, d.Day); err != nil {
			return err
		}
		d.ClosedAt = at
		d.Hash = d.Sum()
		if err := tx.FinishSiteDay(ctx, d); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{
			At: at, Actor: "system", Action: "day.closed", Subject: string(d.Site) + " " + d.Day.String(),
			Detail: map[string]string{"bills": fmt.Sprint(d.Bills), "parked": fmt.Sprint(d.Parked), "hash": d.Hash},
		})
	})
	return d, err
}

// cover takes into the day where the chains of the site's bills stand.
func (d *SiteDay) cover(ctx context.Context, tx Tx) error {
	end, err := tx.SeriesEnd(ctx, d.Series)
	if err != nil {
		return err
	}
	ends, err := tx.SeriesEnds(ctx, d.Site)
	if err != nil {
		return err
	}
	before, err := tx.SiteDay(ctx, d.Site, d.Day.Add(-1))
	if err != nil {
		return err
	}
	d.Through, d.Digest, d.Older = end.Number, end.Hash, older(ends, d.Series)
	d.Bills = d.Through - before.through(d.Series)
	return nil
}

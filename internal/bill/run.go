package bill

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
)

// run bills the workspaces of a site's day, lot by lot. Lots are made in the
// order of payers, so that only neighbours can have one in common: everything
// else of them is done side by side, but for their commits.
type run struct {
	Books
	site    site.Site
	day     SiteDay
	at      time.Time
	version *catalog.Version
	raters  map[money.Currency]rater
	agreed  map[string][]catalog.Override // by payer: prices that hold on the day
	covers  map[string]*prepaid.Cover     // by workspace: its package on the day
	parked  int64                         // by a run before, or one by one
}

func (b Books) newRun(s site.Site, day SiteDay, at time.Time) (*run, error) {
	if b.Read == nil {
		b.Read = b.Write
	}
	if b.Lot <= 0 {
		b.Lot = LotOf
	}
	b.Workers = max(1, b.Workers)
	v, err := b.Catalog.At(day.Day)
	if err != nil {
		return nil, err
	}
	r := &run{Books: b, site: s, day: day, at: at, version: v, raters: map[money.Currency]rater{}}
	for _, m := range catalog.Markets() {
		if m.Group == s.Group {
			r.raters[m.Currency] = newRater(v, m)
		}
	}
	return r, nil
}

// bill goes on from where the day's close has come to until nothing is left. A
// lot that fails as a whole is billed one by one, and the run goes on behind it.
func (r *run) bill(ctx context.Context) error {
	for {
		failed, err := r.abreast(ctx)
		switch {
		case err != nil:
			return err
		case failed == nil:
			return nil
		}
		if err := r.oneByOne(ctx, failed); err != nil {
			return err
		}
		r.advance(failed)
	}
}

// advance notes that a lot is done.
func (r *run) advance(l *lot) {
	r.day.Done += int64(len(l.workspaces))
	r.day.After = l.last()
	if r.Progress != nil {
		r.Progress(r.day)
	}
}

// abreast bills lots side by side until none is left or one fails; it gives
// the first that failed, when everything before it is committed.
func (r *run) abreast(ctx context.Context) (failed *lot, err error) {
	var start Link
	if err := r.Read(ctx, func(tx Tx) (err error) {
		if r.agreed, err = tx.OverridesOn(ctx, r.day.Day); err != nil {
			return err
		}
		if r.covers, err = tx.CoversOn(ctx, r.site.ID, r.day.Day); err != nil {
			return err
		}
		if r.parked, err = tx.CountParked(ctx, r.site.ID, r.day.Day); err != nil {
			return err
		}
		start, err = tx.SeriesEnd(ctx, r.day.Series)
		return err
	}); err != nil {
		return nil, fmt.Errorf("agreed prices, packages and numbers of %s: %w", r.day.Series, err)
	}
	within, stop := context.WithCancel(ctx)
	defer stop()
	var (
		work    sync.WaitGroup
		free    = make(chan *desk, r.Workers)
		before  *lot
		after   = r.day.After
		started []*lot
	)
	for range r.Workers {
		free <- newDesk(r.version)
	}
	for {
		at := <-free
		if within.Err() != nil {
			break
		}
		var l *lot
		if l, err = r.next(within, before, after, start); err != nil || l == nil {
			break
		}
		before, after = l, l.last()
		started = append(trim(started), l)
		work.Go(func() {
			defer func() { free <- at }()
			l.desk = at
			kept := r.one(within, l)
			if kept == nil {
				r.advance(l) // the lot behind it waits for the end of its turn
			} else {
				stop()
			}
			l.turn.end(kept)
		})
	}
	work.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	for _, l := range started {
		if l.turn.err != nil {
			return l, nil
		}
	}
	if within.Err() != nil {
		err = nil
	}
	return nil, err
}

// trim forgets the lots that were kept, so that memory does not grow.
func trim(started []*lot) []*lot {
	for len(started) > 0 {
		select {
		case <-started[0].turn.done:
			if started[0].turn.err != nil {
				return started
			}
			started = started[1:]
		default:
			return started
		}
	}
	return started
}

// next is the lot behind a place; nil when there is none.
func (r *run) next(ctx context.Context, before *lot, after Place, start Link) (*lot, error) {
	l := &lot{site: r.site, day: r.day.Day, version: r.version, raters: r.raters, agreed: r.agreed, covers: r.covers, unpark: r.parked > 0, at: r.at}
	err := r.Read(ctx, func(tx Tx) (err error) {
		l.workspaces, err = tx.CommercialAfter(ctx, r.site.ID, after, r.Lot)
		return err
	})
	if err != nil || len(l.workspaces) == 0 {
		return nil, err
	}
	l.turn, l.first = newTurn(nil, start), before == nil
	if before != nil {
		l.turn.previous = before.turn
		l.together = r.OneWrite || before.last().Payer == l.workspaces[0].Payer
	}
	return l, nil
}

// one rates and keeps a lot.
func (r *run) one(ctx context.Context, l *lot) error {
	var charges []charge
	var parked []Parked
	if err := r.Read(ctx, func(tx Tx) (err error) {
		charges, parked, err = l.rate(ctx, tx)
		return err
	}); err != nil {
		return err
	}
	if l.together { // their payer's money, or the one writer, is not ours before
		if err := l.turn.before(ctx); err != nil {
			return err
		}
	}
	if err := l.turn.enter(ctx); err != nil {
		return err
	}
	return r.Write(ctx, func(tx Tx) error {
		l.turn.entered()
		return l.keep(ctx, tx, charges, parked)
	})
}

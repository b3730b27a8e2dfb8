package usageevent

import (
	"context"
	"errors"
	"slices"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// Result is what became of an event.
type Result string

// The results.
const (
	Accepted  Result = "accepted"
	Duplicate Result = "duplicate" // it came before, and counted then
	Refused   Result = "refused"   // it does not count; the fault says why
)

// Outcome is the result of one event.
type Outcome struct {
	Result Result
	Fault  *fault.Error // of a refusal
}

// Tx is what recording events needs of a transaction.
type Tx interface {
	Workspace(ctx context.Context, id string) (workspace.Workspace, error)
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	EventKept(ctx context.Context, source, id string) (fingerprint string, kept bool, err error)
	KeepEvent(ctx context.Context, e Event, fingerprint string, at time.Time) (kept bool, err error)
	UsageBetween(ctx context.Context, workspaceID string, g workspace.Generation, from, to time.Time) ([]usage.Sample, error)
	Book(ctx context.Context, entries []usage.Entry) error
	SaveNotice(ctx context.Context, n workspace.Notice) error
}

// Prices gives the catalogue of a day.
type Prices interface {
	At(day period.Day) (*catalog.Version, error)
}

// recorder is one call of Record.
type recorder struct {
	tx     Tx
	prices Prices
	at     time.Time
	desks  map[string]*desk
	booked []usage.Entry
}

// desk is a workspace in the eyes of a call.
type desk struct {
	workspace workspace.Workspace
	version   *catalog.Version
	day       period.Day
	end       time.Time // of the day
	limits    quota.Limits
	used      map[string]int64
	watch     *quota.Watch
}

// Record counts the events in the order given, each whole or not at all, and
// says what became of each. An error, as opposed to a refusal, means that none
// of them counts and all may come again.
func Record(ctx context.Context, tx Tx, prices Prices, events []Event, at time.Time) ([]Outcome, error) {
	r := &recorder{tx: tx, prices: prices, at: at, desks: map[string]*desk{}}
	if err := r.open(ctx, events); err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(events))
	for i, e := range events {
		result, err := r.take(ctx, e)
		var refusal *fault.Error
		switch {
		case errors.As(err, &refusal) && refusal.Kind != fault.Internal && refusal.Kind != fault.Unavailable:
			outcomes[i] = Outcome{Refused, refusal}
		case err != nil:
			return nil, err
		default:
			outcomes[i] = Outcome{Result: result}
		}
	}
	return outcomes, tx.Book(ctx, r.booked)
}

// open reads the workspaces, those with quotas kept from others, always in the
// same order, so that two calls never wait for each other.
func (r *recorder) open(ctx context.Context, events []Event) error {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.WorkspaceID)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		w, err := r.tx.Workspace(ctx, id)
		if err == nil && w.Plan == workspace.Experience {
			w, err = r.tx.WorkspaceForUpdate(ctx, id)
		}
		if errors.Is(err, workspace.ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		if r.desks[id], err = r.desk(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) desk(ctx context.Context, w workspace.Workspace) (*desk, error) {
	where, err := site.Find(w.Site)
	if err != nil {
		return nil, err
	}
	d := &desk{workspace: w, day: period.DayOf(r.at, where.Zone), used: map[string]int64{}}
	d.end, d.watch = d.day.End(where.Zone), quota.NewWatch(w.ID, d.day)
	if d.version, err = r.prices.At(d.day); err != nil {
		return nil, err
	}
	if w.Plan != workspace.Experience {
		return d, nil
	}
	d.limits = d.version.QuotaLimits()
	samples, err := r.tx.UsageBetween(ctx, w.ID, w.Generation, d.day.Start(where.Zone), d.end)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples {
		if d.volume(sample.Item) {
			d.used[sample.Item] = max(d.used[sample.Item], sample.Quantity)
		} else if sample.Counter == "" {
			d.used[sample.Item] += sample.Quantity
		}
	}
	return d, nil
}

// volume reports whether the samples of an item are what is stored, and not
// what was added.
func (d *desk) volume(item string) bool {
	at, known := d.version.Position(item)
	return known && d.version.Items[at].Sampling == catalog.StoredTotal
}

// take counts one event, or says why not.
func (r *recorder) take(ctx context.Context, e Event) (Result, error) {
	fingerprint, err := e.fingerprint()
	if err != nil {
		return "", err
	}
	before, came, err := r.tx.EventKept(ctx, e.Source, e.ID)
	switch {
	case err != nil:
		return "", err
	case came && before == fingerprint:
		return Duplicate, nil
	case came:
		return "", ErrChanged.On("id")
	}
	d := r.desks[e.WorkspaceID]
	if d == nil {
		return "", workspace.ErrUnknown.On("subject")
	}
	if err := d.workspace.Accepts(); err != nil {
		return "", err
	}
	n, err := e.quantity(d.version)
	if err != nil {
		return "", err
	}
	if _, known := d.version.Position(e.Item); !known {
		return "", ErrNotSold.On("type").With("item", e.Item)
	}
	return r.book(ctx, d, e, n, fingerprint)
}

// book asks the quota and notes the usage.
func (r *recorder) book(ctx context.Context, d *desk, e Event, n int64, fingerprint string) (Result, error) {
	entry := usage.Entry{
		Key:  usage.Key{WorkspaceID: d.workspace.ID, Generation: d.workspace.Generation, Item: e.Item, Class: catalog.NoClass},
		Hour: period.HourOf(r.at), Quantity: n, Volume: d.volume(e.Item),
	}
	used, add := d.used[e.Item], n
	if entry.Volume {
		add = max(0, n-used)
	}
	if err := d.limits.Admit(e.Item, used, add); err != nil {
		if err := r.notify(ctx, d.watch.Refused(d.limits, e.Item, used)); err != nil {
			return "", err
		}
		return "", resetting(err, d.end)
	}
	if kept, err := r.tx.KeepEvent(ctx, e, fingerprint, r.at); err != nil || !kept {
		return Duplicate, err // another call has just kept it
	}
	r.booked = append(r.booked, entry)
	d.used[e.Item] += add
	return Accepted, r.notify(ctx, d.watch.Observe(d.limits, e.Item, d.used[e.Item]))
}

func (r *recorder) notify(ctx context.Context, due []quota.Notice) error {
	for _, n := range due {
		if err := r.tx.SaveNotice(ctx, n.Message(r.at)); err != nil {
			return err
		}
	}
	return nil
}

// resetting adds to a quota's fault when the item is free again.
func resetting(err error, at time.Time) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	return f.With("resets_at", at.UTC().Format(time.RFC3339))
}

package marketplace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
)

// dueAtOnce bounds the records that are looked at for one request.
const dueAtOnce = 4000

// Deliver sends a cloud the records that are due, request by request, until
// none is or the cloud asks to come back. Before a request its records are
// marked as sent: a process that dies then leaves records that go out again
// after their lease, the same as before. pause waits between requests.
func (d *Desk) Deliver(ctx context.Context, m site.Method, now func() time.Time, pause func(context.Context, time.Duration) error) error {
	cloud, err := d.Cloud(m)
	if errors.Is(err, settle.ErrNotEnabled) {
		return nil // disconnected since: its records wait, and alert
	}
	if err != nil {
		return err
	}
	if err := d.Write(ctx, func(tx Tx) error { return alert(ctx, tx, m, now()) }); err != nil {
		return err
	}
	l := cloud.Limits()
	for {
		var out []Record
		err := d.Write(ctx, func(tx Tx) (err error) {
			out, err = depart(ctx, tx, cloud, now())
			return err
		})
		if err != nil || len(out) == 0 {
			return err
		}
		var outcomes []Outcome
		sent := failpoint.Around("cloud.send", func() (err error) {
			outcomes, err = cloud.Send(ctx, out)
			return err
		})
		if ctx.Err() != nil {
			return ctx.Err() // stopped on the way: the lease says when they go out again
		}
		if err := d.Write(ctx, func(tx Tx) error { return settleBatch(ctx, tx, cloud, out, outcomes, sent, now()) }); err != nil {
			return fmt.Errorf("keep what %s said: %w", m, err)
		}
		if errors.Is(sent, ErrThrottled) || errors.Is(sent, ErrUnreachable) {
			return nil
		}
		if l.PerSecond > 0 {
			if err := pause(ctx, time.Second/time.Duration(l.PerSecond)); err != nil {
				return err
			}
		}
	}
}

// depart marks the records of the next request as sent. Those whose deadline has
// passed end there.
func depart(ctx context.Context, tx OutboxTx, cloud Cloud, at time.Time) ([]Record, error) {
	m := cloud.Method()
	paused, err := tx.PausedUntil(ctx, m, at)
	if err != nil {
		return nil, err
	}
	due, err := tx.RecordsDue(ctx, m, at, dueAtOnce)
	if err != nil {
		return nil, fmt.Errorf("records of %s: %w", m, err)
	}
	var lost []Record
	fresh := due[:0]
	for _, r := range due {
		if at.Before(r.Deadline) {
			fresh = append(fresh, r)
			continue
		}
		lost = append(lost, r.overdue(at))
		if _, err := tx.KeepRecord(ctx, lost[len(lost)-1], r.Attempts); err != nil {
			return nil, err
		}
	}
	if err := page(ctx, tx, m, lost, at); err != nil {
		return nil, err
	}
	if until := paused[""]; !until.IsZero() {
		for _, r := range fresh {
			paused[r.Instance] = until
		}
	}
	taken, put := batch(fresh, cloud, paused)
	for _, r := range put {
		if _, err := tx.KeepRecord(ctx, r, r.Attempts); err != nil {
			return nil, err
		}
	}
	for i, r := range taken {
		taken[i] = r.begin(at)
		if _, err := tx.KeepRecord(ctx, taken[i], r.Attempts); err != nil {
			return nil, err
		}
	}
	if per := cloud.Limits().PerInstance; per > 0 && len(taken) > 0 {
		if err := tx.Pause(ctx, m, instances(taken), at.Add(per)); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func instances(records []Record) []string {
	var list []string
	seen := map[string]bool{}
	for _, r := range records {
		if !seen[r.Instance] {
			seen[r.Instance] = true
			list = append(list, r.Instance)
		}
	}
	return list
}

// settleBatch keeps what came of a request.
func settleBatch(ctx context.Context, tx OutboxTx, cloud Cloud, out []Record, outcomes []Outcome, sent error, at time.Time) error {
	m := cloud.Method()
	var lost []Record
	for _, r := range answered(out, outcomes, sent, cloud.Limits(), at) {
		kept, err := tx.KeepRecord(ctx, r, r.Attempts)
		if err != nil {
			return err
		}
		if kept && r.State.Lost() {
			lost = append(lost, r)
		}
	}
	if errors.Is(sent, ErrThrottled) || errors.Is(sent, ErrUnreachable) {
		if err := tx.Pause(ctx, m, []string{""}, at.Add(out[0].backoff())); err != nil {
			return err
		}
	}
	return page(ctx, tx, m, lost, at)
}

// page tells the operators of records with which money may be lost.
func page(ctx context.Context, tx OutboxTx, m site.Method, lost []Record, at time.Time) error {
	if len(lost) == 0 {
		return nil
	}
	readers, err := paged(ctx, tx)
	if err != nil || len(readers) == 0 {
		return err // the first page says it
	}
	return tx.Announce(ctx, UsageLost{m, lost, readers, at})
}

// alert tells the operators of records that have waited for half of their time.
func alert(ctx context.Context, tx OutboxTx, m site.Method, at time.Time) error {
	late, err := tx.RecordsToAlert(ctx, m, at, dueAtOnce)
	if err != nil || len(late) == 0 {
		return err
	}
	for _, r := range late {
		r.Alerted = true
		if _, err := tx.KeepRecord(ctx, r, r.Attempts); err != nil {
			return err
		}
	}
	readers, err := paged(ctx, tx)
	if err != nil || len(readers) == 0 {
		return err
	}
	return tx.Announce(ctx, UsageLate{m, late, readers, at})
}

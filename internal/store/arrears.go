package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

const clockColumns = `cause, subject, began_at, lock_at, stage, extended_at, ended_at, pending, told`

func scanClock(r Row) (arrears.Clock, error) {
	var c arrears.Clock
	var began, lock, extended, ended, pending, told int64
	if err := r.Scan(&c.Cause, &c.Subject, &began, &lock, &c.Stage, &extended, &ended, &pending, &told); err != nil {
		return arrears.Clock{}, err
	}
	c.BeganAt, c.LockAt = period.FromMicros(began), period.FromMicros(lock)
	c.ExtendedAt, c.EndedAt = period.FromMicros(extended), period.FromMicros(ended)
	c.Pending, c.Told = pending != 0, told != 0
	return c, nil
}

// Clock finds the clock of a cause, kept from other writers; the zero one when
// there is none.
func (tx *Tx) Clock(ctx context.Context, cause arrears.Cause, subject string) (arrears.Clock, error) {
	c, err := scanClock(tx.QueryRow(ctx, `
		SELECT `+clockColumns+`
		FROM arrears_clock
		WHERE cause = $1
			AND subject = $2`+tx.lockWrites(), string(cause), subject))
	if errors.Is(err, ErrNoRows) {
		return arrears.Clock{}, nil
	}
	return c, err
}

// SaveClock inserts or replaces a clock.
func (tx *Tx) SaveClock(ctx context.Context, c arrears.Clock) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO arrears_clock (cause, subject, began_at, lock_at, stage, next_at, extended_at, ended_at, pending, told)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (cause, subject) DO UPDATE SET
			began_at = excluded.began_at, lock_at = excluded.lock_at, stage = excluded.stage, next_at = excluded.next_at,
			extended_at = excluded.extended_at, ended_at = excluded.ended_at, pending = excluded.pending, told = excluded.told`,
		string(c.Cause), c.Subject, period.Micros(c.BeganAt), period.Micros(c.LockAt), string(c.Stage), period.Micros(c.NextAt()),
		period.Micros(c.ExtendedAt), period.Micros(c.EndedAt), flag(c.Pending), flag(c.Told))
	return err
}

// DropClock forgets a clock, if there is one.
func (tx *Tx) DropClock(ctx context.Context, cause arrears.Cause, subject string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM arrears_clock
		WHERE cause = $1
			AND subject = $2`, string(cause), subject)
	return err
}

// NextClock is the earliest instant at which a clock comes to its next stage.
// One whose workspaces have not been told is due at once.
func (tx *Tx) NextClock(ctx context.Context) (at time.Time, any bool, err error) {
	var next, pending *int64
	if err := tx.QueryRow(ctx, `
		SELECT (SELECT MIN(next_at) FROM arrears_clock WHERE next_at > 0),
			(SELECT MIN(began_at) FROM arrears_clock WHERE pending = 1)`).Scan(&next, &pending); err != nil {
		return at, false, err
	}
	switch {
	case pending != nil:
		return period.FromMicros(*pending), true, nil
	case next != nil:
		return period.FromMicros(*next), true, nil
	}
	return at, false, nil
}

// ClocksDue lists the clocks that have come to their next stage, or whose
// workspaces have not been told, the earliest first.
func (tx *Tx) ClocksDue(ctx context.Context, at time.Time, limit int) ([]arrears.Clock, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+clockColumns+`
		FROM arrears_clock
		WHERE pending = 1
			OR next_at > 0 AND next_at <= $1
		ORDER BY next_at, cause, subject
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, scanClock)
}

// WorkspacesOwing lists the workspaces that the Billing Center settles for a
// payer and that are neither cleared nor dissolved, kept from other writers.
func (tx *Tx) WorkspacesOwing(ctx context.Context, payer string) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.payer = $1
			AND w.payer <> ''
			AND w.settlement = $2
			AND w.state NOT IN ('cleared', 'dissolved')
		ORDER BY w.id`+tx.lockWrites(), payer, string(site.BillingCenter))
	return collect(rows, err, scanWorkspace)
}

const clearingColumns = `workspace_id, reason, since_at, due_at, next_at, tries, failure, deleted_at, done_at`

func scanClearing(r Row) (arrears.Clearing, error) {
	var c arrears.Clearing
	var since, due, next, deleted, done int64
	if err := r.Scan(&c.WorkspaceID, &c.Reason, &since, &due, &next, &c.Tries, &c.Failure, &deleted, &done); err != nil {
		return arrears.Clearing{}, err
	}
	c.SinceAt, c.DueAt, c.NextAt = period.FromMicros(since), period.FromMicros(due), period.FromMicros(next)
	c.DeletedAt, c.DoneAt = period.FromMicros(deleted), period.FromMicros(done)
	return c, nil
}

// Clearing finds what is to be deleted of a workspace and when; the zero one
// when nothing is.
func (tx *Tx) Clearing(ctx context.Context, workspaceID string) (arrears.Clearing, error) {
	c, err := scanClearing(tx.QueryRow(ctx, `
		SELECT `+clearingColumns+`
		FROM clearing
		WHERE workspace_id = $1`+tx.lockWrites(), workspaceID))
	if errors.Is(err, ErrNoRows) {
		return arrears.Clearing{}, nil
	}
	return c, err
}

// SaveClearing inserts or replaces it.
func (tx *Tx) SaveClearing(ctx context.Context, c arrears.Clearing) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO clearing (workspace_id, reason, since_at, due_at, next_at, tries, failure, deleted_at, done_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (workspace_id) DO UPDATE SET
			reason = excluded.reason, since_at = excluded.since_at, due_at = excluded.due_at, next_at = excluded.next_at,
			tries = excluded.tries, failure = excluded.failure, deleted_at = excluded.deleted_at, done_at = excluded.done_at`,
		c.WorkspaceID, string(c.Reason), period.Micros(c.SinceAt), period.Micros(c.DueAt), period.Micros(c.NextAt),
		c.Tries, c.Failure, period.Micros(c.DeletedAt), period.Micros(c.DoneAt))
	return err
}

// DropClearing forgets it, as long as nothing was deleted.
func (tx *Tx) DropClearing(ctx context.Context, workspaceID string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM clearing
		WHERE workspace_id = $1
			AND deleted_at = 0`, workspaceID)
	return err
}

// NextClearing is the earliest instant at which data is to be deleted.
func (tx *Tx) NextClearing(ctx context.Context) (at time.Time, any bool, err error) {
	var next *int64
	if err := tx.QueryRow(ctx, `
		SELECT MIN(next_at)
		FROM clearing
		WHERE done_at = 0`).Scan(&next); err != nil || next == nil {
		return at, false, err
	}
	return period.FromMicros(*next), true, nil
}

// ClearingsDue lists what is to be deleted now, the earliest first.
func (tx *Tx) ClearingsDue(ctx context.Context, at time.Time, limit int) ([]arrears.Clearing, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+clearingColumns+`
		FROM clearing
		WHERE done_at = 0
			AND next_at <= $1
		ORDER BY next_at, workspace_id
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, scanClearing)
}

// ClearingsFailed lists what could not be deleted so far, the oldest first.
func (tx *Tx) ClearingsFailed(ctx context.Context, limit int) ([]arrears.Clearing, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+clearingColumns+`
		FROM clearing
		WHERE done_at = 0
			AND tries > 0
		ORDER BY due_at, workspace_id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanClearing)
}

// BilledUntil reports whether every day of the workspace up to and with the
// instant's is closed, and none of them parked. In Experience nothing is
// billed.
func (tx *Tx) BilledUntil(ctx context.Context, w workspace.Workspace, at time.Time) (bool, error) {
	if w.Plan != workspace.Commercial {
		return true, nil
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return false, err
	}
	last, err := tx.LastSiteDay(ctx, w.Site)
	if err != nil {
		return false, err
	}
	if day := period.DayOf(at, s.Zone); !last.Begun() || last.Day.Before(day) || last.Day == day && !last.Closed() {
		return false, nil
	}
	var parked int64
	err = tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM parked
		WHERE workspace_id = $1`, w.ID).Scan(&parked)
	return parked == 0, err
}

// Rejoin gives a workspace the state of the clocks that concern it since its
// payer or its settlement method changed (arrears.Rejoin).
func (tx *Tx) Rejoin(ctx context.Context, workspaceID string, at time.Time) error {
	return arrears.Rejoin(ctx, tx, workspaceID, at)
}

// Payable refuses a payer whose workspaces are locked (arrears.Payable).
func (tx *Tx) Payable(ctx context.Context, payer string) error {
	return arrears.Payable(ctx, tx, payer)
}

// debtors are the payers whose arrears an entry moves.
func debtors(entries ...wallet.Entry) map[string]time.Time {
	var at map[string]time.Time
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account == wallet.Arrears(e.Payer) {
				if at == nil {
					at = map[string]time.Time{}
				}
				at[e.Payer] = e.At
			}
		}
	}
	return at
}

// turnClocks starts the clock of each payer who now owes, and ends that of each
// who no longer does. The ledger does this by itself, in the transaction that
// moves the money: whoever moves it, a debt never goes without its clock.
func (tx *Tx) turnClocks(ctx context.Context, moved map[string]time.Time) (turned []string, err error) {
	if len(moved) == 0 {
		return nil, nil
	}
	payers := make([]string, 0, len(moved))
	for payer := range moved {
		payers = append(payers, payer)
	}
	rows, err := tx.Query(ctx, `
		SELECT b.payer, b.minor < 0
		FROM ledger_balance b
		LEFT JOIN arrears_clock c ON c.cause = 'arrears' AND c.subject = b.payer AND c.ended_at = 0
		WHERE `+tx.among("b.payer", 1)+`
			AND b.account = 'arrears:' || b.payer
			AND (b.minor < 0) <> (c.subject IS NOT NULL)
		ORDER BY b.payer`, tx.list(payers))
	type turn struct {
		payer string
		owes  bool
	}
	turns, err := collect(rows, err, func(r Row) (t turn, err error) {
		err = r.Scan(&t.payer, &t.owes)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("who owes: %w", err)
	}
	for _, t := range turns {
		change := arrears.End
		if t.owes {
			change = arrears.Begin
		}
		if err := change(ctx, tx, arrears.Debt, t.payer, moved[t.payer]); err != nil {
			return nil, fmt.Errorf("clock of %s: %w", t.payer, err)
		}
		turned = append(turned, t.payer)
	}
	return turned, nil
}

// tellAtOnce gives the workspaces of payers whose clock turned their new state
// within this transaction.
func (tx *Tx) tellAtOnce(ctx context.Context, e wallet.Entry) error {
	turned, err := tx.turnClocks(ctx, debtors(e))
	for _, payer := range turned {
		if err := arrears.Tell(ctx, tx, arrears.Debt, payer, e.At); err != nil {
			return fmt.Errorf("workspaces of %s: %w", payer, err)
		}
	}
	return err
}

// tellLater has it done by a job: a transaction of many payers that waits for
// others, as a lot of bills does, must not hold the audit log meanwhile.
func (tx *Tx) tellLater(ctx context.Context, entries []wallet.Entry) error {
	turned, err := tx.turnClocks(ctx, debtors(entries...))
	if err != nil || len(turned) == 0 {
		return err
	}
	return tx.Enqueue(ctx, arrears.Apply{Payers: turned, At: entries[0].At})
}

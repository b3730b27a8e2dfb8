package arrears

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// ClockTx is what clocks need of a transaction.
type ClockTx interface {
	// Clock finds the clock of a cause, kept from other writers; the zero one
	// when there is none.
	Clock(ctx context.Context, cause Cause, subject string) (Clock, error)
	SaveClock(ctx context.Context, c Clock) error
	DropClock(ctx context.Context, cause Cause, subject string) error
}

// Tx is what the machine needs of a transaction.
type Tx interface {
	prepaid.Tx // the ledger, and the packages that a dissolved workspace leaves
	ClockTx
	StudioByID(ctx context.Context, id string) (account.Studio, error)
	Member(ctx context.Context, workspaceID, accountID string) (workspace.Member, error)
	UpdateWorkspace(ctx context.Context, w workspace.Workspace) error
	// WorkspacesOwing lists the workspaces that the Billing Center settles for
	// a payer and that are neither cleared nor dissolved, kept from other
	// writers.
	WorkspacesOwing(ctx context.Context, payer string) ([]workspace.Workspace, error)
	// Clearing finds what is to be deleted of a workspace and when; the zero
	// one when nothing is.
	Clearing(ctx context.Context, workspaceID string) (Clearing, error)
	SaveClearing(ctx context.Context, c Clearing) error
	DropClearing(ctx context.Context, workspaceID string) error
	// BilledUntil reports whether every day of the workspace up to and with the
	// instant's is closed, and none of them parked.
	BilledUntil(ctx context.Context, w workspace.Workspace, at time.Time) (bool, error)
}

// Changed is the action of the audit log by which a workspace's state changes;
// its detail says from what, to what and why.
const Changed = "workspace.state_changed"

// Why a workspace's state changes for the better. For the worse it is the
// cause's name.
const (
	WhyPaid     = "paid"
	WhyRestored = "subscription_restored"
	WhyExtended = "extended"
	WhySettled  = "settlement_changed" // by another method or another payer
	WhyOwner    = "owner"
)

// Begin notes that a cause began. One that lasts keeps its clock: a part of
// the debt being paid, or more of it made, does not start another one.
func Begin(ctx context.Context, tx ClockTx, cause Cause, subject string, at time.Time) error {
	c, err := tx.Clock(ctx, cause, subject)
	if err != nil || c.Lasts() {
		return err
	}
	next := Start(cause, subject, at)
	next.Told = c.Told // of the one before, whose end nobody has been told
	return tx.SaveClock(ctx, next)
}

// End notes that a cause is gone.
func End(ctx context.Context, tx ClockTx, cause Cause, subject string, at time.Time) error {
	c, err := tx.Clock(ctx, cause, subject)
	if err != nil || !c.Lasts() {
		return err
	}
	c.EndedAt, c.Pending = at, true
	return tx.SaveClock(ctx, c)
}

// Apply is the job that tells the workspaces of payers that a debt began or
// ended, where the transaction in which that happened could not.
type Apply struct {
	Payers []string  `json:"payers"`
	At     time.Time `json:"at"`
}

// Kind names the job for the queue.
func (Apply) Kind() string { return "arrears.apply" }

// Tell gives the workspaces of a cause the state that its beginning or end
// makes, and mails whom it concerns. Told again, nothing happens.
func Tell(ctx context.Context, tx Tx, cause Cause, subject string, at time.Time) error {
	c, err := held(ctx, tx, cause, subject)
	if err != nil || !c.Pending {
		return err
	}
	on, why := CauseBegan, string(cause)
	if !c.Lasts() {
		on, why = CauseEnded, healed(cause)
	}
	list, err := concerned(ctx, tx, c)
	if err != nil {
		return err
	}
	wasLocked := c.Stage == RunOut
	for _, w := range list {
		if err := restate(ctx, tx, w, on, why, at); err != nil {
			return err
		}
	}
	told := c.Told
	c.Pending, c.Told = false, true
	if !c.Lasts() {
		if err := tx.DropClock(ctx, cause, subject); err != nil || !told || len(list) == 0 {
			return err // what nobody was told of, or what stopped nothing, needs no all-clear
		}
		n, err := notice(ctx, tx, c, list, at)
		if err != nil {
			return err
		}
		return tx.Announce(ctx, Ended{n, wasLocked})
	}
	if err := tx.SaveClock(ctx, c); err != nil {
		return err
	}
	n, err := notice(ctx, tx, c, list, c.BeganAt)
	if err != nil {
		return err
	}
	return tx.Announce(ctx, Began{n})
}

func healed(cause Cause) string {
	if cause == Cloud {
		return WhyRestored
	}
	return WhyPaid
}

// held finds a clock and keeps others from moving the payer's money, or from
// changing the workspace, meanwhile.
func held(ctx context.Context, tx Tx, cause Cause, subject string) (Clock, error) {
	switch cause {
	case Debt:
		if _, err := tx.LedgerHead(ctx, subject); err != nil {
			return Clock{}, fmt.Errorf("chain of %s: %w", subject, err)
		}
	case Cloud:
		if _, err := tx.WorkspaceForUpdate(ctx, subject); err != nil {
			return Clock{}, err
		}
	}
	return tx.Clock(ctx, cause, subject)
}

// concerned lists the workspaces of a clock.
func concerned(ctx context.Context, tx Tx, c Clock) ([]workspace.Workspace, error) {
	if c.Cause == Debt {
		return tx.WorkspacesOwing(ctx, c.Subject)
	}
	w, err := tx.WorkspaceForUpdate(ctx, c.Subject)
	return []workspace.Workspace{w}, err
}

// clocksOf are the clocks that concern a workspace.
func clocksOf(ctx context.Context, tx ClockTx, w workspace.Workspace) ([]Clock, error) {
	var clocks []Clock
	if w.Payer != "" && w.Settlement == site.BillingCenter {
		c, err := tx.Clock(ctx, Debt, w.Payer)
		if err != nil {
			return nil, err
		}
		if c.Lasts() {
			clocks = append(clocks, c)
		}
	}
	c, err := tx.Clock(ctx, Cloud, w.ID)
	if err == nil && c.Lasts() {
		clocks = append(clocks, c)
	}
	return clocks, err
}

// restate gives a workspace the state that its clocks make of it.
func restate(ctx context.Context, tx Tx, w workspace.Workspace, on Event, why string, at time.Time) error {
	clocks, err := clocksOf(ctx, tx, w)
	if err != nil {
		return err
	}
	to, err := Next(w.State, on, clocks...)
	if err != nil || to == w.State {
		return err
	}
	return move(ctx, tx, w, to, why, workspace.Actor{AccountID: "system"}, at)
}

// move keeps a workspace's next state, with the hold that a lock or a
// dissolution begins, or that its end ends.
func move(ctx context.Context, tx Tx, w workspace.Workspace, to workspace.State, why string, by workspace.Actor, at time.Time) error {
	from := w.State
	w.State = to
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return err
	}
	var err error
	switch {
	case to == workspace.Locked, to == workspace.Dissolved:
		err = tx.SaveClearing(ctx, Clearing{WorkspaceID: w.ID, Reason: to, SinceAt: at, DueAt: at.Add(Hold), NextAt: at.Add(Hold)})
	case from == workspace.Locked && to != workspace.Cleared:
		err = tx.DropClearing(ctx, w.ID)
	}
	if err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: Changed, Subject: w.ID,
		Detail: map[string]string{"from": string(from), "to": string(to), "why": why},
	})
}

// Rejoin gives a workspace the state of the clocks that concern it since its
// payer or its settlement method changed: it joins a clock that runs, and
// leaves one that no longer concerns it. Whoever changes either calls it in
// the same transaction.
func Rejoin(ctx context.Context, tx Tx, workspaceID string, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil || w.State.Over() != nil {
		return err
	}
	if w.Payer != "" {
		if _, err := tx.LedgerHead(ctx, w.Payer); err != nil { // a debt that begins now is seen, or sees the workspace
			return fmt.Errorf("chain of %s: %w", w.Payer, err)
		}
	}
	cloud, err := tx.Clock(ctx, Cloud, w.ID)
	if err != nil {
		return err
	}
	if cloud.Lasts() { // of a subscription that no longer settles it
		if err := tx.DropClock(ctx, Cloud, w.ID); err != nil {
			return err
		}
	}
	clocks, err := clocksOf(ctx, tx, w)
	if err != nil {
		return err
	}
	on, why := CauseEnded, WhySettled
	if worse(Strictest(clocks...), w.State) {
		on, why = CauseBegan, string(Debt)
	}
	return restate(ctx, tx, w, on, why, at)
}

func worse(a, b workspace.State) bool { return rank(a) > rank(b) }

func rank(s workspace.State) int {
	for i, one := range States() {
		if one == s {
			return i
		}
	}
	return -1
}

// Payable refuses a payer whose workspaces are locked: what is bound to it now
// would be locked at once.
func Payable(ctx context.Context, tx ClockTx, payer string) error {
	c, err := tx.Clock(ctx, Debt, payer)
	if err == nil && c.state() == workspace.Locked {
		err = ErrRunOut
	}
	return err
}

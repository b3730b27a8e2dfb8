package arrears

import (
	"context"
	"strconv"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/workspace"
)

// Clearing is the deletion of a workspace's data: announced by a lock or a
// dissolution, due after the hold, and tried until it is done.
type Clearing struct {
	WorkspaceID string
	Reason      workspace.State // locked or dissolved
	SinceAt     time.Time
	DueAt       time.Time
	NextAt      time.Time // of the next try
	Tries       int64     // that failed
	Failure     string    // of the last try
	DeletedAt   time.Time // when the sinks had let go of everything
	DoneAt      time.Time // when nothing is left to do
}

// Clear is the job that does it. At is when the try is due, so that every try
// has a job of its own.
type Clear struct {
	WorkspaceID string    `json:"workspace_id"`
	At          time.Time `json:"at"`
}

// Kind names the job for the queue.
func (Clear) Kind() string { return "arrears.clear" }

// UniqueByArgs keeps one of a try.
func (Clear) UniqueByArgs() bool { return true }

// Within is how long the sinks may take.
func (Clear) Within() time.Duration { return time.Hour }

// BeginClearing says whether there is data of the workspace to be deleted now.
// From here on a locked workspace is cleared and cannot be unlocked: a payment
// while data is being deleted must not bring back half of it.
func BeginClearing(ctx context.Context, tx Tx, workspaceID string, at time.Time) (w workspace.Workspace, due bool, err error) {
	if w, err = tx.WorkspaceForUpdate(ctx, workspaceID); err != nil {
		return w, false, err
	}
	c, err := tx.Clearing(ctx, workspaceID)
	if err != nil || c.WorkspaceID == "" || !c.DoneAt.IsZero() || at.Before(c.DueAt) || at.Before(c.NextAt) {
		return w, false, err
	}
	if w.State != workspace.Locked {
		return w, true, nil
	}
	clocks, err := clocksOf(ctx, tx, w)
	if err != nil {
		return w, false, err
	}
	if Strictest(clocks...) != workspace.Locked { // it was paid, and the workspace has not been told yet
		return w, false, nil
	}
	to, err := Next(w.State, HoldOver, clocks...)
	if err != nil {
		return w, false, err
	}
	why := string(Debt)
	for _, one := range clocks {
		if one.state() == workspace.Locked {
			why = string(one.Cause)
		}
	}
	if err := move(ctx, tx, w, to, why, workspace.Actor{AccountID: "system"}, at); err != nil {
		return w, false, err
	}
	w.State, w.Revision = to, w.Revision+1
	return w, true, nil
}

// FinishClearing notes that the sinks have let go of the data. A dissolved
// workspace also leaves its payer, once the bills of its last days are made;
// until then it is tried again.
func FinishClearing(ctx context.Context, tx Tx, workspaceID string, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	c, err := tx.Clearing(ctx, workspaceID)
	if err != nil || c.WorkspaceID == "" || !c.DoneAt.IsZero() {
		return err
	}
	if c.DeletedAt.IsZero() {
		c.DeletedAt = at
		if err := deleted(ctx, tx, w, c, at); err != nil {
			return err
		}
	}
	if w.State == workspace.Dissolved && w.Payer != "" {
		billed, err := tx.BilledUntil(ctx, w, c.SinceAt)
		if err != nil {
			return err
		}
		if !billed {
			return tx.SaveClearing(ctx, c.putOff("the bill of its last day has not been made yet", at))
		}
		if err := unbind(ctx, tx, w, at); err != nil {
			return err
		}
	}
	c.DoneAt, c.Failure = at, ""
	return tx.SaveClearing(ctx, c)
}

// Deleted is the action of the audit log by which a workspace's data goes.
const Deleted = "workspace.data_deleted"

func deleted(ctx context.Context, tx Tx, w workspace.Workspace, c Clearing, at time.Time) error {
	_, _, to, err := readers(ctx, tx, w.Payer, []workspace.Workspace{w})
	if err != nil {
		return err
	}
	if err := tx.Announce(ctx, Cleared{Workspace: Concerned{w.ID, w.Name, w.Site}, Reason: c.Reason, Readers: to, At: at}); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: "system", Action: Deleted, Subject: w.ID,
		Detail: map[string]string{
			"reason": string(c.Reason), "since": c.SinceAt.UTC().Format(time.RFC3339),
			"generations": strconv.FormatInt(int64(w.Generation), 10), "tries": strconv.FormatInt(c.Tries+1, 10),
		},
	})
}

func unbind(ctx context.Context, tx Tx, w workspace.Workspace, at time.Time) error {
	payer := w.Payer
	w.Payer = ""
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: "system", Action: "workspace.unbound", Subject: w.ID, Detail: map[string]string{"payer": payer},
	})
}

// How long a failed try waits for the next one: a minute, then twice as long
// each time.
const (
	firstWait = time.Minute
	mostWait  = 6 * time.Hour
)

// PutOff notes why data could not be deleted; it is tried again.
func PutOff(ctx context.Context, tx Tx, workspaceID, reason string, at time.Time) error {
	if _, err := tx.WorkspaceForUpdate(ctx, workspaceID); err != nil {
		return err
	}
	c, err := tx.Clearing(ctx, workspaceID)
	if err != nil || c.WorkspaceID == "" || !c.DoneAt.IsZero() {
		return err
	}
	return tx.SaveClearing(ctx, c.putOff(reason, at))
}

func (c Clearing) putOff(reason string, at time.Time) Clearing {
	wait := mostWait
	if c.Tries < 9 {
		wait = min(wait, firstWait<<c.Tries)
	}
	c.Tries++
	c.NextAt, c.Failure = at.Add(wait), reason
	return c
}

package arrears

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// LookTx is what looking at a workspace's standing needs of a transaction.
type LookTx interface {
	wallet.Tx
	ClockTx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Clearing(ctx context.Context, workspaceID string) (Clearing, error)
}

// Standing is how a workspace stands, and why.
type Standing struct {
	State   workspace.State
	Clocks  []Clock      // of the causes that last, the strictest first
	Owed    money.Amount // by its payer, where the Billing Center settles it
	ClearAt time.Time    // when its data goes; zero when it stays
	Deleted time.Time    // when it went
}

// Clock is the one that decides; the zero one when nothing stops the workspace.
func (s Standing) Clock() Clock {
	if len(s.Clocks) == 0 {
		return Clock{}
	}
	return s.Clocks[0]
}

// LockAt is when the workspace is locked, or was; zero when nothing stops it.
func (s Standing) LockAt() time.Time { return s.Clock().LockAt }

// DaysLeft is how many days remain until the lock, begun ones counted whole.
func (s Standing) DaysLeft(at time.Time) int {
	left := s.LockAt().Sub(at)
	if left <= 0 {
		return 0
	}
	return int((left + day - 1) / day)
}

// Look tells how a workspace stands.
func Look(ctx context.Context, tx LookTx, w workspace.Workspace) (Standing, error) {
	s := Standing{State: w.State}
	c, err := tx.Clearing(ctx, w.ID)
	if err != nil {
		return s, err
	}
	if c.WorkspaceID != "" {
		s.ClearAt, s.Deleted = c.DueAt, c.DeletedAt
	}
	if w.State.Over() != nil {
		return s, nil
	}
	if s.Clocks, err = clocksOf(ctx, tx, w); err != nil {
		return s, err
	}
	if len(s.Clocks) == 2 && s.Clocks[1].LockAt.Before(s.Clocks[0].LockAt) {
		s.Clocks[0], s.Clocks[1] = s.Clocks[1], s.Clocks[0]
	}
	for _, one := range s.Clocks {
		if one.Cause != Debt {
			continue
		}
		payer, err := tx.BillingByID(ctx, w.Payer)
		if err != nil {
			return s, err
		}
		has, err := wallet.BalancesOf(ctx, tx, payer.ID, payer.Currency)
		if err != nil {
			return s, err
		}
		s.Owed = has.Owed
	}
	return s, nil
}

// Unlock is the wish of the Owner or the payer that a workspace works again.
// It works again by itself once its cause is gone, so that this says what is
// missing: the amount, or the subscription. The caller has seen to it that the
// actor may.
func Unlock(ctx context.Context, tx Tx, workspaceID string, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	if err := w.State.Over(); err != nil {
		return err
	}
	s, err := Look(ctx, tx, w)
	if err != nil {
		return err
	}
	switch s.Clock().Cause {
	case Debt:
		return ErrStillOwed.With("owed", s.Owed.String()).With("currency", string(s.Owed.Currency())).With("lock_at", s.LockAt().UTC().Format(time.RFC3339))
	case Cloud:
		return ErrCloudAbsent.With("lock_at", s.LockAt().UTC().Format(time.RFC3339))
	}
	if w.State == workspace.Normal {
		return ErrNotCaused
	}
	return Tell(ctx, tx, Debt, w.Payer, at) // it was paid this very moment
}

// WhyLocked is the fault of whoever wants into a workspace that is locked,
// cleared or dissolved, with the dates that a program needs.
func (s Standing) WhyLocked() error {
	if err := s.State.Over(); err != nil {
		return err
	}
	if s.State != workspace.Locked {
		return nil
	}
	return workspace.ErrLocked.With("lock_at", s.LockAt().UTC().Format(time.RFC3339)).With("clear_at", s.ClearAt.UTC().Format(time.RFC3339)).
		With("cause", string(s.Clock().Cause))
}

// LookPayer tells how the workspaces stand that the Billing Center settles for
// a payer: as the payer's clock says.
func LookPayer(ctx context.Context, tx LookTx, payer account.Billing) (Standing, error) {
	c, err := tx.Clock(ctx, Debt, payer.ID)
	s := Standing{State: c.state()}
	if err != nil || !c.Lasts() {
		return s, err
	}
	s.Clocks = []Clock{c}
	if s.State == workspace.Locked {
		s.ClearAt = c.LockAt.Add(Hold)
	}
	has, err := wallet.BalancesOf(ctx, tx, payer.ID, payer.Currency)
	s.Owed = has.Owed
	return s, err
}

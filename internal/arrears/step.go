package arrears

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Step is the job that takes a clock to its next stage. Due is when that
// begins, so that every stage has a job of its own.
type Step struct {
	Cause   Cause     `json:"cause"`
	Subject string    `json:"subject"`
	Due     time.Time `json:"due"`
}

// Kind names the job for the queue.
func (Step) Kind() string { return "arrears.step" }

// UniqueByArgs keeps one of a stage.
func (Step) UniqueByArgs() bool { return true }

// Advance takes a clock to the stage of the instant: a reminder, or the lock.
// Stages that were slept through are passed over; taken again, nothing
// happens.
func Advance(ctx context.Context, tx Tx, cause Cause, subject string, at time.Time) error {
	if err := Tell(ctx, tx, cause, subject, at); err != nil {
		return err
	}
	before, err := held(ctx, tx, cause, subject)
	if err != nil {
		return err
	}
	c := before.Turn(at)
	if c.Stage == before.Stage {
		return nil
	}
	if err := tx.SaveClock(ctx, c); err != nil {
		return err
	}
	list, err := concerned(ctx, tx, c)
	if err != nil {
		return err
	}
	n, err := notice(ctx, tx, c, list, at)
	if err != nil {
		return err
	}
	if c.Stage != RunOut {
		return tx.Announce(ctx, Reminded{n, int(c.LockAt.Sub(at).Round(time.Hour) / day)})
	}
	for _, w := range list {
		if err := restate(ctx, tx, w, TimeUp, string(cause), at); err != nil {
			return err
		}
	}
	return tx.Announce(ctx, Locked{n, at.Add(Hold)})
}

// Extension is what the operator grants: so many days from now, for a reason.
type Extension struct {
	Days   int
	Reason string
}

const longestReason = 256

// Extend is the operator's unlock (domain C-16): the clock gets a later lock,
// and all workspaces that it concerns work again until then. What is owed
// stays owed since it was; the next lock comes by itself.
func Extend(ctx context.Context, tx Tx, cause Cause, subject string, e Extension, operator workspace.Actor, at time.Time) (Clock, error) {
	e.Reason = strings.TrimSpace(e.Reason)
	if n := utf8.RuneCountInString(e.Reason); n == 0 || n > longestReason || !utf8.ValidString(e.Reason) {
		return Clock{}, ErrReason.On("reason")
	}
	if err := Tell(ctx, tx, cause, subject, at); err != nil {
		return Clock{}, err
	}
	before, err := held(ctx, tx, cause, subject)
	if err != nil {
		return before, err
	}
	if !before.Lasts() {
		return before, ErrNotCaused
	}
	c, err := before.Extend(e.Days, at)
	if err != nil {
		return c, err
	}
	if err := tx.SaveClock(ctx, c); err != nil {
		return c, err
	}
	list, err := concerned(ctx, tx, c)
	if err != nil {
		return c, err
	}
	for _, w := range list {
		if err := restate(ctx, tx, w, Extended, WhyExtended, at); err != nil {
			return c, err
		}
	}
	n, err := notice(ctx, tx, c, list, at)
	if err != nil {
		return c, err
	}
	if err := tx.Announce(ctx, Granted{n}); err != nil {
		return c, err
	}
	return c, tx.Audit(ctx, audit.Entry{
		At: at, Actor: operator.AccountID, Address: operator.Address, Action: "arrears.extended", Subject: subject,
		Detail: map[string]string{
			"cause": string(cause), "days": strconv.Itoa(e.Days), "reason": e.Reason,
			"before": before.LockAt.UTC().Format(time.RFC3339), "after": c.LockAt.UTC().Format(time.RFC3339),
		},
	})
}

// ExtendAll grants more time for every cause that stops a workspace, so that
// it works again, whatever stopped it.
func ExtendAll(ctx context.Context, tx Tx, workspaceID string, e Extension, operator workspace.Actor, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	if err := w.State.Over(); err != nil {
		return err
	}
	clocks, err := clocksOf(ctx, tx, w)
	if err != nil {
		return err
	}
	if len(clocks) == 0 {
		return ErrNotCaused
	}
	for _, c := range clocks {
		_, err := Extend(ctx, tx, c.Cause, c.Subject, e, operator, at)
		if errors.Is(err, ErrNotLater) && len(clocks) > 1 { // the other cause is what locks first
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notice gathers whom a clock concerns: the payer, and the Owners of the
// workspaces, each once.
func notice(ctx context.Context, tx Tx, c Clock, list []workspace.Workspace, at time.Time) (Notice, error) {
	n := Notice{Cause: c.Cause, BeganAt: c.BeganAt, LockAt: c.LockAt, At: at}
	payer := c.Subject
	if c.Cause == Cloud {
		payer = list[0].Payer
	}
	var err error
	if n.UserName, n.Owed, n.Readers, err = readers(ctx, tx, payer, list); err != nil {
		return n, err
	}
	return n, nil
}

// readers are the payer, if there is one, and the Owners of the workspaces. An
// Owner whose address is the payer's is told once.
func readers(ctx context.Context, tx Tx, payer string, list []workspace.Workspace) (userName string, owed money.Amount, all []Reader, err error) {
	at := map[string]int{}
	if payer != "" {
		a, err := tx.BillingByID(ctx, payer)
		if err != nil {
			return "", owed, nil, err
		}
		has, err := wallet.BalancesOf(ctx, tx, a.ID, a.Currency)
		if err != nil {
			return "", owed, nil, err
		}
		userName, owed = a.UserName, has.Owed
		r := Reader{Email: a.Email, Language: a.Language, Payer: true}
		for _, w := range list {
			r.Workspaces = append(r.Workspaces, Concerned{w.ID, w.Name, w.Site})
		}
		at[a.Email] = len(all)
		all = append(all, r)
	}
	for _, w := range list {
		owner, err := tx.StudioByID(ctx, w.OwnerID)
		if err != nil && !errors.Is(err, account.ErrUnknown) { // who is gone must not keep money from moving
			return "", owed, nil, err
		}
		i, known := at[owner.Email]
		switch {
		case owner.Email == "":
			continue
		case !known:
			at[owner.Email] = len(all)
			all = append(all, Reader{Email: owner.Email, Language: owner.Language, Workspaces: []Concerned{{w.ID, w.Name, w.Site}}})
		case !all[i].Payer:
			all[i].Workspaces = append(all[i].Workspaces, Concerned{w.ID, w.Name, w.Site})
		}
	}
	return userName, owed, all, nil
}

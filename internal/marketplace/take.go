package marketplace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// SubscriptionTx keeps subscriptions and what was heard of them.
type SubscriptionTx interface {
	// InsertEvent keeps an event of a cloud unless it is known.
	InsertEvent(ctx context.Context, e Event, at time.Time) (first bool, err error)
	// EventsOf lists all that a cloud said of an instance.
	EventsOf(ctx context.Context, cloud site.Method, instance string) ([]Event, error)
	// OpenSubscription keeps a new subscription, or gives the one of the same
	// cloud and instance, kept from other writers.
	OpenSubscription(ctx context.Context, s Subscription) (Subscription, error)
	// SubscriptionKept finds a subscription, kept from other writers, or ErrUnknown.
	SubscriptionKept(ctx context.Context, id string) (Subscription, error)
	// SubscriptionsLike lists those of the same account and product of a
	// cloud, the oldest first.
	SubscriptionsLike(ctx context.Context, s Subscription) ([]Subscription, error)
	// SaveSubscription keeps a subscription whose revision is one more than the stored one.
	SaveSubscription(ctx context.Context, s Subscription) error
	// SettledBy lists the workspaces that a subscription settles, or settled
	// when it ended.
	SettledBy(ctx context.Context, subscriptionID string) ([]string, error)
}

// Tx is what marketplaces need of a transaction.
type Tx interface {
	arrears.Tx
	settle.Tx
	SubscriptionTx
	ClaimTx
	SealTx
	OutboxTx
	// QueueMarketplace queues a job of this package.
	QueueMarketplace(ctx context.Context, j Job) error
}

// Job is work that is queued in the transaction that causes it.
type Job interface{ Kind() string }

// Take keeps what a cloud said of a subscription, and gives the workspaces that
// it settles what follows from it. Adapters call it in the transaction before
// they answer the cloud. Told again, or in another order, all ends the same
// way. A probe is kept and does nothing; the subscription is then the zero one.
func Take(ctx context.Context, tx Tx, e Event, at time.Time) (Subscription, error) {
	if e.ID == "" || e.Instance == "" || e.At.IsZero() {
		return Subscription{}, fmt.Errorf("an event of %s lacks its ID, its instance or its instant", e.Cloud)
	}
	first, err := tx.InsertEvent(ctx, e, at)
	if err != nil || e.Test {
		return Subscription{}, err
	}
	s, err := tx.OpenSubscription(ctx, New(e.Cloud, e.Account, e.Instance, e.Product, e.Plan, e.At))
	if err != nil || !first {
		return s, err
	}
	return refold(ctx, tx, s, at)
}

// refold brings a subscription to what its events say, and its workspaces with it.
func refold(ctx context.Context, tx Tx, before Subscription, at time.Time) (Subscription, error) {
	events, err := tx.EventsOf(ctx, before.Cloud, before.Instance)
	if err != nil {
		return before, fmt.Errorf("events of %s: %w", before.Instance, err)
	}
	after := before.Fold(events)
	if after == before {
		return after, nil
	}
	after.Revision++
	if err := tx.SaveSubscription(ctx, after); err != nil {
		return after, err
	}
	if before.State != after.State {
		if err := note(ctx, tx, before, after, at); err != nil {
			return after, err
		}
	}
	if err := follow(ctx, tx, before, after, at); err != nil {
		return after, fmt.Errorf("workspaces of %s: %w", after.ID, err)
	}
	return after, inherit(ctx, tx, after, at)
}

// Turned is the action of the audit log by which a subscription's state changes.
const Turned = "subscription.state_changed"

// lock begins the grace of a workspace, and says so.
func lock(ctx context.Context, tx Tx, workspaceID string, at time.Time) error {
	if err := arrears.Begin(ctx, tx, arrears.Cloud, workspaceID, at); err != nil {
		return err
	}
	return arrears.Tell(ctx, tx, arrears.Cloud, workspaceID, at)
}

func note(ctx context.Context, tx Tx, before, after Subscription, at time.Time) error {
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: "system", Action: Turned, Subject: after.ID,
		Detail: map[string]string{
			"cloud": string(after.Cloud), "instance": after.Instance, "from": string(before.State), "to": string(after.State), "why": string(after.Why),
		},
	})
}

// follow gives the workspaces of a subscription the effect of its state.
func follow(ctx context.Context, tx Tx, before, after Subscription, at time.Time) error {
	ends, effect := after.Over() && !before.Over(), after.Effect()
	if effect == before.Effect() && !ends {
		return nil
	}
	ids, err := tx.SettledBy(ctx, after.ID)
	if err != nil || len(ids) == 0 {
		return err
	}
	if ends {
		if err := tx.QueueMarketplace(ctx, Conclude{after.ID, ids}); err != nil {
			return err
		}
	}
	if effect == before.Effect() {
		return nil
	}
	if effect == Lock { // a renewal that lives already leaves nothing to lock
		if err := inherit(ctx, tx, after, at); err != nil {
			return err
		}
		if ids, err = tx.SettledBy(ctx, after.ID); err != nil {
			return err
		}
	}
	var fell []workspace.Workspace
	for _, id := range ids {
		w, err := tx.WorkspaceForUpdate(ctx, id)
		if err != nil {
			return err
		}
		if w.Settlement != after.Cloud || w.Payer != after.Payer || w.State == workspace.Dissolved {
			continue
		}
		switch effect {
		case GoOn:
			err = arrears.End(ctx, tx, arrears.Cloud, id, at)
		case Lock:
			err = arrears.Begin(ctx, tx, arrears.Cloud, id, at)
		case FallBack:
			only, unknown := tx.OpenedOn(ctx, id)
			if unknown != nil {
				return unknown
			}
			if only != "" { // nobody else may settle it: it waits for another purchase
				err = lock(ctx, tx, id, at)
				break
			}
			fell = append(fell, w)
			_, err = settle.Force(ctx, tx, id, settle.Choice{Method: site.BillingCenter}, settle.WhyCancelled, at)
		}
		if err == nil && effect != FallBack {
			err = arrears.Tell(ctx, tx, arrears.Cloud, id, at)
		}
		if err != nil {
			return fmt.Errorf("%s of %s: %w", effect, id, err)
		}
	}
	return tell(ctx, tx, after, settle.WhyCancelled, fell, at)
}

// inherit lets a subscription that lives take over from one of the same cloud
// account and product that has ended: a renewal of AWS is a new agreement with
// a new license and no pointer to the old one. Where more than one could take
// over, or the workspaces have gone elsewhere, nobody but the payer can say.
func inherit(ctx context.Context, tx Tx, s Subscription, at time.Time) error {
	if s.Account == "" {
		return nil
	}
	like, err := tx.SubscriptionsLike(ctx, s)
	if err != nil {
		return err
	}
	var heir *Subscription
	for i := range like {
		if like[i].State != Active {
			continue
		}
		if heir != nil {
			return nil
		}
		heir = &like[i]
	}
	if heir == nil {
		return nil
	}
	for _, old := range like {
		if !old.Over() || old.Payer == "" || heir.Payer != "" && heir.Payer != old.Payer || !heir.follows(old) {
			continue
		}
		if err := takeOver(ctx, tx, heir, old, at); err != nil {
			return fmt.Errorf("%s takes over from %s: %w", heir.ID, old.ID, err)
		}
	}
	return nil
}

// Overlap is how long before or after the end of a subscription another one may
// begin and be its renewal.
const Overlap = 30 * 24 * time.Hour

// follows reports whether the subscription may be a renewal of the old one.
func (s Subscription) follows(old Subscription) bool {
	return s.ActiveAt.After(old.ActiveAt) && s.ActiveAt.Before(old.EndedAt.Add(Overlap))
}

func takeOver(ctx context.Context, tx Tx, heir *Subscription, old Subscription, at time.Time) error {
	ids, err := tx.SettledBy(ctx, old.ID)
	if err != nil || len(ids) == 0 {
		return err
	}
	if heir.Payer == "" {
		bound, err := heir.Bind(old.Payer, at)
		if err != nil {
			return err
		}
		bound.Revision++
		if err := tx.SaveSubscription(ctx, bound); err != nil {
			return err
		}
		*heir = bound
	}
	var moved []workspace.Workspace
	for _, id := range ids {
		w, err := tx.WorkspaceForUpdate(ctx, id)
		if err != nil {
			return err
		}
		if w.Settlement != old.Cloud || w.Payer != old.Payer || w.State == workspace.Dissolved || w.State == workspace.Cleared {
			continue
		}
		to := settle.Choice{Method: heir.Cloud, Subscription: heir.ID}
		if _, err := settle.Force(ctx, tx, id, to, settle.WhySucceeded, at); err != nil {
			return err
		}
		moved = append(moved, w)
	}
	return tell(ctx, tx, *heir, settle.WhySucceeded, moved, at)
}

// Moved happens when workspaces have another settlement without anybody's
// choice: the Billing Center, because the subscription was cancelled, or a
// renewed subscription. It goes to the payer.
type Moved struct {
	Cloud      site.Method
	Why        string // settle.WhyCancelled or settle.WhySucceeded
	Account    string // at the cloud
	Instance   string
	UserName   string // of the payer
	Email      string
	Language   string
	Workspaces []arrears.Concerned
	At         time.Time
}

func tell(ctx context.Context, tx Tx, s Subscription, why string, list []workspace.Workspace, at time.Time) error {
	if len(list) == 0 {
		return nil
	}
	payer, err := tx.BillingByID(ctx, s.Payer)
	if errors.Is(err, account.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	m := Moved{
		Cloud: s.Cloud, Why: why, Account: s.Account, Instance: s.Instance,
		UserName: payer.UserName, Email: payer.Email, Language: payer.Language, At: at,
	}
	for _, w := range list {
		m.Workspaces = append(m.Workspaces, arrears.Concerned{ID: w.ID, Name: w.Name, Site: w.Site})
	}
	return tx.Announce(ctx, m)
}

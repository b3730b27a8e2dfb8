package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

const subscriptionColumns = `s.id, s.cloud, s.instance, s.account, s.reference, s.product, s.purchase_order, s.plan, s.state, s.why, s.payer,
	s.bought_at, s.active_at, s.bound_at, s.expires_at, s.ended_at, s.ends_at, s.applied_at, s.revision`

func scanSubscription(r Row) (marketplace.Subscription, error) {
	var s marketplace.Subscription
	var bought, active, bound, expires, ended, ends, applied int64
	err := r.Scan(&s.ID, &s.Cloud, &s.Instance, &s.Account, &s.Reference, &s.Product, &s.Order, &s.Plan, &s.State, &s.Why, &s.Payer,
		&bought, &active, &bound, &expires, &ended, &ends, &applied, &s.Revision)
	if errors.Is(err, ErrNoRows) {
		return s, marketplace.ErrUnknown
	}
	s.BoughtAt, s.ActiveAt, s.BoundAt = period.FromMicros(bought), period.FromMicros(active), period.FromMicros(bound)
	s.ExpiresAt, s.EndedAt, s.EndsAt = period.FromMicros(expires), period.FromMicros(ended), period.FromMicros(ends)
	s.AppliedAt = period.FromMicros(applied)
	return s, err
}

func subscriptionValues(s marketplace.Subscription) []any {
	return []any{
		s.ID, string(s.Cloud), s.Instance, s.Account, s.Reference, s.Product, s.Order, string(s.Plan), string(s.State), string(s.Why), s.Payer,
		period.Micros(s.BoughtAt), period.Micros(s.ActiveAt), period.Micros(s.BoundAt), period.Micros(s.ExpiresAt),
		period.Micros(s.EndedAt), period.Micros(s.EndsAt), period.Micros(s.AppliedAt), s.Revision,
	}
}

// OpenSubscription keeps a new subscription, or gives the one of the same cloud
// and instance, kept from other writers.
func (tx *Tx) OpenSubscription(ctx context.Context, s marketplace.Subscription) (marketplace.Subscription, error) {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_subscription (id, cloud, instance, account, reference, product, purchase_order, plan, state, why, payer,
			bought_at, active_at, bound_at, expires_at, ended_at, ends_at, applied_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (cloud, instance) DO NOTHING`, subscriptionValues(s)...)
	if err != nil {
		return s, fmt.Errorf("keep a subscription: %w", err)
	}
	return scanSubscription(tx.QueryRow(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.cloud = $1
			AND s.instance = $2`+tx.lockWrites(), string(s.Cloud), s.Instance))
}

// Subscription finds a subscription, or marketplace.ErrUnknown.
func (tx *Tx) Subscription(ctx context.Context, id string) (marketplace.Subscription, error) {
	return scanSubscription(tx.QueryRow(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.id = $1`, id))
}

// SubscriptionKept is Subscription, kept from other writers.
func (tx *Tx) SubscriptionKept(ctx context.Context, id string) (marketplace.Subscription, error) {
	return scanSubscription(tx.QueryRow(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.id = $1`+tx.lockWrites(), id))
}

// SubscriptionByInstance finds what was bought as an instance of a cloud, or
// marketplace.ErrUnknown.
func (tx *Tx) SubscriptionByInstance(ctx context.Context, cloud site.Method, instance string) (marketplace.Subscription, error) {
	return scanSubscription(tx.QueryRow(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.cloud = $1
			AND s.instance = $2`, string(cloud), instance))
}

// SubscriptionsOf lists the subscriptions of a payer, the newest first: the
// registered cloud accounts of the Billing Center.
func (tx *Tx) SubscriptionsOf(ctx context.Context, payer string) ([]marketplace.Subscription, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.payer = $1
			AND s.payer <> ''
		ORDER BY s.bound_at DESC, s.id`, payer)
	return collect(rows, err, scanSubscription)
}

// SubscriptionsOfAccount lists what an account of a cloud bought, the oldest
// first.
func (tx *Tx) SubscriptionsOfAccount(ctx context.Context, cloud site.Method, accountAtCloud string) ([]marketplace.Subscription, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.cloud = $1
			AND s.account = $2
			AND s.account <> ''
		ORDER BY s.bought_at, s.id`, string(cloud), accountAtCloud)
	return collect(rows, err, scanSubscription)
}

// SubscriptionsLike lists those of the same account and product of a cloud, the
// oldest first, kept from other writers.
func (tx *Tx) SubscriptionsLike(ctx context.Context, s marketplace.Subscription) ([]marketplace.Subscription, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		WHERE s.cloud = $1
			AND s.account = $2
			AND s.account <> ''
			AND s.product = $3
		ORDER BY s.bought_at, s.id`+tx.lockWrites(), string(s.Cloud), s.Account, s.Product)
	return collect(rows, err, scanSubscription)
}

// SaveSubscription keeps a subscription whose revision is one more than the
// stored one.
func (tx *Tx) SaveSubscription(ctx context.Context, s marketplace.Subscription) error {
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_subscription
		SET account = $4, reference = $5, product = $6, purchase_order = $7, plan = $8, state = $9, why = $10, payer = $11,
			bought_at = $12, active_at = $13, bound_at = $14, expires_at = $15, ended_at = $16, ends_at = $17, applied_at = $18, revision = $19
		WHERE id = $1
			AND cloud = $2
			AND instance = $3
			AND revision = $19 - 1
			AND payer IN ('', $11)`, subscriptionValues(s)...)
	return exactlyOne(n, err, fmt.Errorf("subscription %s moved meanwhile", s.ID))
}

const eventColumns = `cloud, id, kind, instance, account, reference, product, purchase_order, plan, at, expires_at, final_for, refunded, test, raw`

// Heard is an event with the instant at which it came.
type Heard struct {
	marketplace.Event
	ReceivedAt time.Time
}

func scanHeard(r Row) (Heard, error) {
	var e Heard
	var at, expires, final, refunded, test, received int64
	err := r.Scan(&e.Cloud, &e.ID, &e.Kind, &e.Instance, &e.Account, &e.Reference, &e.Product, &e.Order, &e.Plan,
		&at, &expires, &final, &refunded, &test, &e.Raw, &received)
	e.At, e.ExpiresAt, e.ReceivedAt = period.FromMicros(at), period.FromMicros(expires), period.FromMicros(received)
	e.FinalFor = time.Duration(final) * time.Microsecond
	e.Refunded, e.Test = refunded == 1, test == 1
	return e, err
}

// InsertEvent keeps an event of a cloud unless it is known.
func (tx *Tx) InsertEvent(ctx context.Context, e marketplace.Event, at time.Time) (first bool, err error) {
	raw := e.Raw
	if raw == nil {
		raw = []byte{}
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO marketplace_event (`+eventColumns+`, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (cloud, id) DO NOTHING`,
		string(e.Cloud), e.ID, string(e.Kind), e.Instance, e.Account, e.Reference, e.Product, e.Order, string(e.Plan),
		period.Micros(e.At), period.Micros(e.ExpiresAt), e.FinalFor.Microseconds(), flag(e.Refunded), flag(e.Test), raw, period.Micros(at))
	if err != nil {
		return false, fmt.Errorf("keep an event: %w", err)
	}
	return n == 1, nil
}

// EventsOf lists all that a cloud said of an instance, in the order in which it
// happened.
func (tx *Tx) EventsOf(ctx context.Context, cloud site.Method, instance string) ([]marketplace.Event, error) {
	heard, err := tx.HeardOf(ctx, cloud, instance)
	events := make([]marketplace.Event, len(heard))
	for i, h := range heard {
		events[i] = h.Event
	}
	return events, err
}

// HeardOf is EventsOf with the instants at which the events came.
func (tx *Tx) HeardOf(ctx context.Context, cloud site.Method, instance string) ([]Heard, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+eventColumns+`, received_at
		FROM marketplace_event
		WHERE cloud = $1
			AND instance = $2
		ORDER BY at, id`, string(cloud), instance)
	return collect(rows, err, scanHeard)
}

// SettledBy lists the workspaces that a subscription settles, or settled when
// it ended.
func (tx *Tx) SettledBy(ctx context.Context, subscriptionID string) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id
		FROM marketplace_settling
		WHERE subscription_id = $1
			AND until = 0
		ORDER BY workspace_id`, subscriptionID)
	return collect(rows, err, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	})
}

// SettlingOf finds the subscription that settles a workspace, or settled it when
// it ended; marketplace.ErrUnknown when no cloud does.
func (tx *Tx) SettlingOf(ctx context.Context, workspaceID string) (marketplace.Subscription, error) {
	return scanSubscription(tx.QueryRow(ctx, `
		SELECT `+subscriptionColumns+`
		FROM marketplace_subscription s
		JOIN marketplace_settling m ON m.subscription_id = s.id
		WHERE m.workspace_id = $1
			AND m.until = 0`, workspaceID))
}

// Subscribed reports whether a cloud settles the workspace by a subscription
// that lives (settle.Tx).
func (tx *Tx) Subscribed(ctx context.Context, workspaceID string) (bool, error) {
	s, err := tx.SettlingOf(ctx, workspaceID)
	if errors.Is(err, marketplace.ErrUnknown) {
		return false, nil
	}
	return s.State == marketplace.Active || s.State == marketplace.Pending, err
}

// MaySettle says why the subscription cannot settle a workspace of the payer by
// that method, if it cannot (settle.Tx).
func (tx *Tx) MaySettle(ctx context.Context, subscriptionID string, m site.Method, payer string) error {
	s, err := tx.SubscriptionKept(ctx, subscriptionID)
	if errors.Is(err, marketplace.ErrUnknown) {
		return marketplace.ErrUnknown.On("subscription")
	}
	if err != nil {
		return err
	}
	return s.MaySettle(m, payer)
}

// SettleBy keeps which subscription settles the workspace from now on; empty is
// none (settle.Tx).
func (tx *Tx) SettleBy(ctx context.Context, workspaceID, subscriptionID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE marketplace_settling
		SET until = $2
		WHERE workspace_id = $1
			AND until = 0`, workspaceID, period.Micros(at))
	if err != nil || subscriptionID == "" {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO marketplace_settling (workspace_id, since, subscription_id, until)
		VALUES ($1, $2, $3, 0)
		ON CONFLICT (workspace_id, since) DO UPDATE SET subscription_id = excluded.subscription_id, until = 0`,
		workspaceID, period.Micros(at), subscriptionID)
	if err != nil {
		return err
	}
	return tx.collectStranded(ctx, workspaceID, subscriptionID, at)
}

// QueueMarketplace queues a job of marketplaces.
func (tx *Tx) QueueMarketplace(ctx context.Context, j marketplace.Job) error {
	return tx.Enqueue(ctx, j)
}

// WrongClaim counts a claim of a payer that the cloud did not confirm.
func (tx *Tx) WrongClaim(ctx context.Context, payer string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_wrong_claim (payer, at)
		VALUES ($1, $2)
		ON CONFLICT (payer, at) DO NOTHING`, payer, period.Micros(at))
	return err
}

// WrongClaims counts those of a payer since an instant.
func (tx *Tx) WrongClaims(ctx context.Context, payer string, since time.Time) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM marketplace_wrong_claim
		WHERE payer = $1
			AND at > $2`, payer, period.Micros(since)).Scan(&n)
	return int(n), err
}

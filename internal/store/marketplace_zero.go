package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// firstZero is how long after its beginning a subscription is first asked
// about: its first whole hour is over then.
const firstZero = 2*time.Hour + marketplace.ZeroAfter

// zeroing are the subscriptions of a cloud that may have a record of nothing,
// with when they are next asked about.
const zeroing = `
		FROM marketplace_subscription s
		LEFT JOIN marketplace_zero z ON z.subscription_id = s.id
		WHERE s.cloud = $1
			AND s.state = 'active'
			AND s.payer <> ''`

// NextZero is the earliest instant at which a subscription of the cloud may
// have used nothing in a closed hour.
func (tx *Tx) NextZero(ctx context.Context, cloud site.Method) (at time.Time, any bool, err error) {
	var micros *int64
	err = tx.QueryRow(ctx, `
		SELECT MIN(COALESCE(z.next_at, s.active_at + $2))`+zeroing, string(cloud), firstZero.Microseconds()).Scan(&micros)
	if err != nil || micros == nil {
		return at, false, err
	}
	return period.FromMicros(*micros), true, nil
}

// ZerosDue lists the subscriptions of the cloud that are to be asked about, and
// notes when they are next.
func (tx *Tx) ZerosDue(ctx context.Context, cloud site.Method, at time.Time, limit int) ([]marketplace.ZeroUsage, error) {
	rows, err := tx.Query(ctx, `
		SELECT s.id, COALESCE(z.next_at, s.active_at + $2)`+zeroing+`
			AND COALESCE(z.next_at, s.active_at + $2) <= $3
		ORDER BY s.id
		LIMIT $4`, string(cloud), firstZero.Microseconds(), period.Micros(at), int64(limit))
	due, err := collect(rows, err, func(r Row) (j marketplace.ZeroUsage, err error) {
		var micros int64
		err = r.Scan(&j.SubscriptionID, &micros)
		j.Due = period.FromMicros(micros)
		return j, err
	})
	if err != nil {
		return nil, err
	}
	for _, j := range due {
		_, err := tx.Exec(ctx, `
			INSERT INTO marketplace_zero (subscription_id, next_at)
			VALUES ($1, $2)
			ON CONFLICT (subscription_id) DO UPDATE SET next_at = excluded.next_at`, j.SubscriptionID, period.Micros(marketplace.NextZero(at)))
		if err != nil {
			return nil, fmt.Errorf("note the next hour of %s: %w", j.SubscriptionID, err)
		}
	}
	return due, nil
}

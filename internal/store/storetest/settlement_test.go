package storetest_test

import (
	"context"
	"testing"
	"time"

	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
)

// TestSettlementChangesOnceAMonthAfterTheFirstChoice remembers changes from
// one call to the next (domain section 11): the first choice at opening is
// free, a second one uses up its month, a third waits for the next.
func TestSettlementChangesOnceAMonthAfterTheFirstChoice(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.ready(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := upgrade.Confirm(ctx, tx, x.shop.ID, "shop", x.actor(), noon)
			return err
		})
		sub := subscribed(t, s, x.payer.ID, site.Alibaba, "i-1", noon)
		choose := func(at time.Time) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				to := settle.Choice{Method: site.Alibaba, Subscription: sub.ID}
				_, err := everyCloud.Choose(ctx, tx, x.shop.ID, to, x.actor(), at)
				return err
			}
		}
		unsubscribed := func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.WorkspaceForUpdate(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			_, err = settle.Force(ctx, tx, w.ID, settle.Choice{Method: site.BillingCenter}, settle.WhyCancelled, noon) // it is nobody's choice
			return err
		}
		write(t, s, choose(noon))
		refused(t, s, settle.ErrSame, choose(noon))
		write(t, s, unsubscribed)
		write(t, s, choose(noon.Add(time.Hour)))
		write(t, s, unsubscribed)
		refused(t, s, settle.ErrThisMonth, choose(noon.Add(2*time.Hour)))
		write(t, s, choose(noon.AddDate(0, 1, 0)))
	})
}

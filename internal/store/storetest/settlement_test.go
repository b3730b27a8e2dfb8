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
		rules := settle.Rules{Profile: site.Seed, Enabled: site.Methods()}
		choose := func(at time.Time) func(context.Context, *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := rules.Choose(ctx, tx, x.shop.ID, site.Alibaba, x.actor(), at)
				return err
			}
		}
		unsubscribed := func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.WorkspaceForUpdate(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			w.Settlement = site.BillingCenter // as a market's cancellation does; it is nobody's choice
			return tx.UpdateWorkspace(ctx, w)
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

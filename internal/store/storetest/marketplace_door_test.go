package storetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func TestACallCountsOnceByItsNonceAndATicketOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		use := func(cloud site.Method, nonce string, at time.Time) error {
			return s.Write(t.Context(), func(tx *store.Tx) error { return tx.UseNonce(t.Context(), cloud, nonce, at) })
		}
		if err := errors.Join(use(site.Huawei, "n", noon), use(site.Alibaba, "n", noon), use(site.Huawei, "m", noon)); err != nil {
			t.Fatal(err)
		}
		if err := use(site.Huawei, "n", noon.Add(59*time.Minute)); !errors.Is(err, marketplace.ErrReplayed) {
			t.Errorf("again: %v", err)
		}
		arrival, ticket := marketplace.Arrive("subs_1", true, noon)
		write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertArrival(ctx, arrival) })
		enter := func(ticket string, at time.Time) (a marketplace.Arrival, err error) {
			err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
				a, err = tx.UseArrival(t.Context(), ticket, at)
				return err
			})
			return a, err
		}
		if _, err := enter(arrival.Ticket, noon); !errors.Is(err, marketplace.ErrArrival) {
			t.Errorf("what is stored opens the door: %v", err)
		}
		if _, err := enter(ticket, noon.Add(marketplace.TicketLife)); !errors.Is(err, marketplace.ErrArrival) {
			t.Errorf("late: %v", err)
		}
		if a, err := enter(ticket, noon.Add(time.Minute)); err != nil || a.SubscriptionID != "subs_1" || !a.SignsIn {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := enter(ticket, noon.Add(time.Minute)); !errors.Is(err, marketplace.ErrArrival) {
			t.Errorf("again: %v", err)
		}
	})
}

func TestCardsOfAMarketplaceAreLoadedOnceAndTheBooksHold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		payer := account.Billing{ID: id.New(id.BillingAccount), UserName: "acme", Email: "finance@acme.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		rival := account.Billing{ID: id.New(id.BillingAccount), UserName: "rival", Email: "finance@rival.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		abroad := account.Billing{ID: id.New(id.BillingAccount), UserName: "abroad", Email: "finance@abroad.example", Currency: money.USD, Language: "en", CreatedAt: noon}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.InsertBilling(ctx, payer), tx.InsertBilling(ctx, rival), tx.InsertBilling(ctx, abroad))
		})
		line := func(order, n string) marketplace.Card {
			return marketplace.Card{Cloud: site.Huawei, Order: order, Line: order + n, Instance: order + n, Account: "c1", SKU: "card", Face: money.Of(100_00, money.CNY)}
		}
		redeem := func(by account.Billing, lines ...marketplace.Card) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				_, err := marketplace.Redeem(t.Context(), tx, by, lines, func(marketplace.Card) time.Time { return noon.AddDate(1, 0, 0) }, workspace.Actor{AccountID: by.ID}, noon)
				return err
			})
		}
		giveBack := func(order string) {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				found, err := marketplace.Return(ctx, tx, site.Huawei, order+"-1", noon.Add(time.Hour))
				if !found {
					t.Errorf("%s is no card", order)
				}
				return err
			})
		}
		if err := redeem(abroad, line("CS1", "-1")); !errors.Is(err, marketplace.ErrCurrency) {
			t.Errorf("abroad: %v", err)
		}
		if err := redeem(payer, line("CS1", "-1")); err != nil {
			t.Fatal(err)
		}
		if err := redeem(rival, line("CS1", "-2"), line("CS1", "-1")); !errors.Is(err, marketplace.ErrOrderUsed) {
			t.Errorf("a line of it was used: %v", err)
		}
		if err := redeem(rival, line("CS1", "-2")); err != nil {
			t.Errorf("the refusal kept something: %v", err)
		}
		giveBack("CS1")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.OpenCard(ctx, line("CS2", "-1"))
			return err
		})
		giveBack("CS2")
		if err := redeem(payer, line("CS2", "-1")); !errors.Is(err, marketplace.ErrOrderReturned) {
			t.Errorf("given back: %v", err)
		}
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			findings, err := tx.Verify(t.Context(), catalog.Default())
			if len(findings) > 0 {
				t.Errorf("%v", findings)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

package api_test

import (
	"sync"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestTheSameKeyGivesTheSameAnswerAndOneEffect(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		session := x.center.Session()
		first := x.send(session, transferring("k1", `{"amount":"5.00","reference":"a"}`))
		again := x.send(session, transferring("k1", `{ "reference":"a", "amount":"5.00" }`)) // the same, spaced otherwise
		if first.status != 201 || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("first: %d %s", first.status, first.body)
		}
		if again.status != 201 || again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("again: %d %s, first was %s", again.status, again.body, first.body)
		}
		other := x.send(session, transferring("k1", `{"amount":"6.00","reference":"a"}`))
		if other.status != 422 || other.problem.Code != "idempotency_key_reused" {
			t.Errorf("another request under the key: %d %s", other.status, other.body)
		}
		all, err := x.center.Transfers(t.Context(), "", client.Page{})
		if len(must(t, all, err).Items) != 1 {
			t.Errorf("%d transfers", len(all.Items))
		}
	})
}

func TestAKeyIsItsSendersOwn(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	rival := x.asBilling(x.billing("rival", money.CNY))
	for _, center := range []*client.BillingCenter{x.center, rival} {
		if _, err := center.DeclareTransfer(t.Context(), "shared", client.Declaration{Amount: "5.00"}); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := rival.Transfers(t.Context(), "", client.Page{})
	if len(must(t, seen, err).Items) != 1 {
		t.Errorf("the rival's transfers: %+v", seen.Items)
	}
}

func TestARefusedRequestMayBeSentAgainWithItsKey(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	k := client.NewKey()
	_, err := x.studio.Upgrade(t.Context(), k, x.shop.ID, "shop")
	refused(t, err, "upgrade_not_begun")
	x.agreed()
	u, err := x.studio.Upgrade(t.Context(), k, x.shop.ID, "shop")
	must(t, u, err)
	again, err := x.studio.Upgrade(t.Context(), k, x.shop.ID, "shop")
	if must(t, again, err); !again.UpgradedAt.Equal(u.UpgradedAt) {
		t.Errorf("again %+v, first %+v", again, u)
	}
}

func TestARequestSentTwentyTimesAtOnceHasOneEffect(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		k := client.NewKey()
		ids := make([]string, 20)
		var group sync.WaitGroup
		for i := range ids {
			group.Go(func() {
				sent, err := x.center.DeclareTransfer(t.Context(), k, client.Declaration{Amount: "5.00"})
				if err != nil {
					t.Error(err)
				}
				ids[i] = sent.ID
			})
		}
		group.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("answers name %s and %s", id, ids[0])
			}
		}
		all, err := x.center.Transfers(t.Context(), "", client.Page{})
		if len(must(t, all, err).Items) != 1 {
			t.Errorf("%d transfers", len(all.Items))
		}
	})
}

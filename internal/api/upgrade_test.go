package api_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// team is an Owner with an Experience workspace, and a payer.
type team struct {
	*house
	owner  account.Studio
	payer  account.Billing
	shop   workspace.Workspace
	studio *client.Studio
	center *client.BillingCenter
}

func newTeam(t testing.TB, s *store.Store) *team {
	t.Helper()
	h := open(t, s)
	x := &team{house: h, owner: h.studio("lin"), payer: h.billing("acme", money.CNY)}
	x.shop = h.workspace(x.owner, "shop")
	x.studio, x.center = h.asStudio(x.owner), h.asBilling(x.payer)
	return x
}

// The steps of entry A, each after the ones before it.
func (x *team) named() {
	x.t.Helper()
	_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, " ACME ")
	must(x.t, 0, err)
}

func (x *team) mailed() string {
	x.t.Helper()
	x.named()
	_, err := x.studio.MailUpgradeCode(x.t.Context(), x.shop.ID, x.payer.Email)
	must(x.t, 0, err)
	return x.code(x.payer.Email)
}

func (x *team) proved() {
	x.t.Helper()
	_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, x.mailed())
	must(x.t, 0, err)
}

func (x *team) agreed() {
	x.t.Helper()
	x.proved()
	a, err := x.studio.Agreement(x.t.Context(), x.shop.ID, "zh")
	must(x.t, a, err)
	_, err = x.studio.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: a.Version, Language: "zh", Agreed: true})
	must(x.t, 0, err)
}

func (x *team) upgraded() client.Upgraded {
	x.t.Helper()
	x.agreed()
	u, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
	return must(x.t, u, err)
}

// The steps of entry B.
func (x *team) bound() string {
	x.t.Helper()
	_, err := x.center.Bind(x.t.Context(), x.shop.ID)
	must(x.t, 0, err)
	return x.code(x.owner.Email)
}

func (x *team) boundAndProved() {
	x.t.Helper()
	_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, x.bound())
	must(x.t, 0, err)
}

func (x *team) boundAndAgreed() {
	x.t.Helper()
	x.boundAndProved()
	a, err := x.center.Agreement(x.t.Context(), "en")
	must(x.t, a, err)
	_, err = x.center.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: a.Version, Language: "en", Agreed: true})
	must(x.t, 0, err)
}

// set changes the workspace behind the API's back.
func (x *team) set(change func(*workspace.Workspace)) {
	x.t.Helper()
	x.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, x.shop.ID)
		if err != nil {
			return err
		}
		change(&w)
		return tx.UpdateWorkspace(ctx, w)
	})
}

func (x *team) disable() {
	x.t.Helper()
	x.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetBillingSwitches(ctx, x.payer.ID, true, false)
	})
}

func TestAnOwnerUpgradesStepByStep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		next := func(want string) {
			t.Helper()
			u, err := x.studio.UpgradeState(t.Context(), x.shop.ID)
			if must(t, u, err).Next != want {
				t.Errorf("next step %q, want %q", u.Next, want)
			}
		}
		next("account")
		x.named()
		next("email")
		x.mailed()
		next("code")
		x.clock.Advance(time.Minute)
		x.proved()
		next("agreement")
		x.clock.Advance(time.Minute)
		x.agreed()
		next("confirm")
		u, err := x.studio.Upgrade(t.Context(), client.NewKey(), x.shop.ID, "shop")
		must(t, u, err)
		next("done")
		if u.Plan != "commercial" || u.BillingUserName != "acme" || !u.UpgradedAt.Equal(x.clock.Now()) || u.Settlement.Current != "billing_center" || u.Settlement.Preselected != "alibaba" || !u.Settlement.Offered {
			t.Errorf("upgraded %+v", u)
		}
		if _, offset := u.UpgradedAt.Zone(); offset != 8*3600 {
			t.Errorf("the instant is shown at %d s from UTC, not at the site's offset", offset)
		}
		if !x.told(x.shop.ID) {
			t.Error("the gateway was not told")
		}
		w, err := x.studio.Workspace(t.Context(), x.shop.ID)
		if must(t, w, err).Plan != "commercial" || w.UpgradedAt == nil || !w.VisibleFrom.Equal(*w.UpgradedAt) {
			t.Errorf("workspace %+v", w)
		}
	})
}

func TestAPayerBindsStepByStep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.boundAndAgreed()
		b, err := x.center.Binding(t.Context(), x.shop.ID)
		if must(t, b, err).Next != "confirm" || b.WorkspaceName != "shop" || b.CodeSentTo != "l***@team.example" {
			t.Errorf("binding %+v", b)
		}
		u, err := x.center.ConfirmBinding(t.Context(), client.NewKey(), x.shop.ID)
		if must(t, u, err).Plan != "commercial" || u.BillingUserName != "acme" {
			t.Errorf("upgraded %+v", u)
		}
		if b, err = x.center.Binding(t.Context(), x.shop.ID); must(t, b, err).Next != "done" {
			t.Errorf("binding afterwards %+v", b)
		}
	})
}

func TestFiftyConfirmationsAtOnceUpgradeOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.agreed()
		shared := client.NewKey()
		var group sync.WaitGroup
		answers := make([]client.Upgraded, 50)
		for i := range answers {
			key := shared
			if i%2 == 1 {
				key = client.NewKey()
			}
			group.Go(func() {
				u, err := x.studio.Upgrade(t.Context(), key, x.shop.ID, "shop")
				if err != nil {
					t.Error(err)
				}
				answers[i] = u
			})
		}
		group.Wait()
		for _, u := range answers {
			if !u.UpgradedAt.Equal(answers[0].UpgradedAt) || u.Plan != "commercial" {
				t.Errorf("answers differ: %+v and %+v", u, answers[0])
			}
		}
		_ = s.Read(t.Context(), func(tx *store.Tx) error {
			agreed, err := tx.AgreedFor(t.Context(), x.shop.ID)
			if err != nil || len(agreed) != 1 {
				t.Errorf("%d agreements kept, %v", len(agreed), err)
			}
			return nil
		})
	})
}

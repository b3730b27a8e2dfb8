package api_test

import (
	"errors"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// branch is one way in which the upgrade is refused.
type branch struct {
	name string
	code string
	try  func(x *team) error
}

func (x *team) tries(n int, code string) {
	for range n {
		_, _ = x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, code)
	}
}

// entryA is every error branch of domain section 5, entry A.
var entryA = []branch{
	{"a member who is not the Owner", "owner_only", func(x *team) error {
		admin := x.house.studio("admin")
		x.join(x.shop, admin, workspace.Administrator)
		_, err := x.asStudio(admin).NameBillingAccount(x.t.Context(), x.shop.ID, "acme")
		return err
	}},
	{"a stranger", "workspace_unknown", func(x *team) error {
		_, err := x.asStudio(x.house.studio("stranger")).UpgradeState(x.t.Context(), x.shop.ID)
		return err
	}},
	{"already commercial", "already_commercial", func(x *team) error {
		x.upgraded()
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "acme")
		return err
	}},
	{"locked", "workspace_locked", func(x *team) error {
		x.set(func(w *workspace.Workspace) { w.State = workspace.Locked })
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "acme")
		return err
	}},
	{"locked before the confirmation", "workspace_locked", func(x *team) error {
		x.agreed()
		x.set(func(w *workspace.Workspace) { w.State = workspace.Locked })
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"dissolved", "workspace_dissolved", func(x *team) error {
		x.set(func(w *workspace.Workspace) { w.State = workspace.Dissolved })
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "acme")
		return err
	}},
	{"an unknown user name", "billing_account_unknown", func(x *team) error {
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "nobody")
		return err
	}},
	{"a user name that cannot be one", "billing_account_unknown", func(x *team) error {
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "'; DROP TABLE billing_account; --")
		return err
	}},
	{"a disabled account", "billing_account_disabled", func(x *team) error {
		x.disable()
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "acme")
		return err
	}},
	{"disabled before the confirmation", "billing_account_disabled", func(x *team) error {
		x.agreed()
		x.disable()
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"another currency", "billing_currency_differs", func(x *team) error {
		x.billing("overseas", money.USD)
		_, err := x.studio.NameBillingAccount(x.t.Context(), x.shop.ID, "overseas")
		return err
	}},
	{"a mail before the name", "upgrade_not_begun", func(x *team) error {
		_, err := x.studio.MailUpgradeCode(x.t.Context(), x.shop.ID, x.payer.Email)
		return err
	}},
	{"not the account's address", "billing_email_differs", func(x *team) error {
		x.named()
		_, err := x.studio.MailUpgradeCode(x.t.Context(), x.shop.ID, "other@pay.example")
		return err
	}},
	{"no address at all", "email_form", func(x *team) error {
		x.named()
		_, err := x.studio.MailUpgradeCode(x.t.Context(), x.shop.ID, "not an address")
		return err
	}},
	{"a second code at once", "code_too_often", func(x *team) error {
		x.mailed()
		_, err := x.studio.MailUpgradeCode(x.t.Context(), x.shop.ID, x.payer.Email)
		return err
	}},
	{"a code before the mail", "account_not_named", func(x *team) error {
		x.named()
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, "123456")
		return err
	}},
	{"a wrong code", "code_wrong", func(x *team) error {
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, wrong(x.mailed()))
		return err
	}},
	{"the fifth wrong code", "code_too_many_tries", func(x *team) error {
		code := x.mailed()
		x.tries(4, wrong(code))
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, wrong(code))
		return err
	}},
	{"the right code after five wrong ones", "code_too_many_tries", func(x *team) error {
		code := x.mailed()
		x.tries(5, wrong(code))
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"an expired code", "code_expired", func(x *team) error {
		code := x.mailed()
		x.clock.Advance(account.CodeLife)
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"a used code", "code_used", func(x *team) error {
		code := x.mailed()
		x.tries(1, code)
		_, err := x.studio.ProveBillingAccount(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"the agreement before the code", "account_not_verified", func(x *team) error {
		x.mailed()
		_, err := x.studio.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: upgrade.AgreementVersion, Language: "en", Agreed: true})
		return err
	}},
	{"not agreed", "agreement_not_agreed", func(x *team) error {
		x.proved()
		_, err := x.studio.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: upgrade.AgreementVersion, Language: "en"})
		return err
	}},
	{"an agreement of another version", "agreement_changed", func(x *team) error {
		x.proved()
		_, err := x.studio.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: "2020-01-01", Language: "en", Agreed: true})
		return err
	}},
	{"confirmed without an account", "upgrade_not_begun", func(x *team) error {
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"confirmed without a code", "account_not_verified", func(x *team) error {
		x.mailed()
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"confirmed without the agreement", "agreement_not_agreed", func(x *team) error {
		x.proved()
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"confirmed with another name", "workspace_name_differs", func(x *team) error {
		x.agreed()
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "Shop")
		return err
	}},
	{"confirmed too late", "upgrade_not_begun", func(x *team) error {
		x.agreed()
		x.clock.Advance(2 * time.Hour)
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"bound by a payer meanwhile", "already_commercial", func(x *team) error {
		x.agreed()
		x.set(func(w *workspace.Workspace) { *w, _ = w.Upgrade("bcac_other", x.clock.Now()) })
		_, err := x.studio.Upgrade(x.t.Context(), client.NewKey(), x.shop.ID, "shop")
		return err
	}},
	{"confirmed without a key", "idempotency_key_required", func(x *team) error {
		x.agreed()
		_, err := x.studio.Upgrade(x.t.Context(), "", x.shop.ID, "shop")
		return err
	}},
}

// entryB is every error branch of entry B.
var entryB = []branch{
	{"an unknown workspace", "workspace_unknown", func(x *team) error {
		_, err := x.center.Bind(x.t.Context(), "wksp_nobody")
		return err
	}},
	{"bound elsewhere", "workspace_bound_elsewhere", func(x *team) error {
		x.upgraded()
		_, err := x.asBilling(x.billing("rival", money.CNY)).Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"bound elsewhere meanwhile", "already_commercial", func(x *team) error {
		x.boundAndAgreed()
		x.set(func(w *workspace.Workspace) { *w, _ = w.Upgrade("bcac_other", x.clock.Now()) })
		_, err := x.center.ConfirmBinding(x.t.Context(), client.NewKey(), x.shop.ID)
		return err
	}},
	{"seen after it was bound elsewhere", "workspace_bound_elsewhere", func(x *team) error {
		x.boundAndAgreed()
		x.set(func(w *workspace.Workspace) { *w, _ = w.Upgrade("bcac_other", x.clock.Now()) })
		_, err := x.center.Binding(x.t.Context(), x.shop.ID)
		return err
	}},
	{"dissolved", "workspace_dissolved", func(x *team) error {
		x.set(func(w *workspace.Workspace) { w.State = workspace.Dissolved })
		_, err := x.center.Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"locked", "workspace_locked", func(x *team) error {
		x.set(func(w *workspace.Workspace) { w.State = workspace.Locked })
		_, err := x.center.Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"another currency", "billing_currency_differs", func(x *team) error {
		_, err := x.asBilling(x.billing("overseas", money.USD)).Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"a disabled account", "account_disabled", func(x *team) error {
		x.disable()
		_, err := x.center.Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"a code before the name", "upgrade_not_begun", func(x *team) error {
		_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, "123456")
		return err
	}},
	{"somebody else's binding", "upgrade_not_begun", func(x *team) error {
		x.bound()
		_, err := x.asBilling(x.billing("rival", money.CNY)).Binding(x.t.Context(), x.shop.ID)
		return err
	}},
	{"a second code at once", "code_too_often", func(x *team) error {
		x.bound()
		_, err := x.center.Bind(x.t.Context(), x.shop.ID)
		return err
	}},
	{"a wrong code", "code_wrong", func(x *team) error {
		_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, wrong(x.bound()))
		return err
	}},
	{"the right code after five wrong ones", "code_too_many_tries", func(x *team) error {
		code := x.bound()
		for range 5 {
			_, _ = x.center.ProveBinding(x.t.Context(), x.shop.ID, wrong(code))
		}
		_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"an expired code", "code_expired", func(x *team) error {
		code := x.bound()
		x.clock.Advance(account.CodeLife)
		_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"a used code", "code_used", func(x *team) error {
		code := x.bound()
		_, _ = x.center.ProveBinding(x.t.Context(), x.shop.ID, code)
		_, err := x.center.ProveBinding(x.t.Context(), x.shop.ID, code)
		return err
	}},
	{"the agreement before the code", "account_not_verified", func(x *team) error {
		x.bound()
		_, err := x.center.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: upgrade.AgreementVersion, Language: "en", Agreed: true})
		return err
	}},
	{"not agreed", "agreement_not_agreed", func(x *team) error {
		x.boundAndProved()
		_, err := x.center.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: upgrade.AgreementVersion, Language: "en"})
		return err
	}},
	{"an agreement of another version", "agreement_changed", func(x *team) error {
		x.boundAndProved()
		_, err := x.center.Agree(x.t.Context(), x.shop.ID, client.Agreeing{Version: "1", Language: "en", Agreed: true})
		return err
	}},
	{"confirmed without a code", "account_not_verified", func(x *team) error {
		x.bound()
		_, err := x.center.ConfirmBinding(x.t.Context(), client.NewKey(), x.shop.ID)
		return err
	}},
	{"confirmed without the agreement", "agreement_not_agreed", func(x *team) error {
		x.boundAndProved()
		_, err := x.center.ConfirmBinding(x.t.Context(), client.NewKey(), x.shop.ID)
		return err
	}},
	{"confirmed too late", "upgrade_not_begun", func(x *team) error {
		x.boundAndAgreed()
		x.clock.Advance(2 * time.Hour)
		_, err := x.center.ConfirmBinding(x.t.Context(), client.NewKey(), x.shop.ID)
		return err
	}},
	{"confirmed without a key", "idempotency_key_required", func(x *team) error {
		x.boundAndAgreed()
		_, err := x.center.ConfirmBinding(x.t.Context(), "", x.shop.ID)
		return err
	}},
}

// refuses runs a branch on a house of its own and checks that nothing changed.
func (b branch) refuses(t *testing.T, s *store.Store) {
	x := newTeam(t, s)
	err := b.try(x)
	refused(t, err, b.code)
	var p *client.Problem
	if errors.As(err, &p) && (p.Detail == "" || p.Status < 400 || p.Status >= 500 || p.Type != "urn:tollgate:problem:"+b.code) {
		t.Errorf("problem %+v", p)
	}
	if b.code == "already_commercial" || b.code == "workspace_bound_elsewhere" {
		return
	}
	w, err := x.studio.Workspace(t.Context(), x.shop.ID)
	if err == nil && (w.Plan != "experience" || w.UpgradedAt != nil) {
		t.Errorf("the refused upgrade changed the workspace: %+v", w)
	}
}

func TestEveryBranchOfTheUpgradeHasItsCode(t *testing.T) {
	t.Parallel()
	for _, b := range append(append([]branch{}, entryA...), entryB...) {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.refuses(t, storetest.SQLite(t))
		})
	}
}

// On PostgreSQL the branches follow each other in one database: to make fifty
// of them takes longer than all the branches together.
func TestEveryBranchHasItsCodeOnPostgreSQL(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	for _, b := range append(append([]branch{}, entryA...), entryB...) {
		t.Run(b.name, func(t *testing.T) {
			empty(t, s)
			b.refuses(t, s)
		})
	}
}

// empty removes every row of a PostgreSQL database but what migrations keep.
func empty(t *testing.T, s *store.Store) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		var tables string
		err := tx.QueryRow(t.Context(), `
			SELECT STRING_AGG(tablename, ', ')
			FROM pg_tables
			WHERE schemaname = 'public'
				AND tablename NOT LIKE '%migration%'
				AND tablename NOT LIKE 'goose%'`).Scan(&tables)
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), "TRUNCATE "+tables)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

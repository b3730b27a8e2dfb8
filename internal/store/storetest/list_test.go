package storetest_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// listed are accounts and workspaces of every kind that a list tells apart.
func listed(t *testing.T, s *store.Store) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for i, name := range []string{"ada", "bob", "cy", "dan"} {
			a := account.Billing{ID: "bcac_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon.AddDate(0, 0, -i/2)}
			if name == "dan" {
				a.Currency, a.Disabled = money.USD, true
			}
			if err := tx.InsertBilling(ctx, a); err != nil {
				return err
			}
		}
		for i, w := range []workspace.Workspace{
			{ID: "wksp_1", Name: "Shop", Site: "cn1", Plan: workspace.Commercial, State: workspace.Grace, Payer: "bcac_bob", Settlement: site.BillingCenter},
			{ID: "wksp_2", Name: "shop two", Site: "cn2", Plan: workspace.Commercial, State: workspace.Normal, Payer: "bcac_ada", Settlement: site.AWS},
			{ID: "wksp_3", Name: "trial", Site: "cn1", Plan: workspace.Experience, State: workspace.Normal},
			{ID: "wksp_4", Name: "trial", Site: "us1", Plan: workspace.Experience, State: workspace.Normal},
		} {
			w.CreatedAt, w.Revision, w.Generation, w.Language = noon.AddDate(0, 0, i/2), 1, 1, "en"
			if w.Plan == workspace.Commercial {
				w.UpgradedAt = noon.AddDate(0, 0, -i)
			}
			if err := tx.InsertWorkspace(ctx, w); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `UPDATE billing_account SET certified_company = 'Acme Works', certified_taxpayer_id = '9133' WHERE id = 'bcac_cy'`)
		return err
	})
	for name, days := range map[string]int{"bob": 3, "cy": 20} {
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			a, err := tx.BillingByID(ctx, "bcac_"+name)
			if err != nil {
				return err
			}
			amount := money.Of(int64(days*100), money.CNY)
			if _, err := wallet.OpenDebt(ctx, tx, a, amount, noon.AddDate(0, 0, -days)); err != nil {
				return err
			}
			return arrears.Advance(ctx, tx, arrears.Debt, a.ID, noon)
		})
	}
}

// TestListsOfTenantsAreNarrowedAndCounted checks each filter by itself.
func TestListsOfTenantsAreNarrowedAndCounted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		listed(t, s)
		accounts := map[string]store.AccountQuery{
			"ada bob cy dan": {}, "bob": {Text: " BOB "}, "cy": {Text: "acme w"}, "dan": {Currency: money.USD}, "ada": {State: store.AccountNormal},
			"bob cy": {State: store.AccountArrears}, "bob ": {State: store.AccountGrace}, "cy ": {State: store.AccountLocked}, "dan ": {State: store.AccountDisabled},
			" cy": {Certification: account.CertificationCertified}, "ada bob dan": {Certification: account.CertificationNone}, "": {Certification: account.CertificationSubmitted},
			" bob": {Site: "cn1"}, "ada  ": {Text: "bcac_a"}, " ": {Text: "nobody"},
		}
		for want, q := range accounts {
			if got := namesOf(t, s, q, 10); got != strings.TrimSpace(want) {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
		workspaces := map[string]store.WorkspaceQuery{
			"wksp_1 wksp_2 wksp_3 wksp_4": {}, "wksp_1 wksp_2": {Text: "SHOP"}, "wksp_3": {Text: "wksp_3"}, "wksp_2": {Payer: "bcac_ada"}, "wksp_1 wksp_3": {Site: "cn1"},
			"wksp_3 wksp_4": {Plan: workspace.Experience}, "wksp_1": {State: workspace.Grace}, " wksp_2": {Settlement: site.AWS}, "": {Site: "cn1", Settlement: site.AWS},
		}
		for want, q := range workspaces {
			got := idsOf(t, s, q, 10)
			sorted := strings.Fields(got)
			slices.Sort(sorted)
			if strings.Join(sorted, " ") != strings.TrimSpace(want) {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
	})
}

// TestEveryOrderPagesThroughEachRowOnce walks each order row by row; equal
// keys neither hide a row nor show one twice.
func TestEveryOrderPagesThroughEachRowOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		listed(t, s)
		for order, want := range map[string]string{
			"": "ada bob cy dan", "name": "ada bob cy dan", "-name": "dan cy bob ada", "-owed": "cy bob ada dan", "-registered": "ada bob cy dan", "registered": "cy dan ada bob", "nothing": "ada bob cy dan",
		} {
			for _, limit := range []int{1, 3, 10} {
				if got := namesOf(t, s, store.AccountQuery{Order: order}, limit); got != want {
					t.Errorf("accounts by %q, %d at a time: %s, want %s", order, limit, got, want)
				}
			}
		}
		for order, want := range map[string]string{
			"-created": "wksp_3 wksp_4 wksp_1 wksp_2", "created": "wksp_1 wksp_2 wksp_3 wksp_4", "-opened": "wksp_1 wksp_2 wksp_3 wksp_4", "opened": "wksp_3 wksp_4 wksp_2 wksp_1",
		} {
			for _, limit := range []int{1, 3, 10} {
				if got := idsOf(t, s, store.WorkspaceQuery{Order: order}, limit); got != want {
					t.Errorf("workspaces by %q, %d at a time: %s, want %s", order, limit, got, want)
				}
			}
		}
	})
}

// namesOf are the user names that a query gives, so many at a time.
func namesOf(t *testing.T, s *store.Store, q store.AccountQuery, limit int) string {
	t.Helper()
	var names []string
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		count, err := tx.CountAccounts(ctx, q)
		if err != nil {
			return err
		}
		for after := ""; ; {
			page, err := tx.AccountsIn(ctx, q, after, limit)
			if err != nil {
				return err
			}
			for _, a := range page {
				names, after = append(names, a.UserName), a.ID
			}
			if len(page) < limit || len(names) > 100 {
				break
			}
		}
		if int(count) != len(names) {
			t.Errorf("%+v: counted %d, listed %v", q, count, names)
		}
		return nil
	})
	return strings.Join(names, " ")
}

// idsOf are the IDs of the workspaces that a query gives.
func idsOf(t *testing.T, s *store.Store, q store.WorkspaceQuery, limit int) string {
	t.Helper()
	var ids []string
	read(t, s, func(ctx context.Context, tx *store.Tx) error {
		count, err := tx.CountWorkspaces(ctx, q)
		if err != nil {
			return err
		}
		for after := ""; ; {
			page, err := tx.WorkspacesIn(ctx, q, after, limit)
			if err != nil {
				return err
			}
			for _, w := range page {
				ids, after = append(ids, w.ID), w.ID
			}
			if len(page) < limit || len(ids) > 100 {
				break
			}
		}
		if int(count) != len(ids) {
			t.Errorf("%+v: counted %d, listed %v", q, count, ids)
		}
		return nil
	})
	return strings.Join(ids, " ")
}

func read(t *testing.T, s *store.Store, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := s.Read(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

const april = `versions:
  - id: april
    from: 2026-04-01
    amends: "2024-11-06"
    items:
      - id: network_host
        name: {en: Network hosts, zh: 网络主机}
        counted: distinct hosts that sent eBPF network data that day
        unit: {size: "1", en: hosts, zh: 台}
        sampling: day_to_date
        rule: max24
        prices:
          CNY/china: {none: "2.5"}
          CNY/international: {none: "4"}
          USD/china: {none: "0.29"}
          USD/international: {none: "0.6"}
    rounding: {units: exact, lines: half_up}
`

func TestACatalogueVersionIsCheckedTriedAddedAndTakenBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		operator := x.asOperator(x.operator())
		x.upgraded()
		second := x.paidFor("second")
		for day := range int64(3) {
			x.uses(day+1, x.shop, 1_239_999, "logs", "14d")
			x.uses(day+1, second, 2_349_999, "logs", "14d", "network_host", "none")
			x.closes()
		}
		checked, err := operator.CheckCatalogVersion(ctx, april)
		must(t, checked, err)
		if checked.State != "coming" || checked.UnitDecimals != nil || checked.Follows != "2024-11-06" || !slices.Equal(checked.Sections, []string{"rounding"}) {
			t.Errorf("checked %+v", checked)
		}
		if want := (client.PriceChange{Item: "network_host", Group: "china", Currency: "CNY", Class: "none", Before: "2", After: "2.5"}); !slices.Contains(checked.Prices, want) {
			t.Errorf("changes %+v", checked.Prices)
		}
		_, err = operator.CatalogVersion(ctx, "april")
		refused(t, err, "catalog_version_unknown")
		added, err := operator.AddCatalogVersion(ctx, april)
		if must(t, added, err).Document != april || added.Origin != "added" || added.SHA256 == "" || len(added.Items) != 17 {
			t.Errorf("added %+v", added)
		}
		list, err := operator.CatalogVersions(ctx, client.Page{Limit: 2})
		if got := must(t, list, err).Items; len(got) != 2 || got[0].ID != "april" || got[1].ID != "2024-11-06" || got[1].State != "now" || list.NextCursor == "" {
			t.Errorf("listed %+v", list)
		}
		x.tried(operator)
		refused(t, operator.RemoveCatalogVersion(ctx, "2024-11-06"), "catalog_version_shipped")
		if err := operator.RemoveCatalogVersion(ctx, "april"); err != nil {
			t.Fatal(err)
		}
		refused(t, operator.RemoveCatalogVersion(ctx, "april"), "catalog_version_unknown")
	})
}

// tried looks at what the version would have billed in March, a workspace a page.
func (x *team) tried(operator *client.Operator) {
	x.t.Helper()
	ctx, rows := x.t.Context(), 0
	for p := (client.Page{Limit: 1}); ; {
		trial, err := operator.TryCatalogVersion(ctx, "april", "2026-03", p)
		must(x.t, trial, err)
		for _, row := range trial.Items {
			rows++
			if row.AccountID != x.payer.ID || row.Bills != 3 || row.Before == row.After || len(row.Parts) == 0 || trial.Totals[0].Difference != row.Difference {
				x.t.Errorf("row %+v of %+v", row, trial.Totals)
			}
		}
		if p.Cursor = trial.NextCursor; p.Cursor == "" {
			break
		}
	}
	if rows != 2 {
		x.t.Errorf("%d workspaces were tried", rows)
	}
	_, err := operator.TryCatalogVersion(ctx, "april", "March", client.Page{})
	refused(x.t, err, "what_if_month")
	_, err = operator.TryCatalogVersion(ctx, "may", "2026-03", client.Page{})
	refused(x.t, err, "catalog_version_unknown")
}

// TestEverythingWrongWithACatalogueIsNamedAtOnce plants the mistakes that are
// made: a gap cannot be, since a version holds until the next begins.
func TestEverythingWrongWithACatalogueIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	operator := x.asOperator(x.operator())
	wrong := strings.NewReplacer("2026-04-01", "2024-11-06", `"2.5"`, `"2.50000001"`, "          USD/china: {none: \"0.29\"}\n", "", `{none: "4"}`, `{none: "-4"}`).Replace(april)
	for name, try := range map[string]func() error{
		"check": func() error { _, err := operator.CheckCatalogVersion(t.Context(), wrong); return err },
		"add":   func() error { _, err := operator.AddCatalogVersion(t.Context(), wrong); return err },
	} {
		err := try()
		refused(t, err, "catalog_invalid")
		var p *client.Problem
		if !errors.As(err, &p) {
			t.Fatal(err)
		}
		said := map[string]string{}
		for _, e := range p.Errors {
			said[e.Field] += e.Detail
		}
		for field, want := range map[string]string{
			"document.versions[april].from":                                               "overlaps with version 2024-11-06",
			"document.versions[april].items[network_host].prices[CNY/china].none":         "more than 6 decimals",
			"document.versions[april].items[network_host].prices[CNY/international].none": "is negative",
			"document.versions[april].items[network_host].prices[USD/china]":              "is missing",
		} {
			if !strings.Contains(said[field], want) {
				t.Errorf("%s: %q is not said at %s: %v", name, want, field, said)
			}
		}
	}
	_, err := operator.AddCatalogVersion(t.Context(), strings.Repeat("x", 100_000))
	refused(t, err, "body_too_large")
	list, err := operator.CatalogVersions(t.Context(), client.Page{})
	if len(must(t, list, err).Items) != 3 {
		t.Errorf("something was added: %+v", list)
	}
}

func TestAPriceIsAgreedAndEnded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		operator := x.asOperator(x.operator())
		good := client.PriceAgreement{Item: "logs", Group: "china", Class: "14d", Price: "1.25", From: "2026-03-02", Reason: "volume"}
		for code, wrong := range map[string]func(p *client.PriceAgreement){
			"price_malformed":     func(p *client.PriceAgreement) { p.Price = "-1" },
			"class_unknown":       func(p *client.PriceAgreement) { p.Class = "90d" },
			"item_unknown":        func(p *client.PriceAgreement) { p.Item = "coffee" },
			"override_from":       func(p *client.PriceAgreement) { p.From = "2026-03-01" },
			"override_last":       func(p *client.PriceAgreement) { p.Last = "2026-03-01" },
			"price_group_unknown": func(p *client.PriceAgreement) { p.Group = "mars" },
			"override_reason":     func(p *client.PriceAgreement) { p.Reason = " " },
		} {
			p := good
			wrong(&p)
			_, err := operator.AgreePrice(ctx, x.payer.ID, p)
			refused(t, err, code)
		}
		agreed, err := operator.AgreePrice(ctx, x.payer.ID, good)
		if must(t, agreed, err).Currency != "CNY" || agreed.ListPrice != "1.5" || agreed.State != "coming" || agreed.Last != "" {
			t.Errorf("agreed %+v", agreed)
		}
		_, err = operator.AgreePrice(ctx, x.payer.ID, good)
		refused(t, err, "override_overlap")
		x.clock.Advance(36 * time.Hour)
		ended, err := operator.EndAgreedPrice(ctx, x.payer.ID, agreed.ID)
		if must(t, ended, err).Last != "2026-03-03" || ended.State != "now" {
			t.Errorf("ended %+v", ended)
		}
		_, err = operator.EndAgreedPrice(ctx, x.payer.ID, agreed.ID)
		refused(t, err, "override_ended")
		list, err := operator.AgreedPrices(ctx, x.payer.ID, client.Page{})
		if got := must(t, list, err).Items; len(got) != 1 || got[0] != ended {
			t.Errorf("listed %+v", got)
		}
		_, err = operator.AgreedPrices(ctx, "bcac_none", client.Page{})
		refused(t, err, "account_unknown")
		_, err = operator.EndAgreedPrice(ctx, x.billing("rival", money.CNY).ID, agreed.ID)
		refused(t, err, "override_unknown")
	})
}

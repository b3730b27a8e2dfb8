package billingcenter

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

func TestAnAmountThatCannotBeIsRefusedBesideTheField(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	for typed, code := range map[string]string{
		"": "malformed_amount", "abc": "malformed_amount", "1e3": "malformed_amount", "1,000": "malformed_amount", "1.234": "malformed_amount",
		"0": "amount_not_positive", "-5": "amount_not_positive", "10000000.01": "amount_absurd", "99999999999999999999": "malformed_amount", "NaN": "malformed_amount",
	} {
		r := v.post(http.StatusUnprocessableEntity, "/recharge", "amount", typed)
		r.refused(code, "amount")
		if again, _ := r.Find("#amount").Attr("value"); again != typed {
			t.Errorf("%q was typed, %q is shown again", typed, again)
		}
	}
	v.get(http.StatusOK, "/recharge").says("No transfer yet")
}

func TestAFormSentTwiceDeclaresOneTransfer(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	reference, _ := v.get(http.StatusOK, "/recharge").Find("input[name=reference]").Attr("value")
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() { v.post(http.StatusOK, "/recharge", "amount", "500", "reference", reference).says(reference) })
	}
	clicks.Wait()
	v.post(http.StatusConflict, "/recharge", "amount", "600", "reference", reference).refused("form_sent_before", "amount")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.TransfersOf(ctx, a.ID, 10)
		if err != nil || len(list) != 1 || list[0].Amount.String() != "500.00" {
			t.Errorf("transfers %v, %v", list, err)
		}
		return err
	})
}

// spent makes a day of usage and closes it.
func (h *house) spent(w workspace.Workspace, day string, records int64) bill.Bill {
	h.t.Helper()
	s, err := site.Find(w.Site)
	if err != nil {
		h.t.Fatal(err)
	}
	d := period.MustParseDay(day)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: "logs", Class: "14d"}
		return tx.AddUsage(ctx, usage.Batch{Gateway: w.ID + day, Epoch: 1, Seq: 1, Deltas: []usage.Delta{{Key: key, Hour: d.Start(s.Zone).Add(12 * time.Hour), Add: records}}})
	})
	var made bill.Bill
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		made, err = bill.Close(ctx, tx, catalog.Default(), d, w.ID, d.End(s.Zone).Add(time.Minute))
		return err
	})
	return made
}

// recharged declares and credits a transfer.
func (h *house) recharged(a account.Billing, amount string, at time.Time) wallet.Transfer {
	h.t.Helper()
	t, err := wallet.Declare(a, money.MustParse(amount, a.Currency), "TG-AAAAA-BBBBB", at)
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertTransfer(ctx, t); err != nil {
			return err
		}
		_, err := wallet.CreditTransfer(ctx, tx, t.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, at)
		return err
	})
	return t
}

func TestBillsAndMovementsAreShownLineByLine(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop := h.paidFor(a, "=shop", "cn1")
	h.recharged(a, "4.00", noon.AddDate(0, 0, -10))
	first := h.spent(shop, "2026-03-09", 2_345_678) // 2.34 million at 1.5
	second := h.spent(shop, "2026-03-10", 1_000_000)
	v := h.signedIn(a)

	page := v.get(http.StatusOK, "/")
	page.says("1.01 CNY owed")
	page.says("Spent in 2026-03 5.01 CNY")
	page.says("2026-03-13 00:00 UTC+08:00")
	v.get(http.StatusOK, "/bills").says("Total 5.01 CNY")
	v.get(http.StatusOK, "/bills?from=2026-03-10&workspace="+shop.ID).says("Total 1.50 CNY")
	v.get(http.StatusUnprocessableEntity, "/bills?from=2026-03-10&to=2026-03-01").refused("range_reversed", "to")
	v.get(http.StatusUnprocessableEntity, "/bills?from=yesterday").refused("malformed_date", "from")
	page = v.get(http.StatusOK, "/bills/"+second.ID)
	page.says("1,000,000 1.00 1.5 1.5 1.50 0.49 cash, 1.01 arrears")
	page.says("Rounding the exact amounts sum to 1.5;")
	v.get(http.StatusOK, "/bills/"+first.ID).says("2,345,678 2.34 1.5 3.51 3.51 3.51 cash")

	page = v.get(http.StatusOK, "/movements")
	page.says("−1.50 0.49 cash, 1.01 arrears 0.00 1.01")
	page.says("−3.51 3.51 cash 0.49 0.00")
	page.says("+4.00 4.00 cash 4.00 0.00")

	rows := table(t, v.get(http.StatusOK, "/bills.csv"))
	if len(rows) != 3 || rows[1][0] != second.Number || rows[1][3] != "'=shop" || rows[1][7] != "1.50" {
		t.Errorf("bills.csv is %v", rows)
	}
	if rows := table(t, v.get(http.StatusOK, "/bills/"+first.ID+"/lines.csv")); len(rows) != 2 || rows[1][6] != "2345678" || rows[1][11] != "3.51" {
		t.Errorf("the bill's lines are %v", rows)
	}
	if rows := table(t, v.get(http.StatusOK, "/movements.csv?from=2026-03-10&to=2026-03-10")); len(rows) != 2 || rows[1][3] != first.Number || rows[1][6] != "0.49" {
		t.Errorf("movements.csv is %v", rows)
	}
}

func table(t *testing.T, a answer) [][]string {
	t.Helper()
	if kind := a.header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Errorf("a table of %s", kind)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(a.body, "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestARechargeFillsTheDebtFirst(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	h.spent(h.paidFor(a, "shop", "cn1"), "2026-03-10", 1_000_000)
	credited := h.recharged(a, "5.00", noon)
	v := h.signedIn(a)
	v.get(http.StatusOK, "/movements").says("+5.00 3.50 cash, 1.50 of arrears covered 3.50 0.00")
	v.get(http.StatusOK, "/").says("nothing owed")
	v.get(http.StatusOK, "/recharge/"+credited.ID).says("The money has arrived")
}

func TestAnotherAccountsThingsAreUnknown(t *testing.T) {
	t.Parallel()
	h := open(t)
	mine, theirs := h.payer("mine", money.CNY), h.payer("theirs", money.CNY)
	shop := h.paidFor(theirs, "shop", "cn1")
	h.paidFor(mine, "other", "cn1")
	made := h.spent(shop, "2026-03-10", 1_000_000)
	transfer := h.recharged(theirs, "5.00", noon)
	v := h.signedIn(mine)
	for _, path := range []string{
		"/workspaces/" + shop.ID + "/opened", "/workspaces/" + shop.ID + "/settlement", "/bills/" + made.ID, "/bills/" + made.ID + "/lines.csv",
		"/recharge/" + transfer.ID, "/workspaces/wksp_none/opened", "/bills/bill_none", "/recharge/trsf_none", "/nothing",
	} {
		v.get(http.StatusNotFound, path)
	}
	v.post(http.StatusNotFound, "/workspaces/"+shop.ID+"/settlement", "method", "alibaba").refused("workspace_not_paid", "")
	for _, path := range []string{"/", "/bills", "/bills?workspace=" + shop.ID, "/bills?after=" + made.ID, "/movements", "/recharge", "/workspaces"} {
		if page := v.get(http.StatusOK, path); strings.Contains(page.body, made.Number) || strings.Contains(page.body, transfer.Reference) || strings.Contains(page.body, ">shop<") {
			t.Errorf("%s shows what is another account's", path)
		}
	}
	for _, path := range []string{"/bills.csv?workspace=" + shop.ID, "/movements.csv"} {
		if rows := table(t, v.get(http.StatusOK, path)); len(rows) != 1 {
			t.Errorf("%s holds %v", path, rows)
		}
	}
}

func TestOnlyTheSitesMethodsAreOffered(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	cn1, cn4 := h.paidFor(a, "shop", "cn1"), h.paidFor(a, "south", "cn4")
	v := h.signedIn(a)
	page := v.get(http.StatusOK, "/workspaces/"+cn1.ID+"/settlement")
	if n := page.Find("input[name=method]").Length(); n != 2 {
		t.Errorf("%d methods in Hangzhou, want the Billing Center and Alibaba", n)
	}
	v.post(http.StatusServiceUnavailable, "/workspaces/"+cn1.ID+"/settlement", "method", "alibaba").refused("settlement_not_enabled", "method")
	v.post(http.StatusUnprocessableEntity, "/workspaces/"+cn1.ID+"/settlement", "method", "aws").refused("settlement_not_allowed", "method")
	v.post(http.StatusUnprocessableEntity, "/workspaces/"+cn1.ID+"/settlement").refused("settlement_not_allowed", "method")
	v.post(http.StatusConflict, "/workspaces/"+cn1.ID+"/settlement", "method", "billing_center").refused("settlement_unchanged", "method")
	if n := v.get(http.StatusOK, "/workspaces/"+cn4.ID+"/settlement").Find("input[name=method]").Length(); n != 1 {
		t.Errorf("%d methods in Guangzhou, want the Billing Center alone", n)
	}
	h.write(func(ctx context.Context, tx *store.Tx) error { return tx.SetBillingSwitches(ctx, a.ID, false, true) })
	if n := v.get(http.StatusOK, "/workspaces/"+cn4.ID+"/settlement").Find("input[name=method]").Length(); n != len(site.Methods()) {
		t.Errorf("%d methods with arbitrary settlement", n)
	}
}

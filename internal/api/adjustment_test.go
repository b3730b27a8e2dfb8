package api_test

import (
	"context"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestAdjustmentsAreProposedAndApprovedByCalls(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.spent()
		other := account.Operator{ID: "oper_other", Email: "other@tollgate.example", Name: "Other", Role: account.Finance, Password: hashed(), Language: "en", CreatedAt: noon}
		x.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertOperator(ctx, other) })
		one := x.client.Operator(x.session(api.Operator, other.ID))
		two := x.client.Operator(x.session(api.Operator, x.operatorOf(account.Finance).ID))
		bills, err := x.center.Bills(ctx, client.Days{}, client.Page{})
		of := must(t, bills, err).Items[0]
		made, err := one.ProposeAdjustment(ctx, client.NewKey(), x.payer.ID, client.AdjustmentDraft{Amount: "12.50", Reason: "counted twice", Bill: of.Number})
		if must(t, made, err); made.State != "proposed" || made.Bill != of.Number || made.ProposedBy == "" {
			t.Errorf("proposed %+v", made)
		}
		shown, err := two.Adjustment(ctx, made.ID)
		if must(t, shown, err); shown.Effect == nil {
			t.Errorf("what it would leave is not shown: %+v", shown)
		}
		_, err = one.ApproveAdjustment(ctx, client.NewKey(), made.ID)
		refused(t, err, "adjustment_own")
		_, err = two.RejectAdjustment(ctx, client.NewKey(), made.ID, " ")
		refused(t, err, "reason_required")
		key := client.NewKey()
		for range 2 {
			booked, err := two.ApproveAdjustment(ctx, key, made.ID)
			if must(t, booked, err); booked.State != "approved" || booked.DecidedBy == made.ProposedBy {
				t.Errorf("booked %+v", booked)
			}
		}
		_, err = two.RejectAdjustment(ctx, client.NewKey(), made.ID, "late")
		refused(t, err, "adjustment_approved")
		list, err := two.Adjustments(ctx, "approved", client.Page{})
		if must(t, list, err); len(list.Items) != 1 || list.Items[0].ID != made.ID {
			t.Errorf("listed %+v", list)
		}
		explained, err := x.center.ExplainBill(ctx, of.ID, 0)
		if must(t, explained, err); len(explained.Adjustments) != 1 || explained.Adjustments[0].Amount != "12.50" || explained.Adjustments[0].Reason != "counted twice" {
			t.Errorf("explained with %+v", explained.Adjustments)
		}
		entries, err := x.center.Entries(ctx, client.Span{Kind: "adjustment"}, client.Page{})
		if must(t, entries, err); len(entries.Items) != 1 || entries.Items[0].Cause != made.ID {
			t.Errorf("entries %+v", entries)
		}
		x.stated()
		statements, err := x.center.Statements(ctx, client.Page{})
		brief := must(t, statements, err).Items[0]
		whole, err := x.center.Statement(ctx, brief.ID)
		if must(t, whole, err); brief.Adjusted != "12.50" || len(whole.Adjustments) != 1 || whole.Adjustments[0].Bill != of.Number {
			t.Errorf("stated as %s, %+v", brief.Adjusted, whole.Adjustments)
		}
	})
}

func TestAdjustmentsRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	h, ctx := open(t, storetest.SQLite(t)), t.Context()
	payer := h.billing("acme", money.CNY)
	ops := h.client.Operator(h.session(api.Operator, h.operator().ID))
	for _, bad := range []struct{ amount, reason, bill, code string }{
		{"", "r", "", "malformed_amount"}, {"1e3", "r", "", "malformed_amount"}, {"1.234", "r", "", "malformed_amount"}, {"0", "r", "", "adjustment_zero"},
		{"10000000.01", "r", "", "amount_absurd"}, {"-10000000.01", "r", "", "amount_absurd"}, {"5", " ", "", "reason_required"}, {"5", "r", "us1-2026-000001", "adjustment_bill"},
	} {
		_, err := ops.ProposeAdjustment(ctx, client.NewKey(), payer.ID, client.AdjustmentDraft{Amount: bad.amount, Reason: bad.reason, Bill: bad.bill})
		refused(t, err, bad.code)
	}
	_, err := ops.ProposeAdjustment(ctx, client.NewKey(), "bcac_none", client.AdjustmentDraft{Amount: "5", Reason: "r"})
	refused(t, err, "account_unknown")
	_, err = ops.Adjustment(ctx, "adjm_none")
	refused(t, err, "adjustment_unknown")
}

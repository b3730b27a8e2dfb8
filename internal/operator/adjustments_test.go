package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestAnAdjustmentNeedsASecondOperator(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	_, first := h.hire(account.Finance)
	h.signIn()
	of := "/accounts/" + h.payer.ID + "/adjustments"
	first.get(http.StatusOK, of+"/new").says("Nothing moves until another operator approves.")
	for _, bad := range [][]string{
		{"adjustment_bill", "12.50", "us1-2026-000001", "r"}, {"reason_required", "12.50", "", ""}, {"amount_not_positive", "-1", "", "r"},
		{"malformed_amount", "1e3", "", "r"}, {"malformed_amount", "1.234", "", "r"}, {"malformed_amount", "", "", "r"}, {"amount_absurd", "99999999", "", "r"},
	} {
		first.post(http.StatusUnprocessableEntity, of, "direction", "for", "amount", bad[1], "bill", bad[2], "reason", bad[3]).refused(bad[0])
	}
	page := first.post(http.StatusOK, of, "direction", "for", "amount", "12.5", "reason", "counted twice")
	page.says("0.00 → 12.50 CNY")
	page.says("You proposed it.")
	one := strings.TrimPrefix(page.path, Prefix)
	first.post(http.StatusConflict, one+"/approve").refused("adjustment_own")
	h.get(http.StatusOK, "/").says("Adjustments to approve 1")
	h.get(http.StatusOK, "/adjustments").says("counted twice")
	h.post(http.StatusUnprocessableEntity, one+"/reject", "reason", "").refused("reason_required")
	h.post(http.StatusOK, one+"/approve").says("Booked")
	h.post(http.StatusOK, one+"/approve").says("Booked")
	h.post(http.StatusConflict, one+"/reject", "reason", "late").refused("adjustment_approved")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("cash: 0.00 -> 12.50")
	if got := h.log(h.payer.ID); len(got) != 2 || got[0] != "adjustment.approved" || got[1] != "adjustment.proposed" {
		t.Errorf("the log says %v", got)
	}
	against := first.post(http.StatusOK, of, "direction", "against", "amount", "20", "reason", "credited twice")
	against.says("12.50 → 0.00 CNY")
	against.says("0.00 → 7.50 CNY")
	against.says("The account owes more after this.")
	first.post(http.StatusOK, strings.TrimPrefix(against.path, Prefix)+"/reject", "reason", "mistaken").says("No money was moved.")
	h.get(http.StatusNotFound, "/adjustments/adjm_none").refused("adjustment_unknown")
}

func TestAdjustmentPagesInEveryState(t *testing.T) {
	t.Parallel()
	waiting := AdjustmentRow{wallet.Adjustment{
		ID: "adjm_1", AccountID: acme.ID, Amount: cny("-40"), Reason: "Logs of 2026-02-28 were counted twice", BillNumber: "cn1-2026-000041",
		State: wallet.AdjustmentProposed, ProposedBy: "oper_1", ProposedAt: noon,
	}, acme, "Chen", ""}
	booked, dropped := waiting, waiting
	booked.State, booked.Decider, booked.DecidedAt, booked.Amount = wallet.AdjustmentApproved, "ops", noon, cny("12.5")
	dropped.State, dropped.Decider, dropped.DecidedAt, dropped.Refusal = wallet.AdjustmentDropped, "ops", noon, "The bill is right."
	balances := wallet.Balances{Cash: cny("25"), Owed: cny("0")}
	view := func(row AdjustmentRow, form *web.Form, own bool) page {
		return func(ctx context.Context) templ.Component {
			return adjustmentView(AdjustmentView{Frame: frame(ctx, "Adjustment", "adjustments"), Form: form, Row: row, Own: own, Balances: balances, Cash: cny("0"), Owed: cny("15")})
		}
	}
	pages := map[string]page{
		"adjustment": view(waiting, web.Blank(), false), "adjustment-own": view(waiting, web.Blank(), true),
		"adjustment-booked": view(booked, web.Blank(), false), "adjustment-rejected": view(dropped, web.Blank(), false),
		"adjustment-refused": view(waiting, refused(web.Blank(), wallet.ErrReason.On("reason")), false),
		"adjustments": func(ctx context.Context) templ.Component {
			return adjustmentsView(Adjustments{Frame: frame(ctx, "Adjustments", "adjustments"), Proposed: []AdjustmentRow{waiting}, Decided: []AdjustmentRow{booked, dropped}})
		},
		"adjustments-empty": func(ctx context.Context) templ.Component {
			return adjustmentsView(Adjustments{Frame: frame(ctx, "Adjustments", "adjustments")})
		},
		"adjust": func(ctx context.Context) templ.Component {
			return adjustView(Adjust{Frame: frame(ctx, "Adjust", "adjustments"), Form: refused(web.Blank("amount", "12.5", "bill", "cn1-1"), wallet.ErrAdjustmentBill.On("bill")), Account: acme, Balances: balances})
		},
	}
	states := []gallery.State{{Name: "operator/viewer-adjustment", Page: seenBy(account.Viewer, view(waiting, web.Blank(), false))}}
	for name, p := range pages {
		states = append(states, gallery.State{Name: "operator/" + name, Page: seenBy(account.Admin, p)})
	}
	gallery.Check(t, states)
}

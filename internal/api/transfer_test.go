package api_test

import (
	"bytes"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestALargeTransferIsCreditedByTwoOperators(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, ctx := open(t, s), t.Context()
		payer := h.asBilling(h.billing("acme", money.CNY))
		one := h.client.Operator(h.session(api.Operator, h.operator().ID))
		two := h.client.Operator(h.session(api.Operator, h.operatorOf(account.Finance).ID))
		slip := client.File{Name: "slip.pdf", Content: []byte("%PDF-1.7 slip")}
		sent, err := payer.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "60000", Slip: &slip})
		if must(t, sent, err); len(sent.Slips) != 1 || sent.SlipCount != 1 || sent.Slips[0].Type != "application/pdf" || sent.Arrived != nil {
			t.Errorf("declared %+v", sent)
		}
		sent, err = payer.AddTransferSlip(ctx, sent.ID, slip)
		if must(t, sent, err); len(sent.Slips) != 2 {
			t.Errorf("slips %+v", sent.Slips)
		}
		back, err := one.TransferSlip(ctx, sent.ID, sent.Slips[1].ID)
		if must(t, back, err); !bytes.Equal(back.Content, slip.Content) {
			t.Errorf("the slip comes back as %q", back.Content)
		}
		mine, err := payer.TransferSlip(ctx, sent.ID, sent.Slips[0].ID)
		must(t, mine, err)

		_, err = one.ApproveTransfer(ctx, client.NewKey(), sent.ID)
		refused(t, err, "transfer_unproposed")
		_, err = one.CreditTransfer(ctx, client.NewKey(), sent.ID, client.Received{Amount: "59990"})
		refused(t, err, "transfer_difference")
		entered, err := one.CreditTransfer(ctx, client.NewKey(), sent.ID, client.Received{Amount: "59990", Difference: "a fee"})
		if must(t, entered, err); entered.State != "proposed" || entered.ProposedBy == "" || entered.Arrived == nil {
			t.Errorf("entered %+v", entered)
		}
		seen, err := payer.Transfer(ctx, sent.ID)
		if must(t, seen, err); seen.State != "proposed" || seen.Arrived != nil || seen.ProposedBy != "" || seen.Difference != "" {
			t.Errorf("the payer sees %+v", seen)
		}
		_, err = one.ApproveTransfer(ctx, client.NewKey(), sent.ID)
		refused(t, err, "transfer_own")
		_, err = two.ReturnTransfer(ctx, client.NewKey(), sent.ID, " ")
		refused(t, err, "reason_required")
		returned, err := two.ReturnTransfer(ctx, client.NewKey(), sent.ID, "look again")
		if must(t, returned, err); returned.State != "declared" || returned.Returned != "look again" || returned.Arrived != nil {
			t.Errorf("sent back %+v", returned)
		}
		entered, err = one.CreditTransfer(ctx, client.NewKey(), sent.ID, client.Received{})
		must(t, entered, err)
		key := client.NewKey()
		for range 2 {
			credited, err := two.ApproveTransfer(ctx, key, sent.ID)
			if must(t, credited, err); credited.State != "credited" || credited.Arrived.String() != "60000.00 CNY" || credited.DecidedBy == credited.ProposedBy {
				t.Errorf("credited %+v", credited)
			}
		}
		b, err := payer.Balance(ctx)
		if must(t, b, err); b.Cash.String() != "60000.00 CNY" {
			t.Errorf("cash %s", b.Cash)
		}
		_, err = two.RejectTransfer(ctx, client.NewKey(), sent.ID, "late")
		refused(t, err, "transfer_credited")
		v, err := one.Verify(ctx)
		if must(t, v, err); !v.Sound {
			t.Errorf("the books: %+v", v.Findings)
		}
	})
}

func TestTransfersRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	h, ctx := open(t, storetest.SQLite(t)), t.Context()
	payer, other := h.asBilling(h.billing("acme", money.CNY)), h.asBilling(h.billing("other", money.CNY))
	ops := h.client.Operator(h.session(api.Operator, h.operator().ID))
	amounts := map[string]string{
		"": "malformed_amount", "1e3": "malformed_amount", "1.234": "malformed_amount", "0": "amount_not_positive", "-1": "amount_not_positive", "10000000.01": "amount_absurd",
	}
	for typed, code := range amounts {
		_, err := payer.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: typed})
		refused(t, err, code)
	}
	_, err := payer.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "1", Slip: &client.File{Name: "a.pdf", Content: []byte("<script>")}})
	refused(t, err, "file_type")
	sent, err := payer.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "10"})
	must(t, sent, err)
	for typed, code := range amounts {
		if typed != "" {
			_, err = ops.CreditTransfer(ctx, client.NewKey(), sent.ID, client.Received{Amount: typed, Difference: "why"})
			refused(t, err, code)
		}
	}
	_, err = other.Transfer(ctx, sent.ID)
	refused(t, err, "transfer_unknown")
	_, err = other.AddTransferSlip(ctx, sent.ID, client.File{Name: "a.pdf", Content: []byte("%PDF-")})
	refused(t, err, "transfer_unknown")
	_, err = other.TransferSlip(ctx, sent.ID, "attc_none")
	refused(t, err, "transfer_unknown")
	_, err = payer.TransferSlip(ctx, sent.ID, "attc_none")
	refused(t, err, "file_unknown")
	_, err = ops.RejectTransfer(ctx, client.NewKey(), sent.ID, "")
	refused(t, err, "reason_required")
	gone, err := ops.RejectTransfer(ctx, client.NewKey(), sent.ID, "never came")
	if must(t, gone, err); gone.State != "rejected" || gone.Reason != "never came" {
		t.Errorf("rejected %+v", gone)
	}
	_, err = payer.AddTransferSlip(ctx, sent.ID, client.File{Name: "a.pdf", Content: []byte("%PDF-")})
	refused(t, err, "transfer_slip_late")
}

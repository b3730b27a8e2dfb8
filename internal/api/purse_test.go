package api_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// batch is fresh codes of ordinary vouchers of 50 yuan.
func (h *house) batch(size int) (*client.Operator, client.CodeBatch, []string) {
	h.t.Helper()
	o := h.client.Operator(h.session(api.Operator, h.operator().ID))
	b, err := o.MakeCodeBatch(h.t.Context(), client.NewKey(), client.NewCodeBatch{Kind: "voucher", Amount: "50", Currency: "CNY", Size: size, RedeemBy: "2026-12-31", Days: 30, Note: "spring"})
	must(h.t, b, err)
	out, err := o.ExportCodes(h.t.Context(), b.ID)
	return o, b, must(h.t, out, err).Codes
}

func (h *house) payerNamed(name string) *client.BillingCenter {
	h.t.Helper()
	return h.client.BillingCenter(h.session(api.BillingCenter, h.billing(name, money.CNY).ID))
}

func TestACodeGoesFromTheOperatorToTheWallet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), open(t, s)
		o, b, codes := h.batch(3)
		if b.ExportedAt != nil || b.Face.String() != "50.00 CNY" || len(codes) != 3 {
			t.Errorf("batch %+v, %d codes", b, len(codes))
		}
		_, err := o.ExportCodes(ctx, b.ID)
		refused(t, err, "batch_exported")
		me, rival, key := h.payerNamed("acme"), h.payerNamed("rival"), client.NewKey()
		var first client.Source
		for i := range 3 { // the same intention, sent again
			made, err := me.Activate(ctx, key, codes[0])
			if must(t, made, err); i == 0 {
				first = made
			} else if made.ID != first.ID {
				t.Errorf("attempt %d gave %s, not %s", i, made.ID, first.ID)
			}
		}
		if first.State != "usable" || first.Balance.String() != "50.00 CNY" || first.CodeTail != codes[0][15:] || first.ExpiresAt == nil {
			t.Errorf("made %+v", first)
		}
		_, err = me.Activate(ctx, client.NewKey(), codes[0])
		refused(t, err, "activation_code_used")
		_, err = rival.Activate(ctx, client.NewKey(), codes[0])
		refused(t, err, "activation_code_used")
		_, err = rival.Source(ctx, first.ID)
		refused(t, err, "source_unknown")
		after, err := o.RevokeCodes(ctx, b.ID, 2)
		if must(t, after, err).Revoked != 1 || after.Used != 1 {
			t.Errorf("after a revocation %+v", after)
		}
		_, err = me.Activate(ctx, client.NewKey(), codes[1])
		refused(t, err, "activation_code_revoked")
		_, err = o.RevokeCodes(ctx, b.ID, 1)
		refused(t, err, "code_not_unused")
		states := walk(t, func(p client.Page) (client.List[client.Code], error) { return o.Codes(ctx, b.ID, "", p) }, func(c client.Code) string { return fmt.Sprint(c.Number, c.State, c.UserName) })
		if got := fmt.Sprint(states); got != "[1 used acme 2 revoked  3 unused ]" && got != "[1usedacme 2revoked 3unused]" {
			t.Errorf("codes %v", states)
		}
		all := walk(t, func(p client.Page) (client.List[client.CodeBatch], error) { return o.CodeBatches(ctx, p) }, func(b client.CodeBatch) string { return b.ID })
		if len(all) != 1 || all[0] != b.ID {
			t.Errorf("batches %v", all)
		}
		entries, err := me.Entries(ctx, client.Span{Kind: "voucher"}, client.Page{})
		if len(must(t, entries, err).Items) != 1 || entries.Items[0].Cause != first.ID {
			t.Errorf("entries %+v", entries.Items)
		}
		none, err := me.Entries(ctx, client.Span{Kind: "charge"}, client.Page{})
		if len(must(t, none, err).Items) != 0 {
			t.Errorf("charges %+v", none.Items)
		}
		h.sound(o)
	})
}

func (h *house) sound(o *client.Operator) {
	h.t.Helper()
	v, err := o.Verify(h.t.Context())
	if must(h.t, v, err); !v.Sound {
		h.t.Errorf("the books: %+v", v.Findings)
	}
}

// TestAThousandRedemptionsOfOneCodeGiveOne holds promise P2 over HTTP.
func TestAThousandRedemptionsOfOneCodeGiveOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), open(t, s)
		o, b, codes := h.batch(1)
		const payers, each = 20, 50
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		gate := make(chan struct{}, 64) // connections at once
		for i := range payers {
			c := h.payerNamed(fmt.Sprint("payer-", i))
			for range each {
				all.Go(func() {
					gate <- struct{}{}
					defer func() { <-gate }()
					_, err := c.Activate(ctx, client.NewKey(), codes[0])
					var p *client.Problem
					code := "activated"
					if errors.As(err, &p) {
						code = p.Code
					} else if err != nil {
						code = err.Error()
					}
					mu.Lock()
					defer mu.Unlock()
					answers[code]++
				})
			}
		}
		all.Wait()
		if answers["activated"] != 1 || answers["activated"]+answers["activation_code_used"]+answers["activation_too_many_tries"] != payers*each {
			t.Errorf("answers %v", answers)
		}
		after, err := o.CodeBatch(ctx, b.ID)
		if must(t, after, err).Used != 1 {
			t.Errorf("batch %+v", after)
		}
		h.sound(o)
	})
}

func TestGuessesAreCountedThoughTheyAreRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, h := t.Context(), open(t, s)
		_, _, codes := h.batch(1)
		me, key := h.payerNamed("acme"), client.NewKey()
		for i, guess := range []string{"nonsense", "0000-0000-0000-0000", "0000-0000-0000-0001"} {
			_, err := me.Activate(ctx, key, guess) // a refusal leaves the key free for another try
			refused(t, err, []string{"activation_code_mistyped", "activation_code_unknown", "activation_code_mistyped"}[i])
		}
		for range wallet.TriesPerAccount - 3 {
			_, err := me.Activate(ctx, client.NewKey(), "0000000000000000")
			refused(t, err, "activation_code_unknown")
		}
		_, err := me.Activate(ctx, client.NewKey(), codes[0])
		var p *client.Problem
		if refused(t, err, "activation_too_many_tries"); !errors.As(err, &p) || p.Status != 429 {
			t.Errorf("%v", err)
		}
		h.clock.Advance(wallet.TryWindow)
		made, err := me.Activate(ctx, key, codes[0])
		if must(t, made, err).State != "usable" {
			t.Errorf("%+v", made)
		}
	})
}

func TestACardIsQuotedBoughtOnceAndInTheOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		operator := x.asOperator(x.operator())
		_, err := x.center.QuoteCard(ctx, "100")
		refused(t, err, "cash_too_low")
		sent, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "20000"})
		must(t, sent, err)
		_, err = operator.CreditTransfer(ctx, client.NewKey(), sent.ID, client.Received{})
		must(t, 0, err)
		for amount, code := range map[string]string{"150": "card_face", "0": "amount_not_positive", "-100": "amount_not_positive", "1e2": "malformed_amount", "100.005": "malformed_amount"} {
			_, err := x.center.BuyCard(ctx, client.NewKey(), amount)
			refused(t, err, code)
		}
		q, err := x.center.QuoteCard(ctx, "10000")
		if must(t, q, err); q.Card.String() != "10000.00 CNY" || q.CashAfter.Amount != "10000.00" || q.Earned.Amount != "1000.00" || q.EarnedExpires == nil || q.ExpiresAt.Format(time.DateOnly) != "2029-03-01" {
			t.Errorf("quote %+v", q)
		}
		key := client.NewKey()
		card, err := x.center.BuyCard(ctx, key, "10000")
		must(t, card, err)
		again, err := x.center.BuyCard(ctx, key, "10000")
		if must(t, again, err).ID != card.ID {
			t.Errorf("bought twice: %s and %s", card.ID, again.ID)
		}
		gift, err := operator.Assign(ctx, client.NewKey(), x.payer.ID, client.Assignment{Kind: "voucher", Amount: "30", Through: "2026-12-31", Reason: "a welcome"})
		if must(t, gift, err).Reason != "a welcome" {
			t.Errorf("assigned %+v", gift)
		}
		order, err := x.center.DeductionOrder(ctx)
		must(t, order, err)
		for _, o := range order.Orders {
			usual := ""
			for _, turn := range o.Usual {
				usual += turn.Payment + " "
			}
			want := "voucher full_reduction card cash owed "
			if o.Settlement != "billing_center" {
				want = "voucher full_reduction card cloud "
			}
			if usual != want || len(o.Except) != len(o.Usual)-2 || o.Except[0].Source != card.ID || len(o.ExceptItems) != 2 {
				t.Errorf("%s: %s, except %+v of %v", o.Settlement, usual, o.Except, o.ExceptItems)
			}
		}
		_, err = operator.TakeBack(ctx, card.ID, "a mistake")
		refused(t, err, "source_bought")
		back, err := operator.TakeBack(ctx, gift.ID, "a mistake")
		if must(t, back, err).State != "ended" || back.Balance.Amount != "0.00" {
			t.Errorf("taken back %+v", back)
		}
		mine := walk(t, func(p client.Page) (client.List[client.Source], error) { return x.center.Sources(ctx, p) }, func(s client.Source) string { return s.ID })
		theirs := walk(t, func(p client.Page) (client.List[client.Source], error) {
			return operator.AccountSources(ctx, x.payer.ID, p)
		}, func(s client.Source) string { return s.ID })
		if len(mine) != 3 || fmt.Sprint(mine) != fmt.Sprint(theirs) {
			t.Errorf("the payer sees %v, the operator %v", mine, theirs)
		}
		x.sound(operator)
	})
}

func TestWhatTheOperatorGivesMustMakeSense(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	operator := x.asOperator(x.operator())
	good := client.Assignment{Kind: "voucher", Amount: "30", Through: "2026-12-31", Reason: "a welcome"}
	for code, change := range map[string]func(*client.Assignment){
		"amount_not_positive": func(a *client.Assignment) { a.Amount = "0" },
		"amount_absurd":       func(a *client.Assignment) { a.Amount = "99999999" },
		"malformed_amount":    func(a *client.Assignment) { a.Amount = "1.005" },
		"malformed_date":      func(a *client.Assignment) { a.Through = "2026-02-30" },
		"expiry_past":         func(a *client.Assignment) { a.Through = "2026-02-28" },
		"through_required":    func(a *client.Assignment) { a.Through = "" },
		"reason_required":     func(a *client.Assignment) { a.Reason = " " },
		"card_face":           func(a *client.Assignment) { a.Kind, a.Amount = "card", "150" },
	} {
		wrong := good
		change(&wrong)
		_, err := operator.Assign(ctx, client.NewKey(), x.payer.ID, wrong)
		refused(t, err, code)
	}
	_, err := operator.Assign(ctx, client.NewKey(), "bcac_none", good)
	refused(t, err, "account_unknown")
	_, err = operator.CodeBatch(ctx, "btch_none")
	refused(t, err, "batch_unknown")
	_, err = operator.MakeCodeBatch(ctx, client.NewKey(), client.NewCodeBatch{Kind: "voucher", Amount: "1", Currency: "CNY", Size: 10_001, Days: 1})
	refused(t, err, "batch_size")
	abroad := x.client.BillingCenter(x.session(api.BillingCenter, x.billing("abroad", money.USD).ID))
	_, err = abroad.BuyCard(ctx, client.NewKey(), "100")
	refused(t, err, "cards_not_sold")
}

package billingcenter

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// codes are fresh activation codes of ordinary vouchers of 50 for a year.
func (h *house) codes(n int, c money.Currency) []string {
	h.t.Helper()
	var texts []string
	h.write(func(ctx context.Context, tx *store.Tx) error {
		b, err := wallet.MakeBatch(ctx, tx, wallet.Batch{
			Payment: wallet.ByVoucher, Face: money.MustParse("50", c), Size: n, RedeemBy: period.MustParseDay("2026-12-31"), Holds: wallet.Validity{Days: 365},
		}, wallet.By{Operator: "oper_1"}, noon)
		if err != nil {
			return err
		}
		_, texts, err = wallet.Export(ctx, tx, b.ID, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
	return texts
}

func (h *house) gave(a account.Billing, g wallet.Grant) wallet.Source {
	h.t.Helper()
	var made wallet.Source
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		made, err = wallet.Give(ctx, tx, a, g, noon.AddDate(0, 0, -10))
		return err
	})
	return made
}

func TestACodeIsActivatedOnThePageOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	a, rival := h.payer("acme", money.CNY), h.payer("rival", money.CNY)
	code := h.codes(1, money.CNY)[0]
	v := h.signedIn(a)
	v.get(http.StatusOK, "/wallet").says("Nothing here")
	v.post(http.StatusUnprocessableEntity, "/wallet/activate", activationField, code[:18]+"!").refused("activation_code_mistyped", activationField)
	if typed, _ := v.post(http.StatusNotFound, "/wallet/activate", activationField, "0000 0000 0000 0000").Find("#" + activationField).Attr("value"); typed != "0000 0000 0000 0000" {
		t.Errorf("what was typed is shown as %q", typed)
	}
	page := v.post(http.StatusOK, "/wallet/activate", activationField, " "+strings.ToLower(strings.ReplaceAll(code, "-", " "))+" ")
	page.says("Voucher of 50.00 CNY activated with the code ending in " + code[15:])
	page.says("Left 50.00 CNY")
	again := v.post(http.StatusOK, "/wallet/activate", activationField, code) // clicked twice
	if again.path != page.path {
		t.Errorf("a second click leads to %s, not %s", again.path, page.path)
	}
	other := h.signedIn(rival)
	other.post(http.StatusConflict, "/wallet/activate", activationField, code).refused("activation_code_used", activationField)
	other.get(http.StatusNotFound, strings.TrimPrefix(page.path, Prefix)).refused("source_unknown", "")
	v.get(http.StatusOK, "/wallet").says("through 2027-03-12")
	v.get(http.StatusOK, "/movements?kind=voucher").says("+50.00 50.00 voucher")
	if rows := table(t, v.get(http.StatusOK, "/movements.csv?kind=deposit")); len(rows) != 1 {
		t.Errorf("deposits: %v", rows)
	}
	v.get(http.StatusUnprocessableEntity, "/movements?kind=theft").refused("movement_kind_unknown", "kind")
}

func TestGuessingCodesOnThePageEnds(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("acme", money.CNY))
	code := h.codes(1, money.CNY)[0]
	for range wallet.TriesPerAccount {
		v.post(http.StatusNotFound, "/wallet/activate", activationField, "0000000000000000")
	}
	v.post(http.StatusTooManyRequests, "/wallet/activate", activationField, code).refused("activation_too_many_tries", activationField)
	h.clock.Advance(wallet.TryWindow)
	v.post(http.StatusOK, "/wallet/activate", activationField, code).says("Voucher of 50.00 CNY")
}

// field is what a hidden field of the page holds.
func (a answer) field(name string) string {
	a.t.Helper()
	value, ok := a.Find("input[name=" + name + "]").Attr("value")
	if !ok {
		a.t.Errorf("%s has no field %s", a.path, name)
	}
	return value
}

func TestACardIsBoughtOnceAndAsItWasShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	h.spent(h.paidFor(a, "shop", "cn1"), "2026-03-10", 1_000_000) // owes 1.50
	v := h.signedIn(a)
	v.get(http.StatusConflict, "/wallet/cards/confirm?amount=100").refused("cash_too_low", "amount")
	h.recharged(a, "20001.5", noon)
	h.write(func(ctx context.Context, tx *store.Tx) error { // a debt that the recharge did not fill
		_, err := wallet.OpenDebt(ctx, tx, a, money.MustParse("40", money.CNY), noon)
		return err
	})
	for _, c := range []struct{ amount, code string }{
		{"0", "amount_not_positive"}, {"-100", "amount_not_positive"}, {"150", "card_face"}, {"99", "card_face"}, {"100.001", "malformed_amount"}, {"1e3", "malformed_amount"}, {"", "malformed_amount"},
		{"100000000", "amount_absurd"},
	} {
		v.get(http.StatusUnprocessableEntity, "/wallet/cards/confirm?amount="+c.amount).Find("main")
		v.get(http.StatusUnprocessableEntity, "/wallet/cards/confirm?amount="+c.amount).refused(c.code, "amount")
	}
	page := v.get(http.StatusOK, "/wallet/cards/confirm?amount=10000")
	page.says("Paid from cash 10,000.00 CNY 10,000.00 CNY of cash remains")
	page.says("Goes into arrears 40.00 CNY")
	page.says("On the card 9,960.00 CNY through 2029-03-12")
	page.says("Full-reduction voucher earned 1,000.00 CNY through 2027-03-12")
	form := []string{"amount", page.field("amount"), "terms", page.field("terms"), "reference", page.field("reference")}
	var paths sync.Map
	var clicks sync.WaitGroup
	for range 6 {
		clicks.Go(func() { paths.Store(v.post(http.StatusOK, "/wallet/cards", form...).path, true) })
	}
	clicks.Wait()
	n := 0
	paths.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("six clicks led to %d cards", n)
	}
	wallet := v.get(http.StatusOK, "/wallet")
	wallet.says("Cash 10,000.00 CNY")
	wallet.says("Cards 9,960.00 CNY")
	wallet.says("Full-reduction vouchers 1,000.00 CNY")
	v.get(http.StatusOK, "/movements?kind=card").says("−10,000.00 cash")

	page = v.get(http.StatusOK, "/wallet/cards/confirm?amount=200")
	form = []string{"amount", "200.00", "terms", page.field("terms"), "reference", page.field("reference")}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := walletDebt(ctx, tx, a)
		return err
	})
	v.post(http.StatusConflict, "/wallet/cards", form...).refused("card_quote_changed", "")
	v.post(http.StatusConflict, "/wallet/cards", "amount", "200", "terms", "200.00", "reference", "mine").refused("card_quote_changed", "")
	v.get(http.StatusOK, "/wallet").says("Cards 9,960.00 CNY")
}

func walletDebt(ctx context.Context, tx *store.Tx, a account.Billing) (wallet.Entry, error) {
	return wallet.OpenDebt(ctx, tx, a, money.MustParse("3", money.CNY), noon)
}

func TestCardsAreSoldWhereTheCatalogueSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	v := h.signedIn(h.payer("abroad", money.USD))
	if v.get(http.StatusOK, "/wallet").Find("a[href='"+cardsPath+"/new']").Length() != 0 {
		t.Error("a card is offered in dollars")
	}
	v.get(http.StatusUnprocessableEntity, "/wallet/cards/new").refused("cards_not_sold", "")
	v.get(http.StatusUnprocessableEntity, "/wallet/cards/confirm?amount=100").refused("cards_not_sold", "")
	v.post(http.StatusUnprocessableEntity, "/wallet/cards", "amount", "100", "terms", "", "reference", "ref_0123456789abcdefghijklmnopqrstuv").refused("cards_not_sold", "")
}

func TestTheWalletTellsTheOrderBeforeAndTheBillAfter(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	shop := h.paidFor(a, "shop", "cn1")
	h.recharged(a, "100", noon.AddDate(0, 0, -10))
	give := func(kind wallet.Payment, face, until string) wallet.Source {
		return h.gave(a, wallet.Grant{Payment: kind, Face: cny(face), ExpiresAt: period.MustParseDay(until).End(hangzhou), Origin: wallet.Given, Reason: "a welcome"})
	}
	late, soon, card := give(wallet.ByVoucher, "30", "2026-06-30"), give(wallet.ByVoucher, "1.2", "2026-04-30"), give(wallet.ByCard, "100", "2028-01-01")
	give(wallet.ByVoucher, "7", "2026-03-09") // has expired when the bills are made
	v := h.signedIn(a)
	page := v.get(http.StatusOK, "/wallet")
	page.says("Billing Center account for the bills made at 2026-03-13 00:00")
	order := squeezed(page.Find("ol").First().Text())
	for i, id := range []string{soon.ID, late.ID, card.ID} {
		at := strings.Index(order, id[:14])
		if at < 0 {
			t.Errorf("turn %d, %s, is not in the order %s", i, id, order)
			continue
		}
		order = order[at:]
	}
	if except := squeezed(page.Find("ol").Last().Text()); strings.Contains(except, soon.ID[:14]) || !strings.Contains(except, card.ID[:14]) {
		t.Errorf("for short messages: %s", except)
	}
	made := h.spent(shop, "2026-03-10", 2_345_678) // 3.51
	v.get(http.StatusOK, "/bills/"+made.ID).says("1.20 voucher " + soon.ID[:14])
	v.get(http.StatusOK, "/bills/"+made.ID).says("2.31 voucher " + late.ID[:14])
	v.get(http.StatusOK, "/wallet/"+late.ID).says("−2.31")
	v.get(http.StatusOK, "/wallet/"+late.ID).says("given by the operator: a welcome")
	v.get(http.StatusOK, "/wallet").says("If your next bill is like the last one, 3.51 CNY is paid like this. 3.51 voucher " + late.ID[:14])
	all := v.get(http.StatusOK, "/wallet?show=all")
	all.says("Used up")
	all.says("Expired")
	v.get(http.StatusOK, "/movements").says("−3.51")
}

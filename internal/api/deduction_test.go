package api_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// tillHouse is a service of the platform and a payer with cash.
type tillHouse struct {
	*house
	operator *client.Operator
	service  *client.Till
	key      client.MadeKey
	payer    account.Billing
}

func newTill(t *testing.T, s *store.Store, cash string) *tillHouse {
	t.Helper()
	x := &tillHouse{house: open(t, s)}
	x.operator, x.payer = x.asOperator(x.house.operator()), x.billing("payer", money.CNY)
	x.give(x.payer, cash)
	k, err := x.operator.MakeDeductionKey(t.Context(), "shop", "first")
	x.key = must(t, k, err)
	x.service = x.client.Till(x.key.Secret)
	return x
}

// give lets cash come in, as a bank transfer that the operator credits.
func (x *tillHouse) give(a account.Billing, amount string) {
	x.t.Helper()
	x.write(func(ctx context.Context, tx *store.Tx) error {
		sum := money.MustParse(amount, a.Currency)
		if sum.IsZero() {
			return nil
		}
		t, err := wallet.Declare(a, sum, "TG-1", noon)
		if err != nil {
			return err
		}
		if err := tx.InsertTransfer(ctx, t); err != nil {
			return err
		}
		_, err = wallet.CreditTransfer(ctx, tx, t.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
}

func (x *tillHouse) wants(amount, cause string) client.DeductionDraft {
	return client.DeductionDraft{AccountID: x.payer.ID, Amount: amount, Currency: "CNY", Cause: cause}
}

func (x *tillHouse) balance() client.Balance {
	x.t.Helper()
	b, err := x.asBilling(x.payer).Balance(x.t.Context())
	return must(x.t, b, err)
}

// sound checks the books.
func (x *tillHouse) sound() {
	x.t.Helper()
	if err := x.store.Read(x.t.Context(), func(tx *store.Tx) error {
		found, err := tx.Verify(x.t.Context(), catalog.Default())
		for _, f := range found {
			x.t.Error(f)
		}
		return err
	}); err != nil {
		x.t.Fatal(err)
	}
}

func TestADeductionIsTakenOnceForItsKey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTill(t, s, "10")
		first, err := x.service.Deduct(t.Context(), "order-1", x.wants("12.50", "Onboarding, order 1"))
		d := must(t, first, err)
		if d.Amount != (client.Amount{Amount: "12.50", Currency: "CNY"}) || d.Paid.Cash != "10.00" || d.Paid.Owed != "2.50" || d.Number != 2 {
			t.Errorf("taken: %+v", d)
		}
		again, err := x.service.Deduct(t.Context(), "order-1", x.wants("12.50", "Onboarding, order 1"))
		if must(t, again, err) != d {
			t.Errorf("again: %+v, first was %+v", again, d)
		}
		_, err = x.service.Deduct(t.Context(), "order-1", x.wants("12.51", "Onboarding, order 1"))
		refused(t, err, "deduction_key_reused")
		if b := x.balance(); b.Cash.Amount != "0.00" || b.Owed.Amount != "2.50" {
			t.Errorf("left: %+v", b)
		}
		list, err := x.asBilling(x.payer).Entries(t.Context(), client.Span{}, client.Page{})
		if e := must(t, list, err).Items[0]; e.Kind != "deduction" || e.Cause != "Onboarding, order 1" || len(e.Changes) != 2 {
			t.Errorf("income and expense says %+v", e)
		}
		x.sound()
	})
}

// TestDeductionsReadQuicklyAreAnsweredAsAllCalls sends each request twice: as
// plain JSON, and with an escape that only the way of all calls reads.
func TestDeductionsReadQuicklyAreAnsweredAsAllCalls(t *testing.T) {
	t.Parallel()
	x := newTill(t, storetest.SQLite(t), "10")
	plain := `"account_id":"` + x.payer.ID + `","amount":"1","currency":"CNY","cause":"a fee"`
	for _, sent := range []raw{
		{path: "/deductions", header: key("posted"), body: "{" + plain + "}"},
		{path: "/deductions", header: key("posted"), body: "{" + strings.ReplaceAll(plain, `"1"`, `"2"`) + "}"},
		{path: "/deductions", header: key("k"), body: "{" + strings.ReplaceAll(plain, `"1"`, `"-1"`) + "}"},
		{path: "/deductions", header: key("k"), body: "{" + strings.ReplaceAll(plain, `"1"`, `"1.001"`) + "}"},
		{path: "/deductions", header: key("k"), body: "{" + strings.ReplaceAll(plain, x.payer.ID, "bcac_nobody") + "}"},
		{path: "/deductions", header: key("k"), body: "{" + plain + `,"more":"m"}`},
		{path: "/deductions/batch", body: `{"deductions":[{"key":"b1",` + plain + `},{"key":"b1",` + strings.ReplaceAll(plain, `"1"`, `"2"`) + `},{"key":" ",` + plain + `}]}`},
		{path: "/deductions/batch", body: `{"deductions":[]}`},
	} {
		sent.method = "POST"
		for _, token := range []string{x.key.Secret, "tgak_none"} {
			x.send(client.Session{Token: token}, sent) // what is posted is replayed from here on
			quick := x.send(client.Session{Token: token}, sent)
			slow := sent
			slow.body = strings.Replace(sent.body, `"amount"`, `"\u0061mount"`, 1)
			slow.body = strings.Replace(slow.body, `"deductions"`, `"\u0064eductions"`, 1)
			usual := x.send(client.Session{Token: token}, slow)
			for _, a := range []*answer{&quick, &usual} {
				a.header.Del("Date")
			}
			if quick.status != usual.status || quick.body != usual.body || !reflect.DeepEqual(quick.header, usual.header) {
				t.Errorf("%s:\n%d %v %s\nas all calls:\n%d %v %s", sent.body, quick.status, quick.header, quick.body, usual.status, usual.header, usual.body)
			}
		}
	}
	x.sound()
}

func TestARepeatedDeductionSaysSo(t *testing.T) {
	t.Parallel()
	x := newTill(t, storetest.SQLite(t), "10")
	sent := raw{method: "POST", path: "/deductions", header: key("k"),
		body: fmt.Sprintf(`{"account_id":%q,"amount":"1","currency":"CNY","cause":"a fee"}`, x.payer.ID)}
	for _, want := range []string{"", "true"} {
		if a := x.send(client.Session{Token: x.key.Secret}, sent); a.status != 201 || a.header.Get("Idempotency-Replayed") != want {
			t.Errorf("%d %s, replayed %q", a.status, a.body, a.header.Get("Idempotency-Replayed"))
		}
	}
}

func TestADeductionIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	x := newTill(t, storetest.SQLite(t), "10")
	with := func(change func(*client.DeductionDraft)) client.DeductionDraft {
		w := x.wants("10.01", "a fee")
		change(&w)
		return w
	}
	for _, c := range []struct {
		draft client.DeductionDraft
		code  string
	}{
		{with(func(w *client.DeductionDraft) { w.Covered = true }), "deduction_not_covered"},
		{with(func(w *client.DeductionDraft) { w.AccountID = "bcac_none" }), "account_unknown"},
		{with(func(w *client.DeductionDraft) { w.Currency = "USD" }), "deduction_currency"},
		{with(func(w *client.DeductionDraft) { w.Currency = "BTC" }), "unknown_currency"},
		{with(func(w *client.DeductionDraft) { w.Amount = "0" }), "amount_not_positive"},
		{with(func(w *client.DeductionDraft) { w.Amount = "-1" }), "amount_not_positive"},
		{with(func(w *client.DeductionDraft) { w.Amount = "1.001" }), "malformed_amount"},
		{with(func(w *client.DeductionDraft) { w.Amount = "1e2" }), "malformed_amount"},
		{with(func(w *client.DeductionDraft) { w.Amount = "10000000.01" }), "amount_absurd"},
		{with(func(w *client.DeductionDraft) { w.Cause = " " }), "deduction_cause"},
		{with(func(w *client.DeductionDraft) { w.Cause = "a\nb" }), "deduction_cause"},
	} {
		_, err := x.service.Deduct(t.Context(), client.NewKey(), c.draft)
		refused(t, err, c.code)
	}
	if b := x.balance(); b.Cash.Amount != "10.00" || b.Owed.Amount != "0.00" {
		t.Errorf("something was moved: %+v", b)
	}
}

func TestOneOfManyDeductionsThatIsRefusedLeavesTheOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTill(t, s, "10")
		_, err := x.service.Deduct(t.Context(), "a", x.wants("1", "the first"))
		if err != nil {
			t.Fatal(err)
		}
		short := x.wants("100", "too much")
		short.Covered = true
		result, err := x.service.DeductMany(t.Context(), []client.KeyedDeductionDraft{
			{Key: "a", DeductionDraft: x.wants("1", "the first")},
			{Key: "b", DeductionDraft: x.wants("2", "the second")},
			{Key: "c", DeductionDraft: short},
			{Key: "b", DeductionDraft: x.wants("2", "the second")},
			{Key: "b", DeductionDraft: x.wants("3", "another")},
			{Key: "d e", DeductionDraft: x.wants("3", "a bad key")},
			{Key: "f", DeductionDraft: x.wants("4", "the last")},
		})
		var got []string
		for _, r := range must(t, result, err).Results {
			text := r.Key + " " + r.State
			if r.Problem != nil {
				text += " " + r.Problem.Code
			} else {
				text += fmt.Sprintf(" %d", r.Deduction.Number)
			}
			got = append(got, text)
		}
		want := "a replayed 2, b posted 3, c refused deduction_not_covered, b replayed 3, b refused deduction_key_reused, d e refused deduction_key_form, f posted 4"
		if strings.Join(got, ", ") != want {
			t.Errorf("results: %s\nwant:    %s", strings.Join(got, ", "), want)
		}
		if b := x.balance(); b.Cash.Amount != "3.00" {
			t.Errorf("left: %+v", b)
		}
		x.sound()
	})
}

func TestARevokedKeyTakesNothingFromTheInstantOn(t *testing.T) {
	t.Parallel()
	x := newTill(t, storetest.SQLite(t), "10")
	_, err := x.service.Deduct(t.Context(), "a", x.wants("1", "a fee"))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.operator.RevokeDeductionKey(t.Context(), "shop", x.key.ID); err != nil {
		t.Fatal(err)
	}
	_, err = x.service.Deduct(t.Context(), "b", x.wants("1", "a fee")) // within the second that the door remembers it
	refused(t, err, "key_invalid")
	_, err = x.service.Deduct(t.Context(), "a", x.wants("1", "a fee"))
	refused(t, err, "key_invalid")
	other, err := x.operator.MakeDeductionKey(t.Context(), "shop", "second")
	again, err2 := x.client.Till(must(t, other, err).Secret).Deduct(t.Context(), "a", x.wants("1", "a fee"))
	if must(t, again, err2).Number != 2 || x.balance().Cash.Amount != "9.00" {
		t.Errorf("the service's other key has other intentions: %+v", again)
	}
	x.sound()
}

func TestAVoucherPaysADeductionBeforeCash(t *testing.T) {
	t.Parallel()
	x := newTill(t, storetest.SQLite(t), "10")
	x.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.Assign(ctx, tx, x.payer, wallet.Assignment{
			Payment: wallet.ByVoucher, Amount: money.MustParse("3", money.CNY), Through: period.DayOf(noon, time.UTC).Add(30), Reason: "a gift",
		}, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
	d, err := x.service.Deduct(t.Context(), "a", x.wants("5", "a fee"))
	if p := must(t, d, err).Paid; p.Voucher != "3.00" || p.Cash != "2.00" {
		t.Errorf("paid by %+v", p)
	}
	x.sound()
}

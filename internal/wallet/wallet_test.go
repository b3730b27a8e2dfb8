package wallet

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func cny(s string) money.Amount { return money.MustParse(s, money.CNY) }

// purse is what a payer has before a bill.
func purse(ordinary, full, card, cash string) []Source {
	return []Source{
		{Payment: ByCash, Account: Cash("p"), Balance: cny(cash)},
		{Payment: ByCard, Account: Card("p", "c1"), Balance: cny(card)},
		{Payment: ByFullReduction, Account: FullReduction("p", "f1"), Balance: cny(full), ExpiresAt: noon.AddDate(1, 0, 0)},
		{Payment: ByVoucher, Account: Voucher("p", "v1"), Balance: cny(ordinary), ExpiresAt: noon.AddDate(1, 0, 0)},
	}
}

func text(parts []Part) string {
	var words []string
	for _, p := range parts {
		words = append(words, fmt.Sprintf("%s %s", p.Payment, p.Amount))
	}
	return strings.Join(words, ", ")
}

// TestDeductionOrder holds the vectors of domain section 10.2.
func TestDeductionOrder(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settlement site.Method
		sources    []Source
		due        Due
		want       string
	}{
		"W1":                             {site.BillingCenter, purse("30", "20", "25", "10"), Due{Amount: cny("100"), VoucherPayable: true}, "voucher 30.00, full_reduction 20.00, card 25.00, cash 10.00, owed 15.00"},
		"W2":                             {site.BillingCenter, purse("100", "50", "4", "3"), Due{Amount: cny("10"), VoucherPayable: false}, "card 4.00, cash 3.00, owed 3.00"},
		"W4":                             {site.Alibaba, purse("100", "0", "4", "500"), Due{Amount: cny("10"), VoucherPayable: false}, "card 4.00, cloud 6.00"},
		"W7":                             {site.BillingCenter, purse("0", "0", "0", "0"), Due{Amount: cny("1"), VoucherPayable: true}, "owed 1.00"},
		"cloud pays what vouchers leave": {site.AWS, purse("1", "2", "3", "500"), Due{Amount: cny("10"), VoucherPayable: true}, "voucher 1.00, full_reduction 2.00, card 3.00, cloud 4.00"},
		"nothing due":                    {site.BillingCenter, purse("1", "1", "1", "1"), Due{Amount: cny("0"), VoucherPayable: true}, ""},
		"one source is enough":           {site.BillingCenter, purse("1", "0", "0", "1"), Due{Amount: cny("1"), VoucherPayable: true}, "voucher 1.00"},
	} {
		parts, err := Deduct(Deduction{Settlement: c.settlement, Payer: "p", Currency: money.CNY, Sources: c.sources, At: noon}, []Due{c.due})
		if err != nil || text(parts[0]) != c.want {
			t.Errorf("%s: %s, %v, want %s", name, text(parts[0]), err, c.want)
		}
	}
}

func TestWithinAKindTheEarliestExpiryPaysFirst(t *testing.T) {
	t.Parallel()
	voucher := func(id string, days, age int) Source {
		s := Source{Payment: ByVoucher, Account: Voucher("p", id), Balance: cny("1"), Since: noon.AddDate(0, 0, -age)}
		if days != 0 {
			s.ExpiresAt = noon.AddDate(0, 0, days)
		}
		return s
	}
	sources := []Source{
		voucher("never", 0, 9), voucher("late", 30, 1), voucher("soon-young", 5, 1), voucher("soon-old", 5, 2), voucher("expired", -1, 3),
		{Payment: ByVoucher, Account: Voucher("p", "now"), Balance: cny("1"), ExpiresAt: noon},
	}
	parts, err := Deduct(Deduction{Settlement: site.BillingCenter, Payer: "p", Currency: money.CNY, Sources: sources, At: noon}, []Due{{Amount: cny("10"), VoucherPayable: true}})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, p := range parts[0] {
		order = append(order, string(p.Account))
	}
	want := "voucher:p:soon-old voucher:p:soon-young voucher:p:late voucher:p:never arrears:p"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("paid by %s, want %s", got, want)
	}
}

func drawSources(t *rapid.T) []Source {
	kinds := []Payment{ByVoucher, ByFullReduction, ByCard, ByCash}
	n := rapid.IntRange(0, 8).Draw(t, "sources")
	sources := make([]Source, n)
	for i := range sources {
		sources[i] = Source{
			Payment: rapid.SampledFrom(kinds).Draw(t, "kind"), Account: Card("p", fmt.Sprint(i)),
			Balance:   money.Of(rapid.Int64Range(-100, 5000).Draw(t, "balance"), money.CNY),
			ExpiresAt: rapid.SampledFrom([]time.Time{{}, noon.AddDate(0, 0, -1), noon.AddDate(0, 0, 1), noon.AddDate(0, 0, 2)}).Draw(t, "expiry"),
		}
	}
	return sources
}

func TestPartsSumToTheLineAndNeverOverdraw(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Deduction{
			Settlement: rapid.SampledFrom(site.Methods()).Draw(t, "method"),
			Payer:      "p", Currency: money.CNY, Sources: drawSources(t), At: noon,
		}
		lines := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Due {
			return Due{Amount: money.Of(rapid.Int64Range(0, 4000).Draw(t, "amount"), money.CNY), VoucherPayable: rapid.Bool().Draw(t, "voucher payable")}
		}), 0, 6).Draw(t, "lines")
		parts, err := Deduct(d, lines)
		if err != nil {
			t.Fatal(err)
		}
		used := map[Account]int64{}
		for i, line := range lines {
			sum := int64(0)
			for _, p := range parts[i] {
				if p.Amount.Sign() <= 0 {
					t.Fatalf("line %d has a part of %v", i, p)
				}
				if !line.VoucherPayable && (p.Payment == ByVoucher || p.Payment == ByFullReduction) {
					t.Fatalf("a voucher paid line %d", i)
				}
				if cloud := d.Settlement != site.BillingCenter; cloud && (p.Payment == ByCash || p.Payment == Owed) || !cloud && p.Payment == ByCloud {
					t.Fatalf("%s settlement was paid by %s", d.Settlement, p.Payment)
				}
				sum += p.Amount.Minor()
				used[p.Account] += p.Amount.Minor()
			}
			if sum != line.Amount.Minor() {
				t.Fatalf("line %d of %v was paid %d by %v", i, line.Amount, sum, parts[i])
			}
		}
		for _, s := range d.Sources {
			expired := !s.ExpiresAt.IsZero() && !noon.Before(s.ExpiresAt)
			if n := used[s.Account]; n > max(0, s.Balance.Minor()) || n > 0 && expired {
				t.Fatalf("%d were taken from %v", n, s)
			}
		}
		checkPostings(t, parts)
	})
}

// TestTheOrderThatIsShownIsTheOneThatPays compares what Order tells with what
// Deduct does with a line that is larger than everything.
func TestTheOrderThatIsShownIsTheOneThatPays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Deduction{Settlement: rapid.SampledFrom(site.Methods()).Draw(t, "method"), Payer: "p", Currency: money.CNY, Sources: drawSources(t), At: noon}
		payable := rapid.Bool().Draw(t, "voucher payable")
		turns, err := d.Order(payable)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := Deduct(d, []Due{{Amount: money.Of(1_000_000, money.CNY), VoucherPayable: payable}})
		if err != nil || len(parts[0]) != len(turns) {
			t.Fatalf("%d turns, paid by %v, %v", len(turns), parts, err)
		}
		for i, p := range parts[0] {
			last := i == len(turns)-1
			if p.Payment != turns[i].Payment || !last && (p.Account != turns[i].Source.Account || p.Amount != turns[i].Source.Balance) {
				t.Fatalf("turn %d is %+v, paid by %+v", i, turns[i], p)
			}
		}
		spent, err := d.Spend(parts)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := spent.Order(payable); err != nil || len(left) != 1 {
			t.Fatalf("after everything was spent %v pays, %v", left, err)
		}
	})
}

func checkPostings(t *rapid.T, parts [][]Part) {
	t.Helper()
	postings, err := Postings(parts, money.CNY)
	if err != nil {
		t.Fatal(err)
	}
	if len(postings) == 0 {
		return
	}
	m := Movement{Key: "k", Kind: Charge, Payer: "p", Postings: postings}
	if err := m.Balanced(); err != nil {
		t.Fatalf("%v: %v", postings, err)
	}
}

func TestChargeBelowZeroIsRefused(t *testing.T) {
	t.Parallel()
	d := Deduction{Settlement: site.BillingCenter, Payer: "p", Currency: money.CNY, At: noon}
	if _, err := Deduct(d, []Due{{Amount: cny("-0.01"), VoucherPayable: true}}); !errors.Is(err, ErrNothingDue) {
		t.Errorf("a negative line: %v", err)
	}
	d.Settlement = "barter"
	if _, err := Deduct(d, []Due{{Amount: cny("1"), VoucherPayable: true}}); !errors.Is(err, ErrMethodOfItem) {
		t.Errorf("an unknown method: %v", err)
	}
	d.Settlement, d.Sources = site.BillingCenter, []Source{{Payment: ByCash, Account: Cash("p"), Balance: money.Of(1, money.USD)}}
	if _, err := Deduct(d, []Due{{Amount: cny("1"), VoucherPayable: true}}); !errors.Is(err, money.ErrMixed) {
		t.Errorf("cash of another currency: %v", err)
	}
}

func TestEveryEntryMustBalance(t *testing.T) {
	t.Parallel()
	good := []Posting{{Cash("p"), cny("-1")}, {Revenue(money.CNY), cny("1")}}
	for name, c := range map[string]struct {
		m    Movement
		want error
	}{
		"balanced":        {Movement{Key: "k", Payer: "p", Postings: good}, nil},
		"off by a cent":   {Movement{Key: "k", Payer: "p", Postings: []Posting{{Cash("p"), cny("-1")}, {Revenue(money.CNY), cny("1.01")}}}, ErrUnbalanced},
		"two currencies":  {Movement{Key: "k", Payer: "p", Postings: []Posting{{Cash("p"), cny("-1")}, {Revenue(money.USD), money.Of(100, money.USD)}}}, ErrUnbalanced},
		"one posting":     {Movement{Key: "k", Payer: "p", Postings: good[:1]}, ErrUnbalanced},
		"posting of zero": {Movement{Key: "k", Payer: "p", Postings: append(good[:2:2], Posting{Arrears("p"), cny("0")})}, ErrUnbalanced},
		"another payer":   {Movement{Key: "k", Payer: "q", Postings: good}, ErrUnbalanced},
		"no key":          {Movement{Payer: "p", Postings: good}, ErrUnbalanced},
		"wraps around": {Movement{Key: "k", Payer: "p", Postings: []Posting{
			{Cash("p"), money.Of(1<<62, money.CNY)}, {Arrears("p"), money.Of(1<<62, money.CNY)},
			{Revenue(money.CNY), money.Of(1<<62, money.CNY)}, {Bank(money.CNY), money.Of(1<<62, money.CNY)},
		}}, ErrUnbalanced},
	} {
		if err := c.m.Balanced(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestIncomingMoneyFillsArrearsFirst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ amount, owed, want string }{
		{"100", "0", "cash:p 100.00, channel:bank:CNY -100.00"},
		{"100", "15", "arrears:p 15.00, cash:p 85.00, channel:bank:CNY -100.00"},
		{"15", "15", "arrears:p 15.00, channel:bank:CNY -15.00"},
		{"10", "15", "arrears:p 10.00, channel:bank:CNY -10.00"},
	} {
		in := Incoming{Key: "k", Cause: "c", Payer: "p", From: Bank(money.CNY), Amount: cny(c.amount)}
		m, err := in.movement(cny(c.owed))
		var words []string
		for _, p := range m.Postings {
			words = append(words, fmt.Sprintf("%s %s", p.Account, p.Amount))
		}
		if got := strings.Join(words, ", "); err != nil || got != c.want || m.Balanced() != nil {
			t.Errorf("%s into a debt of %s: %s, %v, want %s", c.amount, c.owed, got, err, c.want)
		}
	}
}

func TestAccountsKnowTheirPayerAndBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		account Account
		payer   string
		low     bool // may be below zero
		bounded bool
	}{
		{Cash("p"), "p", false, true}, {Voucher("p", "v"), "p", false, true}, {FullReduction("p", "f"), "p", false, true},
		{Card("p", "c"), "p", false, true}, {Arrears("p"), "p", true, true},
		{Revenue(money.CNY), "", false, false}, {Bank(money.CNY), "", false, false}, {Cloud(site.AWS, money.USD), "", false, false},
	} {
		low, high, bounded := c.account.Bounds()
		if c.account.Payer() != c.payer || bounded != c.bounded || (low < 0) != c.low || bounded && (high > 0) == c.low {
			t.Errorf("%s: of %q, from %d to %d, %v", c.account, c.account.Payer(), low, high, bounded)
		}
	}
}

func TestDeclaredTransferMustBeReal(t *testing.T) {
	t.Parallel()
	payer := account.Billing{ID: "p", Currency: money.CNY}
	for name, c := range map[string]struct {
		amount    money.Amount
		reference string
		want      error
	}{
		"nothing":          {cny("0"), "x", ErrNotPositive},
		"negative":         {cny("-1"), "x", ErrNotPositive},
		"absurd":           {cny("10000000.01"), "x", ErrAbsurd},
		"another currency": {money.Of(1, money.USD), "x", money.ErrCurrency},
		"no reference":     {cny("1"), "  ", ErrReference},
		"long reference":   {cny("1"), strings.Repeat("x", 129), ErrReference},
	} {
		if _, err := Declare(payer, c.amount, c.reference, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := Declare(payer, cny("-1"), "", noon); !errors.Is(err, ErrNotPositive) || !errors.Is(err, ErrReference) {
		t.Errorf("two mistakes are not both named: %v", err)
	}
}

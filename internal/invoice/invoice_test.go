package invoice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
)

var (
	noon  = time.Date(2026, 4, 10, 4, 0, 0, 0, time.UTC)
	today = period.MustParseDay("2026-04-10")
	acme  = account.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100MA27XXXX1A"}
)

func cny(minor int64) money.Amount { return money.Of(minor, money.CNY) }

// TestEveryMoveOfARequestIsOneOfTheTable tries every state against every
// other one.
func TestEveryMoveOfARequestIsOneOfTheTable(t *testing.T) {
	t.Parallel()
	allowed := map[State]string{Requested: "issued rejected withdrawn", Issued: "sent reversed", Sent: "reversed"}
	for _, from := range States() {
		before := Request{ID: "invc_1", State: from, Total: cny(100), Profile: Profile{Type: Electronic}, Address: Address{Email: "a@example.com"}}
		for _, to := range States() {
			var r Request
			var err error
			switch to {
			case Requested:
				continue // a request begins there, and nothing leads back
			case Issued:
				r, err = before.issue(Issuing{TaxNumber: "2633", TaxDay: today, Operator: "oper_1"}, attachment.File{}, noon, today)
			case Sent:
				r, err = before.send("", "oper_1", noon)
			case Reversed:
				r, err = before.reverse(Reversing{TaxNumber: "2634", TaxDay: today, Reason: "why", Operator: "oper_1"}, noon, today)
			default:
				r, err = before.closed(to, "x", "why", noon)
			}
			may := strings.Contains(allowed[from], string(to))
			switch {
			case may != from.May(to):
				t.Errorf("the table says %v for %s to %s", !may, from, to)
			case may && (err != nil || r.State != to):
				t.Errorf("%s to %s: %s, %v", from, to, r.State, err)
			case !may && (!errors.Is(err, ErrState) || r.State != from):
				t.Errorf("%s to %s: %s, %v", from, to, r.State, err)
			}
		}
		if from.Live() == (from == Rejected || from == Withdrawn || from == Reversed) {
			t.Errorf("%s holds its items: %v", from, from.Live())
		}
	}
}

func TestATaxInvoiceHasANumberAndADayThatWas(t *testing.T) {
	t.Parallel()
	r := Request{State: Requested, Total: cny(100)}
	for name, c := range map[string]struct {
		number, day string
		want        error
	}{
		"as it should be": {"26332000000012345678", "2026-04-10", nil},
		"small letters":   {" fp-26a ", "2026-01-01", nil},
		"no number":       {"  ", "2026-04-10", ErrTaxNumber},
		"too long":        {strings.Repeat("1", 65), "2026-04-10", ErrTaxNumber},
		"with markup":     {"<b>1</b>", "2026-04-10", ErrTaxNumber},
		"tomorrow":        {"1", "2026-04-11", ErrTaxDay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next, err := r.issue(Issuing{TaxNumber: c.number, TaxDay: period.MustParseDay(c.day)}, attachment.File{}, noon, today)
			if !errors.Is(err, c.want) || err == nil && next.TaxNumber != strings.ToUpper(strings.TrimSpace(c.number)) {
				t.Errorf("%+v, %v", next, err)
			}
		})
	}
	if _, err := r.issue(Issuing{TaxNumber: "1"}, attachment.File{}, noon, today); !errors.Is(err, ErrTaxDay) {
		t.Errorf("without a day: %v", err)
	}
}

func TestAnInvoiceGoesOutAsItsTypeSays(t *testing.T) {
	t.Parallel()
	to := Address{Email: "finance@acme.example"}
	for name, c := range map[string]struct {
		of             Type
		delivery, kept string
		want           error
	}{
		"by mail to its address": {Electronic, "", "finance@acme.example", nil},
		"by mail to another one": {Electronic, "Boss@Acme.example", "boss@acme.example", nil},
		"by mail to nobody":      {Electronic, "boss", "", account.ErrEmailForm},
		"by post":                {Special, " SF 123 ", "SF 123", nil},
		"by post, untracked":     {Ordinary, " ", "", ErrTracking},
		"by post, without end":   {Ordinary, strings.Repeat("x", 129), "", ErrTracking},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Request{State: Issued, Profile: Profile{Type: c.of}, Address: to}.send(c.delivery, "oper_1", noon)
			if !errors.Is(err, c.want) || r.Delivery != c.kept {
				t.Errorf("%q, %v", r.Delivery, err)
			}
		})
	}
}

func TestAProfileNeedsWhatItsTypeNeeds(t *testing.T) {
	t.Parallel()
	whole := Profile{
		Type: Special, Title: "Acme Ltd", TaxNumber: "91330100ma27xxxx1a", Bank: "Example Bank", BankAccount: "6222 0000 1111",
		RegisteredAddress: "1 Example Road", RegisteredPhone: "+86 571 0000",
	}
	for name, c := range map[string]struct {
		change func(p *Profile)
		want   error
	}{
		"special, whole":            {func(*Profile) {}, nil},
		"special, no bank":          {func(p *Profile) { p.Bank = " " }, ErrBank},
		"special, no bank account":  {func(p *Profile) { p.BankAccount = "" }, ErrBankAccount},
		"special, no address":       {func(p *Profile) { p.RegisteredAddress = "" }, ErrRegistered},
		"special, no phone":         {func(p *Profile) { p.RegisteredPhone = "" }, ErrRegisteredCall},
		"ordinary, bare":            {func(p *Profile) { *p = Profile{Type: Ordinary, Title: p.Title, TaxNumber: p.TaxNumber} }, nil},
		"electronic, bare":          {func(p *Profile) { *p = Profile{Type: Electronic, Title: p.Title, TaxNumber: p.TaxNumber} }, nil},
		"ordinary, no number":       {func(p *Profile) { p.Type, p.TaxNumber = Ordinary, "" }, account.ErrTaxpayerID},
		"ordinary, a phone of text": {func(p *Profile) { p.Type, p.RegisteredPhone = Ordinary, "call me" }, ErrRegisteredCall},
		"ordinary, an odd account":  {func(p *Profile) { p.Type, p.BankAccount = Ordinary, "<6222>" }, ErrBankAccount},
		"another title":             {func(p *Profile) { p.Title = "Acme Limited" }, ErrTitleCertified},
		"an unknown type":           {func(p *Profile) { p.Type = "pink" }, ErrType},
		"a bank without end":        {func(p *Profile) { p.Bank = strings.Repeat("x", 129) }, ErrBank},
		"a hidden character":        {func(p *Profile) { p.Bank = "a\x00b" }, ErrBank},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := whole
			c.change(&p)
			kept, err := p.Normal(acme)
			if !errors.Is(err, c.want) || err == nil && kept.TaxNumber != "91330100MA27XXXX1A" {
				t.Errorf("%+v, %v", kept, err)
			}
		})
	}
	if _, err := whole.Normal(account.Enterprise{}); !errors.Is(err, account.ErrNotCertified) {
		t.Errorf("of an account that is not certified: %v", err)
	}
}

func TestAnAddressLeadsSomewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typed Address
		want  error
		paper error
		mail  error
	}{
		"mail":               {Address{Recipient: "Mei", Email: " Mei@Acme.example "}, nil, ErrAddressPost, nil},
		"post":               {Address{Recipient: "Mei", Phone: "138-0000-0000", Postal: "1 Example Road"}, nil, nil, ErrAddressEmail},
		"both":               {Address{Recipient: "Mei", Phone: "13800000000", Postal: "1 Example Road", Email: "a@b.example"}, nil, nil, nil},
		"nobody":             {Address{Email: "a@b.example"}, ErrRecipient, nil, nil},
		"nowhere":            {Address{Recipient: "Mei", Phone: "13800000000"}, ErrNowhere, nil, nil},
		"post without phone": {Address{Recipient: "Mei", Postal: "1 Example Road"}, ErrPostal, nil, nil},
		"no address at all":  {Address{Recipient: "Mei", Email: "mei"}, account.ErrEmailForm, nil, nil},
		"a phone of text":    {Address{Recipient: "Mei", Email: "a@b.example", Phone: "call me"}, account.ErrPhoneForm, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, err := c.typed.Normal()
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v", a, err)
			}
			if err == nil && (!errors.Is(a.Takes(Special), c.paper) || !errors.Is(a.Takes(Electronic), c.mail)) {
				t.Errorf("takes paper: %v, mail: %v", a.Takes(Special), a.Takes(Electronic))
			}
		})
	}
}

func TestArrearsAreRepaidInTheirOrder(t *testing.T) {
	t.Parallel()
	repaid, err := Repay([]Debt{
		{StatementID: "a", Amount: cny(-100)}, {StatementID: "b", Amount: cny(-50)}, {StatementID: "a", Amount: cny(-30)},
		{InCash: true, Amount: cny(120)}, {Amount: cny(10)}, {StatementID: "", Amount: cny(-5)}, {InCash: true, Amount: cny(25)},
	})
	if err != nil || repaid["a"] != (Repayment{cny(105), cny(0)}) || repaid["b"] != (Repayment{cny(40), cny(10)}) || len(repaid) != 2 {
		t.Errorf("%+v, %v", repaid, err)
	}
}

// TestNoMoreIsRepaidThanWasOwedOrPaid is what keeps an invoice from being made
// out for more than was paid.
func TestNoMoreIsRepaidThanWasOwedOrPaid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var debts []Debt
		owed, cash, other, open := map[string]int64{}, int64(0), int64(0), int64(0)
		for range rapid.IntRange(0, 20).Draw(t, "changes") {
			minor := rapid.Int64Range(1, 1000).Draw(t, "minor")
			if rapid.Bool().Draw(t, "grows") || open == 0 {
				id := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "statement")
				debts = append(debts, Debt{StatementID: id, Amount: cny(-minor)})
				owed[id], open = owed[id]+minor, open+minor
				continue
			}
			minor = min(minor, open) // the ledger fills no more than is owed
			d := Debt{InCash: rapid.Bool().Draw(t, "cash"), Amount: cny(minor)}
			if open -= minor; d.InCash {
				cash += minor
			} else {
				other += minor
			}
			debts = append(debts, d)
		}
		repaid, err := Repay(debts)
		if err != nil {
			t.Fatal(err)
		}
		var inCash, otherwise int64
		for id, r := range repaid {
			if r.InCash.Sign() < 0 || r.Otherwise.Sign() < 0 || r.InCash.Minor()+r.Otherwise.Minor() > owed[id] {
				t.Fatalf("of %d owed on %s %s and %s were repaid", owed[id], id, r.InCash, r.Otherwise)
			}
			inCash, otherwise = inCash+r.InCash.Minor(), otherwise+r.Otherwise.Minor()
		}
		if inCash != cash || otherwise != other {
			t.Fatalf("%d and %d came in, %d and %d were repaid", cash, other, inCash, otherwise)
		}
	})
}

// TestThePartsOfAnItemSumToIt holds for every way in which a month can have
// been paid.
func TestThePartsOfAnItemSumToIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := func(name string) money.Amount { return cny(rapid.Int64Range(0, 1000).Draw(t, name)) }
		paid := bill.Paid{Voucher: part("voucher"), FullReduction: part("reduction"), Card: part("card"), Cash: part("cash"), Cloud: part("cloud"), Owed: part("owed")}
		total, err := paid.Sum()
		if err != nil {
			t.Fatal(err)
		}
		r := Repayment{InCash: cny(rapid.Int64Range(0, paid.Owed.Minor()).Draw(t, "repaid")), Otherwise: cny(0)}
		r.Otherwise = cny(rapid.Int64Range(0, paid.Owed.Minor()-r.InCash.Minor()).Draw(t, "otherwise"))
		i := Item{Kind: Month, ID: "stmt_1", Total: total, Cash: paid.Cash, Repaid: cny(0), At: noon}
		i.rest(paid)
		if err := i.debt(paid.Owed, r); err != nil {
			t.Fatal(err)
		}
		sum, err := i.Amount()
		if err != nil {
			t.Fatal(err)
		}
		if i.Free() != (sum.Sign() > 0) {
			t.Fatalf("free: %v with %s", i.Free(), sum)
		}
		for _, rest := range i.Rest {
			if sum, err = sum.Add(rest.Amount); err != nil || rest.Amount.Sign() <= 0 {
				t.Fatal(rest, err)
			}
		}
		if sum != total {
			t.Fatalf("the parts sum to %s of %s: %+v", sum, total, i)
		}
	})
}

func TestARequestThatDoesNotSumIsFound(t *testing.T) {
	t.Parallel()
	line := func(cash, repaid, amount int64) Line {
		return Line{Kind: Month, ItemID: "stmt_1", Label: "ST-1", Total: cny(900), Cash: cny(cash), Repaid: cny(repaid), Amount: cny(amount)}
	}
	for name, c := range map[string]struct {
		total int64
		lines []Line
		sound bool
	}{
		"sound":           {300, []Line{line(100, 0, 100), line(150, 50, 200)}, true},
		"another total":   {301, []Line{line(100, 0, 100), line(150, 50, 200)}, false},
		"another line":    {300, []Line{line(100, 1, 100), line(150, 50, 200)}, false},
		"below zero":      {50, []Line{line(-50, 100, 50)}, false},
		"a line of zero":  {0, []Line{line(0, 0, 0)}, false},
		"without a line":  {0, nil, false},
		"another balance": {300, []Line{line(100, 0, 100), {Cash: money.Of(200, money.USD), Repaid: cny(0), Amount: cny(200)}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := (Request{Total: cny(c.total), Lines: c.lines}).Sums(); (err == nil) != c.sound {
				t.Errorf("%v", err)
			}
		})
	}
	paid := bill.NoPaid(money.CNY)
	paid.Cash, paid.Owed = cny(100), cny(40)
	of := func(s statement.Statement, err error) func(string) (statement.Statement, error) {
		return func(string) (statement.Statement, error) { return s, err }
	}
	s := statement.Statement{ID: "stmt_1", Number: "ST-1", Payer: "bcac_1", Total: cny(900), Paid: paid}
	r := Request{ID: "invc_1", AccountID: "bcac_1", Total: cny(140), Lines: []Line{line(100, 40, 140)}}
	if found := r.Check(of(s, nil)); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	rival, late := s, s
	rival.Payer, late.Paid.Owed = "bcac_2", cny(39)
	for name, found := range map[string]int{
		"of another account": len(r.Check(of(rival, nil))), "not there": len(r.Check(of(s, statement.ErrUnknown))),
		"more than was owed": len(r.Check(of(late, nil))),
	} {
		if found != 1 {
			t.Errorf("%s: %d findings", name, found)
		}
	}
}

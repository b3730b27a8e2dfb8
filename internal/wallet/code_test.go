package wallet

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

func TestACodeIsReadHoweverItIsTyped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := newCode()
		if len(code) != codeLength || strings.ContainsAny(code, "ILOU") {
			t.Fatalf("made %q", code)
		}
		var b strings.Builder
		for _, r := range shown(code) {
			switch rapid.IntRange(0, 5).Draw(t, "style") {
			case 0:
				r = rune(strings.ToLower(string(r))[0])
			case 1:
				b.WriteString(rapid.SampledFrom([]string{" ", "\t", "-", "–", "　"}).Draw(t, "between"))
			case 2:
				if r > ' ' && r < 0x7f {
					r += '！' - '!'
				}
			case 3:
				if alike, ok := map[rune]rune{'0': 'o', '1': 'l'}[r]; ok {
					r = alike
				}
			}
			b.WriteRune(r)
		}
		if len(b.String()) > longestTyped {
			return
		}
		if got, ok := typed(b.String()); !ok || got != code {
			t.Fatalf("%q was read as %q, %v; it is %q", b.String(), got, ok, code)
		}
	})
}

func TestOneSlipIsAlwaysNoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := []byte(newCode())
		i, j := rapid.IntRange(0, codeLength-1).Draw(t, "place"), rapid.IntRange(0, codeLength-1).Draw(t, "other place")
		slip := string(code)
		if rapid.Bool().Draw(t, "swapped") {
			swapped := []byte(slip)
			swapped[i], swapped[j] = swapped[j], swapped[i]
			slip = string(swapped)
		} else {
			slip = slip[:i] + string(rapid.SampledFrom([]byte(codeLetters)).Draw(t, "letter")) + slip[i+1:]
		}
		if _, ok := typed(slip); ok != (slip == string(code)) {
			t.Fatalf("%s for %s: %v", slip, code, ok)
		}
	})
}

func TestWhatIsNoCodeIsToldApart(t *testing.T) {
	t.Parallel()
	code := newCode()
	for _, text := range []string{
		"", " ", "-", code[:15], code + "0", "U" + code[1:], code[:8] + "\x00" + code[9:], strings.Repeat("0", 1000), "' OR 1=1 --",
		"激活码", "\xff\xfe", shown(code) + strings.Repeat(" ", 100),
	} {
		if got, ok := typed(text); ok {
			t.Errorf("%q was read as %s", text, got)
		}
	}
}

func TestAHashNeedsTheInstallationsKey(t *testing.T) {
	t.Parallel()
	if a, b := hashed([]byte("one"), "CODE"), hashed([]byte("two"), "CODE"); a == b || len(a) != 64 || a != hashed([]byte("one"), "CODE") {
		t.Errorf("%s and %s", a, b)
	}
}

func batchOf(change func(*Batch)) Batch {
	b := Batch{Payment: ByVoucher, Face: cny("50"), Size: 10, RedeemBy: period.MustParseDay("2026-12-31"), Holds: Validity{Days: 90}}
	if change != nil {
		change(&b)
	}
	return b
}

func TestABatchMustMakeSense(t *testing.T) {
	t.Parallel()
	day := period.MustParseDay
	for name, c := range map[string]struct {
		change func(*Batch)
		want   error
		field  string
	}{
		"good":              {nil, nil, ""},
		"no end of codes":   {func(b *Batch) { b.RedeemBy = period.Day{} }, nil, ""},
		"card without end":  {func(b *Batch) { b.Payment, b.Face, b.Holds = ByCard, cny("200"), Validity{} }, nil, ""},
		"until a day":       {func(b *Batch) { b.Holds = Validity{Until: day("2026-12-31")} }, nil, ""},
		"kind":              {func(b *Batch) { b.Payment = ByCash }, ErrBatchKind, "kind"},
		"nothing":           {func(b *Batch) { b.Face = cny("0") }, ErrNotPositive, "amount"},
		"absurd":            {func(b *Batch) { b.Face = money.Of(MostAmount+1, money.CNY) }, ErrAbsurd, "amount"},
		"odd card":          {func(b *Batch) { b.Payment, b.Face = ByCard, cny("150") }, ErrCardFace, "amount"},
		"no codes":          {func(b *Batch) { b.Size = 0 }, ErrBatchSize, "size"},
		"many codes":        {func(b *Batch) { b.Size = MostCodes + 1 }, ErrBatchSize, "size"},
		"no validity":       {func(b *Batch) { b.Holds = Validity{} }, ErrBatchValidity, "days"},
		"two validities":    {func(b *Batch) { b.Holds.Until = day("2027-01-01") }, ErrBatchValidity, "days"},
		"negative validity": {func(b *Batch) { b.Holds.Days = -1 }, ErrBatchValidity, "days"},
		"endless validity":  {func(b *Batch) { b.Holds.Days = mostDays + 1 }, ErrBatchValidity, "days"},
		"ended codes":       {func(b *Batch) { b.RedeemBy = day("2026-02-28") }, ErrExpiryPast, "redeem_by"},
		"ended vouchers":    {func(b *Batch) { b.Holds = Validity{Until: day("2026-02-28")} }, ErrExpiryPast, "until"},
		"dead on arrival":   {func(b *Batch) { b.Holds = Validity{Until: day("2026-12-30")} }, ErrBatchOutlived, "redeem_by"},
		"long note":         {func(b *Batch) { b.Note = strings.Repeat("好", 257) }, ErrBatchNote, "note"},
	} {
		err := batchOf(c.change).check(noon)
		if !errors.Is(err, c.want) || c.want != nil && fault.From(err).Field != c.field {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestValidityCountsDaysOfTheBillingCenter(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, 3, 1, 17, 0, 0, 0, time.UTC) // March 2 in China
	for _, c := range []struct {
		v        Validity
		currency money.Currency
		want     string
	}{
		{Validity{Days: 1}, money.CNY, "2026-03-03T16:00:00Z"},
		{Validity{Days: 1}, money.USD, "2026-03-03T00:00:00Z"},
		{Validity{Until: period.MustParseDay("2026-03-31")}, money.CNY, "2026-03-31T16:00:00Z"},
	} {
		if got := c.v.Ends(late, Zone(c.currency)).UTC().Format(time.RFC3339); got != c.want {
			t.Errorf("%+v in %s ends %s, want %s", c.v, c.currency, got, c.want)
		}
	}
	if !(Validity{}).Ends(late, time.UTC).IsZero() {
		t.Error("no validity has an end")
	}
}

func TestAnExpiryIsExact(t *testing.T) {
	t.Parallel()
	s := Source{Payment: ByVoucher, Account: Voucher("p", "v"), Balance: cny("1"), ExpiresAt: noon}
	for _, c := range []struct {
		at    time.Time
		state SourceState
	}{{noon.Add(-time.Nanosecond), Usable}, {noon, Expired}, {noon.Add(time.Nanosecond), Expired}} {
		parts, err := Deduct(Deduction{Settlement: "billing_center", Payer: "p", Currency: money.CNY, Sources: []Source{s}, At: c.at}, []Due{{Amount: cny("1"), VoucherPayable: true}})
		if err != nil || s.State(c.at) != c.state || (parts[0][0].Payment == ByVoucher) != (c.state == Usable) {
			t.Errorf("%s: %s pays %v, %v", c.at, s.State(c.at), parts, err)
		}
	}
	s.ExpiresAt = time.Time{}
	if s.State(noon.AddDate(100, 0, 0)) != Usable {
		t.Error("what never ends has ended")
	}
	s.Balance = cny("0")
	if s.State(noon) != UsedUp {
		t.Error("an empty voucher is usable")
	}
	s.EndedAt = noon
	if s.State(noon) != Ended {
		t.Error("what was taken back has not ended")
	}
}

package money

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/quantity"
)

func minors() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64Range(math.MinInt64+1, math.MaxInt64),
		rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64 + 1, math.MaxInt64 - 1, 1 << 62, -1 << 62}),
	)
}

func inRange(n *big.Int) bool { return n.IsInt64() && n.Int64() != math.MinInt64 }

func TestSumsAreExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := minors().Draw(t, "a"), minors().Draw(t, "b")
		sum, err := Of(a, CNY).Add(Of(b, CNY))
		want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		checkSum(t, sum, err, want)
		difference, err := Of(a, CNY).Sub(Of(b, CNY))
		checkSum(t, difference, err, new(big.Int).Sub(big.NewInt(a), big.NewInt(b)))
		if n := Of(a, CNY).Neg(); n.Minor() != -a || n.Sign() != -Of(a, CNY).Sign() {
			t.Fatalf("the negative of %d is %d", a, n.Minor())
		}
	})
}

func checkSum(t *rapid.T, got Amount, err error, want *big.Int) {
	t.Helper()
	switch {
	case !inRange(want):
		if !errors.Is(err, ErrOverflow) {
			t.Fatalf("%s does not fit and gave %v, %v", want, got, err)
		}
	case err != nil || got.Minor() != want.Int64() || got.Currency() != CNY:
		t.Fatalf("got %v %s, %v, want %s", got, got.Currency(), err, want)
	}
}

func TestTwoCurrenciesNeverMeet(t *testing.T) {
	t.Parallel()
	if _, err := Of(1, CNY).Add(Of(1, USD)); !errors.Is(err, ErrMixed) {
		t.Errorf("adding: %v", err)
	}
	if _, err := Of(1, CNY).Sub(Of(1, USD)); !errors.Is(err, ErrMixed) {
		t.Errorf("subtracting: %v", err)
	}
	if _, err := Of(1, CNY).Cmp(Of(1, USD)); !errors.Is(err, ErrMixed) {
		t.Errorf("comparing: %v", err)
	}
	if _, err := Sum(CNY, Of(1, CNY), Of(1, USD)); !errors.Is(err, ErrMixed) {
		t.Errorf("a sum: %v", err)
	}
	var zero Amount
	if a, err := zero.Add(Of(3, USD)); err != nil || a != Of(3, USD) {
		t.Errorf("the zero value joins any currency: %v, %v", a, err)
	}
	if a, err := Of(3, USD).Add(zero); err != nil || a != Of(3, USD) {
		t.Errorf("any currency joins the zero value: %v, %v", a, err)
	}
}

func TestTextComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := Of(minors().Draw(t, "minor"), USD)
		if b, err := Parse(a.String(), USD); err != nil || a != b {
			t.Fatalf("%s came back as %s, %v", a, b, err)
		}
	})
}

func TestParseTakesPlainAmountsOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"0": "0.00", "12.5": "12.50", "-3": "-3.00", "+1.20": "1.20", "1.200": "1.20", "92233720368547758.07": "92233720368547758.07"} {
		if a, err := Parse(text, CNY); err != nil || a.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, a, err, want)
		}
	}
	for text, want := range map[string]error{
		"": ErrMalformed, "1.234": ErrMalformed, "1e3": ErrMalformed, "1,5": ErrMalformed, "CNY 1": ErrMalformed, "0.001": ErrMalformed,
		"92233720368547758.08": ErrOverflow, "-92233720368547758.08": ErrOverflow, "9999999999999999999": ErrOverflow,
	} {
		if a, err := Parse(text, CNY); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v, want %v", text, a, err, want)
		}
	}
	if _, err := ParseCurrency("EUR"); !errors.Is(err, ErrCurrency) {
		t.Errorf("EUR: %v", err)
	}
}

// halfUp rounds a decimal text to minor units with big numbers: the absolute
// value times 100, plus a half, cut, with the sign back.
func halfUp(text string) *big.Int {
	r, _ := new(big.Rat).SetString(text)
	negative := r.Sign() < 0
	r.Abs(r).Mul(r, big.NewRat(100, 1)).Add(r, big.NewRat(1, 2))
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if negative {
		n.Neg(n)
	}
	return n
}

func TestRoundingIsHalfUpAwayFromZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var exact quantity.Decimal
		if rapid.Bool().Draw(t, "nineteen digits") {
			digits := rapid.StringMatching(`-?[1-9][0-9]{18}`).Draw(t, "digits")
			at := len(digits) - rapid.IntRange(1, 18).Draw(t, "scale")
			exact = quantity.MustParse(digits[:at] + "." + digits[at:])
		} else {
			exact = quantity.Scaled(rapid.Int64().Draw(t, "n"), rapid.IntRange(0, 19).Draw(t, "scale"))
		}
		got, err := RoundHalfUp(exact, CNY)
		want := halfUp(exact.String())
		switch {
		case !inRange(want):
			if !errors.Is(err, ErrOverflow) {
				t.Fatalf("%s does not fit and gave %v, %v", exact, got, err)
			}
		case err != nil || got.Minor() != want.Int64():
			t.Fatalf("%s rounds to %d, %v, want %s", exact, got.Minor(), err, want)
		}
	})
	for text, want := range map[string]string{"0.004": "0.00", "0.005": "0.01", "-0.005": "-0.01", "1.234999": "1.23", "1.235": "1.24", "0.0000000000000000009": "0.00"} {
		if a, err := RoundHalfUp(quantity.MustParse(text), CNY); err != nil || a.String() != want {
			t.Errorf("%s rounds to %v, %v, want %s", text, a, err, want)
		}
	}
}

func TestSplitKeepsEveryUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := Of(minors().Draw(t, "minor"), CNY)
		weights := rapid.SliceOfN(rapid.OneOf(rapid.Uint32(), rapid.Uint32Range(0, 3)), 0, 12).Draw(t, "weights")
		shares, err := Split(a, weights)
		total := new(big.Int)
		for _, w := range weights {
			total.Add(total, big.NewInt(int64(w)))
		}
		if total.Sign() == 0 {
			if !errors.Is(err, ErrShares) {
				t.Fatalf("split by nothing: %v, %v", shares, err)
			}
			return
		}
		sum, sumErr := Sum(CNY, shares...)
		if err != nil || sumErr != nil || sum != a {
			t.Fatalf("%s split by %v is %v, which sums to %v (%v, %v)", a, weights, shares, sum, err, sumErr)
		}
		for i, w := range weights {
			part := new(big.Int).Quo(new(big.Int).Mul(big.NewInt(a.Minor()), big.NewInt(int64(w))), total)
			off := new(big.Int).Abs(new(big.Int).Sub(big.NewInt(shares[i].Minor()), part))
			if off.Cmp(big.NewInt(1)) > 0 || w == 0 && !shares[i].IsZero() {
				t.Fatalf("share %d of %s by %v is %v, its exact part %s", i, a, weights, shares[i], part)
			}
		}
	})
}

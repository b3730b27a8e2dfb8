package quantity

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func rat(d Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.String())
	if !ok {
		panic("no number: " + d.String())
	}
	return r
}

// decimals draws numbers of every length up to the 19-digit border.
func decimals(t *rapid.T, label string) Decimal {
	n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.SampledFrom([]int64{0, 1<<63 - 1, -1 << 63, 1e18, -1e18})).Draw(t, label)
	return Scaled(n, rapid.IntRange(0, 19).Draw(t, label+" scale"))
}

// borders are numbers of 19 digits that do not fit 63 bits.
func borders(t *rapid.T, label string) Decimal {
	digits := rapid.StringMatching(`-?9[2-9][0-9]{17}`).Draw(t, label)
	scale := rapid.IntRange(0, 18).Draw(t, label+" scale")
	at := len(digits) - scale
	if scale == 0 {
		return MustParse(digits)
	}
	return MustParse(digits[:at] + "." + digits[at:])
}

func either(t *rapid.T, label string) Decimal {
	if rapid.Bool().Draw(t, label+" at the border") {
		return borders(t, label)
	}
	return decimals(t, label)
}

// fits reports whether a rational has at most 19 digits and 19 decimals.
func fits(r *big.Rat) bool {
	text := strings.TrimPrefix(r.FloatString(80), "-")
	whole, fraction, _ := strings.Cut(text, ".")
	fraction = strings.TrimRight(fraction, "0")
	return len(fraction) <= 19 && len(strings.TrimLeft(whole+fraction, "0")) <= 19
}

func TestArithmeticIsExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := either(t, "a"), either(t, "b")
		for name, op := range map[string]struct {
			got  func() (Decimal, error)
			want *big.Rat
		}{
			"+": {func() (Decimal, error) { return a.Add(b) }, new(big.Rat).Add(rat(a), rat(b))},
			"-": {func() (Decimal, error) { return a.Sub(b) }, new(big.Rat).Sub(rat(a), rat(b))},
			"*": {func() (Decimal, error) { return a.Mul(b) }, new(big.Rat).Mul(rat(a), rat(b))},
		} {
			got, err := op.got()
			if err != nil {
				if !errors.Is(err, ErrTooLarge) {
					t.Fatalf("%s %s %s: %v", a, name, b, err)
				}
				continue
			}
			if rat(got).Cmp(op.want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", a, name, b, got, op.want)
			}
		}
		if a.Cmp(b) != rat(a).Cmp(rat(b)) {
			t.Fatalf("%s and %s compare as %d", a, b, a.Cmp(b))
		}
	})
}

func TestDivisionByPowersOfTenIsRefusedOnlyWhenItDoesNotFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, n := either(t, "a"), rapid.IntRange(0, 38).Draw(t, "n")
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
		want := new(big.Rat).Quo(rat(a), new(big.Rat).SetInt(power))
		got, err := a.DivPowerOfTen(n)
		switch {
		case err != nil && !errors.Is(err, ErrTooLarge):
			t.Fatal(err)
		case (err == nil) != fits(want):
			t.Fatalf("%s / 10^%d: %v, and it fits: %v", a, n, err, fits(want))
		case err == nil && rat(got).Cmp(want) != 0:
			t.Fatalf("%s / 10^%d = %s", a, n, got)
		}
	})
}

func TestDivisionAtTheBorder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a    string
		n    int
		want string
	}{
		{"9999999999999999999", 0, "9999999999999999999"},
		{"9999999999999999999", 19, "0.9999999999999999999"},
		{"-9223372036854775809", 6, "-9223372036854.775809"},
		{"9999999999999999999", 20, ""},
		{"9999999999999999990", 20, "0.0999999999999999999"},
		{"1000", 22, "0.0000000000000000001"},
		{"1", 20, ""},
		{"1", -1, ""},
		{"0", 38, "0"},
		{"0.0000000000000000001", 1, ""},
		{"0.10", 1, "0.01"},
	} {
		got, err := MustParse(c.a).DivPowerOfTen(c.n)
		if c.want == "" {
			if !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s / 10^%d = %v, %v, want %v", c.a, c.n, got, err, ErrTooLarge)
			}
			continue
		}
		if err != nil || got.Plain() != c.want {
			t.Errorf("%s / 10^%d = %v, %v, want %s", c.a, c.n, got, err, c.want)
		}
	}
}

func TestTruncationGoesTowardsZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, n := either(t, "a"), rapid.IntRange(0, 19).Draw(t, "decimals")
		cut := rat(a.Truncate(n))
		rest := new(big.Rat).Sub(rat(a), cut)
		unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
		if rest.Sign()*rat(a).Sign() < 0 || new(big.Rat).Abs(rest).Cmp(unit) >= 0 {
			t.Fatalf("%s cut to %d decimals is %s", a, n, a.Truncate(n))
		}
	})
}

func TestUnitsAreCutAndNeverRoundedUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := either(t, "a")
		exponent, decimals := rapid.IntRange(0, 12).Draw(t, "exponent"), rapid.IntRange(0, 6).Draw(t, "decimals")
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)
		want := new(big.Rat).Quo(rat(a), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)))
		want.Mul(want, new(big.Rat).SetInt(scale))
		whole := new(big.Int).Quo(want.Num(), want.Denom())
		got, err := a.Units(exponent, decimals)
		switch {
		case err != nil && whole.IsInt64():
			t.Fatalf("%s by 10^%d: %v, want %s", a, exponent, err, whole)
		case err == nil && rat(got).Cmp(new(big.Rat).SetFrac(whole, scale)) != 0:
			t.Fatalf("%s by 10^%d to %d decimals is %s", a, exponent, decimals, got)
		case err == nil && decimals > 0 && len(got.String())-strings.IndexByte(got.String(), '.')-1 != decimals:
			t.Fatalf("%s by 10^%d has not %d decimals: %s", a, exponent, decimals, got)
		}
	})
}

func TestTextComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := either(t, "a")
		b, err := Parse(a.String())
		if err != nil || a.String() != b.String() || a.Cmp(b) != 0 {
			t.Fatalf("%s came back as %s, %v", a, b, err)
		}
		if c := MustParse(a.Plain()); c.Cmp(a) != 0 {
			t.Fatalf("%s is plainly %s", a, a.Plain())
		}
		text, _ := a.MarshalText()
		var d Decimal
		if err := d.UnmarshalText(text); err != nil || d.String() != a.String() {
			t.Fatalf("%s came back from its marshalled text as %s, %v", a, d, err)
		}
	})
}

func TestScaledLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, scale := either(t, "a"), rapid.IntRange(0, 19).Draw(t, "scale")
		want := new(big.Rat).Mul(rat(a), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		n, ok := a.Scaled(scale)
		if possible := want.IsInt() && want.Num().IsInt64(); ok != possible || ok && want.Num().Int64() != n {
			t.Fatalf("%s times 10^%d: %d, %v, want %s", a, scale, n, ok, want)
		}
	})
}

func TestPlainDecimalsOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "+", ".", "1.", ".5", "-.5", "1e3", "1E3", "0x10", " 1", "1 ", "1,000", "1_000", "٣", "NaN", "Inf", "--1", "1.2.3", "1-",
		strings.Repeat("1", 41),
	} {
		if d, err := Parse(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q was read as %v, %v", text, d, err)
		}
	}
	for _, text := range []string{"99999999999999999999", "0.00000000000000000001", "1.2345678901234567890"} {
		if d, err := Parse(text); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%q was read as %v, %v", text, d, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("12.5")
	f.Add("-0.0000000000000000001")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || rat(d).Cmp(want) != 0 {
			t.Fatalf("%q was read as %s", text, d)
		}
	})
}

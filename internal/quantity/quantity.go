// Package quantity holds exact decimals: counted quantities, units and unit
// prices. Nothing here rounds unless its name says so, and no float comes near.
package quantity

import (
	"fmt"
	"math/bits"

	"github.com/govalues/decimal"

	"tollgate.dev/internal/fault"
)

// ErrMalformed is a text that is no plain decimal number.
var ErrMalformed = fault.New(fault.Invalid, "malformed_number", "This is not a plain decimal number.")

// ErrTooLarge is a result of more than 19 digits.
var ErrTooLarge = fault.New(fault.Invalid, "number_too_large", "This number is too large to calculate with exactly.")

// maxText bounds the text that Parse looks at.
const maxText = 40

// Decimal is an exact decimal of at most 19 significant digits. The zero value is 0.
type Decimal struct{ d decimal.Decimal }

// Zero is 0.
var Zero Decimal

// Of is a whole number.
func Of(n int64) Decimal { return Decimal{decimal.MustNew(n, 0)} }

// Scaled is n divided by ten to the scale: Scaled(1234, 2) is 12.34.
// It panics for a scale outside 0 to 19, which only a programmer can cause.
func Scaled(n int64, scale int) Decimal { return Decimal{decimal.MustNew(n, scale)} }

// Parse reads a plain decimal such as "12.5": digits, at most one sign and one
// point, no exponent, no separators, no spaces.
func Parse(s string) (Decimal, error) {
	if s == "" || len(s) > maxText || !plain(s) {
		return Zero, ErrMalformed.With("text", clip(s))
	}
	scale := 0
	for i := range len(s) {
		if s[i] == '.' {
			scale = len(s) - i - 1
		}
	}
	d, err := decimal.ParseExact(s, min(scale, decimal.MaxScale))
	if err != nil || scale > decimal.MaxScale {
		return Zero, ErrTooLarge.With("text", clip(s)).Because(err)
	}
	return Decimal{d}, nil
}

// MustParse is Parse for literals in the source.
func MustParse(s string) Decimal {
	d, err := Parse(s)
	if err != nil {
		panic(fmt.Sprintf("quantity: %q: %v", s, err))
	}
	return d
}

func plain(s string) bool {
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	digits, points := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' && i > 0 && i < len(s)-1:
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

func clip(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "…"
	}
	return s
}

// Add is the exact sum.
func (a Decimal) Add(b Decimal) (Decimal, error) {
	return exact(a.d.AddExact(b.d, max(a.d.Scale(), b.d.Scale())))
}

// Sub is the exact difference.
func (a Decimal) Sub(b Decimal) (Decimal, error) {
	return exact(a.d.SubExact(b.d, max(a.d.Scale(), b.d.Scale())))
}

// Mul is the exact product.
func (a Decimal) Mul(b Decimal) (Decimal, error) {
	scale := a.d.Scale() + b.d.Scale()
	if scale > decimal.MaxScale {
		return Zero, ErrTooLarge
	}
	if high, low := bits.Mul64(a.d.Coef(), b.d.Coef()); high == 0 && low < 1<<63 { // nearly always
		n := int64(low)
		if a.d.IsNeg() != b.d.IsNeg() {
			n = -n
		}
		return Scaled(n, scale), nil
	}
	return exact(a.d.MulExact(b.d, scale))
}

// DivPowerOfTen is the exact quotient by ten to the n. Zeros at the end of a
// make room: only a quotient with a digit behind the 19th decimal is too long.
func (a Decimal) DivPowerOfTen(n int) (Decimal, error) {
	if n < 0 || n > 2*decimal.MaxScale {
		return Zero, ErrTooLarge
	}
	d := a.d.Trim(0)
	for d.Scale()+n > decimal.MaxScale {
		if d.Coef()%10 != 0 {
			return Zero, ErrTooLarge
		}
		if d.IsZero() {
			return Zero, nil
		}
		// A tenth of 19 digits always fits 63 bits.
		d = decimal.MustNew(int64(d.Coef()/10)*int64(sign(d)), d.Scale())
		n--
	}
	return exact(d.MulExact(decimal.MustNew(1, n), d.Scale()+n))
}

func sign(d decimal.Decimal) int {
	if d.IsNeg() {
		return -1
	}
	return 1
}

func exact(d decimal.Decimal, err error) (Decimal, error) {
	if err != nil {
		return Zero, ErrTooLarge.Because(err)
	}
	return Decimal{d}, nil
}

// Ratio is a divided by b, cut towards zero to the given number of decimals.
func (a Decimal) Ratio(b Decimal, decimals int) (Decimal, error) {
	q, err := a.d.Quo(b.d)
	if err != nil {
		return Zero, ErrTooLarge.Because(err)
	}
	return Decimal{q.Trunc(decimals)}.Trimmed(), nil
}

// Units is the value divided by ten to the exponent, cut towards zero to the
// given number of decimals, which it always has.
func (a Decimal) Units(exponent, decimals int) (Decimal, error) {
	cut := a.d.Scale() + exponent - decimals // digits to drop; fewer than none are zeros to add
	coef := a.d.Coef()
	for ; cut < 0; cut++ {
		if coef > (1<<63-1)/10 {
			return Zero, ErrTooLarge
		}
		coef *= 10
	}
	if cut >= len(powers) {
		return Scaled(0, decimals), nil
	}
	n, ok := signed(coef/powers[cut], a.d.IsNeg())
	if !ok {
		return Zero, ErrTooLarge
	}
	return Scaled(n, decimals), nil
}

// Trimmed is the value without zeros at the end of its decimals.
func (a Decimal) Trimmed() Decimal {
	coef, scale := a.d.Coef(), a.d.Scale()
	if scale == 0 || coef >= 1<<63 {
		return Decimal{a.d.Trim(0)}
	}
	for scale > 0 && coef%10 == 0 {
		coef /= 10
		scale--
	}
	n := int64(coef)
	if a.d.IsNeg() {
		n = -n
	}
	return Scaled(n, scale)
}

// Truncate cuts everything behind the given number of decimals, towards zero.
func (a Decimal) Truncate(decimals int) Decimal { return Decimal{a.d.Trunc(decimals)} }

// Scaled gives the value times ten to the scale as a whole number; ok is false
// when digits would be lost or it does not fit 64 bits.
func (a Decimal) Scaled(scale int) (n int64, ok bool) {
	if more := scale - a.d.Scale(); more >= 0 && more < len(powers) {
		if high, low := bits.Mul64(a.d.Coef(), powers[more]); high == 0 { // nearly always
			return signed(low, a.d.IsNeg())
		}
	}
	d := a.d.Trim(0)
	if d.Scale() > scale {
		return 0, false
	}
	d = d.Pad(scale)
	if d.Scale() != scale {
		return 0, d.IsZero()
	}
	return signed(d.Coef(), d.IsNeg())
}

// RoundedHalfUp is the value times ten to the scale as the nearest whole
// number; a half goes away from zero. ok is false when it does not fit 64 bits.
func (a Decimal) RoundedHalfUp(scale int) (n int64, ok bool) {
	cut := a.d.Scale() - scale
	switch {
	case cut == 0:
		return signed(a.d.Coef(), a.d.IsNeg())
	case cut < 0:
		return a.Scaled(scale)
	case cut >= len(powers):
		return 0, scale >= 0 // a 19-digit coefficient is less than half of ten to the 20
	}
	whole, rest := a.d.Coef()/powers[cut], a.d.Coef()%powers[cut]
	if rest >= powers[cut]/2 { // a power of ten above 1 is even
		whole++
	}
	return signed(whole, a.d.IsNeg())
}

// powers are the powers of ten that fit 64 bits.
var powers = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = 10 * p[i-1]
	}
	return p
}()

func signed(magnitude uint64, negative bool) (n int64, ok bool) {
	if negative {
		return -int64(magnitude), magnitude <= 1<<63
	}
	return int64(magnitude), magnitude < 1<<63
}

// Int is the value as a whole number; ok is false when it is not one.
func (a Decimal) Int() (int64, bool) { return a.Scaled(0) }

// Cmp is -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Decimal) Cmp(b Decimal) int { return a.d.Cmp(b.d) }

// Sign is -1, 0 or 1.
func (a Decimal) Sign() int { return a.d.Sign() }

// IsZero reports whether the value is 0.
func (a Decimal) IsZero() bool { return a.d.IsZero() }

// Max is the larger of the two.
func (a Decimal) Max(b Decimal) Decimal {
	if a.Cmp(b) < 0 {
		return b
	}
	return a
}

// String is the plain decimal text, with the decimals that it was made with.
func (a Decimal) String() string { return a.d.String() }

// Append appends the text of String.
func (a Decimal) Append(text []byte) []byte {
	text, err := a.d.AppendText(text)
	if err != nil {
		panic("quantity: a decimal must have a text: " + err.Error())
	}
	return text
}

// Plain is the text without trailing zeros behind the point.
func (a Decimal) Plain() string { return a.d.Trim(0).String() }

// Fixed is the text with at least the given number of decimals.
func (a Decimal) Fixed(decimals int) string { return a.d.Trim(decimals).Pad(decimals).String() }

// MarshalText writes the plain decimal text.
func (a Decimal) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what Parse reads.
func (a *Decimal) UnmarshalText(text []byte) error {
	d, err := Parse(string(text))
	*a = d
	return err
}

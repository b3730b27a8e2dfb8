// Package money holds amounts: whole minor units of one currency. Amounts of
// two currencies never meet, sums never wrap around, and the one function
// that rounds says how.
package money

import (
	"math/bits"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/quantity"
)

// Currency is an ISO 4217 code.
type Currency string

// The currencies of the two Billing Centers.
const (
	CNY Currency = "CNY" // domestic
	USD Currency = "USD" // overseas
)

// Decimals is the number of digits of the minor unit (ISO 4217).
const Decimals = 2

// Faults of this package.
var (
	ErrCurrency  = fault.New(fault.Invalid, "unknown_currency", "This currency is not in use here.")
	ErrMixed     = fault.New(fault.Internal, "mixed_currencies", "Amounts of two currencies cannot be added.")
	ErrOverflow  = fault.New(fault.Invalid, "amount_too_large", "This amount is too large.")
	ErrMalformed = fault.New(fault.Invalid, "malformed_amount", "Enter an amount such as 100.00, with at most two decimals.")
	ErrShares    = fault.New(fault.Internal, "no_shares", "An amount cannot be split by these weights.")
)

// Currencies lists the codes in use.
func Currencies() []Currency { return []Currency{CNY, USD} }

// ParseCurrency accepts the codes in use.
func ParseCurrency(s string) (Currency, error) {
	switch c := Currency(s); c {
	case CNY, USD:
		return c, nil
	}
	return "", ErrCurrency.With("currency", s)
}

// Amount is a sum of money. The zero value has no currency and joins any.
type Amount struct {
	minor    int64
	currency Currency
}

// outside is the one 64-bit number whose negative is none. Amounts leave it
// out, so that every amount can change its sign.
const outside = -1 << 63

// Of is an amount of so many minor units (fen, cents). It panics for the one
// number without a negative, which no calculation here gives.
func Of(minor int64, c Currency) Amount {
	if minor == outside {
		panic("money: an amount has a negative")
	}
	return Amount{minor, c}
}

// Parse reads a plain decimal such as "12.5" with at most two decimals; no
// exponent, no separators.
func Parse(s string, c Currency) (Amount, error) {
	d, err := quantity.Parse(s)
	if err != nil {
		return Amount{}, ErrMalformed.Because(err)
	}
	minor, ok := d.Scaled(Decimals)
	switch {
	case d.Cmp(d.Truncate(Decimals)) != 0:
		return Amount{}, ErrMalformed
	case !ok || minor == outside:
		return Amount{}, ErrOverflow
	}
	return Amount{minor, c}, nil
}

// MustParse is Parse for literals in the source.
func MustParse(s string, c Currency) Amount {
	a, err := Parse(s, c)
	if err != nil {
		panic("money: " + s + ": " + err.Error())
	}
	return a
}

// RoundHalfUp is the only way from an exact decimal to an amount: half a minor
// unit goes away from zero (domain C-06, "line = half up to 2 decimals").
func RoundHalfUp(exact quantity.Decimal, c Currency) (Amount, error) {
	minor, ok := exact.RoundedHalfUp(Decimals)
	if !ok || minor == outside {
		return Amount{}, ErrOverflow
	}
	return Amount{minor, c}, nil
}

// Minor is the number of minor units.
func (a Amount) Minor() int64 { return a.minor }

// Currency is the currency; empty only for the zero value.
func (a Amount) Currency() Currency { return a.currency }

// Add is the sum; it fails for two currencies and for an overflow.
func (a Amount) Add(b Amount) (Amount, error) {
	c, err := common(a, b)
	if err != nil {
		return Amount{}, err
	}
	sum := a.minor + b.minor
	if (a.minor > 0 && b.minor > 0 && sum <= 0) || (a.minor < 0 && b.minor < 0 && sum >= 0) || sum == outside {
		return Amount{}, ErrOverflow
	}
	return Amount{sum, c}, nil
}

// Sub is the difference.
func (a Amount) Sub(b Amount) (Amount, error) { return a.Add(b.Neg()) }

func common(a, b Amount) (Currency, error) {
	switch {
	case a.currency == b.currency, b.currency == "" && b.minor == 0:
		return a.currency, nil
	case a.currency == "" && a.minor == 0:
		return b.currency, nil
	}
	return "", ErrMixed.With("a", a.currency).With("b", b.currency)
}

// Neg is the amount with the other sign.
func (a Amount) Neg() Amount { return Amount{-a.minor, a.currency} }

// Cmp compares two amounts of one currency.
func (a Amount) Cmp(b Amount) (int, error) {
	if _, err := common(a, b); err != nil {
		return 0, err
	}
	switch {
	case a.minor < b.minor:
		return -1, nil
	case a.minor > b.minor:
		return 1, nil
	}
	return 0, nil
}

// Sign is -1, 0 or 1.
func (a Amount) Sign() int {
	switch {
	case a.minor < 0:
		return -1
	case a.minor > 0:
		return 1
	}
	return 0
}

// IsZero reports whether there is nothing.
func (a Amount) IsZero() bool { return a.minor == 0 }

// String is the plain decimal without its currency: "12.50".
func (a Amount) String() string { return quantity.Scaled(a.minor, Decimals).Fixed(Decimals) }

// Sum adds amounts of one currency; of none it is zero of c.
func Sum(c Currency, amounts ...Amount) (Amount, error) {
	total := Of(0, c)
	for _, a := range amounts {
		var err error
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Split shares an amount by weights and keeps every minor unit: each share is
// its exact part rounded towards zero, and what is left goes, a unit each, to
// the first shares that have a weight. The shares always sum to the amount.
func Split(a Amount, weights []uint32) ([]Amount, error) {
	var total uint64
	for _, w := range weights {
		total += uint64(w)
	}
	if total == 0 {
		return nil, ErrShares
	}
	magnitude, direction := uint64(a.minor), int64(1)
	if a.minor < 0 {
		magnitude, direction = uint64(-a.minor), -1
	}
	shares := make([]Amount, len(weights))
	left := magnitude
	for i, w := range weights {
		hi, lo := bits.Mul64(magnitude, uint64(w))
		part, _ := bits.Div64(hi, lo, total) // hi < total because w <= total and magnitude < 2^63
		shares[i] = Amount{direction * int64(part), a.currency}
		left -= part
	}
	for i := 0; left > 0; i++ {
		if weights[i] > 0 {
			shares[i].minor += direction
			left--
		}
	}
	return shares, nil
}

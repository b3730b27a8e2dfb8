package invoice

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
)

// Faults of red-letter invoices.
var (
	ErrRedDay    = fault.New(fault.Invalid, "invoice_red_day", "Enter the date on the red-letter invoice, such as 2026-03-01: not before that of the invoice that it reverses, and not in the future.")
	ErrRedNumber = fault.New(fault.Invalid, "invoice_red_number", "This is the number of the invoice itself. Enter that of the red-letter invoice which reverses it.")
)

// RedPrefix begins every series of red-letter numbers.
const RedPrefix = "RL-"

// redSeries is the series that the number of a reversal is from.
func redSeries(c money.Currency, day period.Day) string {
	return RedPrefix + string(c) + "-" + day.String()[:4]
}

// Red is what reverses an issued invoice: the tax authority's red-letter
// invoice, and a number of our own.
type Red struct {
	Number    string // RL-CNY-2026-000001: currency, year, and a count without gaps
	TaxNumber string
	TaxDay    period.Day
}

// Reversing is the operator's word that an issued invoice was reversed by a
// red-letter one.
type Reversing struct {
	RequestID string
	TaxNumber string // of the red-letter invoice
	TaxDay    period.Day
	Reason    string // the payer reads it
	Operator  string
	Address   string
}

// Reverse ends an issued request by a red-letter invoice with a reason. The
// request stays as it was, with a number for the reversal; its items are free
// and can be requested anew (our choice: the domain names no reversal).
func Reverse(ctx context.Context, tx Tx, x Reversing, at time.Time) (Request, error) {
	return move(ctx, tx, x.RequestID, Reversed, audit.Entry{At: at, Actor: x.Operator, Address: x.Address}, func(r Request) (Request, error) {
		today := period.DayOf(at, statement.Zone(r.Total.Currency()))
		r, err := r.reverse(x, at, today)
		if err != nil {
			return r, err
		}
		series := redSeries(r.Total.Currency(), today)
		n, err := tx.NextNumber(ctx, series)
		if err != nil {
			return r, fmt.Errorf("number of a reversal: %w", err)
		}
		r.Red.Number = bill.Number(series, n)
		return r, nil
	})
}

// reverse gives the request its red-letter invoice.
func (r Request) reverse(x Reversing, at time.Time, today period.Day) (Request, error) {
	if !r.State.May(Reversed) {
		return r, ErrState
	}
	var list fault.Fields
	number, ok := taxNumber(x.TaxNumber)
	switch {
	case !ok:
		list = append(list, ErrTaxNumber.On("tax_number"))
	case number == r.TaxNumber:
		list = append(list, ErrRedNumber.On("tax_number"))
	}
	if x.TaxDay.IsZero() || x.TaxDay.After(today) || x.TaxDay.Before(r.TaxDay) {
		list = append(list, ErrRedDay.On("tax_day"))
	}
	reason := strings.TrimSpace(x.Reason)
	if n := utf8.RuneCountInString(reason); n == 0 || n > maxReason || !utf8.ValidString(reason) {
		list = append(list, ErrReason.On("reason"))
	}
	if err := list.OrNil(); err != nil {
		return r, err
	}
	r.State, r.ClosedBy, r.ClosedAt, r.Reason = Reversed, x.Operator, at, reason
	r.Red = Red{TaxNumber: number, TaxDay: x.TaxDay}
	return r, nil
}

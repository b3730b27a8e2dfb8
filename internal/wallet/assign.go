package wallet

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// ErrThroughRequired is a voucher that would never end.
var ErrThroughRequired = fault.New(fault.Invalid, "through_required", "Enter the last day on which the voucher holds.")

// Assignment is a voucher or card that the operator gives an account.
type Assignment struct {
	Payment Payment
	Amount  money.Amount
	Through period.Day // the last day; a card may have none
	Reason  string     // the payer reads it, too
}

// AssignTx is what assigning needs of a transaction.
type AssignTx interface {
	SourceTx
	Audit(ctx context.Context, e audit.Entry) error
}

// Assign gives an account a voucher or card, and writes down who did and why.
func Assign(ctx context.Context, tx AssignTx, payer account.Billing, a Assignment, by By, at time.Time) (Source, error) {
	a.Reason = strings.TrimSpace(a.Reason)
	if err := a.check(payer, at); err != nil {
		return Source{}, err
	}
	g := Grant{Payment: a.Payment, Face: a.Amount, Origin: Given, Reason: a.Reason}
	if !a.Through.IsZero() {
		g.ExpiresAt = a.Through.End(Zone(payer.Currency))
	}
	s, err := Give(ctx, tx, payer, g, at)
	if err != nil {
		return s, err
	}
	return s, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.Operator, Address: by.Address, Action: "source.assigned", Subject: payer.ID,
		Detail: map[string]string{
			"source": s.ID, "kind": string(s.Payment), "face": s.Face.String(), "currency": string(s.Face.Currency()),
			"through": a.Through.String(), "reason": a.Reason,
		},
	})
}

// check says everything that is wrong with an assignment.
func (a Assignment) check(payer account.Billing, at time.Time) error {
	var list fault.Fields
	if a.Payment != ByVoucher && a.Payment != ByFullReduction && a.Payment != ByCard {
		list = append(list, ErrBatchKind.On("kind"))
	}
	switch {
	case a.Amount.Sign() <= 0:
		list = append(list, ErrNotPositive.On("amount"))
	case a.Amount.Minor() > MostAmount:
		list = append(list, ErrAbsurd.On("amount"))
	case a.Amount.Currency() != payer.Currency:
		list = append(list, money.ErrCurrency.On("amount"))
	case a.Payment == ByCard && !roundFace(a.Amount):
		list = append(list, ErrCardFace.On("amount"))
	}
	switch {
	case a.Through.IsZero() && a.Payment != ByCard:
		list = append(list, ErrThroughRequired.On("through"))
	case !a.Through.IsZero() && !at.Before(a.Through.End(Zone(payer.Currency))):
		list = append(list, ErrExpiryPast.On("through"))
	}
	if n := utf8.RuneCountInString(a.Reason); n == 0 || n > maxReason || !utf8.ValidString(a.Reason) {
		list = append(list, ErrReason.On("reason"))
	}
	return list.OrNil()
}

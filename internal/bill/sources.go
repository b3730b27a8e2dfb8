package bill

import (
	"errors"

	"tollgate.dev/internal/wallet"
)

// fromSources are the kinds of payment that a voucher or card with a name of
// its own makes.
var fromSources = []wallet.Payment{wallet.ByVoucher, wallet.ByFullReduction, wallet.ByCard}

// errSources is for the log, behind ErrUnsummed.
var errSources = errors.New("the vouchers and cards do not sum to what they paid")

// named checks that the vouchers and cards of a line sum to what their kinds
// paid of it. A line that names none stays readable; that it may not is for
// verification to say, which knows the entry.
func (l Line) named() error {
	if len(l.Sources) == 0 {
		return nil
	}
	sums := nothing(l.Amount.Currency())
	for _, s := range l.Sources {
		if s.ID == "" || s.Amount.Sign() <= 0 {
			return errSources
		}
		if err := sums.add(s.Payment, s.Amount); err != nil {
			return err
		}
	}
	for _, kind := range fromSources {
		if sums.By(kind).Minor() != l.Paid.By(kind).Minor() {
			return errSources
		}
	}
	if !sums.Cash.IsZero() || !sums.Cloud.IsZero() || !sums.Owed.IsZero() {
		return errSources
	}
	return nil
}

// BySource sums what each voucher and card paid of the bill, in the order in
// which they first paid.
func (b Bill) BySource() ([]SourcePart, error) {
	var sums []SourcePart
	at := map[string]int{}
	for _, l := range b.Lines {
		for _, s := range l.Sources {
			i, known := at[s.ID]
			if !known {
				at[s.ID] = len(sums)
				sums = append(sums, s)
				continue
			}
			var err error
			if sums[i].Amount, err = sums[i].Amount.Add(s.Amount); err != nil {
				return nil, err
			}
		}
	}
	return sums, nil
}

package bill

import (
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// rater makes the lines of a day in one market. Make it once for a day: it is
// safe for concurrent use.
type rater struct {
	version *catalog.Version
	tariff  *rate.Tariff
}

func newRater(v *catalog.Version, m catalog.Market, agreed ...catalog.Override) rater {
	return rater{version: v, tariff: rate.NewTariff(v, m, agreed...)}
}

// rate turns the samples of a day into lines. Items that are sold within
// packages only make none; one that the operator has to switch on is counted
// for whom it is switched on, and for nobody else. What a
// package has a quota for is rated by it; share is nil where there is none.
func (r rater) rate(samples []usage.Sample, share *prepaid.Share) (rate.Rated, error) {
	quantities, err := usage.Quantities(r.version, samples)
	if err != nil {
		return rate.Rated{}, err
	}
	rated, _, err := r.rateDay(nil, quantities, share)
	return rated, err
}

// rateDay turns the quantities of a day into lines, which it appends to those
// of other days. The quantities are used up.
func (r rater) rateDay(to []rate.Line, quantities []usage.Quantity, share *prepaid.Share) (rate.Rated, []rate.Line, error) {
	if share != nil {
		rated, err := r.rateShared(quantities, share.Clone())
		return rated, to, err
	}
	billable := quantities[:0]
	for _, q := range quantities {
		item, err := r.item(q.Item)
		if err != nil {
			return rate.Rated{}, to, err
		}
		if item.PayAsYouGo {
			billable = append(billable, q)
		}
	}
	return r.tariff.Append(to, billable)
}

// rateShared is rate for a workspace that is in a package. The share is used
// up on the way.
func (r rater) rateShared(quantities []usage.Quantity, share *prepaid.Share) (rate.Rated, error) {
	lines := make([]rate.Line, 0, len(quantities))
	for _, q := range quantities {
		item, err := r.item(q.Item)
		if err != nil {
			return rate.Rated{}, err
		}
		var line rate.Line
		switch {
		case share.Covers(q.Item):
			line, err = share.Line(r.tariff, q)
		case item.PayAsYouGo:
			line, err = r.tariff.Line(q)
		default:
			continue
		}
		if err != nil {
			return rate.Rated{}, err
		}
		lines = append(lines, line)
	}
	return r.tariff.Sum(lines)
}

// due tells the ledger what each line is and whether vouchers may pay it. It
// appends that to what is due for other days.
func (r rater) due(to []wallet.Due, rated rate.Rated) (due, all []wallet.Due, err error) {
	start := len(to)
	for i := range rated.Lines {
		l := &rated.Lines[i]
		item, err := r.item(l.Item)
		if err != nil {
			return nil, to, err
		}
		to = append(to, wallet.Due{Amount: l.Amount, VoucherPayable: item.VoucherPayable})
	}
	return to[start:len(to):len(to)], to, nil
}

// item is the version's own, which is not copied here.
func (r rater) item(id string) (*catalog.Item, error) {
	at, ok := r.version.Position(id)
	if !ok {
		return nil, catalog.ErrItemUnknown.With("item", id)
	}
	return &r.version.Items[at], nil
}

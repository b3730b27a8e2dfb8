package bill

import (
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
)

// Agreed are the agreed prices that the bill's lines were rated by, as the
// lines say, so that a bill can be made again from itself.
func (b Bill) Agreed() []catalog.Override {
	var agreed []catalog.Override
	for _, l := range b.Lines {
		if l.Override != "" {
			agreed = append(agreed, catalog.Override{
				ID: l.Override, Payer: b.Payer, Item: l.Item, Market: b.Market, Class: l.Class, Price: l.UnitPrice, From: b.Day, Last: b.Day,
			})
		}
	}
	return agreed
}

// rater is that of the currency, by the prices that are agreed with the payer.
func (l *lot) rater(c money.Currency, payer string) (rater, bool) {
	r, ok := l.raters[c]
	if agreed := l.agreed[payer]; ok && len(agreed) > 0 {
		return newRater(l.version, catalog.Market{Currency: c, Group: l.site.Group}, agreed...), true
	}
	return r, ok
}

package rate

import (
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

func TestAgreedPriceStandsInForTheCatalogues(t *testing.T) {
	t.Parallel()
	m := catalog.Market{Currency: money.CNY, Group: site.China}
	agreed := func(id, item, class, price string, m catalog.Market) catalog.Override {
		return catalog.Override{ID: id, Item: item, Class: class, Market: m, Price: quantity.MustParse(price)}
	}
	tariff := NewTariff(version(t), m,
		agreed("prce_1", "logs", "14d", "1.25", m),
		agreed("prce_2", "logs", "7d", "0", m),
		agreed("prce_3", "network_host", "none", "1", catalog.Market{Currency: money.CNY, Group: site.International}),
		agreed("prce_4", "coffee", "none", "1", m),
	)
	for _, c := range []struct{ item, class, override, amount string }{
		{"logs", "14d", "prce_1", "3.75"},
		{"logs", "7d", "prce_2", "0.00"},
		{"logs", "30d", "", "6.00"},
		{"network_host", "none", "", "6000000.00"},
	} {
		l, err := tariff.Line(usage.Quantity{Item: c.item, Class: c.class, Quantity: quantity.Of(3_000_000)})
		if err != nil || l.Override != c.override || l.Amount.String() != c.amount {
			t.Errorf("%s of %s: %+v, %v, want %s by %q", c.item, c.class, l, err, c.amount, c.override)
		}
	}
	if _, err := tariff.Line(usage.Quantity{Item: "coffee", Class: "none", Quantity: quantity.Of(1)}); err == nil {
		t.Error("an agreed price sells what the catalogue does not have")
	}
	if l, err := NewTariff(version(t), m).Line(usage.Quantity{Item: "logs", Class: "14d", Quantity: quantity.Of(3_000_000)}); err != nil || l.Override != "" || l.Amount.String() != "4.50" {
		t.Errorf("another payer pays %+v, %v", l, err)
	}
}

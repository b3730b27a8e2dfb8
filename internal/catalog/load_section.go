package catalog

import (
	"fmt"
	"maps"
	"slices"

	"tollgate.dev/internal/quantity"
)

// maxUnitDecimals bounds the decimals that truncated units keep.
const maxUnitDecimals = 6

// maxValidYears bounds how long a package may hold.
const maxValidYears = 10

func (b *builder) rounding(f *fileRounding) Rounding {
	if f.Units != "truncate" && f.Units != "exact" {
		b.wrong("rounding.units", "%q is unknown; truncate and exact are", f.Units)
	}
	if f.UnitDecimals < 0 || f.UnitDecimals > maxUnitDecimals {
		b.wrong("rounding.unit_decimals", "%d is not between 0 and %d", f.UnitDecimals, maxUnitDecimals)
	}
	if f.Lines != "half_up" {
		b.wrong("rounding.lines", "%q is unknown; half_up is the only rule", f.Lines)
	}
	return Rounding{TruncateUnits: f.Units == "truncate", UnitDecimals: f.UnitDecimals}
}

func (b *builder) quotas(v *Version, f *fileQuotas) {
	if f == nil {
		return
	}
	if f.WarnPercent < 1 || f.WarnPercent > f.ExhaustedPercent {
		b.wrong("quotas.warn_percent", "%d is not between 1 and exhausted_percent", f.WarnPercent)
	}
	if f.ExhaustedPercent < 1 || f.ExhaustedPercent > 100 {
		b.wrong("quotas.exhausted_percent", "%d is not between 1 and 100", f.ExhaustedPercent)
	}
	v.Quotas = Quotas{WarnPercent: f.WarnPercent, ExhaustedPercent: f.ExhaustedPercent, Exempt: f.Exempt}
	for _, item := range v.Items {
		if q, ok := f.Items[item.ID]; ok {
			v.Quotas.Items = append(v.Quotas.Items, b.quota(item.ID, q))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.Items)) {
		if _, ok := v.index[id]; !ok {
			b.wrong("quotas.items["+id+"]", "is no billing item")
		}
	}
}

func (b *builder) quota(item string, f fileQuota) Quota {
	q := Quota{Item: item, Supported: f.Supported == nil || *f.Supported}
	switch {
	case !q.Supported && f.Quota != nil && *f.Quota != 0:
		b.wrong("quotas.items["+item+"]", "is not supported but has a quota")
	case !q.Supported:
		q.Limited = true
	case f.Quota != nil && *f.Quota < 0:
		b.wrong("quotas.items["+item+"]", "%d is negative", *f.Quota)
	case f.Quota != nil:
		q.Limited, q.Quota = true, *f.Quota
	}
	return q
}

func (b *builder) retention(v *Version, f *fileRetention) {
	if f == nil {
		return
	}
	if _, ok := Days(f.Experience); !ok {
		b.wrong("retention.experience", "%q is no number of days such as 7d", f.Experience)
	}
	v.Retention = Retention{Experience: f.Experience}
	for i, t := range f.Types {
		b.within("retention.types["+name(t.Type, i)+"]", func() {
			b.classes(t.Allowed)
			if !slices.Contains(t.Allowed, t.Default) {
				b.wrong("default", "%q is not among the allowed classes", t.Default)
			}
			if _, twice := v.Retention.Type(t.Type); twice || t.Type == "" {
				b.wrong("type", "%q is empty or used twice", t.Type)
			}
		})
		v.Retention.Types = append(v.Retention.Types, RetentionType{t.Type, t.Allowed, t.Default})
	}
}

func (b *builder) annual(v *Version, f *fileAnnual) {
	if f == nil {
		return
	}
	b.within("annual_packages", func() {
		a := AnnualPackages{
			Currency: b.currency("currency", f.Currency), ListPriceDays: f.ListPriceDays,
			DefaultClasses: f.DefaultClasses, ValidYears: 1, // domain C-26: one calendar year unless it is said
			Conversion: map[string]map[string]quantity.Decimal{},
			Overage:    map[string]Overage{},
		}
		if f.ValidYears != nil {
			a.ValidYears = *f.ValidYears
		}
		if a.ValidYears < 1 || a.ValidYears > maxValidYears {
			b.wrong("valid_years", "%d is not between 1 and %d", a.ValidYears, maxValidYears)
		}
		for _, item := range slices.Sorted(maps.Keys(f.Conversion)) {
			a.Conversion[item] = map[string]quantity.Decimal{}
			for _, class := range slices.Sorted(maps.Keys(f.Conversion[item])) {
				a.Conversion[item][class] = b.decimal(fmt.Sprintf("conversion[%s].%s", item, class), f.Conversion[item][class])
			}
		}
		for _, item := range slices.Sorted(maps.Keys(f.Overage)) {
			path := "overage[" + item + "]"
			unit, exponent := b.powerOfTen(path+".unit", f.Overage[item].Unit)
			a.Overage[item] = Overage{unit, exponent, b.decimal(path+".price", f.Overage[item].Price)}
		}
		for i, p := range f.Packages {
			path := "packages[" + name(p.ID, i) + "]"
			a.Packages = append(a.Packages, AnnualPackage{
				ID: p.ID, UpgradesTo: p.UpgradesTo, Quotas: p.Quotas,
				Price:     b.amount(path+".price", p.Price, a.Currency),
				ListPrice: b.amount(path+".list_price", p.ListPrice, a.Currency),
			})
		}
		v.AnnualPackages = a
	})
}

func (b *builder) traffic(v *Version, f *fileTraffic) {
	if f == nil {
		return
	}
	b.within("traffic_packages", func() {
		t := TrafficPackages{Currency: b.currency("currency", f.Currency)}
		for i, p := range f.Packages {
			path := "packages[" + name(p.Item, i) + "]"
			unit, exponent := b.powerOfTen(path+".unit", p.Unit)
			if p.Base < 1 {
				b.wrong(path+".base", "%d is not positive", p.Base)
			}
			t.Packages = append(t.Packages, TrafficPackage{
				Item: p.Item, Unit: unit, Exponent: exponent, Base: p.Base, Class: p.Class, Discontinued: p.Discontinued,
				Price:    b.decimal(path+".price", p.Price),
				DayPrice: b.amount(path+".day_price", p.DayPrice, t.Currency),
			})
		}
		v.TrafficPackages = t
	})
}

func (b *builder) cards(v *Version, f *fileCards) {
	if f == nil {
		return
	}
	b.within("cards", func() {
		c := Cards{Currency: b.currency("currency", f.Currency), Refundable: f.Refundable}
		c.FaceMin = b.amount("face_min", f.FaceMin, c.Currency)
		c.FaceStep = b.amount("face_step", f.FaceStep, c.Currency)
		for i, tier := range f.VoucherTiers {
			path := fmt.Sprintf("voucher_tiers[%d]", i)
			t := VoucherTier{b.amount(path+".card", tier.Card, c.Currency), b.amount(path+".voucher", tier.Voucher, c.Currency)}
			if i > 0 && t.Card.Minor() <= c.VoucherTiers[i-1].Card.Minor() {
				b.wrong(path+".card", "is not above the tier before")
			}
			c.VoucherTiers = append(c.VoucherTiers, t)
		}
		v.Cards = c
	})
}

package web

import (
	"context"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// LineClass is the class of a line of a bill and, where it is of a named log
// index, the index.
func LineClass(ctx context.Context, class, index string) string {
	if index == "" {
		return Name(ctx, "class", class)
	}
	return T(ctx, "explain.class_index", "class", Name(ctx, "class", class), "index", index)
}

// explainStep is a step of the calculation of a line.
type explainStep struct{ Name, How, Note, Result string }

// steps are those from the hours to the amount.
func steps(ctx context.Context, e bill.Explanation, l bill.ExplainedLine) []explainStep {
	var list []explainStep
	add := func(key, how, note, result string) {
		list = append(list, explainStep{T(ctx, key), how, note, result})
	}
	for _, c := range l.Counters {
		add("explain.hours_of", T(ctx, ruleKey(l.Item.Rule)), T(ctx, "explain.counter."+c.Name), Count(c.Day))
	}
	if l.Item.Rule == catalog.MaxOfTwo {
		add("explain.quantity", T(ctx, "explain.larger", "divisor", Exact(l.Item.Alternative.Divisor)), "", Exact(l.Quantity))
	}
	if c := l.Package; c != nil {
		add("explain.converted", Exact(l.Quantity)+" × "+Exact(c.Factor), T(ctx, "explain.factor", "class", Name(ctx, "class", l.Class)), Exact(c.Converted))
		add("explain.covered", T(ctx, "explain.left", "package", c.Package), "", "−"+Exact(c.Covered))
		add("explain.excess", Exact(c.Converted)+" − "+Exact(c.Covered), "", Exact(c.Excess))
	}
	cut := T(ctx, "explain.uncut")
	if e.Version.Rounding.TruncateUnits {
		cut = T(ctx, "explain.cut", "decimals", e.Version.Rounding.UnitDecimals)
	}
	add("explain.units", Exact(l.Divided())+" ÷ "+Exact(l.UnitSize(e.Version)), cut, l.Units.Fixed(money.Decimals))
	if usual, has := e.Version.AnnualPackages.DefaultClasses[l.Line.Item]; l.Package != nil && has {
		add("explain.price", T(ctx, "explain.overage_class", "version", e.Version.ID, "class", Name(ctx, "class", usual)), T(ctx, "explain.since", "from", e.Version.From.String()), Exact(l.UnitPrice))
	} else if l.Override != "" {
		add("explain.price_agreed", T(ctx, "explain.agreed", "override", l.Override, "market", e.Bill.Market.String(), "class", Name(ctx, "class", l.Class)), "", Exact(l.UnitPrice))
	} else {
		add("explain.price", T(ctx, "explain.priced", "version", e.Version.ID, "market", e.Bill.Market.String(), "class", Name(ctx, "class", l.Class)), T(ctx, "explain.since", "from", e.Version.From.String()), Exact(l.UnitPrice))
	}
	add("explain.exact", l.Units.Fixed(money.Decimals)+" × "+Exact(l.UnitPrice), "", Exact(l.Exact))
	if r, err := l.Rounding(); err == nil {
		sign := ""
		if r.Sign() > 0 {
			sign = "+"
		}
		add("explain.rounding", T(ctx, "explain.half_up"), "", sign+Exact(r))
	}
	add("explain.amount", "", "", Money(l.Amount))
	return list
}

// ruleKey is the sentence of a day rule.
func ruleKey(r catalog.Rule) string {
	if r == catalog.Max24 {
		return "explain.rule_max"
	}
	return "explain.rule_sum"
}

// sampling says what the sample of an hour holds (domain section 7.1).
func sampling(ctx context.Context, s catalog.Sampling) string {
	return T(ctx, "explain.sampling."+string(s))
}

func unitName(ctx context.Context, l bill.ExplainedLine) string {
	if Language(ctx) == "zh" {
		return l.Item.Unit.Name.Zh
	}
	return l.Item.Unit.Name.En
}

func checked(ctx context.Context, l bill.ExplainedLine) string {
	if l.Agrees() {
		return T(ctx, "explain.agrees")
	}
	return T(ctx, "explain.differs")
}

type explainPart struct {
	payment wallet.Payment
	amount  money.Amount
}

// paidBy lists what paid the line, in the order of deduction.
func paidBy(l bill.ExplainedLine) []explainPart {
	var list []explainPart
	for _, kind := range wallet.Payments() {
		if a := l.Paid.By(kind); !a.IsZero() {
			list = append(list, explainPart{kind, a})
		}
	}
	return list
}

// priceLabel says whether the price is the catalogue's or was agreed with the payer.
func priceLabel(ctx context.Context, l bill.ExplainedLine) string {
	if l.Override != "" {
		return T(ctx, "explain.price_agreed")
	}
	return T(ctx, "explain.price")
}

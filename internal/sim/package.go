package sim

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// boughtPackage is a package of the story.
type boughtPackage struct{ id, account, name string }

// packageOf finds the package that a step means: that of the name, or the one
// that the account bought last. A name that was never bought is unknown to the
// rules, too.
func (p *play) packageOf(account, name string) string {
	for _, b := range slices.Backward(p.packages) {
		if b.account == account && (name == "" || b.name == name) {
			return b.id
		}
	}
	return prepaid.NewOrderID()
}

// byHolder is who acts for an account in a story.
func (p *play) byHolder(account string) prepaid.Actor {
	return prepaid.Actor{AccountID: p.payers[account].ID}
}

func (p *play) workspaceIDs(names []string) []string {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = p.shops[name].id
	}
	return ids
}

// workspaces reads a list of names; a name may come twice, for the rules to judge.
func (r *reader) workspaces(s *Scenario, f *fields) []string {
	var names []string
	for _, n := range f.list("workspaces") {
		name, ok := plain(n)
		if !ok || s.workspace(name) == nil {
			r.wrong(lineOf(n), "%s.workspaces: there is no workspace %q", f.what, name)
			continue
		}
		names = append(names, name)
	}
	return names
}

// mix reads how a price is paid.
func (r *reader) mix(s *Scenario, f *fields, account string) wallet.Mix {
	mix := wallet.Mix{}
	n, ok := f.node("paid_by")
	if !ok {
		return mix
	}
	m := r.mapping(n, f.what+".paid_by")
	for _, kind := range wallet.Choosable() {
		if m.has(string(kind)) {
			mix[kind] = r.amount(s, m, string(kind), account)
		}
	}
	m.rest()
	return mix
}

// buying is an annual package that the holder of an account buys.
type buying struct {
	account, name, size string
	workspaces          []string
	starts              period.Day
	mix                 wallet.Mix
}

func (r *reader) packageStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	b := buying{account: r.accountOf(s, f), workspaces: r.workspaces(s, f)}
	b.size, _, _ = f.required("id")
	b.name, _, _ = f.optional("name")
	if text, line, ok := f.optional("starts"); ok {
		b.starts = r.day(text, line, what+".starts")
	}
	b.mix = r.mix(s, f, b.account)
	f.rest()
	return b
}

func (b buying) play(ctx context.Context, p *play) error {
	o := prepaid.Order{
		ID: prepaid.NewOrderID(), Payer: p.payers[b.account].ID, Size: b.size, Workspaces: p.workspaceIDs(b.workspaces),
		Starts: b.starts, Mix: b.mix,
	}
	err := p.write(ctx, func(tx *store.Tx) error {
		_, _, err := prepaid.Buy(ctx, tx, p.scenario.Catalog, o, p.byHolder(b.account), p.clock.Now())
		return err
	})
	if err == nil {
		p.packages = append(p.packages, boughtPackage{o.ID, b.account, b.name})
	}
	return err
}

// arranging is the holder's word on who shares a package, and in which order.
type arranging struct {
	account, name string
	workspaces    []string
}

func (r *reader) arrangeStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	a := arranging{account: r.accountOf(s, f), workspaces: r.workspaces(s, f)}
	a.name, _, _ = f.optional("package")
	f.rest()
	return a
}

func (a arranging) play(ctx context.Context, p *play) error {
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := prepaid.Arrange(ctx, tx, p.payers[a.account].ID, p.packageOf(a.account, a.name), p.workspaceIDs(a.workspaces), p.byHolder(a.account), p.clock.Now())
		return err
	})
}

// enlarging is the upgrade of a package.
type enlarging struct {
	account, name, size string
	mix                 wallet.Mix
}

func (r *reader) upgradeStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	u := enlarging{account: r.accountOf(s, f)}
	u.size, _, _ = f.required("id")
	u.name, _, _ = f.optional("package")
	u.mix = r.mix(s, f, u.account)
	f.rest()
	return u
}

func (u enlarging) play(ctx context.Context, p *play) error {
	return p.write(ctx, func(tx *store.Tx) error {
		_, _, err := prepaid.Upgrade(ctx, tx, p.scenario.Catalog, p.payers[u.account].ID, p.packageOf(u.account, u.name), u.size, u.mix, p.byHolder(u.account), p.clock.Now())
		return err
	})
}

// addingTraffic is a traffic package: the operator grants the discount, then
// the holder of the account buys.
type addingTraffic struct {
	account, name, item string
	capacity            int64
	discount            quantity.Decimal
	granted             bool
}

func (r *reader) trafficStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	t := addingTraffic{account: r.accountOf(s, f)}
	t.item, _, _ = f.required("item")
	t.name, _, _ = f.optional("package")
	if text, line, ok := f.required("capacity"); ok {
		var err error
		if t.capacity, err = strconv.ParseInt(text, 10, 64); err != nil {
			r.wrong(line, "%s.capacity: %q is no whole number", what, text)
		}
	}
	if text, line, ok := f.optional("discount"); ok {
		var err error
		if t.discount, err = quantity.Parse(text); err != nil {
			r.wrong(line, "%s.discount: %q is no factor such as 0.8", what, text)
		}
		t.granted = true
	}
	f.rest()
	return t
}

func (t addingTraffic) play(ctx context.Context, p *play) error {
	payer := p.payers[t.account].ID
	return p.write(ctx, func(tx *store.Tx) error {
		if t.granted {
			if err := prepaid.Grant(ctx, tx, p.scenario.Catalog, payer, t.item, t.discount, prepaid.Actor{AccountID: operator}, p.clock.Now()); err != nil {
				return err
			}
		}
		o := prepaid.TrafficOrder{ID: prepaid.NewTrafficID(), Payer: payer, Package: p.packageOf(t.account, t.name), Item: t.item, Capacity: t.capacity}
		_, _, err := prepaid.AddTraffic(ctx, tx, p.scenario.Catalog, o, p.byHolder(t.account), p.clock.Now())
		return err
	})
}

// packageDays tells what packages cost an account, day by day.
func (p *play) packageDays(ctx context.Context, tx *store.Tx, o *Outcome, a payer) error {
	charges, err := tx.PackageChargesOf(ctx, p.payers[a.name].ID, period.MustParseDay("2000-01-01"), period.MustParseDay("2999-12-31"), most)
	for _, c := range charges {
		day := c.Day.String()
		if n := len(o.Packages); n == 0 || o.Packages[n-1].Account != a.name || o.Packages[n-1].Day != day {
			o.Packages = append(o.Packages, PackageDay{Account: a.name, Day: day, Charges: []PackageCharge{}})
		}
		of := &o.Packages[len(o.Packages)-1]
		for _, l := range c.Lines {
			of.Charges = append(of.Charges, PackageCharge{Kind: string(c.Kind), Item: l.Item, Amount: l.Amount.String(), Paid: paidParts(l.Paid)})
		}
	}
	return err
}

func paidParts(parts []wallet.Part) map[string]string {
	sums := wallet.Mix{}
	for _, part := range parts {
		if sum, err := sums[part.Payment].Add(part.Amount); err == nil { // it was added up before
			sums[part.Payment] = sum
		}
	}
	told := map[string]string{}
	for _, kind := range slices.Sorted(maps.Keys(sums)) {
		told[string(kind)] = sums[kind].String()
	}
	return told
}

func coverOf(c *rate.Cover) *Cover {
	if c == nil {
		return nil
	}
	return &Cover{c.Factor.Plain(), c.Converted.Plain(), c.Covered.Plain(), c.Excess.Plain()}
}

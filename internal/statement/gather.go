package statement

import (
	"cmp"
	"maps"
	"slices"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
)

// Gathering sums bills. It keeps no bill, so that an account may have any
// number of them.
type Gathering struct {
	month      period.Month
	currency   money.Currency
	bills      int64
	late       Late
	whole      Item
	workspaces map[string]*gathered
	items      map[string]*Item
	packages   []Package
}

type gathered struct {
	Workspace
	items map[string]*Item
}

// Gather begins the statement of a month.
func Gather(m period.Month, c money.Currency) *Gathering {
	return &Gathering{
		month: m, currency: c, late: Late{Total: money.Of(0, c)}, whole: none("", c),
		workspaces: map[string]*gathered{}, items: map[string]*Item{},
	}
}

func none(itemID string, c money.Currency) Item {
	return Item{ID: itemID, Total: money.Of(0, c), Paid: bill.NoPaid(c)}
}

// Bill adds a bill.
func (g *Gathering) Bill(b bill.Bill) error {
	g.bills++
	if b.Day.Before(g.month.First()) {
		g.late.Bills++
		var err error
		if g.late.Total, err = g.late.Total.Add(b.Total); err != nil {
			return err
		}
	}
	w := g.workspaces[b.WorkspaceID]
	if w == nil {
		w = &gathered{Workspace{ID: b.WorkspaceID, Site: b.Site, Total: money.Of(0, g.currency), Paid: bill.NoPaid(g.currency)}, map[string]*Item{}}
		g.workspaces[b.WorkspaceID] = w
	}
	w.Bills++
	for _, l := range b.Lines {
		part := Item{Total: w.Total, Paid: w.Paid}
		if err := part.add(1, l.Amount, l.Paid); err != nil {
			return err
		}
		w.Total, w.Paid = part.Total, part.Paid
		if err := g.whole.add(1, l.Amount, l.Paid); err != nil {
			return err
		}
		for _, items := range []map[string]*Item{w.items, g.items} {
			if items[l.Item] == nil {
				it := none(l.Item, g.currency)
				items[l.Item] = &it
			}
			if err := items[l.Item].add(1, l.Amount, l.Paid); err != nil {
				return err
			}
		}
	}
	return nil
}

// Charge adds a charge of a package.
func (g *Gathering) Charge(c prepaid.Charge) error {
	for _, l := range c.Lines {
		i := slices.IndexFunc(g.packages, func(p Package) bool { return p.ID == c.Package && p.Kind == c.Kind && p.What == l.Item })
		if i < 0 {
			i = len(g.packages)
			g.packages = append(g.packages, Package{ID: c.Package, Kind: c.Kind, What: l.Item, Total: money.Of(0, g.currency), Paid: bill.NoPaid(g.currency)})
		}
		paid := bill.NoPaid(g.currency)
		for _, part := range l.Paid {
			if err := paid.Add(part.Payment, part.Amount); err != nil {
				return err
			}
		}
		of := Item{Total: g.packages[i].Total, Paid: g.packages[i].Paid}
		if err := of.add(0, l.Amount, paid); err != nil {
			return err
		}
		if err := g.whole.add(0, l.Amount, paid); err != nil {
			return err
		}
		g.packages[i].Charges++
		g.packages[i].Total, g.packages[i].Paid = of.Total, of.Paid
	}
	return nil
}

// Bills is how many there are so far.
func (g *Gathering) Bills() int64 { return g.bills }

// WorkspaceIDs lists the workspaces so far.
func (g *Gathering) WorkspaceIDs() []string { return slices.Sorted(maps.Keys(g.workspaces)) }

// Into fills in the sums of a statement: workspaces by name and ID, items in
// the order of the catalogue.
func (g *Gathering) Into(s *Statement, c *catalog.Catalog, names map[string]string) {
	s.Month, s.Currency, s.Bills, s.Late, s.Total, s.Paid = g.month, g.currency, g.bills, g.late, g.whole.Total, g.whole.Paid
	s.Items, s.Workspaces, s.Packages = g.ordered(c, g.items), nil, g.packages
	for id, w := range g.workspaces {
		w.Name, w.Items = names[id], g.ordered(c, w.items)
		s.Workspaces = append(s.Workspaces, w.Workspace)
	}
	slices.SortFunc(s.Workspaces, func(a, b Workspace) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
}

// ordered lists items as the catalogue of the month's last day does; what it
// no longer sells comes last.
func (g *Gathering) ordered(c *catalog.Catalog, items map[string]*Item) []Item {
	v, err := c.At(g.month.Last())
	list := make([]Item, 0, len(items))
	for _, it := range items {
		list = append(list, *it)
	}
	place := func(id string) int {
		if err != nil {
			return 0
		}
		if i, ok := v.Position(id); ok {
			return i
		}
		return len(v.Items)
	}
	slices.SortFunc(list, func(a, b Item) int { return cmp.Or(cmp.Compare(place(a.ID), place(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return list
}

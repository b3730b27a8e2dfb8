package prepaid

import (
	"fmt"
	"maps"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/usage"
)

// Cover is a package on one service day, as everybody sees it who shares it.
type Cover struct {
	Package    string
	Quotas     map[string]quantity.Decimal // by item, traffic packages included
	Workspaces []string                    // in their order
}

// CoverOn is the package on a day; ok is false when it does not hold then.
func (p Package) CoverOn(day period.Day) (Cover, bool) {
	term, ok := p.On(day)
	if !ok {
		return Cover{}, false
	}
	c := Cover{Package: p.ID, Quotas: make(map[string]quantity.Decimal, len(term.Quotas)), Workspaces: term.Workspaces}
	for item, quota := range term.Quotas {
		c.Quotas[item] = quantity.Of(quota)
	}
	for _, t := range p.TrafficOn(day) {
		if sum, err := c.Quotas[t.Item].Add(quantity.Of(t.Capacity)); err == nil { // the sizes are bounded where they are bought
			c.Quotas[t.Item] = sum
		}
	}
	return c, true
}

// Before lists the workspaces that share the package before the given one, in
// their order.
func (c Cover) Before(workspaceID string) []string {
	for i, id := range c.Workspaces {
		if id == workspaceID {
			return c.Workspaces[:i]
		}
	}
	return nil
}

// Share is what is left of a package for one workspace on one day.
type Share struct {
	Package string
	version *catalog.Version
	market  catalog.Market
	left    map[string]quantity.Decimal
}

// Begin is the whole of a package's day, before anybody took of it.
func (c Cover) Begin(v *catalog.Version, m catalog.Market) *Share {
	return &Share{Package: c.Package, version: v, market: m, left: maps.Clone(c.Quotas)}
}

// Left is what nobody took yet, by item.
func (s *Share) Left() map[string]quantity.Decimal { return maps.Clone(s.left) }

// Clone is the share as it is now.
func (s *Share) Clone() *Share {
	if s == nil {
		return nil
	}
	again := *s
	again.left = maps.Clone(s.left)
	return &again
}

// Covers reports whether the package has a quota for the item.
func (s *Share) Covers(item string) bool {
	if s == nil {
		return false
	}
	_, has := s.left[item]
	return has
}

// Take lets a quantity of the day take what it can. Those of one workspace come
// from the shortest class to the longest.
func (s *Share) Take(q usage.Quantity) (rate.Cover, error) {
	c := rate.Cover{Package: s.Package}
	var err error
	if c.Factor, err = s.version.Factor(q.Item, q.Class, s.market); err != nil {
		return c, err
	}
	if c.Converted, err = q.Quantity.Mul(c.Factor); err != nil {
		return c, err
	}
	c.Factor, c.Converted = c.Factor.Trimmed(), c.Converted.Trimmed()
	left := s.left[q.Item]
	if c.Covered = c.Converted; left.Cmp(c.Converted) < 0 {
		c.Covered = left
	}
	if c.Excess, err = c.Converted.Sub(c.Covered); err != nil {
		return c, err
	}
	if s.left[q.Item], err = left.Sub(c.Covered); err != nil {
		return c, err
	}
	c.Covered, c.Excess = c.Covered.Trimmed(), c.Excess.Trimmed()
	return c, nil
}

// Pass lets a workspace that comes earlier take its part.
func (s *Share) Pass(used []usage.Quantity) error {
	for _, q := range used {
		if !s.Covers(q.Item) {
			continue
		}
		if _, err := s.Take(q); err != nil {
			return fmt.Errorf("share of package %s: %w", s.Package, err)
		}
	}
	return nil
}

// Line rates a quantity that the package covers, in full or in part.
func (s *Share) Line(t *rate.Tariff, q usage.Quantity) (rate.Line, error) {
	c, err := s.Take(q)
	if err != nil {
		return rate.Line{}, err
	}
	overage, priced := s.version.AnnualPackages.Overage[q.Item]
	return t.Beyond(q, c, overage, priced)
}

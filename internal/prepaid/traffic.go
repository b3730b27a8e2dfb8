package prepaid

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/wallet"
)

// discountDecimals is how exact a discount is.
const discountDecimals = 4

// NewTrafficID is the ID of an order of a traffic package.
func NewTrafficID() string { return id.New(id.TrafficPackage) }

// ParseDiscount reads the factor of a discount: 0.8 is a fifth off.
func ParseDiscount(text string) (quantity.Decimal, error) {
	d, err := quantity.Parse(text)
	if err != nil {
		return d, ErrDiscount
	}
	return d.Trimmed(), checkDiscount(d)
}

func checkDiscount(d quantity.Decimal) error {
	if d.Sign() <= 0 || d.Cmp(quantity.Of(1)) > 0 || d.Cmp(d.Truncate(discountDecimals)) != 0 {
		return ErrDiscount
	}
	return nil
}

// Discount is what was granted to a payer on traffic packages of an item.
type Discount struct {
	Item      string
	Factor    quantity.Decimal
	GrantedBy string // an operator
	GrantedAt time.Time
}

// NoDiscount is the factor without any; granting it ends a discount.
var NoDiscount = quantity.Of(1)

// Ended reports whether it holds no longer.
func (d Discount) Ended() bool { return d.Factor.Cmp(NoDiscount) == 0 }

// Grant is the operator's word on the discount that a payer has on traffic
// packages of an item from now on; those that were bought keep theirs.
func Grant(ctx context.Context, tx Tx, c *catalog.Catalog, payer, item string, d quantity.Decimal, by Actor, at time.Time) error {
	if err := checkDiscount(d); err != nil {
		return ErrDiscount.On("discount")
	}
	if _, err := tx.BillingByID(ctx, payer); err != nil {
		return err
	}
	versions := c.Versions()
	if _, ok := versions[len(versions)-1].TrafficPackages.Of(item); !ok {
		return ErrTrafficItem.On("item")
	}
	before, err := tx.TrafficDiscount(ctx, payer, item)
	if err != nil {
		return err
	}
	if err := tx.SaveTrafficDiscount(ctx, payer, item, d.Trimmed(), by.AccountID, at); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "package.discount_granted", Subject: payer,
		Detail: map[string]string{"item": item, "before": before.Trimmed().String(), "discount": d.Trimmed().String()},
	})
}

// PriceTraffic is what a capacity costs a day.
func PriceTraffic(v *catalog.Version, item string, capacity int64, discount quantity.Decimal) (Traffic, error) {
	of, ok := v.TrafficPackages.Of(item)
	switch {
	case !ok:
		return Traffic{}, ErrTrafficItem.On("item")
	case capacity < 1 || capacity%of.Base != 0:
		return Traffic{}, ErrCapacity.On("capacity").With("base", of.Base)
	case capacity > mostCapacity:
		return Traffic{}, ErrCapacityLarge.On("capacity")
	}
	t := Traffic{Item: item, Capacity: capacity, UnitPrice: of.Price, Discount: discount.Trimmed()}
	units, err := quantity.Of(capacity).DivPowerOfTen(of.Exponent)
	if err != nil {
		return t, err
	}
	t.Units = units.Trimmed()
	full, err := t.Units.Mul(of.Price)
	if err != nil {
		return t, err
	}
	exact, err := full.Mul(t.Discount)
	if err != nil {
		return t, err
	}
	t.Exact = exact.Trimmed()
	t.Price, err = money.RoundHalfUp(t.Exact, v.TrafficPackages.Currency)
	if err == nil && t.Price.Minor() > wallet.MostAmount {
		err = ErrCapacityLarge.On("capacity")
	}
	return t, err
}

// mostCapacity bounds what is added at once, far below where quotas overflow.
const mostCapacity = 1_000_000_000_000_000

// TrafficOrder is a traffic package to be bought. An order that comes twice is
// carried out once.
type TrafficOrder struct {
	ID       string
	Payer    string
	Package  string
	Item     string
	Capacity int64
}

// AddTraffic adds daily capacity to a package. It holds from today on, the
// whole of the day, and each day is charged when it is closed.
func AddTraffic(ctx context.Context, tx Tx, c *catalog.Catalog, o TrafficOrder, by Actor, at time.Time) (Package, Traffic, error) {
	if !id.Valid(id.TrafficPackage, o.ID) {
		return Package{}, Traffic{}, ErrUnknown.On("order")
	}
	p, err := tx.PackageForUpdate(ctx, o.Package)
	switch {
	case err != nil:
		return p, Traffic{}, err
	case p.Payer != o.Payer:
		return Package{}, Traffic{}, ErrUnknown
	}
	if i := slices.IndexFunc(p.Traffic, func(t Traffic) bool { return t.ID == o.ID }); i >= 0 {
		return p, p.Traffic[i], nil
	}
	zone, err := p.zone()
	if err != nil {
		return p, Traffic{}, err
	}
	today := period.DayOf(at, zone)
	v, err := c.At(today)
	if err != nil {
		return p, Traffic{}, err
	}
	discount, err := tx.TrafficDiscount(ctx, p.Payer, o.Item)
	if err != nil {
		return p, Traffic{}, err
	}
	t, err := PriceTraffic(v, o.Item, o.Capacity, discount)
	if err != nil {
		return p, Traffic{}, err
	}
	if t.First, err = tx.OpenDay(ctx, p.Site, today); err != nil {
		return p, Traffic{}, err
	}
	if t.First.Before(p.First) {
		t.First = p.First
	}
	if t.First.After(p.Last) {
		return p, Traffic{}, ErrEnded.With("last", p.Last.String())
	}
	t.ID, t.BoughtAt = o.ID, at
	if err := tx.InsertTraffic(ctx, p.ID, t); err != nil {
		return p, Traffic{}, fmt.Errorf("keep a traffic package of %s: %w", p.ID, err)
	}
	p.Traffic = append(p.Traffic, t)
	return p, t, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "package.traffic_added", Subject: p.ID,
		Detail: map[string]string{"item": t.Item, "capacity": strconv.FormatInt(t.Capacity, 10), "discount": t.Discount.String(), "day_price": t.Price.String(), "first": t.First.String()},
	})
}

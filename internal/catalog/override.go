package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// Faults of prices that are agreed with a payer.
var (
	ErrPrice           = fault.New(fault.Invalid, "price_malformed", "Enter a price that is not negative, with at most 9 digits before the point and 6 after it, such as 1.25.")
	ErrGroup           = fault.New(fault.Invalid, "price_group_unknown", "Choose the group of sites that the price is for.")
	ErrOverrideFrom    = fault.New(fault.Invalid, "override_from", "The price can begin on a day to come only.")
	ErrOverrideLast    = fault.New(fault.Invalid, "override_last", "The last day must not lie before the first.")
	ErrOverrideReason  = fault.New(fault.Invalid, "override_reason", "Say why, in at most 300 characters.")
	ErrOverrideOverlap = fault.New(fault.Conflict, "override_overlap", "Another agreed price of this account holds for the same item, group and class on some of these days.")
	ErrOverrideUnknown = fault.New(fault.NotFound, "override_unknown", "There is no such agreed price.")
	ErrOverrideEnded   = fault.New(fault.Conflict, "override_ended", "This agreed price has ended already.")
	ErrOverrideMany    = fault.New(fault.Conflict, "override_too_many", "An account can have at most 1000 agreed prices.")
)

// overrideID is how the names of agreed prices begin.
const overrideID = "prce"

// Bounds of agreed prices.
const (
	maxReason    = 300
	mostOfAPayer = 1000
)

// Override is a price agreed with one payer. It stands in for the catalogue's
// from its first day to its last; days that have begun keep their prices.
type Override struct {
	ID      string
	Payer   string
	Item    string
	Market  Market
	Class   string
	Price   quantity.Decimal
	From    period.Day
	Last    period.Day // zero while no end is known; before From when it was withdrawn
	Reason  string
	AddedBy string
	AddedAt time.Time
}

// Holds reports whether the price holds on the day.
func (o Override) Holds(day period.Day) bool {
	return !day.Before(o.From) && (o.Last.IsZero() || !day.After(o.Last))
}

// Withdrawn reports whether it was taken back before it began.
func (o Override) Withdrawn() bool { return !o.Last.IsZero() && o.Last.Before(o.From) }

// State says where the price stands on a day: coming, now, ended or withdrawn.
func (o Override) State(today period.Day) string {
	switch {
	case o.Withdrawn():
		return "withdrawn"
	case o.From.After(today):
		return "coming"
	case !o.Last.IsZero() && o.Last.Before(today):
		return "ended"
	}
	return "now"
}

// overlaps reports whether both hold for the same thing on some day.
func (o Override) overlaps(p Override) bool {
	if o.Item != p.Item || o.Market != p.Market || o.Class != p.Class || o.Withdrawn() || p.Withdrawn() {
		return false
	}
	return (o.Last.IsZero() || !o.Last.Before(p.From)) && (p.Last.IsZero() || !p.Last.Before(o.From))
}

// InForce are those of the overrides that hold on the day.
func InForce(all []Override, day period.Day) []Override {
	var hold []Override
	for _, o := range all {
		if o.Holds(day) {
			hold = append(hold, o)
		}
	}
	return hold
}

// Agreement is what an operator types to agree a price.
type Agreement struct {
	Item   string
	Group  site.Group
	Class  string
	Price  string
	From   string
	Last   string // empty: until further notice
	Reason string
}

// OverrideTx is what agreed prices need of a transaction.
type OverrideTx interface {
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	// KeepOverrides keeps others from changing agreed prices until the transaction ends.
	KeepOverrides(ctx context.Context) error
	// OverridesOf lists the agreed prices of a payer, by their first day.
	OverridesOf(ctx context.Context, payer string) ([]Override, error)
	// InsertOverride keeps an agreed price.
	InsertOverride(ctx context.Context, o Override) error
	// EndOverride sets the last day of an agreed price.
	EndOverride(ctx context.Context, id string, last period.Day) error
	Audit(ctx context.Context, e audit.Entry) error
}

// Agree keeps a price for a payer, in the currency of the account. It is
// checked as the catalogue's prices are; all that is wrong is named at once.
func (c *Catalog) Agree(ctx context.Context, tx OverrideTx, payer string, typed Agreement, by Actor, at time.Time) (Override, error) {
	a, err := tx.BillingByID(ctx, payer)
	if err != nil {
		return Override{}, err
	}
	o, err := c.agreement(typed, a.Currency, at)
	if err != nil {
		return Override{}, err
	}
	if err := tx.KeepOverrides(ctx); err != nil {
		return Override{}, err
	}
	others, err := tx.OverridesOf(ctx, a.ID)
	if err != nil {
		return Override{}, fmt.Errorf("agreed prices of %s: %w", a.ID, err)
	}
	if len(others) >= mostOfAPayer {
		return Override{}, ErrOverrideMany
	}
	for _, other := range others {
		if o.overlaps(other) {
			return Override{}, fault.Fields{ErrOverrideOverlap.On("from").With("other", other.ID)}
		}
	}
	o.ID, o.Payer, o.AddedBy, o.AddedAt = id.New(overrideID), a.ID, by.ID, at
	if err := tx.InsertOverride(ctx, o); err != nil {
		return Override{}, fmt.Errorf("keep an agreed price of %s: %w", a.ID, err)
	}
	return o, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.ID, Address: by.Address, Action: "price.agreed", Subject: a.ID, Detail: o.detail(),
	})
}

func (o Override) detail() map[string]string {
	d := map[string]string{
		"override": o.ID, "item": o.Item, "market": o.Market.String(), "class": o.Class, "price": o.Price.String(),
		"from": o.From.String(), "reason": o.Reason,
	}
	if !o.Last.IsZero() {
		d["last"] = o.Last.String()
	}
	return d
}

// agreement reads what was typed.
func (c *Catalog) agreement(typed Agreement, currency money.Currency, at time.Time) (Override, error) {
	o := Override{Item: typed.Item, Market: Market{currency, typed.Group}, Class: typed.Class, Reason: strings.TrimSpace(typed.Reason)}
	var wrong fault.Fields
	var price builder
	if o.Price = price.decimal("", strings.TrimSpace(typed.Price)); len(price.problems) > 0 {
		wrong = append(wrong, ErrPrice.On("price"))
	}
	sites := inGroup(typed.Group)
	if len(sites) == 0 {
		wrong = append(wrong, ErrGroup.On("group"))
		sites = site.All()
	}
	today := Today(at, sites)
	var err error
	if o.From, err = period.ParseDay(typed.From); err != nil {
		wrong = append(wrong, fault.From(err).On("from"))
	} else if !o.From.After(today) {
		wrong = append(wrong, ErrOverrideFrom.Says("%s has begun already. The price can begin on a later day only.", today).With("today", today.String()).On("from"))
	}
	if typed.Last != "" {
		if o.Last, err = period.ParseDay(typed.Last); err != nil {
			wrong = append(wrong, fault.From(err).On("last"))
		} else if !o.From.IsZero() && o.Last.Before(o.From) {
			wrong = append(wrong, ErrOverrideLast.On("last"))
		}
	}
	if n := len([]rune(o.Reason)); n == 0 || n > maxReason {
		wrong = append(wrong, ErrOverrideReason.On("reason"))
	}
	day := o.From
	if day.IsZero() {
		day = today
	}
	return o, append(wrong, c.sold(o, day, len(inGroup(typed.Group)) > 0)...).OrNil()
}

// sold checks that the catalogue has a price that the agreed one stands in for.
func (c *Catalog) sold(o Override, day period.Day, grouped bool) fault.Fields {
	v, err := c.At(day)
	if err != nil {
		return fault.Fields{fault.From(err).On("from")}
	}
	item, err := v.Item(o.Item)
	switch {
	case err != nil:
		return fault.Fields{fault.From(err).On("item")}
	case !item.PayAsYouGo:
		return fault.Fields{ErrNotSold.On("item").With("item", item.ID)}
	case grouped && !item.SoldIn(o.Market):
		return fault.Fields{ErrNotSold.On("group").With("item", item.ID)}
	}
	for _, class := range item.Classes {
		if class == o.Class {
			return nil
		}
	}
	return fault.Fields{ErrClassUnknown.On("class").With("item", item.ID).With("class", o.Class)}
}

func inGroup(g site.Group) (sites []site.Site) {
	for _, s := range site.All() {
		if s.Group == g {
			sites = append(sites, s)
		}
	}
	return sites
}

// End lets an agreed price hold through the day that has begun, and no longer;
// one that has not begun is withdrawn.
func (c *Catalog) End(ctx context.Context, tx OverrideTx, payer, overrideID string, by Actor, at time.Time) (Override, error) {
	if err := tx.KeepOverrides(ctx); err != nil {
		return Override{}, err
	}
	all, err := tx.OverridesOf(ctx, payer)
	if err != nil {
		return Override{}, fmt.Errorf("agreed prices of %s: %w", payer, err)
	}
	for _, o := range all {
		if o.ID != overrideID {
			continue
		}
		today := Today(at, inGroup(o.Market.Group))
		if !o.Last.IsZero() && !o.Last.After(today) || o.Withdrawn() {
			return Override{}, ErrOverrideEnded
		}
		o.Last = today
		if today.Before(o.From) {
			o.Last = o.From.Add(-1)
		}
		if err := tx.EndOverride(ctx, o.ID, o.Last); err != nil {
			return Override{}, fmt.Errorf("end agreed price %s: %w", o.ID, err)
		}
		return o, tx.Audit(ctx, audit.Entry{
			At: at, Actor: by.ID, Address: by.Address, Action: "price.ended", Subject: payer, Detail: o.detail(),
		})
	}
	return Override{}, ErrOverrideUnknown
}

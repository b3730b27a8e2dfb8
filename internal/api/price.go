package api

import (
	"time"
	"tollgate.dev/internal/account"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// prices are those that the operator agrees with single accounts.
func (s *server) prices() []route {
	const all = "/operator/accounts/{account_id}/prices"
	return []route{
		reads(onDuty(get, all, account.Look, "list-agreed-prices", "Prices agreed with an account, by their first day"), s.listPrices),
		writes(onDuty(post, all, account.KeepPrices, "agree-price", "Agree a price with an account, from a day to come"), created, s.agreePrice),
		writes(onDuty(post, all+"/{price_id}/end", account.KeepPrices, "end-agreed-price", "End an agreed price with the day that has begun, or withdraw one that has not begun"), ok, s.endPrice),
	}
}

// AgreedPrice stands in for the catalogue's on the bills of one account.
type AgreedPrice struct {
	ID        string    `json:"id"`
	Item      string    `json:"item" example:"logs"`
	Group     string    `json:"group" enum:"china,international" doc:"The sites that it is for."`
	Currency  string    `json:"currency" doc:"Of the account."`
	Class     string    `json:"class" doc:"The retention class, or none."`
	Price     string    `json:"price" doc:"A decimal: of one unit a day."`
	ListPrice string    `json:"list_price,omitempty" doc:"A decimal: the catalogue's on the first day; missing where it has none."`
	From      string    `json:"from" format:"date"`
	Last      string    `json:"last,omitempty" format:"date" doc:"The last day; missing while no end is known."`
	State     string    `json:"state" enum:"coming,now,ended,withdrawn"`
	Reason    string    `json:"reason"`
	AddedBy   string    `json:"added_by"`
	AddedAt   time.Time `json:"added_at"`
}

func (s *server) priceOf(o catalog.Override, today period.Day) AgreedPrice {
	p := AgreedPrice{
		ID: o.ID, Item: o.Item, Group: string(o.Market.Group), Currency: string(o.Market.Currency), Class: o.Class, Price: o.Price.String(),
		From: o.From.String(), State: o.State(today), Reason: o.Reason, AddedBy: o.AddedBy, AddedAt: o.AddedAt.UTC(),
	}
	if !o.Last.IsZero() && !o.Withdrawn() {
		p.Last = o.Last.String()
	}
	if v, err := s.Catalog.At(o.From); err == nil {
		if item, err := v.Item(o.Item); err == nil {
			if list, err := item.Price(o.Market.Currency, o.Market.Group, o.Class); err == nil {
				p.ListPrice = list.String()
			}
		}
	}
	return p
}

// OfAccount names a Billing Center account.
type OfAccount struct {
	AccountID string `path:"account_id" maxLength:"64"`
}

func (s *server) listPrices(c *call, in *struct {
	OfAccount
	Paged
}) (*Page[AgreedPrice], error) {
	a, err := c.tx.BillingByID(c, in.AccountID)
	if err != nil {
		return nil, err
	}
	all, err := c.tx.OverridesOf(c, a.ID)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "agreed_prices."+a.ID, all, func(o catalog.Override) string { return o.ID }, func(o catalog.Override) AgreedPrice { return s.priceOf(o, c.today()) })
}

// pricing is a price as it is typed; the noun checks it.
type pricing struct {
	OfAccount
	Body struct {
		Item   string `json:"item" maxLength:"64"`
		Group  string `json:"group" maxLength:"32" doc:"china or international." example:"china"`
		Class  string `json:"class" maxLength:"16" doc:"The retention class, or none." example:"14d"`
		Price  string `json:"price" maxLength:"32" doc:"A decimal of at most 9 digits before the point and 6 after it." example:"1.25"`
		From   string `json:"from" maxLength:"10" doc:"The first day: one to come." example:"2026-04-01"`
		Last   string `json:"last,omitempty" maxLength:"10" doc:"The last day; none where nothing is said."`
		Reason string `json:"reason" maxLength:"1024"`
	}
}

func (s *server) agreePrice(c *call, in *pricing) (*AgreedPrice, error) {
	b := in.Body
	typed := catalog.Agreement{Item: b.Item, Group: site.Group(b.Group), Class: b.Class, Price: b.Price, From: b.From, Last: b.Last, Reason: b.Reason}
	o, err := s.Catalog.Agree(c, c.tx, in.AccountID, typed, c.pricer(), c.at)
	if err != nil {
		return nil, err
	}
	p := s.priceOf(o, c.today())
	return &p, nil
}

// priced names an agreed price.
type priced struct {
	OfAccount
	PriceID string `path:"price_id" maxLength:"64"`
}

func (s *server) endPrice(c *call, in *priced) (*AgreedPrice, error) {
	o, err := s.Catalog.End(c, c.tx, in.AccountID, in.PriceID, c.pricer(), c.at)
	if err != nil {
		return nil, err
	}
	p := s.priceOf(o, c.today())
	return &p, nil
}

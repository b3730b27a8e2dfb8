package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

// priceCommand says what a day's usage costs, by the rater of the daily bill.
type priceCommand struct {
	Usage []string `arg:"" optional:"" name:"usage" help:"ITEM[@CLASS]=QUANTITY, such as logs@30d=4000000 or sms=37. An item with two counters also takes them by name: apm_trace@7d=trace_ids:1000,spans:25000, rum_pv@3d=page_views:2000,events:150000."`

	Currency string `help:"CNY or USD; empty is the account's, or else that of the group's Billing Center."`
	Group    string `help:"Price group of the site: china or international." default:"china"`
	Date     string `help:"Service day, such as 2026-03-01, which picks the catalogue version; empty is today."`
	Catalog  string `help:"A catalogue file in place of the one that is shipped." type:"path"`
	Data     string `help:"Data folder of an installation, whose catalogue is used with the versions that were added to it." type:"path"`
	Store    string `help:"The installation's store: sqlite:PATH or postgres://…"`
	Account  string `help:"A Billing Center account of the installation, by ID or user name: the prices agreed with it are used."`
	Output   string `short:"o" help:"text or json." default:"text"`
}

// Bounds of what is asked. A day's bill beyond bill.MostADay is never charged,
// so none is calculated here either.
const (
	mostArguments = 1000
	mostQuantity  = 1_000_000_000_000_000
)

// Run prints the lines and their total. What is wrong is named all at once.
func (c *priceCommand) Run(ctx context.Context) error {
	q, problems := c.quote(ctx, period.DayOf(time.Now(), time.UTC))
	if len(problems) > 0 {
		for _, p := range problems {
			fmt.Fprintln(os.Stderr, "tollgate price:", p)
		}
		return &exit{2}
	}
	if c.Output == "json" {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(q)
	}
	return q.text(os.Stdout)
}

// quote is a day's bill before anybody has to pay it.
type quote struct {
	Catalog  string      `json:"catalog"`
	Account  string      `json:"account,omitempty"` // whose agreed prices were used
	Currency string      `json:"currency"`
	Group    string      `json:"group"`
	Lines    []quoteLine `json:"lines"`
	Total    string      `json:"total"`
}

type quoteLine struct {
	Item      string `json:"item"`
	Class     string `json:"class"`
	Quantity  string `json:"quantity"`
	Units     string `json:"units"`
	UnitPrice string `json:"unit_price"`
	Exact     string `json:"exact"`
	Amount    string `json:"amount"`
	Override  string `json:"override,omitempty"` // the agreed price that was used
}

// pricing collects what is to be priced and what is wrong with it.
type pricing struct {
	catalog    *catalog.Catalog
	today      period.Day
	version    *catalog.Version
	market     catalog.Market
	payer      account.Billing // zero: nobody's
	agreed     []catalog.Override
	quantities []usage.Quantity
	arguments  map[usage.Quantity]string // by item and class
	problems   []string
}

func (p *pricing) wrong(subject, format string, args ...any) {
	p.problems = append(p.problems, subject+": "+fmt.Sprintf(format, args...))
}

func (c *priceCommand) quote(ctx context.Context, today period.Day) (quote, []string) {
	p := &pricing{today: today, arguments: map[usage.Quantity]string{}}
	c.source(ctx, p)
	c.market(p)
	c.version(p)
	if c.Output != "text" && c.Output != "json" {
		p.wrong("--output", "%q is neither text nor json", c.Output)
	}
	switch {
	case len(c.Usage) == 0:
		p.wrong("usage", "name what was used, such as logs@30d=4000000")
	case len(c.Usage) > mostArguments:
		p.wrong("usage", "at most %d items can be priced at once", mostArguments)
	case p.version != nil:
		for _, argument := range c.Usage {
			p.read(argument)
		}
	}
	if len(p.problems) > 0 {
		return quote{}, p.problems
	}
	return p.rate()
}

func (c *priceCommand) market(p *pricing) {
	p.market.Group = site.Group(c.Group)
	currency := money.CNY
	switch p.market.Group {
	case site.China:
	case site.International:
		currency = money.USD
	default:
		p.wrong("--group", "%q is neither china nor international", c.Group)
	}
	if p.payer.ID != "" {
		currency = p.payer.Currency
	}
	if c.Currency != "" {
		var err error
		if currency, err = money.ParseCurrency(c.Currency); err != nil {
			p.wrong("--currency", "%q is neither CNY nor USD", c.Currency)
		} else if p.payer.ID != "" && currency != p.payer.Currency {
			p.wrong("--currency", "the account %s is billed in %s", p.payer.UserName, p.payer.Currency)
		}
	}
	p.market.Currency = currency
}

// version picks the prices of the day, with those that are agreed.
func (c *priceCommand) version(p *pricing) {
	day := p.today
	if c.Date != "" {
		var err error
		if day, err = period.ParseDay(c.Date); err != nil {
			p.wrong("--date", "%q is no date such as 2026-03-01", c.Date)
			return
		}
	}
	if p.catalog == nil {
		return
	}
	v, err := p.catalog.At(day)
	if err != nil {
		p.wrong("--date", "the catalogue has no prices for %s", day)
		return
	}
	p.version, p.agreed = v, catalog.InForce(p.agreed, day)
}

// read takes one argument: what it names must be sold, in this class, here.
func (p *pricing) read(argument string) {
	before := len(p.problems)
	name, amount, ok := strings.Cut(argument, "=")
	id, class, classed := strings.Cut(name, "@")
	if !ok || id == "" || amount == "" || classed && class == "" {
		p.wrong(argument, "is not ITEM@CLASS=QUANTITY, or ITEM=QUANTITY")
		return
	}
	item, err := p.version.Item(id)
	if err != nil {
		p.wrong(argument, "there is no billing item %q; there are %s", id, strings.Join(p.sold(), ", "))
		return
	}
	if !classed && item.Flat() {
		class = catalog.NoClass
	}
	samples := p.samples(argument, item, class, amount)
	p.sellable(argument, item, class, classed)
	if len(p.problems) > before {
		return
	}
	key := usage.Quantity{Item: item.ID, Class: class}
	if first, twice := p.arguments[key]; twice {
		p.wrong(argument, "names the same item and class as %s", first)
		return
	}
	p.arguments[key] = argument
	day, err := usage.Quantities(p.version, samples)
	switch {
	case err != nil:
		p.wrong(argument, "%s", fault.From(err).Message)
	case len(day) == 0: // a bill leaves out what was not used; whoever asks sees that it is free
		p.quantities = append(p.quantities, key)
	default:
		p.quantities = append(p.quantities, day...)
	}
}

func (p *pricing) sold() []string {
	var ids []string
	for _, item := range p.version.Items {
		if item.PayAsYouGo && item.SoldIn(p.market) {
			ids = append(ids, item.ID)
		}
	}
	return ids
}

func (p *pricing) sellable(argument string, item catalog.Item, class string, classed bool) {
	switch {
	case !item.PayAsYouGo:
		p.wrong(argument, "%s is sold within annual packages only", item.ID)
	case slices.Contains(catalog.Markets(), p.market) && !item.SoldIn(p.market): // else the market was wrong, and that was said
		p.wrong(argument, "%s is not sold in %s at sites of the group %s", item.ID, p.market.Currency, p.market.Group)
	}
	switch {
	case slices.Contains(item.Classes, class):
	case item.Flat():
		p.wrong(argument, "%s has one price whatever the class; leave out @%s", item.ID, class)
	case !classed:
		p.wrong(argument, "%s needs its retention class: %s", item.ID, classesOf(item))
	default:
		p.wrong(argument, "%s has no class %q; it has %s", item.ID, class, strings.Join(item.Classes, ", "))
	}
}

// classesOf are the ways to name the item.
func classesOf(item catalog.Item) string {
	ways := make([]string, len(item.Classes))
	for i, class := range item.Classes {
		ways[i] = item.ID + "@" + class
	}
	return strings.Join(ways, ", ")
}

// samples reads a quantity, or the counters of an item that has two.
func (p *pricing) samples(argument string, item catalog.Item, class, amount string) []usage.Sample {
	var samples []usage.Sample
	counted := map[string]bool{}
	for _, part := range strings.Split(amount, ",") {
		name, number, named := strings.Cut(part, ":")
		if !named {
			name, number = "quantity", part
		}
		counter, ok := item.Counter(name)
		switch {
		case !ok:
			p.wrong(argument, "%s has no counter %q; it has %s", item.ID, name, strings.Join(item.CounterNames(), ", "))
			continue
		case counted[counter]:
			p.wrong(argument, "counts %q twice", name)
			continue
		}
		counted[counter] = true
		n, wrong := whole(number)
		if wrong != "" {
			p.wrong(argument, "%s", wrong)
			continue
		}
		samples = append(samples, usage.Sample{Key: usage.Key{Item: item.ID, Class: class, Counter: counter}, Quantity: n})
	}
	return samples
}

// whole reads what was counted, which is never a part of one.
func whole(text string) (n int64, wrong string) {
	d, err := quantity.Parse(text)
	n, isWhole := d.Int()
	switch {
	case errors.Is(err, quantity.ErrTooLarge), err == nil && d.Cmp(quantity.Of(mostQuantity)) > 0:
		return 0, "the quantity " + strconv.Quote(text) + " is larger than any day's can be"
	case err != nil:
		return 0, strconv.Quote(text) + " is no plain whole number"
	case d.Sign() < 0:
		return 0, "the quantity " + text + " is negative"
	case !isWhole:
		return 0, "the quantity " + text + " is no whole number"
	}
	return n, ""
}

func (p *pricing) rate() (quote, []string) {
	slices.SortFunc(p.quantities, func(a, b usage.Quantity) int {
		i, _ := p.version.Position(a.Item)
		j, _ := p.version.Position(b.Item)
		m, _ := catalog.Days(a.Class)
		n, _ := catalog.Days(b.Class)
		return cmp.Or(cmp.Compare(i, j), cmp.Compare(m, n))
	})
	r, err := rate.NewTariff(p.version, p.market, p.agreed...).Rate(p.quantities)
	if err != nil {
		p.wrong("usage", "%s", fault.From(err).Message)
		return quote{}, p.problems
	}
	q := quote{Catalog: r.Version, Account: p.payer.ID, Currency: string(p.market.Currency), Group: string(p.market.Group), Lines: []quoteLine{}, Total: r.Total.String()}
	for _, l := range r.Lines {
		if l.Amount.Minor() > bill.MostADay {
			p.wrong(p.arguments[usage.Quantity{Item: l.Item, Class: l.Class}], "costs %s %s, more than any day's bill can be", p.market.Currency, l.Amount)
		}
		q.Lines = append(q.Lines, quoteLine{
			Item: l.Item, Class: l.Class, Quantity: l.Quantity.Plain(), Units: l.Units.String(),
			UnitPrice: l.UnitPrice.String(), Exact: l.Exact.String(), Amount: l.Amount.String(), Override: l.Override,
		})
	}
	if len(p.problems) == 0 && r.Total.Minor() > bill.MostADay {
		p.wrong("usage", "costs %s %s in all, more than any day's bill can be", p.market.Currency, r.Total)
	}
	return q, p.problems
}

func (q quote) text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "item\tclass\tquantity\tunits\tunit price\texact\tamount\t")
	agreed := ""
	for _, l := range q.Lines {
		if l.Override != "" {
			agreed += fmt.Sprintf("%s %s: a price agreed with the account, %s\n", l.Item, l.Class, l.Override)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", l.Item, l.Class, l.Quantity, l.Units, l.UnitPrice, l.Exact, l.Amount)
	}
	fmt.Fprintf(t, "total\t\t\t\t\t%s\t%s\t\n", q.Currency, q.Total)
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%scatalogue %s, a day at a site of the group %s\n", agreed, q.Catalog, q.Group)
	return err
}

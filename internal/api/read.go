package api

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// readings is what a key opens: balances, bill lines and their sums (domain
// section 9, OpenAPI; docs/api.md has the table of names).
func (s *server) readings() []route {
	return []route{
		reads(line(get, "/billing/balance", Reader, workspace.PayBilling, "read-balance", "What the payer has, and owes"), readBalance),
		reads(line(get, "/billing/lines", Reader, workspace.ViewBilling, "read-bill-lines", "The lines of the bills of a range of days, the newest day first"), s.readLines),
		reads(line(get, "/billing/summary", Reader, workspace.ViewBilling, "read-summary", "What each item cost in a range of days, and all of them"), s.readSummary),
	}
}

func readBalance(c *call, _ *nothing) (*Balance, error) {
	if c.Key.Holder.Scope == account.AccountKeys {
		return c.balanceOf(c.AccountID)
	}
	if c.Workspace.Payer == "" {
		return nil, ErrExperience
	}
	return c.balanceOf(c.Workspace.Payer)
}

// BillRow is a line of a bill with what its bill says of it.
type BillRow struct {
	Day           string    `json:"day" format:"date" doc:"The service day, in the site's zone."`
	Item          string    `json:"item" example:"session_replay"`
	Name          string    `json:"name" doc:"Of the item, in English."`
	Class         string    `json:"class" doc:"The retention class, or none."`
	Index         string    `json:"index,omitempty" doc:"Of logs: the named index. Absent for the default index."`
	BillingCycle  string    `json:"billing_cycle" enum:"day,month,year,single"`
	Category      string    `json:"category" enum:"pay_as_you_go,package"`
	Quantity      string    `json:"quantity" doc:"A decimal: what was counted."`
	Units         string    `json:"units" doc:"A decimal: the quantity in the units of the price."`
	UnitPrice     string    `json:"unit_price" doc:"A decimal."`
	Currency      string    `json:"currency" doc:"Of all amounts of this line." example:"CNY"`
	Original      string    `json:"original" doc:"A decimal: the line at the list price of the day."`
	Payable       string    `json:"payable" doc:"A decimal: what the line costs."`
	Deducted      string    `json:"deducted" doc:"A decimal: the part of payable that was paid. The five below sum to it."`
	Voucher       string    `json:"voucher"`
	FullReduction string    `json:"full_reduction"`
	Card          string    `json:"card"`
	Cash          string    `json:"cash"`
	Cloud         string    `json:"cloud"`
	Owed          string    `json:"owed" doc:"A decimal: payable without deducted."`
	Settlement    string    `json:"settlement" doc:"Who settled it." example:"billing_center"`
	CloudAccount  string    `json:"cloud_account,omitempty" doc:"Of the subscription that settled it; missing where the Billing Center account did."`
	WorkspaceID   string    `json:"workspace_id"`
	WorkspaceName string    `json:"workspace_name" doc:"As it is called now."`
	BillID        string    `json:"bill_id"`
	BillNumber    string    `json:"bill_number" example:"cn1-2026-000123"`
	IssuedAt      time.Time `json:"issued_at"`
}

// What a line's charge is for. Lines of a daily bill are usage of that day.
const (
	daily     = "day"
	yearly    = "year"
	payPerUse = "pay_as_you_go"
	packaged  = "package"
)

// Span asks for the bills of a range of days.
type Span struct {
	From        string `query:"from" required:"true" maxLength:"10" doc:"The first service day." example:"2026-03-01"`
	To          string `query:"to" required:"true" maxLength:"10" doc:"The last one; at most 400 days with it." example:"2026-03-31"`
	WorkspaceID string `query:"workspace_id" maxLength:"64" doc:"Of an account's key: of this workspace only."`
}

// reach is which bills a key reads.
type reach struct {
	payer       string // empty for a workspace's key
	workspaceID string // empty for all that the account pays
	first, last period.Day
}

// holds reports whether a bill is within reach.
func (r reach) holds(b bill.Bill) bool {
	return (r.payer == "" || b.Payer == r.payer) && (r.workspaceID == "" || b.WorkspaceID == r.workspaceID) &&
		!b.Day.Before(r.first) && !b.Day.After(r.last)
}

// reach checks what is asked for, field by field.
func (c *call) reach(in Span) (reach, error) {
	var list fault.Fields
	to := reach{workspaceID: in.WorkspaceID}
	for _, end := range []struct {
		field, typed string
		day          *period.Day
	}{{"from", in.From, &to.first}, {"to", in.To, &to.last}} {
		day, err := period.ParseDay(end.typed)
		if err != nil {
			list = append(list, fault.From(err).On(end.field))
		}
		*end.day = day
	}
	if len(list) > 0 {
		return to, list
	}
	if wrong := period.Range(to.first, to.last, bill.LongestRange); wrong != nil {
		return to, wrong
	}
	return to, c.within(&to)
}

// within keeps a key to what it may see.
func (c *call) within(to *reach) error {
	if c.Key.Holder.Scope == account.WorkspaceKeys {
		if to.workspaceID != "" && to.workspaceID != c.Workspace.ID {
			return workspace.ErrUnknown.On("workspace_id")
		}
		to.workspaceID = c.Workspace.ID
		return nil
	}
	to.payer = c.AccountID
	if to.workspaceID == "" {
		return nil
	}
	w, err := c.tx.Workspace(c, to.workspaceID)
	if err == nil && w.Payer == to.payer {
		return nil
	}
	if err != nil && !isFault(err, workspace.ErrUnknown) {
		return err
	}
	ever := store.BillQuery{Payer: to.payer, WorkspaceID: to.workspaceID, First: period.MustParseDay("0001-01-01"), Last: period.MustParseDay("9999-12-31")}
	paid, err := c.tx.BillsPage(c, ever, "", 1)
	if err == nil && len(paid) == 0 {
		err = workspace.ErrUnknown.On("workspace_id")
	}
	return err
}

// bills lists bills within reach, the newest day first, after the given one.
func (c *call) bills(of reach, after *bill.Bill, limit int) ([]bill.Bill, error) {
	if of.payer != "" {
		place := ""
		if after != nil {
			place = after.ID
		}
		return c.tx.BillsPage(c, store.BillQuery{Payer: of.payer, WorkspaceID: of.workspaceID, First: of.first, Last: of.last}, place, limit)
	}
	if after != nil {
		of.last = after.Day.Add(-1)
	}
	return c.tx.BillsOf(c, of.workspaceID, of.first, of.last, limit)
}

// spot is a line of a bill.
type spot struct {
	bill bill.Bill
	line int
}

// name is the spot's place in the list.
func (p spot) name() string { return p.bill.ID + "." + strconv.Itoa(p.line) }

const rowList = "bill_lines"

// reading asks for lines.
type reading struct {
	Paged
	Span
}

func (s *server) readLines(c *call, in *reading) (*Page[BillRow], error) {
	of, err := c.reach(in.Span)
	if err != nil {
		return nil, err
	}
	spots, after, err := c.resume(in.Paged, of)
	if err != nil {
		return nil, err
	}
	for want := in.limit() + 1; len(spots) < want; {
		asked := min(want-len(spots), usualPage)
		bills, err := c.bills(of, after, asked)
		if err != nil {
			return nil, err
		}
		for _, b := range bills {
			spots = append(spots, linesAfter(b, -1)...)
		}
		if len(bills) < asked {
			break
		}
		after = &bills[len(bills)-1]
	}
	names, rows := map[string]string{}, []placed{}
	for _, p := range spots[:min(len(spots), in.limit()+1)] {
		row, err := s.row(c, p, names)
		if err != nil {
			return nil, err
		}
		rows = append(rows, placed{p.name(), row})
	}
	return pageFrom(in.Paged, rowList, rows, func(p placed) string { return p.name }, func(p placed) BillRow { return p.row }), nil
}

// placed is a row with its place in the list.
type placed struct {
	name string
	row  BillRow
}

// resume gives what is left of the bill that a page ended in.
func (c *call) resume(p Paged, of reach) ([]spot, *bill.Bill, error) {
	place, err := p.after(rowList)
	if err != nil || place == "" {
		return nil, nil, err
	}
	billID, number, _ := strings.Cut(place, ".")
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, nil, ErrCursor.On("cursor")
	}
	b, err := c.tx.Bill(c, billID)
	if isFault(err, bill.ErrUnknown) || err == nil && !of.holds(b) {
		err = ErrCursor.On("cursor")
	}
	if err != nil {
		return nil, nil, err
	}
	return linesAfter(b, n), &b, nil
}

func linesAfter(b bill.Bill, line int) []spot {
	var spots []spot
	for i := max(line, -1) + 1; i < len(b.Lines); i++ {
		spots = append(spots, spot{b, i})
	}
	return spots
}

// named finds a workspace's name, once.
func (c *call) named(workspaceID string, names map[string]string) (string, error) {
	if name, known := names[workspaceID]; known {
		return name, nil
	}
	w, err := c.tx.Workspace(c, workspaceID)
	if err != nil {
		return "", fmt.Errorf("workspace of a bill: %w", err)
	}
	names[workspaceID] = w.Name
	return w.Name, nil
}

func (s *server) row(c *call, p spot, names map[string]string) (BillRow, error) {
	b, l := p.bill, p.bill.Lines[p.line]
	name, err := c.named(b.WorkspaceID, names)
	if err != nil {
		return BillRow{}, err
	}
	deducted, err := l.Deducted()
	if err != nil {
		return BillRow{}, err
	}
	original, err := s.original(b, l)
	if err != nil {
		return BillRow{}, err
	}
	paid := paidOf(l.Paid)
	return BillRow{
		Day: b.Day.String(), Item: l.Item, Name: s.nameOf(b.Catalog, l.Item), Class: l.Class, Index: l.Index,
		BillingCycle: daily, Category: category(l),
		Quantity: l.Quantity.Plain(), Units: l.Units.String(), UnitPrice: l.UnitPrice.String(),
		Currency: string(b.Market.Currency), Original: original.String(), Payable: l.Amount.String(), Deducted: deducted.String(),
		Voucher: paid.Voucher, FullReduction: paid.FullReduction, Card: paid.Card, Cash: paid.Cash, Cloud: paid.Cloud, Owed: paid.Owed,
		Settlement: string(b.Settlement), WorkspaceID: b.WorkspaceID, WorkspaceName: name,
		BillID: b.ID, BillNumber: b.Number, IssuedAt: local(b.IssuedAt, b.Site),
	}, nil
}

// category is whether an annual package covers the item of the line.
func category(l bill.Line) string {
	if l.Package != nil {
		return packaged
	}
	return payPerUse
}

// original is the line at the list price of its catalogue version; a price
// agreed with the payer or a package makes the two differ. What the catalogue lists no more
// has no other price than the one that was billed.
func (s *server) original(b bill.Bill, l bill.Line) (money.Amount, error) {
	v, err := s.Catalog.Find(b.Catalog)
	if err != nil {
		return l.Amount, nil
	}
	item, err := v.Item(l.Item)
	if err != nil {
		return l.Amount, nil
	}
	listed, err := item.Price(b.Market.Currency, b.Market.Group, l.Class)
	if err != nil || l.Package == nil && listed.Cmp(l.UnitPrice) == 0 {
		return l.Amount, nil
	}
	whole, err := rate.NewTariff(v, b.Market).Line(usage.Quantity{Item: l.Item, Class: l.Class, Quantity: l.Quantity})
	return whole.Amount, err
}

// Summary is what each item cost in a range of days.
type Summary struct {
	From     string        `json:"from" format:"date"`
	To       string        `json:"to" format:"date"`
	Currency string        `json:"currency" doc:"Of all amounts."`
	Bills    int           `json:"bills" doc:"How many were summed. Days without a bill yet are not in it."`
	Items    []SummaryItem `json:"items" nullable:"false" doc:"Those that cost something or were used, in the order of the catalogue."`
	Total    string        `json:"total" doc:"A decimal: the sum of the items, and of the bills."`
	Paid     Paid          `json:"paid" doc:"The total by what paid it."`
}

// SummaryItem is the part of one item.
type SummaryItem struct {
	Item   string `json:"item"`
	Name   string `json:"name"`
	Amount string `json:"amount" doc:"A decimal."`
}

// summing asks for sums.
type summing struct {
	Span
	Currency string `query:"currency" enum:"CNY,USD" doc:"Of the bills to sum; needed where they are in more than one."`
}

// readAtOnce is how many bills are held in memory to be summed.
const readAtOnce = 500

func (s *server) readSummary(c *call, in *summing) (*Summary, error) {
	of, err := c.reach(in.Span)
	if err != nil {
		return nil, err
	}
	tally, newest := bill.NewTally(money.Currency(in.Currency)), ""
	var after *bill.Bill
	for {
		bills, err := c.bills(of, after, readAtOnce)
		if err != nil {
			return nil, err
		}
		for _, b := range bills {
			if in.Currency != "" && string(b.Market.Currency) != in.Currency {
				continue
			}
			if newest == "" {
				newest = b.Catalog
			}
			if err := tally.Add(b); err != nil {
				return nil, err
			}
		}
		if len(bills) < readAtOnce {
			break
		}
		after = &bills[len(bills)-1]
	}
	currency := string(tally.Currency)
	if currency == "" {
		currency, err = c.usualCurrency()
	}
	return &Summary{
		From: in.From, To: in.To, Currency: currency, Bills: tally.Bills, Items: s.items(tally, newest),
		Total: tally.Total.String(), Paid: paidOf(tally.Paid),
	}, err
}

// usualCurrency is the one that the bills would be in, were there any.
func (c *call) usualCurrency() (string, error) {
	if c.Key.Holder.Scope == account.AccountKeys {
		return string(c.Billing.Currency), nil
	}
	s, err := site.Find(c.Workspace.Site)
	return string(s.Currency), err
}

// items lists the parts in the order of a catalogue version; what it has no
// more stands behind.
func (s *server) items(t *bill.Tally, version string) []SummaryItem {
	place := map[string]int{}
	if v, err := s.Catalog.Find(version); err == nil {
		for i, item := range v.Items {
			place[item.ID] = i - len(v.Items)
		}
	}
	list := []SummaryItem{}
	for item, amount := range t.Items {
		list = append(list, SummaryItem{item, s.nameOf(version, item), amount.String()})
	}
	slices.SortFunc(list, func(a, b SummaryItem) int {
		return cmp.Or(cmp.Compare(place[a.Item], place[b.Item]), cmp.Compare(a.Item, b.Item))
	})
	return list
}

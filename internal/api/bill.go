package api

import (
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Amount is a sum of money.
type Amount struct {
	Amount   string `json:"amount" doc:"A decimal." example:"12.50"`
	Currency string `json:"currency" example:"CNY"`
}

func amountOf(a money.Amount) Amount { return Amount{a.String(), string(a.Currency())} }

// Bill is what one workspace used on one service day.
type Bill struct {
	ID          string     `json:"id"`
	Number      string     `json:"number" example:"cn1-2026-000123"`
	WorkspaceID string     `json:"workspace_id"`
	Site        string     `json:"site"`
	Day         string     `json:"day" format:"date"`
	Settlement  string     `json:"settlement" doc:"Who settles it." example:"billing_center"`
	Catalog     string     `json:"catalog" doc:"The version of the prices."`
	Total       Amount     `json:"total"`
	Paid        Paid       `json:"paid"`
	Entry       int64      `json:"entry,omitempty" doc:"The number of the payer's ledger entry that paid it, and maybe other bills of the day; absent where nothing was to be paid."`
	IssuedAt    time.Time  `json:"issued_at"`
	Lines       []BillLine `json:"lines,omitempty" doc:"Only where one bill is asked for."`
}

// BillLine is one charge.
type BillLine struct {
	Item      string       `json:"item" example:"logs"`
	Name      string       `json:"name"`
	Class     string       `json:"class" doc:"The retention class, or none." example:"14d"`
	Index     string       `json:"index,omitempty" doc:"Of logs: the named index, which has a line of its own. Absent for the default index." example:"nginx"`
	Quantity  string       `json:"quantity" doc:"A decimal: what was counted."`
	Units     string       `json:"units" doc:"A decimal: the quantity in the units of the price."`
	UnitPrice string       `json:"unit_price" doc:"A decimal."`
	Override  string       `json:"override,omitempty" doc:"The price agreed with the payer that stood in for the catalogue's; absent where none did."`
	Package   *LineCover   `json:"package,omitempty" doc:"What an annual package covered of the line, whose units are those of the excess; absent where none covers the item."`
	Exact     string       `json:"exact" doc:"A decimal: units times price, before rounding."`
	Amount    Amount       `json:"amount"`
	Paid      Paid         `json:"paid"`
	Sources   []SourcePart `json:"sources,omitempty" doc:"Which vouchers and cards paid, in their order."`
}

// LineCover is what an annual package did for a line.
type LineCover struct {
	ID        string `json:"id" doc:"Of the package."`
	Factor    string `json:"factor" doc:"A decimal: how many times a quantity of the class counts against the quota."`
	Converted string `json:"converted" doc:"A decimal: the quantity times the factor."`
	Covered   string `json:"covered" doc:"A decimal: what the quota of the day still had of it."`
	Excess    string `json:"excess" doc:"A decimal: the rest, which is billed."`
}

func coverOf(c *rate.Cover) *LineCover {
	if c == nil {
		return nil
	}
	return &LineCover{c.Package, c.Factor.Plain(), c.Converted.Plain(), c.Covered.Plain(), c.Excess.Plain()}
}

// SourcePart is what one voucher or card paid.
type SourcePart struct {
	Payment string `json:"payment" enum:"voucher,full_reduction,card"`
	ID      string `json:"id" doc:"The voucher or card."`
	Amount  string `json:"amount" doc:"A decimal, in the bill's currency."`
}

// Paid is an amount by what paid it: decimals, in the bill's currency.
type Paid struct {
	Voucher       string `json:"voucher"`
	FullReduction string `json:"full_reduction"`
	Card          string `json:"card"`
	Cash          string `json:"cash"`
	Cloud         string `json:"cloud"`
	Owed          string `json:"owed" doc:"What nothing covered: arrears."`
}

func paidOf(p bill.Paid) Paid {
	return Paid{
		Voucher: p.Voucher.String(), FullReduction: p.FullReduction.String(), Card: p.Card.String(),
		Cash: p.Cash.String(), Cloud: p.Cloud.String(), Owed: p.Owed.String(),
	}
}

func billOf(b bill.Bill) Bill {
	return Bill{
		ID: b.ID, Number: b.Number, WorkspaceID: b.WorkspaceID, Site: string(b.Site), Day: b.Day.String(),
		Settlement: string(b.Settlement), Catalog: b.Catalog, Total: amountOf(b.Total), Paid: paidOf(b.Paid),
		Entry: b.Entry, IssuedAt: local(b.IssuedAt, b.Site),
	}
}

// whole is the bill with its lines.
func (s *server) whole(b bill.Bill) *Bill {
	shown := billOf(b)
	shown.Lines = make([]BillLine, 0, len(b.Lines))
	for _, l := range b.Lines {
		shown.Lines = append(shown.Lines, billLineOf(s.nameOf(b.Catalog, l.Item), l))
	}
	return &shown
}

func billLineOf(name string, l bill.Line) BillLine {
	shown := BillLine{
		Item: l.Item, Name: name, Class: l.Class, Index: l.Index, Quantity: l.Quantity.Plain(), Units: l.Units.String(),
		UnitPrice: l.UnitPrice.String(), Override: l.Override, Package: coverOf(l.Package), Exact: l.Exact.String(), Amount: amountOf(l.Amount), Paid: paidOf(l.Paid),
	}
	for _, s := range l.Sources {
		shown.Sources = append(shown.Sources, SourcePart{string(s.Payment), s.ID, s.Amount.String()})
	}
	return shown
}

// nameOf is the name that an item had in that version of the catalogue.
func (s *server) nameOf(version, item string) string {
	v, err := s.Catalog.Find(version)
	if err != nil {
		return item
	}
	it, err := v.Item(item)
	if err != nil {
		return item
	}
	return it.Name.En
}

// Days narrows a list to service days, both ends included.
type Days struct {
	From string `query:"from" maxLength:"10" doc:"The first day." example:"2026-03-01"`
	To   string `query:"to" maxLength:"10" doc:"The last day."`
}

func (d Days) bounds() (first, last period.Day, err error) {
	if first, err = dayOr(d.From, "0001-01-01", "from"); err != nil {
		return first, last, err
	}
	if last, err = dayOr(d.To, "9999-12-31", "to"); err == nil && last.Before(first) {
		err = period.ErrReversed.On("to")
	}
	return first, last, err
}

func dayOr(typed, otherwise, field string) (period.Day, error) {
	if typed == "" {
		return period.MustParseDay(otherwise), nil
	}
	day, err := period.ParseDay(typed)
	if err != nil {
		return day, fault.From(err).On(field)
	}
	return day, nil
}

// billing lists bills inside a workspace.
type billing struct {
	Listing
	Days
}

func listBills(c *call, in *billing) (*Page[Bill], error) {
	first, last, err := in.bounds()
	if err != nil {
		return nil, err
	}
	place, err := in.after("bills")
	if err != nil {
		return nil, err
	}
	if place != "" {
		day, err := period.ParseDay(place)
		if err != nil {
			return nil, ErrCursor.On("cursor")
		}
		if day = day.Add(-1); day.Before(last) {
			last = day
		}
	}
	bills, err := c.tx.BillsOf(c, in.WorkspaceID, first, last, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "bills", bills, func(b bill.Bill) string { return b.Day.String() }, billOf), nil
}

// billIn names a bill of a workspace.
type billIn struct {
	Inside
	BillID string `path:"bill_id" maxLength:"64"`
}

func (s *server) showBill(c *call, in *billIn) (*Bill, error) {
	b, err := c.tx.Bill(c, in.BillID)
	if err == nil && b.WorkspaceID != in.WorkspaceID {
		err = bill.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return s.whole(b), nil
}

// MonthToDate is what a workspace's month comes to so far.
type MonthToDate struct {
	Month  string `json:"month" example:"2026-03"`
	Billed Amount `json:"billed" doc:"By the bills of the month."`
	Open   Amount `json:"open" doc:"Estimated: the days without a bill yet, today among them."`
	Total  Amount `json:"total"`

	Forecast *Forecast `json:"forecast,omitempty" doc:"What the whole month is expected to come to; missing until a whole day was closed."`
}

func (s *server) showMonth(c *call, in *Inside) (*MonthToDate, error) {
	if c.Workspace.Plan != workspace.Commercial {
		return nil, ErrExperience
	}
	r, err := bill.MonthToDate(c, c.tx, s.Catalog, c.Workspace, c.at)
	if err != nil {
		return nil, err
	}
	shown := &MonthToDate{Month: r.Month.String(), Billed: amountOf(r.Billed), Open: amountOf(r.Open), Total: amountOf(r.Total)}
	shown.Forecast, err = s.forecast(c)
	return shown, err
}

// paying lists the bills that the account pays.
type paying struct {
	Paged
	Days
	Entry int64 `query:"entry" minimum:"0" doc:"Only those that the entry with this number paid."`
}

func listPaidBills(c *call, in *paying) (*Page[Bill], error) {
	first, last, err := in.bounds()
	if err != nil {
		return nil, err
	}
	place, err := in.after("paid_bills")
	if err != nil {
		return nil, err
	}
	q := store.BillQuery{Payer: c.AccountID, First: first, Last: last, Entry: in.Entry}
	bills, err := c.tx.BillsPage(c, q, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "paid_bills", bills, func(b bill.Bill) string { return b.ID }, billOf), nil
}

// billPaid names a bill that the account pays.
type billPaid struct {
	BillID string `path:"bill_id" maxLength:"64"`
}

func (s *server) showPaidBill(c *call, in *billPaid) (*Bill, error) {
	b, err := c.tx.Bill(c, in.BillID)
	if err == nil && b.Payer != c.AccountID {
		err = bill.ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	return s.whole(b), nil
}

// ErrExperience is asking for money matters of a workspace that has none.
var ErrExperience = fault.New(fault.Conflict, "not_commercial", "This workspace is on the Experience plan: it has no Billing Center account, no settlement and no bill.")

// Balance is what a payer has.
type Balance struct {
	UserName      string     `json:"user_name" doc:"The Billing Center account."`
	Cash          Amount     `json:"cash"`
	Voucher       Amount     `json:"voucher"`
	FullReduction Amount     `json:"full_reduction"`
	Card          Amount     `json:"card"`
	Owed          Amount     `json:"owed" doc:"Arrears, above zero when something is missing."`
	OwedSince     *time.Time `json:"owed_since,omitempty"`
}

func (c *call) balanceOf(accountID string) (*Balance, error) {
	a, err := c.tx.BillingByID(c, accountID)
	if err != nil {
		return nil, err
	}
	b, err := wallet.BalancesOf(c, c.tx, a.ID, a.Currency)
	if err != nil {
		return nil, err
	}
	shown := &Balance{
		UserName: a.UserName, Cash: amountOf(b.Cash), Voucher: amountOf(b.Voucher),
		FullReduction: amountOf(b.FullReduction), Card: amountOf(b.Card), Owed: amountOf(b.Owed),
	}
	if b.Owed.IsZero() {
		return shown, nil
	}
	since, err := c.tx.OwedSince(c, a.ID, a.Currency)
	if !since.IsZero() {
		since = since.UTC()
		shown.OwedSince = &since
	}
	return shown, err
}

func showBalance(c *call, in *Inside) (*Balance, error) {
	if c.Workspace.Payer == "" {
		return nil, ErrExperience
	}
	return c.balanceOf(c.Workspace.Payer)
}

func showOwnBalance(c *call, _ *nothing) (*Balance, error) { return c.balanceOf(c.AccountID) }

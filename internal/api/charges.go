package api

import (
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
)

// accountReadings is what a key of a Billing Center account opens and one of a
// workspace does not: what belongs to the account as a whole.
func (s *server) accountReadings() []route {
	const invoices = "/billing/invoices"
	return []route{
		reads(line(get, "/billing/package-charges", AccountReader, "", "read-package-charges", "What packages cost beside the bills of a range of days, the newest day first"), s.readCharges),
		reads(line(get, invoices, AccountReader, "", "read-invoices", "The account's invoice requests, the newest first, without their lines"), listOwnInvoices),
		reads(line(get, invoices+"/{invoice_id}", AccountReader, "", "read-invoice", "An invoice request with its lines"), showOwnInvoice),
		files(line(get, invoices+"/{invoice_id}/document", AccountReader, "", "read-invoice-document", "An invoice request as a PDF"), s.downloadInvoice),
		reads(line(get, invoices+"/{invoice_id}/file", AccountReader, "", "read-invoice-file", "The invoice itself, where the operator added it"), showOwnInvoiceFile),
	}
}

// PackageCharge is what was charged for a package at once: its purchase, its
// upgrade, or a day of its traffic packages. No bill holds it.
type PackageCharge struct {
	ID           string              `json:"id"`
	Day          string              `json:"day" format:"date" doc:"The service day, in the site's zone."`
	Kind         string              `json:"kind" enum:"package,upgrade,traffic_package"`
	Category     string              `json:"category" enum:"pay_as_you_go,package" doc:"Always package."`
	BillingCycle string              `json:"billing_cycle" enum:"day,month,year,single" doc:"year for a package and its upgrade, day for traffic packages."`
	PackageID    string              `json:"package_id"`
	Site         string              `json:"site"`
	Currency     string              `json:"currency" doc:"Of all amounts." example:"CNY"`
	Payable      string              `json:"payable" doc:"A decimal: the sum of the lines."`
	Paid         Paid                `json:"paid" doc:"Payable by what paid it."`
	Lines        []PackageChargeLine `json:"lines" nullable:"false"`
	IssuedAt     time.Time           `json:"issued_at"`
}

// PackageChargeLine is one part of a charge, with what it was calculated from.
type PackageChargeLine struct {
	Item      string `json:"item" doc:"The size of the package, or the item of the traffic package." example:"starter"`
	TrafficID string `json:"traffic_id,omitempty" doc:"The traffic package; this and what follows to discount are of one."`
	Capacity  int64  `json:"capacity,omitempty" doc:"What it adds a day."`
	Units     string `json:"units,omitempty" doc:"A decimal: the capacity in the units of the price."`
	UnitPrice string `json:"unit_price,omitempty" doc:"A decimal."`
	Discount  string `json:"discount,omitempty" doc:"A decimal: the factor on the price."`
	From      string `json:"from,omitempty" doc:"The size before; this and what follows to days are of an upgrade."`
	Before    string `json:"before,omitempty" doc:"A decimal: the price of that size."`
	After     string `json:"after,omitempty" doc:"A decimal: the price of the new one."`
	DaysLeft  int    `json:"days_left,omitempty" doc:"With the new size, of days."`
	Days      int    `json:"days,omitempty"`
	Original  string `json:"original" doc:"A decimal: the line without the discount."`
	Payable   string `json:"payable" doc:"A decimal."`
	Paid      Paid   `json:"paid" doc:"Payable by what paid it."`
}

// charging asks for the charges of a range of days.
type charging struct {
	Paged
	From string `query:"from" required:"true" maxLength:"10" doc:"The first service day." example:"2026-03-01"`
	To   string `query:"to" required:"true" maxLength:"10" doc:"The last one; at most 400 days with it." example:"2026-03-31"`
}

const chargeList = "package_charges"

func (s *server) readCharges(c *call, in *charging) (*Page[PackageCharge], error) {
	of, err := c.reach(Span{From: in.From, To: in.To})
	if err != nil {
		return nil, err
	}
	place, err := in.after(chargeList)
	if err != nil {
		return nil, err
	}
	if place != "" {
		before, err := c.tx.PackageCharge(c, place)
		switch {
		case isFault(err, prepaid.ErrChargeUnknown), err == nil && before.Payer != c.AccountID:
			return nil, ErrCursor.On("cursor")
		case err != nil:
			return nil, err
		}
	}
	all, err := c.tx.PackageChargesPage(c, c.AccountID, of.first, of.last, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	shown := make([]PackageCharge, 0, len(all))
	for _, charge := range all {
		of, err := chargeOf(charge)
		if err != nil {
			return nil, err
		}
		shown = append(shown, of)
	}
	return pageFrom(in.Paged, chargeList, shown, func(p PackageCharge) string { return p.ID }, func(p PackageCharge) PackageCharge { return p }), nil
}

func chargeOf(c prepaid.Charge) (PackageCharge, error) {
	shown := PackageCharge{
		ID: c.ID, Day: c.Day.String(), Kind: string(c.Kind), Category: packaged, BillingCycle: yearly, PackageID: c.Package, Site: string(c.Site),
		Currency: string(c.Total.Currency()), Payable: c.Total.String(), IssuedAt: local(c.At, c.Site), Lines: make([]PackageChargeLine, 0, len(c.Lines)),
	}
	if c.Kind == prepaid.Daily {
		shown.BillingCycle = daily
	}
	whole := bill.NoPaid(c.Total.Currency())
	for _, l := range c.Lines {
		line, err := chargeLineOf(l, c.Total.Currency())
		if err != nil {
			return shown, err
		}
		for _, part := range l.Paid {
			if err := whole.Add(part.Payment, part.Amount); err != nil {
				return shown, err
			}
		}
		shown.Lines = append(shown.Lines, line)
	}
	shown.Paid = paidOf(whole)
	return shown, nil
}

func chargeLineOf(l prepaid.ChargeLine, currency money.Currency) (PackageChargeLine, error) {
	line := PackageChargeLine{Item: l.Item, From: l.From, DaysLeft: l.DaysLeft, Days: l.Days, Original: l.Amount.String(), Payable: l.Amount.String()}
	if l.From != "" {
		line.Before, line.After = l.Before.String(), l.After.String()
	}
	if l.Traffic != "" {
		line.TrafficID, line.Capacity, line.Units, line.UnitPrice, line.Discount = l.Traffic, l.Capacity, l.Units.Plain(), l.UnitPrice.Plain(), l.Discount.Plain()
		full, err := l.Units.Mul(l.UnitPrice)
		if err != nil {
			return line, err
		}
		listed, err := money.RoundHalfUp(full, currency)
		if err != nil {
			return line, err
		}
		line.Original = listed.String()
	}
	paid := bill.NoPaid(currency)
	for _, part := range l.Paid {
		if err := paid.Add(part.Payment, part.Amount); err != nil {
			return line, err
		}
	}
	line.Paid = paidOf(paid)
	return line, nil
}

// drawn names a request's document.
type drawn struct {
	InvoiceID string `path:"invoice_id" maxLength:"64"`
	Language  string `query:"language" enum:"en,zh" doc:"The account's where nothing is said."`
}

func (s *server) downloadInvoice(c *call, in *drawn) (Drawn, error) {
	r, err := c.tx.InvoiceOf(c, c.AccountID, in.InvoiceID)
	if err != nil {
		return Drawn{}, err
	}
	return s.drawInvoice(c, r, in.Language, c.Billing.Language)
}

func (s *server) downloadAnyInvoice(c *call, in *drawn) (Drawn, error) {
	r, err := c.tx.InvoiceForUpdate(c, in.InvoiceID)
	if err != nil {
		return Drawn{}, err
	}
	return s.drawInvoice(c, r, in.Language, c.Operator.Language)
}

func (s *server) drawInvoice(c *call, r invoice.Request, language, usual string) (Drawn, error) {
	if language == "" {
		language = usual
	}
	return s.Invoice(c, r, language)
}

package billingcenter

import (
	"bytes"
	"context"
	"fmt"

	"tollgate.dev/internal/web"
)

// drawInvoice writes a request with its lines as a PDF, in the language of the
// context. It is the payer's own paper: the tax invoice is another one.
func drawInvoice(ctx context.Context, p InvoiceView) ([]byte, error) {
	r := p.Request
	d := blankSheet(ctx, web.T(ctx, "invoice.document")+" · "+r.Number, p.Issuer, r.RequestedAt)
	d.s.Currency = r.Total.Currency()
	d.SetFooterFunc(func() {
		d.SetY(-bottom + 6)
		d.rule(210, 0.1)
		d.Ln(2)
		d.ink(7, 130, false)
		d.write(inside-50, 4, r.Number+" · "+d.t("invoice.document_note"), "L")
		d.write(50, 4, d.t("statement.page", "page", d.PageNo(), "pages", "{pages}"), "R")
	})
	d.AddPage()
	d.banner(d.t("invoice.document"))
	facts := []web.Pair{
		{Term: d.t("invoice.number"), Text: r.Number},
		{Term: d.t("invoice.state"), Text: d.t("invoice.state." + string(r.State))},
		{Term: d.t("invoice.requested_at"), Text: web.Instant(r.RequestedAt, p.Zone) + " " + web.Zone(r.RequestedAt, p.Zone)},
		{Term: d.t("statement.account"), Text: r.UserName, Note: r.AccountID},
	}
	if p.Issuer != "" {
		facts = append(facts, web.Pair{Term: d.t("statement.issuer"), Text: p.Issuer})
	}
	if r.TaxNumber != "" {
		facts = append(facts, web.Pair{Term: d.t("invoice.tax_number"), Text: r.TaxNumber}, web.Pair{Term: d.t("invoice.tax_day"), Text: r.TaxDay.String()})
	}
	if r.Red.Number != "" {
		facts = append(facts, web.Pair{Term: d.t("invoice.red_tax_number"), Text: r.Red.TaxNumber, Note: r.Red.Number + " · " + r.Red.TaxDay.String()}, web.Pair{Term: d.t("op.certification.reason"), Text: r.Reason})
	}
	d.facts(facts)
	d.section(d.t("invoice.profile"))
	d.Ln(1.5)
	d.facts(profilePairs(ctx, r.Profile))
	d.section(d.t("invoice.delivery"))
	d.Ln(1.5)
	d.facts(deliveryPairs(ctx, r))
	d.invoiceLines(p)
	d.Ln(2)
	d.room(16)
	d.ink(8, 110, false)
	d.MultiCell(inside, 4.6, d.t("invoice.items_note")+" "+d.t("invoice.refund_note"), "", "L", false)
	var out bytes.Buffer
	if err := d.Output(&out); err != nil {
		return nil, fmt.Errorf("draw invoice request %s: %w", r.Number, err)
	}
	return out.Bytes(), nil
}

// invoiceLines is the table of what is invoiced.
func (d *sheet) invoiceLines(p InvoiceView) {
	r := p.Request
	d.section(d.t("invoice.lines"))
	columns := []column{
		{d.t("invoice.item"), 46, "L"}, {d.t("invoice.number"), 48, "L"}, {d.t("invoice.made"), 22, "L"},
		{d.t("invoice.repaid_col"), 26, "R"}, {d.t("bc.col.amount", "currency", string(r.Total.Currency())), inside - 142, "R"},
	}
	d.heads(columns)
	for _, l := range r.Lines {
		d.row(columns, []string{lineName(d.ctx, l), l.Label, l.Day.String(), web.Money(l.Repaid), web.Money(l.Amount)}, 9, 50, false)
	}
	d.row(columns, []string{d.t("bc.col.total"), "", "", "", web.Money(r.Total)}, 9.5, 15, true)
	d.Ln(4)
}

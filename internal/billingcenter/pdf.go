package billingcenter

import (
	"bytes"
	"context"
	_ "embed" // the font of the documents
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/web"
)

//go:embed font/sans.ttf
var sans []byte

// The page: A4 in millimetres, with the columns of its tables.
const (
	pageWidth  = 210
	margin     = 18
	inside     = pageWidth - 2*margin
	bottom     = 22
	lineHeight = 6.2
	cellGap    = 1.6
)

// sheet is a document that is being drawn. The same statement gives the same
// bytes in each language: nothing in it depends on when it is drawn.
type sheet struct {
	*fpdf.Fpdf
	ctx context.Context
	s   statement.Statement
}

// column of a table: its head, its width, and R for figures.
type column struct {
	head  string
	width float64
	align string
}

// drawStatement writes the statement as a PDF, in the language of the context.
func drawStatement(ctx context.Context, p StatementView) ([]byte, error) {
	d := blankSheet(ctx, web.T(ctx, "statement.title", "month", p.Statement.Month.String())+" · "+p.Statement.Number, p.Issuer, p.Statement.IssuedAt)
	d.s = p.Statement
	d.SetFooterFunc(d.foot)
	d.AddPage()
	d.head(p)
	d.summary()
	d.byWorkspace()
	d.byItem()
	d.adjustments(p.Zone)
	d.closing()
	var out bytes.Buffer
	if err := d.Output(&out); err != nil {
		return nil, fmt.Errorf("draw statement %s: %w", p.Statement.Number, err)
	}
	return out.Bytes(), nil
}

// blankSheet is a document without a page, dated as what it is about.
func blankSheet(ctx context.Context, title, issuer string, at time.Time) *sheet {
	d := &sheet{Fpdf: fpdf.New("P", "mm", "A4", ""), ctx: ctx}
	d.SetCatalogSort(true)
	d.SetCreationDate(at.UTC())
	d.SetModificationDate(at.UTC())
	d.SetTitle(title, true)
	d.SetAuthor(orDash(issuer), true)
	d.SetLang(web.Language(ctx))
	d.AddUTF8FontFromBytes("sans", "", sans)
	d.SetMargins(margin, margin, margin)
	d.SetAutoPageBreak(true, bottom)
	d.AliasNbPages("{pages}")
	return d
}

func (d *sheet) t(key string, args ...any) string { return web.T(d.ctx, key, args...) }

// ink chooses size and shade; strong draws the outlines, too, since the font
// has one weight.
func (d *sheet) ink(size float64, grey int, strong bool) {
	d.SetFont("sans", "", size)
	d.SetTextColor(grey, grey, grey)
	d.SetTextRenderingMode(0)
	if strong {
		d.SetDrawColor(grey, grey, grey)
		d.SetLineWidth(size * 0.011)
		d.SetTextRenderingMode(2)
	}
}

// write puts a text into a cell of the width, and cuts what does not fit.
func (d *sheet) write(width, height float64, text, align string) {
	if room := width - cellGap; d.GetStringWidth(text) > room {
		runes := []rune(text)
		for len(runes) > 0 && d.GetStringWidth(string(runes)+"…") > room {
			runes = runes[:len(runes)-1]
		}
		text = string(runes) + "…"
	}
	d.CellFormat(width, height, text, "", 0, align, false, 0, "")
}

// rule draws a hairline over the width of the page.
func (d *sheet) rule(grey int, width float64) {
	d.SetDrawColor(grey, grey, grey)
	d.SetLineWidth(width)
	d.Line(margin, d.GetY(), pageWidth-margin, d.GetY())
}

// head names the document, who issued it and whom it is for.
func (d *sheet) head(p StatementView) {
	d.banner(d.t("statement.title", "month", d.s.Month.String()))
	facts := []web.Pair{{Term: d.t("statement.for"), Text: company(d.s), Note: d.s.UserName + " · " + d.s.Payer}}
	if p.Issuer != "" {
		facts = append(facts, web.Pair{Term: d.t("statement.issuer"), Text: p.Issuer})
	}
	facts = append(facts,
		web.Pair{Term: d.t("statement.number"), Text: d.s.Number},
		web.Pair{Term: d.t("statement.month"), Text: d.s.Month.First().String() + " – " + d.s.Month.Last().String()},
		web.Pair{Term: d.t("statement.issued"), Text: web.Instant(d.s.IssuedAt, p.Zone) + " " + web.Zone(d.s.IssuedAt, p.Zone)})
	d.facts(facts)
}

// banner is the title of the document.
func (d *sheet) banner(title string) {
	d.SetFillColor(15, 118, 110)
	d.Rect(margin, margin, inside, 1.2, "F")
	d.SetY(margin + 6)
	d.ink(20, 20, true)
	d.write(inside*0.62, 10, title, "L")
	d.ink(9.5, 90, false)
	d.write(inside*0.38, 10, "Tollgate · "+d.t("console.billing_center"), "R")
	d.Ln(14)
}

// facts writes a list of terms with what they are.
func (d *sheet) facts(list []web.Pair) {
	for _, f := range list {
		d.ink(9, 110, false)
		d.write(38, lineHeight, f.Term, "L")
		d.ink(9.5, 30, false)
		d.write(inside-38, lineHeight, f.Text, "L")
		d.Ln(lineHeight)
		if f.Note != "" {
			d.SetX(margin + 38)
			d.ink(8, 120, false)
			d.write(inside-38, 4.6, f.Note, "L")
			d.Ln(5.4)
		}
	}
	d.Ln(4)
}

// summary is the total, what paid it, and what is owed.
func (d *sheet) summary() {
	top := d.GetY()
	d.SetFillColor(244, 247, 247)
	height := 22.0
	d.Rect(margin, top, inside, height, "F")
	d.SetXY(margin+5, top+3.5)
	d.ink(9, 100, false)
	d.write(inside-10, 5, d.t("statement.total"), "L")
	d.SetXY(margin+5, top+9)
	d.ink(19, 15, true)
	d.write(inside*0.6, 9, web.Money(d.s.Total)+" "+string(d.s.Currency), "L")
	d.SetXY(margin+inside*0.6, top+10)
	d.ink(9, 100, false)
	d.write(inside*0.4-5, 8, d.t("statement.sums", "count", int(d.s.Bills)), "R")
	d.SetXY(margin, top+height+5)
	d.section(d.t("statement.paid"))
	for _, part := range parts(d.s.Paid) {
		d.amountRow(d.t("bc.payment."+string(part.Payment)), web.Money(part.Amount))
	}
	if d.s.Late.Bills > 0 {
		d.Ln(2)
		d.ink(9, 80, false)
		d.write(inside, lineHeight, d.t("statement.late_sum", "amount", web.Money(d.s.Late.Total)+" "+string(d.s.Currency), "count", int(d.s.Late.Bills)), "L")
		d.Ln(lineHeight)
	}
	if !d.s.Owed.IsZero() {
		d.Ln(2)
		d.ink(9, 30, true)
		d.write(inside, lineHeight, d.t("statement.owed", "amount", web.Money(d.s.Owed), "currency", string(d.s.Currency)), "L")
		d.Ln(lineHeight)
		d.ink(9, 80, false)
		d.write(inside, lineHeight, owedUntil(d.ctx, d.s), "L")
		d.Ln(lineHeight)
	}
	d.Ln(5)
}

func (d *sheet) section(title string) {
	d.room(3 * lineHeight)
	d.ink(11, 25, true)
	d.write(inside, 8, title, "L")
	d.Ln(9)
	d.rule(200, 0.2)
}

func (d *sheet) amountRow(name, amount string) {
	d.room(lineHeight)
	d.ink(9, 50, false)
	d.write(inside-50, lineHeight+0.6, name, "L")
	d.ink(9, 20, false)
	d.write(50, lineHeight+0.6, amount+" "+string(d.s.Currency), "R")
	d.Ln(lineHeight + 0.6)
	d.rule(230, 0.1)
}

// room begins a new page where fewer millimetres are left.
func (d *sheet) room(height float64) bool {
	_, page := d.GetPageSize()
	if d.GetY()+height <= page-bottom {
		return false
	}
	d.AddPage()
	return true
}

// row writes a row of a table; on a new page its heads come first.
func (d *sheet) row(columns []column, texts []string, size float64, grey int, strong bool) {
	if d.room(lineHeight) {
		d.heads(columns)
	}
	d.ink(size, grey, strong)
	for i, c := range columns {
		d.write(c.width, lineHeight, texts[i], c.align)
	}
	d.Ln(lineHeight)
	d.rule(230, 0.1)
}

func (d *sheet) heads(columns []column) {
	d.ink(8, 110, false)
	for _, c := range columns {
		d.write(c.width, lineHeight, c.head, c.align)
	}
	d.Ln(lineHeight)
	d.rule(170, 0.2)
}

func (d *sheet) byWorkspace() {
	d.section(d.t("statement.by_workspace"))
	columns := []column{
		{d.t("bc.col.workspace"), 56, "L"}, {d.t("bc.col.item"), 66, "L"},
		{d.t("statement.lines"), 20, "R"}, {d.t("bc.col.amount", "currency", string(d.s.Currency)), inside - 142, "R"},
	}
	d.heads(columns)
	for _, w := range d.s.Workspaces {
		d.row(columns, []string{w.Name, siteName(d.ctx, w.Site), d.t("statement.bills", "count", int(w.Bills)), web.Money(w.Total)}, 9, 25, true)
		for _, it := range w.Items {
			d.row(columns, []string{"", web.Name(d.ctx, "item", it.ID), web.Count(it.Lines), web.Money(it.Total)}, 9, 60, false)
		}
	}
	for _, pk := range d.s.Packages {
		d.row(columns, []string{d.t("package.col.package"), chargeTitle(d.ctx, pk.Kind, pk.What), web.Count(pk.Charges), web.Money(pk.Total)}, 9, 25, false)
	}
	d.row(columns, []string{d.t("bc.col.total"), "", "", web.Money(d.s.Total)}, 9.5, 15, true)
	d.Ln(7)
}

func (d *sheet) byItem() {
	d.section(d.t("statement.by_item"))
	columns := []column{
		{d.t("bc.col.item"), 76, "L"}, {d.t("statement.lines"), 30, "R"},
		{d.t("bc.col.amount", "currency", string(d.s.Currency)), inside - 106, "R"},
	}
	d.heads(columns)
	for _, it := range d.s.Items {
		d.row(columns, []string{web.Name(d.ctx, "item", it.ID), web.Count(it.Lines), web.Money(it.Total)}, 9, 50, false)
	}
	for _, pk := range d.s.Packages {
		d.row(columns, []string{chargeTitle(d.ctx, pk.Kind, pk.What), web.Count(pk.Charges), web.Money(pk.Total)}, 9, 50, false)
	}
	d.row(columns, []string{d.t("bc.col.total"), "", web.Money(d.s.Total)}, 9.5, 15, true)
	d.Ln(7)
}

// adjustments are the corrections beside the total.
func (d *sheet) adjustments(zone *time.Location) {
	if len(d.s.Adjustments) == 0 {
		return
	}
	d.section(d.t("statement.adjustments"))
	columns := []column{
		{d.t("statement.booked"), 32, "L"}, {d.t("statement.reason"), 74, "L"}, {d.t("statement.corrects"), 36, "L"},
		{d.t("bc.col.amount", "currency", string(d.s.Currency)), inside - 142, "R"},
	}
	d.heads(columns)
	for _, a := range d.s.Adjustments {
		d.row(columns, []string{web.Instant(a.BookedAt, zone), a.Reason, orDash(a.Bill), signed(a.Amount)}, 9, 50, false)
	}
	d.row(columns, []string{d.t("bc.col.total"), "", "", adjustedSum(d.s)}, 9.5, 15, true)
	d.ink(8, 110, false)
	d.write(inside, lineHeight, d.t("statement.adjustments_note"), "L")
	d.Ln(9)
}

// closing says how the sums were rounded.
func (d *sheet) closing() {
	d.room(16)
	d.ink(8, 110, false)
	d.MultiCell(inside, 4.6, d.t("statement.rule_text"), "", "L", false)
}

// foot is on every page: the number, the page, and the fingerprint of the
// document that the books hold.
func (d *sheet) foot() {
	d.SetY(-bottom + 6)
	d.rule(210, 0.1)
	d.Ln(2)
	d.ink(7, 130, false)
	d.write(inside-50, 4, d.s.Number+" · "+d.t("statement.fingerprint", "hash", d.s.Hash), "L")
	d.write(50, 4, d.t("statement.page", "page", d.PageNo(), "pages", "{pages}"), "R")
}

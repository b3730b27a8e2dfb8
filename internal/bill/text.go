package bill

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// A bill's text is lines of words with a space between them, so that a day of
// a million bills is written, hashed and stored quickly, and anybody can still
// read it:
//
//	bill/2 cn1-2026-000123 wksp_shop cn1 2026-03-01 2 bcac_acme billing_center CNY china 2024-11-06 9.70
//	logs 14d 4000000 4.00 1.5 6 6.00 voucher:vchr_1=5.00 cash=1.00
//	sms none 37 3.70 1 3.7 3.70 cash
//
// The first line has the number, workspace, site, day, generation, payer,
// settlement, currency, price group, catalogue version and total. A charge has
// its item, class, quantity, units, unit price, exact price and amount. Behind
// that come, where there are any, the log index (index=NAME), the agreed price
// (override=ID), what a package did (package=ID,FACTOR,CONVERTED,COVERED,EXCESS), and what paid: a
// kind of payment, with a voucher's or card's name behind a colon, and the
// amount where it did not pay all of the line. Figures are decimals. What else
// a word may hold is escaped as in the query of a URL.
const (
	textMark    = "bill/2"
	headWords   = 12
	chargeWords = 7 // at least
	indexed     = "index="
	overridden  = "override="
	packaged    = "package="
)

var errText = errors.New("the text is not that of a bill")

// write appends the document.
func (b *Bill) write(to []byte) []byte {
	w := writer{append(to, textMark...)}
	w.word(b.Number)
	w.word(b.WorkspaceID)
	w.word(string(b.Site))
	w.word(b.Day.String())
	w.text = strconv.AppendInt(append(w.text, ' '), int64(b.Generation), 10)
	w.word(b.Payer)
	w.word(string(b.Settlement))
	w.word(string(b.Market.Currency))
	w.word(string(b.Market.Group))
	w.word(b.Catalog)
	w.amount(' ', b.Total)
	w.text = append(w.text, '\n')
	for i := range b.Lines {
		w.charge(&b.Lines[i])
	}
	return w.text
}

// writer appends words.
type writer struct{ text []byte }

func (w *writer) word(word string) {
	w.text = append(w.text, ' ')
	w.escaped(word)
}

func (w *writer) escaped(word string) {
	for i := range len(word) {
		if !plain[word[i]] {
			word = url.QueryEscape(word)
			break
		}
	}
	w.text = append(w.text, word...)
}

// plain are the characters that need no escape.
var plain = func() (is [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~") {
		is[c] = true
	}
	return is
}()

func (w *writer) decimal(before byte, d quantity.Decimal) {
	w.text = d.Append(append(w.text, before))
}

func (w *writer) amount(before byte, a money.Amount) {
	w.decimal(before, quantity.Scaled(a.Minor(), money.Decimals))
}

func (w *writer) charge(l *Line) {
	w.escaped(l.Item)
	w.word(l.Class)
	w.decimal(' ', l.Quantity.Trimmed())
	w.decimal(' ', l.Units)
	w.decimal(' ', l.UnitPrice)
	w.decimal(' ', l.Exact)
	w.amount(' ', l.Amount)
	if l.Index != "" {
		w.text = append(w.text, " "+indexed...)
		w.escaped(l.Index)
	}
	if l.Override != "" {
		w.text = append(w.text, " "+overridden...)
		w.escaped(l.Override)
	}
	if c := l.Package; c != nil {
		w.text = append(w.text, " "+packaged...)
		w.escaped(c.Package)
		for _, figure := range [...]quantity.Decimal{c.Factor, c.Converted, c.Covered, c.Excess} {
			w.decimal(',', figure)
		}
	}
	for part := range l.parts {
		w.word(string(part.Payment))
		if part.ID != "" {
			w.text = append(w.text, ':')
			w.escaped(part.ID)
		}
		if part.Amount != l.Amount {
			w.amount('=', part.Amount)
		}
	}
	w.text = append(w.text, '\n')
}

// readText is the bill of a text.
func readText(document []byte) (Bill, error) {
	head, rest, whole := strings.Cut(string(document), "\n")
	r := reader{words: strings.Split(head, " ")}
	if !whole || len(r.words) != headWords || r.word() != textMark {
		return Bill{}, errText
	}
	b := Bill{Number: r.word(), WorkspaceID: r.word(), Site: site.ID(r.word())}
	b.Day = r.day()
	b.Generation = r.generation()
	b.Payer, b.Settlement = r.word(), site.Method(r.word())
	b.Market = catalog.Market{Currency: money.Currency(r.word()), Group: site.Group(r.word())}
	b.Catalog = r.word()
	b.Total = r.amount(r.next(), b.Market.Currency)
	if r.err != nil {
		return Bill{}, r.err
	}
	for text := range strings.Lines(rest) {
		text, whole := strings.CutSuffix(text, "\n")
		r := reader{words: strings.Split(text, " ")}
		if !whole || len(r.words) < chargeWords {
			return Bill{}, fmt.Errorf("charges of bill %s: %w", b.Number, errText)
		}
		l := r.charge(b.Market.Currency)
		if r.err != nil {
			return Bill{}, fmt.Errorf("charge for %s of bill %s: %w", l.Item, b.Number, r.err)
		}
		b.Lines = append(b.Lines, l)
	}
	return b, nil
}

// reader takes the words of a line one after the other. The first fault stays.
type reader struct {
	words []string
	err   error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// next is the next word as it is written.
func (r *reader) next() string {
	word := r.words[0]
	r.words = r.words[1:]
	return word
}

func (r *reader) word() string { return r.unescaped(r.next()) }

func (r *reader) unescaped(word string) string {
	plain, err := url.QueryUnescape(word)
	if err != nil {
		r.fail(err)
	}
	return plain
}

func (r *reader) day() (day period.Day) {
	if err := day.UnmarshalText([]byte(r.word())); err != nil {
		r.fail(err)
	}
	return day
}

func (r *reader) generation() workspace.Generation {
	n, err := strconv.ParseInt(r.next(), 10, 64)
	if err != nil {
		r.fail(err)
	}
	return workspace.Generation(n)
}

func (r *reader) amount(text string, c money.Currency) money.Amount {
	a, err := money.Parse(text, c)
	if err != nil {
		r.fail(err)
	}
	return a
}

func (r *reader) decimal(text string) quantity.Decimal {
	d, err := quantity.Parse(text)
	if err != nil {
		r.fail(err)
	}
	return d
}

func (r *reader) charge(c money.Currency) Line {
	l := Line{Line: rate.Line{Item: r.word(), Class: r.word()}, Paid: nothing(c)}
	for _, figure := range [...]*quantity.Decimal{&l.Quantity, &l.Units, &l.UnitPrice, &l.Exact} {
		*figure = r.decimal(r.next())
	}
	l.Amount = r.amount(r.next(), c)
	for len(r.words) > 0 && r.err == nil {
		word := r.next()
		if index, ok := strings.CutPrefix(word, indexed); ok {
			l.Index = r.unescaped(index)
		} else if id, ok := strings.CutPrefix(word, overridden); ok {
			l.Override = r.unescaped(id)
		} else if figures, ok := strings.CutPrefix(word, packaged); ok {
			l.Package = r.cover(strings.Split(figures, ","))
		} else {
			r.part(&l, word)
		}
	}
	return l
}

func (r *reader) cover(words []string) *rate.Cover {
	if len(words) != 5 {
		r.fail(errText)
		return nil
	}
	return &rate.Cover{
		Package: r.unescaped(words[0]), Factor: r.decimal(words[1]), Converted: r.decimal(words[2]), Covered: r.decimal(words[3]), Excess: r.decimal(words[4]),
	}
}

// part reads what paid a line, or some of it.
func (r *reader) part(l *Line, word string) {
	what, figure, some := strings.Cut(word, "=")
	name, source, named := strings.Cut(what, ":")
	amount, kind := l.Amount, wallet.Payment(name)
	if some {
		amount = r.amount(figure, amount.Currency())
	}
	if !slices.Contains(wallet.Payments(), kind) {
		r.fail(errText)
		return
	}
	if named {
		l.Sources = append(l.Sources, SourcePart{kind, r.unescaped(source), amount})
	}
	if err := l.Paid.add(kind, amount); err != nil {
		r.fail(err)
	}
}

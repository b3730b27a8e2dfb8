package billingcenter

import (
	"context"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// sourceTitle names a voucher or card in a list.
func sourceTitle(ctx context.Context, kind wallet.Payment, id string) string {
	return web.T(ctx, "wallet.kind."+string(kind)) + " " + short(id)
}

// originText says how a voucher or card came about.
func originText(ctx context.Context, s wallet.Source) string {
	text := web.T(ctx, "wallet.origin."+string(s.Origin), "tail", s.Tail, "card", short(s.From), "order", s.From)
	if s.Reason != "" {
		text += web.T(ctx, "wallet.origin.reason", "reason", s.Reason)
	}
	return text
}

// validText is the last day on which something holds, or the instant of its
// end where that lies within a day.
func validText(ctx context.Context, ends time.Time, zone *time.Location) string {
	if ends.IsZero() {
		return web.T(ctx, "wallet.valid.always")
	}
	if day, ok := wallet.LastDay(ends, zone); ok {
		return web.T(ctx, "wallet.valid.through", "day", day.String())
	}
	return web.T(ctx, "wallet.valid.until", "at", web.Instant(ends, zone)+" "+web.Zone(ends, zone))
}

func sourceTone(s wallet.SourceState) web.Tone {
	switch s {
	case wallet.Usable:
		return web.Good
	case wallet.Expired:
		return web.Bad
	}
	return web.Plain
}

func arrearsNote(ctx context.Context, b wallet.Balances) string {
	if b.Owed.IsZero() {
		return web.T(ctx, "bc.overview.nothing_owed")
	}
	return web.T(ctx, "wallet.owed_note")
}

// cardFillsFirst says that a card fills the debt before it holds anything
// (domain section 10.2).
func cardFillsFirst(ctx context.Context, b wallet.Balances) string {
	if b.Owed.IsZero() {
		return ""
	}
	return web.T(ctx, "wallet.buy.owed_first")
}

func itemNames(ctx context.Context, ids []string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = web.Name(ctx, "item", id)
	}
	return strings.Join(names, web.T(ctx, "bc.list_comma"))
}

func sourceFacts(ctx context.Context, p SourceView) []web.Pair {
	s := p.Source
	since := web.T(ctx, "wallet.source.issued")
	if s.Origin == wallet.Activated {
		since = web.T(ctx, "wallet.source.activated")
	}
	pairs := []web.Pair{
		{Term: web.T(ctx, "bc.col.state"), Part: sourceState(s, p.At)},
		{Term: since, Text: web.Moment(s.Since, p.Zone) + " " + web.Zone(s.Since, p.Zone)},
		{Term: web.T(ctx, "wallet.col.valid"), Text: validText(ctx, s.ExpiresAt, p.Zone)},
		{Term: web.T(ctx, "wallet.source.origin"), Text: originText(ctx, s)},
		{Term: web.T(ctx, "wallet.source.id"), Text: s.ID, Mono: true},
	}
	if !s.EndedAt.IsZero() && s.State(p.At) == wallet.Ended {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "wallet.source.ended"), Text: web.Moment(s.EndedAt, p.Zone)})
	}
	return pairs
}

// quoteFacts say what a purchase does before it is made.
func quoteFacts(ctx context.Context, p ConfirmCard) []web.Pair {
	q, zone := p.Quote, zoneOf(p.Quote.Face.Currency())
	currency := " " + string(q.Face.Currency())
	pairs := []web.Pair{
		{Term: web.T(ctx, "wallet.confirm.cost"), Text: web.Money(q.Face) + currency, Note: web.T(ctx, "wallet.confirm.cash_after", "amount", web.Money(q.CashAfter)+currency)},
	}
	if !q.FillsDebt.IsZero() {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "wallet.confirm.debt"), Text: web.Money(q.FillsDebt) + currency, Note: web.T(ctx, "wallet.confirm.debt_note")})
	}
	pairs = append(pairs, web.Pair{Term: web.T(ctx, "wallet.confirm.card"), Text: web.Money(q.Card) + currency, Note: validText(ctx, q.ExpiresAt, zone)})
	if q.Earned.IsZero() {
		return append(pairs, web.Pair{Term: web.T(ctx, "wallet.confirm.earned"), Text: web.T(ctx, "wallet.confirm.earned_none")})
	}
	return append(pairs, web.Pair{Term: web.T(ctx, "wallet.confirm.earned"), Text: web.Money(q.Earned) + currency, Note: validText(ctx, q.EarnedExpires, zone)})
}

// paidBy says what paid: "3.20 voucher vchr_4f0q…, 1.10 cash".
func paidBy(parts []PaidPart) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return sourced(parts, func(p PaidPart) string {
			return web.T(ctx, "bc.paid."+string(p.Payment), "amount", web.Money(p.Amount))
		}).Render(ctx, w)
	})
}

// sourced lists parts in the words of say, each voucher and card with a link to
// its page. It is written by hand because a page leaves space before a comma.
func sourced(parts []PaidPart, say func(PaidPart) string) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if len(parts) == 0 {
			_, err := io.WriteString(w, "–")
			return err
		}
		var html strings.Builder
		for i, p := range parts {
			html.WriteString(`<span class="nowrap">` + templ.EscapeString(say(p)))
			if p.Source != "" {
				html.WriteString(` <a class="mono" href="` + templ.EscapeString(sourcePath(p.Source)) + `" title="` + templ.EscapeString(p.Source) + `">` + templ.EscapeString(short(p.Source)) + `</a>`)
			}
			if i < len(parts)-1 {
				html.WriteString(templ.EscapeString(strings.TrimSpace(web.T(ctx, "bc.list_comma"))))
			}
			html.WriteString("</span> ")
		}
		_, err := io.WriteString(w, html.String())
		return err
	})
}

// query is the filter as the address holds it.
func (p Movements) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"kind": p.Kind, "from": p.From, "to": p.To} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q.Encode()
}

package billingcenter

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// siteName names a site with its ID, as a team knows it.
func siteName(ctx context.Context, id site.ID) string { return web.Name(ctx, "site", id) }

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// stateTone is the colour of a workspace's standing.
func stateTone(s workspace.State) web.Tone {
	switch s {
	case workspace.Normal:
		return web.Good
	case workspace.Grace:
		return web.Warn
	case workspace.Locked, workspace.Cleared:
		return web.Bad
	}
	return web.Plain
}

// declaredNote says how many bank transfers are under way.
func declaredNote(ctx context.Context, n int) string {
	if n == 0 {
		return web.T(ctx, "bc.overview.cash_note")
	}
	return web.T(ctx, "bc.overview.declared", "count", n)
}

func owedNote(ctx context.Context, p Overview) string {
	if p.Balances.Owed.IsZero() {
		return web.T(ctx, "bc.overview.nothing_owed")
	}
	return web.T(ctx, "bc.overview.owed_since", "since", web.Instant(p.OwedSince, p.Zone))
}

func lastDayNote(ctx context.Context, rows []BillRow) string {
	if len(rows) == 0 {
		return web.T(ctx, "bc.overview.no_day")
	}
	return rows[0].Day.String()
}

func closings(ctx context.Context, list []Closing) []web.Pair {
	pairs := make([]web.Pair, len(list))
	for i, c := range list {
		pairs[i] = web.Pair{
			Term: siteName(ctx, c.Site), Text: web.Instant(c.At, c.Zone) + " " + web.Zone(c.At, c.Zone),
			Note: web.T(ctx, "bc.overview.closes", "day", c.Day.String()),
		}
	}
	return pairs
}

// billsOf is the list of a workspace's bills in a month.
func billsOf(workspaceID string, m period.Month) string {
	q := url.Values{"workspace": {workspaceID}, "from": {m.First().String()}, "to": {m.Last().String()}}
	return Prefix + "/bills?" + q.Encode()
}

// owedFirst says that incoming money fills the debt before it becomes cash
// (domain section 10.2).
func owedFirst(ctx context.Context, b wallet.Balances) string {
	if b.Owed.IsZero() {
		return ""
	}
	return web.T(ctx, "bc.recharge.owed_first")
}

func zoneName(list []wallet.Transfer, zone *time.Location) string {
	if len(list) == 0 {
		return zone.String()
	}
	return web.Zone(list[0].DeclaredAt, zone)
}

func transferTone(s wallet.TransferState) web.Tone {
	switch s {
	case wallet.Credited:
		return web.Good
	case wallet.Rejected:
		return web.Bad
	}
	return web.Warn
}

// signed writes income with its plus.
func signed(a money.Amount) string {
	if a.Sign() > 0 {
		return "+" + web.Money(a)
	}
	return web.Money(a)
}

// short is an ID as a list shows it; pages of the thing show the whole.
func short(id string) string {
	const most = 14
	if len(id) <= most {
		return id
	}
	return id[:most] + "…"
}

// query is the filter as the address holds it.
func (f BillFilter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"workspace": f.WorkspaceID, "from": f.From, "to": f.To} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Entry > 0 {
		q.Set("entry", strconv.FormatInt(f.Entry, 10))
	}
	return q.Encode()
}

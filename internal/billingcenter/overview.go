package billingcenter

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// latestBills is how many the overview shows.
const latestBills = 5

func (b *Console) overviewPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a, at := payer(ctx), b.Now()
	page := Overview{Currency: a.Currency, Zone: zoneOf(a.Currency), At: at}
	today := period.DayOf(at, page.Zone)
	page.Month = today.Month()
	err := b.Store.Read(ctx, func(tx *store.Tx) error { return page.read(ctx, tx, a.ID) })
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "bc.nav.overview"), "overview")
	return web.Render(w, r, http.StatusOK, overviewPage(page))
}

// read fills the page from one consistent view.
func (p *Overview) read(ctx context.Context, tx *store.Tx, billingID string) (err error) {
	if p.Balances, err = wallet.BalancesOf(ctx, tx, billingID, p.Currency); err != nil {
		return err
	}
	if p.OwedSince, err = tx.OwedSince(ctx, billingID, p.Currency); err != nil {
		return err
	}
	transfers, err := tx.TransfersOf(ctx, billingID, transfersShown)
	if err != nil {
		return err
	}
	for _, t := range transfers {
		if t.State.Open() {
			p.Declared++
		}
	}
	workspaces, err := tx.WorkspacesPaidBy(ctx, billingID)
	if err != nil {
		return err
	}
	if p.Closes, err = closes(workspaces, p.At); err != nil {
		return err
	}
	first, last := p.drawn()
	if p.Month.First().Before(first) {
		first = p.Month.First()
	}
	spent, err := tx.SpentByDay(ctx, store.BillQuery{Payer: billingID, First: first, Last: last}, p.Currency)
	if err != nil {
		return err
	}
	if err := p.spend(ctx, workspaces, spent); err != nil {
		return err
	}
	return p.latest(ctx, tx, billingID, workspaces)
}

// drawnDays is how far the chart looks back, so that it says something on the
// first of a month too.
const drawnDays = 30

// drawn are the days of the chart.
func (p *Overview) drawn() (first, last period.Day) {
	today := period.DayOf(p.At, p.Zone)
	return today.Add(-drawnDays), today.Add(1) // a zone to the east may be a day ahead
}

// spend sums the month by workspace and draws the last days.
func (p *Overview) spend(ctx context.Context, workspaces []workspace.Workspace, spent []store.Spent) error {
	rows := map[string]*Spend{}
	for _, ws := range workspaces {
		rows[ws.ID] = &Spend{Workspace: ws, Amount: money.Of(0, p.Currency)}
	}
	p.Spent = money.Of(0, p.Currency)
	for _, s := range spent {
		if s.Day.Month() != p.Month {
			continue
		}
		var err error
		if p.Spent, err = p.Spent.Add(s.Total); err != nil {
			return err
		}
		row := rows[s.WorkspaceID]
		if row == nil { // bound to another account since
			continue
		}
		if row.Amount, err = row.Amount.Add(s.Total); err != nil {
			return err
		}
		row.Days++
	}
	for _, row := range rows {
		p.Spend = append(p.Spend, *row)
	}
	slices.SortFunc(p.Spend, func(a, b Spend) int {
		if a.Amount.Minor() != b.Amount.Minor() {
			return int(max(min(b.Amount.Minor()-a.Amount.Minor(), 1), -1))
		}
		return compareText(a.Workspace.Name+a.Workspace.ID, b.Workspace.Name+b.Workspace.ID)
	})
	first, _ := p.drawn()
	if spent = slices.DeleteFunc(spent, func(s store.Spent) bool { return s.Day.Before(first) }); len(spent) > 0 {
		p.Chart = chart(ctx, *p, spent)
	}
	return nil
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// chartSeries is how many workspaces a chart tells apart; the others are one.
const chartSeries = 5

// fewestBars keeps a single bar from filling the page.
const fewestBars = 14

// chart draws what was billed per day, the largest workspaces apart.
func chart(ctx context.Context, p Overview, spent []store.Spent) *web.BarChart {
	c := web.BarChart{
		Label: web.T(ctx, "bc.overview.chart_label", "currency", string(p.Currency)), Head: web.T(ctx, "bc.col.day"),
		Format: func(n int64) string { return web.Money(money.Of(n, p.Currency)) },
	}
	place := map[string]int{}
	for i, s := range p.Spend[:min(len(p.Spend), chartSeries)] {
		place[s.Workspace.ID] = i
		c.Series = append(c.Series, s.Workspace.Name)
	}
	if len(p.Spend) > chartSeries {
		c.Series = append(c.Series, web.T(ctx, "bc.overview.others"))
	}
	last := len(c.Series) - 1
	days, most := map[string]*web.Bar{}, int64(0)
	begin, end := spent[0].Day, spent[len(spent)-1].Day
	if least := end.Add(1 - fewestBars); least.Before(begin) {
		begin = least
	}
	for day := begin; !day.After(end); day = day.Add(1) {
		days[day.String()] = &web.Bar{Label: day.String(), Values: make([]int64, len(c.Series))}
	}
	sums := map[string]int64{}
	for _, s := range spent {
		day, i := s.Day.String(), last
		if n, ok := place[s.WorkspaceID]; ok {
			i = n
		}
		bar := days[day]
		bar.Values[i] += s.Total.Minor()
		bar.Href = Prefix + "/bills?from=" + day + "&to=" + day
		sums[day] += s.Total.Minor()
		most = max(most, sums[day])
	}
	for _, day := range slices.Sorted(maps.Keys(days)) {
		c.Bars = append(c.Bars, *days[day])
	}
	c.Top = web.T(ctx, "bc.overview.chart_top", "amount", web.Money(money.Of(most, p.Currency)))
	return &c
}

// latest reads the newest bills and the sum of the last day billed.
func (p *Overview) latest(ctx context.Context, tx *store.Tx, billingID string, workspaces []workspace.Workspace) error {
	p.Yesterday = money.Of(0, p.Currency)
	q := store.BillQuery{Payer: billingID, First: earliest, Last: utmost}
	bills, err := tx.BillsPage(ctx, q, "", latestBills)
	if err != nil || len(bills) == 0 {
		return err
	}
	p.Bills = billRows(bills, workspaces)
	q.First, q.Last = bills[0].Day, bills[0].Day
	_, p.Yesterday, err = tx.BilledTo(ctx, q, p.Currency)
	return err
}

// The ends of a range that nobody narrowed.
var (
	earliest = period.MustParseDay("2000-01-01")
	utmost   = period.MustParseDay("9999-12-31")
)

// billRows gives bills their workspaces' names.
func billRows(bills []bill.Bill, workspaces []workspace.Workspace) []BillRow {
	names := map[string]string{}
	for _, ws := range workspaces {
		names[ws.ID] = ws.Name
	}
	rows := make([]BillRow, len(bills))
	for i, d := range bills {
		name := names[d.WorkspaceID]
		if name == "" { // bound to another account since; the bill stays here
			name = short(d.WorkspaceID)
		}
		rows[i] = BillRow{
			ID: d.ID, Number: d.Number, Day: d.Day, WorkspaceID: d.WorkspaceID, WorkspaceName: name, Site: d.Site,
			Amount: d.Total, Owed: d.Paid.Owed, Method: d.Settlement,
		}
	}
	return rows
}

// closes lists when the day of each site ends.
func closes(workspaces []workspace.Workspace, at time.Time) ([]Closing, error) {
	var list []Closing
	seen := map[site.ID]bool{}
	for _, ws := range workspaces {
		if seen[ws.Site] {
			continue
		}
		seen[ws.Site] = true
		s, err := site.Find(ws.Site)
		if err != nil {
			return nil, err
		}
		day := period.DayOf(at, s.Zone)
		list = append(list, Closing{Site: s.ID, Day: day, At: day.End(s.Zone), Zone: s.Zone})
	}
	slices.SortFunc(list, func(a, b Closing) int { return a.At.Compare(b.At) })
	return list, nil
}

package operator

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// Today is the first page: what ran, and what waits for a person.
type Today struct {
	Frame     web.Frame
	At        time.Time
	Days      []DayRow
	Parked    []ParkedRow
	Unstated  []UnstatedRow
	Uncleared []ClearingRow
	Mails     []notify.Mail
	Transfers int // to be credited
	Approving int // transfers that wait for a second operator
	Adjusting int // adjustments that wait for a second operator
	Queued    int64
	LostUsage int64 // records of usage that wait for a decision
	Failed    []store.FailedJob
	Certify   int // certifications to decide
	Invoices  int // invoice requests to issue or to send
	Trouble   int // online payments that a person must look at
	Verdict   audit.Verdict
}

// DayRow is how far a site's days are closed.
type DayRow struct {
	Site  site.Site
	Last  bill.SiteDay // the latest that was begun; zero before the first
	Next  period.Day   // the next to close
	DueAt time.Time
	State string // closing, late, waiting
}

// ParkedRow is a workspace whose day could not be billed.
type ParkedRow struct {
	bill.Parked
	Workspace string
}

// UnstatedRow is an account whose statement of a month could not be made.
type UnstatedRow struct {
	statement.Parked
	Account string
}

// Bounds of what a page shows, and how long a mail may wait before it counts
// as stuck.
const (
	shown      = 100
	stuckAfter = 5 * time.Minute
	lateAfter  = 15 * time.Minute
)

func (o *Console) todayPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Today{At: o.Clock.Now()}
	if err := o.Store.Read(ctx, func(tx *store.Tx) error { return page.read(ctx, tx) }); err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "op.nav.today"), "today")
	return web.Render(w, r, http.StatusOK, todayPage(page))
}

func (p *Today) read(ctx context.Context, tx *store.Tx) (err error) {
	if p.Verdict, err = tx.LastVerdict(ctx); err != nil {
		return err
	}
	if err := p.days(ctx, tx); err != nil {
		return err
	}
	parked, err := tx.Parked(ctx, shown)
	if err != nil {
		return err
	}
	for _, x := range parked {
		ws, err := tx.Workspace(ctx, x.WorkspaceID)
		if err != nil {
			return err
		}
		p.Parked = append(p.Parked, ParkedRow{x, ws.Name})
	}
	if err := p.unstated(ctx, tx); err != nil {
		return err
	}
	if err := p.uncleared(ctx, tx); err != nil {
		return err
	}
	if p.Mails, err = tx.WaitingMails(ctx, p.At.Add(-stuckAfter), shown); err != nil {
		return err
	}
	declared, err := tx.TransfersIn(ctx, wallet.Declared, shown)
	if err != nil {
		return err
	}
	p.Transfers = len(declared)
	entered, err := tx.TransfersIn(ctx, wallet.Proposed, shown)
	if err != nil {
		return err
	}
	p.Approving = len(entered)
	proposed, err := tx.AdjustmentsProposed(ctx, shown)
	if err != nil {
		return err
	}
	p.Adjusting = len(proposed)
	if p.LostUsage, err = tx.LostUsage(ctx); err != nil {
		return err
	}
	if p.Failed, err = tx.FailedJobs(ctx, shown); err != nil {
		return err
	}
	if p.Queued, err = tx.QueuedJobs(ctx); err != nil {
		return err
	}
	return p.waiting(ctx, tx)
}

// waiting counts what is on lists of its own.
func (p *Today) waiting(ctx context.Context, tx *store.Tx) error {
	submitted, err := tx.CertificationQueue(ctx, "", shown)
	if err != nil {
		return err
	}
	invoices, err := tx.InvoiceCounts(ctx)
	if err != nil {
		return err
	}
	trouble, err := tx.PaymentsInTrouble(ctx, shown)
	if err != nil {
		return err
	}
	p.Certify, p.Invoices, p.Trouble = len(submitted), int(invoices[invoice.Requested]+invoices[invoice.Issued]), len(trouble)
	return nil
}

// Waiting is a kind of work that waits for a person, and where it is done;
// what has no list of its own is further down on the page.
type Waiting struct {
	Kind string
	N    int
	Href string
}

// waits lists what waits; each kind of work is one line here.
func (p Today) waits() (list []Waiting) {
	for _, w := range []Waiting{
		{"transfers", p.Transfers, Prefix + "/transfers"},
		{"approvals", p.Approving, Prefix + "/transfers"},
		{"adjustments", p.Adjusting, Prefix + "/adjustments"},
		{"payments", p.Trouble, Prefix + "/payments"},
		{"certifications", p.Certify, Prefix + "/certifications"},
		{"invoices", p.Invoices, Prefix + "/invoices"},
		{"parked", len(p.Parked), ""},
		{"statements", len(p.Unstated), ""},
		{"mails", len(p.Mails), ""},
		{"jobs", len(p.Failed), ""},
		{"clearings", len(p.Uncleared), ""},
	} {
		if w.N > 0 {
			list = append(list, w)
		}
	}
	return list
}

// most says that a count stopped at the bound of what is looked at.
func most(n int) string {
	if n >= shown {
		return web.Count(shown) + "+"
	}
	return web.Count(int64(n))
}

// uncleared lists the workspaces whose data could not be deleted.
func (p *Today) uncleared(ctx context.Context, tx *store.Tx) error {
	failed, err := tx.ClearingsFailed(ctx, shown)
	if err != nil {
		return err
	}
	for _, c := range failed {
		ws, err := tx.Workspace(ctx, c.WorkspaceID)
		if err != nil {
			return err
		}
		p.Uncleared = append(p.Uncleared, ClearingRow{c, ws.Name})
	}
	return nil
}

// unstated lists the statements that could not be made.
func (p *Today) unstated(ctx context.Context, tx *store.Tx) error {
	parked, err := tx.ParkedStatements(ctx, shown)
	if err != nil {
		return err
	}
	for _, x := range parked {
		a, err := tx.BillingByID(ctx, x.Payer)
		if err != nil {
			return err
		}
		p.Unstated = append(p.Unstated, UnstatedRow{x, a.UserName})
	}
	return nil
}

// days lists the sites that have Commercial workspaces.
func (p *Today) days(ctx context.Context, tx *store.Tx) error {
	first, err := tx.CommercialSites(ctx)
	if err != nil {
		return err
	}
	latest, err := tx.SiteDays(ctx)
	if err != nil {
		return err
	}
	begun := map[site.ID]bill.SiteDay{}
	for _, d := range latest {
		begun[d.Site] = d
	}
	for _, s := range site.All() {
		upgraded, open := first[s.ID]
		last, any := begun[s.ID]
		if !open && !any {
			continue
		}
		p.Days = append(p.Days, dayRow(s, last, upgraded, p.At))
	}
	return nil
}

func dayRow(s site.Site, last bill.SiteDay, firstUpgrade, at time.Time) DayRow {
	row := DayRow{Site: s, Last: last, State: "waiting"}
	closed := last.Day
	switch {
	case !last.Begun():
		closed = bill.FirstClosed(s.Zone, firstUpgrade)
	case !last.Closed():
		closed, row.State = last.Day.Add(-1), "closing"
	}
	row.Next, _ = bill.Due(s.Zone, closed, at)
	row.DueAt = bill.DueAt(s.Zone, closed)
	if at.After(row.DueAt.Add(lateAfter)) {
		row.State = "late"
	}
	return row
}

// verify checks the books now; the page shows what was found.
func (o *Console) verify(w http.ResponseWriter, r *http.Request) error {
	if _, err := o.Verify(r.Context()); err != nil {
		return err
	}
	return web.SeeOther(w, r, Prefix+"/")
}

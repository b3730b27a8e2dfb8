package operator

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// How much of everything a page of a tenant shows; the rest is a link away.
const (
	lately    = 7 // rows of a list, and days of usage
	mostKeys  = 50
	mostSeats = 500 // sign-ins that are counted
)

// AccountDetail is what belongs to a Billing Center account: the latest of
// each kind.
type AccountDetail struct {
	Standing       arrears.Standing
	Bills          []bill.Bill
	Topups         []Deal
	Adjustments    []Deal
	Certifications []account.Certification
	Invoices       []Deal
	Keys           []account.Key
	SignIns        int
	Prices         int // agreed for this account alone
	Statements     []Deal
}

// Deal is a line of something that money has to do with.
type Deal struct {
	At     time.Time
	Name   string
	Href   string // where it is shown; empty for nowhere
	Note   string
	Amount money.Amount
	State  string
	Tone   web.Tone
}

func (o *Console) accountDetail(ctx context.Context, tx *store.Tx, a account.Billing) (d AccountDetail, err error) {
	if d.Standing, err = arrears.LookPayer(ctx, tx, a); err != nil {
		return d, err
	}
	today := period.DayOf(o.Clock.Now(), zone).Add(1) // of the zone where days begin first
	if d.Bills, err = tx.BillsPaidBy(ctx, a.ID, today.Add(-366), today, lately); err != nil {
		return d, err
	}
	if d.Topups, err = topups(ctx, tx, a.ID); err != nil {
		return d, err
	}
	if err := d.papers(ctx, tx, a.ID); err != nil {
		return d, err
	}
	if d.Certifications, err = tx.CertificationsOf(ctx, a.ID, lately); err != nil {
		return d, err
	}
	if d.Keys, err = tx.Keys(ctx, account.KeyHolder{Scope: account.AccountKeys, ID: a.ID}, mostKeys); err != nil {
		return d, err
	}
	in, err := tx.SignIns(ctx, account.BillingSystem, a.ID, o.Real(), mostSeats)
	if err != nil {
		return d, err
	}
	d.SignIns = len(in)
	prices, err := tx.OverridesOf(ctx, a.ID)
	d.Prices = len(prices)
	return d, err
}

// papers are the statements, adjustments and invoices.
func (d *AccountDetail) papers(ctx context.Context, tx *store.Tx, accountID string) error {
	statements, err := tx.StatementsOf(ctx, accountID, "", lately)
	if err != nil {
		return err
	}
	for _, s := range statements {
		d.Statements = append(d.Statements, Deal{At: s.IssuedAt, Name: s.Number, Note: s.Month.String(), Amount: s.Total})
	}
	adjustments, err := tx.AdjustmentsOf(ctx, accountID, lately)
	if err != nil {
		return err
	}
	for _, x := range adjustments {
		d.Adjustments = append(d.Adjustments, Deal{
			At: x.ProposedAt, Name: x.ID, Href: Prefix + "/adjustments/" + x.ID, Note: x.Reason, Amount: x.Amount,
			State: web.T(ctx, "adjust.state."+string(x.State)), Tone: adjustmentTone(x.State),
		})
	}
	invoices, err := tx.Invoices(ctx, store.InvoiceQuery{AccountID: accountID}, lately)
	for _, x := range invoices {
		d.Invoices = append(d.Invoices, Deal{
			At: x.RequestedAt, Name: x.Number, Href: Prefix + "/invoices/" + x.ID, Note: x.Profile.Title, Amount: x.Total,
			State: web.T(ctx, "invoice.state."+string(x.State)), Tone: invoiceTone(x.State),
		})
	}
	return err
}

// topups are the latest payments online and bank transfers, the newest first.
func topups(ctx context.Context, tx *store.Tx, accountID string) ([]Deal, error) {
	var list []Deal
	payments, err := tx.PaymentsOf(ctx, accountID, "", lately)
	if err != nil {
		return nil, err
	}
	for _, p := range payments {
		list = append(list, Deal{
			At: p.CreatedAt, Name: p.ID, Href: Prefix + "/payments/" + p.ID, Note: web.Name(ctx, "channel", p.Channel), Amount: p.Amount,
			State: web.Name(ctx, "payment", p.State), Tone: paymentTone(p.State),
		})
	}
	transfers, err := tx.TransfersAfter(ctx, accountID, "", "", lately)
	if err != nil {
		return nil, err
	}
	for _, t := range transfers {
		list = append(list, Deal{
			At: t.DeclaredAt, Name: t.Reference, Href: Prefix + "/transfers/" + t.ID, Note: web.T(ctx, "channel.bank"), Amount: t.Amount,
			State: web.T(ctx, "op.transfer."+string(t.State)), Tone: transferTone(t.State),
		})
	}
	slices.SortStableFunc(list, func(a, b Deal) int { return cmp.Compare(b.At.UnixMicro(), a.At.UnixMicro()) })
	return list[:min(len(list), lately)], nil
}

// WorkspaceDetail is what is in a workspace: the latest of each kind.
type WorkspaceDetail struct {
	Members   int
	Token     string // masked
	Keys      []account.Key
	Bills     []bill.Bill
	Used      UsedLately
	Retention []retention.Setting
	Notices   []workspace.Notice
}

// UsedLately is what was used of each item on the last days, the present one
// last and not over yet.
type UsedLately struct {
	Days  []period.Day
	Items []UsedItem
}

// UsedItem is a row of it.
type UsedItem struct {
	Item   string
	Counts []quantity.Decimal // one a day
	Quota  int64              // of a day; 0 where there is none
}

func (o *Console) workspaceDetail(ctx context.Context, tx *store.Tx, w workspace.Workspace, zone *time.Location) (d WorkspaceDetail, err error) {
	members, err := tx.Members(ctx, w.ID)
	if err != nil {
		return d, err
	}
	d.Members = len(members)
	token, err := tx.CurrentToken(ctx, w.ID)
	if err != nil {
		return d, err
	}
	d.Token = masked(token.Secret)
	if d.Keys, err = tx.Keys(ctx, account.KeyHolder{Scope: account.WorkspaceKeys, ID: w.ID}, mostKeys); err != nil {
		return d, err
	}
	now := o.Clock.Now()
	today := period.DayOf(now, zone)
	if d.Bills, err = tx.BillsOf(ctx, w.ID, today.Add(-366), today, lately); err != nil {
		return d, err
	}
	if d.Used, err = o.usedLately(ctx, tx, w, today, zone); err != nil {
		return d, err
	}
	v, err := o.Catalog.At(today)
	if err != nil {
		return d, err
	}
	chosen, err := tx.RetentionSettings(ctx, w.ID)
	if err != nil {
		return d, err
	}
	settings := retention.Of(w.Plan, v).With(chosen, now)
	for _, of := range settings.Types() {
		d.Retention = append(d.Retention, settings.Setting(retention.Target{Type: of}))
	}
	d.Retention = append(d.Retention, settings.Indexes()...)
	d.Notices, err = tx.Notices(ctx, w.ID, now.AddDate(0, -1, 0), lately)
	return d, err
}

// masked is the beginning of a secret: enough to tell two apart, too little to
// report with.
func masked(secret string) string {
	const shown = 9
	if len(secret) <= shown {
		return "…"
	}
	return secret[:shown] + "…"
}

// usedLately counts day by day, as the bills do.
func (o *Console) usedLately(ctx context.Context, tx *store.Tx, w workspace.Workspace, today period.Day, zone *time.Location) (UsedLately, error) {
	var u UsedLately
	v, err := o.Catalog.At(today)
	if err != nil {
		return u, err
	}
	first := today.Add(1 - lately)
	samples, err := tx.UsageBetween(ctx, w.ID, w.Generation, first.Start(zone), today.End(zone))
	if err != nil {
		return u, err
	}
	byDay := map[period.Day][]usage.Sample{}
	for _, s := range samples {
		day := period.DayOf(s.Hour, zone)
		byDay[day] = append(byDay[day], s)
	}
	for i := range lately {
		day := first.Add(i)
		u.Days = append(u.Days, day)
		counted, err := usage.Quantities(v, byDay[day])
		if err != nil {
			return u, err
		}
		for _, q := range counted {
			if err := u.add(q, i); err != nil {
				return u, err
			}
		}
	}
	for i, item := range u.Items {
		if quota := v.Quotas.Of(item.Item); w.Plan == workspace.Experience && quota.Limited {
			u.Items[i].Quota = quota.Quota
		}
	}
	return u, nil
}

func (u *UsedLately) add(q usage.Quantity, day int) (err error) {
	i := slices.IndexFunc(u.Items, func(x UsedItem) bool { return x.Item == q.Item })
	if i < 0 {
		i = len(u.Items)
		u.Items = append(u.Items, UsedItem{Item: q.Item, Counts: slices.Repeat([]quantity.Decimal{quantity.Zero}, lately)})
	}
	u.Items[i].Counts[day], err = u.Items[i].Counts[day].Add(q.Quantity)
	return err
}

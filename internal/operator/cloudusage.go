package operator

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const cloudUsagePath = Prefix + "/cloud-usage"

// CloudUsage is what needs a person, and what went out lately.
type CloudUsage struct {
	Frame    web.Frame
	Lost     []marketplace.Record
	Stranded []marketplace.Charge
	State    marketplace.RecordState // that the list is narrowed to; empty for all
	Latest   []marketplace.Record
}

// CloudRecord is one record of usage.
type CloudRecord struct {
	Frame  web.Frame
	Form   *web.Form
	Record marketplace.Record
	Log    []store.AuditLine
}

// CloudMonth is what was billed, sent and accepted of a cloud's month.
type CloudMonth struct {
	Frame web.Frame
	Form  *web.Form
	Of    marketplace.Reconciliation
}

// cloudUsage are the routes of usage for marketplaces.
func (o *Console) cloudUsage() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: cloudUsagePath, Needs: needs(account.Look), Handler: o.cloudUsagePage},
		{Method: http.MethodGet, Pattern: cloudUsagePath + "/reconciliation", Needs: needs(account.Look), Handler: o.reconciliationPage},
		{Method: http.MethodGet, Pattern: cloudUsagePath + "/reconciliation.csv", Needs: needs(account.Look), Handler: o.reconciliationFile},
		{Method: http.MethodGet, Pattern: cloudUsagePath + "/{record}", Needs: needs(account.Look), Handler: o.cloudRecordPage},
		{Method: http.MethodPost, Pattern: cloudUsagePath + "/{record}", Needs: needs(account.CreditMoney), Handler: o.decideRecord},
	}
}

func (o *Console) cloudUsagePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := CloudUsage{Frame: o.frame(r, web.T(ctx, "op.nav.cloud-usage"), "cloud-usage"), State: marketplace.RecordState(r.URL.Query().Get("state"))}
	if !slices.Contains(marketplace.RecordStates(), page.State) {
		page.State = "" // a state that there is not narrows nothing
	}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Lost, err = tx.UsageRecords(ctx, store.UsageFilter{Lost: true}, "", shown); err != nil {
			return err
		}
		if page.Stranded, err = tx.StrandedCharges(ctx, shown); err != nil {
			return err
		}
		page.Latest, err = tx.UsageRecords(ctx, store.UsageFilter{State: page.State}, "", shown)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, cloudUsagePage(page))
}

func (o *Console) cloudRecordPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderRecord(w, r, web.Blank())
}

func (o *Console) renderRecord(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := CloudRecord{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Record, err = tx.UsageRecord(ctx, r.PathValue("record")); err != nil {
			return err
		}
		page.Log, err = tx.AuditLog(ctx, page.Record.ID, 0, shown)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "op.cloud.record"), "cloud-usage")
	return web.Render(w, r, form.Status(), cloudRecordPage(page))
}

// decideRecord keeps what the operator decided of a record.
func (o *Console) decideRecord(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("record")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		by := workspace.Actor{AccountID: operator(ctx).ID, Address: web.Address(r)}
		_, err := marketplace.Decide(ctx, tx, id, marketplace.Verdict(form.Text("verdict")), form.Text("reason"), by, o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.renderRecord(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.cloud.said")
	return web.SeeOther(w, r, cloudUsagePath+"/"+url.PathEscape(id))
}

// reconciled reads the cloud and month that are asked for; without any, this
// month of the first cloud.
func (o *Console) reconciled(ctx context.Context, r *http.Request) (marketplace.Reconciliation, error) {
	q := r.URL.Query()
	cloud, month := site.Method(q.Get("cloud")), period.DayOf(o.Clock.Now(), time.UTC).Month()
	if cloud == "" {
		cloud = site.Alibaba
	}
	if text := q.Get("month"); text != "" {
		var err error
		if month, err = period.ParseMonth(text); err != nil {
			return marketplace.Reconciliation{}, err
		}
	}
	var of marketplace.Reconciliation
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		of, err = tx.Reconciliation(ctx, cloud, month)
		return err
	})
	return of, err
}

func (o *Console) reconciliationPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	of, err := o.reconciled(ctx, r)
	if err != nil {
		return err
	}
	page := CloudMonth{Frame: o.frame(r, web.T(ctx, "op.cloud.reconcile"), "cloud-usage"), Form: web.Blank(), Of: of}
	return web.Render(w, r, http.StatusOK, reconciliationPage(page))
}

func (o *Console) reconciliationFile(w http.ResponseWriter, r *http.Request) error {
	of, err := o.reconciled(r.Context(), r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+string(of.Cloud)+`-`+of.Month.String()+`.csv"`)
	h.Set("Cache-Control", "no-store")
	_ = of.WriteCSV(w) // whoever hung up reads nothing more
	return nil
}

// states are the list's filters, the one that is chosen among them.
func (p CloudUsage) states(ctx context.Context) []web.Tab {
	list := []web.Tab{{Label: web.T(ctx, "op.cloud.all"), Href: cloudUsagePath, Current: p.State == ""}}
	for _, s := range marketplace.RecordStates() {
		list = append(list, web.Tab{Label: web.T(ctx, "op.usage."+string(s)), Href: cloudUsagePath + "?state=" + string(s), Current: p.State == s})
	}
	return list
}

// clouds are the methods that a marketplace settles.
func (p CloudMonth) clouds(ctx context.Context) []web.Option {
	var list []web.Option
	for _, m := range site.Methods() {
		if m != site.BillingCenter {
			list = append(list, web.Option{Value: string(m), Label: web.Name(ctx, "method", m)})
		}
	}
	return list
}

func (p CloudMonth) file() string {
	return cloudUsagePath + "/reconciliation.csv?" + url.Values{"cloud": {string(p.Of.Cloud)}, "month": {p.Of.Month.String()}}.Encode()
}

func (p CloudRecord) verdicts(ctx context.Context) []web.Option {
	var list []web.Option
	for _, v := range marketplace.Verdicts() {
		list = append(list, web.Option{Value: string(v), Label: web.T(ctx, "op.verdict."+string(v))})
	}
	return list
}

// recordReason is why a record is as it is: in the language of the page where
// the reason is ours, as it was said where a cloud or an operator said it.
func recordReason(ctx context.Context, reason string) string {
	said, silent := strings.CutPrefix(reason, marketplace.ReasonAfterSilent)
	switch {
	case silent:
		return web.T(ctx, "op.cloud.reason.silent", "reason", said)
	case reason == marketplace.ReasonNoAnswer:
		return web.T(ctx, "op.cloud.reason.no_answer")
	case reason == marketplace.ReasonResends:
		return web.T(ctx, "op.cloud.reason.resends")
	}
	return reason
}

func usageTone(s marketplace.RecordState) web.Tone {
	switch {
	case s.Lost():
		return web.Bad
	case s == marketplace.Accepted, s == marketplace.DuplicateSame:
		return web.Good
	case s.Open():
		return web.Accent
	}
	return web.Plain
}

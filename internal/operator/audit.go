package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Audit is the log of who did what.
type Audit struct {
	Frame  web.Frame
	Form   *web.Form
	Rows   []store.AuditLine
	Broken int64 // the first entry that does not follow from the one before; 0: whole
	Pager  web.Pager
}

// mostExported bounds the rows of a table that is handed out.
const mostExported = 10_000

// auditFields are the filters of the log.
var auditFields = []string{"subject", "actor", "action", "from", "to"}

// path is the address of the log, or of its table, with the filter.
func (p Audit) path(to string, before int64) string {
	q := url.Values{}
	for _, name := range auditFields {
		if text := p.Form.Text(name); text != "" {
			q.Set(name, text)
		}
	}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	return Prefix + to + "?" + q.Encode()
}

func auditPath(subject string) string {
	return Audit{Form: web.Blank("subject", subject)}.path("/audit", 0)
}

// auditFilter reads the filter. Days are of UTC, as the log shows them; who
// acted is an ID, or the address of an operator or of a Billing Center account.
func auditFilter(ctx context.Context, tx *store.Tx, form *web.Form) (store.AuditFilter, error) {
	text := func(name string) string { return strings.TrimSpace(form.Text(name)) }
	f := store.AuditFilter{Subject: text("subject"), Actor: text("actor"), Action: text("action")}
	var list fault.Fields
	for _, name := range []string{"from", "to"} {
		if text(name) == "" {
			continue
		}
		day, err := period.ParseDay(text(name))
		switch {
		case err != nil:
			list = append(list, fault.From(err).On(name))
		case name == "from":
			f.From = day.Start(zone)
		default:
			f.To = day.End(zone)
		}
	}
	if len(list) == 0 && !f.To.IsZero() && !f.To.After(f.From) {
		list = append(list, period.ErrReversed.On("to"))
	}
	if err := list.OrNil(); err != nil {
		return f, err
	}
	if strings.Contains(f.Actor, "@") {
		return f, actorOf(ctx, tx, &f)
	}
	return f, nil
}

// actorOf finds whose address it is; nobody's leads to nothing.
func actorOf(ctx context.Context, tx *store.Tx, f *store.AuditFilter) error {
	address := strings.ToLower(f.Actor)
	o, err := tx.OperatorByEmail(ctx, address)
	if err == nil {
		f.Actor = o.ID
		return nil
	}
	if !errors.Is(err, account.ErrUnknown) {
		return err
	}
	a, err := tx.BillingByLogin(ctx, address)
	if err == nil {
		f.Actor = a.ID
		return nil
	}
	if !errors.Is(err, account.ErrUnknown) {
		return err
	}
	return nil
}

func (o *Console) auditPage(w http.ResponseWriter, r *http.Request) error {
	ctx, form := r.Context(), &web.Form{Values: r.URL.Query()}
	page := Audit{Frame: o.frame(r, web.T(ctx, "op.nav.audit"), "audit"), Form: form}
	before, err := strconv.ParseInt(form.Text("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // the newest
	}
	err = o.Store.Read(ctx, func(tx *store.Tx) error {
		f, err := auditFilter(ctx, tx, form)
		if err != nil {
			return err
		}
		if page.Rows, err = tx.AuditIn(ctx, f, before, pageSize); err != nil {
			return err
		}
		page.Broken, err = tx.BrokenAudit(ctx)
		return err
	})
	if err != nil && !form.Refused(err) {
		return err
	}
	if n := len(page.Rows); n == pageSize {
		page.Pager.Older = page.path("/audit", page.Rows[n-1].N)
	}
	return web.Render(w, r, form.Status(), auditPage(page))
}

// auditCSV hands out what the filter leaves, the newest first.
func (o *Console) auditCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var lines []store.AuditLine
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		f, err := auditFilter(ctx, tx, &web.Form{Values: r.URL.Query()})
		if err != nil {
			return err
		}
		lines, err = tx.AuditIn(ctx, f, 0, mostExported)
		return err
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"number", "at", "actor", "address", "action", "subject", "particulars", "hash"}}
	for _, l := range lines {
		rows = append(rows, []string{
			strconv.FormatInt(l.N, 10), web.Machine(l.At), l.Actor, l.Address, l.Action, l.Subject, strings.Join(details(l.Detail), "; "), l.Hash,
		})
	}
	return web.CSV(w, "audit.csv", rows)
}

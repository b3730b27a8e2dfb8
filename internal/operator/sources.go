package operator

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

const sourcesPath = Prefix + "/sources"

// sourceMovesShown bounds the movements of a voucher or card.
const sourceMovesShown = 200

// Sources is the list of vouchers and cards of all payers.
type Sources struct {
	Frame web.Frame
	List  web.Listing
	Form  *web.Form
	Rows  []PayersSource
	Count int64
	Pager web.Pager
}

// PayersSource is a voucher or card with its payer's name.
type PayersSource struct {
	SourceRow
	PayerName string
}

// SourceView is one voucher or card with what moved on it.
type SourceView struct {
	Frame web.Frame
	PayersSource
	Moves []SourceMove
}

// SourceMove is what an entry of the ledger did to a voucher or card.
type SourceMove struct {
	wallet.Entry
	Amount money.Amount
}

// sources are the routes of vouchers and cards, whoever has them.
func (o *Console) sources() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: sourcesPath, Needs: needs(account.Look), Handler: o.sourcesPage},
		{Method: http.MethodGet, Pattern: Prefix + "/sources.csv", Needs: needs(account.Look), Handler: o.sourcesCSV},
		{Method: http.MethodGet, Pattern: sourcesPath + "/{source}", Needs: needs(account.Look), Handler: o.sourcePage},
	}
}

func sourceListing(r *http.Request) web.Listing {
	return web.NewListing(sourcesPath, r.URL.Query(), store.SourceOrders(), "payer", "kind", "state", "currency", "from", "to")
}

// sourceQuery reads the filters. A payer is named by user name or ID.
func sourceQuery(ctx context.Context, tx *store.Tx, l web.Listing, at time.Time) (store.SourceQuery, error) {
	q := store.SourceQuery{
		Payer: l.Text("payer"), Payment: wallet.Payment(l.Text("kind")), State: wallet.SourceState(l.Text("state")),
		Currency: money.Currency(l.Text("currency")), Order: l.Order(), At: at,
	}
	var list fault.Fields
	q.From, q.To = optionalDay(l.Form(), "from", &list), optionalDay(l.Form(), "to", &list)
	if len(list) == 0 && !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From) {
		list = append(list, period.ErrReversed.On("to"))
	}
	if err := list.OrNil(); err != nil {
		return q, err
	}
	var err error
	q.Payer, err = payerNamed(ctx, tx, q.Payer)
	return q, err
}

func (o *Console) sourcesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, list, after := r.Context(), sourceListing(r), r.URL.Query().Get("after")
	page := Sources{Frame: o.frame(r, web.T(ctx, "sources.title"), "codes"), List: list, Form: list.Form()}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		q, err := sourceQuery(ctx, tx, list, o.Clock.Now())
		if err != nil {
			return err
		}
		if page.Count, err = tx.CountSources(ctx, q); err != nil {
			return err
		}
		found, err := tx.SourcesIn(ctx, q, after, pageSize)
		if err != nil {
			return err
		}
		if n := len(found); n > 0 {
			page.Pager = list.Pages(after, found[n-1].ID, n == pageSize)
		}
		page.Rows, err = o.payersSources(ctx, tx, found)
		return err
	})
	if err != nil && !page.Form.Refused(err) {
		return err
	}
	return web.Render(w, r, page.Form.Status(), sourcesPage(page))
}

// payersSources are vouchers and cards with the names of their payers.
func (o *Console) payersSources(ctx context.Context, tx *store.Tx, list []wallet.Source) ([]PayersSource, error) {
	names, rows := map[string]string{}, make([]PayersSource, len(list))
	for i, s := range sourceRows(list, o) {
		if _, known := names[s.Payer]; !known {
			a, err := tx.BillingByID(ctx, s.Payer)
			if err != nil {
				return nil, err
			}
			names[s.Payer] = a.UserName
		}
		rows[i] = PayersSource{s, names[s.Payer]}
	}
	return rows, nil
}

// sourcesCSV is the whole list that the filters name.
func (o *Console) sourcesCSV(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var found []PayersSource
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		q, err := sourceQuery(ctx, tx, sourceListing(r), o.Clock.Now())
		if err != nil {
			return err
		}
		all, err := tx.SourcesIn(ctx, q, "", mostExported+1)
		if err != nil {
			return err
		}
		if len(all) > mostExported {
			return ErrTooManyRows
		}
		found, err = o.payersSources(ctx, tx, all)
		return err
	})
	if err != nil {
		return err
	}
	rows := [][]string{{"id", "kind", "state", "payer_id", "payer", "currency", "left", "face", "origin", "from", "code_end", "reason", "issued_at", "expires_at", "ended_at"}}
	for _, s := range found {
		rows = append(rows, []string{
			s.ID, string(s.Payment), string(s.State), s.Payer, export.Inert(s.PayerName), string(s.Face.Currency()), s.Balance.String(), s.Face.String(),
			string(s.Origin), s.From, s.Tail, export.Inert(s.Reason), web.Machine(s.Since), machineOr(s.ExpiresAt), machineOr(s.EndedAt),
		})
	}
	return web.CSV(w, "sources.csv", rows)
}

// machineOr is an instant for machines; empty where there is none.
func machineOr(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return web.Machine(at)
}

func (o *Console) sourcePage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := SourceView{}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		s, err := tx.AnySource(ctx, r.PathValue("source"))
		if err != nil {
			return err
		}
		rows, err := o.payersSources(ctx, tx, []wallet.Source{s})
		if err != nil {
			return err
		}
		page.PayersSource = rows[0]
		entries, err := tx.EntriesOfSource(ctx, s, sourceMovesShown)
		for _, e := range entries {
			moved, wrong := e.On(s.Account)
			if wrong != nil {
				return wrong
			}
			page.Moves = append(page.Moves, SourceMove{e, moved})
		}
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "codes.kind."+string(page.Payment)), "codes")
	return web.Render(w, r, http.StatusOK, sourcePage(page))
}

func sourcePath(id string) string { return sourcesPath + "/" + url.PathEscape(id) }

func sourceStates() []wallet.SourceState {
	return []wallet.SourceState{wallet.Usable, wallet.UsedUp, wallet.Expired, wallet.Ended}
}

// keyed names the entries of a fixed list by a key of the texts.
func keyed(prefix string) func(context.Context, string) string {
	return func(ctx context.Context, id string) string { return web.T(ctx, prefix+id) }
}

// sourceFacts are where a voucher or card comes from and how long it lasts.
func sourceFacts(ctx context.Context, p SourceView) []web.Pair {
	pairs := []web.Pair{
		{Term: web.T(ctx, "op.col.payer"), Part: payerLink(account.Billing{ID: p.Payer, UserName: p.PayerName})},
		{Term: web.T(ctx, "op.col.state"), Part: web.Badge(sourceTone(p.State), web.T(ctx, "codes.source."+string(p.State)))},
		{Term: web.T(ctx, "sources.origin"), Text: web.T(ctx, "codes.origin."+string(p.Origin)), Note: p.Reason},
		{Term: web.T(ctx, "sources.issued"), Text: web.Instant(p.Since, zone) + " " + web.Zone(p.Since, zone)},
		{Term: web.T(ctx, "codes.col.valid"), Text: validity(ctx, p.Source)},
	}
	if p.Origin == wallet.Activated {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "sources.batch"), Part: web.Link(web.Action{Label: "…" + p.Tail, Href: batchPath(p.From)})})
	} else if p.From != "" {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "sources.earned"), Text: p.From, Mono: true})
	}
	if !p.EndedAt.IsZero() {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "sources.ended"), Text: web.Instant(p.EndedAt, zone) + " " + web.Zone(p.EndedAt, zone)})
	}
	return pairs
}

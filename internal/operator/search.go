package operator

import (
	"context"
	"net/http"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// Search is one box for everything.
type Search struct {
	Frame web.Frame
	Form  *web.Form
	Text  string
	Hits  []Hit
}

// Hit is one thing that was found, and where it is shown.
type Hit struct {
	Kind string // account, workspace, bill, statement, transfer, source
	Name string
	Note string
	Path string
}

// mostHits bounds what is shown of each kind.
const mostHits = 10

func (o *Console) searchPage(w http.ResponseWriter, r *http.Request) error {
	ctx, form := r.Context(), &web.Form{Values: r.URL.Query()}
	page := Search{Frame: o.frame(r, web.T(ctx, "op.nav.search"), "search"), Form: form, Text: strings.TrimSpace(form.Text("text"))}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		found, err := tx.Search(ctx, page.Text, mostHits)
		if err != nil {
			return err
		}
		page.Hits, err = hits(ctx, tx, found)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, searchView(page))
}

// hits say of each thing what it is and where it is shown; what has no page
// here is shown with its workspace or its account.
func hits(ctx context.Context, tx *store.Tx, f store.Found) (list []Hit, err error) {
	for _, a := range f.Accounts {
		list = append(list, Hit{"account", a.UserName, a.Email + " · " + a.ID, Prefix + "/accounts/" + a.ID})
	}
	for _, w := range f.Workspaces {
		list = append(list, Hit{"workspace", w.Name, web.Name(ctx, "site", w.Site) + " · " + w.ID, Prefix + "/workspaces/" + w.ID})
	}
	for _, b := range f.Bills {
		list = append(list, billHit(b))
	}
	for _, s := range f.Statements {
		list = append(list, Hit{"statement", s.Number, s.Month.String(), Prefix + "/accounts/" + s.Payer})
	}
	for _, t := range f.Transfers {
		list = append(list, Hit{"transfer", t.Reference, web.Money(t.Amount) + " " + string(t.Amount.Currency()), Prefix + "/transfers/" + t.ID})
	}
	for _, s := range f.Sources {
		a, err := tx.BillingByID(ctx, s.Payer)
		if err != nil {
			return nil, err
		}
		list = append(list, Hit{"source", s.ID, a.UserName + " · " + web.Money(s.Face) + " " + string(s.Face.Currency()), vouchersPath(s.Payer)})
	}
	return list, nil
}

func billHit(b bill.Bill) Hit {
	return Hit{"bill", b.Number, b.Day.String() + " · " + web.Money(b.Total) + " " + string(b.Market.Currency), Prefix + "/workspaces/" + b.WorkspaceID}
}

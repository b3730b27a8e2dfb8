package studio

import (
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// settlement is the Change Settlement Method dialog. Closing it keeps the
// Billing Center account; it changes nothing by itself.
func (c *Console) settlement(w http.ResponseWriter, r *http.Request) error {
	ctx, p := r.Context(), visitOf(r).place
	if p.Workspace.Plan != workspace.Commercial {
		return web.SeeOther(w, r, p.path("billing"))
	}
	payer, err := c.payer(r)
	if err != nil {
		return err
	}
	rules := settle.Rules{Profile: c.options.Profile, Enabled: c.options.Clouds.Methods()}
	page := settlementPage{Frame: c.frame(r, web.T(ctx, "studio.settlement.title"), "billing"), Place: p, Payer: payer.UserName, Options: rules.Options(p.Site, payer.ArbitrarySettlement)}
	wanted := site.Method(r.FormValue("method"))
	for i, o := range page.Options {
		if o.Preselected && page.Shown == nil || o.Method == wanted {
			page.Shown = &page.Options[i]
		}
	}
	return web.Render(w, r, http.StatusOK, settlementView(page))
}

// billingCenter is where its pages live.
const billingCenter = "/billing-center/"

// jump leads the Owner into the Billing Center without signing in there: by a
// ticket of one use and sixty seconds (design D11).
func (c *Console) jump(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	target := web.LocalPath(form.Text("target"), billingCenter)
	if !strings.HasPrefix(target, billingCenter) {
		target = billingCenter
	}
	return c.enterBillingCenter(w, r, target)
}

// enterBillingCenter makes the ticket and follows it.
func (c *Console) enterBillingCenter(w http.ResponseWriter, r *http.Request, target string) error {
	ctx, v, now := r.Context(), visitOf(r), c.now()
	if v.place.Workspace.Payer == "" {
		return web.SeeOther(w, r, v.place.path("billing"))
	}
	ticket := account.NewTicket(v.place.Workspace.Payer, v.account.ID, target, now)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		if err := tx.InsertTicket(ctx, ticket); err != nil {
			return err
		}
		actor := v.actor(r)
		return tx.Audit(ctx, audit.Entry{
			At: now, Actor: actor.AccountID, Address: actor.Address, Action: "billing_center.jumped", Subject: v.place.Workspace.ID,
			Detail: map[string]string{"payer": v.place.Workspace.Payer},
		})
	})
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, billingCenter+"enter?ticket="+url.QueryEscape(ticket.ID))
}

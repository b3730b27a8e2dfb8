package operator

import (
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// pageSize bounds a list.
const pageSize = 50

// AccountView is one Billing Center account.
type AccountView struct {
	Frame      web.Frame
	Account    account.Billing
	Balances   wallet.Balances
	Sources    money.Amount // what is left on vouchers and cards
	Workspaces []workspace.Workspace
	Waiver     invoice.Waiver
	Form       *web.Form // of the waiver
	Log        []store.AuditLine
	Detail     AccountDetail
}

// WorkspaceView is one workspace and why it is so.
type WorkspaceView struct {
	Frame     web.Frame
	Workspace workspace.Workspace
	Zone      *time.Location
	Owner     account.Studio
	Payer     account.Billing // zero in Experience
	Agreed    []upgrade.Agreed
	Standing  arrears.Standing
	Clearing  arrears.Clearing
	LogCount  logcount.Way
	Form      *web.Form // in which days are granted, and logs counted in another way
	Log       []store.AuditLine
	Detail    WorkspaceDetail
}

func (o *Console) accountPage(w http.ResponseWriter, r *http.Request) error {
	return o.showAccount(w, r, web.Blank())
}

func (o *Console) showAccount(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := AccountView{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Account, err = tx.BillingByID(ctx, r.PathValue("account")); err != nil {
			return err
		}
		if page.Balances, err = wallet.BalancesOf(ctx, tx, page.Account.ID, page.Account.Currency); err != nil {
			return err
		}
		if page.Sources, err = money.Sum(page.Account.Currency, page.Balances.Voucher, page.Balances.FullReduction, page.Balances.Card); err != nil {
			return err
		}
		if page.Workspaces, err = tx.WorkspacesPaidBy(ctx, page.Account.ID); err != nil {
			return err
		}
		if page.Waiver, err = tx.InvoiceWaiver(ctx, page.Account.ID); err != nil {
			return err
		}
		if page.Log, err = tx.AuditLog(ctx, page.Account.ID, 0, logLines); err != nil {
			return err
		}
		page.Detail, err = o.accountDetail(ctx, tx, page.Account)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, page.Account.UserName, "accounts")
	return web.Render(w, r, form.Status(), accountPage(page))
}

// logLines is how much of the audit log a thing's own page shows.
const logLines = 20

func (o *Console) switchSettlement(w http.ResponseWriter, r *http.Request) error {
	return o.switched(w, r, func(s *account.Switches, on bool) { s.ArbitrarySettlement = on })
}

func (o *Console) switchDisabled(w http.ResponseWriter, r *http.Request) error {
	return o.switched(w, r, func(s *account.Switches, on bool) { s.Disabled = on })
}

// changeCurrency moves an account to another currency while its books are empty.
func (o *Console) changeCurrency(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), r.PathValue("account")
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.BillingByID(ctx, id); err != nil {
			return err
		}
		to, err := money.ParseCurrency(form.Text("to"))
		if err != nil {
			return err
		}
		return account.ChangeCurrency(ctx, tx, id, to, operator(ctx).ID, web.Address(r), o.Clock.Now())
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.currency")
	return web.SeeOther(w, r, Prefix+"/accounts/"+url.PathEscape(id))
}

// switched sets one switch to what the button says, so that a second click
// changes nothing.
func (o *Console) switched(w http.ResponseWriter, r *http.Request, set func(*account.Switches, bool)) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	id := r.PathValue("account")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		a, err := tx.BillingByID(ctx, id)
		if err != nil {
			return err
		}
		to := account.Switches{Disabled: a.Disabled, ArbitrarySettlement: a.ArbitrarySettlement}
		set(&to, form.Text("to") == "on")
		return account.Switch(ctx, tx, id, to, operator(ctx).ID, web.Address(r), o.Clock.Now())
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.switched")
	return web.SeeOther(w, r, Prefix+"/accounts/"+url.PathEscape(id))
}

func (o *Console) workspacePage(w http.ResponseWriter, r *http.Request) error {
	return o.renderWorkspace(w, r, web.Blank())
}

func (o *Console) renderWorkspace(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := WorkspaceView{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Workspace, err = tx.Workspace(ctx, r.PathValue("workspace")); err != nil {
			return err
		}
		if page.Owner, err = tx.StudioByID(ctx, page.Workspace.OwnerID); err != nil {
			return err
		}
		if page.Workspace.Payer != "" {
			if page.Payer, err = tx.BillingByID(ctx, page.Workspace.Payer); err != nil {
				return err
			}
		}
		if page.Agreed, err = tx.AgreedFor(ctx, page.Workspace.ID); err != nil {
			return err
		}
		if page.Standing, err = arrears.Look(ctx, tx, page.Workspace); err != nil {
			return err
		}
		if page.LogCount, err = tx.LogCount(ctx, page.Workspace.ID); err != nil {
			return err
		}
		if page.Clearing, err = tx.Clearing(ctx, page.Workspace.ID); err != nil {
			return err
		}
		if page.Log, err = tx.AuditLog(ctx, page.Workspace.ID, 0, logLines); err != nil {
			return err
		}
		s, err := site.Find(page.Workspace.Site)
		if err != nil {
			return err
		}
		page.Zone = s.Zone
		page.Detail, err = o.workspaceDetail(ctx, tx, page.Workspace, s.Zone)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, page.Workspace.Name, "workspaces")
	return web.Render(w, r, form.Status(), workspacePage(page))
}

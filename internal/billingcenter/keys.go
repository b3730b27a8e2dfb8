package billingcenter

import (
	"context"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// mostKeysShown bounds the list of keys, revoked ones among them.
const mostKeysShown = 100

const keysPath = Prefix + "/keys"

// keyHolder is the account as a holder of keys.
func keyHolder(ctx context.Context) account.KeyHolder {
	return account.KeyHolder{Scope: account.AccountKeys, ID: payer(ctx).ID}
}

// keyRow is a key in the list. The account's keys are made by its holder.
func keyRow(ctx context.Context, k account.Key, a account.Billing) web.KeyRow {
	row := web.KeyRow{Key: k, Maker: a.UserName, Reads: web.T(ctx, "keys.reads_all")}
	if k.Revoked() {
		row.Reads = web.T(ctx, "keys.reads_none")
	}
	return row
}

func (b *Console) keysPage(w http.ResponseWriter, r *http.Request) error {
	return b.showKeys(w, r, nil, nil)
}

// showKeys shows the keys, with the form that is wrong or the key that was
// made, if either is.
func (b *Console) showKeys(w http.ResponseWriter, r *http.Request, form *web.Form, fresh *web.FreshKey) error {
	ctx := r.Context()
	a := payer(ctx)
	zone := zoneOf(a.Currency)
	page := web.KeysPage{
		Frame: b.frame(r, web.T(ctx, "keys.title"), "account"), Form: form, Path: keysPath, Fresh: fresh,
		Lede: web.T(ctx, "keys.account_lede"), Note: web.T(ctx, "keys.account_note"),
		Address: b.BaseURL, Zone: zone, Today: period.DayOf(b.Now(), zone),
	}
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := tx.Keys(ctx, keyHolder(ctx), mostKeysShown)
		for _, k := range all {
			page.Keys = append(page.Keys, keyRow(ctx, k, a))
		}
		return err
	})
	if err != nil {
		return err
	}
	status := form.Status()
	if fresh != nil {
		status = http.StatusCreated
	}
	return web.Render(w, r, status, web.KeysView(page))
}

// makeKey shows the new key on the answer itself and redirects nowhere: to
// show it on another page it would have to be kept. Keys have names of their
// own, so that sending the form again makes no second one.
func (b *Console) makeKey(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx := r.Context()
	draft := account.KeyDraft{Holder: keyHolder(ctx), Name: form.Text("name"), MadeBy: payer(ctx).ID, Address: web.Address(r)}
	var made account.Key
	var secret string
	err = b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		made, secret, err = account.MakeKey(ctx, tx, draft, b.Now())
		return err
	})
	if form.Refused(err) {
		return b.showKeys(w, r, form, nil)
	}
	if err != nil {
		return err
	}
	return b.showKeys(w, r, nil, &web.FreshKey{Name: made.Name, Secret: secret})
}

func (b *Console) revokeKeyPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	var k account.Key
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		k, err = tx.KeyOf(ctx, keyHolder(ctx), r.PathValue("key"))
		return err
	})
	if err != nil {
		return err
	}
	if k.Revoked() {
		return web.SeeOther(w, r, keysPath)
	}
	return web.Render(w, r, http.StatusOK, web.RevokeKeyView(web.RevokeKeyPage{
		Frame: b.frame(r, web.T(ctx, "keys.revoke_title", "name", k.Name), "account"), Path: keysPath,
		Row: keyRow(ctx, k, a), Zone: zoneOf(a.Currency),
	}))
}

func (b *Console) revokeKey(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	var k account.Key
	err := b.Store.Write(ctx, func(tx *store.Tx) (err error) {
		if k, err = tx.KeyOf(ctx, keyHolder(ctx), r.PathValue("key")); err != nil {
			return err
		}
		return account.RevokeKey(ctx, tx, k.Holder, k.ID, payer(ctx).ID, web.Address(r), b.Now())
	})
	if err != nil {
		return err
	}
	b.say(ctx, "keys.revoked", "name", k.Name)
	return web.SeeOther(w, r, keysPath)
}

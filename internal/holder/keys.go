package holder

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// mostKeysShown bounds the list of keys, revoked ones among them.
const mostKeysShown = 100

// Keys are the pages on which keys are made, listed and revoked. Each console
// serves them for the holders that it knows.
type Keys struct {
	Console *web.Console
	Store   *store.Store
	Now     func() time.Time // the installation's clock

	// Of is whose keys a request is about.
	Of func(r *http.Request) KeysOf
}

// KeysOf is a holder of keys, and what its pages say.
type KeysOf struct {
	Holder  account.KeyHolder
	By      string // the account of who is signed in
	Path    string // of the list
	Words   web.KeyWords
	Address string // where the API is
	Zone    *time.Location
	Frame   func(title string) web.Frame

	// Many is set where the keys of several holders are on one page; nil is
	// where they are those of Holder.
	Many *Holders
	// Example is a first call with a key, "$KEY" in its place; nil for the one that reads.
	Example func(k account.Key) string

	// May refuses whoever may not make and revoke keys any more; nil refuses nobody.
	May func(ctx context.Context, tx *store.Tx) error
	// Rows says of each key who made it and what it may do now.
	Rows func(ctx context.Context, tx *store.Tx, keys []account.Key) ([]web.KeyRow, error)
}

// Holders are several holders of keys whose keys are on one page.
type Holders struct {
	Keys  func(ctx context.Context, tx *store.Tx, limit int) ([]account.Key, error)
	Key   func(ctx context.Context, tx *store.Tx, id string) (account.Key, error)
	Whose func(form *web.Form) (account.KeyHolder, error) // the key is that a form asks for
	// Fields are what the form asks besides the name.
	Fields func(form *web.Form) templ.Component
}

func (of KeysOf) keys(ctx context.Context, tx *store.Tx) ([]account.Key, error) {
	if of.Many != nil {
		return of.Many.Keys(ctx, tx, mostKeysShown)
	}
	return tx.Keys(ctx, of.Holder, mostKeysShown)
}

func (of KeysOf) key(ctx context.Context, tx *store.Tx, id string) (account.Key, error) {
	if of.Many != nil {
		return of.Many.Key(ctx, tx, id)
	}
	return tx.KeyOf(ctx, of.Holder, id)
}

// Routes are the pages at the path of the list, for those who have the need.
func (k *Keys) Routes(list string, needs web.Need) []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: list, Needs: needs, Handler: k.List},
		{Method: http.MethodPost, Pattern: list, Needs: needs, Handler: k.Make},
		{Method: http.MethodGet, Pattern: list + "/{key}/revoke", Needs: needs, Handler: k.AskRevoke},
		{Method: http.MethodPost, Pattern: list + "/{key}/revoke", Needs: needs, Handler: k.Revoke},
	}
}

// List shows the keys.
func (k *Keys) List(w http.ResponseWriter, r *http.Request) error { return k.page(w, r, nil, nil) }

// page shows the keys, with the form that is wrong or the key that was made,
// if either is.
func (k *Keys) page(w http.ResponseWriter, r *http.Request, form *web.Form, fresh *web.FreshKey) error {
	ctx, of := r.Context(), k.Of(r)
	page := web.KeysPage{
		Frame: of.Frame(of.Words.Title), Form: form, Path: of.Path, Fresh: fresh, Words: of.Words,
		Address: of.Address, Zone: of.Zone, Today: period.DayOf(k.Now(), of.Zone),
	}
	if of.Many != nil {
		page.Fields = of.Many.Fields(form)
	}
	err := k.Store.Read(ctx, func(tx *store.Tx) error {
		all, err := of.keys(ctx, tx)
		if err == nil {
			page.Keys, err = of.Rows(ctx, tx, all)
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

// Make shows the new key on the answer itself and redirects nowhere: to show
// it on another page it would have to be kept. Keys have names of their own,
// so that sending the form again makes no second one.
func (k *Keys) Make(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, of := r.Context(), k.Of(r)
	draft := account.KeyDraft{Holder: of.Holder, Name: form.Text("name"), MadeBy: of.By, Address: web.Address(r)}
	var made account.Key
	var secret string
	if of.Many != nil {
		draft.Holder, err = of.Many.Whose(form)
	}
	if form.Refused(err) {
		return k.page(w, r, form, nil)
	}
	err = k.change(ctx, of, func(tx *store.Tx) (err error) {
		made, secret, err = account.MakeKey(ctx, tx, draft, k.Now())
		return err
	})
	if form.Refused(err) {
		return k.page(w, r, form, nil)
	}
	if err != nil {
		return err
	}
	fresh := &web.FreshKey{Name: made.Name, Secret: secret}
	if of.Example != nil {
		fresh.Example = of.Example(made)
	}
	return k.page(w, r, nil, fresh)
}

// change makes or revokes a key, if who is signed in still may.
func (k *Keys) change(ctx context.Context, of KeysOf, work func(tx *store.Tx) error) error {
	return k.Store.Write(ctx, func(tx *store.Tx) error {
		if of.May != nil {
			if err := of.May(ctx, tx); err != nil {
				return err
			}
		}
		return work(tx)
	})
}

// AskRevoke asks whether a key is to be revoked.
func (k *Keys) AskRevoke(w http.ResponseWriter, r *http.Request) error {
	ctx, of := r.Context(), k.Of(r)
	page := web.RevokeKeyPage{Path: of.Path, Zone: of.Zone}
	err := k.Store.Read(ctx, func(tx *store.Tx) error {
		key, err := of.key(ctx, tx, r.PathValue("key"))
		if err != nil {
			return err
		}
		rows, err := of.Rows(ctx, tx, []account.Key{key})
		if err == nil {
			page.Row = rows[0]
		}
		return err
	})
	if err != nil {
		return err
	}
	if page.Row.Key.Revoked() {
		return web.SeeOther(w, r, page.Path)
	}
	page.Frame = of.Frame(web.T(ctx, "keys.revoke_title", "name", page.Row.Key.Name))
	return web.Render(w, r, http.StatusOK, web.RevokeKeyView(page))
}

// Revoke ends a key.
func (k *Keys) Revoke(w http.ResponseWriter, r *http.Request) error {
	ctx, of := r.Context(), k.Of(r)
	var key account.Key
	err := k.change(ctx, of, func(tx *store.Tx) (err error) {
		if key, err = of.key(ctx, tx, r.PathValue("key")); err != nil {
			return err
		}
		return account.RevokeKey(ctx, tx, key.Holder, key.ID, of.By, web.Address(r), k.Now())
	})
	if err != nil {
		return err
	}
	k.Console.Say(ctx, web.Good, web.T(ctx, "keys.revoked", "name", key.Name))
	return web.SeeOther(w, r, of.Path)
}

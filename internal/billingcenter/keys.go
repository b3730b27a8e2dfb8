package billingcenter

import (
	"context"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

const keysPath = Prefix + "/keys"

// keyRoutes are the pages of the account's API keys.
func (b *Console) keyRoutes() []web.Route {
	keys := &holder.Keys{Console: b.web, Store: b.Store, Now: b.Now, Of: b.keysOf}
	return keys.Routes(keysPath, web.SignedIn)
}

func (b *Console) keysOf(r *http.Request) holder.KeysOf {
	ctx := r.Context()
	a := payer(ctx)
	return holder.KeysOf{
		Holder: account.KeyHolder{Scope: account.AccountKeys, ID: a.ID}, By: a.ID, Path: keysPath, Zone: zoneOf(a.Currency), Address: b.BaseURL,
		Words: web.ReadingKeys(ctx, web.T(ctx, "keys.account_lede"), web.T(ctx, "keys.account_note")),
		Frame: func(title string) web.Frame { return b.frame(r, title, "account") },
		Rows: func(ctx context.Context, _ *store.Tx, keys []account.Key) ([]web.KeyRow, error) {
			return web.KeyRows(ctx, keys, always(web.T(ctx, "keys.reads_all")), always(a.UserName)), nil
		},
	}
}

// always says the same of each key.
func always(text string) func(account.Key) string { return func(account.Key) string { return text } }

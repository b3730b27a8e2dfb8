package operator

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usageevent"
	"tollgate.dev/internal/web"
)

const serviceKeysPath = Prefix + "/service-keys"

// First calls: one that reports usage, one that has an amount deducted.
const (
	firstEvent = `/api/v1/usage-events' \
  -H 'Authorization: Bearer $KEY' -H 'Content-Type: application/cloudevents+json' \
  -d '{"specversion":"1.0","id":"1","source":"/sms","type":"` + usageevent.TypePrefix + `sms","subject":"WORKSPACE","data":{"quantity":1}}'`
	firstDeduction = `/api/v1/deductions' \
  -H 'Authorization: Bearer $KEY' -H 'Content-Type: application/json' -H 'Idempotency-Key: order-1' \
  -d '{"account_id":"ACCOUNT","amount":"1.00","currency":"CNY","cause":"Order 1"}'`
)

// serviceKeys are the pages of the keys with which the platform's services
// report usage or have amounts deducted.
func (o *Console) serviceKeys() []web.Route {
	keys := &holder.Keys{Console: o.web, Store: o.Store, Now: o.Clock.Now, Of: o.serviceKeysOf}
	return keys.Routes(serviceKeysPath, needs(account.KeepOperators))
}

func (o *Console) serviceKeysOf(r *http.Request) holder.KeysOf {
	ctx := r.Context()
	return holder.KeysOf{
		By: operator(ctx).ID, Path: serviceKeysPath, Zone: zone, Address: o.BaseURL, Words: serviceKeyWords(ctx),
		Many: &holder.Holders{
			Keys: func(ctx context.Context, tx *store.Tx, limit int) ([]account.Key, error) {
				return tx.ServiceKeys(ctx, limit)
			},
			Key: func(ctx context.Context, tx *store.Tx, id string) (account.Key, error) { return tx.ServiceKey(ctx, id) },
			Whose: func(form *web.Form) (account.KeyHolder, error) {
				return account.ServiceHolder(account.KeyScope(form.Text("may")), form.Text("service"))
			},
			Fields: func(form *web.Form) templ.Component { return serviceKeyFields(form) },
		},
		Example: func(k account.Key) string {
			if k.Holder.Scope == account.DeductionKeys {
				return "curl '" + o.BaseURL + firstDeduction
			}
			return "curl '" + o.BaseURL + firstEvent
		},
		Frame: func(title string) web.Frame { return o.frame(r, title, "operators") },
		Rows: func(ctx context.Context, tx *store.Tx, keys []account.Key) ([]web.KeyRow, error) {
			names, err := operatorNames(ctx, tx)
			return web.KeyRows(ctx, keys, keyUse(ctx), func(k account.Key) string { return names[k.MadeBy] }), err
		},
	}
}

func serviceKeyWords(ctx context.Context) web.KeyWords {
	return web.KeyWords{
		Title: web.T(ctx, "op.service_keys.title"), Lede: web.T(ctx, "op.service_keys.lede"), Note: web.T(ctx, "op.service_keys.note"),
		NameHint: web.T(ctx, "op.service_keys.name_hint"), May: web.T(ctx, "op.service_keys.may"), Try: web.T(ctx, "op.service_keys.try"),
	}
}

// keyUse says what a service's key may do.
func keyUse(ctx context.Context) func(account.Key) string {
	return func(k account.Key) string {
		if k.Holder.Scope == account.DeductionKeys {
			return web.T(ctx, "op.service_keys.deducts", "service", k.Holder.ID)
		}
		return web.T(ctx, "op.service_keys.reports")
	}
}

func keyUses(ctx context.Context) []web.Option {
	var list []web.Option
	for _, s := range []account.KeyScope{account.ServiceKeys, account.DeductionKeys} {
		list = append(list, web.Option{Value: string(s), Label: web.T(ctx, "op.service_keys.may."+string(s)), Note: web.T(ctx, "op.service_keys.may."+string(s)+"_note")})
	}
	return list
}

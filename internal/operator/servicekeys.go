package operator

import (
	"context"
	"net/http"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usageevent"
	"tollgate.dev/internal/web"
)

const serviceKeysPath = Prefix + "/service-keys"

// firstEvent is a call that a service reports usage with.
const firstEvent = `/api/v1/usage-events' \
  -H 'Authorization: Bearer $KEY' -H 'Content-Type: application/cloudevents+json' \
  -d '{"specversion":"1.0","id":"1","source":"/sms","type":"` + usageevent.TypePrefix + `sms","subject":"WORKSPACE","data":{"quantity":1}}'`

// serviceKeys are the pages of the keys with which the platform's services
// report usage.
func (o *Console) serviceKeys() []web.Route {
	keys := &holder.Keys{Console: o.web, Store: o.Store, Now: o.Clock.Now, Of: o.serviceKeysOf}
	return keys.Routes(serviceKeysPath, needs(account.KeepOperators))
}

func (o *Console) serviceKeysOf(r *http.Request) holder.KeysOf {
	ctx := r.Context()
	return holder.KeysOf{
		Holder: account.ServicesKeys(), By: operator(ctx).ID, Path: serviceKeysPath, Zone: zone, Address: o.BaseURL,
		Example: "curl '" + o.BaseURL + firstEvent,
		Lede:    web.T(ctx, "op.service_keys.lede"), Note: web.T(ctx, "op.service_keys.note"),
		Frame: func(title string) web.Frame { return o.frame(r, title, "operators") },
		Rows: func(ctx context.Context, tx *store.Tx, keys []account.Key) ([]web.KeyRow, error) {
			operators, err := tx.Operators(ctx)
			names := map[string]string{}
			for _, op := range operators {
				names[op.ID] = op.Name
			}
			return web.KeyRows(ctx, keys, web.T(ctx, "op.service_keys.reports"), func(k account.Key) string { return names[k.MadeBy] }), err
		},
	}
}

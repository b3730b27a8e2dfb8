package operator

import (
	"net/http"
	"net/url"
	"strconv"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// ClearingRow is a workspace whose data could not be deleted so far.
type ClearingRow struct {
	arrears.Clearing
	Workspace string
}

// grant gives a workspace more days until the lock, whatever stops it.
func (o *Console) grant(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("workspace")
	days, err := strconv.Atoi(form.Text("days"))
	if err != nil {
		days = 0 // refused by its rule
	}
	by := workspace.Actor{AccountID: operator(ctx).ID, Address: web.Address(r)}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		return arrears.ExtendAll(ctx, tx, id, arrears.Extension{Days: days, Reason: form.Text("reason")}, by, o.Clock.Now())
	})
	if form.Refused(err) {
		return o.renderWorkspace(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "standing.granted_said", "count", days)
	return web.SeeOther(w, r, Prefix+"/workspaces/"+url.PathEscape(id))
}

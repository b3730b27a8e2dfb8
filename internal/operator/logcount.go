package operator

import (
	"net/http"
	"net/url"
	"strconv"

	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// countLogs chooses how the logs of a workspace are counted.
func (o *Console) countLogs(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, id := r.Context(), r.PathValue("workspace")
	cut, err := strconv.ParseInt(form.Text("cut_size"), 10, 64)
	if err != nil {
		cut = -1 // refused by its rule
	}
	way := logcount.Way{ByVolume: form.Text("by") == "volume", CutSize: cut}
	by := workspace.Actor{AccountID: operator(ctx).ID, Address: web.Address(r)}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := logcount.Choose(ctx, tx, id, way, form.Text("count_reason"), by, o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.renderWorkspace(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "logcount.said")
	return web.SeeOther(w, r, Prefix+"/workspaces/"+url.PathEscape(id))
}

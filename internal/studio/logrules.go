package studio

import (
	"net/http"
	"strconv"

	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// changeLogRules adds a rule for the log indexes, takes one away, or has it
// asked earlier.
func (c *Console) changeLogRules(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := logindex.Change(ctx, tx, v.place.Workspace.ID, ruleChange(form), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.retentionView(w, r, form)
	}
	if err != nil {
		return err
	}
	c.Say(ctx, web.Good, web.T(ctx, "studio.logrules.done"))
	return web.SeeOther(w, r, v.place.path("retention")+"#log-rules")
}

// ruleChange is what the form asks for. A place or revision that is no number
// is none that there is.
func ruleChange(form *web.Form) func(logindex.Routing) ([]logindex.Rule, error) {
	place, err := strconv.Atoi(form.Text("place"))
	if err != nil {
		place = -1
	}
	seen, err := strconv.ParseInt(form.Text("revision"), 10, 64)
	if err != nil {
		seen = -1
	}
	switch form.Text("do") {
	case "remove":
		return logindex.Remove(place, seen)
	case "raise":
		return logindex.Raise(place, seen)
	}
	return logindex.Add(logindex.Rule{Field: form.Text("field"), Value: form.Text("value"), Index: form.Text("rule_index")})
}

// ruleIndex is the name of the index that a rule is for.
func ruleIndex(r logindex.Rule) string {
	if r.Index == "" {
		return retention.DefaultIndex
	}
	return r.Index
}

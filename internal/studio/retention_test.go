package studio_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/workspace"
)

// row is what the table of retention says of a type or an index.
func (v *visitor) row(target string) string {
	var words []string
	v.page.Find("tr[data-target='" + target + "'] *").Contents().Each(func(_ int, e *goquery.Selection) {
		if goquery.NodeName(e) == "#text" {
			words = append(words, strings.Fields(e.Text())...)
		}
	})
	return strings.Join(words, " ")
}

func (v *visitor) saysOf(t *testing.T, target, text string) {
	t.Helper()
	if !strings.Contains(v.row(target), text) {
		t.Errorf("of %s the page says %q, want %q", target, v.row(target), text)
	}
}

// commercial makes a workspace Commercial from now on.
func (h house) commercial(w workspace.Workspace) workspace.Workspace {
	h.t.Helper()
	next, err := w.Upgrade(h.payer("acme", money.CNY).ID, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.update(next)
	return next
}

func TestTheOwnerWalksThroughADayOfChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t) // 12:00 on 2026-03-02 at cn1
	owner := h.person("cn1", "olivia")
	w := h.commercial(h.shop(owner))
	v, page := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/retention"
	v.open("/studio/workspaces/" + w.ID + "/settings")
	if v.page.Find("a[href='"+page+"']").Length() != 1 {
		t.Error("the settings do not lead to the retention")
	}
	v.open(page)
	v.saysOf(t, "logs", "14 days the plan's class acts at once")
	v.send(page, "type", "logs", "class", "7d")
	v.at(t, page)
	v.shows(t, "Logs: new data is kept for 7 days from now on.")
	v.saysOf(t, "logs", "7 days since 2026-03-02 12:00 acts on 2026-03-03 00:00")
	v.saysOf(t, "rum", "acts at once")
	v.send(page, "type", "logs", "class", "30d")
	v.shows(t, "Logs: 30 days from 2026-03-03 00:00 UTC+08:00.")
	v.send(page, "type", "logs", "class", "3d")
	v.saysOf(t, "logs", "7 days since 2026-03-02 12:00 3 days from 2026-03-03 00:00")
	v.send(page, "type", "logs", "class", "7d")
	v.shows(t, "The change that waited is cancelled.")
	v.send(page, "type", "logs", "class", "7d")
	v.shows(t, "Logs: 7 days, as before.")
	v.send(page, "type", "logs", "class", "60d")
	v.send(page, "type", "logs", "index", "nginx", "class", "3d")
	v.saysOf(t, "logs/nginx", "3 days since 2026-03-02 12:00")
	h.clock.Advance(13 * time.Hour)
	v.open(page) // no job has run
	v.saysOf(t, "logs", "60 days since 2026-03-03 00:00 acts at once")
}

func TestMetricsAreChangedInTwoSteps(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.commercial(h.shop(owner))
	v, page := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/retention"
	v.send(page, "type", "metrics", "class", "30d")
	if v.status != http.StatusOK || v.codes() != "" {
		t.Errorf("the first step answered %d %s", v.status, v.codes())
	}
	v.shows(t, "all metrics that this workspace collected before are deleted")
	v.shows(t, "It acts at once")
	v.send(page, "type", "metrics", "class", "30d", "step", "confirm")
	v.says(t, http.StatusConflict, "retention_unconfirmed")
	v.open(page)
	v.saysOf(t, "metrics", "7 days the plan's class")
	v.send(page, "type", "metrics", "class", "30d", "step", "confirm", "confirmed", "yes")
	v.at(t, page)
	v.saysOf(t, "metrics", "30 days since 2026-03-02 12:00")
	v.send(page, "type", "metrics", "class", "3d")
	v.shows(t, "It acts on 2026-03-03 00:00 UTC+08:00")
	v.send(page, "type", "metrics", "class", "3d", "step", "confirm", "confirmed", "yes")
	v.saysOf(t, "metrics", "3 days from 2026-03-03 00:00")
	v.send(page, "type", "metrics", "class", "30d") // back: nothing is deleted, nothing asked
	v.shows(t, "The change that waited is cancelled.")
}

func TestWrongWishesAreShownBesideTheForm(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	v, page := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/retention"
	v.open(page)
	v.shows(t, "Every type of data is kept for 7 days")
	v.saysOf(t, "metrics", "7 days")
	if v.page.Find("main form").Length() != 0 {
		t.Error("the Experience plan offers a choice")
	}
	v.send(page, "type", "logs", "class", "3d")
	v.says(t, http.StatusConflict, "retention_experience")
	h.commercial(w)
	for code, pairs := range map[string][]string{
		"retention_class_unknown": {"type", "logs", "class", "180d"}, "retention_type_unknown": {"type", "coffee", "class", "3d"},
		"retention_index_name": {"type", "logs", "index", "a b", "class", "3d"},
	} {
		v.send(page, pairs...)
		v.says(t, http.StatusUnprocessableEntity, code)
	}
}

func TestOnlyTheOwnerIsOfferedAChangeOfRetention(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.commercial(h.shop(h.person("cn1", "olivia")))
	for _, role := range []workspace.Role{workspace.Administrator, workspace.Standard, workspace.ReadOnly} {
		member := h.person("cn1", strings.ReplaceAll(string(role), "_", ""))
		h.join(w, member, role)
		v, page := h.signedIn(member), "/studio/workspaces/"+w.ID+"/retention"
		v.open(page)
		v.shows(t, "Only the Owner changes this: olivia, olivia@example.com.")
		if v.page.Find("main form").Length() != 0 {
			t.Errorf("%s is offered a change", role)
		}
		v.send(page, "type", "logs", "class", "3d")
		v.says(t, http.StatusForbidden, "owner_only")
	}
}

func TestExplorerBeginsWithTheLastChangeOfMetrics(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.commercial(h.shop(owner))
	keep := func(key byte, name string) {
		now := h.clock.Now()
		r := sink.Report{Key: sink.Key{key}, WorkspaceID: w.ID, Generation: w.Generation, Type: meter.Metric, Class: "7d", Received: now, Points: []meter.Point{{Name: name, Time: now}}}
		if err := h.sink.Write(t.Context(), []sink.Report{r}); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.Advance(time.Minute)
	keep(1, "before_the_change")
	h.clock.Advance(time.Minute)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.send(base+"/retention", "type", "metrics", "class", "30d", "step", "confirm", "confirmed", "yes")
	h.clock.Advance(time.Minute)
	keep(2, "after_the_change")
	v.open(base + "/explorer?type=metric&range=1h")
	v.shows(t, "after_the_change")
	if strings.Contains(v.page.Text(), "before_the_change") {
		t.Error("the Explorer shows metrics of the class before")
	}
}

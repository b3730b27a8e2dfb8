package studio_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/studio"
	"tollgate.dev/internal/workspace"
)

// secret is the key that the page shows.
func (v *visitor) secret(t *testing.T) string {
	t.Helper()
	text := v.page.Find("#secret").Text()
	if v.status != http.StatusCreated || !strings.HasPrefix(text, "tgak_") {
		t.Fatalf("%s answered %d %q, which is no key", v.path, v.status, text)
	}
	return text
}

func TestAKeyIsMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, admin := h.person("cn1", "olivia"), h.person("cn1", "noah")
	w := h.shop(owner)
	h.join(w, admin, workspace.Administrator)
	keys := "/studio/workspaces/" + w.ID + "/keys"
	v, other := h.signedIn(owner), h.signedIn(admin)
	v.open("/studio/workspaces/" + w.ID + "/settings")
	if href, _ := v.page.Find("a:contains('API keys')").Attr("href"); href != keys {
		t.Errorf("settings lead to %q", href)
	}
	v.open(keys)
	v.shows(t, "No key yet")
	v.send(keys, "name", " ")
	v.says(t, http.StatusUnprocessableEntity, "key_name")
	v.send(keys, "name", "finance export")
	secret := v.secret(t)
	v.send(keys, "name", "finance export") // the page was loaded again
	v.says(t, http.StatusConflict, "key_name_taken")
	v.open(keys)
	v.shows(t, "Balances, bills, sums")
	if html, _ := v.page.Html(); strings.Contains(html, secret) {
		t.Error("the key is shown again")
	}
	other.send(keys, "name", "dashboard")
	other.secret(t)
	other.open(keys)
	other.shows(t, "Bills, sums")
	member := h.signedIn(h.person("cn1", "mia"))
	member.open(keys)
	if member.status != http.StatusNotFound {
		t.Errorf("a stranger gets %d", member.status)
	}
	id, _ := other.page.Find("tr:contains('finance export')").Attr("data-key")
	other.open(keys + "/" + id + "/revoke")
	other.shows(t, "Programs that use it are refused")
	other.send(keys + "/" + id + "/revoke")
	other.at(t, keys)
	other.shows(t, "finance export was revoked.")
	other.open(keys + "/" + id + "/revoke") // nothing is left to revoke
	other.at(t, keys)
	other.send(keys + "/akey_none/revoke")
	other.says(t, http.StatusNotFound, "key_unknown")
}

func TestTheListSaysWhichKeysStopped(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, noah, gus := h.person("cn1", "olivia"), h.person("cn1", "noah"), h.person("cn1", "gus")
	w := h.shop(owner)
	keys := "/studio/workspaces/" + w.ID + "/keys"
	for _, admin := range []account.Studio{noah, gus} {
		h.join(w, admin, workspace.Administrator)
		h.signedIn(admin).send(keys, "name", "of "+admin.UserName)
	}
	v := h.signedIn(owner)
	v.send("/studio/workspaces/" + w.ID + "/members/" + gus.ID + "/remove")
	v.send("/studio/workspaces/"+w.ID+"/members/"+noah.ID+"/role", "role", string(workspace.Standard))
	v.open(keys)
	for name, says := range map[string]string{"of noah": "its maker may no longer see bills", "of gus": "its maker has left"} {
		row := v.page.Find("tr:contains('" + name + "')").Text()
		if !strings.Contains(row, says) || !strings.Contains(row, "Stopped") {
			t.Errorf("%s: %q", name, strings.Join(strings.Fields(row), " "))
		}
	}
}

func TestTheSecretOfAKeyIsOnNoOtherPageNorKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var log bytes.Buffer
	h.console = studio.New(studio.Options{
		Store: h.store, Sessions: h.store.Sessions("studio", time.Now), Records: h.sink, Catalog: catalog.Default(), Profile: site.Seed,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: h.clock.Now,
	})
	h.server = httptest.NewServer(h.console.Handler())
	t.Cleanup(h.server.Close)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	v := h.signedIn(owner)
	v.send("/studio/workspaces/"+w.ID+"/keys", "name", "finance export")
	secret := v.secret(t)
	part := secret[5:21] // half of it would be too much
	for _, tail := range []string{"", "/keys", "/settings", "/notices", "/start", "/billing"} {
		v.open("/studio/workspaces/" + w.ID + tail)
		if html, _ := v.page.Html(); strings.Contains(html, part) {
			t.Errorf("%s shows the key", v.path)
		}
	}
	dump := storetest.Dump(t, h.store)
	if !strings.Contains(dump, account.KeyHash(secret)) {
		t.Fatal("the test does not see the key")
	}
	if storetest.Holds(dump, part) || strings.Contains(log.String(), part) {
		t.Error("the key is in the database or the log")
	}
}

package billingcenter

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestKeysGallery(t *testing.T) {
	t.Parallel()
	key := account.Key{ID: "akey_0123456789abcdefghijklmnopqrstuv", Name: "finance export", MadeBy: acme.ID, CreatedAt: noon.AddDate(0, 0, -9), UsedOn: period.MustParseDay("2026-03-11")}
	old := key
	old.Name, old.RevokedAt = "trial", noon.AddDate(0, 0, -1)
	rows := func(ctx context.Context, list ...account.Key) []web.KeyRow {
		return web.KeyRows(ctx, list, always(web.T(ctx, "keys.reads_all")), always(acme.UserName))
	}
	keys := func(form *web.Form, fresh *web.FreshKey, list ...account.Key) page {
		return func(ctx context.Context) templ.Component {
			p := web.KeysPage{
				Frame: frame(ctx, "API keys", "account"), Form: form, Path: keysPath, Words: web.ReadingKeys(ctx, web.T(ctx, "keys.account_lede"), web.T(ctx, "keys.account_note")),
				Address: "https://tollgate.example", Fresh: fresh, Zone: hangzhou, Today: period.MustParseDay("2026-03-12"),
			}
			p.Keys = rows(ctx, list...)
			return web.KeysView(p)
		}
	}
	var states []gallery.State
	for name, p := range map[string]page{
		"keys-empty": keys(nil, nil),
		"keys":       keys(nil, nil, key, old),
		"keys-wrong": keys(refused(web.Blank("name", ""), account.ErrKeyName.On("name")), nil, key),
		"keys-made":  keys(nil, &web.FreshKey{Name: "finance export", Secret: "tgak_0123456789abcdefghijklmnopqrstuv"}, key),
		"keys-revoke": func(ctx context.Context) templ.Component {
			return web.RevokeKeyView(web.RevokeKeyPage{Frame: frame(ctx, "Revoke", "account"), Path: keysPath, Row: rows(ctx, key)[0], Zone: hangzhou})
		},
	} {
		states = append(states, gallery.State{Name: "billing-center/" + name, Page: p})
	}
	gallery.Check(t, states)
}

func TestAnAccountsKeyIsItsOwn(t *testing.T) {
	t.Parallel()
	h := open(t)
	v, rival := h.signedIn(h.payer("acme", money.CNY)), h.signedIn(h.payer("rival", money.CNY))
	if href, _ := v.get(http.StatusOK, "/account").Find("a:contains('API keys')").Attr("href"); href != keysPath {
		t.Errorf("the account leads to %q", href)
	}
	v.get(http.StatusOK, "/keys").says("No key yet")
	v.post(http.StatusUnprocessableEntity, "/keys", "name", "").refused("key_name", "name")
	made := v.post(http.StatusCreated, "/keys", "name", "finance export")
	if secret := made.Find("#secret").Text(); !strings.HasPrefix(secret, "tgak_") || !strings.Contains(made.Find("#example").Text(), secret) {
		t.Errorf("the key is shown as %q", secret)
	}
	v.post(http.StatusConflict, "/keys", "name", "finance export").refused("key_name_taken", "name")
	id, _ := v.get(http.StatusOK, "/keys").Find("[data-key]").Attr("data-key")
	rival.get(http.StatusNotFound, "/keys/"+id+"/revoke").refused("key_unknown", "")
	rival.post(http.StatusNotFound, "/keys/"+id+"/revoke").refused("key_unknown", "")
	rival.get(http.StatusOK, "/keys").says("No key yet")
	v.get(http.StatusOK, "/keys/"+id+"/revoke").says("Revoke finance export?")
	for range 2 { // clicked twice
		v.post(http.StatusOK, "/keys/"+id+"/revoke").at("/keys").says("finance export was revoked.")
	}
	v.get(http.StatusOK, "/keys/"+id+"/revoke").at("/keys")
}

func TestTheSecretOfAKeyIsOnNoOtherPageNorKept(t *testing.T) {
	t.Parallel()
	h := open(t)
	var log bytes.Buffer
	server := httptest.NewUnstartedServer(nil)
	h.url = "http://" + server.Listener.Addr().String()
	server.Config.Handler = New(Config{
		Store: h.store, Sessions: h.store.Sessions("billing_center", time.Now), Now: h.clock.Now, Profile: site.Seed, BaseURL: h.url,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	server.Start()
	t.Cleanup(server.Close)
	v := h.signedIn(h.payer("acme", money.CNY))
	secret := v.post(http.StatusCreated, "/keys", "name", "finance export").Find("#secret").Text()
	part := secret[5:21] // half of it would be too much
	for _, path := range []string{"/", "/keys", "/account", "/movements", "/bills"} {
		if strings.Contains(v.get(http.StatusOK, path).body, part) {
			t.Errorf("%s shows the key", path)
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

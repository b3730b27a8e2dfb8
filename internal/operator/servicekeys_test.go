package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestServiceKeysGallery(t *testing.T) {
	t.Parallel()
	reporting := account.Key{ID: "akey_0123456789abcdefghijklmnopqrstuv", Holder: account.ServicesKeys(), Name: "sms gateway", CreatedAt: noon.AddDate(0, 0, -9), UsedOn: period.MustParseDay("2026-03-11")}
	deducting, old := reporting, reporting
	deducting.ID, deducting.Holder, deducting.Name = "akey_1", account.KeyHolder{Scope: account.DeductionKeys, ID: "shop"}, "till of 2026"
	old.ID, old.Name, old.RevokedAt = "akey_2", "trial", noon.AddDate(0, 0, -1)
	view := func(form *web.Form, fresh *web.FreshKey, list ...account.Key) page {
		return func(ctx context.Context) templ.Component {
			return web.KeysView(web.KeysPage{
				Frame: frame(ctx, web.T(ctx, "op.service_keys.title"), "operators"), Form: form, Path: serviceKeysPath, Words: serviceKeyWords(ctx), Fields: serviceKeyFields(form),
				Address: "https://tollgate.example", Fresh: fresh, Zone: zone, Keys: web.KeyRows(ctx, list, keyUse(ctx), func(account.Key) string { return "Olga Operator" }),
			})
		}
	}
	fresh := &web.FreshKey{Name: "till of 2026", Secret: "tgak_0123456789abcdefghijklmnopqrstuv", Example: "curl 'https://tollgate.example" + firstDeduction}
	gallery.Check(t, []gallery.State{
		{Name: "operator/service-keys", Page: view(nil, nil, reporting, deducting, old)},
		{Name: "operator/service-keys-empty", Page: view(nil, nil)},
		{Name: "operator/service-keys-made", Page: view(nil, fresh, deducting)},
		{Name: "operator/service-keys-wrong", Page: view(refused(web.Blank("name", "till", "may", "deduction", "service", "My Shop"), account.ErrServiceName.On("service")), nil, reporting)},
	})
}

func TestCloudUsageGallery(t *testing.T) {
	t.Parallel()
	record := func(state marketplace.RecordState, reason string) marketplace.Record {
		return marketplace.Record{
			ID: "mrec_" + string(state), Cloud: site.Alibaba, Instance: "sub-1000123", State: state, Reason: reason, Quantity: quantity.Of(12), Amount: cny("12"),
			Window: marketplace.Window{From: noon, To: noon.Add(3600e9)}, Deadline: noon.Add(6 * 3600e9),
		}
	}
	lost, late := record(marketplace.Ambiguous, marketplace.ReasonNoAnswer), record(marketplace.Rejected, marketplace.ReasonAfterSilent+"InvalidToken")
	gallery.Check(t, []gallery.State{
		{Name: "operator/cloud-usage", Page: func(ctx context.Context) templ.Component {
			return cloudUsagePage(CloudUsage{Frame: frame(ctx, web.T(ctx, "op.nav.cloud-usage"), "cloud-usage"), Lost: []marketplace.Record{lost}, State: marketplace.Rejected, Latest: []marketplace.Record{lost, late}})
		}},
		{Name: "operator/cloud-usage-empty", Page: func(ctx context.Context) templ.Component {
			return cloudUsagePage(CloudUsage{Frame: frame(ctx, web.T(ctx, "op.nav.cloud-usage"), "cloud-usage")})
		}},
	})
}

func TestServicesKeysAreOnOnePageWhateverTheyDo(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	page := h.get(http.StatusOK, "/service-keys")
	if got := page.Find("h1").Text(); got != "Service keys" {
		t.Errorf("the page is headed %q", got)
	}
	h.post(http.StatusUnprocessableEntity, "/service-keys", "name", "till", "may", "account").says("Choose what the key may do.")
	h.post(http.StatusUnprocessableEntity, "/service-keys", "name", "till", "may", "deduction", "service", "No Name").says("A service's name has")
	h.post(http.StatusCreated, "/service-keys", "name", "sms gateway", "may", "service").says("/api/v1/usage-events")
	made := h.post(http.StatusCreated, "/service-keys", "name", "till", "may", "deduction", "service", "shop")
	made.says("/api/v1/deductions")
	if !strings.HasPrefix(made.Find("#secret").Text(), "tgak_") {
		t.Error("no key is shown")
	}
	page = h.get(http.StatusOK, "/service-keys")
	page.says("Deducts amounts, as shop")
	page.says("Reports usage")
	for _, name := range []string{"till", "sms gateway"} {
		id, _ := page.Find("tr:contains('" + name + "')").Attr("data-key")
		h.get(http.StatusOK, "/service-keys/"+id+"/revoke")
		h.post(http.StatusOK, "/service-keys/"+id+"/revoke").says(name + " was revoked.")
	}
	if works := h.get(http.StatusOK, "/service-keys").Find("a:contains('Revoke')").Length(); works != 0 {
		t.Errorf("%d keys still work", works)
	}
}

func TestTheChosenStateOfCloudUsageIsMarked(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	for path, want := range map[string]string{"/cloud-usage": "All", "/cloud-usage?state=expired": "Too late", "/cloud-usage?state=nonsense": "All"} {
		if got := strings.TrimSpace(h.get(http.StatusOK, path).Find(".chips a[aria-current=page]").Text()); got != want {
			t.Errorf("%s marks %q, want %q", path, got, want)
		}
	}
}

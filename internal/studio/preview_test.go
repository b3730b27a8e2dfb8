package studio_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// used keeps usage of the workspace's present generation in an hour.
func (h house) used(w workspace.Workspace, seq int64, hour time.Time, item, class string, quantity int64) {
	h.t.Helper()
	key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: item, Class: class}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.AddUsage(ctx, usage.Batch{Gateway: "test", Epoch: 1, Seq: seq, Deltas: []usage.Delta{{Key: key, Hour: hour.UTC().Truncate(time.Hour), Add: quantity}}})
	})
}

// program signs in to the API over the same store.
func (h house) program(a account.Studio) *client.Studio {
	h.t.Helper()
	server := httptest.NewServer(api.New(api.Config{
		Store: h.store, Now: h.clock.Now, RealNow: time.Now, Catalog: catalog.Default(), Profile: site.Seed, Sink: h.sink,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}))
	h.t.Cleanup(server.Close)
	s, err := client.New(server.URL).SignInStudio(h.t.Context(), string(a.Site), a.Email, password)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// cells are the figures of an item's row, from the given column on.
func (v *visitor) cells(item string) string {
	var cells []string
	v.page.Find("tr[data-item='" + item + "'] td.number").Each(func(_ int, e *goquery.Selection) { cells = append(cells, strings.TrimSpace(e.Text())) })
	return strings.ReplaceAll(strings.Join(cells, " "), ",", "")
}

func TestPreviewOnThePageAndByTheAPIIsTheSame(t *testing.T) {
	t.Parallel()
	for at, want := range map[site.ID]string{"cn1": "4500000 11.26", "us1": "4500000 3.60"} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			owner := h.person(at, "olivia")
			w := h.shop(owner)
			for i, hoursAgo := range []int{1, 30, 24 * 10, 24 * 40} {
				h.used(w, int64(2*i+1), h.clock.Now().Add(-time.Duration(hoursAgo)*time.Hour), "logs", "7d", 1_500_000)
				h.used(w, int64(2*i+2), h.clock.Now().Add(-time.Duration(hoursAgo)*time.Hour), "task_call", "none", 54_321)
			}
			v, program := h.signedIn(owner), h.program(owner)
			for _, c := range []client.PreviewChoices{
				{}, {Class: map[string]string{"logs": "60d"}, Growth: map[string]string{"logs": "1.5"}}, {Growth: map[string]string{"logs": "0.33", "task_call": "100"}},
			} {
				q := url.Values{}
				for item, class := range c.Class {
					q.Set("class."+item, class)
				}
				for item, factor := range c.Growth {
					q.Set("growth."+item, factor)
				}
				v.open("/studio/workspaces/" + w.ID + "/upgrade?" + q.Encode())
				figures, totals := map[string]string{}, []string{}
				for _, days := range []int{7, 30} {
					c.Days = days
					p, err := program.CostPreview(t.Context(), w.ID, c)
					if err != nil {
						t.Fatal(err)
					}
					for _, i := range p.Items {
						figures[i.Item] = strings.TrimSpace(figures[i.Item] + " " + i.Quantity + " " + i.Amount.Amount)
					}
					totals = append(totals, p.Total.Amount)
				}
				for item, figure := range figures {
					if shown := v.cells(item); shown != figure || len(figures) != 2 {
						t.Errorf("%s: the page shows %q, the API %q", q.Encode(), shown, figure)
					}
				}
				for _, total := range totals {
					if shown := strings.ReplaceAll(v.page.Find("table.preview tfoot").Text(), ",", ""); !strings.Contains(shown, total) {
						t.Errorf("%s: the page's totals %q lack %s", q.Encode(), shown, total)
					}
				}
				if q.Has("class.logs") && !strings.HasPrefix(figures["logs"], want) {
					t.Errorf("logs of 7 days: %s, want %s", figures["logs"], want)
				}
			}
		})
	}
}

func TestChoicesStayInTheAddressAndWrongOnesAreToldBesideTheirField(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	h.used(w, 1, h.clock.Now(), "logs", "7d", 3_000_000)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID+"/upgrade"
	v.open(base + "?class.logs=60d&growth.logs=2")
	if class, _ := v.page.Find("select[name='class.logs'] option[selected]").Attr("value"); class != "60d" {
		t.Errorf("the class shown is %q", class)
	}
	if growth, _ := v.page.Find("input[name='growth.logs']").Attr("value"); growth != "2" {
		t.Errorf("the growth shown is %q", growth)
	}
	for _, typed := range []string{"0", "-1", "101", "1.005", "two", "1,5"} {
		v.open(base + "?growth.logs=" + url.QueryEscape(typed))
		v.says(t, http.StatusUnprocessableEntity, "growth_factor")
		beside := v.page.Find("[id='growth.logs-error']").Text()
		if shown, _ := v.page.Find("input[name='growth.logs']").Attr("value"); shown != typed || !strings.Contains(beside, "growth factor above 0") {
			t.Errorf("%s is shown as %q with %q", typed, shown, beside)
		}
	}
	v.open(base + "?class.logs=360d")
	v.says(t, http.StatusUnprocessableEntity, "class_unknown")
	program := h.program(owner)
	for _, c := range []struct {
		choices client.PreviewChoices
		code    string
	}{
		{client.PreviewChoices{Days: 8}, "preview_days"}, {client.PreviewChoices{Growth: map[string]string{"logs": "0"}}, "growth_factor"},
		{client.PreviewChoices{Growth: map[string]string{"gold": "1"}}, "item_unknown"}, {client.PreviewChoices{Class: map[string]string{"logs": "1d"}}, "class_unknown"},
		{client.PreviewChoices{Days: 8, Growth: map[string]string{"logs": "0"}}, "fields_invalid"},
	} {
		if _, err := program.CostPreview(t.Context(), w.ID, c.choices); !client.Refused(err, c.code) {
			t.Errorf("%s: %v, want %s", fmt.Sprint(c.choices), err, c.code)
		}
	}
}

package studio_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
)

func TestALineIsExplainedToTheTeam(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	payer := h.payer("acme", "CNY")
	w, err := w.Upgrade(payer.ID, time.Date(2026, 2, 27, 4, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	h.update(w)
	noon := time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)
	cn1, _ := site.Find("cn1")
	day := period.DayOf(noon, cn1.Zone).Add(-1)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		key := usage.Key{WorkspaceID: w.ID, Generation: w.Generation, Item: "logs", Class: "14d"}
		return tx.AddUsage(ctx, usage.Batch{Gateway: "test", Epoch: 1, Seq: 1, Deltas: []usage.Delta{{Key: key, Hour: day.Hours(cn1.Zone)[9], Add: 1_234_567}}})
	})
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := bill.Close(ctx, tx, catalog.Default(), day, w.ID, noon)
		return err
	})
	v := h.signedIn(owner)
	base := "/studio/workspaces/" + w.ID + "/billing/bills/" + day.String()
	v.open(base)
	if href, _ := v.page.Find("tbody td.number a").Attr("href"); href != base+"/lines/1" {
		t.Errorf("the amount leads to %q", href)
	}
	v.open(base + "/lines/1")
	v.shows(t, "1.23 × 1.5")
	v.shows(t, "1.845")
	v.shows(t, "Calculated again from the hours, it is the same")
	if v.page.Find("a[href*=movements]").Length() != 0 {
		t.Error("the team is led into the payer's books")
	}
	for _, line := range []string{"0", "2", "x"} {
		v.open(base + "/lines/" + line)
		v.says(t, http.StatusNotFound, "bill_line_unknown")
	}
}

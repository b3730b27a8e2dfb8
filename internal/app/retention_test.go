package app

import (
	"context"
	"fmt"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// house is an installation on a clock that stands still, with one Commercial
// workspace on cn1.
type house struct {
	*App
	t     *testing.T
	zone  *time.Location
	shop  workspace.Workspace
	token string
}

var firstDay = period.MustParseDay("2026-03-02")

// newHouse begins at 08:00 of the first day, a day after the upgrade.
func newHouse(t *testing.T, s *store.Store) *house {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	a := &App{
		config: Config{Data: folder, FlushEvery: time.Hour}, log: testkit.Logger(t), store: s, catalog: catalog.Default(),
		clock: job.Still(firstDay.Start(zone).Add(-16 * time.Hour)), send: func(context.Context, notify.Mail) error { return nil },
	}
	if a.sink, err = sink.OpenLocal(filepath.Join(folder, "records"), a.log); err != nil {
		t.Fatal(err)
	}
	h := &house{App: a, t: t, zone: zone}
	for _, open := range []func(context.Context) error{a.openGateway, a.openJobs, h.begin, h.found} {
		if err := open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		ctx := context.Background()
		for _, close := range []func() error{func() error { return a.gateway.Stop(ctx) }, func() error { return a.runner.Stop(ctx) }, a.sink.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
	})
	h.to(firstDay, "08:00")
	return h
}

func (h *house) begin(ctx context.Context) error {
	if err := h.gateway.Start(ctx); err != nil {
		return err
	}
	return h.runner.Start(ctx)
}

// found makes the team, its payer and its Commercial workspace.
func (h *house) found(ctx context.Context) error {
	at := h.clock.Now()
	return h.store.Write(ctx, func(tx *store.Tx) error {
		owner := account.Studio{ID: id.New(id.StudioAccount), Site: "cn1", UserName: "lin", Email: "lin@shop.example", Language: "en", CreatedAt: at}
		payer := account.Billing{ID: id.New(id.BillingAccount), UserName: "acme", Email: "pay@acme.example", Currency: money.CNY, Language: "en", CreatedAt: at}
		if err := tx.InsertStudio(ctx, owner); err != nil {
			return err
		}
		if err := tx.InsertBilling(ctx, payer); err != nil {
			return err
		}
		free, err := workspace.Create(ctx, tx, "cn1", "shop", "en", workspace.Actor{AccountID: owner.ID}, at)
		if err != nil {
			return err
		}
		if h.shop, err = free.Upgrade(payer.ID, at); err != nil {
			return err
		}
		token, err := tx.CurrentToken(ctx, free.ID)
		h.token = token.Secret
		if err != nil {
			return err
		}
		return tx.UpdateWorkspace(ctx, h.shop)
	})
}

// to moves the clock to a time of a day; what falls due is done.
func (h *house) to(day period.Day, clock string) {
	h.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", day.String()+" "+clock, h.zone)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.calendar.Advance(h.t.Context(), at.Sub(h.clock.Now())); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) report(category, body string) {
	h.t.Helper()
	r := httptest.NewRequest("POST", "/v1/write/"+category+"?token="+h.token, strings.NewReader(body))
	w := httptest.NewRecorder()
	h.gateway.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		h.t.Fatalf("%s: %d %s", category, w.Code, w.Body)
	}
}

func (h *house) logs(n int) {
	h.t.Helper()
	h.report("logging", h.lines(n, "nginx message=\"line %d\""))
}

func (h *house) series(hosts ...string) {
	h.t.Helper()
	var b strings.Builder
	for _, host := range hosts {
		fmt.Fprintf(&b, "cpu,host=%s usage=1 %d\n", host, h.clock.Now().UnixNano())
	}
	h.report("metric", b.String())
}

func (h *house) lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format+" %d\n", i, h.clock.Now().UnixNano())
	}
	return b.String()
}

func (h *house) change(dataType, class string, want retention.Outcome) {
	h.t.Helper()
	v, err := h.version("cn1")
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.store.Write(h.t.Context(), func(tx *store.Tx) error {
		wish := retention.Wish{Target: retention.Target{Type: dataType}, Class: class, Confirmed: true}
		made, err := retention.Change(h.t.Context(), tx, v, h.shop.ID, wish, workspace.Actor{AccountID: h.shop.OwnerID}, h.clock.Now())
		if err == nil && made.Outcome != want {
			h.t.Errorf("%s to %s: %s, want %s", dataType, class, made.Outcome, want)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// billed is the quantity of each item and class on the bill of a day.
func (h *house) billed(day period.Day, want map[string]string) {
	h.t.Helper()
	got := map[string]string{}
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		b, err := tx.BillOfDay(h.t.Context(), h.shop.ID, day)
		for _, l := range b.Lines {
			got[l.Item+"@"+l.Class] = l.Quantity.Plain()
		}
		return err
	})
	if err != nil || !maps.Equal(got, want) {
		h.t.Errorf("%s is billed as %v, %v; want %v", day, got, err, want)
	}
}

// records counts what of a type is in the sink, by class.
func (h *house) records(m meter.Type) map[string]int {
	h.t.Helper()
	page, err := h.sink.Query(h.t.Context(), sink.Query{WorkspaceID: h.shop.ID, Generation: h.shop.Generation, Type: m, At: h.clock.Now(), Limit: sink.MaxPage})
	if err != nil {
		h.t.Fatal(err)
	}
	found := map[string]int{}
	for _, r := range page.Records {
		found[r.Class]++
	}
	return found
}

func (h *house) stored(m meter.Type, want map[string]int) {
	h.t.Helper()
	if got := h.records(m); !maps.Equal(got, want) {
		h.t.Errorf("at %s the sink has %v of %s, want %v", h.clock.Now().In(h.zone), got, m, want)
	}
}

// TestAChangeOfClassSplitsTheDay walks two days of changes through the real
// gateway, sink, calendar and bills. Before the change the old class counts,
// after it the new one; a series that reported before it and after it counts
// before it only, so that the day is never more than its distinct series.
func TestAChangeOfClassSplitsTheDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		second := firstDay.Add(1)
		h.to(firstDay, "09:00")
		h.logs(10)
		h.series("a", "b", "c")
		h.report("keyevent", h.lines(1, "monitor title=\"event %d\""))
		h.to(firstDay, "12:00")
		h.change("logs", "7d", retention.AtOnce)
		h.change("metrics", "30d", retention.AtOnce)
		h.change("events", "60d", retention.AtOnce)
		h.logs(5)
		h.series("b", "c", "d")
		h.report("keyevent", h.lines(2, "monitor title=\"event %d\""))
		h.to(firstDay, "13:00")
		h.change("logs", "60d", retention.Held)
		h.change("logs", "30d", retention.Held)
		h.change("metrics", "3d", retention.Held)
		h.logs(1)
		h.stored(meter.Metric, map[string]int{"30d": 3})
		h.stored(meter.Logging, map[string]int{"14d": 10, "7d": 6})
		h.stored(meter.Event, map[string]int{"14d": 1, "60d": 2})

		h.to(second, "00:00")
		h.logs(4)
		h.series("a", "d")
		h.to(second, "00:01")
		h.stored(meter.Metric, map[string]int{"3d": 2})
		h.change("logs", "14d", retention.AtOnce)
		h.logs(2)
		h.to(second.Add(1), "01:00")
		h.billed(firstDay, map[string]string{
			"logs@14d": "11", "logs@7d": "8", // events are counted as logs of the default index
			"timeseries@7d": "3", "timeseries@30d": "1",
		})
		h.billed(second, map[string]string{"logs@30d": "4", "logs@14d": "2", "timeseries@3d": "2"})
		h.stored(meter.Metric, map[string]int{"3d": 2})
		h.stored(meter.Logging, map[string]int{"14d": 12, "7d": 6, "30d": 4})
		h.to(second.Add(8), "00:00")
		h.stored(meter.Metric, map[string]int{})
		h.stored(meter.Logging, map[string]int{"14d": 12, "30d": 4})
		h.sound()
	})
}

// sound checks the books.
func (h *house) sound() {
	h.t.Helper()
	r, err := Verify(h.t.Context(), h.store)
	if err != nil || len(r.Findings) > 0 {
		h.t.Errorf("the books: %v, %v", r.Findings, err)
	}
}

// TestMidnightIsMetWithoutTheJob reports in the first second of the new class,
// while the job that writes it has not run.
func TestMidnightIsMetWithoutTheJob(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.change("logs", "7d", retention.AtOnce)
	h.change("logs", "3d", retention.Held)
	h.logs(1)
	before, err := gatewayStore{h.App}.TenantByToken(t.Context(), h.token)
	midnight := firstDay.End(h.zone)
	if err != nil || before.Classes[meter.Logging] != "7d" || before.Next[meter.Logging] != "3d" || !before.NextAt.Equal(midnight) {
		t.Errorf("the gateway knows %v, from %s %v, %v", before.Classes, before.NextAt, before.Next, err)
	}
	v, err := h.version("cn1")
	if err != nil {
		t.Fatal(err)
	}
	err = h.store.Read(t.Context(), func(tx *store.Tx) error {
		chosen, err := tx.RetentionSettings(t.Context(), h.shop.ID)
		for at, want := range map[time.Time]string{midnight.Add(-1): "7d", midnight: "3d"} {
			if got := retention.Of(workspace.Commercial, v).With(chosen, at).Class("logs"); got != want {
				t.Errorf("at %s: %s, want %s", at, got, want)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// platform is a house with a service that reports usage of a workspace.
type platform struct {
	*house
	free workspace.Workspace
	paid workspace.Workspace
	key  client.Session
}

func newPlatform(t testing.TB, s *store.Store) *platform {
	t.Helper()
	h := open(t, s)
	owner := h.studio("owner")
	p := &platform{house: h, free: h.workspace(owner, "free"), paid: h.workspace(owner, "paid")}
	p.key = h.key(account.ServicesKeys(), h.operator().ID)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		w := p.paid
		w.Plan, w.Generation, w.UpgradedAt = workspace.Commercial, 1, noon
		p.paid = w
		return tx.UpdateWorkspace(ctx, w)
	})
	return p
}

func (p *platform) used(w workspace.Workspace, item string) int64 {
	p.t.Helper()
	var sum int64
	err := p.store.Read(p.t.Context(), func(tx *store.Tx) error {
		current, err := tx.Workspace(p.t.Context(), w.ID)
		if err != nil {
			return err
		}
		samples, err := tx.UsageBetween(p.t.Context(), w.ID, current.Generation, noon.Add(-48*time.Hour), noon.Add(48*time.Hour))
		for _, s := range samples {
			if s.Item == item {
				sum += s.Quantity
			}
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return sum
}

func told(n int, w workspace.Workspace, item, data string) client.UsageEvent {
	e := client.UsageEvent{ID: fmt.Sprint("e-", n), Source: "/services/one", Type: "tollgate.usage." + item, Subject: w.ID}
	if err := json.Unmarshal([]byte(data), &e.Data); err != nil {
		panic(err)
	}
	return e
}

func TestServicesReportWhatNoCollectorDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newPlatform(t, s)
		events := []client.UsageEvent{
			told(1, p.paid, "task_call", `{"task":"monitor_check","kind":"outlier","interval_minutes":30}`),
			told(2, p.paid, "sms", `{"quantity":37}`),
			told(3, p.paid, "data_forward_internal", `{"bytes":120000000000}`),
			told(4, p.paid, "data_forward_internal", `{"bytes":90000000000}`), // of the same hour: the larger holds
			told(5, p.paid, "sensitive_scan", `{"bytes":1000,"fields":3}`),
			told(6, p.free, "task_call", `{"task":"query","runs":10}`),
			told(7, p.free, "sms", `{"quantity":1}`), // not part of the free plan
			told(8, workspace.Workspace{ID: "wksp_none"}, "sms", `{"quantity":1}`),
			told(2, p.paid, "sms", `{"quantity":37}`),
			told(2, p.paid, "sms", `{"quantity":38}`),
			told(9, p.paid, "logs", `{"quantity":1}`),
		}
		service := p.client.Service(p.key.Token)
		r, err := service.ReportUsage(t.Context(), events)
		if err != nil {
			t.Fatal(err)
		}
		if r.Accepted != 6 || r.Duplicates != 1 || r.Refused != 4 || len(r.Results) != len(events) {
			t.Fatalf("%+v", r)
		}
		for i, code := range map[int]string{6: "quota_exhausted", 7: "workspace_unknown", 9: "event_changed", 10: "event_type_unknown"} {
			if r.Results[i].Code != code || r.Results[i].Result != "refused" || r.Results[i].Detail == "" {
				t.Errorf("event %d: %+v, want %s", i, r.Results[i], code)
			}
		}
		again, err := service.ReportUsage(t.Context(), events[:6])
		if err != nil || again.Duplicates != 6 {
			t.Errorf("sent again: %+v, %v", again, err)
		}
		for item, want := range map[string]int64{"task_call": 6, "sms": 37, "data_forward_internal": 120e9, "sensitive_scan": 3000, "logs": 0} {
			if got := p.used(p.paid, item); got != want {
				t.Errorf("%s: %d, want %d", item, got, want)
			}
		}
		if got := p.used(p.free, "task_call"); got != 10 {
			t.Errorf("the free workspace's task calls: %d", got)
		}
	})
}

// TestEventsSentByManyAtOnceCountOnce and stay below the quota exactly.
func TestEventsSentByManyAtOnceCountOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		p := newPlatform(t, s)
		const quota, runs, events = 100_000, 900, 120 // 111 of them fit
		var wg sync.WaitGroup
		for caller := range 8 {
			wg.Go(func() {
				service := p.client.Service(p.key.Token)
				for first := 0; first < events; first += 10 {
					var batch []client.UsageEvent
					for i := range 10 {
						n := (first + caller*30) % events
						batch = append(batch, told(n+i, p.free, "task_call", fmt.Sprintf(`{"task":"query","runs":%d}`, runs)))
					}
					if _, err := service.ReportUsage(t.Context(), batch); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got, want := p.used(p.free, "task_call"), int64(quota/runs*runs); got != want {
			t.Errorf("%d task calls, want %d", got, want)
		}
		var levels []string
		err := s.Read(t.Context(), func(tx *store.Tx) error {
			list, err := tx.Notices(t.Context(), p.free.ID, time.Time{}, 10)
			for _, n := range list {
				levels = append(levels, n.Kind)
			}
			return err
		})
		if err != nil || strings.Count(strings.Join(levels, " "), "quota_warning") != 1 || strings.Count(strings.Join(levels, " "), "quota_exhausted") != 1 {
			t.Errorf("notices %v, %v", levels, err)
		}
	})
}

func TestEachFormOfEventsIsTaken(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, storetest.SQLite(t))
	event := func(id string) string {
		return `{"specversion":"1.0","id":"` + id + `","source":"/sms","type":"tollgate.usage.sms","subject":"` + p.paid.ID + `","time":"2026-03-01T04:00:00Z","datacontenttype":"application/json","data":{"quantity":1}}`
	}
	for i, c := range []struct {
		header map[string]string
		body   string
		want   int
	}{
		{map[string]string{"Content-Type": "application/cloudevents+json; charset=utf-8"}, event("a"), 1},
		{map[string]string{"Content-Type": "application/cloudevents-batch+json"}, "[" + event("b") + "," + event("c") + "]", 2},
		{map[string]string{"Content-Type": "application/x-ndjson"}, event("d") + "\n\n" + event("e") + "\r\n" + event("f"), 3},
		{map[string]string{
			"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "g", "ce-source": "/sms", "ce-type": "tollgate.usage.sms", "ce-subject": p.paid.ID,
		}, `{"quantity":1}`, 1},
	} {
		a := p.send(p.key, raw{method: "POST", path: "/usage-events", header: c.header, body: c.body})
		var r client.EventResults
		if err := json.Unmarshal([]byte(a.body), &r); err != nil || a.status != 200 || r.Accepted != c.want {
			t.Errorf("form %d: %d %s", i, a.status, a.body)
		}
	}
	if got := p.used(p.paid, "sms"); got != 7 {
		t.Errorf("%d messages, want 7", got)
	}
}

func TestWhatIsNoEventIsRefusedAndTheOthersCount(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, storetest.SQLite(t))
	one, many, lines := "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson"
	good := `{"specversion":"1.0","id":"1","source":"/sms","type":"tollgate.usage.sms","subject":"` + p.paid.ID + `","data":{"quantity":1}}`
	changed := func(old, by string) string { return strings.Replace(good, old, by, 1) }
	for _, c := range []struct {
		media, body string
		status      int
		code        string
	}{
		{one, `{`, 422, "event_malformed"},
		{one, `[]`, 422, "event_malformed"},
		{one, changed(`"id":"1",`, ``), 422, "event_malformed"},
		{one, changed(`"1.0"`, `"0.3"`), 422, "event_malformed"},
		{one, changed(`"/sms"`, `""`), 422, "event_malformed"},
		{one, changed(`"1",`, `"`+strings.Repeat("x", 257)+`",`), 422, "event_malformed"},
		{one, changed(`"1",`, `"a\u0000b",`), 422, "event_malformed"},
		{one, changed(`tollgate.usage.sms`, `com.example.sms`), 422, "event_type_unknown"},
		{one, changed(`"subject":"`+p.paid.ID+`",`, ``), 422, "event_subject_missing"},
		{one, changed(`"data":{"quantity":1}`, `"data_base64":"eyJxdWFudGl0eSI6MX0="`), 422, "event_data_invalid"},
		{one, changed(`"data":{"quantity":1}`, `"data":7`), 422, "event_data_invalid"},
		{one, changed(`,"data":{"quantity":1}`, ``), 422, "event_data_invalid"},
		{one, changed(p.paid.ID, p.free.ID), 409, "quota_exhausted"},
		{many, good, 422, "events_batch_malformed"},
		{many, `[]`, 422, "events_none"},
		{lines, "\n\n", 422, "events_none"},
		{many, "[" + strings.Repeat(good+",", 1000) + good + "]", 413, "events_many"},
		{lines, strings.Repeat(strings.Repeat(" ", 1000)+"\n", 1100), 413, "body_too_large"},
		{"text/plain", good, 415, "content_type_unsupported"},
	} {
		a := p.send(p.key, raw{method: "POST", path: "/usage-events", header: map[string]string{"Content-Type": c.media}, body: c.body})
		if a.status != c.status || a.problem.Code != c.code {
			t.Errorf("%s %.80s: %d %s, want %d %s", c.media, c.body, a.status, a.problem.Code, c.status, c.code)
		}
	}
	a := p.send(p.key, raw{method: "POST", path: "/usage-events", header: map[string]string{"Content-Type": lines}, body: "nonsense\n" + good + "\n{}"})
	var r client.EventResults
	if err := json.Unmarshal([]byte(a.body), &r); err != nil || r.Accepted != 1 || r.Refused != 2 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if got := p.used(p.paid, "sms"); got != 1 {
		t.Errorf("%d messages, want 1", got)
	}
}

func TestALockedWorkspaceIsNotReportedFor(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, storetest.SQLite(t))
	p.write(func(ctx context.Context, tx *store.Tx) error {
		w, err := tx.Workspace(ctx, p.paid.ID)
		if err != nil {
			return err
		}
		w.State = workspace.Locked
		return tx.UpdateWorkspace(ctx, w)
	})
	r, err := p.client.Service(p.key.Token).ReportUsage(t.Context(), []client.UsageEvent{told(1, p.paid, "sms", `{"quantity":1}`)})
	if err != nil || r.Refused != 1 || r.Results[0].Code != "workspace_locked" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAServiceKeyReportsAndNothingElse(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, storetest.SQLite(t))
	admin := p.client.Operator(p.session("operator", p.operatorOf(account.Support).ID))
	_, err := admin.MakeServiceKey(t.Context(), "sms")
	refused(t, err, "operator_admin_only")
	_, err = p.client.Reader(p.key.Token).Balance(t.Context())
	refused(t, err, "key_invalid")
}

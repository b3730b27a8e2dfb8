package api_test

import (
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// classOf finds a class in the answer.
func classOf(t *testing.T, r client.Retention, dataType, index string) client.RetentionClass {
	t.Helper()
	for _, c := range r.Settings {
		if c.Type == dataType && c.Index == index {
			return c
		}
	}
	t.Fatalf("%s %q is not among %+v", dataType, index, r.Settings)
	return client.RetentionClass{}
}

func TestRetentionIsChangedByTheRules(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		free, err := x.studio.Retention(ctx, x.shop.ID)
		if c := classOf(t, must(t, free, err), "logs", ""); !free.Fixed || c.Class != "7d" || len(c.Allowed) != 1 || c.AtOnce {
			t.Errorf("on the Experience plan: %+v", free)
		}
		_, err = x.studio.ChangeRetention(ctx, x.shop.ID, client.RetentionWish{Type: "logs", Class: "3d"})
		refused(t, err, "retention_experience")
		x.upgraded()
		for _, step := range []struct {
			wish          client.RetentionWish
			outcome, now_ string
			waits         string
		}{
			{client.RetentionWish{Type: "logs", Class: "7d"}, "at_once", "7d", ""},
			{client.RetentionWish{Type: "logs", Index: "default", Class: "30d"}, "held", "7d", "30d"},
			{client.RetentionWish{Type: "logs", Class: "30d"}, "unchanged", "7d", "30d"},
			{client.RetentionWish{Type: "logs", Class: "7d"}, "cancelled", "7d", ""},
			{client.RetentionWish{Type: "logs", Index: "nginx", Class: "60d"}, "at_once", "60d", ""},
			{client.RetentionWish{Type: "metrics", Class: "3d", Confirmed: true}, "at_once", "3d", ""},
		} {
			made, err := x.studio.ChangeRetention(ctx, x.shop.ID, step.wish)
			must(t, made, err)
			waits := ""
			if made.Pending != nil {
				waits = made.Pending.Class
			}
			if made.Outcome != step.outcome || made.Class != step.now_ || waits != step.waits || made.AtOnce && step.outcome != "unchanged" {
				t.Errorf("%+v: %+v", step.wish, made)
			}
		}
		if !x.told(x.shop.ID) {
			t.Error("the gateway was not told")
		}
		all, err := x.studio.Retention(ctx, x.shop.ID)
		if c := classOf(t, must(t, all, err), "logs", "nginx"); all.Fixed || c.Class != "60d" || c.AtOnce || c.Since == nil {
			t.Errorf("nginx: %+v", c)
		}
		if c := classOf(t, all, "rum", ""); c.Class != "14d" || !c.AtOnce || c.Since != nil || len(c.Allowed) != 5 {
			t.Errorf("rum: %+v", c)
		}
		for code, wish := range map[string]client.RetentionWish{
			"retention_class_unknown": {Type: "logs", Class: "180d"}, "retention_type_unknown": {Type: "coffee", Class: "3d"},
			"retention_unconfirmed": {Type: "metrics", Class: "7d"}, "retention_index_not_logs": {Type: "rum", Index: "a", Class: "7d"},
			"retention_index_name": {Type: "logs", Index: "a b", Class: "7d"},
		} {
			_, err := x.studio.ChangeRetention(ctx, x.shop.ID, wish)
			refused(t, err, code)
		}
	})
}

func TestMetricsFromBeforeAChangeAreNotListed(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	x.upgraded()
	x.clock.Advance(time.Hour)
	at := x.clock.Now()
	keep := func(key byte, m meter.Type, at time.Time) {
		r := sink.Report{
			Key: sink.Key{key}, WorkspaceID: x.shop.ID, Generation: 2, Type: m, Class: "14d", Received: at,
			Points: []meter.Point{{Name: string(m), Time: at}},
		}
		if err := x.sink.Write(t.Context(), []sink.Report{r}); err != nil {
			t.Fatal(err)
		}
	}
	keep(1, meter.Metric, at.Add(-time.Minute))
	keep(2, meter.Logging, at.Add(-time.Minute))
	made, err := x.studio.ChangeRetention(t.Context(), x.shop.ID, client.RetentionWish{Type: "metrics", Class: "3d", Confirmed: true})
	must(t, made, err)
	keep(3, meter.Metric, at.Add(time.Second))
	records := walk(t, func(p client.Page) (client.List[client.Record], error) {
		return x.studio.Records(t.Context(), x.shop.ID, client.Search{}, p)
	}, func(r client.Record) string { return r.Type + r.Time.UTC().Format("15:04:05") })
	if len(records) != 2 {
		t.Errorf("records %v, want the metric after the change and the log before it", records)
	}
}

func TestLogRulesAreReplacedAndShown(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	rules := []client.LogRule{{Field: "source", Value: "nginx*", Index: "web"}, {Field: "team", Value: "pay", Index: "default"}}
	_, err := x.studio.ReplaceLogRules(ctx, x.shop.ID, rules)
	refused(t, err, "retention_experience")
	x.upgraded()
	_, err = x.studio.ChangeRetention(ctx, x.shop.ID, client.RetentionWish{Type: "logs", Index: "own", Class: "3d"})
	must(t, client.RetentionChanged{}, err)
	made, err := x.studio.ReplaceLogRules(ctx, x.shop.ID, rules)
	if must(t, made, err); len(made.Rules) != 2 || made.Rules[0] != rules[0] || made.Rules[1] != rules[1] || made.Revision != 1 || len(made.Indexes) != 2 || made.Indexes[0] != "own" {
		t.Errorf("made %+v", made)
	}
	if !x.told(x.shop.ID) {
		t.Error("the gateway was not told")
	}
	_, err = x.studio.ReplaceLogRules(ctx, x.shop.ID, []client.LogRule{{Field: "source", Value: "a", Index: "a b"}})
	refused(t, err, "retention_index_name")
	gone, err := x.studio.ReplaceLogRules(ctx, x.shop.ID, nil)
	if must(t, gone, err); len(gone.Rules) != 0 || gone.Revision != 2 {
		t.Errorf("left %+v", gone)
	}
	shown, err := x.studio.LogRules(ctx, x.shop.ID)
	if must(t, shown, err); shown.Revision != 2 || len(shown.Indexes) != 1 {
		t.Errorf("shown %+v", shown)
	}
}

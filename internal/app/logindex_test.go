package app

import (
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// route replaces the rules of the shop, as its Owner.
func (h *house) route(rules ...logindex.Rule) {
	h.t.Helper()
	err := h.store.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := logindex.Change(h.t.Context(), tx, h.shop.ID, logindex.Replace(rules), workspace.Actor{AccountID: h.shop.OwnerID}, h.clock.Now())
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) keep(index, class string, want retention.Outcome) {
	h.t.Helper()
	v, err := h.version("cn1")
	if err != nil {
		h.t.Fatal(err)
	}
	err = h.store.Write(h.t.Context(), func(tx *store.Tx) error {
		wish := retention.Wish{Target: retention.IndexOf(index), Class: class}
		made, err := retention.Change(h.t.Context(), tx, v, h.shop.ID, wish, workspace.Actor{AccountID: h.shop.OwnerID}, h.clock.Now())
		if err == nil && made.Outcome != want {
			h.t.Errorf("%s to %s: %s, want %s", index, class, made.Outcome, want)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// named reports n lines of a source, in which the collector names an index.
func (h *house) named(index, source string, n int) {
	h.t.Helper()
	r := httptest.NewRequest("POST", "/v1/write/logging?token="+h.token, strings.NewReader(h.lines(n, source+" message=\"line %d\"")))
	r.Header.Set("X-Storage-Index-Name", index)
	w := httptest.NewRecorder()
	h.gateway.Handler().ServeHTTP(w, r)
	if w.Code != 200 {
		h.t.Fatalf("%s: %d %s", source, w.Code, w.Body)
	}
}

// indexed is the quantity of each class and index of the logs on the bill of a
// day, each of which its own hours explain.
func (h *house) indexed(day period.Day, want map[string]string) {
	h.t.Helper()
	got := map[string]string{}
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		b, err := tx.BillOfDay(h.t.Context(), h.shop.ID, day)
		if err != nil {
			return err
		}
		e, err := bill.Explain(h.t.Context(), tx, h.catalog, b)
		for _, l := range e.Lines {
			got[l.Class+"/"+l.Index] = l.Quantity.Plain()
			if !l.Agrees() {
				h.t.Errorf("%s %s is not what its hours make: %v", l.Class, l.Index, l.Again)
			}
		}
		return err
	})
	if err != nil || !maps.Equal(got, want) {
		h.t.Errorf("%s is billed as %v, %v; want %v", day, got, err, want)
	}
}

// TestEachLogIndexHasAClassALineAndALifeOfItsOwn walks rules, names and
// changes of class through the real gateway, sink, calendar and bills.
func TestEachLogIndexHasAClassALineAndALifeOfItsOwn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		second := firstDay.Add(1)
		h.to(firstDay, "09:00")
		h.logs(3) // nothing is routed yet
		h.keep("web", "3d", retention.AtOnce)
		h.named("web", "app", 2)   // its collector names an index that there is
		h.named("other", "app", 4) // and one that there is not
		h.route(logindex.Rule{Field: "source", Value: "nginx*", Index: "web"}, logindex.Rule{Field: "message", Value: "line 0", Index: "first"})
		h.to(firstDay, "10:00")
		h.logs(10)
		h.report("logging", h.lines(3, "app message=\"line %d\"")) // one of three is the first line, of an index without a class of its own
		h.report("keyevent", h.lines(1, "nginx title=\"event %d\""))
		h.report("security", h.lines(1, "nginx title=\"check %d\""))
		h.to(firstDay, "11:00")
		h.keep("web", "30d", retention.Held)
		h.change("logs", "7d", retention.AtOnce)
		h.logs(1)
		h.report("logging", h.lines(1, "app message=\"line %d\""))
		h.to(second, "00:00")
		h.logs(5)
		h.to(second, "02:00")
		h.indexed(firstDay, map[string]string{
			"3d/web":    "13",                 // 2 by name, 10 and 1 by rule
			"14d/":      "11",                 // 3 and 4 before the rules, 2 that none fits, an event and a check
			"14d/first": "1", "7d/first": "1", // an index without a class has that of the logs, and changes with it
		})
		h.keep("web", "3d", retention.AtOnce)
		h.logs(6)
		h.to(second.Add(1), "02:00")
		h.indexed(second, map[string]string{"30d/web": "5", "3d/web": "6"})
		h.shelved(map[string]int{"3d/web": 19, "14d/": 9, "14d/first": 1, "7d/first": 1, "30d/web": 5})
		h.to(second.Add(4), "02:00")
		h.shelved(map[string]int{"14d/": 9, "14d/first": 1, "7d/first": 1, "30d/web": 5})
		h.sound()
	})
}

// shelved counts the logs in the sink by class and index.
func (h *house) shelved(want map[string]int) {
	h.t.Helper()
	page, err := h.sink.Query(h.t.Context(), sink.Query{WorkspaceID: h.shop.ID, Generation: h.shop.Generation, Type: meter.Logging, At: h.clock.Now(), Limit: sink.MaxPage})
	found := map[string]int{}
	for _, r := range page.Records {
		found[r.Class+"/"+r.Index]++
	}
	if err != nil || !maps.Equal(found, want) {
		h.t.Errorf("the sink has %v, %v; want %v", found, err, want)
	}
}

// TestLogsAreCountedAsTheOperatorChose walks from records to SLS's cut size to
// raw bytes through the real gateway and bill: events and checks go along.
func TestLogsAreCountedAsTheOperatorChose(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		h.to(firstDay, "09:00")
		choose := func(w logcount.Way) {
			err := h.store.Write(t.Context(), func(tx *store.Tx) error {
				_, err := logcount.Choose(t.Context(), tx, h.shop.ID, w, "asked by their account manager", workspace.Actor{AccountID: "oper_1"}, h.clock.Now())
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		long := "app message=\"" + strings.Repeat("x", 10_240-len("message")) + "\"" // 10,240 bytes to the byte
		report := func() {
			h.report("logging", long+"\n")
			h.report("keyevent", "monitor title=\"12345\"\n") // 10 bytes
		}
		report() // 1 record and 1 event
		choose(logcount.Way{CutSize: meter.LogSplitSLS})
		report() // 5 and 1
		h.route(logindex.Rule{Field: "source", Value: "app", Index: "apps"})
		choose(logcount.Way{ByVolume: true})
		report()
		choose(logcount.Way{})
		report()
		h.to(firstDay.Add(1), "02:00")
		got := map[string]string{}
		err := h.store.Read(t.Context(), func(tx *store.Tx) error {
			b, err := tx.BillOfDay(t.Context(), h.shop.ID, firstDay)
			for _, l := range b.Lines {
				got[l.Item+"/"+l.Index] = l.Quantity.Plain()
			}
			return err
		})
		if want := map[string]string{"logs/": "9", "logs/apps": "1", "logs_ingested/": "10", "logs_ingested/apps": "10240"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("billed %v, %v; want %v", got, err, want)
		}
		h.sound()
	})
}

package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/testkit"
)

func TestAWorkspaceThatReportsMoreThanItsShareComesAgainLater(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(noon)
	traffic := newTraffic(Share{Bytes: 100}, clock.Now)
	for range 10 { // what may come at once
		leave, err := traffic.enter(t.Context(), "wksp_1", 100)
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	_, err := traffic.enter(t.Context(), "wksp_1", 250)
	if !errors.Is(err, errBusy) || fault.From(err).Args[retryAfter] != int64(3) {
		t.Fatalf("over its share: %v %v", err, fault.From(err).Args)
	}
	if _, err := traffic.enter(t.Context(), "wksp_2", 250); err != nil {
		t.Errorf("another workspace: %v", err)
	}
	clock.Advance(3 * time.Second)
	if _, err := traffic.enter(t.Context(), "wksp_1", 250); err != nil {
		t.Errorf("three seconds later: %v", err)
	}
	if _, err := newTraffic(Share{Bytes: 100}, clock.Now).enter(t.Context(), "wksp_1", 1<<20); err != nil {
		t.Errorf("a report larger than all that may come at once: %v", err)
	}
}

func TestPlacesAreAWorkspacesOwn(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(noon)
	traffic := newTraffic(Share{Reports: 2}, clock.Now)
	var leave [2]func()
	for i := range leave {
		var err error
		if leave[i], err = traffic.enter(t.Context(), "wksp_1", 1); err != nil {
			t.Fatal(err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := traffic.enter(gone, "wksp_1", 1); !errors.Is(err, errBusy) {
		t.Errorf("a third report: %v", err)
	}
	if _, err := traffic.enter(t.Context(), "wksp_2", 1); err != nil {
		t.Errorf("another workspace: %v", err)
	}
	leave[0]()
	if _, err := traffic.enter(t.Context(), "wksp_1", 1); err != nil {
		t.Errorf("when a place is free: %v", err)
	}
}

func TestSilentWorkspacesAreForgotten(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock(noon)
	traffic := newTraffic(Share{Reports: 2}, clock.Now)
	stay, err := traffic.enter(t.Context(), "busy", 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		leave, err := traffic.enter(t.Context(), fmt.Sprint(i), 1)
		if err != nil {
			t.Fatal(err)
		}
		leave()
	}
	clock.Advance(2 * idleAfter)
	if traffic.sweep(); traffic.size() != 1 {
		t.Errorf("%d are remembered, want the busy one", traffic.size())
	}
	stay()
	clock.Advance(2 * idleAfter)
	if traffic.sweep(); traffic.size() != 0 {
		t.Errorf("%d are remembered", traffic.size())
	}
}

// TestHeldBackIsAnsweredSoThatNothingIsLost holds the status of each door.
func TestHeldBackIsAnsweredSoThatNothingIsLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.g.traffic = newTraffic(Share{Bytes: 1}, s.clock)
	s.must(204, call{path: "/api/v2/write", header: header(), body: []byte("cpu,host=a usage=1")})
	kinds := map[string]string{"/v1/logs": jsonType, "/loki/api/v1/push": jsonType}
	for _, path := range []string{"/v1/write/metric", "/api/v2/write", "/write", "/api/v1/write", "/v1/logs", "/loki/api/v1/push"} {
		w := s.raw(call{path: path, header: header("Content-Type", kinds[path]), body: []byte("cpu,host=b usage=1")})
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: answered %d %v", path, w.Code, w.Header())
		}
	}
	s.expect(1, 0, 1)
}

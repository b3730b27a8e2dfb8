package gateway

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tollgate.dev/internal/fault"
)

// errBusy is answered 503: every collector keeps the report then and sends it
// again, where a 429 would make DataKit drop it.
var errBusy = fault.New(fault.Unavailable, "workspace_busy", "The workspace reports more at a time than its share. Nothing of this report is counted; send it again later.")

// Share is what one workspace may take of the gateway, so that the others find
// room: reports at a time, and bytes a second as they come on the wire. The
// bytes of burstTime may come at once. Zero stands for no bound.
type Share struct {
	Reports int
	Bytes   int64
}

const burstTime = 10 // seconds

// idleAfter is after what time a workspace that is silent is forgotten.
const idleAfter = time.Minute

// traffic holds every workspace to its share.
type traffic struct {
	share Share
	now   func() time.Time

	mu    sync.Mutex
	lanes map[string]*street
}

// street is where the reports of one workspace come along.
type street struct {
	places chan struct{}
	bytes  *rate.Limiter
	busy   int // reports on it
	seen   time.Time
}

func newTraffic(s Share, now func() time.Time) *traffic {
	return &traffic{share: s, now: now, lanes: map[string]*street{}}
}

// enter waits for one of the workspace's places, at most slotTime, or says when
// to come again.
func (t *traffic) enter(ctx context.Context, workspaceID string, size int) (leave func(), err error) {
	s := t.street(workspaceID)
	if s.bytes != nil {
		now := t.now()
		wanted := s.bytes.ReserveN(now, min(size, s.bytes.Burst()))
		if wait := wanted.DelayFrom(now); wait > 0 {
			wanted.CancelAt(now)
			t.leave(s)
			return nil, errBusy.With(retryAfter, int64(math.Ceil(wait.Seconds())))
		}
	}
	if s.places == nil {
		return func() { t.leave(s) }, nil
	}
	out, err := lane(ctx, s.places)
	if err != nil {
		t.leave(s)
		return nil, errBusy.Because(err)
	}
	return func() {
		out()
		t.leave(s)
	}, nil
}

func (t *traffic) street(workspaceID string) *street {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.lanes[workspaceID]
	if s == nil {
		s = &street{}
		if t.share.Reports > 0 {
			s.places = make(chan struct{}, t.share.Reports)
		}
		if t.share.Bytes > 0 {
			s.bytes = rate.NewLimiter(rate.Limit(t.share.Bytes), int(min(t.share.Bytes*burstTime, math.MaxInt32)))
		}
		t.lanes[workspaceID] = s
	}
	s.busy++
	return s
}

func (t *traffic) leave(s *street) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.busy--
	s.seen = t.now()
}

func (t *traffic) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.lanes)
}

// sweep forgets the workspaces that report no more.
func (t *traffic) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, s := range t.lanes {
		if age := t.now().Sub(s.seen); s.busy == 0 && (age > idleAfter || age < 0) {
			delete(t.lanes, id)
		}
	}
}

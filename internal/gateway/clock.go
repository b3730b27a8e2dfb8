package gateway

import (
	"container/list"
	"sync"
	"time"
)

// clock stamps reports with their receipt. Its time never goes back, and it
// knows the reports under way: everything that was received before the oldest
// of them is in the spool.
type clock struct {
	now func() time.Time

	mu   sync.Mutex
	last time.Time
	open *list.List // of time.Time, the oldest first
}

func newClock(now func() time.Time) *clock { return &clock{now: now, open: list.New()} }

func (c *clock) tick() time.Time {
	if t := c.now(); t.After(c.last) {
		c.last = t
	}
	return c.last
}

// notBefore moves the clock on to what an earlier life of the gateway has
// promised to be past.
func (c *clock) notBefore(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.last) {
		c.last = t
	}
}

// begin stamps a report that is under way until end.
func (c *clock) begin() (received time.Time, end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.open.PushBack(c.tick())
	return c.last, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open.Remove(e)
	}
}

// through is the instant before which no report is under way or to come.
func (c *clock) through() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.open.Front(); e != nil {
		return e.Value.(time.Time)
	}
	return c.tick()
}

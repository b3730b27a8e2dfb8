package api

import (
	"sync"
	"time"

	"tollgate.dev/internal/fault"
)

// Limits of guessing. A key is an account as typed together with the address
// that it is typed from, or an address alone.
const (
	maxLogins   = 10
	loginWindow = 5 * time.Minute
	maxBegins   = 60
	beginWindow = time.Hour
	perAddress  = 10 // so many times the limit of one account
	maxKeys     = 20_000
)

// ErrTooManyBegins is a flood of registrations from one address.
var ErrTooManyBegins = fault.New(fault.TooMany, "too_many_registrations", "Too many registrations from your address. Try again later.")

// limiter counts per key within a window. It holds in memory: a restart
// forgives, which helps only the patient.
type limiter struct {
	most   int
	window time.Duration
	now    func() time.Time

	mu     sync.Mutex
	counts map[string]count
}

type count struct {
	n     int
	since time.Time
}

// take counts an attempt of the key, unless there were too many: then it gives
// how long to wait. Looking and counting are one step, so that a thousand
// attempts at once are no more than one after the other.
func (l *limiter) take(key string, most int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c, ok := l.counts[key]
	left := c.since.Add(l.window).Sub(now)
	switch {
	case !ok || left <= 0:
		c = count{since: now}
	case c.n >= most:
		return left
	}
	if len(l.counts) >= maxKeys {
		l.sweep(now)
	}
	if l.counts == nil {
		l.counts = map[string]count{}
	}
	c.n++
	l.counts[key] = c
	return 0
}

// giveBack takes back an attempt that was none.
func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, ok := l.counts[key]; ok && c.n > 0 {
		c.n--
		l.counts[key] = c
	}
}

// forget ends the counting of a key.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.counts, key)
}

// sweep makes room: what has expired goes, and if nothing has, everything.
func (l *limiter) sweep(now time.Time) {
	for key, c := range l.counts {
		if !now.Before(c.since.Add(l.window)) {
			delete(l.counts, key)
		}
	}
	if len(l.counts) >= maxKeys {
		clear(l.counts)
	}
}

// refuse is the fault with the wait, or nil without one.
func refuse(f *fault.Error, wait time.Duration) error {
	if wait <= 0 {
		return nil
	}
	return f.With(retryKey, int64((wait+time.Second-1)/time.Second))
}

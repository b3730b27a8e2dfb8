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

// wait is how long the key has to wait; 0 while it may go on.
func (l *limiter) wait(key string, most int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.counts[key]
	left := c.since.Add(l.window).Sub(l.now())
	if !ok || c.n < most || left <= 0 {
		return 0
	}
	return left
}

// add counts one more for the key.
func (l *limiter) add(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if len(l.counts) >= maxKeys {
		l.sweep(now)
	}
	c := l.counts[key]
	if c.n == 0 || !now.Before(c.since.Add(l.window)) {
		c = count{since: now}
	}
	c.n++
	if l.counts == nil {
		l.counts = map[string]count{}
	}
	l.counts[key] = c
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

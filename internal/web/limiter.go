package web

import (
	"sync"
	"time"
)

// Limiter counts failed attempts per key and refuses more than Most within
// Window. It holds in memory: a restart forgives, a second process counts for
// itself, both of which only the patient attacker gains from.
type Limiter struct {
	Most   int
	Window time.Duration
	Now    func() time.Time

	mu    sync.Mutex
	tries map[string]attempt
}

type attempt struct {
	count int
	since time.Time
}

// maxKeys bounds the memory; past it, everything that has expired goes, and
// if that is not enough, everything.
const maxKeys = 50_000

// Allows reports whether the key may try once more.
func (l *Limiter) Allows(keys ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	for _, key := range keys {
		a, ok := l.tries[key]
		if ok && now.Sub(a.since) < l.Window && a.count >= l.Most {
			return false
		}
	}
	return true
}

// Failed counts a failed attempt.
func (l *Limiter) Failed(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	if l.tries == nil {
		l.tries = map[string]attempt{}
	}
	if len(l.tries) > maxKeys {
		l.sweep(now)
	}
	for _, key := range keys {
		a := l.tries[key]
		if now.Sub(a.since) >= l.Window {
			a = attempt{since: now}
		}
		a.count++
		l.tries[key] = a
	}
}

// Succeeded forgets the failures of the key.
func (l *Limiter) Succeeded(keys ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.tries, key)
	}
}

func (l *Limiter) sweep(now time.Time) {
	for key, a := range l.tries {
		if now.Sub(a.since) >= l.Window {
			delete(l.tries, key)
		}
	}
	if len(l.tries) > maxKeys {
		clear(l.tries)
	}
}

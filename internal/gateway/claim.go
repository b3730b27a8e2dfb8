package gateway

import (
	"context"
	"sync"

	"tollgate.dev/internal/sink"
)

// claims lets only one of several identical reports under way go on: a client
// that has lost its patience sends the same body while the first is still
// being stored.
type claims struct {
	mu   sync.Mutex
	open map[sink.Key]chan struct{}
}

func newClaims() *claims { return &claims{open: map[sink.Key]chan struct{}{}} }

// take waits until no other report of the key is under way, and claims it.
func (c *claims) take(ctx context.Context, key sink.Key) (end func(), err error) {
	for {
		c.mu.Lock()
		other := c.open[key]
		if other == nil {
			mine := make(chan struct{})
			c.open[key] = mine
			c.mu.Unlock()
			return func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				delete(c.open, key)
				close(mine)
			}, nil
		}
		c.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, errUnavailable.Because(ctx.Err())
		}
	}
}

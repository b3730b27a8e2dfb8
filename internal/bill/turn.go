package bill

import (
	"context"
	"errors"
	"sync"
)

// errBefore is the end of a lot whose predecessor did not get its bills.
var errBefore = errors.New("the lot before was not kept")

// turn keeps lots in order while they are worked on side by side: each says
// how many numbers it takes before it writes its bills, and commits after the
// one before it. So numbers have no gaps, and a run that is repeated gives
// every bill the same number.
type turn struct {
	previous *turn // nil for the first
	start    Link  // of the first: where the chain of the series stands

	open    sync.Once
	begun   chan struct{} // closed when its transaction has begun, or never will
	once    sync.Once
	counted chan struct{} // closed when last is known, or never will be
	last    int64         // the last number that this lot takes
	known   bool
	link    Link          // where the chain stands behind this lot, once it is done
	done    chan struct{} // closed when the lot was kept or given up
	err     error
}

func newTurn(previous *turn, start Link) *turn {
	return &turn{previous: previous, start: start, begun: make(chan struct{}), counted: make(chan struct{}), done: make(chan struct{})}
}

// enter waits until the transaction of the lot before has begun. One that holds
// its payers while it waits for the lot before must not take the connection that
// this one needs: the doors that wait for those payers may have all the others.
func (t *turn) enter(ctx context.Context) error {
	if t.previous == nil {
		return nil
	}
	select {
	case <-t.previous.begun:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// entered says that the lot's transaction has begun.
func (t *turn) entered() { t.open.Do(func() { close(t.begun) }) }

// number gives the number after which the lot's own begin, once the lot before
// has said how many it takes, and says how many this one takes.
func (t *turn) number(ctx context.Context, n int64) (after int64, err error) {
	if after, err = t.begin(ctx); err != nil {
		return 0, err
	}
	if t.known && t.last != after+n {
		return 0, errors.New("a lot that was run again has other bills")
	}
	t.last, t.known = after+n, true
	t.once.Do(func() { close(t.counted) })
	return after, nil
}

func (t *turn) begin(ctx context.Context) (int64, error) {
	if t.previous == nil {
		return t.start.Number, nil
	}
	select {
	case <-t.previous.counted:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if !t.previous.known {
		return 0, errBefore
	}
	return t.previous.last, nil
}

// before waits until the lot before is committed.
func (t *turn) before(ctx context.Context) error {
	if t.previous == nil {
		return nil
	}
	select {
	case <-t.previous.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if t.previous.err != nil {
		return errBefore
	}
	t.previous.previous = nil // what is done can be forgotten
	return nil
}

// from is where the chain of the series stands before this lot, once the lot
// before is committed.
func (t *turn) from() Link {
	if t.previous == nil {
		return t.start
	}
	return t.previous.link
}

// end says that the lot was kept, or why it was not.
func (t *turn) end(err error) {
	t.err = err
	t.entered()
	t.once.Do(func() { close(t.counted) })
	close(t.done)
}

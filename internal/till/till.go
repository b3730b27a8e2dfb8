// Package till is where the platform's services have amounts taken from
// payers, many at once. It owns the collecting: debits that come while others
// are being written are posted together, in one transaction with one wait for
// the disk and one link of the audit log. It does not own what a debit is and
// when it is refused, which is the wallet's.
//
// Payers are shared out among lanes, so that two groups under way never wait
// for the same payer, and the debits of one payer are posted in the order in
// which they came. Where few wait, the lanes go together: what a transaction
// costs by itself is more than they do.
//
// Always true: who asked is answered after the commit; each debit comes to
// what it would come to alone; what was answered is never undone, and what was
// not answered is known by its key when it is asked for again.
package till

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// Faults of a till.
var (
	ErrBusy   = fault.New(fault.Unavailable, "deductions_waiting", "Too many deductions are waiting. Nothing was moved; send it again in a moment, with the same key.")
	ErrClosed = fault.New(fault.Unavailable, "deductions_stopped", "This server is stopping. Nothing was moved; send it again in a moment, with the same key.")
)

// Limits of a group.
const (
	mostTogether = 5_000  // debits of one transaction, unless one order has more
	mostWaiting  = 20_000 // debits that wait in a lane
	worthwhile   = 128    // debits for which a lane does not wait for the others
)

// lanesOf is how many groups are written side by side where the store has more
// than one writer: one collects and computes while the other waits for the
// disk.
const lanesOf = 2

// Till takes debits. It is safe for concurrent use.
type Till struct {
	store *store.Store
	now   func() time.Time
	seed  maphash.Seed
	done  sync.WaitGroup

	mu      sync.Mutex
	changed sync.Cond // an order came, a group ended, or the till was closed
	lanes   []lane
	orders  int64 // that came so far
	closed  bool
}

// lane is the orders of a share of the payers.
type lane struct {
	orders  []*order
	waiting int  // debits of the orders
	busy    bool // a group with some of them is being written
}

// Open starts the till's lanes. now is the installation's clock.
func Open(s *store.Store, now func() time.Time) *Till {
	lanes := lanesOf
	if s.OneWriter() {
		lanes = 1
	}
	t := &Till{store: s, now: now, seed: maphash.MakeSeed(), lanes: make([]lane, lanes)}
	t.changed.L = &t.mu
	for range lanes {
		t.done.Go(t.work)
	}
	return t
}

// Close takes nothing more, and returns when everything taken is answered.
func (t *Till) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.changed.Broadcast()
	t.done.Wait()
}

// Take has debits posted, and says of each what came of it once that is on the
// disk. An error is about those that have no entry: they were not posted, or
// it is not known. Where ctx ends, they may be posted all the same.
func (t *Till) Take(ctx context.Context, debits []wallet.Debit) ([]wallet.Taken, error) {
	orders, places := t.share(debits)
	for _, o := range orders {
		if err := t.put(o); err != nil {
			o.err = err
			close(o.done)
		}
	}
	taken := make([]wallet.Taken, len(debits))
	for i, o := range orders {
		select {
		case <-o.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		for k, at := range places[i] {
			if o.err != nil {
				taken[at] = wallet.Taken{Err: o.err}
			} else {
				taken[at] = o.taken[k]
			}
		}
	}
	return taken, nil
}

// share makes an order of the debits for each lane that has some, and tells
// where each of them stood.
func (t *Till) share(debits []wallet.Debit) (orders []*order, places [][]int) {
	of := make([]int, len(t.lanes)) // the lane's order, from 1
	for i, d := range debits {
		n := 0
		if len(t.lanes) > 1 {
			n = int(maphash.String(t.seed, d.Payer) % uint64(len(t.lanes)))
		}
		if of[n] == 0 {
			orders, places = append(orders, &order{lane: n, done: make(chan struct{})}), append(places, nil)
			of[n] = len(orders)
		}
		at := of[n] - 1
		orders[at].debits, places[at] = append(orders[at].debits, d), append(places[at], i)
	}
	return orders, places
}

// order is debits that are answered together.
type order struct {
	lane   int
	number int64 // its place among all that came
	debits []wallet.Debit
	taken  []wallet.Taken
	err    error
	done   chan struct{} // closed when taken or err is set
}

func (t *Till) put(o *order) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := &t.lanes[o.lane]
	switch {
	case t.closed:
		return ErrClosed
	case l.waiting > 0 && l.waiting+len(o.debits) > mostWaiting:
		return ErrBusy
	}
	t.orders++
	o.number = t.orders
	l.orders, l.waiting = append(l.orders, o), l.waiting+len(o.debits)
	t.changed.Signal()
	return nil
}

// group is orders that are posted together. No other group has orders of the
// same lanes meanwhile.
type group struct {
	orders []*order
	lanes  []*lane
}

// next waits for orders and takes those that go together; none when the till
// is closed and empty.
func (t *Till) next() (g group) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		oldest, busy := t.oldest()
		switch {
		case oldest == nil && t.closed && !busy:
			return g
		case oldest == nil:
		case oldest.waiting >= worthwhile:
			g.take(oldest)
			return g
		case !busy: // few: one transaction for all of them costs less than one each
			for i := range t.lanes {
				if l := &t.lanes[i]; l.waiting < worthwhile {
					g.take(l)
				}
			}
			return g
		}
		t.changed.Wait()
	}
}

// oldest is the lane that is not busy and whose first order came before those
// of the others, so that none waits for ever.
func (t *Till) oldest() (of *lane, busy bool) {
	for i := range t.lanes {
		l := &t.lanes[i]
		switch {
		case l.busy:
			busy = true
		case len(l.orders) > 0 && (of == nil || l.orders[0].number < of.orders[0].number):
			of = l
		}
	}
	return of, busy
}

// take takes as many orders of a lane as go together.
func (g *group) take(l *lane) {
	n, debits := 0, 0
	for n < len(l.orders) && (n == 0 || debits+len(l.orders[n].debits) <= mostTogether) {
		debits += len(l.orders[n].debits)
		n++
	}
	g.orders, g.lanes = append(g.orders, l.orders[:n:n]...), append(g.lanes, l)
	l.orders, l.waiting, l.busy = l.orders[n:], l.waiting-debits, true
}

// work posts group after group. It has its own context: who asked may leave,
// the others of the group stay.
func (t *Till) work() {
	for {
		g := t.next()
		if len(g.orders) == 0 {
			return
		}
		t.post(context.Background(), g.orders)
		t.mu.Lock()
		for _, l := range g.lanes {
			l.busy = false
		}
		t.mu.Unlock()
		t.changed.Broadcast()
	}
}

// post posts the orders of a group together.
func (t *Till) post(ctx context.Context, group []*order) {
	n := 0
	for _, o := range group {
		n += len(o.debits)
	}
	debits := make([]wallet.Debit, 0, n)
	for _, o := range group {
		debits = append(debits, o.debits...)
	}
	taken, err := t.take(ctx, debits)
	for _, o := range group {
		if o.err = err; err == nil {
			o.taken, taken = taken[:len(o.debits):len(o.debits)], taken[len(o.debits):]
		}
		close(o.done)
	}
}

// take posts debits in one transaction. Where the books refuse one of them so
// late that the whole is undone, each half is tried by itself: the others do
// not bear what is wrong with one.
func (t *Till) take(ctx context.Context, debits []wallet.Debit) ([]wallet.Taken, error) {
	taken, err := t.transact(ctx, debits)
	var refusal *fault.Error
	if err == nil || !errors.As(err, &refusal) {
		return taken, err
	}
	if len(debits) == 1 {
		return []wallet.Taken{{Err: err}}, nil
	}
	half := len(debits) / 2
	first, err := t.take(ctx, debits[:half])
	if err != nil {
		return nil, err
	}
	second, err := t.take(ctx, debits[half:])
	if err != nil {
		for range debits[half:] {
			second = append(second, wallet.Taken{Err: err})
		}
	}
	return append(first, second...), nil
}

func (t *Till) transact(ctx context.Context, debits []wallet.Debit) (taken []wallet.Taken, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			taken, err = nil, fmt.Errorf("post deductions: panic: %v", cause)
		}
	}()
	at := t.now()
	err = t.store.Write(ctx, func(tx *store.Tx) (err error) {
		taken, err = wallet.TakeDebits(ctx, tx, debits, at)
		return err
	})
	return taken, err
}

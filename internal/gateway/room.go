package gateway

import (
	"bytes"
	"context"
	"errors"
	"time"

	"golang.org/x/sync/semaphore"

	"tollgate.dev/internal/meter"
)

// The bounds of the reports that are being unpacked, decoded and stored at a
// time. slotTime is how long one waits for its turn before it is sent away.
const (
	maxConcurrent = 64
	slotTime      = 10 * time.Second
)

// The memory of the reports under way: together they take maxMemory bytes by
// what weigh expects of each. A body of up to smallBody bytes on the wire is
// read as it comes; of larger ones largeBodies are held at a time, and one that
// unpacks to more than largeReport bytes waits until it is the only such, so
// that those who send small ones wait behind one large report at most.
const (
	maxMemory   = 128 << 20
	smallBody   = 1 << 20
	largeBodies = 2
	largeReport = 4 << 20
)

// room is what the reports under way share.
type room struct {
	slots  chan struct{}
	bodies chan struct{}
	large  chan struct{}
	memory *semaphore.Weighted
}

func newRoom() *room {
	return &room{
		slots: make(chan struct{}, maxConcurrent), bodies: make(chan struct{}, largeBodies),
		large: make(chan struct{}, 1), memory: semaphore.NewWeighted(maxMemory),
	}
}

// weigh is what a report of so many unpacked bytes may take: its bytes stand
// in the body, in its points and in the rows that the sink makes of them; and a
// point of few bytes takes many times as much as it was sent in, up to what a
// report's points and attributes may take.
func weigh(size int) int64 {
	const copies, dense, most = 4, 32, 56 << 20
	return min(copies*int64(size)+min(dense*int64(size), most), maxMemory)
}

// lane takes a place of a lane, or gives up.
func lane(ctx context.Context, places chan struct{}) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, slotTime)
	defer cancel()
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, errUnavailable.Because(ctx.Err())
	}
}

// hold keeps the memory of a report that unpacks to so many bytes.
func (r *room) hold(ctx context.Context, size int) (leave func(), err error) {
	alone := func() {}
	if size > largeReport {
		if alone, err = lane(ctx, r.large); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, slotTime)
	defer cancel()
	weight := weigh(size)
	if err := r.memory.Acquire(ctx, weight); err != nil {
		alone()
		return nil, errUnavailable.Because(err)
	}
	return func() {
		r.memory.Release(weight)
		alone()
	}, nil
}

// enter takes a slot.
func (g *Gateway) enter(ctx context.Context) (leave func(), err error) {
	leave, err = lane(ctx, g.room.slots)
	if err == nil && !g.ready.Load() { // Stop has begun meanwhile
		leave()
		return nil, errUnavailable
	}
	return leave, err
}

// unpacked holds the memory that the report says it needs, and unpacks it. One
// that turns out to be larger, because it lied or has several parts, begins
// anew with all that there may be.
func (g *Gateway) unpacked(ctx context.Context, e encoding, packed []byte) (body []byte, leave func(), err error) {
	for limit := min(e.size(packed), maxUnpacked); ; limit = maxUnpacked {
		release, err := g.room.hold(ctx, limit)
		if err != nil {
			return nil, nil, err
		}
		to := buffers.Get().(*bytes.Buffer)
		leave := func() {
			putBack(to)
			release()
		}
		body, err = e.unpack(to, packed, limit)
		if err == nil {
			return body, leave, nil
		}
		leave()
		if limit == maxUnpacked || !errors.Is(err, meter.ErrTooLarge) {
			return nil, nil, err
		}
	}
}

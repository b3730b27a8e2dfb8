package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// cloud is a marketplace that plays a script over the seam. It keeps what it
// takes by what clouds tell records apart by, and fails the test when a rule
// of its limits is broken or a record changes its value.
type cloud struct {
	t       testing.TB
	method  site.Method
	limits  marketplace.Limits
	unit    marketplace.Unit
	late    time.Duration // after the end of a window
	now     func() time.Time
	taken   map[string]marketplace.Record
	seen    map[string]string // the bytes of each record
	called  map[string]time.Time
	script  func(call int, records []marketplace.Record) mishap
	poison  func(r marketplace.Record) bool
	calls   int
	batches []int
}

type mishap string

const (
	noFault     mishap = ""
	throttled   mishap = "throttled"
	unreachable mishap = "unreachable"
	lostAnswer  mishap = "answer lost after the commit"
	lostRequest mishap = "request lost"
	partial     mishap = "some records unprocessed"
	silent      mishap = "answer without outcomes"
)

func newCloud(t testing.TB, m site.Method, now func() time.Time) *cloud {
	return &cloud{
		t: t, method: m, now: now, late: 23 * time.Hour, taken: map[string]marketplace.Record{}, seen: map[string]string{}, called: map[string]time.Time{},
		limits: marketplace.Limits{Records: 25, Resends: marketplace.Unlimited},
		unit:   marketplace.Unit{Dimension: "amount", Price: money.Of(1, money.CNY), Most: 1 << 30},
	}
}

func (c *cloud) Method() site.Method         { return c.method }
func (c *cloud) Way() marketplace.Way        { return marketplace.ByInstance }
func (c *cloud) Storefront() string          { return "https://market.example/tollgate" }
func (c *cloud) Limits() marketplace.Limits  { return c.limits }
func (c *cloud) Size(marketplace.Record) int { return 100 }
func (c *cloud) Unit(_ string, currency money.Currency) (marketplace.Unit, error) {
	u := c.unit
	u.Price = money.Of(u.Price.Minor(), currency)
	return u, nil
}

func (c *cloud) Window(_ marketplace.Plan, at time.Time) marketplace.Window {
	from := at.UTC().Truncate(time.Hour)
	return marketplace.Window{From: from, To: from.Add(time.Hour)}
}

func (c *cloud) Deadline(_ marketplace.Plan, w marketplace.Window) time.Time {
	return w.From.Add(time.Hour + c.late)
}

func (c *cloud) Verify(context.Context, marketplace.Claim) (marketplace.Purchase, error) {
	return marketplace.Purchase{}, marketplace.ErrClaim
}

func key(r marketplace.Record) string {
	return fmt.Sprint(r.Instance, " ", r.Dimension, " ", r.Window.From.Truncate(time.Hour).Unix())
}

func (c *cloud) Send(_ context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	c.calls++
	c.batches = append(c.batches, len(records))
	c.judge(records)
	f := noFault
	if c.script != nil {
		f = c.script(c.calls, records)
	}
	switch f {
	case throttled:
		return nil, marketplace.ErrThrottled
	case unreachable:
		return nil, marketplace.ErrUnreachable
	case lostRequest:
		return nil, errors.New("connection reset")
	}
	if c.poison != nil && slices.ContainsFunc(records, c.poison) {
		return nil, &marketplace.Poisoned{Reason: "InvalidSomething"}
	}
	var outcomes []marketplace.Outcome
	for i, r := range records {
		if f == partial && i%2 == 0 {
			outcomes = append(outcomes, marketplace.Outcome{RecordID: r.ID, State: marketplace.Sent, Reason: "unprocessed"})
			continue
		}
		outcomes = append(outcomes, c.take(r))
	}
	slices.Reverse(outcomes)
	switch f {
	case lostAnswer:
		return nil, errors.New("the answer did not come")
	case silent:
		return nil, nil
	}
	return outcomes, nil
}

// judge holds the request against the limits, and the records against what was
// sent of them before.
func (c *cloud) judge(records []marketplace.Record) {
	if len(records) == 0 || len(records) > c.limits.Records {
		c.t.Errorf("%d records in a request", len(records))
	}
	for _, r := range records {
		bytes := fmt.Sprint(key(r), r.Quantity, r.Account, r.Window, r.Shares)
		if before, known := c.seen[r.ID]; known && before != bytes {
			c.t.Errorf("record %s was %s and is %s", r.ID, before, bytes)
		}
		c.seen[r.ID] = bytes
		if last, known := c.called[r.Instance]; known && last != c.now() && c.now().Sub(last) < c.limits.PerInstance {
			c.t.Errorf("%s is called %s after the call before", r.Instance, c.now().Sub(last))
		}
		if !r.Deadline.After(c.now()) {
			c.t.Errorf("%s is sent at %s, after its deadline %s", r.ID, c.now(), r.Deadline)
		}
		sum := int64(0)
		for _, s := range r.Shares {
			n, _ := s.Quantity.Scaled(4)
			sum += n
		}
		if n, _ := r.Quantity.Scaled(4); n != sum {
			c.t.Errorf("the shares of %s come to %d of %d", r.ID, sum, n)
		}
	}
	for _, r := range records {
		c.called[r.Instance] = c.now()
	}
}

func (c *cloud) take(r marketplace.Record) marketplace.Outcome {
	o := marketplace.Outcome{RecordID: r.ID, RemoteID: "m-" + r.ID}
	before, known := c.taken[key(r)]
	switch {
	case !known:
		c.taken[key(r)], o.State = r, marketplace.Accepted
	case before.Quantity.Cmp(r.Quantity) == 0:
		o.State = marketplace.DuplicateSame
	default:
		o.State, o.Reason = marketplace.DuplicateDiff, "DuplicateRecord"
	}
	return o
}

// total is what the cloud will collect, in minor units.
func (c *cloud) total() int64 {
	sum := int64(0)
	for _, r := range c.taken {
		n, _ := r.Quantity.Scaled(c.unit.Decimals)
		scale := int64(1)
		for range c.unit.Decimals {
			scale *= 10
		}
		sum += n * c.unit.Price.Minor() / scale
	}
	return sum
}

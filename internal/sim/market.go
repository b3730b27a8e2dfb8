package sim

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// market is the marketplace of a cloud in a simulation. The adapter of the
// cloud says in what usage is sent, for which windows, until when and how much
// at once; what would cross the wire ends here. Of an instance, dimension and
// window it counts the first quantity, as the clouds do.
type market struct {
	marketplace.Cloud
	units []marketplace.Cloud // the same in further currencies
	plan  marketplace.Plan
	now   func() time.Time

	mu      sync.Mutex
	sold    map[string]*sale // by instance
	taken   map[string]quantity.Decimal
	answers []answer // what comes of the next requests
}

// sale is a purchase on the marketplace.
type sale struct {
	account string
	ended   time.Time // zero while it lasts
	until   time.Time // when its last usage is no longer taken; zero for never
}

// answer is what a request comes to, when it does not come to what it should.
type answer string

// The answers of a step.
const (
	answerLost      answer = "lost"      // it was taken, and nobody was told
	answerThrottled answer = "throttled" // come back later
	answerRejected  answer = "rejected"  // never to be taken
	answerDiffers   answer = "duplicate" // there is another quantity for it
)

func answers() []string {
	return []string{string(answerLost), string(answerThrottled), string(answerRejected), string(answerDiffers)}
}

// terms are what usage of a cloud is sent in, as a file may say.
type terms struct {
	plan  marketplace.Plan
	price int64 // of one, in minor units of whatever currency; 0 for the cloud's own
}

// connected are the clouds that a simulation has a marketplace of.
func connected() []site.Method {
	return []site.Method{site.Alibaba, site.AlibabaIntl, site.AWS, site.Huawei}
}

// What the marketplaces of a simulation sell, and the words by which their
// adapters are set up. Nothing is reached under any of them.
const (
	product   = "tollgate"
	dimension = "amount"
	listing   = "https://market.simulation.example/tollgate"
	nobody    = "simulation"
	aCent     = 1
	aWhole    = 100
)

// openMarkets makes the marketplaces by what the file says of them.
func openMarkets(of map[site.Method]terms, now func() time.Time) (map[site.Method]*market, error) {
	all := map[site.Method]*market{}
	for _, m := range connected() {
		t := of[m]
		if t.plan == "" {
			t.plan = marketplace.Hourly
		}
		clouds, err := adapters(m, t, now)
		if err != nil {
			return nil, fmt.Errorf("the marketplace of %s: %w", m, err)
		}
		all[m] = &market{Cloud: clouds[0], units: clouds, plan: t.plan, now: now, sold: map[string]*sale{}, taken: map[string]quantity.Decimal{}}
	}
	return all, nil
}

// adapters are those of a cloud, one for each currency that it can be set to.
func adapters(m site.Method, t terms, now func() time.Time) ([]marketplace.Cloud, error) {
	one := func(otherwise int64, c money.Currency) money.Amount {
		if t.price > 0 {
			return money.Of(t.price, c)
		}
		return money.Of(otherwise, c)
	}
	switch m {
	case site.AWS:
		c, err := aws.New(aws.Config{
			AccessKey: nobody, Secret: nobody, Region: "us-east-1", Products: []string{product}, Dimension: dimension, Listing: listing,
			Prices: []money.Amount{one(aCent, money.CNY), one(aCent, money.USD)},
		})
		return []marketplace.Cloud{c}, err
	case site.Huawei:
		var clouds []marketplace.Cloud
		for _, currency := range []money.Currency{money.CNY, money.USD} {
			c, err := huawei.New(huawei.Config{
				Key: nobody, AccessKey: nobody, Secret: nobody, Products: []string{product}, Dimension: dimension, Plan: t.plan, Price: one(aWhole, currency), Listing: listing, Now: now,
			})
			if err != nil {
				return nil, err
			}
			clouds = append(clouds, c)
		}
		return clouds, nil
	}
	currency := money.CNY
	if m == site.AlibabaIntl {
		currency = money.USD
	}
	c, err := alibaba.New(alibaba.Config{
		Method: m, AccessKey: nobody, Secret: nobody, Key: nobody, Products: []string{product}, Entity: dimension, Plan: t.plan, Price: one(aCent, currency), Listing: listing,
	})
	return []marketplace.Cloud{c}, err
}

// Unit is that of the adapter which is set to the currency.
func (m *market) Unit(product string, c money.Currency) (u marketplace.Unit, err error) {
	for _, cloud := range m.units {
		if u, err = cloud.Unit(product, c); err == nil {
			return u, nil
		}
	}
	return u, err
}

// buy notes a purchase unless there is one of that instance. It is bought by
// another account when that is not the one that has it.
func (m *market) buy(account, instance string) (first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sold[instance] != nil {
		return false
	}
	m.sold[instance] = &sale{account: account}
	return true
}

// end notes that the purchase is over; its last usage is taken for so long.
func (m *market) end(instance string, at time.Time, final time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.sold[instance]; s != nil && s.ended.IsZero() {
		if s.ended = at; final > 0 {
			s.until = at.Add(final)
		}
	}
}

// takes reports whether usage of a window is still taken.
func (s *sale) takes(w marketplace.Window, at time.Time) bool {
	return s.ended.IsZero() || !w.To.After(s.ended) && (s.until.IsZero() || at.Before(s.until))
}

// answer says what the next requests come to.
func (m *market) answer(a answer, times int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range times {
		m.answers = append(m.answers, a)
	}
}

// Verify confirms what was bought.
func (m *market) Verify(_ context.Context, c marketplace.Claim) (p marketplace.Purchase, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sold[c.Instance]
	switch {
	case s == nil || s.account != c.Account:
		return p, marketplace.ErrClaim
	case !s.ended.IsZero():
		return p, marketplace.ErrInactive
	}
	return marketplace.Purchase{Account: s.account, Instance: c.Instance, Product: product, Plan: m.plan}, nil
}

var errNoAnswer = errors.New("the answer did not come")

// Send takes records as the cloud would, or lets the request come to what the
// file says.
func (m *market) Send(_ context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var next answer
	if len(m.answers) > 0 {
		next, m.answers = m.answers[0], m.answers[1:]
	}
	if next == answerThrottled {
		return nil, marketplace.ErrThrottled
	}
	outcomes := make([]marketplace.Outcome, len(records))
	for i, r := range records {
		outcomes[i] = m.take(r, next)
	}
	if next == answerLost {
		return nil, errNoAnswer
	}
	return outcomes, nil
}

// take is what comes of one record.
func (m *market) take(r marketplace.Record, next answer) marketplace.Outcome {
	o := marketplace.Outcome{RecordID: r.ID}
	key := fmt.Sprint(r.Instance, " ", r.Dimension, " ", r.Slot.Unix())
	if next == answerDiffers {
		m.taken[key] = quantity.Of(0)
	}
	before, known := m.taken[key]
	s := m.sold[r.Instance]
	switch {
	case next == answerRejected, s == nil, !s.takes(r.Window, m.now()):
		o.State, o.Reason = marketplace.Rejected, "not subscribed"
	case known && before.Cmp(r.Quantity) != 0:
		o.State, o.Reason = marketplace.DuplicateDiff, "another quantity is there"
	default:
		m.taken[key], o.State = r.Quantity, marketplace.Accepted
	}
	return o
}

// sells reports whether anything was bought.
func (m *market) sells() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.sold) > 0
}

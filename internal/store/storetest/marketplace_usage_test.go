package storetest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// market is a shop that a scripted cloud settles, and a clock.
type market struct {
	shopOf
	at    time.Time
	cloud *cloud
	desk  *marketplace.Desk
	sub   marketplace.Subscription
	made  int
}

func newMarket(t *testing.T, s *store.Store, m site.Method) *market {
	t.Helper()
	x := &market{shopOf: newShop(t, s, "a"), at: noon}
	x.arbitrary(t)
	x.cloud = newCloud(t, m, func() time.Time { return x.at })
	x.desk = &marketplace.Desk{
		Clouds: []marketplace.Cloud{x.cloud},
		Write: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
	x.sub = subscribed(t, s, x.payer.ID, m, "i-1", noon.Add(-3*time.Hour))
	x.by(t, x.sub, noon.Add(-2*time.Hour))
	return x
}

// charge is what a bill of the shop would leave to the cloud.
func (x *market) charge(t *testing.T, sub marketplace.Subscription, minor int64) {
	t.Helper()
	x.made++
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		amount := money.Of(minor, money.CNY)
		return tx.InsertCharges(ctx, []marketplace.Charge{{
			ID: fmt.Sprintf("charge:%05d", x.made), Kind: marketplace.Advance, WorkspaceID: x.shop.ID, Site: x.shop.Site, Day: period.MustParseDay("2026-03-01"),
			Payer: x.payer.ID, Cloud: sub.Cloud, SubscriptionID: sub.ID, Amount: amount, Taken: money.Of(0, money.CNY), At: x.at, SealAt: marketplace.NextHour(x.at),
		}})
	})
}

func (x *market) seal(t *testing.T, sub marketplace.Subscription) []marketplace.Record {
	t.Helper()
	var made []marketplace.Record
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		made, err = marketplace.Seal(ctx, tx, x.cloud, sub.ID, x.at)
		return err
	})
	return made
}

func (x *market) deliver(t *testing.T) {
	t.Helper()
	err := x.desk.Deliver(t.Context(), x.cloud.method, func() time.Time { return x.at }, func(context.Context, time.Duration) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// until delivers whenever something is due, up to an instant.
func (x *market) until(t *testing.T, end time.Time) {
	t.Helper()
	for range 10_000 {
		var next time.Time
		var any bool
		if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
			next, any, err = tx.NextSending(t.Context(), []site.Method{x.cloud.method})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !any || next.After(end) {
			x.at = end
			return
		}
		if next.After(x.at) {
			x.at = next
		}
		x.deliver(t)
	}
	t.Fatal("the outbox never comes to rest")
}

func (x *market) records(t *testing.T) []marketplace.Record {
	t.Helper()
	var list []marketplace.Record
	if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.UsageRecords(t.Context(), store.UsageFilter{}, "", 1000)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b marketplace.Record) int { return cmp.Compare(a.Slot.Unix(), b.Slot.Unix()) })
	return list
}

func (x *market) states(t *testing.T) string {
	t.Helper()
	var all []marketplace.RecordState
	for _, r := range x.records(t) {
		all = append(all, r.State)
	}
	return fmt.Sprint(all)
}

func TestChargesOfAClosedHourAreSealedOnceAndSentOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		x.charge(t, x.sub, 150)
		x.charge(t, x.sub, 7)
		if made := x.seal(t, x.sub); len(made) != 0 {
			t.Fatalf("an open hour was sealed: %+v", made)
		}
		x.at = noon.Add(time.Hour)
		if made := x.seal(t, x.sub); len(made) != 1 || made[0].Amount != cny("1.57") || made[0].Quantity.String() != "157" {
			t.Fatalf("sealed %+v", made)
		}
		x.deliver(t)
		x.deliver(t)
		if x.cloud.calls != 1 || x.cloud.total() != 157 || x.states(t) != "[accepted]" {
			t.Errorf("%d calls, %d taken, %s", x.cloud.calls, x.cloud.total(), x.states(t))
		}
		sound(t, s)
	})
}

func TestWhatDoesNotFitIsCarriedToTheNextRecord(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.AWS)
	x.cloud.unit.Price = money.Of(100, money.CNY) // one unit is 1.00
	for hour, minor := range []int64{250, 30, 30, 100} {
		x.at = noon.Add(time.Duration(hour) * time.Hour)
		x.charge(t, x.sub, minor)
		x.at = x.at.Add(time.Hour)
		x.seal(t, x.sub)
		x.deliver(t)
	}
	if got := x.cloud.total(); got != 400 { // 2.50 leaves 0.50; 0.30 waits; with 0.30 more that is 1.10; 1.00 and 0.10
		t.Errorf("%d taken", got)
	}
	sound(t, s)
}

// TestAnAnswerThatWasLostAfterTheCommitBillsOnce also kills the process between
// the sending and the mark: to the outbox both are the same.
func TestAnAnswerThatWasLostAfterTheCommitBillsOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newMarket(t, s, site.AWS)
		x.charge(t, x.sub, 500)
		x.at = noon.Add(time.Hour)
		x.seal(t, x.sub)
		dying, kill := context.WithCancel(t.Context())
		x.cloud.script = func(call int, _ []marketplace.Record) mishap {
			if call == 1 {
				kill()
				return lostAnswer
			}
			return []mishap{lostAnswer, noFault}[call-2]
		}
		err := x.desk.Deliver(dying, site.AWS, func() time.Time { return x.at }, func(context.Context, time.Duration) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("killed: %v", err)
		}
		if x.states(t) != "[sent]" {
			t.Fatalf("after the kill: %s", x.states(t))
		}
		x.until(t, noon.Add(3*time.Hour))
		if x.cloud.calls != 3 || x.cloud.total() != 500 || x.states(t) != "[duplicate_same]" {
			t.Errorf("%d calls, %d taken, %s", x.cloud.calls, x.cloud.total(), x.states(t))
		}
		sound(t, s)
	})
}

func TestOnePoisonedRecordDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.AWS)
	var subs []marketplace.Subscription
	for i := range 30 {
		sub := subscribed(t, s, x.payer.ID, site.AWS, fmt.Sprint("l-", i), noon.Add(-2*time.Hour))
		subs = append(subs, sub)
		x.charge(t, sub, int64(100+i))
	}
	x.at = noon.Add(time.Hour)
	for _, sub := range subs {
		x.seal(t, sub)
	}
	x.cloud.poison = func(r marketplace.Record) bool { return r.Instance == "l-7" }
	x.until(t, noon.Add(3*time.Hour))
	good, rejected := 0, 0
	for _, r := range x.records(t) {
		switch {
		case r.Instance == "l-7" && r.State == marketplace.Rejected:
			rejected++
		case r.State == marketplace.Accepted:
			good++
		}
	}
	if good != 29 || rejected != 1 || x.cloud.calls > 12 {
		t.Errorf("%d accepted, %d rejected, %d calls of %v", good, rejected, x.cloud.calls, x.cloud.batches)
	}
	sound(t, s)
}

func TestRecordsEndInTheirDocumentedStates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script  func(call int, _ []marketplace.Record) mishap
		resends int
		before  int64 // what the cloud has already
		poison  bool
		want    string
		total   int64
	}{
		"throttled for long":              {script: func(n int, _ []marketplace.Record) mishap { return map[bool]mishap{true: throttled}[n < 20] }, resends: -1, want: "[accepted]", total: 500},
		"unreachable until the deadline":  {script: func(int, []marketplace.Record) mishap { return unreachable }, resends: -1, want: "[expired]"},
		"silent until the deadline":       {script: func(int, []marketplace.Record) mishap { return lostRequest }, resends: -1, want: "[ambiguous]"},
		"unprocessed, then taken":         {script: func(n int, _ []marketplace.Record) mishap { return map[bool]mishap{true: partial}[n == 1] }, resends: -1, want: "[accepted]", total: 500},
		"an answer without its record":    {script: func(n int, _ []marketplace.Record) mishap { return map[bool]mishap{true: silent}[n == 1] }, resends: -1, want: "[duplicate_same]", total: 500},
		"no resends allowed":              {script: func(int, []marketplace.Record) mishap { return lostAnswer }, resends: 0, want: "[ambiguous]", total: 500},
		"one resend allowed":              {script: func(n int, _ []marketplace.Record) mishap { return map[bool]mishap{true: lostRequest}[n == 1] }, resends: 1, want: "[accepted]", total: 500},
		"known with another value":        {resends: -1, before: 300, want: "[duplicate_diff]", total: 300},
		"known with the same value":       {resends: -1, before: 500, want: "[duplicate_same]", total: 500},
		"refused":                         {resends: -1, poison: true, want: "[rejected]"},
		"refused after a sending unheard": {script: func(n int, _ []marketplace.Record) mishap { return map[bool]mishap{true: lostRequest}[n == 1] }, resends: -1, poison: true, want: "[ambiguous]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x := newMarket(t, s, site.Alibaba)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertOperator(ctx, operatorOf("ops@example.com"))
			})
			x.cloud.script, x.cloud.limits.Resends = c.script, c.resends
			x.charge(t, x.sub, 500)
			x.at = noon.Add(time.Hour)
			made := x.seal(t, x.sub)
			if c.before > 0 {
				other := made[0]
				other.Quantity, _, _ = marketplace.Fit(money.Of(c.before, money.CNY), x.cloud.unit.Price, 0)
				x.cloud.taken[key(other)] = other
			}
			if c.poison {
				x.cloud.poison = func(marketplace.Record) bool { return true }
			}
			x.until(t, noon.Add(30*time.Hour))
			if x.states(t) != c.want || x.cloud.total() != c.total {
				t.Errorf("%s, %d taken, want %s and %d", x.states(t), x.cloud.total(), c.want, c.total)
			}
			if lost := x.records(t)[0].State.Lost(); lost != x.paged(t, "usage_lost") {
				t.Errorf("%s, and operators were told: %v", x.states(t), !lost)
			}
			sound(t, s)
		})
	}
}

// paged reports whether operators have a mail of the kind.
func (x *market) paged(t *testing.T, kind string) bool {
	t.Helper()
	var n int64
	if err := x.s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM mail WHERE kind = $1`, kind).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func TestHalfOfTheTimeIsToldOnce(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.AWS)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.InsertOperator(ctx, operatorOf("ops@example.com"))
	})
	x.cloud.script = func(int, []marketplace.Record) mishap { return throttled }
	x.charge(t, x.sub, 500)
	x.at = noon.Add(time.Hour)
	r := x.seal(t, x.sub)[0]
	x.until(t, r.AlertAt.Add(-time.Second))
	if x.paged(t, "usage_late") {
		t.Error("operators were told too early")
	}
	x.until(t, r.AlertAt.Add(time.Minute))
	if !x.paged(t, "usage_late") || r.AlertAt.Sub(r.SealedAt) != r.Deadline.Sub(r.AlertAt) {
		t.Errorf("told: %v, at %s between %s and %s", x.paged(t, "usage_late"), r.AlertAt, r.SealedAt, r.Deadline)
	}
}

func TestAnInstanceIsCalledOnceAMinute(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newMarket(t, s, site.Alibaba)
	x.cloud.limits = marketplace.Limits{Records: 2, PerInstance: time.Minute, Resends: marketplace.Unlimited}
	for hour := range 6 {
		x.at = noon.Add(time.Duration(hour) * time.Hour)
		x.charge(t, x.sub, 100)
	}
	x.at = noon.Add(7 * time.Hour)
	if made := x.seal(t, x.sub); len(made) != 6 {
		t.Fatalf("%d records of six hours", len(made))
	}
	x.until(t, noon.Add(8*time.Hour))
	if x.cloud.calls != 3 || x.cloud.total() != 600 {
		t.Errorf("%d calls, %d taken", x.cloud.calls, x.cloud.total())
	}
	sound(t, s)
}

// TestNoScheduleOfFaultsBillsTwiceOrLosesUntold plays random hours, amounts and
// faults: what the cloud has is what was charged, less what is carried and what
// a person was told of, and no charge is in two records.
func TestNoScheduleOfFaultsBillsTwiceOrLosesUntold(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			s := storetest.SQLite(t)
			x := newMarket(t, s, site.AWS)
			x.cloud.unit.Price = money.Of([]int64{1, 7, 100}[random.IntN(3)], money.CNY)
			x.cloud.unit.Decimals = []int{0, 0, 2}[random.IntN(3)]
			x.cloud.limits.Records = 1 + random.IntN(4)
			x.cloud.limits.PerInstance = []time.Duration{0, time.Minute}[random.IntN(2)]
			faults := []mishap{noFault, noFault, throttled, unreachable, lostAnswer, lostRequest, partial, silent}
			x.cloud.script = func(int, []marketplace.Record) mishap { return faults[random.IntN(len(faults))] }
			charged := int64(0)
			for range 25 {
				for range random.IntN(3) {
					minor := random.Int64N(1000) + 1
					charged += minor
					x.charge(t, x.sub, minor)
				}
				x.at = x.at.Add(time.Duration(random.IntN(90)) * time.Minute)
				x.seal(t, x.sub)
				x.until(t, x.at.Add(time.Minute))
			}
			x.cloud.script = nil
			x.at = x.at.Add(2 * time.Hour)
			x.seal(t, x.sub)
			x.until(t, x.at.Add(time.Hour))
			sealed, lost, carried := int64(0), int64(0), int64(0)
			for _, r := range x.records(t) {
				if r.State.Open() {
					t.Errorf("%s is %s at the end", r.ID, r.State)
				}
				sealed += r.Amount.Minor()
				if r.State.Lost() {
					lost += r.Amount.Minor()
				}
			}
			if err := s.Read(t.Context(), func(tx *store.Tx) error {
				left, err := tx.CarriedOf(t.Context(), x.sub.ID, money.CNY)
				carried = left.Minor()
				open, err2 := tx.OpenCharges(t.Context(), x.sub.ID, 100)
				for _, c := range open {
					carried += c.Amount.Minor()
				}
				return errors.Join(err, err2)
			}); err != nil {
				t.Fatal(err)
			}
			if sealed+carried != charged || x.cloud.total()+lost != sealed {
				t.Errorf("charged %d, sealed %d, carried %d, taken %d, lost %d", charged, sealed, carried, x.cloud.total(), lost)
			}
			sound(t, s)
		})
	}
}

func operatorOf(email string) account.Operator {
	return account.Operator{ID: "oper_" + email, Email: email, Name: "Ops", Role: account.Finance, Language: "en", CreatedAt: noon}
}

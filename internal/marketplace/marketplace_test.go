package marketplace

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// told is the state after events an hour apart.
func told(cloud site.Method, kinds ...EventKind) Subscription {
	s := New(cloud, "1", "i-1", "p", Hourly, noon)
	var events []Event
	for i, k := range kinds {
		events = append(events, Event{ID: fmt.Sprint(i), Cloud: cloud, Kind: k, Instance: "i-1", At: noon.Add(time.Duration(i) * time.Hour), FinalFor: time.Hour})
	}
	return s.Fold(events)
}

// TestEachEndHasTheEffectOfItsCloud walks domain section 11's table and C-14.
func TestEachEndHasTheEffectOfItsCloud(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cloud  site.Method
		kinds  []EventKind
		state  State
		effect Effect
	}{
		{site.Alibaba, nil, Pending, GoOn},
		{site.Alibaba, []EventKind{Purchased}, Active, GoOn},
		{site.Alibaba, []EventKind{Purchased, Cancelled}, Ending, FallBack},
		{site.AlibabaIntl, []EventKind{Purchased, Cancelled}, Ending, FallBack},
		{site.Alibaba, []EventKind{Purchased, Expired}, Frozen, Lock},
		{site.Alibaba, []EventKind{Purchased, Expired, Renewed}, Active, GoOn},
		{site.Alibaba, []EventKind{Purchased, Expired, Cancelled}, Ending, FallBack},
		{site.Alibaba, []EventKind{Purchased, Expired, Released}, Ending, Lock},
		{site.AWS, []EventKind{Purchased, Cancelled}, Ending, Lock},
		{site.AWS, []EventKind{Purchased, Changed, Released, Purchased}, Ending, Lock},
		{site.Huawei, []EventKind{Purchased, Froze}, Frozen, Lock},
		{site.Huawei, []EventKind{Purchased, Froze, Thawed}, Active, GoOn},
		{site.Huawei, []EventKind{Purchased, Expired}, Frozen, Lock},
		{site.Azure, []EventKind{Purchased, Cancelled}, Ending, Lock},
	} {
		s := told(c.cloud, c.kinds...)
		if s.State != c.state || s.Effect() != c.effect {
			t.Errorf("%s after %v: %s, %s; want %s, %s", c.cloud, c.kinds, s.State, s.Effect(), c.state, c.effect)
		}
	}
}

func TestShuffledAndRepeatedEventsEndAsOrderedOnes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cloud := rapid.SampledFrom([]site.Method{site.Alibaba, site.AWS, site.Huawei}).Draw(t, "cloud")
		var events []Event
		for i := range rapid.IntRange(0, 12).Draw(t, "events") {
			events = append(events, Event{
				ID: fmt.Sprint(i), Cloud: cloud, Kind: rapid.SampledFrom(EventKinds()).Draw(t, "kind"),
				At: noon.Add(time.Duration(rapid.IntRange(0, 5).Draw(t, "hours")) * time.Hour), FinalFor: time.Hour,
			})
		}
		shuffled := rapid.Permutation(slices.Concat(events, events)).Draw(t, "shuffled")
		s := New(cloud, "1", "i", "p", Hourly, noon)
		if a, b := s.Fold(events), s.Fold(shuffled); a != b {
			t.Fatalf("%+v in order, %+v shuffled", a, b)
		}
	})
}

func TestAnEndIsForEver(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kinds := append([]EventKind{Purchased, Released}, rapid.SliceOf(rapid.SampledFrom(EventKinds())).Draw(t, "later")...)
		s := told(site.AWS, kinds...)
		ends := noon.Add(2 * time.Hour)
		if s.State != Ending || !s.EndsAt.Equal(ends) || s.At(ends).State != Ended || s.At(ends.Add(-time.Nanosecond)).State != Ending {
			t.Fatalf("after %v: %+v", kinds, s)
		}
	})
}

func TestASubscriptionIsOfOnePayer(t *testing.T) {
	t.Parallel()
	s := told(site.AWS, Purchased)
	bound, err := s.Bind("bcac_1", noon)
	if err != nil || bound.Payer != "bcac_1" || !bound.BoundAt.Equal(noon) {
		t.Fatalf("%+v, %v", bound, err)
	}
	again, err := bound.Bind("bcac_1", noon.Add(time.Hour))
	if err != nil || again != bound {
		t.Errorf("bound again: %+v, %v", again, err)
	}
	if _, err := bound.Bind("bcac_2", noon); !errors.Is(err, ErrClaimed) {
		t.Errorf("bound to another: %v", err)
	}
	if _, err := told(site.AWS, Purchased, Cancelled).Bind("bcac_1", noon); !errors.Is(err, ErrInactive) {
		t.Errorf("bound after its end: %v", err)
	}
}

func TestFitLosesNoMoney(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1e9).Draw(t, "amount")
		price := rapid.Int64Range(1, 1e5).Draw(t, "price")
		decimals := rapid.IntRange(0, 4).Draw(t, "decimals")
		q, rest, err := Fit(money.Of(amount, money.CNY), money.Of(price, money.CNY), decimals)
		if err != nil {
			t.Fatal(err)
		}
		worth, err := q.Mul(quantity.Of(price))
		if err != nil {
			t.Fatal(err)
		}
		if minor, whole := worth.Int(); !whole || minor+rest.Minor() != amount || rest.Sign() < 0 || rest.Minor() >= price {
			t.Fatalf("%d at %d is %s of them and %d carried", amount, price, q, rest.Minor())
		}
		if decimals == 0 && rest.Minor() != amount%price {
			t.Fatalf("%d at %d carries %d", amount, price, rest.Minor())
		}
	})
}

// What a record says is split among its workspaces without losing a part of a
// unit or of an amount, and a workspace that used more is never told less.
func TestSharesSumToTheirRecord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var charges []Charge
		used := map[string]int64{}
		for range rapid.IntRange(1, 12).Draw(t, "charges") {
			c := Charge{WorkspaceID: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "workspace"), Amount: money.Of(rapid.Int64Range(1, 1e9).Draw(t, "minor"), money.CNY)}
			charges, used[c.WorkspaceID] = append(charges, c), used[c.WorkspaceID]+c.Amount.Minor()
		}
		decimals := rapid.SampledFrom([]int{0, 4}).Draw(t, "decimals")
		parts, amount := rapid.Int64Range(0, 1e12).Draw(t, "parts"), rapid.Int64Range(0, 1e12).Draw(t, "amount")
		list, err := shares(charges, quantity.Scaled(parts, decimals), decimals, money.Of(amount, money.CNY))
		if err != nil || len(list) != len(used) {
			t.Fatalf("%v, %v", list, err)
		}
		for i, s := range list {
			given, _ := s.Quantity.Scaled(decimals)
			parts, amount = parts-given, amount-s.Told.Minor()
			if s.Amount.Minor() != used[s.WorkspaceID] || given < 0 || s.Told.Sign() < 0 {
				t.Fatalf("%+v of %d", s, used[s.WorkspaceID])
			}
			for _, other := range list[:i] {
				if used[other.WorkspaceID] > used[s.WorkspaceID] && other.Told.Minor() < s.Told.Minor() {
					t.Fatalf("%+v is told less than %+v", other, s)
				}
			}
		}
		if parts != 0 || amount != 0 {
			t.Fatalf("%d parts and %d of the amount are nobody's: %v", parts, amount, list)
		}
	})
}

func TestFitRefusesWhatIsNoCharge(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]money.Amount{
		{money.Of(1, money.CNY), money.Of(1, money.USD)}, {money.Of(-1, money.CNY), money.Of(1, money.CNY)}, {money.Of(1, money.CNY), money.Of(0, money.CNY)},
	} {
		if _, _, err := Fit(c[0], c[1], 0); err == nil {
			t.Errorf("%v at %v fits", c[0], c[1])
		}
	}
}

func TestRecordStatesAreOpenOrLostOrDone(t *testing.T) {
	t.Parallel()
	done := 0
	for _, s := range RecordStates() {
		if s.Open() && s.Lost() {
			t.Errorf("%s is both open and lost", s)
		}
		if !s.Open() && !s.Lost() {
			done++
		}
	}
	if done != 4 {
		t.Errorf("%d states are done, want accepted, duplicate_same, reissued and written_off", done)
	}
}

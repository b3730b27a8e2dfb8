package site

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tollgate.dev/internal/money"
)

func TestSettlementTableOfTheSites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		id          ID
		profile     Profile
		allowed     []Method
		preselected Method
		offered     bool
	}{
		{"cn1", Seed, []Method{BillingCenter, Alibaba}, Alibaba, true},
		{"cn2", Seed, []Method{BillingCenter, AWS}, AWS, true},
		{"cn4", Seed, []Method{BillingCenter}, BillingCenter, false},
		{"cn4", Newer, []Method{BillingCenter, Huawei}, Huawei, true},
		{"cn5", Seed, []Method{BillingCenter}, BillingCenter, false},
		{"cn6", Seed, []Method{BillingCenter, AlibabaIntl, Azure}, AlibabaIntl, true},
		{"us1", Seed, []Method{BillingCenter, AlibabaIntl, AWS, Azure}, AWS, true},
		{"za1", Seed, []Method{BillingCenter, AlibabaIntl, Huawei, Azure}, Huawei, true},
		{"id1", Seed, []Method{BillingCenter, AlibabaIntl, Azure}, AlibabaIntl, true},
	} {
		s, err := Find(c.id)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Allowed(c.profile, false); !slices.Equal(got, c.allowed) {
			t.Errorf("%s, %s: %v, want %v", c.id, c.profile, got, c.allowed)
		}
		if m, offered := s.Preselected(c.profile, false); m != c.preselected || offered != c.offered {
			t.Errorf("%s, %s: %v offered %v, want %v %v", c.id, c.profile, m, offered, c.preselected, c.offered)
		}
	}
}

func TestArbitrarySettlementOpensAllMethods(t *testing.T) {
	t.Parallel()
	for _, s := range All() {
		if got := s.Allowed(Seed, true); !slices.Equal(got, Methods()) {
			t.Errorf("%s: %v", s.ID, got)
		}
		if m, offered := s.Preselected(Seed, true); !offered || m == BillingCenter {
			t.Errorf("%s: %v, %v", s.ID, m, offered)
		}
	}
}

// TestAllowedListIsTheCallersOwn guards against a list that one caller changes
// under another.
func TestAllowedListIsTheCallersOwn(t *testing.T) {
	t.Parallel()
	s, _ := Find("us1")
	list := s.Allowed(Seed, false)
	list[0], list[1] = Huawei, Huawei
	if again := s.Allowed(Seed, false); slices.Contains(again, Huawei) {
		t.Errorf("a caller changed the site to %v", again)
	}
}

func TestSitesHaveZoneGroupAndCurrency(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 16, 0, 0, 0, time.UTC)
	for _, s := range All() {
		want := money.CNY
		if s.Group == International {
			want = money.USD
		}
		if s.Currency != want || s.Zone == nil || s.Name == "" {
			t.Errorf("%+v", s)
		}
		if s.Group == China && noon.In(s.Zone).Format(time.DateTime) != "2026-03-02 00:00:00" {
			t.Errorf("%s: midnight of China is %s", s.ID, noon.In(s.Zone))
		}
	}
	if _, err := Find("mars"); !errors.Is(err, ErrUnknown) {
		t.Errorf("mars: %v", err)
	}
	if slices.ContainsFunc(Open(), func(s Site) bool { return s.ID == "cn3" }) || len(Open()) != len(All())-1 {
		t.Error("cn3 serves the SLS edition alone")
	}
}

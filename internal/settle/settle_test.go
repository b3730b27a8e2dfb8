package settle

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

var noon = time.Date(2026, 3, 15, 4, 0, 0, 0, time.UTC)

func shop(s site.ID, settlement site.Method) workspace.Workspace {
	return workspace.Workspace{ID: "wksp_1", Site: s, Plan: workspace.Commercial, Settlement: settlement}
}

// all is an installation with every cloud connected.
func all(p site.Profile) Rules { return Rules{Profile: p, Enabled: site.Methods()} }

// TestChangeTable walks the matrix of domain section 11.
func TestChangeTable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules  Rules
		st     Standing
		to     site.Method
		want   *fault.Error
		counts bool
	}{
		"first choice at opening":       {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter)}, site.Alibaba, nil, false},
		"later change":                  {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter), Chosen: true}, site.Alibaba, nil, true},
		"method of another site":        {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter)}, site.AWS, ErrNotAllowed, false},
		"arbitrary settlement":          {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter), Arbitrary: true}, site.AWS, nil, false},
		"cn4 of the seed":               {all(site.Seed), Standing{Workspace: shop("cn4", site.BillingCenter)}, site.Huawei, ErrNotAllowed, false},
		"cn4 of the newer pages":        {all(site.Newer), Standing{Workspace: shop("cn4", site.BillingCenter)}, site.Huawei, nil, false},
		"the same again":                {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter)}, site.BillingCenter, ErrSame, false},
		"subscribed cloud to BC":        {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Subscribed: true, Chosen: true}, site.BillingCenter, ErrCloudLocked, false},
		"subscribed cloud to cloud":     {all(site.Seed), Standing{Workspace: shop("us1", site.AWS), Subscribed: true, Chosen: true}, site.Azure, ErrCloudLocked, false},
		"the same cloud again":          {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Subscribed: true, Chosen: true}, site.Alibaba, ErrSame, false},
		"unsubscribed cloud to BC":      {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Chosen: true}, site.BillingCenter, nil, false},
		"unsubscribed cloud to itself":  {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Chosen: true}, site.Alibaba, nil, false},
		"unlocked twice in a month":     {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Chosen: true, ChangedAt: noon.Add(-time.Hour)}, site.BillingCenter, nil, false},
		"lock before month":             {all(site.Seed), Standing{Workspace: shop("cn1", site.Alibaba), Subscribed: true, Chosen: true, ChangedAt: noon.Add(-time.Hour)}, site.BillingCenter, ErrCloudLocked, false},
		"twice in a month":              {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter), Chosen: true, ChangedAt: noon.Add(-time.Hour)}, site.Alibaba, ErrThisMonth, false},
		"changed the month before":      {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter), Chosen: true, ChangedAt: noon.AddDate(0, 0, -15)}, site.Alibaba, nil, true},
		"cloud not connected":           {Rules{Profile: site.Seed}, Standing{Workspace: shop("cn1", site.BillingCenter)}, site.Alibaba, ErrNotEnabled, false},
		"not allowed and not connected": {Rules{Profile: site.Seed}, Standing{Workspace: shop("cn1", site.BillingCenter)}, site.AWS, ErrNotAllowed, false},
		"BC needs no connection":        {Rules{Profile: site.Seed}, Standing{Workspace: shop("cn1", site.Alibaba), Chosen: true}, site.BillingCenter, nil, false},
		"experience":                    {all(site.Seed), Standing{Workspace: workspace.Workspace{Site: "cn1", Plan: workspace.Experience}}, site.Alibaba, ErrNotCommercial, false},
		"no such method":                {all(site.Seed), Standing{Workspace: shop("cn1", site.BillingCenter), Arbitrary: true}, "barter", ErrNotAllowed, false},
	} {
		counts, err := c.rules.Change(c.st, c.to, noon)
		if c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) || counts != c.counts {
			t.Errorf("%s: counts %v, %v, want %v, %v", name, counts, err, c.counts, c.want)
		}
	}
}

// TestMonthTurnsAtTheSitesMidnight uses the last instants of a month, which
// are not the same at every site.
func TestMonthTurnsAtTheSitesMidnight(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site site.ID
		turn string // the first instant of April there
	}{{"cn1", "2026-03-31T16:00:00Z"}, {"us1", "2026-04-01T07:00:00Z"}} {
		turn, err := time.Parse(time.RFC3339, c.turn)
		if err != nil {
			t.Fatal(err)
		}
		st := Standing{Workspace: shop(c.site, site.BillingCenter), Arbitrary: true, Chosen: true, ChangedAt: turn.Add(-time.Microsecond)}
		_, err = all(site.Seed).Change(st, site.AWS, turn.Add(-time.Nanosecond))
		if !errors.Is(err, ErrThisMonth) || fault.From(err).Args["possible"] != "2026-04-01" {
			t.Errorf("%s: before the month ends: %v", c.site, err)
		}
		if counts, err := all(site.Seed).Change(st, site.AWS, turn); err != nil || !counts {
			t.Errorf("%s: when the month has begun: %v, %v", c.site, counts, err)
		}
	}
}

func TestAtMostOneChangeAMonthCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(site.Open()).Draw(t, "site")
		st := Standing{Workspace: shop(s.ID, site.BillingCenter), Arbitrary: true, Chosen: true}
		at, changes := noon, map[string]int{}
		for range rapid.IntRange(1, 30).Draw(t, "tries") {
			at = at.Add(time.Duration(rapid.Int64Range(1, 20*24).Draw(t, "hours")) * time.Hour)
			to := rapid.SampledFrom(site.Methods()).Draw(t, "method")
			if counts, err := all(site.Seed).Change(st, to, at); err == nil && counts {
				changes[at.In(s.Zone).Format("2006-01")]++
				st.Workspace.Settlement, st.ChangedAt = to, at
			}
		}
		for month, n := range changes {
			if n > 1 {
				t.Fatalf("%d changes in %s", n, month)
			}
		}
	})
}

func TestDialogOffersWhatTheSiteAllows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site        site.ID
		profile     site.Profile
		arbitrary   bool
		methods     []site.Method
		preselected site.Method
	}{
		{"cn1", site.Seed, false, []site.Method{site.Alibaba}, site.Alibaba},
		{"cn2", site.Seed, false, []site.Method{site.AWS}, site.AWS},
		{"us1", site.Seed, false, []site.Method{site.AlibabaIntl, site.AWS, site.Azure}, site.AWS},
		{"cn4", site.Seed, false, nil, ""},
		{"cn4", site.Newer, false, []site.Method{site.Huawei}, site.Huawei},
		{"cn4", site.Seed, true, []site.Method{site.Alibaba, site.AlibabaIntl, site.AWS, site.Huawei, site.Azure}, site.Huawei},
	} {
		s, err := site.Find(c.site)
		if err != nil {
			t.Fatal(err)
		}
		var methods []site.Method
		var preselected site.Method
		for _, o := range (Rules{Profile: c.profile}).Options(s, c.arbitrary) {
			methods = append(methods, o.Method)
			if o.Preselected {
				preselected = o.Method
			}
			if o.Enabled {
				t.Errorf("%s: %s is enabled on an installation without clouds", c.site, o.Method)
			}
		}
		if !slices.Equal(methods, c.methods) || preselected != c.preselected {
			t.Errorf("%s, %s, %v: %v with %s, want %v with %s", c.site, c.profile, c.arbitrary, methods, preselected, c.methods, c.preselected)
		}
	}
}

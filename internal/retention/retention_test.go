package retention

import (
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

func version(t *testing.T) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExperienceKeepsSevenDays(t *testing.T) {
	t.Parallel()
	v := version(t)
	s := Of(workspace.Experience, v)
	for _, dataType := range v.Retention.Types {
		if c := s.Class(dataType.Type); c != "7d" {
			t.Errorf("%s: %s", dataType.Type, c)
		}
	}
}

func TestCommercialStartsWithTheDefaults(t *testing.T) {
	t.Parallel()
	s := Of(workspace.Commercial, version(t))
	for dataType, want := range map[string]string{
		"metrics": "7d", "logs": "14d", "data_forward_internal": "180d", "events": "14d",
		"apm_trace": "14d", "apm_profile": "14d", "rum": "14d", "security_check": "14d", "attic": "",
	} {
		if c := s.Class(dataType); c != want {
			t.Errorf("%s: %s, want %s", dataType, c, want)
		}
	}
}

// TestEveryItemHasAPriceInItsClass is why usage under a plan's class can
// always be rated.
func TestEveryItemHasAPriceInItsClass(t *testing.T) {
	t.Parallel()
	v := version(t)
	for _, plan := range []workspace.Plan{workspace.Experience, workspace.Commercial} {
		s := Of(plan, v)
		for _, item := range v.Items {
			if _, err := item.Price(money.CNY, site.China, s.ClassFor(item)); err != nil {
				t.Errorf("%s on %s in class %q: %v", item.ID, plan, s.ClassFor(item), err)
			}
		}
	}
}

func TestFlatItemsHaveNoClass(t *testing.T) {
	t.Parallel()
	v := version(t)
	s := Of(workspace.Commercial, v)
	for item, want := range map[string]string{"session_replay": "none", "data_forward_internal": "none", "task_call": "none", "timeseries": "7d", "logs": "14d"} {
		it, err := v.Item(item)
		if err != nil {
			t.Fatal(err)
		}
		if c := s.ClassFor(it); c != want {
			t.Errorf("%s: %s, want %s", item, c, want)
		}
	}
}

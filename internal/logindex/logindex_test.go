package logindex_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/workspace"
)

func point(source string, pairs ...string) meter.Point {
	p := meter.Point{Name: source}
	for i := 0; i < len(pairs); i += 2 {
		p.Tags = append(p.Tags, meter.Tag{Key: pairs[i], Value: pairs[i+1]})
	}
	return p
}

func TestTheFirstRuleThatFitsDecides(t *testing.T) {
	t.Parallel()
	rules := logindex.Routing{Rules: []logindex.Rule{
		{Field: "team", Value: "payments", Index: "audit"},
		{Field: "source", Value: "nginx-health", Index: ""},
		{Field: "source", Value: "nginx*", Index: "web"},
		{Field: "level", Value: "*", Index: "levelled"},
	}}
	router := rules.Router([]retention.Setting{{Target: retention.IndexOf("own")}})
	text := meter.Point{Name: "app", Fields: []meter.Field{{Key: "level", Value: meter.Text("debug")}}}
	for name, c := range map[string]struct {
		named string
		point meter.Point
		want  string
	}{
		"the first":                        {"", point("nginx-access", "team", "payments"), "audit"},
		"a beginning":                      {"", point("nginx-access"), "web"},
		"an exception goes to the default": {"", point("nginx-health"), ""},
		"the tag source":                   {"", point("default", "source", "nginx"), "web"},
		"a text field":                     {"", text, "levelled"},
		"an empty value is none":           {"", point("app", "level", ""), ""},
		"nothing fits":                     {"", point("app"), ""},
		"the collector's own goes first":   {"own", point("nginx-access"), "own"},
		"it may name a rule's":             {"audit", point("app"), "audit"},
		"it may name the default":          {"default", point("nginx-access"), ""},
		"what it invents is none":          {"mine", point("nginx-access"), "web"},
	} {
		if got := router.Index(c.named, &c.point); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := router.Indexes(); !slices.Equal(got, []string{"audit", "levelled", "own", "web"}) {
		t.Errorf("indexes %q", got)
	}
	if (logindex.Router{}).Routes("any") || !router.Routes("") {
		t.Error("who has neither rules nor indexes has nothing to route")
	}
}

// house is a workspace with one Owner, and its rules.
type house struct {
	plan    workspace.Plan
	held    logindex.Routing
	entries []audit.Entry
}

func (h *house) WorkspaceForUpdate(context.Context, string) (workspace.Workspace, error) {
	return workspace.Workspace{ID: "wksp_1", Site: "cn1", Plan: h.plan, State: workspace.Normal}, nil
}

func (h *house) Member(_ context.Context, _, accountID string) (workspace.Member, error) {
	role := workspace.Administrator
	if accountID == "owner" {
		role = workspace.Owner
	}
	return workspace.Member{Role: role}, nil
}

func (h *house) Audit(_ context.Context, e audit.Entry) error {
	h.entries = append(h.entries, e)
	return nil
}

func (h *house) LogRouting(context.Context, string) (logindex.Routing, error) { return h.held, nil }

func (h *house) SaveLogRouting(_ context.Context, _ string, r logindex.Routing) error {
	if r.Revision != h.held.Revision {
		return workspace.ErrStale
	}
	h.held = logindex.Routing{Rules: r.Rules, Revision: r.Revision + 1}
	return nil
}

func (h *house) change(who string, next func(logindex.Routing) ([]logindex.Rule, error)) error {
	_, err := logindex.Change(context.Background(), h, "wksp_1", next, workspace.Actor{AccountID: who}, time.Unix(0, 0))
	return err
}

func TestRulesAreCheckedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	many := slices.Repeat([]logindex.Rule{{Field: "a", Value: "b", Index: "c"}}, logindex.MostRules+1)
	fine := logindex.Rule{Field: " source ", Value: "nginx", Index: "default"}
	for name, c := range map[string]struct {
		plan workspace.Plan
		who  string
		next func(logindex.Routing) ([]logindex.Rule, error)
		want error
	}{
		"no Owner":      {workspace.Commercial, "admin", logindex.Add(fine), workspace.ErrOwnerOnly},
		"free plan":     {workspace.Experience, "owner", logindex.Add(fine), retention.ErrExperience},
		"no field":      {workspace.Commercial, "owner", logindex.Add(logindex.Rule{Value: "a", Index: "b"}), logindex.ErrField},
		"no value":      {workspace.Commercial, "owner", logindex.Add(logindex.Rule{Field: "a", Index: "b"}), logindex.ErrValue},
		"long value":    {workspace.Commercial, "owner", logindex.Add(logindex.Rule{Field: "a", Value: strings.Repeat("v", 257), Index: "b"}), logindex.ErrValue},
		"wrong index":   {workspace.Commercial, "owner", logindex.Add(logindex.Rule{Field: "a", Value: "b", Index: "a b"}), retention.ErrIndex},
		"too many":      {workspace.Commercial, "owner", logindex.Replace(many), logindex.ErrMany},
		"another place": {workspace.Commercial, "owner", logindex.Remove(1, 0), logindex.ErrRule},
		"the first up":  {workspace.Commercial, "owner", logindex.Raise(0, 0), logindex.ErrRule},
		"seen too long": {workspace.Commercial, "owner", logindex.Remove(0, 7), logindex.ErrRule},
	} {
		h := &house{plan: c.plan}
		if err := h.change(c.who, c.next); !errors.Is(err, c.want) || h.held.Revision != 0 || len(h.entries) > 0 {
			t.Errorf("%s: %v, want %v and nothing changed", name, err, c.want)
		}
	}
	h := &house{plan: workspace.Commercial}
	if err := h.change("owner", logindex.Add(fine)); err != nil || h.held.Rules[0] != (logindex.Rule{Field: "source", Value: "nginx"}) {
		t.Errorf("%v, %v", h.held, err)
	}
	if err := h.change("owner", logindex.Replace([]logindex.Rule{fine})); err != nil || h.held.Revision != 1 || len(h.entries) != 1 {
		t.Errorf("the same rules again: %v at revision %d with %d entries", err, h.held.Revision, len(h.entries))
	}
}

// TestOneChangeNeverLosesAnother plays additions, removals and moves of two
// people, one of whom looks at what may be old.
func TestOneChangeNeverLosesAnother(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		h := &house{plan: workspace.Commercial}
		var want []logindex.Rule
		for range rapid.IntRange(0, 30).Draw(r, "steps") {
			place, old := rapid.IntRange(0, len(want)).Draw(r, "place"), rapid.Bool().Draw(r, "old")
			seen := h.held.Revision
			if old && seen > 0 {
				seen--
			}
			current := seen == h.held.Revision
			switch rapid.IntRange(0, 2).Draw(r, "do") {
			case 0:
				rule := logindex.Rule{Field: "f", Value: rapid.StringMatching(`[a-z]{1,5}`).Draw(r, "value"), Index: "i"}
				if err := h.change("owner", logindex.Add(rule)); err != nil {
					r.Fatal(err)
				}
				want = append(want, rule)
			case 1:
				if err := h.change("owner", logindex.Remove(place, seen)); err == nil && current {
					want = slices.Delete(slices.Clone(want), place, place+1)
				}
			case 2:
				if err := h.change("owner", logindex.Raise(place, seen)); err == nil && current {
					want = slices.Clone(want)
					want[place-1], want[place] = want[place], want[place-1]
				}
			}
			if !slices.Equal(h.held.Rules, want) {
				r.Fatalf("held %v, want %v", h.held.Rules, want)
			}
		}
	})
}

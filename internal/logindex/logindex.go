// Package logindex says into which index a workspace's log record goes (domain
// sections 7.2 and 8). It owns the rules by which the Owner routes records, and
// which index wins where a collector names one itself; it does not own for how
// long an index is kept, which is retention's, nor what it costs.
//
// Always true: a record goes into exactly one index; one that nothing claims
// goes into the default index; no client can make an index by naming it.
package logindex

import (
	"context"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/workspace"
)

// Faults of routing logs.
var (
	ErrField = fault.New(fault.Invalid, "log_rule_field", "Say what the rule looks at: \"source\", or the name of a tag or a text field of up to 128 characters.")
	ErrValue = fault.New(fault.Invalid, "log_rule_value", "Say which value the rule is for, in up to 256 characters; a * at its end stands for any rest.")
	ErrMany  = fault.New(fault.Conflict, "log_rules_too_many", "These are more rules than a workspace may have.").
			Says("A workspace may have %d rules for its log indexes.", MostRules).With("most", MostRules)
	ErrRule = fault.New(fault.Conflict, "log_rule_unknown", "There is no such rule any more. Look at the rules again.")
)

// The bounds of rules.
const (
	MostRules    = 100
	longestField = 128
	longestValue = 256
)

// Source is the field of a rule that looks at where a record is from: its
// name, as DataKit has it, or a tag or text field "source".
const Source = "source"

// Rule sends records into an index.
type Rule struct {
	Field string `json:"field"` // Source, or the key of a tag or a text field
	Value string `json:"value"` // the whole value, or its beginning and a *
	Index string `json:"index"` // empty is the default index
}

// Routing is what holds for a workspace: of the rules that fit a record the
// first decides.
type Routing struct {
	Rules    []Rule
	Revision int64 // grows with every change; 0 is not stored yet
}

// fits reports whether the rule is for the record.
func (r Rule) fits(p *meter.Point) bool {
	if r.Field == Source && r.matches(p.Name) {
		return true
	}
	value, ok := p.Attribute(r.Field)
	return ok && r.matches(value)
}

func (r Rule) matches(value string) bool {
	if start, open := strings.CutSuffix(r.Value, "*"); open {
		return strings.HasPrefix(value, start)
	}
	return value == r.Value
}

// checked is the rule as it is kept.
func (r Rule) checked() (Rule, error) {
	r.Field, r.Value, r.Index = strings.TrimSpace(r.Field), strings.TrimSpace(r.Value), strings.TrimSpace(r.Index)
	switch {
	case r.Field == "" || len(r.Field) > longestField:
		return r, ErrField.On("field")
	case r.Value == "" || len(r.Value) > longestValue:
		return r, ErrValue.On("value")
	case !retention.ValidIndex(r.Index):
		return r, retention.ErrIndex.On("index")
	}
	r.Index = retention.IndexOf(r.Index).Index
	return r, nil
}

// Router sends records into indexes. The zero value sends all of them into the
// default one.
type Router struct {
	rules []Rule
	known map[string]bool // what a collector may name
}

// Router is that of the rules, for a workspace that has classes for the given
// indexes.
func (r Routing) Router(own []retention.Setting) Router {
	router := Router{rules: r.Rules, known: make(map[string]bool, len(own)+len(r.Rules))}
	for _, s := range own {
		router.known[s.Index] = true
	}
	for _, rule := range r.Rules {
		router.known[rule.Index] = true
	}
	return router
}

// Indexes lists the named indexes that there are.
func (r Router) Indexes() []string {
	var list []string
	for name := range r.known {
		if name != "" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Index is where a record goes. What its collector named goes first, if there
// is such an index: whoever runs it knows best. Then come the rules.
func (r Router) Index(named string, p *meter.Point) string {
	if named == retention.DefaultIndex {
		return ""
	}
	if named != "" && r.known[named] {
		return named
	}
	for i := range r.rules {
		if r.rules[i].fits(p) {
			return r.rules[i].Index
		}
	}
	return ""
}

// Routes reports whether records of a collector that names this index may go
// anywhere but into the default one.
func (r Router) Routes(named string) bool {
	return len(r.rules) > 0 || named != "" && r.known[named]
}

// Tx is what changes of rules need of a transaction.
type Tx interface {
	retention.OwnerTx
	Audit(ctx context.Context, e audit.Entry) error
	// LogRouting gives the rules of a workspace; none are the zero value.
	LogRouting(ctx context.Context, workspaceID string) (Routing, error)
	// SaveLogRouting keeps the rules that follow on those of r.Revision;
	// changed meanwhile it is workspace.ErrStale.
	SaveLogRouting(ctx context.Context, workspaceID string, r Routing) error
}

// Change makes new rules of those that hold, for the Owner of a Commercial
// workspace. They hold at once, for what is received from then on.
func Change(ctx context.Context, tx Tx, workspaceID string, next func(Routing) ([]Rule, error), actor workspace.Actor, at time.Time) (Routing, error) {
	w, err := retention.Owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Routing{}, err
	}
	held, err := tx.LogRouting(ctx, w.ID)
	if err != nil {
		return Routing{}, err
	}
	rules, err := next(held)
	if err != nil {
		return Routing{}, err
	}
	if len(rules) > MostRules {
		return Routing{}, ErrMany.On("rules")
	}
	kept := make([]Rule, len(rules))
	for i, rule := range rules {
		if kept[i], err = rule.checked(); err != nil {
			return Routing{}, fault.From(err).With("rule", i+1)
		}
	}
	if slices.Equal(kept, held.Rules) {
		return held, nil
	}
	changed := Routing{kept, held.Revision}
	if err := tx.SaveLogRouting(ctx, w.ID, changed); err != nil {
		return Routing{}, err
	}
	changed.Revision++
	return changed, tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "log_rules.changed", Subject: w.ID,
		Detail: map[string]string{"before": text(held.Rules), "after": text(kept)},
	})
}

// text is rules for whoever reads the audit log.
func text(rules []Rule) string {
	lines := make([]string, len(rules))
	for i, r := range rules {
		index := r.Index
		if index == "" {
			index = retention.DefaultIndex
		}
		lines[i] = r.Field + "=" + r.Value + " > " + index
	}
	return strings.Join(lines, "; ")
}

// Add puts a rule behind those that hold.
func Add(rule Rule) func(Routing) ([]Rule, error) {
	return func(r Routing) ([]Rule, error) { return append(slices.Clone(r.Rules), rule), nil }
}

// Replace puts other rules in the place of those that hold.
func Replace(rules []Rule) func(Routing) ([]Rule, error) {
	return func(Routing) ([]Rule, error) { return rules, nil }
}

// Remove takes away the rule at a place, from 0, of the rules as they were
// seen at a revision.
func Remove(place int, seen int64) func(Routing) ([]Rule, error) {
	return func(r Routing) ([]Rule, error) {
		if r.Revision != seen || place < 0 || place >= len(r.Rules) {
			return nil, ErrRule
		}
		return slices.Delete(slices.Clone(r.Rules), place, place+1), nil
	}
}

// Raise puts the rule at a place before the one above it.
func Raise(place int, seen int64) func(Routing) ([]Rule, error) {
	return func(r Routing) ([]Rule, error) {
		if r.Revision != seen || place < 1 || place >= len(r.Rules) {
			return nil, ErrRule
		}
		rules := slices.Clone(r.Rules)
		rules[place-1], rules[place] = rules[place], rules[place-1]
		return rules, nil
	}
}

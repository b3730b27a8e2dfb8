// Package retention holds the storage classes of a workspace: for how long
// each type of data is kept. It owns which class the plan gives; it does not
// own what a class costs, which is the catalogue's, nor the removal of old
// data, which is the sinks'.
//
// Always true: an Experience workspace keeps everything for the one class of
// the free plan.
package retention

import (
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/workspace"
)

// Settings is the class of each data type.
type Settings struct{ classes map[string]string }

// Of is what a plan starts with: the fixed class of the Experience plan, or
// the defaults of the Commercial plan (domain section 8).
func Of(p workspace.Plan, v *catalog.Version) Settings {
	s := Settings{classes: make(map[string]string, len(v.Retention.Types))}
	for _, t := range v.Retention.Types {
		s.classes[t.Type] = t.Default
		if p != workspace.Commercial {
			s.classes[t.Type] = v.Retention.Experience
		}
	}
	return s
}

// Class is the class of a data type; empty for a type that does not exist.
func (s Settings) Class(dataType string) string { return s.classes[dataType] }

// ClassFor is the class that usage of the item is counted and priced under:
// that of its data type, or none for an item whose price does not depend on it.
func (s Settings) ClassFor(item catalog.Item) string {
	if item.Flat() {
		return catalog.NoClass
	}
	return s.classes[item.Retention]
}

// Package retention holds the storage classes of a workspace: for how long
// each type of data, and each index of the logs, is kept. It owns which class
// the plan gives and the rules by which an Owner changes it (domain section
// 8); it does not own what a class costs, which is the catalogue's, nor the
// removal of old data, which is the sinks'.
//
// Always true: an Experience workspace keeps everything for the one class of
// the free plan; of a setting at most one change a day of its site acts at
// once, and at most one waits, for the midnight that ends that day; what class
// holds at an instant follows from the setting and the instant alone, whether
// or not the job that writes the midnight's changes has run yet.
package retention

import (
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/workspace"
)

// The data types that have a rule of their own here.
const (
	Metrics = "metrics" // its old data is deleted when its class changes
	Logs    = "logs"    // each index may have a class of its own
)

// DefaultIndex is the index of the logs that every workspace has. Its class is
// that of the logs.
const DefaultIndex = "default"

// Settings is the class of each data type and log index of a workspace at one
// instant.
type Settings struct {
	at     time.Time
	fixed  bool // the plan leaves no choice
	types  []string
	chosen map[Target]Setting
}

// Of is what a plan starts with: the fixed class of the Experience plan, or
// the defaults of the Commercial plan (domain section 8).
func Of(p workspace.Plan, v *catalog.Version) Settings {
	s := Settings{fixed: p != workspace.Commercial, chosen: make(map[Target]Setting, len(v.Retention.Types))}
	for _, t := range v.Retention.Types {
		class := t.Default
		if s.fixed {
			class = v.Retention.Experience
		}
		s.types = append(s.types, t.Type)
		s.chosen[Target{Type: t.Type}] = Setting{Target: Target{Type: t.Type}, Class: class}
	}
	return s
}

// With is what holds at the instant, given what the Owner has chosen. The
// Experience plan leaves no choice.
func (s Settings) With(chosen []Setting, at time.Time) Settings {
	if s.fixed {
		return s
	}
	next := Settings{at: at, types: s.types, chosen: make(map[Target]Setting, len(s.chosen)+len(chosen))}
	for target, setting := range s.chosen {
		next.chosen[target] = setting
	}
	for _, setting := range chosen {
		next.chosen[setting.Target], _ = setting.Settle(at)
	}
	return next
}

// Fixed reports whether the plan leaves no choice.
func (s Settings) Fixed() bool { return s.fixed }

// Types lists the data types, in the order of the catalogue.
func (s Settings) Types() []string { return s.types }

// Setting is what holds for a data type or an index. An index without a class
// of its own has that of the default index.
func (s Settings) Setting(t Target) Setting {
	if own, ok := s.chosen[t]; ok {
		return own
	}
	return Setting{Target: t, Class: s.Class(t.Type)}
}

// Indexes lists the log indexes that have a class of their own, by name.
func (s Settings) Indexes() []Setting {
	var list []Setting
	for target, setting := range s.chosen {
		if target.Index != "" {
			list = append(list, setting)
		}
	}
	sortByTarget(list)
	return list
}

// Class is the class of a data type; empty for a type that does not exist.
func (s Settings) Class(dataType string) string { return s.chosen[Target{Type: dataType}].Class }

// IndexClass is the class of a log index.
func (s Settings) IndexClass(name string) string { return s.Setting(IndexOf(name)).Class }

// ClassFor is the class that usage of the item is counted and priced under:
// that of its data type, or none for an item whose price does not depend on it.
func (s Settings) ClassFor(item catalog.Item) string {
	if item.Flat() {
		return catalog.NoClass
	}
	return s.Class(item.Retention)
}

// NextAt is the first instant at which a waiting change acts; zero when none
// waits.
func (s Settings) NextAt() time.Time {
	var first time.Time
	for _, setting := range s.chosen {
		if setting.Pending != "" && (first.IsZero() || setting.PendingAt.Before(first)) {
			first = setting.PendingAt
		}
	}
	return first
}

// MetricsFrom is the instant before which no metrics are left, given what the
// Owner has chosen: that of the last change of their class. It is zero while
// they have the class that the plan began with.
func MetricsFrom(chosen []Setting, at time.Time) time.Time {
	for _, setting := range chosen {
		if setting.Type == Metrics {
			settled, _ := setting.Settle(at)
			return settled.Since
		}
	}
	return time.Time{}
}

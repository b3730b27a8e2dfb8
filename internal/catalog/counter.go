package catalog

import "slices"

// Counters of items whose rule is MaxOfTwo, as people name them. The first
// counter has no name of its own where samples are kept.
var (
	firstCounters   = map[string]string{"apm_trace": "trace_ids", "rum_pv": "page_views"}
	counterSynonyms = map[string]string{"events": "rum_events"}
)

// Counter finds the counter of a sample by the name that people give it: the
// first of an item by "quantity" or its own name, the second by its name.
func (it Item) Counter(name string) (counter string, ok bool) {
	switch {
	case name == "quantity", name == firstCounters[it.ID]:
		return "", name != ""
	case it.Alternative.Counter == "":
		return "", false
	case name == it.Alternative.Counter, counterSynonyms[name] == it.Alternative.Counter:
		return it.Alternative.Counter, true
	}
	return "", false
}

// CounterNames lists the names that Counter takes, the plainest first.
func (it Item) CounterNames() []string {
	names := []string{"quantity"}
	if first, ok := firstCounters[it.ID]; ok && it.Rule == MaxOfTwo {
		names = []string{first}
	}
	if it.Alternative.Counter == "" {
		return names
	}
	second := it.Alternative.Counter
	for name, counter := range counterSynonyms {
		if counter == second {
			second = name
		}
	}
	return slices.Concat(names, []string{second})
}

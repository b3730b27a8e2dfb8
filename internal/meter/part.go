package meter

// The items of the catalogue that reports count towards, and the second
// counters of those that have two (domain section 7.1).
const (
	Series       = "timeseries"
	Logs         = "logs"
	LogBytes     = "logs_ingested"
	Traces       = "apm_trace"
	Profiles     = "apm_profile"
	PageViews    = "rum_pv"
	Replays      = "session_replay"
	Synthetic    = "synthetic_test"
	NetworkHosts = "network_host"
	DataKitHosts = "datakit_host"

	Spans     = "spans"      // of traces: ten count as one
	RUMEvents = "rum_events" // of page views: a hundred count as one
)

// Sampling is how the distinct members of a set become the sample of an hour
// (domain section 7.1).
type Sampling string

// The samplings.
const (
	DayToDate  Sampling = ""      // the members of the service day so far
	NewOfDay   Sampling = "day"   // the members that came for the first time in the day
	NewOfHour  Sampling = "hour"  // the members that came for the first time in the hour
	AliveHours Sampling = "alive" // the members that were there in AliveFor hours of the day so far
)

// AliveFor is in how many hours of a day a DataKit must have been seen for its
// host to count (domain section 7.1, datakit_host).
const AliveFor = 12

// hourBits are the low bits of a member of AliveHours: the hour of the day.
const hourBits = 31

// Within is the member as it stands in its set: that of an hour differs from
// hour to hour, and so does one whose hours are counted. of is a number of the
// hour that no other has; ofDay is its place in the service day, from 0.
func (s Sampling) Within(member uint64, of int64, ofDay int) uint64 {
	switch s {
	case NewOfHour:
		return member ^ spread(uint64(of))
	case AliveHours:
		return member&^hourBits | uint64(ofDay)&hourBits
	}
	return member
}

// Alive counts the members of AliveHours that were there in enough hours.
func Alive(members []uint64) int64 {
	hours := make(map[uint64]int, len(members)/AliveFor+1)
	var n int64
	for _, m := range members {
		hours[m&^hourBits]++
		if hours[m&^hourBits] == AliveFor {
			n++
		}
	}
	return n
}

// spread mixes the bits of a small number (the finaliser of SplitMix64), so
// that two hours never differ in a few bits alone.
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Part is what a report counts towards one counter of one item: a sum, or
// members of a set.
type Part struct {
	Item     string
	Counter  string // empty, or the item's second counter
	Index    string // of logs: the named index; empty for the default one
	Priced   Type   // the type of data whose retention class the price depends on; empty for a flat price
	Exempt   bool   // a full quota does not refuse it, though it counts
	Sum      int64
	Members  []uint64
	Sampling Sampling // of the members
}

// Tally is what one report counts. Infrastructure counts nothing.
type Tally []Part

// Of is what the report counts towards a counter of an item.
func (t Tally) Of(item, counter string) (Part, bool) {
	for _, p := range t {
		if p.Item == item && p.Counter == counter {
			return p, true
		}
	}
	return Part{}, false
}

// Options are how a workspace is counted where it is not as usual.
type Options struct {
	LogSplit int64 // the size at which its log records are cut; 0 for LogSplit
	LogBytes bool  // its logs are charged by raw bytes instead of by records
}

func (o Options) logSplit() int64 {
	if o.LogSplit > 0 {
		return o.LogSplit
	}
	return LogSplit
}

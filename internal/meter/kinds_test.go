package meter

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// counts is what a tally holds, by item and counter.
func counts(t Tally) map[string]int64 {
	all := map[string]int64{}
	for _, p := range t {
		all[strings.TrimSuffix(p.Item+"/"+p.Counter, "/")] = p.Sum + int64(len(p.Members))
	}
	return all
}

func decode(t *testing.T, text string) []Point {
	t.Helper()
	points, err := DecodeLines([]byte(text), 1, noon)
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func TestEachTypeCountsTowardsItsItems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind Type
		text string
		want map[string]int64
	}{
		{Tracing, "web,trace_id=a span=1i\nweb,trace_id=a span=2i\nweb span=3i,trace_id=\"b\"\nweb span=4i", map[string]int64{Traces: 2, Traces + "/" + Spans: 4}},
		{RUM, strings.Join([]string{
			"view,app_id=1,view_id=v1,session_id=s loading_time=1i",
			"view,app_id=1,view_id=v1,session_id=s loading_time=2i", // an update is not a second view
			"view,app_id=2,view_id=v1,session_id=s loading_time=2i", // another application's
			"resource,app_id=1,view_id=v1,session_id=s size=1i",
			"long_task,app_id=1 d=1i", "error,app_id=1 d=1i", "action,app_id=1 d=1i", "telemetry,app_id=1 d=1i",
		}, "\n"), map[string]int64{PageViews: 2, PageViews + "/" + RUMEvents: 4, Replays: 0}},
		{RUM, strings.Join([]string{
			"view,app_id=1,view_id=v1,session_id=s,has_replay=true time_spent=1i",
			"action,app_id=1,session_id=s,has_replay=true d=1i",
			"action,app_id=1,session_id=r d=1i,has_replay=true",
			"action,app_id=1,session_id=q,has_replay=false d=1i",
		}, "\n"), map[string]int64{PageViews: 1, PageViews + "/" + RUMEvents: 3, Replays: 2}},
		{Network, "netflow,host=a b=1i\nnetflow,host=a,port=1 b=1i\nnetflow,host=b b=1i\nnetflow b=1i", map[string]int64{NetworkHosts: 2}},
		{Object, "HOST,name=a f=1i\nHOST,name=a f=2i\nHOST,name=b f=1i\nDOCKER,name=c f=1i", map[string]int64{DataKitHosts: 2}},
		{Object, "DOCKER,name=c f=1i", map[string]int64{}},
		{Security, "secchecker,host=a message=\"m\"", map[string]int64{Logs: 1}},
		{Dialing, strings.Join([]string{
			"http_dial_testing,owner=default ok=1i", "tcp_dial_testing,owner=wksp_1 ok=1i", "http_dial_testing ok=1i", "mine,owner=default ok=1i",
		}, "\n"), map[string]int64{Synthetic: 1, Logs: 3}},
		{Dialing, "icmp_dial_testing,owner=default ok=1i", map[string]int64{Synthetic: 1}},
		{Profiling, "profile,host=a n=1i", map[string]int64{}},
	} {
		got := counts(counter.Count(c.kind, decode(t, c.text), Options{}))
		if len(got) != len(c.want) {
			t.Errorf("%s: counted %v, want %v of\n%s", c.kind, got, c.want, c.text)
		}
		for item, n := range c.want {
			if got[item] != n {
				t.Errorf("%s: counted %v, want %v of\n%s", c.kind, got, c.want, c.text)
			}
		}
	}
}

// The sessions of domain section 7.3, floor.
func TestAReplayCountsOncePerFourHours(t *testing.T) {
	t.Parallel()
	for spent, want := range map[time.Duration]int{
		0: 1, time.Minute: 1, 4 * time.Hour: 1, 4*time.Hour + time.Minute: 1, 8 * time.Hour: 2, 11 * time.Hour: 2, 100 * 24 * time.Hour: 6,
	} {
		points := []Point{{Name: "view", Tags: []Tag{{"app_id", "1"}, {"has_replay", "true"}, {"session_id", "s"}}, Fields: []Field{{"time_spent", Int(int64(spent))}}}}
		p, _ := counter.Count(RUM, points, Options{}).Of(Replays, "")
		if len(p.Members) != want {
			t.Errorf("a session of %v counts %d, want %d", spent, len(p.Members), want)
		}
		// What was counted while it was shorter is part of what it counts now.
		first, _ := counter.Replay("1", "s").Of(Replays, "")
		if p.Members[0] != first.Members[0] {
			t.Errorf("a session of %v counts anew", spent)
		}
	}
}

// The files of domain section 7.3, floor.
func TestAProfileCountsByTheSizeOfItsFiles(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]int64{0: 1, 307200: 1, 307201: 1, 650 << 10: 2, 900 << 10: 3} {
		if p, _ := Profile(size).Of(Profiles, ""); p.Sum != want {
			t.Errorf("a profile of %d bytes counts %d, want %d", size, p.Sum, want)
		}
	}
}

func TestAWorkspaceMayCutItsLogsElsewhere(t *testing.T) {
	t.Parallel()
	points := []Point{{Name: "n", Fields: []Field{{"message", Text(strings.Repeat("x", 5113))}}}} // 5,120 bytes with its key
	for _, c := range []struct {
		options Options
		item    string
		want    int64
	}{{Options{}, Logs, 1}, {Options{LogSplit: LogSplitSLS}, Logs, 2}, {Options{LogBytes: true}, LogBytes, 5120}} {
		tally := counter.Count(Logging, points, c.options)
		if p, ok := tally.Of(c.item, ""); !ok || p.Sum != c.want || len(tally) != 1 {
			t.Errorf("%+v: counted %v, want %d of %s", c.options, counts(tally), c.want, c.item)
		}
	}
}

func TestATraceCountsInEachOfItsHours(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		member := rapid.Uint64().Draw(t, "member")
		a, b := rapid.Int64Range(0, 1e6).Draw(t, "a"), rapid.Int64Range(0, 1e6).Draw(t, "b")
		if same := NewOfHour.Within(member, a, 0) == NewOfHour.Within(member, b, 0); same != (a == b) {
			t.Errorf("hours %d and %d: same is %v", a, b, same)
		}
		if NewOfDay.Within(member, a, 1) != member || DayToDate.Within(member, b, 2) != member {
			t.Error("a member of a day differs from hour to hour")
		}
	})
}

func TestADataKitCountsFromItsTwelfthHourOn(t *testing.T) {
	t.Parallel()
	var seen []uint64
	hosts := []uint64{1 << 20, 2 << 20, 3 << 20}
	for hour := range 25 {
		for i, host := range hosts {
			if hour%(i+1) == 0 { // every hour, every second, every third
				seen = append(seen, AliveHours.Within(host, 0, hour))
			}
		}
		want := int64(0)
		if hour >= AliveFor-1 {
			want++
		}
		if hour >= 2*(AliveFor-1) {
			want++
		}
		if got := Alive(seen); got != want {
			t.Errorf("after hour %d: %d alive, want %d", hour, got, want)
		}
	}
}

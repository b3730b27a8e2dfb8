package retention

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/workspace"
)

func zoneOf(t interface {
	Helper()
	Fatal(...any)
}, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// asked is a wish at a time of a day, and what must become of it.
type asked struct {
	at      string
	class   string
	want    Outcome
	holds   string // right after
	pending string
}

func play(t *testing.T, zone *time.Location, from Setting, steps []asked) Setting {
	t.Helper()
	s := from
	for _, step := range steps {
		at, err := time.ParseInLocation("2006-01-02 15:04", step.at, zone)
		if err != nil {
			t.Fatal(err)
		}
		s, _ = s.Settle(at)
		var got Outcome
		s, got = s.Change(step.class, "acnt_1", at, zone)
		if got != step.want || s.Class != step.holds || s.Pending != step.pending {
			t.Fatalf("%s to %s: %s, %s holds, %q waits; want %s, %s, %q", step.at, step.class, got, s.Class, s.Pending, step.want, step.holds, step.pending)
		}
	}
	return s
}

func at(t *testing.T, zone *time.Location, text string) time.Time {
	t.Helper()
	instant, err := time.ParseInLocation("2006-01-02 15:04:05", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return instant
}

// TestTheVectorOfTheDomain is section 8 word by word: 09:00 14 to 7 at once,
// 11:00 7 to 30 and 15:00 7 to 3 held; 7 until midnight, 3 from then on, the
// 30 never; next day 08:00 3 to 14 at once again.
func TestTheVectorOfTheDomain(t *testing.T) {
	t.Parallel()
	zone := zoneOf(t, "Asia/Shanghai")
	s := play(t, zone, Setting{Target: Target{Type: Logs}, Class: "14d"}, []asked{
		{"2026-03-01 09:00", "7d", AtOnce, "7d", ""},
		{"2026-03-01 11:00", "30d", Held, "7d", "30d"},
		{"2026-03-01 15:00", "3d", Held, "7d", "3d"},
	})
	for instant, want := range map[string]string{
		"2026-03-01 15:00:01": "7d", "2026-03-01 23:59:59": "7d", "2026-03-02 00:00:00": "3d", "2026-03-02 07:59:59": "3d",
	} {
		if next, _ := s.Settle(at(t, zone, instant)); next.Class != want {
			t.Errorf("at %s %s holds, want %s", instant, next.Class, want)
		}
	}
	s = play(t, zone, s, []asked{{"2026-03-02 08:00", "14d", AtOnce, "14d", ""}})
	if s.Pending != "" {
		t.Errorf("%s still waits", s.Pending)
	}
}

func TestAChangeBackCancelsTheOneThatWaits(t *testing.T) {
	t.Parallel()
	zone := zoneOf(t, "Asia/Shanghai")
	s := play(t, zone, Setting{Class: "14d"}, []asked{
		{"2026-03-01 08:00", "14d", Unchanged, "14d", ""}, // no change is not the change of the day
		{"2026-03-01 09:00", "7d", AtOnce, "7d", ""},
		{"2026-03-01 10:00", "14d", Held, "7d", "14d"},
		{"2026-03-01 10:30", "14d", Unchanged, "7d", "14d"}, // asked twice
		{"2026-03-01 11:00", "7d", Cancelled, "7d", ""},
		{"2026-03-01 11:30", "7d", Unchanged, "7d", ""},
		{"2026-03-01 12:00", "30d", Held, "7d", "30d"}, // still not the first of the day
		{"2026-03-01 13:00", "7d", Cancelled, "7d", ""},
	})
	if next, acted := s.Settle(at(t, zone, "2026-03-02 00:00:00")); acted || next.Class != "7d" {
		t.Errorf("at midnight %s holds", next.Class)
	}
}

func TestAChangeAtMidnightIsNotTheFirstOfTheNewDay(t *testing.T) {
	t.Parallel()
	zone := zoneOf(t, "Asia/Shanghai")
	play(t, zone, Setting{Class: "14d"}, []asked{
		{"2026-03-01 23:58", "7d", AtOnce, "7d", ""},
		{"2026-03-01 23:59", "3d", Held, "7d", "3d"},
		{"2026-03-02 00:00", "30d", AtOnce, "30d", ""}, // the 3 acted at the same instant, before it
		{"2026-03-02 00:01", "3d", Held, "30d", "3d"},
		{"2026-03-09 12:00", "3d", Unchanged, "3d", ""}, // it has come meanwhile
	})
}

func TestDaysAreThoseOfTheSite(t *testing.T) {
	t.Parallel()
	// 2026-03-08 has 23 hours in Los Angeles and 2026-11-01 has 25; between
	// the two changes UTC's day turns, the site's does not.
	for _, c := range []struct{ zone, first, second, acts string }{
		{"America/Los_Angeles", "2026-03-08 01:30", "2026-03-08 22:00", "2026-03-09T07:00:00Z"},
		{"America/Los_Angeles", "2026-11-01 00:30", "2026-11-01 23:30", "2026-11-02T08:00:00Z"},
		{"Asia/Shanghai", "2026-03-01 07:30", "2026-03-01 08:30", "2026-03-01T16:00:00Z"},
	} {
		zone := zoneOf(t, c.zone)
		s := play(t, zone, Setting{Class: "14d"}, []asked{{c.first, "7d", AtOnce, "7d", ""}, {c.second, "3d", Held, "7d", "3d"}})
		if got := s.PendingAt.UTC().Format(time.RFC3339); got != c.acts {
			t.Errorf("%s: acts at %s, want %s", c.zone, got, c.acts)
		}
		if free := s.FreeAt(s.ChangedAt, zone); !free.Equal(s.PendingAt) {
			t.Errorf("%s: free at %s, want %s", c.zone, free, s.PendingAt)
		}
	}
}

func TestAClockThatWentBackGivesNoSecondChangeAtOnce(t *testing.T) {
	t.Parallel()
	play(t, zoneOf(t, "Asia/Shanghai"), Setting{Class: "14d"}, []asked{
		{"2026-03-02 09:00", "7d", AtOnce, "7d", ""},
		{"2026-03-01 23:00", "3d", Held, "7d", "3d"},
	})
}

func TestExperienceLeavesNoChoice(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	chosen := []Setting{{Target: Target{Type: Logs}, Class: "60d", Since: noon, Revision: 1}}
	if s := Of(workspace.Experience, version(t)).With(chosen, noon); s.Class(Logs) != "7d" || !s.Fixed() {
		t.Errorf("logs are kept for %s", s.Class(Logs))
	}
}

func TestAnIndexWithoutAClassOfItsOwnHasTheDefaultOne(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	s := Of(workspace.Commercial, version(t)).With([]Setting{
		{Target: Target{Type: Logs}, Class: "7d", Since: noon, Revision: 1, Pending: "3d", PendingAt: noon.Add(12 * time.Hour)},
		{Target: Target{Logs, "nginx"}, Class: "30d", Since: noon, Revision: 1, Pending: "60d", PendingAt: noon.Add(36 * time.Hour)},
	}, noon.Add(13*time.Hour))
	for index, want := range map[string]string{"default": "3d", "": "3d", "nginx": "30d", "payments": "3d"} {
		if got := s.IndexClass(index); got != want {
			t.Errorf("index %q: %s, want %s", index, got, want)
		}
	}
	if len(s.Indexes()) != 1 || !s.NextAt().Equal(noon.Add(36*time.Hour)) {
		t.Errorf("indexes %v, next at %s", s.Indexes(), s.NextAt())
	}
	logs, err := version(t).Item("logs")
	if err != nil || s.ClassFor(logs) != "3d" || s.Class(Metrics) != "7d" {
		t.Errorf("logs %s, metrics %s, %v", s.ClassFor(logs), s.Class(Metrics), err)
	}
}

func TestMetricsBeginWithTheLastChangeOfTheirClass(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	midnight := noon.Add(12 * time.Hour)
	logs := Setting{Target: Target{Type: Logs}, Class: "7d", Since: noon.Add(time.Hour)}
	metrics := Setting{Target: Target{Type: Metrics}, Class: "7d", Since: noon, ChangedAt: noon, Pending: "3d", PendingAt: midnight}
	for _, c := range []struct {
		chosen   []Setting
		at, want time.Time
	}{
		{nil, noon, time.Time{}},
		{[]Setting{logs}, midnight, time.Time{}},
		{[]Setting{logs, metrics}, midnight.Add(-1), noon},
		{[]Setting{logs, metrics}, midnight, midnight},
	} {
		if got := MetricsFrom(c.chosen, c.at); !got.Equal(c.want) {
			t.Errorf("at %s: from %s, want %s", c.at, got, c.want)
		}
	}
}

// wished is one wish of the random walk.
type wished struct {
	at    time.Time
	class string
}

// reference is the class at an instant by the words of the domain, told from
// the whole list of wishes: the first real change of a day acts at once, the
// last other wish of the day at midnight.
func reference(first string, list []wished, zone *time.Location, instant time.Time) (class string, atOnce map[period.Day]int) {
	class, atOnce = first, map[period.Day]int{}
	waits, day := "", period.Day{}
	for _, w := range append(list, wished{at: instant}) {
		if w.at.After(instant) {
			continue
		}
		if today := period.DayOf(w.at, zone); today != day {
			if waits != "" {
				class = waits
			}
			waits, day = "", today
		}
		switch {
		case w.class == "":
		case w.class == class:
			waits = ""
		case atOnce[day] == 0:
			atOnce[day]++
			class = w.class
		default:
			waits = w.class
		}
	}
	return class, atOnce
}

func TestTheClassAtAnyInstantIsThatOfTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := zoneOf(t, rapid.SampledFrom([]string{"Asia/Shanghai", "America/Los_Angeles", "UTC"}).Draw(t, "zone"))
		now := period.MustParseDay(rapid.SampledFrom([]string{"2026-03-06", "2026-10-30"}).Draw(t, "day")).Start(zone)
		s, changes := Setting{Class: "14d"}, map[period.Day]int{}
		var list []wished
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(0, 20*60).Draw(t, "minutes")) * time.Minute)
			settled, acted := s.Settle(now)
			if again, more := settled.Settle(now); more || again != settled {
				t.Fatal("a change acts twice")
			}
			if want, _ := reference("14d", list, zone, now); settled.Class != want {
				t.Fatalf("at %s %s holds, want %s", now, settled.Class, want)
			}
			if rapid.Bool().Draw(t, "only looked at") {
				continue // a reader's settling is not stored
			}
			class := rapid.SampledFrom([]string{"3d", "7d", "14d"}).Draw(t, "class")
			next, outcome := settled.Change(class, "acnt_1", now, zone)
			if outcome == AtOnce {
				changes[period.DayOf(now, zone)]++
			}
			list = append(list, wished{now, class})
			invariants(t, next, now, zone, acted)
			s = next
		}
		_, want := reference("14d", list, zone, now)
		for day, n := range changes {
			if n > 1 || n != want[day] {
				t.Fatalf("%d changes acted at once on %s, want %d", n, day, want[day])
			}
		}
	})
}

func invariants(t *rapid.T, s Setting, now time.Time, zone *time.Location, acted bool) {
	t.Helper()
	switch {
	case s.Pending == "" && !s.PendingAt.IsZero(), s.Pending != "" && s.PendingAt.IsZero():
		t.Fatalf("what waits and when do not agree: %+v", s)
	case s.Pending == s.Class:
		t.Fatalf("the class that holds waits: %+v", s)
	case s.Pending != "" && !s.PendingAt.Equal(period.DayOf(now, zone).End(zone)):
		t.Fatalf("it waits for %s: %+v", s.PendingAt, s)
	case s.Since.After(now), acted && s.Since.Before(period.DayOf(now, zone).Start(zone).AddDate(0, 0, -40)):
		t.Fatalf("it holds since %s: %+v", s.Since, s)
	}
}

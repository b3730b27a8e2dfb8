package period

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zones(t interface {
	Helper()
	Fatal(...any)
}) []*time.Location {
	t.Helper()
	var list []*time.Location
	for _, name := range []string{"Asia/Shanghai", "America/Los_Angeles", "Europe/Berlin", "Africa/Johannesburg", "America/Santiago", "Asia/Beirut"} {
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, z)
	}
	return list
}

// days draws any day, and often one on which some zone's clocks change.
func days() *rapid.Generator[Day] {
	changes := []string{"2026-03-08", "2026-11-01", "2026-03-29", "2026-10-25", "2026-09-06", "2026-04-05"}
	return rapid.Custom(func(t *rapid.T) Day {
		if rapid.Bool().Draw(t, "change of clocks") {
			return MustParseDay(rapid.SampledFrom(changes).Draw(t, "day")).Add(rapid.IntRange(-1, 1).Draw(t, "around"))
		}
		return MustParseDay("2000-01-01").Add(rapid.IntRange(0, 20000).Draw(t, "days since 2000"))
	})
}

func TestDaysFollowEachOtherWithoutAGap(t *testing.T) {
	t.Parallel()
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		d, zone := days().Draw(t, "day"), rapid.SampledFrom(all).Draw(t, "zone")
		start, end := d.Start(zone), d.End(zone)
		if !end.Equal(d.Add(1).Start(zone)) {
			t.Fatalf("%s ends at %s, %s starts at %s", d, end, d.Add(1), d.Add(1).Start(zone))
		}
		if DayOf(start, zone) != d || DayOf(end.Add(-1), zone) != d || DayOf(end, zone) != d.Add(1) {
			t.Fatalf("%s is from %s to %s, which are other days", d, start, end)
		}
		at := start.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(start))-1).Draw(t, "within")))
		if DayOf(at, zone) != d {
			t.Fatalf("%s is on %s, not on %s", at, DayOf(at, zone), d)
		}
	})
}

func TestHoursOfADayCoverIt(t *testing.T) {
	t.Parallel()
	all := zones(t)
	rapid.Check(t, func(t *rapid.T) {
		d, zone := days().Draw(t, "day"), rapid.SampledFrom(all).Draw(t, "zone")
		hours := d.Hours(zone)
		if n := len(hours); n < 23 || n > 25 || time.Duration(n)*time.Hour != d.End(zone).Sub(d.Start(zone)) {
			t.Fatalf("%s in %s has %d hours from %s to %s", d, zone, n, d.Start(zone), d.End(zone))
		}
		for i, h := range hours {
			if DayOf(h, zone) != d || i > 0 && h.Sub(hours[i-1]) != time.Hour {
				t.Fatalf("hour %d of %s is %s", i, d, h)
			}
		}
	})
}

func TestDaysOfTwentyThreeAndTwentyFiveHours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		day, zone string
		hours     int
	}{
		{"2026-03-08", "America/Los_Angeles", 23},
		{"2026-11-01", "America/Los_Angeles", 25},
		{"2026-03-29", "Europe/Berlin", 23},
		{"2026-10-25", "Europe/Berlin", 25},
		{"2026-03-08", "Asia/Shanghai", 24},
		{"2026-09-06", "America/Santiago", 23}, // clocks go forward at midnight: the day begins at 01:00
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(MustParseDay(c.day).Hours(zone)); n != c.hours {
			t.Errorf("%s in %s has %d hours, want %d", c.day, c.zone, n, c.hours)
		}
	}
}

func TestTextOrderIsTimeOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := days().Draw(t, "a"), days().Draw(t, "b")
		if a.Before(b) != (a.String() < b.String()) || a.After(b) != (a.String() > b.String()) {
			t.Fatalf("%s and %s", a, b)
		}
		if a.Add(b.Sub(a)) != b {
			t.Fatalf("%s and %d days is not %s", a, b.Sub(a), b)
		}
		var back Day
		if text, _ := a.MarshalText(); back.UnmarshalText(text) != nil || back != a {
			t.Fatalf("%s came back as %s", a, back)
		}
		m := a.Month()
		if m.First().After(a) || m.Last().Before(a) || m.Last().Add(1) != m.Next().First() || m.Next().String() <= m.String() {
			t.Fatalf("%s is in %s, from %s to %s", a, m, m.First(), m.Last())
		}
		if parsed, err := ParseMonth(m.String()); err != nil || parsed != m {
			t.Fatalf("%s came back as %s, %v", m, parsed, err)
		}
	})
}

func TestNoDateIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2026-02-29", "2026-2-1", "20260201", "2026-13-01", "2026-01-01T00:00:00Z", "yesterday"} {
		if d, err := ParseDay(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q was read as %v, %v", text, d, err)
		}
		if m, err := ParseMonth(text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q was read as the month %v, %v", text, m, err)
		}
	}
}

func TestStoredInstantsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(1, 1<<52).Draw(t, "micros"))
		if back := FromMicros(Micros(at)); !back.Equal(at) {
			t.Fatalf("%s came back as %s", at, back)
		}
	})
	if Micros(time.Time{}) != 0 || !FromMicros(0).IsZero() {
		t.Error("the zero time is not stored as 0")
	}
	at := time.Date(2026, 3, 1, 9, 59, 59, 999, time.FixedZone("", 8*3600))
	if h := HourOf(at); h.Format(time.RFC3339) != "2026-03-01T01:00:00Z" {
		t.Errorf("the hour of %s is %s", at, h)
	}
}

// TestDayIsWrittenAsTheLibraryWritesIt compares the text of days with the
// standard library's.
func TestDayIsWrittenAsTheLibraryWritesIt(t *testing.T) {
	t.Parallel()
	for day := MustParseDay("1999-12-25"); day.Before(MustParseDay("2029-01-05")); day = day.Add(1) {
		if got, want := day.String(), day.utc().Format(time.DateOnly); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	for _, text := range []string{"0001-01-01", "9999-12-31"} {
		if got := MustParseDay(text).String(); got != text {
			t.Errorf("%s came back as %s", text, got)
		}
	}
}

package alibaba_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestALimitThatIsBrokenTakesNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	hourly, daily := w.opened("cmapi1")["instance"], w.opened("cmapi2")["instance"]
	closed := w.opened("cmapi1")["instance"]
	w.act("release", "instance", closed)
	from, to := begin.Truncate(time.Hour), begin.Truncate(time.Hour).Add(time.Hour)
	w.at(to.Add(5 * time.Minute))
	good := row(hourly, from, to, "5")
	many := make([]string, 101)
	for i := range many {
		many[i] = good
	}
	edit := func(old, new string) []string { return []string{good, strings.Replace(good, old, new, 1)} }
	for name, rows := range map[string][]string{
		"101 rows":              many,
		"no rows":               {},
		"an unknown instance":   edit(hourly, "1"),
		"one that is closed":    edit(hourly, closed),
		"two products":          {good, row(daily, from, to, "5")},
		"a key not listed":      edit("Frequency", "Character"),
		"a key of nobody":       edit("Frequency", "Tokens"),
		"a value with decimals": edit(`"5"`, `"5.0"`),
		"a negative value":      edit(`"5"`, `"-5"`),
		"a number, not a text":  edit(`"5"`, `5`),
		"an end before":         {row(hourly, to, from, "5")},
		"the future":            {row(hourly, from, to.Add(time.Hour), "5")},
		"milliseconds":          edit(fmt.Sprint(from.Unix()), fmt.Sprint(from.UnixMilli())),
		"before the instance":   {row(hourly, from.Add(-time.Hour), from, "5")},
		"an unknown member":     edit(`"Key"`, `"Price":1,"Key"`),
	} {
		if got := code(t, w.push(rows...)); got != "InvalidParameter" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := w.call("sub", "subsecret", "PushMeteringData", map[string]string{"Metering": "[" + good + "]"}); code(t, err) != "NoPermission" {
		t.Errorf("a sub-account: %v", err)
	}
	if got := w.sim.Accepted(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if err := w.push(good); err != nil {
		t.Error(err)
	}
	if got := code(t, w.push(row(hourly, to, to.Add(time.Minute), "1"))); got != "Throttling" {
		t.Errorf("twice within a minute: %s", got)
	}
	w.pass(time.Minute)
	if err := w.push(row(hourly, to, to.Add(time.Minute), "1")); err != nil {
		t.Error(err)
	}
}

func TestRowsThatComeAgainOrOverlapAreToldApart(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"push_gap_seconds": 0}`)
	id := w.opened("cmapi1")["instance"]
	from, to := begin.Truncate(time.Hour), begin.Truncate(time.Hour).Add(time.Hour)
	w.at(to.Add(5 * time.Minute))
	became := func() string {
		var all []string
		for _, r := range w.sim.Accepted() {
			all = append(all, fmt.Sprintf("%d %s %d", r.Value, r.Became, r.Overlaps))
		}
		return strings.Join(all, ", ")
	}
	for range 2 {
		if err := w.push(row(id, from, to, "5")); err != nil {
			t.Fatal(err)
		}
	}
	if got := became(); got != "5 billed 0, 5 repeat 0" {
		t.Error(got)
	}
	if err := w.push(row(id, from.Add(30*time.Minute), to, "2")); err != nil {
		t.Fatal(err)
	}
	w.flip(`{"identical_rows": "count"}`)
	if err := w.push(row(id, from.Add(30*time.Minute), to, "2")); err != nil {
		t.Fatal(err)
	}
	if got := became(); got != "5 billed 0, 5 repeat 0, 2 billed 1, 2 billed 3" {
		t.Error(got)
	}
	w.flip(`{"identical_rows": "refuse", "overlapping_rows": "refuse", "refusal_code": "Odd"}`)
	if got := code(t, w.push(row(id, from.Add(30*time.Minute), to, "2"))); got != "Odd" {
		t.Error(got)
	}
	if got := code(t, w.push(row(id, from.Add(time.Minute), to, "2"))); got != "Odd" {
		t.Error(got)
	}
}

func TestUsageAfterItsDeadlineIsNeverBilled(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"push_gap_seconds": 0}`)
	hourly, daily := w.opened("cmapi1")["instance"], w.opened("cmapi2")["instance"]
	window := func(id string) string { return row(id, begin.Add(-10*time.Minute), begin, "1") } // 08:10 to 08:20
	last := func() string { got := w.sim.Accepted(); return got[len(got)-1].Became }
	w.at(time.Date(2026, 11, 20, 9, 58, 59, 0, time.UTC))
	if err := w.push(window(hourly)); err != nil || last() != "billed" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 20, 9, 59, 0, 0, time.UTC))
	if err := w.push(row(hourly, begin, begin.Add(time.Minute), "1")); err != nil || last() != "late" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) // midnight in Shanghai is 16:00 UTC
	if err := w.push(window(daily)); err != nil || last() != "billed" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC))
	w.flip(`{"late_rows": "refuse"}`)
	if got := code(t, w.push(window(daily))); got != "InvalidParameter" {
		t.Error(got)
	}
}

func FuzzPushMeteringData(f *testing.F) {
	f.Add(`[{"InstanceId":"1","StartTime":"1","EndTime":"2","Entities":[{"Key":"Frequency","Value":"1"}]}]`)
	f.Add(`[null]`)
	f.Fuzz(func(t *testing.T, metering string) {
		w := open(t)
		w.act("open", "ali_uid", buyer)
		_, err := w.call("ak", "sk", "PushMeteringData", map[string]string{"Metering": metering})
		for _, r := range w.sim.Accepted() {
			if err != nil || r.Value < 0 || !r.End.After(r.Start) {
				t.Fatalf("%v %+v", err, r)
			}
		}
	})
}

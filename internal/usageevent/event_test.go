package usageevent

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

func version(t testing.TB) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWeightsOfTaskCalls holds the vectors of domain section 7.4.
func TestWeightsOfTaskCalls(t *testing.T) {
	t.Parallel()
	v := version(t)
	for data, want := range map[string]int64{
		`{"task":"monitor_check","kind":"mutation"}`:                                5,
		`{"task":"monitor_check","kind":"outlier","interval_minutes":30}`:           6,
		`{"task":"monitor_check","kind":"interval","runs":2,"interval_minutes":60}`: 13,
		`{"task":"monitor_check","kind":"interval","interval_minutes":60}`:          8, // twice by itself is 16
		`{"task":"smart_monitor","kind":"host"}`:                                    10,
		`{"task":"smart_monitor","kind":"rum"}`:                                     100,
		`{"task":"monitor_check","kind":"other","interval_minutes":15}`:             1,
		`{"task":"monitor_check","kind":"other","interval_minutes":16}`:             2,
		`{"task":"monitor_check","kind":"log","interval_minutes":46}`:               8,
		`{"task":"query","runs":7}`:                                                 7,
		`{"task":"slo_check"}`:                                                      1,
		`{"task":"generated_metric"}`:                                               1,
		`{"task":"central_function"}`:                                               1,
		`{"task":"alert_notification"}`:                                             0,
	} {
		got, err := Event{Item: "task_call", Data: []byte(data)}.quantity(v)
		if err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", data, got, err, want)
		}
	}
}

func TestWhatEachItemCounts(t *testing.T) {
	t.Parallel()
	v := version(t)
	for _, c := range []struct {
		item, data string
		want       int64
	}{
		{"sms", `{"quantity":3}`, 3},
		{"scheduled_report", `{"quantity":1}`, 1},
		{"synthetic_test", `{"quantity":54321}`, 54321},
		{"central_pipeline", `{"bytes":0}`, 0},
		{"data_forward_external", `{"bytes":1000000000}`, 1e9},
		{"data_forward_internal", `{"bytes":120000000000}`, 120e9},
		{"sensitive_scan", `{"bytes":2000000000,"fields":3}`, 6e9}, // domain section 7.2
	} {
		got, err := Event{Item: c.item, Data: []byte(c.data)}.quantity(v)
		if err != nil || got != c.want {
			t.Errorf("%s %s: %d, %v; want %d", c.item, c.data, got, err, c.want)
		}
		if _, known := v.Position(c.item); !known {
			t.Errorf("the catalogue has no %s", c.item)
		}
	}
	if len(Items()) != 8 {
		t.Errorf("items: %v", Items())
	}
}

func TestWhatSaysNothingIsRefusedByTheField(t *testing.T) {
	t.Parallel()
	v := version(t)
	for _, c := range []struct {
		item, data, field string
		want              error
	}{
		{"logs", `{"quantity":1}`, "type", ErrType},
		{"sms", `{}`, "data.quantity", ErrData},
		{"sms", `null`, "data.quantity", ErrData},
		{"sms", `[]`, "data", ErrData},
		{"sms", `"3"`, "data", ErrData},
		{"sms", `{"quantity":1} {}`, "data", ErrData},
		{"sms", `{"quantity":0}`, "data.quantity", ErrData},
		{"sms", `{"quantity":-1}`, "data.quantity", ErrData},
		{"sms", `{"quantity":1.5}`, "data.quantity", ErrData},
		{"sms", `{"quantity":1e3}`, "data.quantity", ErrData},
		{"sms", `{"quantity":"3"}`, "data.quantity", ErrData},
		{"sms", `{"quantity":1000000000000001}`, "data.quantity", ErrData},
		{"sms", `{"quantity":99999999999999999999}`, "data.quantity", ErrData},
		{"sms", `{"quantity":1,"bytes":2}`, "data.bytes", ErrData},
		{"sensitive_scan", `{"bytes":1000000000000,"fields":5000}`, "data.fields", ErrData},
		{"task_call", `{"task":"dance"}`, "data.task", ErrTask},
		{"task_call", `{"task":"query","kind":"log"}`, "data.task", ErrTask},
		{"task_call", `{"task":"monitor_check"}`, "data.kind", ErrTask},
		{"task_call", `{"task":"monitor_check","kind":"mutation","interval_minutes":-1}`, "data.interval_minutes", ErrData},
		{"task_call", `{"task":"smart_monitor","kind":"rum","runs":900000000000000}`, "data.runs", ErrData},
	} {
		_, err := Event{Item: c.item, Data: []byte(c.data)}.quantity(v)
		if !errors.Is(err, c.want) || fault.From(err).Field != c.field {
			t.Errorf("%s %s: %v on %q, want %v on %q", c.item, c.data, err, fault.From(err).Field, c.want, c.field)
		}
	}
}

// TestAnIntervalCostsEachStartedStep compares with counting step by step.
func TestAnIntervalCostsEachStartedStep(t *testing.T) {
	t.Parallel()
	v := version(t)
	rapid.Check(t, func(t *rapid.T) {
		runs, minutes := rapid.Int64Range(1, 1000).Draw(t, "runs"), rapid.Int64Range(0, 10_000).Draw(t, "minutes")
		want := 5 * runs
		for m := v.TaskCalls.MonitorFreeMinutes; m < minutes; m += v.TaskCalls.MonitorStepMinutes {
			want++
		}
		data := fmt.Appendf(nil, `{"task":"monitor_check","kind":"log","runs":%d,"interval_minutes":%d}`, runs, minutes)
		if got, err := (Event{Item: "task_call", Data: data}).quantity(v); err != nil || got != want {
			t.Fatalf("%s: %d, %v; want %d", data, got, err, want)
		}
	})
}

func FuzzAnEventIsAQuantityOrARefusal(f *testing.F) {
	f.Add("sms", `{"quantity":1}`)
	f.Add("sensitive_scan", `{"bytes":1,"fields":2}`)
	f.Add("task_call", `{"task":"monitor_check","kind":"log","runs":3,"interval_minutes":61}`)
	v := version(f)
	f.Fuzz(func(t *testing.T, item, data string) {
		n, err := Event{Item: item, Data: []byte(data)}.quantity(v)
		switch {
		case err != nil && (fault.From(err).Kind != fault.Invalid || n != 0):
			t.Errorf("%s %s: %d, %v", item, data, n, err)
		case err == nil && (n < 0 || !json.Valid([]byte(data))):
			t.Errorf("%s %s counts %d", item, data, n)
		}
	})
}

// Package usageevent takes what the platform's own services say that a
// workspace used: task calls, messages, reports, scanned and forwarded bytes,
// results of the product's own test nodes. No collector reports these.
//
// It owns which items may come so, what an event of each must say, its weight
// (domain section 7.4), and that an event counts once. It does not own the
// wire, which is CloudEvents at the API's door, nor how usage is kept.
//
// Always true: an event, named by its source and ID, counts once, however
// often it comes; the same name with other content is refused; an event counts
// whole or not at all, in the hour of its receipt; what a free workspace may
// use in a day is never passed.
package usageevent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
)

// Faults of single events; an event refused with one may come again when what
// the sentence names has changed.
var (
	ErrMalformed = fault.New(fault.Invalid, "event_malformed", "This is no CloudEvent of version 1.0.")
	ErrType      = fault.New(fault.Invalid, "event_type_unknown", "The type of the event names no billing item that services report. It is "+TypePrefix+" and the item, such as "+TypePrefix+"task_call.")
	ErrSubject   = fault.New(fault.Invalid, "event_subject_missing", "The subject of the event must be the ID of a workspace.")
	ErrData      = fault.New(fault.Invalid, "event_data_invalid", "The data of the event does not say what was used.")
	ErrTask      = fault.New(fault.Invalid, "event_task_unknown", "The catalogue has no weight for this task and kind.")
	ErrChanged   = fault.New(fault.Conflict, "event_changed", "An event of this source and ID came before and said something else. What it said then counts.")
	ErrNotSold   = fault.New(fault.Invalid, "event_item_not_sold", "The catalogue of today does not have this billing item.")
)

// TypePrefix and a billing item are the type of an event: tollgate.usage.sms.
const TypePrefix = "tollgate.usage."

// Most bounds a number in an event, so that no sum of a day overflows.
const Most = 1_000_000_000_000_000

// Event is what a service says that a workspace used. When it occurred is the
// service's own affair: usage counts by its receipt.
type Event struct {
	Source      string // who says it
	ID          string // its name among what the source says
	WorkspaceID string
	Item        string
	Data        []byte // JSON, as its item wants it
}

// fingerprint tells whether an event that comes again says the same.
func (e Event) fingerprint() (string, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Data); err != nil {
		return "", ErrData.On("data").Because(err)
	}
	h := sha256.New()
	for _, part := range []string{e.WorkspaceID, e.Item, compact.String()} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// said is what the data of events can say. Which fields an item takes is in
// readers.
type said struct {
	Quantity *int64 `json:"quantity"`
	Bytes    *int64 `json:"bytes"`
	Fields   *int64 `json:"fields"`
	Task     string `json:"task"`
	Kind     string `json:"kind"`
	Runs     *int64 `json:"runs"`
	Interval *int64 `json:"interval_minutes"`
}

// reader turns what an event of an item says into its quantity.
type reader struct {
	fields []string // of the data, that it may have
	read   func(v *catalog.Version, s said) (int64, error)
}

// readers are the items that services report (domain section 7.1).
var readers = map[string]reader{
	"task_call":             {[]string{"task", "kind", "runs", "interval_minutes"}, taskCalls},
	"sms":                   {[]string{"quantity"}, counted},
	"scheduled_report":      {[]string{"quantity"}, counted},
	"synthetic_test":        {[]string{"quantity"}, counted},
	"central_pipeline":      {[]string{"bytes"}, processed},
	"data_forward_external": {[]string{"bytes"}, processed},
	"data_forward_internal": {[]string{"bytes"}, processed},
	"sensitive_scan":        {[]string{"bytes", "fields"}, scanned},
}

// Items lists the items that services report.
func Items() []string {
	var all []string
	for item := range readers {
		all = append(all, item)
	}
	slices.Sort(all)
	return all
}

// quantity is what the event counts of its item, by the weights of a version.
func (e Event) quantity(v *catalog.Version) (int64, error) {
	reader, known := readers[e.Item]
	if !known {
		return 0, ErrType.On("type").With("item", e.Item)
	}
	var names map[string]json.RawMessage
	if err := strict(e.Data, &names); err != nil {
		return 0, ErrData.On("data").Says("The data of the event must be a JSON object.").Because(err)
	}
	for name := range names {
		if !slices.Contains(reader.fields, name) {
			return 0, ErrData.On("data."+name).Says("An event of %s has no %q in its data.", e.Item, name).With("item", e.Item)
		}
	}
	var s said
	if err := strict(e.Data, &s); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			return 0, ErrData.On("data."+kind.Field).Says("%q must be a whole number, not in quotes, or a text where it is a name.", kind.Field)
		}
		return 0, ErrData.On("data").Because(err)
	}
	return reader.read(v, s)
}

func strict(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the object")
	}
	return nil
}

// within gives a number of the data that must be there and in bounds.
func within(name string, n *int64, least int64) (int64, error) {
	switch {
	case n == nil:
		return 0, ErrData.On("data."+name).Says("The data of the event needs %q.", name)
	case *n < least || *n > Most:
		return 0, ErrData.On("data."+name).Says("%q is %d; it must be from %d to %d.", name, *n, least, int64(Most))
	}
	return *n, nil
}

func counted(_ *catalog.Version, s said) (int64, error) { return within("quantity", s.Quantity, 1) }

func processed(_ *catalog.Version, s said) (int64, error) { return within("bytes", s.Bytes, 0) }

// scanned is the raw bytes times the fields scanned (domain section 7.2).
func scanned(_ *catalog.Version, s said) (int64, error) {
	size, err := within("bytes", s.Bytes, 0)
	if err != nil {
		return 0, err
	}
	fields, err := within("fields", s.Fields, 1)
	if err != nil {
		return 0, err
	}
	if size > 0 && fields > Most/size {
		return 0, ErrData.On("data.fields").Says("%d bytes in %d fields are more than can be real.", size, fields)
	}
	return size * fields, nil
}

// taskCalls is runs times the weight of the task, and one call more for each
// started step above the free minutes of a monitor's interval, once for all
// runs that one event tells of (domain section 7.4, C-09: whoever reports each
// run by itself is charged for each interval).
func taskCalls(v *catalog.Version, s said) (int64, error) {
	weight, err := weightOf(v.TaskCalls, s)
	if err != nil {
		return 0, err
	}
	runs, interval := int64(1), int64(0)
	if s.Runs != nil {
		if runs, err = within("runs", s.Runs, 1); err != nil {
			return 0, err
		}
	}
	if s.Interval != nil {
		if interval, err = within("interval_minutes", s.Interval, 0); err != nil {
			return 0, err
		}
	}
	if weight > 0 && runs > Most/weight {
		return 0, ErrData.On("data.runs").Says("%d runs are more than can be real.", runs)
	}
	calls := runs * weight
	if step := v.TaskCalls.MonitorStepMinutes; s.Task == "monitor_check" && step > 0 {
		if over := interval - v.TaskCalls.MonitorFreeMinutes; over > 0 {
			calls += (over + step - 1) / step
		}
	}
	return calls, nil
}

func weightOf(t catalog.TaskCalls, s said) (int64, error) {
	unknown := ErrTask.On("data.task").With("task", s.Task).With("kind", s.Kind)
	var kinds map[string]int64
	switch s.Task {
	case "monitor_check":
		kinds = t.Monitor
	case "smart_monitor":
		kinds = t.SmartMonitor
	default:
		plain := map[string]int64{
			"slo_check": t.SLOCheck, "query": t.Query, "generated_metric": t.GeneratedMetric,
			"central_function": t.CentralFunction, "alert_notification": t.AlertNotification,
		}
		weight, known := plain[s.Task]
		if !known || s.Kind != "" {
			return 0, unknown
		}
		return weight, nil
	}
	weight, known := kinds[s.Kind]
	if !known {
		return 0, unknown.On("data.kind")
	}
	return weight, nil
}

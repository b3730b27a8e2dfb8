package alibaba

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Row is usage that was taken.
type Row struct {
	Number   int       `json:"number"`
	Instance string    `json:"instance"`
	Product  string    `json:"product"`
	Key      string    `json:"key"`
	Assist   string    `json:"assist,omitempty"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Value    int64     `json:"value"`
	At       time.Time `json:"at"`
	Became   string    `json:"became"`             // billed, late, repeat
	Overlaps int       `json:"overlaps,omitempty"` // the number of a row whose window it meets
}

// The limits of a push.
const (
	mostRows = 100
	mostKept = 500_000
)

// meteringKeys are the units that listings are metered by.
var meteringKeys = []string{"Frequency", "Period", "PeriodMin", "Storage", "NetworkIn", "NetworkOut", "Character", "DailyActiveUser"}

type meteringRow struct {
	InstanceId         string
	StartTime, EndTime string
	Entities           []struct{ Key, Value, MeteringAssit string }
}

var wholeNumber = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

// push takes usage, all of it or nothing.
func (s *Sim) push(c call) answer {
	if c.sub {
		return refuse(http.StatusForbidden, "NoPermission", "a sub-account cannot call this; use the main account's key")
	}
	var rows []meteringRow
	d := json.NewDecoder(bytes.NewReader([]byte(c.params.Get("Metering"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&rows); err != nil {
		return s.undocumented("Metering: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return s.undocumented("Metering: more than one document")
	}
	if len(rows) < 1 || len(rows) > mostRows || len(s.market.Rows) > mostKept {
		return s.undocumented("Metering: 1 to %d rows", mostRows)
	}
	now := s.stage.Now()
	var taken []Row
	pushed := map[string]bool{}
	for _, m := range rows {
		i := s.instance(m.InstanceId)
		if i == nil || i.Status != "OPENED" && i.Status != "EXPIRED" {
			return s.undocumented("InstanceId %q: no instance that is open", m.InstanceId)
		}
		if len(taken) > 0 && taken[0].Product != i.Product {
			return s.undocumented("the rows of one request are of one product")
		}
		if last, before := s.market.Pushed[i.BizID]; before && now.Sub(last).Abs() < time.Duration(s.market.Switches.PushGap)*time.Second {
			return refuse(http.StatusBadRequest, "Throttling", "instance %s was metered less than %d seconds ago", i.BizID, s.market.Switches.PushGap)
		}
		read, refusal := s.rowsOf(m, i)
		if refusal.status != 0 {
			return refusal
		}
		taken, pushed[i.BizID] = append(taken, read...), true
	}
	if refusal := s.take(taken); refusal.status != 0 {
		return refusal
	}
	for id := range pushed {
		s.market.Pushed[id] = now
	}
	return done(map[string]any{"Success": true})
}

// rowsOf checks what stands in one row; each entity becomes a row of its own.
func (s *Sim) rowsOf(m meteringRow, i *instance) ([]Row, answer) {
	start, ok1 := unix(m.StartTime)
	end, ok2 := unix(m.EndTime)
	now, p := s.stage.Now(), s.product(i.Product)
	switch {
	case !ok1 || !ok2 || !end.After(start):
		return nil, s.undocumented("StartTime and EndTime: Unix seconds, the end after the start")
	case end.After(now.Add(time.Duration(s.market.Switches.FutureMinutes) * time.Minute)):
		return nil, s.undocumented("EndTime is in the future")
	case start.Before(i.CreatedAt.Truncate(time.Hour)):
		return nil, s.undocumented("StartTime is before the instance")
	case len(m.Entities) == 0:
		return nil, s.undocumented("Entities: at least one")
	}
	became := "billed"
	if !now.Before(s.deadline(p.Plan, end)) {
		if became = "late"; s.market.Switches.Late == "refuse" {
			return nil, s.undocumented("the usage is too late to be billed")
		}
	}
	var rows []Row
	for _, e := range m.Entities {
		if !slices.Contains(meteringKeys, e.Key) || !slices.Contains(p.Keys, e.Key) {
			return nil, s.undocumented("Key %q is not metered by this listing", e.Key)
		}
		if !wholeNumber.MatchString(e.Value) {
			return nil, s.undocumented("Value: a whole number that is not negative")
		}
		n, err := strconv.ParseInt(e.Value, 10, 64)
		if err != nil || slices.ContainsFunc(rows, func(r Row) bool { return r.Key == e.Key && r.Assist == e.MeteringAssit }) {
			return nil, s.undocumented("Entities: each key once")
		}
		rows = append(rows, Row{Instance: i.BizID, Product: i.Product, Key: e.Key, Assist: e.MeteringAssit, Start: start, End: end, Value: n, At: now, Became: became})
	}
	return rows, answer{}
}

func unix(text string) (time.Time, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(n, 0).UTC(), err == nil && wholeNumber.MatchString(text) && n < 253_402_300_800
}

// deadline is until when usage that ends then is billed: of an hourly plan
// before the last minute of the next hour, of a daily one by the end of the next
// day.
func (s *Sim) deadline(plan string, end time.Time) time.Time {
	last := end.Add(-time.Second)
	if plan == "daily" {
		at := last.In(s.zone())
		return time.Date(at.Year(), at.Month(), at.Day()+2, 0, 0, 0, 0, s.zone())
	}
	return last.Truncate(time.Hour).Add(2*time.Hour - time.Minute)
}

// take keeps rows that were found good. It is the only place that changes what
// is billed.
func (s *Sim) take(rows []Row) answer {
	w := s.market.Switches
	kept := s.market.Rows
	for _, r := range rows {
		for _, k := range slices.Backward(kept) {
			if k.Instance != r.Instance || k.Key != r.Key || k.Assist != r.Assist || k.Became == "repeat" || !k.Start.Before(r.End) || !r.Start.Before(k.End) {
				continue
			}
			same := k.Start.Equal(r.Start) && k.End.Equal(r.End) && k.Value == r.Value
			switch {
			case same && w.Identical == "refuse", !same && w.Overlap == "refuse":
				return s.undocumented("the window meets that of a row that was taken before")
			case same && w.Identical == "ignore":
				r.Became = "repeat"
			}
			if !same || w.Identical == "count" {
				r.Overlaps = k.Number
			}
			break
		}
		r.Number = len(kept) + 1
		kept = append(kept, r)
	}
	s.market.Rows = kept
	return answer{}
}

// Accepted lists the rows that were taken, in their order.
func (s *Sim) Accepted() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Row{}, s.market.Rows...)
}

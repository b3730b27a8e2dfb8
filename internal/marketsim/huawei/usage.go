package huawei

import (
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// Row is usage that arrived.
type Row struct {
	Number   int       `json:"number"`
	Instance string    `json:"instance"` // as the vendor calls it
	Begin    time.Time `json:"begin"`
	End      time.Time `json:"end"`
	Value    string    `json:"value"`
	SN       string    `json:"metering_sn"`
	At       time.Time `json:"at"`
	Became   string    `json:"became"`             // billed; dropped: another of the same begin and end was first
	Overlaps int       `json:"overlaps,omitempty"` // the number of a row whose window it meets
	Late     bool      `json:"late,omitempty"`     // it came more than two hours after its end
}

// The limits of a push.
const (
	mostRows  = 1000
	longestSN = 64
	oldest    = 21 * 24 * time.Hour
	mostKept  = 500_000
)

type usageRecord struct {
	InstanceID string `json:"instance_id"`
	RecordTime string `json:"record_time"`
	BeginTime  string `json:"begin_time"`
	EndTime    string `json:"end_time"`
	UsageValue string `json:"usage_value"`
	MeteringSN string `json:"metering_sn"`
	Package    string `json:"relate_pkg_instance,omitempty"`
}

// signedUsage verifies what a push is signed with: the body in its three
// headers, and AK and SK where they are wanted, too.
func (s *Sim) signedUsage(c call) answer {
	ts, nonce := c.Header.Get("ts"), c.Header.Get("nonce")
	n, err := strconv.ParseInt(ts, 10, 64)
	switch {
	case err != nil || nonce == "" || s.stage.Signed().Sub(time.UnixMilli(n)).Abs() > time.Duration(s.market.Switches.PushSkew)*time.Second:
		return refuse(http.StatusUnauthorized, "0154", "ts is in milliseconds and of now, nonce is not empty")
	case !hmac.Equal([]byte(usageSignature(s.config.Key, ts, nonce, c.body)), []byte(c.Header.Get("signature"))):
		return refuse(http.StatusBadRequest, "0102", "the signature of the body is another")
	case !ordered(c.body):
		return refuse(http.StatusBadRequest, "0102", "the keys of the body are not in their natural order")
	case s.market.Switches.AKSK:
		return s.signedBySDK(c)
	}
	return answer{}
}

// ordered reports whether all objects of the text have their keys in order.
func ordered(text []byte) bool {
	var any any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&any) != nil {
		return true // that it is no JSON is said elsewhere
	}
	var sorted, given bytes.Buffer
	e := json.NewEncoder(&sorted)
	e.SetEscapeHTML(false)
	if e.Encode(any) != nil || json.Compact(&given, text) != nil {
		return false
	}
	return bytes.Equal(bytes.TrimSpace(sorted.Bytes()), given.Bytes())
}

func (s *Sim) pushUsage(c call) answer {
	if refusal := s.signedUsage(c); refusal.status != 0 {
		return refusal
	}
	var request struct {
		Records *[]usageRecord `json:"usage_records"`
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	err := d.Decode(&request)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			return refuse(http.StatusBadRequest, "0101", "there is more than one document")
		}
	}
	switch {
	case err != nil:
		return refuse(http.StatusBadRequest, "0101", "%v", err)
	case request.Records == nil || len(*request.Records) == 0:
		return refuse(http.StatusBadRequest, "0101", "usage_records is required")
	case len(*request.Records) > mostRows || len(s.market.Rows) > mostKept:
		return refuse(http.StatusInternalServerError, "9003", "a request has at most %d records", mostRows)
	}
	return s.sort(*request.Records, c.fault)
}

// sort parts good rows from abnormal ones, and takes what is to be taken.
func (s *Sim) sort(records []usageRecord, fault stage.Fault) answer {
	var good []Row
	var abnormal []usageRecord
	var first answer
	numbers := map[string]string{}
	for _, u := range records {
		r, refusal := s.row(u)
		if window := u.InstanceID + u.BeginTime + u.EndTime; refusal.status == 0 {
			if used := orElse(numbers[u.MeteringSN], s.market.Numbers[u.MeteringSN]); used != "" && used != window {
				refusal = refuse(http.StatusInternalServerError, "9002", "metering_sn %s is that of another record", u.MeteringSN)
			}
			numbers[u.MeteringSN] = window
		}
		if refusal.status == 0 {
			good = append(good, r)
			continue
		}
		if abnormal = append(abnormal, u); first.status == 0 {
			first = refusal
		}
	}
	takeOthers := s.market.Switches.Abnormal == "take_others"
	if n := min(fault.Rows, len(good)); fault.Kind == stage.Partial && n > 0 {
		for _, r := range good[len(good)-n:] {
			abnormal = append(abnormal, records[slices.IndexFunc(records, func(u usageRecord) bool { return u.MeteringSN == r.SN })])
		}
		good, takeOthers = good[:len(good)-n], true
		first = refuse(http.StatusInternalServerError, "0100", "some records could not be taken")
	}
	if first.status == 0 || takeOthers {
		s.take(good)
	}
	if first.status != 0 {
		first.more = map[string]any{"extra_info": map[string]any{"abnormal_usage_data": abnormal}}
		return first
	}
	return s.success(nil)
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$`)

// row checks what stands in one record.
func (s *Sim) row(u usageRecord) (Row, answer) {
	begin, err1 := time.Parse(usageTime, u.BeginTime)
	end, err2 := time.Parse(usageTime, u.EndTime)
	_, err3 := time.Parse(usageTime, u.RecordTime)
	i, now := s.instance(u.InstanceID), s.stage.Now()
	bad := func(code, format string, args ...any) (Row, answer) {
		return Row{}, refuse(http.StatusInternalServerError, code, format, args...)
	}
	switch {
	case err1 != nil || err2 != nil || err3 != nil:
		return Row{}, refuse(http.StatusBadRequest, "0101", "begin_time, end_time and record_time are yyyyMMddTHHmmssZ")
	case u.MeteringSN == "" || len(u.MeteringSN) > longestSN:
		return Row{}, refuse(http.StatusBadRequest, "0101", "metering_sn has 1 to %d characters", longestSN)
	case i == nil || i.ID != u.InstanceID || i.Mode != "ON_DEMAND" && i.Mode != "ON_DEMAND_PKG":
		return bad("9001", "there is no pay-per-use instance %q", u.InstanceID)
	case !decimal.MatchString(u.UsageValue) || strings.Trim(u.UsageValue, "0.") == "":
		return bad("9002", "usage_value is more than 0, with at most 4 decimals")
	case u.Package != "" && s.instance(u.Package) == nil:
		return bad("9001", "there is no package instance %q", u.Package)
	case begin.After(end) || end.After(now):
		return bad("9002", "begin_time is not after end_time, and that not after now")
	case begin.Before(i.CreatedAt.Truncate(time.Second)):
		return bad("9002", "begin_time is before the resource")
	case !i.ClosedAt.IsZero() && end.After(i.ClosedAt):
		return bad("9002", "end_time is after the resource was closed")
	case now.Sub(begin) > oldest:
		return bad("9004", "begin_time is more than 21 days ago")
	}
	return Row{
		Instance: i.ID, Begin: begin, End: end, Value: u.UsageValue, SN: u.MeteringSN, At: now, Became: "billed", Late: now.Sub(end) > 2*time.Hour,
	}, answer{}
}

// take keeps rows. One whose begin and end were there before is dropped in
// silence. It is the only place that changes what is billed.
func (s *Sim) take(rows []Row) {
	for _, r := range rows {
		for _, k := range slices.Backward(s.market.Rows) {
			if k.Instance != r.Instance || k.Became == "dropped" {
				continue
			}
			if k.Begin.Equal(r.Begin) && k.End.Equal(r.End) {
				r.Became, r.Overlaps = "dropped", 0
				break
			}
			if k.Begin.Before(r.End) && r.Begin.Before(k.End) {
				r.Overlaps = k.Number
			}
		}
		r.Number = len(s.market.Rows) + 1
		s.market.Rows = append(s.market.Rows, r)
		s.market.Numbers[r.SN] = r.Instance + r.Begin.Format(usageTime) + r.End.Format(usageTime)
	}
}

// Accepted lists the rows that were taken, in their order, with those that were
// dropped.
func (s *Sim) Accepted() []Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Row{}, s.market.Rows...)
}

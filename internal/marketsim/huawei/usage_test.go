package huawei

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/marketsim/stage"
)

func record(instance string, from, to time.Time, value, sn string) string {
	return fmt.Sprintf(`{"begin_time":%q,"end_time":%q,"instance_id":%q,"metering_sn":%q,"record_time":%q,"usage_value":%q}`,
		from.Format(usageTime), to.Format(usageTime), instance, sn, to.Format(usageTime), value)
}

func (w *world) push(records ...string) string {
	w.t.Helper()
	status, reply := w.call(http.MethodPost, api+"isv/usage-data", `{"usage_records":[`+strings.Join(records, ",")+`]}`, nil)
	return fmt.Sprint(status, " ", reply["error_code"])
}

func TestALimitThatIsBrokenTakesNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	id, card := w.bought("p-use")["instance"], w.bought("p-card")["instance"]
	from, to := begin, begin.Add(time.Hour)
	w.at(to.Add(5 * time.Minute))
	good := record(id, from, to, "1.5", "sn1")
	edit := func(old, new string) []string {
		return []string{good, strings.Replace(strings.Replace(good, old, new, 1), "sn1", "sn2", 1)}
	}
	many := make([]string, 1001)
	for i := range many {
		many[i] = good
	}
	for name, c := range map[string]struct {
		records []string
		want    string
	}{
		"1001 records":         {many, "500 MKT.9003"},
		"none":                 {nil, "400 MKT.0101"},
		"an unknown instance":  {edit(id, "i-0"), "500 MKT.9001"},
		"a card":               {edit(id, card), "500 MKT.9001"},
		"nothing used":         {edit("1.5", "0.0000"), "500 MKT.9002"},
		"five decimals":        {edit("1.5", "1.50001"), "500 MKT.9002"},
		"a negative value":     {edit("1.5", "-1.5"), "500 MKT.9002"},
		"an exponent":          {edit("1.5", "1e3"), "500 MKT.9002"},
		"a number, not a text": {edit(`"1.5"`, `1.5`), "400 MKT.0101"},
		"no serial number":     {[]string{record(id, from, to, "1", "")}, "400 MKT.0101"},
		"a long serial number": {[]string{record(id, from, to, "1", strings.Repeat("x", 65))}, "400 MKT.0101"},
		"a number used twice":  {[]string{good, record(id, from, to.Add(-time.Minute), "1", "sn1")}, "500 MKT.9002"},
		"another form of time": {edit("20261120T080000Z", "2026-11-20T08:00:00Z"), "400 MKT.0101"},
		"an end before":        {[]string{record(id, to, from, "1", "sn2")}, "500 MKT.9002"},
		"the future":           {[]string{record(id, from, to.Add(time.Hour), "1", "sn2")}, "500 MKT.9002"},
		"before the resource":  {[]string{record(id, from.Add(-time.Hour), to, "1", "sn2")}, "500 MKT.9002"},
		"an unknown member":    {[]string{strings.Replace(good, `"usage_value"`, `"price":"1","usage_value"`, 1)}, "400 MKT.0102"},
		"keys out of order":    {[]string{strings.Replace(good, `{`, `{"usage_value":"2",`, 1)}, "400 MKT.0102"},
	} {
		if got := w.push(c.records...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := w.sim.Accepted(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := w.push(good); got != "200 MKT.0000" {
		t.Error(got)
	}
}

func TestUsageIsTakenForTwentyOneDaysAndUntilTheClose(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.at(begin.Add(21 * 24 * time.Hour))
	if got := w.push(record(id, begin, begin.Add(time.Hour), "1", "a")); got != "200 MKT.0000" || !w.sim.Accepted()[0].Late {
		t.Error(got)
	}
	w.pass(time.Second)
	if got := w.push(record(id, begin, begin.Add(2*time.Hour), "1", "b")); got != "500 MKT.9004" {
		t.Error(got)
	}
	closed := begin.Add(21*24*time.Hour + time.Second)
	w.act("release", "instance", id)
	w.pass(time.Hour)
	if got := w.push(record(id, closed.Add(-time.Hour), closed.Add(time.Second), "1", "c")); got != "500 MKT.9002" {
		t.Error(got)
	}
	if got := w.push(record(id, closed.Add(-time.Hour), closed, "1", "d")); got != "200 MKT.0000" {
		t.Error(got)
	}
}

func TestAPushIsSignedTwice(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.pass(2 * time.Hour)
	body := `{"usage_records":[` + record(id, begin, begin.Add(time.Hour), "1", "a") + `]}`
	push := func(spoil func(*http.Request)) string {
		status, reply := w.call(http.MethodPost, api+"isv/usage-data", body, spoil)
		return fmt.Sprint(status, " ", reply["error_code"])
	}
	for name, c := range map[string]struct {
		spoil func(*http.Request)
		want  string
	}{
		"another body": {func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, `"1"`, `"2"`, 1)))
		}, "400 MKT.0102"},
		"no nonce":     {func(r *http.Request) { r.Header.Del("nonce") }, "401 MKT.0154"},
		"an old ts":    {func(r *http.Request) { r.Header.Set("ts", "1709690865879") }, "401 MKT.0154"},
		"no AK and SK": {func(r *http.Request) { r.Header.Del("Authorization") }, "401 MKT.0154"},
	} {
		if got := push(c.spoil); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	w.flip(`{"usage_ak_sk": false}`)
	if got := push(func(r *http.Request) { r.Header.Del("Authorization") }); got != "200 MKT.0000" {
		t.Error(got)
	}
}

func TestAbnormalRowsAreNamedAndTheOthersTakenAsSwitched(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.pass(2 * time.Hour)
	rows := []string{record(id, begin, begin.Add(time.Hour), "1", "a"), record(id, begin.Add(time.Hour), begin.Add(2*time.Hour), "0", "b")}
	body := `{"usage_records":[` + strings.Join(rows, ",") + `]}`
	_, reply := w.call(http.MethodPost, api+"isv/usage-data", body, nil)
	if text := fmt.Sprint(reply["extra_info"]); !strings.Contains(text, "abnormal_usage_data") || !strings.Contains(text, "metering_sn:b") || strings.Contains(text, "metering_sn:a") || len(w.sim.Accepted()) != 0 {
		t.Errorf("%v", reply)
	}
	w.flip(`{"abnormal_rows": "take_others"}`)
	if got := w.push(rows...); got != "500 MKT.9002" || len(w.sim.Accepted()) != 1 {
		t.Errorf("%s, %d rows", got, len(w.sim.Accepted()))
	}
	if err := w.stage.Ask(stage.Fault{Cloud: Cloud, Operation: "isv/usage-data", Kind: stage.Partial, Rows: 1}); err != nil {
		t.Fatal(err)
	}
	third := record(id, begin.Add(time.Hour), begin.Add(90*time.Minute), "1", "c")
	if got := w.push(rows[0], third); got != "500 MKT.0100" || len(w.sim.Accepted()) != 2 {
		t.Errorf("%s, %d rows", got, len(w.sim.Accepted()))
	}
	if got := w.push(third); got != "200 MKT.0000" {
		t.Error(got)
	}
}

// Whatever comes again, with whatever value, of an instance and a window the
// first value is billed, and nothing says that another was dropped.
func TestTheFirstOfAWindowIsBilledInSilence(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.pass(10 * time.Hour)
	model, number := map[time.Time]string{}, 0
	rapid.Check(t, func(t *rapid.T) {
		var batch []string
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			from := begin.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "hour")) * time.Hour)
			value := rapid.StringMatching(`[1-9][0-9]{0,3}(\.[0-9]{1,4})?`).Draw(t, "value")
			number++
			batch = append(batch, record(id, from, from.Add(time.Hour), value, fmt.Sprint("sn", number)))
			if model[from] == "" {
				model[from] = value
			}
		}
		if got := w.push(batch...); got != "200 MKT.0000" {
			t.Fatal(got)
		}
		billed := map[time.Time]string{}
		for _, r := range w.sim.Accepted() {
			if r.Became == "billed" {
				if billed[r.Begin] != "" {
					t.Fatalf("%s is billed twice", r.Begin)
				}
				billed[r.Begin] = r.Value
			}
		}
		for from, value := range model {
			if billed[from] != value {
				t.Fatalf("%s: %s, want %s", from, billed[from], value)
			}
		}
	})
}

func TestWindowsThatMeetAreNamed(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.pass(3 * time.Hour)
	w.push(record(id, begin, begin.Add(time.Hour), "1", "a"), record(id, begin.Add(time.Hour), begin.Add(2*time.Hour), "1", "b"))
	w.push(record(id, begin.Add(30*time.Minute), begin.Add(time.Hour), "1", "c"))
	got := w.sim.Accepted()
	if len(got) != 3 || got[1].Overlaps != 0 || got[2].Overlaps != 1 {
		t.Errorf("%+v", got)
	}
}

func TestFaultsHappenOncePerCall(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-use")["instance"]
	w.pass(2 * time.Hour)
	row := record(id, begin, begin.Add(time.Hour), "1", "a")
	for _, kind := range []stage.FaultKind{stage.Throttle, stage.Failure, stage.Severed, stage.Lost} {
		if err := w.stage.Ask(stage.Fault{Cloud: Cloud, Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{"406 MKT.0250", "500 MKT.0999", "0 <nil>", "0 <nil>", "200 MKT.0000"} {
		if got := w.push(row); got != want {
			t.Errorf("%d: %s, want %s", i, got, want)
		}
	}
	if got := w.sim.Accepted(); len(got) != 2 || got[0].Became != "billed" || got[1].Became != "dropped" {
		t.Errorf("%+v", got)
	}
}

func TestThePagesBuyAndShowAnInstance(t *testing.T) {
	t.Parallel()
	w := open(t)
	response, err := http.Post(w.server.URL+"/do", "application/x-www-form-urlencoded", strings.NewReader("action=buy&product=p-use&customer="+customer))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	w.settled()
	for language, want := range map[string]string{"en": "Unsubscribe, with refund", "zh": "退订并退款"} {
		got, err := http.Get(w.server.URL + response.Request.URL.Path + "?lang=" + language)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "newInstance") {
			t.Errorf("%s: %v", language, err)
		}
	}
	if got, err := http.Post(w.server.URL+"/do", "application/x-www-form-urlencoded", strings.NewReader("action=buy&customer=1")); err != nil || got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an account of one digit: %v", err)
	}
}

func FuzzPushUsage(f *testing.F) {
	f.Add(`{"usage_records":[{"begin_time":"20261120T080000Z","end_time":"20261120T080000Z","instance_id":"i","metering_sn":"s","record_time":"20261120T080000Z","usage_value":"1"}]}`)
	f.Add(`{"usage_records":[null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := open(t)
		w.bought("p-use")
		status, reply := w.call(http.MethodPost, api+"isv/usage-data", body, nil)
		if code, _ := reply["error_code"].(string); status == 0 || !strings.HasPrefix(code, "MKT.") || status != http.StatusOK && len(w.sim.Accepted()) != 0 {
			t.Fatalf("%d %v", status, reply)
		}
	})
}

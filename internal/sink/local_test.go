package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/meter"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

type fataler interface {
	Helper()
	Fatal(...any)
}

func open(t fataler, dir string) *Local {
	t.Helper()
	l, err := OpenLocal(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func fresh(t *testing.T) *Local {
	l := open(t, t.TempDir())
	t.Cleanup(func() { l.Close() })
	return l
}

func line(text string, at time.Time) meter.Point {
	return meter.Point{Name: "nginx", Tags: []meter.Tag{{Key: "host", Value: "web-1"}}, Fields: []meter.Field{{Key: "message", Value: meter.Text(text)}}, Time: at, Stamped: true}
}

func report(key byte, at time.Time, points ...meter.Point) Report {
	return Report{Key: Key{key}, WorkspaceID: "w1", Generation: 1, Type: meter.Logging, Class: "7d", Received: at, Points: points}
}

func write(t fataler, s Sink, reports ...Report) {
	t.Helper()
	if err := s.Write(context.Background(), reports); err != nil {
		t.Fatal(err)
	}
}

func messages(t fataler, s Sink, q Query) []string {
	t.Helper()
	if q.WorkspaceID == "" {
		q.WorkspaceID, q.Generation = "w1", 1
	}
	if q.At.IsZero() {
		q.At = noon
	}
	q.Limit = max(q.Limit, 100)
	page, err := s.Query(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, r := range page.Records {
		list = append(list, r.Field("message"))
	}
	return list
}

func want(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestARecordComesBackWhole(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	at := noon.Add(-1234567 * time.Nanosecond)
	p := meter.Point{Name: "cpu", Tags: []meter.Tag{{Key: "a\"b", Value: "中\n"}, {Key: "z", Value: "\xff"}}, Time: at, Fields: []meter.Field{
		{Key: "i", Value: meter.Int(-1 << 63)}, {Key: "u", Value: meter.Uint(1<<64 - 1)}, {Key: "f", Value: meter.Float(0.1)}, {Key: "nan", Value: meter.Float(math.NaN())},
		{Key: "big", Value: meter.Float(1e300)}, {Key: "b", Value: meter.Bool(true)}, {Key: "s", Value: meter.Text("x\\\"\x00")}, {Key: "d", Value: meter.Bytes("\x01\x02")}}}
	r := report(1, noon, p)
	r.Type, r.Class = meter.Metric, "30d"
	write(t, l, r)
	page, err := l.Query(context.Background(), Query{WorkspaceID: "w1", Generation: 1, At: noon, Limit: 10})
	if err != nil || len(page.Records) != 1 {
		t.Fatalf("got %v, %v", page, err)
	}
	got := page.Records[0]
	wantRecord := Record{Type: meter.Metric, Name: "cpu", Time: at, Received: noon, Class: "30d", ExpiresAt: noon.Add(30 * 24 * time.Hour),
		Tags:   []Pair{{"a\"b", "中\n"}, {"z", "\ufffd"}},
		Fields: []Pair{{"i", "-9223372036854775808"}, {"u", "18446744073709551615"}, {"f", "0.1"}, {"nan", "NaN"}, {"big", "1e+300"}, {"b", "true"}, {"s", "x\\\"\x00"}, {"d", "AQI="}}}
	if fmt.Sprint(got) != fmt.Sprint(wantRecord) {
		t.Errorf("got  %+v\nwant %+v", got, wantRecord)
	}
	if got.Field("u") != "18446744073709551615" || got.Field("z") != "\ufffd" || got.Field("no") != "" {
		t.Error("Field does not find its value")
	}
}

func TestNoWorkspaceOrGenerationSeesAnother(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	other, old := report(1, noon, line("other workspace", noon)), report(1, noon, line("old generation", noon))
	other.WorkspaceID, old.Generation = "w2", 2
	write(t, l, report(1, noon, line("mine", noon)), other, old)
	want(t, messages(t, l, Query{}), "mine")
	want(t, messages(t, l, Query{WorkspaceID: "w2", Generation: 1}), "other workspace")
	want(t, messages(t, l, Query{WorkspaceID: "w1", Generation: 2}), "old generation")
	want(t, messages(t, l, Query{WorkspaceID: "w1", Generation: 3}))
}

func TestAReportIsStoredOnceHoweverOftenItComes(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	late := time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)
	write(t, l, report(1, late, line("a", late)), report(1, late, line("a", late)))
	write(t, l, report(1, late, line("a", late)))
	write(t, l, report(1, late.Add(2*time.Second), line("a", late))) // in the next day's file
	want(t, messages(t, l, Query{}), "a")
	again := report(1, late, line("b", late))
	again.Repeatable = true
	write(t, l, again)
	want(t, messages(t, l, Query{}), "b", "a")
}

func TestTheTextFilterLooksEverywhereInAnyCase(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	write(t, l, report(1, noon, line("GET /Index \"quoted\" Ärger 50%", noon), line("other", noon.Add(-time.Second))))
	for text, n := range map[string]int{
		"": 2, "nginx": 2, "WEB-1": 2, "host": 2, "index": 1, "\"QUOTED\"": 1, "ärger": 1, "50%": 1, "5_%": 0, "none": 0, "' OR 1=1 --": 0,
	} {
		if got := messages(t, l, Query{Text: text}); len(got) != n {
			t.Errorf("%q: found %q, want %d", text, got, n)
		}
	}
}

func TestExpiredRecordsAreNotFoundAndTheirFilesGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	long := report(2, noon, line("long", noon))
	long.Class = "30d"
	write(t, l, report(1, noon, line("short", noon)), long)
	week := noon.Add(7 * 24 * time.Hour)
	want(t, messages(t, l, Query{At: week.Add(-time.Second)}), "long", "short")
	want(t, messages(t, l, Query{At: week}), "long")
	ctx := context.Background()
	if err := l.Expire(ctx, week.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	want(t, messages(t, l, Query{}), "long")
	if err := l.Expire(ctx, noon.Add(31*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*")); len(names) != 0 {
		t.Errorf("left in the folder: %v", names)
	}
	want(t, messages(t, l, Query{}))
	write(t, l, report(3, noon, line("late", noon)))
	want(t, messages(t, l, Query{}), "late")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestRecordsSurviveAReopen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	var clients sync.WaitGroup
	for i := range 20 {
		clients.Go(func() { write(t, l, report(byte(i), noon, line(fmt.Sprint(i), noon))) })
	}
	clients.Wait()
	if err := errors.Join(l.Close(), l.Close()); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(context.Background(), []Report{report(99, noon)}); !errors.Is(err, errClosed) {
		t.Errorf("a closed sink says %v", err)
	}
	l = open(t, dir)
	defer l.Close()
	if got := messages(t, l, Query{}); len(got) != 20 {
		t.Errorf("found %d of 20", len(got))
	}
}

func TestAClassThatIsNoTimeIsAnError(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	for _, class := range []string{"", "7", "d", "-1d", "0d", "none", "99999d"} {
		r := report(1, noon)
		r.Class = class
		if err := l.Write(context.Background(), []Report{r}); err == nil {
			t.Errorf("class %q was taken", class)
		}
	}
}

func TestADiskThatFailsIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := open(t, dir)
	defer l.Close()
	if err := os.Mkdir(filepath.Join(dir, "2026-03-01"+suffix), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Write(context.Background(), []Report{report(1, noon, line("a", noon))}); err == nil {
		t.Error("a folder in place of the file was taken for success")
	}
}

func TestPagesFollowTheOrderAcrossFiles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "sink")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		l := open(t, dir)
		defer l.Close()
		var all []string
		hours := map[int64]int64{}
		for i := range rapid.IntRange(1, 12).Draw(t, "reports") {
			received := noon.Add(time.Duration(rapid.IntRange(-72, 0).Draw(t, "received")) * time.Hour)
			r := report(byte(i), received)
			r.Type = rapid.SampledFrom(meter.Types()).Draw(t, "type")
			for j := range rapid.IntRange(0, 4).Draw(t, "points") {
				at := received.Add(time.Duration(rapid.IntRange(-48, 24).Draw(t, "at")) * time.Hour)
				text := fmt.Sprintf("%020d.%02d.%d", at.UnixNano(), i, j)
				r.Points = append(r.Points, line(text, at))
				all = append(all, text)
				hours[at.Unix()/7200]++
			}
			write(t, l, r)
		}
		var got []string
		q := Query{WorkspaceID: "w1", Generation: 1, At: noon, Limit: rapid.IntRange(1, 7).Draw(t, "limit")}
		for last := math.MaxInt; ; {
			page, err := l.Query(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				if int(r.Time.Unix()) > last {
					t.Fatal("not newest first")
				}
				last = int(r.Time.Unix())
				got = append(got, r.Field("message"))
			}
			if q.Before = page.Next; q.Before == "" {
				break
			}
		}
		slices.Sort(all)
		slices.Sort(got)
		if !slices.Equal(all, got) {
			t.Fatalf("pages gave %d records, want %d", len(got), len(all))
		}
		from := noon.Add(-130 * time.Hour).Truncate(2 * time.Hour)
		list, err := l.Histogram(context.Background(), Query{WorkspaceID: "w1", Generation: 1, At: noon, From: from, To: noon.Add(30 * time.Hour)}, 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range list {
			if b.Count != hours[b.Start.Unix()/7200] {
				t.Fatalf("%v: counted %d, want %d", b.Start, b.Count, hours[b.Start.Unix()/7200])
			}
		}
	})
}

func TestAQueryIsBoundByTimeAndType(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	event := report(2, noon, line("event", noon))
	event.Type = meter.Event
	write(t, l, report(1, noon, line("early", noon.Add(-time.Hour)), line("late", noon)), event)
	want(t, messages(t, l, Query{Type: meter.Logging, From: noon}), "late")
	want(t, messages(t, l, Query{Type: meter.Logging, To: noon}), "early")
	want(t, messages(t, l, Query{Type: meter.Event}), "event")
	want(t, messages(t, l, Query{Type: meter.Metric}))
	for _, cursor := range []string{"x", "1.2.3", "1.2026-03-01.x", "..", "1.2026-03-01"} {
		if _, err := l.Query(context.Background(), Query{Before: cursor}); !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q: got %v", cursor, err)
		}
	}
}

func TestDiscardKeepsNothing(t *testing.T) {
	t.Parallel()
	var s Sink = Discard{}
	write(t, s, report(1, noon, line("a", noon)))
	want(t, messages(t, s, Query{}))
	list, err := s.Histogram(context.Background(), Query{From: noon, To: noon.Add(time.Hour)}, time.Minute)
	if err != nil || len(list) != 60 {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := s.Histogram(context.Background(), Query{From: noon, To: noon.Add(time.Hour)}, time.Second); err == nil {
		t.Error("a histogram without bound")
	}
}

func BenchmarkWrite1000(b *testing.B) {
	l := open(b, b.TempDir())
	defer l.Close()
	points := make([]meter.Point, 1000)
	for i := range points {
		points[i] = line(fmt.Sprint("GET /index.html HTTP/1.1 200 ", i), noon)
	}
	for i := 0; b.Loop(); i++ {
		r := report(0, noon, points...)
		r.Repeatable = true
		write(b, l, r)
	}
}

package usage

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
)

var (
	hangzhou  = zone("Asia/Shanghai")
	frankfurt = zone("Europe/Berlin")
)

func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return found
}

// changes draws changes of a day: few keys, so that they meet.
func changes(t *rapid.T, hours []time.Time) []Change {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Change {
		return Change{
			Item:     rapid.SampledFrom([]string{"logs", "timeseries", "apm_trace", "rum_pv", "nonsense"}).Draw(t, "item"),
			Counter:  rapid.SampledFrom([]string{"", "", "spans"}).Draw(t, "counter"),
			Class:    rapid.SampledFrom([]string{"3d", "7d", "14d", "none"}).Draw(t, "class"),
			Index:    rapid.SampledFrom([]string{"", "", "nginx", "审计"}).Draw(t, "index"),
			Hour:     rapid.SampledFrom(hours).Draw(t, "hour"),
			Quantity: rapid.OneOf(rapid.Int64Range(-3, 200), rapid.Int64Range(0, 1<<55)).Draw(t, "quantity"),
			Raise:    rapid.Bool().Draw(t, "raise"),
		}
	}), 0, 40).Draw(t, "changes")
}

// plainly is what changes come to in a map.
func plainly(all []Change) []Sample {
	type place struct {
		Key
		hour time.Time
	}
	sums := map[place]int64{}
	for _, c := range all {
		p := place{Key{"wksp_a", 2, c.Item, c.Counter, c.Class, c.Index}, c.Hour.UTC()}
		if c.Raise {
			sums[p] = max(sums[p], c.Quantity)
		} else {
			sums[p] += c.Quantity
		}
	}
	var samples []Sample
	for p, q := range sums {
		samples = append(samples, Sample{p.Key, p.hour, q})
	}
	slices.SortFunc(samples, func(a, b Sample) int {
		return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Item, b.Item), cmp.Compare(a.Counter, b.Counter), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Index, b.Index))
	})
	return samples
}

func windows(t *rapid.T, whole Window) Window {
	from := rapid.IntRange(-3, 30).Draw(t, "from")
	to := rapid.IntRange(from, 40).Draw(t, "to")
	return Window{whole.From.Add(time.Duration(from) * 30 * time.Minute), whole.From.Add(time.Duration(to) * time.Hour)}
}

func TestARecordHoldsWhatAMapHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]*time.Location{hangzhou, time.UTC, frankfurt}).Draw(t, "zone")
		day := rapid.SampledFrom([]period.Day{period.MustParseDay("2026-03-29"), period.MustParseDay("2026-10-25"), period.MustParseDay("2026-06-01")}).Draw(t, "day")
		record, all := NewRecord(day, zone), []Change{}
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			more := changes(t, day.Hours(zone))
			changed, err := record.With(more)
			if err != nil {
				t.Fatal(err)
			}
			record, all = changed, append(all, more...)
		}
		window := windows(t, Of(day, zone))
		want := slices.DeleteFunc(plainly(all), func(s Sample) bool { return s.Hour.Before(window.From) || !s.Hour.Before(window.To) })
		got, err := record.Samples(nil, Key{WorkspaceID: "wksp_a", Generation: 2}, window)
		if err != nil || !slices.EqualFunc(got, want, func(a, b Sample) bool { return a.Key == b.Key && a.Hour.Equal(b.Hour) && a.Quantity == b.Quantity }) {
			t.Fatalf("got %v, %v\nwant %v", got, err, want)
		}
		if any, err := record.Any(window); err != nil || any != (len(want) > 0) {
			t.Errorf("any is %v, %v of %d samples", any, err, len(want))
		}
		same, err := NewRecord(day, zone).With(all)
		if err != nil || string(same) != string(record) {
			t.Errorf("the same changes at once make another record, %v", err)
		}
	})
}

// TestRecordsCountAsTheirSamplesDo compares the two ways to day quantities,
// with one counter for many records.
func TestRecordsCountAsTheirSamplesDo(t *testing.T) {
	t.Parallel()
	v, err := catalog.Default().At(period.MustParseDay("2026-06-01"))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		day, counter := period.MustParseDay("2026-06-01"), NewCounter(v)
		for range rapid.IntRange(1, 5).Draw(t, "records") {
			record, err := NewRecord(day, hangzhou).With(changes(t, day.Hours(hangzhou)))
			if err != nil {
				t.Fatal(err)
			}
			window := windows(t, Of(day, hangzhou))
			samples, err := record.Samples(nil, Key{}, window)
			if err != nil {
				t.Fatal(err)
			}
			want, wrong := Quantities(v, samples)
			got, err := counter.Quantities(record, window)
			if (wrong == nil) != (err == nil) || wrong == nil && !slices.Equal(got, want) {
				t.Fatalf("counted %v, %v\nwant %v, %v", got, err, want, wrong)
			}
			if err != nil && fault.From(err).Code == fault.From(errRecord).Code {
				t.Fatalf("%v", err)
			}
		}
	})
}

func TestARecordRefusesWhatItCannotHold(t *testing.T) {
	t.Parallel()
	day := period.MustParseDay("2026-06-01")
	start := day.Start(hangzhou)
	full, err := NewRecord(day, hangzhou).With([]Change{{Item: "logs", Class: "14d", Hour: start, Quantity: 1<<63 - 1}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Change{
		"an hour before the day": {Item: "logs", Hour: start.Add(-time.Hour)},
		"an hour far behind it":  {Item: "logs", Hour: start.Add(40 * time.Hour)},
		"half an hour":           {Item: "logs", Hour: start.Add(30 * time.Minute)},
		"a word without end":     {Item: fmt.Sprintf("%200d", 1), Hour: start},
		"an index without end":   {Item: "logs", Index: fmt.Sprintf("%256d", 1), Hour: start},
		"more than fits":         {Item: "logs", Class: "14d", Hour: start, Quantity: 1},
	} {
		if _, err := full.With([]Change{c}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// TestARecordOfBeforeThereWereIndexesIsReadAsItWas holds the first version's
// bytes fixed: installations have them, and keep them while they route nothing.
func TestARecordOfBeforeThereWereIndexesIsReadAsItWas(t *testing.T) {
	t.Parallel()
	day := period.MustParseDay("2026-06-01")
	first := day.Start(hangzhou)
	old := NewRecord(day, hangzhou)
	old = append(old, "\x04logs\x00\x0314d\x05\x02\x04"...) // 1 in the first hour and 2 in the third
	changed, err := old.With([]Change{{Item: "logs", Class: "14d", Hour: first, Quantity: 1}})
	if err != nil || string(changed) != string(NewRecord(day, hangzhou))+"\x04logs\x00\x0314d\x05\x04\x04" {
		t.Fatalf("%q, %v", changed, err)
	}
	indexed, err := changed.With([]Change{{Item: "logs", Class: "3d", Index: "nginx", Hour: first, Quantity: 7}})
	if err != nil {
		t.Fatal(err)
	}
	key := Key{WorkspaceID: "wksp_a", Generation: 2, Item: "logs"}
	samples, err := indexed.Samples(nil, key, Of(day, hangzhou))
	plain, named := key, key
	plain.Class, named.Class, named.Index = "14d", "3d", "nginx"
	if want := []Sample{{plain, first.UTC(), 2}, {named, first.UTC(), 7}, {plain, first.UTC().Add(2 * time.Hour), 2}}; err != nil || !slices.Equal(samples, want) {
		t.Errorf("%v, %v, want %v", samples, err, want)
	}
}

// TestEachIndexIsAQuantityOfItsOwn keeps indexes of one class apart too.
func TestEachIndexIsAQuantityOfItsOwn(t *testing.T) {
	t.Parallel()
	v, err := catalog.Default().At(period.MustParseDay("2026-06-01"))
	if err != nil {
		t.Fatal(err)
	}
	sample := func(class, index string, q int64) Sample {
		return Sample{Key: Key{Item: "logs", Class: class, Index: index}, Quantity: q}
	}
	got, err := Quantities(v, []Sample{sample("14d", "b", 1), sample("14d", "", 2), sample("3d", "b", 4), sample("14d", "a", 8), sample("14d", "b", 16)})
	want := "[{logs 3d b 4} {logs 14d  2} {logs 14d a 8} {logs 14d b 17}]"
	if err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v, %v\nwant %s", got, err, want)
	}
}

// FuzzRecord reads anything: it is read or refused, never a panic, and what is
// read and written again is read as the same.
func FuzzRecord(f *testing.F) {
	day := period.MustParseDay("2026-06-01")
	record, err := NewRecord(day, hangzhou).With([]Change{
		{Item: "logs", Class: "14d", Hour: day.Start(hangzhou), Quantity: 300}, {Item: "apm_trace", Counter: "spans", Class: "7d", Hour: day.Start(hangzhou).Add(time.Hour), Quantity: 1},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(record))
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, text []byte) {
		always := Window{To: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
		samples, err := Record(text).Samples(nil, Key{}, always)
		if err != nil || len(text) == 0 {
			return
		}
		again, err := Record(text).With(nil)
		if err != nil {
			t.Fatal(err)
		}
		back, err := again.Samples(nil, Key{}, always)
		if err != nil || !maps.Equal(bySample(samples), bySample(back)) {
			t.Fatalf("%v became %v, %v", samples, back, err)
		}
	})
}

func bySample(samples []Sample) map[Sample]int {
	counts := map[Sample]int{}
	for _, s := range samples {
		counts[s]++
	}
	return counts
}

// TestRecordsInARoomKeepTheirBytes fills a room beyond its first piece, and
// again after it was emptied.
func TestRecordsInARoomKeepTheirBytes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var room Room
		for range 2 {
			room.Empty()
			var kept []Record
			var want [][]byte
			for _, size := range rapid.SliceOfN(rapid.IntRange(0, 100_000), 1, 20).Draw(t, "sizes") {
				record := bytes.Repeat([]byte{byte(len(want))}, size)
				kept, want = append(kept, room.Keep(record)), append(want, record)
			}
			for i := range want {
				if !bytes.Equal(kept[i], want[i]) || cap(kept[i]) != len(kept[i]) {
					t.Fatalf("record %d of %d bytes was changed", i, len(want[i]))
				}
			}
		}
	})
}

// Command compare holds the decoders and the set of the meter against those of
// others, in one process: the processor time of each in turn, and the medians of
// the ratios within each round.
package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	vmprompb "github.com/VictoriaMetrics/VictoriaMetrics/lib/prompb"
	vminflux "github.com/VictoriaMetrics/VictoriaMetrics/lib/protoparser/influx"
	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/prometheus/prometheus/prompb"
	"github.com/zeebo/xxh3"

	"tollgate.dev/internal/meter"
)

// noon is when the reports come in.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func main() {
	rounds := 5
	if text := os.Getenv("ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			log.Fatalf("compare: ROUNDS=%s is no number", text)
		}
		rounds = n
	}
	c := meter.NewCounter([32]byte{1})
	r := rand.New(rand.NewPCG(1, 2))
	var wide, narrow []byte
	for i := range 3_334 {
		wide = wideLine(wide, r, i)
	}
	for i := range 10_000 {
		narrow = narrowLine(narrow, r, i)
	}
	lines(c, "wide lines", wide, rounds)
	lines(c, "narrow lines", narrow, rounds)
	remoteWrite(c, rounds)
	set(r, rounds)
	memory(c)
}

// work is what is measured: so much of it, as often as asked.
type work struct {
	name string
	do   func()
}

// times runs each work in turn for a fifth of a second a round; they are
// nanoseconds of one run, in each round.
func times(rounds int, list ...work) [][]int64 {
	all := make([][]int64, len(list))
	for range rounds {
		for i, w := range list {
			n, before, taken := int64(0), processorTime(), time.Duration(0)
			for taken < 200*time.Millisecond {
				w.do()
				n++
				taken = processorTime() - before
			}
			all[i] = append(all[i], int64(taken)/n)
		}
	}
	return all
}

func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(list []int64) int64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// held prints how many times as long another takes, and the goal in hundredths.
func held(what string, other, ours []int64, goal int64) {
	var ratios []int64
	for i := range other {
		ratios = append(ratios, other[i]*100/max(1, ours[i]))
	}
	got, word := median(ratios), "reached"
	if got < goal {
		word = "MISSED"
	}
	fmt.Printf("%s: %d.%02d times, goal %d.%02d: %s\n", what, got/100, got%100, goal/100, goal%100, word)
}

// steady is the Known of a workspace whose series are settled.
func steady(scan func(*meter.Known) (meter.Digest, bool)) *meter.Known {
	k := meter.NewKnown(meter.NewBudget(1 << 30))
	if d, ok := scan(k); ok {
		k.Learn(d)
	}
	if d, ok := scan(k); !ok || len(d.Tally[0].Members) > 0 {
		log.Fatal("compare: the report is not read in place")
	}
	return k
}

func lines(c meter.Counter, name string, body []byte, rounds int) {
	at := noon
	k := steady(func(k *meter.Known) (meter.Digest, bool) { return c.ScanLines(body, 1, at, k) })
	var rows vminflux.Rows
	text := unsafe.String(unsafe.SliceData(body), len(body))
	seen := map[uint64]struct{}{}
	all := times(rounds,
		work{"in place", func() {
			if _, ok := c.ScanLines(body, 1, at, k); !ok {
				log.Fatal("compare: not in place")
			}
		}},
		work{"VictoriaMetrics", func() {
			if err := rows.Unmarshal(text); err != nil {
				log.Fatal(err)
			}
		}},
		work{"influxdata and a map", func() { influxdata(body, seen) }},
		work{"decoded", func() {
			points, err := meter.DecodeLines(body, 1, at)
			if err != nil {
				log.Fatal(err)
			}
			c.Count(meter.Metric, points, meter.Options{})
		}},
	)
	fmt.Printf("%s, %d bytes: scan and exact count %d µs, VictoriaMetrics' parser %d, influxdata's decoder and a map %d, our plain decoder and count %d\n",
		name, len(body), median(all[0])/1000, median(all[1])/1000, median(all[2])/1000, median(all[3])/1000)
	held(name+": VictoriaMetrics' parser", all[1], all[0], 250)
	held(name+": influxdata's decoder with a map", all[2], all[0], 600)
}

// influxdata puts the hash of each series into a map.
func influxdata(body []byte, seen map[uint64]struct{}) {
	d := lineprotocol.NewDecoderWithBytes(body)
	var buf []byte
	for d.Next() {
		name, err := d.Measurement()
		if err != nil {
			log.Fatal(err)
		}
		buf = append(buf[:0], name...)
		for {
			key, value, err := d.NextTag()
			if err != nil {
				log.Fatal(err)
			}
			if key == nil {
				break
			}
			buf = append(append(append(append(buf, 0), key...), 0), value...)
		}
		tags := len(buf)
		for {
			key, _, value, err := d.NextFieldBytes()
			if err != nil {
				log.Fatal(err)
			}
			if key == nil {
				break
			}
			_ = value
			seen[xxh3.Hash(append(append(buf[:tags], 0), key...))] = struct{}{}
		}
		if _, err := d.TimeBytes(); err != nil {
			log.Fatal(err)
		}
	}
}

func remoteWrite(c meter.Counter, rounds int) {
	at := noon
	var w prompb.WriteRequest
	for i := range 2_000 {
		s := prompb.TimeSeries{Samples: []prompb.Sample{{Value: float64(i) / 7, Timestamp: at.UnixMilli()}}}
		for _, l := range [][2]string{{"__name__", "http_requests_total"}, {"code", "200"}, {"handler", "/api/v1/query"}, {"instance", fmt.Sprintf("10.0.%d.%d:9090", i/250, i%250)},
			{"job", "prometheus"}, {"method", "GET"}, {"namespace", "production"}, {"node", fmt.Sprintf("node-%06x", i*0x9e3779%(1<<24))}, {"pod", fmt.Sprintf("web-%d", i)}, {"region", "cn-hangzhou"}} {
			s.Labels = append(s.Labels, prompb.Label{Name: l[0], Value: l[1]})
		}
		w.Timeseries = append(w.Timeseries, s)
	}
	body, err := w.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	k := steady(func(k *meter.Known) (meter.Digest, bool) { return c.ScanRemoteWrite(body, at, k) })
	var theirs vmprompb.WriteRequestUnmarshaler
	all := times(rounds,
		work{"in place", func() {
			if _, ok := c.ScanRemoteWrite(body, at, k); !ok {
				log.Fatal("compare: not in place")
			}
		}},
		work{"prompb", func() {
			var w prompb.WriteRequest
			if err := w.Unmarshal(body); err != nil {
				log.Fatal(err)
			}
		}},
		work{"VictoriaMetrics", func() {
			theirs.Reset()
			if _, err := theirs.UnmarshalProtobuf(body); err != nil {
				log.Fatal(err)
			}
		}},
	)
	fmt.Printf("remote write, %d series, %d bytes: walk and exact count %d µs, prompb %d, VictoriaMetrics' decoder %d\n", 2_000, len(body), median(all[0])/1000, median(all[1])/1000, median(all[2])/1000)
	held("remote write: prompb", all[1], all[0], 1200)
	held("remote write: VictoriaMetrics' decoder", all[2], all[0], 180)
}

// many is the number of series of the large set.
const many = 10_000_000

func set(r *rand.Rand, rounds int) {
	members := make([]uint64, many)
	for i := range members {
		members[i] = r.Uint64()
	}
	order := r.Perm(many)
	empty := heap()
	s := &meter.Set{}
	for _, m := range members {
		s.Add(m)
	}
	size := heap() - empty
	theirs := map[uint64]struct{}{}
	for _, m := range members {
		theirs[m] = struct{}{}
	}
	found, at := 0, 0
	hit := func(has func(uint64) bool) func() {
		return func() {
			for range 100_000 {
				if at = (at + 1) % many; has(members[order[at]]) {
					found++
				}
			}
		}
	}
	all := times(rounds, work{"set", hit(s.Has)}, work{"map", hit(func(m uint64) bool { _, ok := theirs[m]; return ok })})
	if found == 0 || s.Len() != len(theirs) {
		log.Fatal("compare: the sets differ")
	}
	word := "reached"
	if size > 17*many {
		word = "MISSED"
	}
	fmt.Printf("set of %d: %d.%d bytes a series, goal 17: %s; a hit %d ns, a Go map's %d ns\n", many, size/many, size*10/many%10, word, median(all[0])/100_000, median(all[1])/100_000)
	held("set: a Go map's hit", all[1], all[0], 200)
	runtime.KeepAlive(s)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// memory counts reports of 10,000 workspaces of 600 series and of one of ten
// million, each with its exact set and what is known of it.
func memory(c meter.Counter) {
	type workspace struct {
		set   meter.Set
		known *meter.Known
	}
	before := heap()
	budget := meter.NewBudget(256 << 20)
	at, r := noon, rand.New(rand.NewPCG(5, 6))
	fill := func(w *workspace, series int) {
		w.known = meter.NewKnown(budget)
		var body []byte
		for i := range series {
			body = narrowLine(body, r, i)
			if i%10_000 == 9_999 || i == series-1 {
				d, ok := c.ScanLines(body, 1, at, w.known)
				if !ok {
					log.Fatal("compare: not in place")
				}
				for _, m := range d.Tally[0].Members {
					w.set.Add(m)
				}
				w.known.Learn(d)
				body = body[:0]
			}
		}
	}
	all := make([]workspace, 10_001)
	for i := range 10_000 {
		fill(&all[i], 600)
	}
	fill(&all[10_000], many)
	size := heap() - before
	word := "reached"
	if size > 1<<30 {
		word = "MISSED"
	}
	fmt.Printf("10,000 workspaces of 600 series and one of %d: %d MiB, goal 1024: %s; peak of the process %d MiB\n", all[10_000].set.Len(), size>>20, word, peak()>>10)
	runtime.KeepAlive(all)
}

// peak is the most memory that the process has held, in KiB.
func peak() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return u.Maxrss
}

func narrowLine(b []byte, r *rand.Rand, series int) []byte {
	return fmt.Appendf(b, "requests,host=web-%07d,region=cn-hangzhou,service=checkout value=%d.%03d %d\n", series, r.IntN(1000), r.IntN(1000), noon.UnixNano())
}

func wideLine(b []byte, r *rand.Rand, series int) []byte {
	b = append(b, "disk"...)
	for i := range 10 {
		b = fmt.Appendf(b, ",tag_%d=value_%d", i, series*0x9e3779%(1<<24)>>(2*i))
	}
	for i := range 10 {
		b = fmt.Appendf(b, "%cfield_%d=%di", " ,"[min(i, 1)], i, r.IntN(100_000))
	}
	return fmt.Appendf(b, " %d\n", noon.UnixNano())
}

//go:build bench

// The contenders of `make bench-gateway` and the bodies that they are sent.

package e2e_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/testkit"
)

// peer starts one of the small servers of scripts/bench-peers.
func peer(t *testing.T, name string, args ...string) *contender {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bench-peers")
	build := exec.Command("go", "build", "-C", filepath.Join(testkit.Root(t), "scripts", "bench-peers"), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the peers: %v\n%s", err, out)
	}
	d := testkit.Start(t, testkit.Command{Path: program, Args: args, Ready: `ready (http://\S+)`})
	return &contender{name: name, base: d.Match(1), pid: d.PID(), costs: map[string]*costs{}}
}

// gatewayUnderTest is the whole program with its store, its spool and a
// workspace on the Commercial plan; records go nowhere.
func gatewayUnderTest(t *testing.T) (c *contender, token string) {
	t.Helper()
	x := serve(t, "--sink", "discard").newcomer("speed")
	x.upgrade()
	return &contender{name: "gateway", base: x.gateway, pid: x.daemon.PID(), costs: map[string]*costs{}}, x.token
}

// program is one of the peers that `make bench-gateway` has built.
func program(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(testkit.Root(t), "out", "peers", name)
}

// address is one that nobody listens on now.
func address(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func victoriaMetrics(t *testing.T) *contender {
	t.Helper()
	at := address(t)
	d := testkit.Start(t, testkit.Command{
		Path: program(t, "victoria-metrics"), Ready: `started server at`,
		Args: []string{"-httpListenAddr=" + at, "-storageDataPath=" + t.TempDir()},
	})
	return &contender{name: "VictoriaMetrics", base: "http://" + at, pid: d.PID(), costs: map[string]*costs{}}
}

// vmagent parses, makes remote write of it, packs it anew and queues it.
func vmagent(t *testing.T, to string) *contender {
	t.Helper()
	at := address(t)
	d := testkit.Start(t, testkit.Command{
		Path: program(t, "vmagent"), Ready: `started server at`,
		Args: []string{"-httpListenAddr=" + at, "-remoteWrite.url=" + to + "/api/v1/write", "-remoteWrite.tmpDataPath=" + t.TempDir()},
	})
	return &contender{name: "vmagent", base: "http://" + at, pid: d.PID(), costs: map[string]*costs{}}
}

// shape is a kind of report, and enough bodies of it for all of its series.
type shape struct {
	name   string
	bodies []packed
	goals
}

// bodyShapes are the three of docs/performance.md: 100,000 series in bodies of
// a megabyte, and 20,000 in small ones.
func bodyShapes(now time.Time) []*shape {
	r := rand.New(rand.NewPCG(1, 2))
	return []*shape{
		{name: "wide 1 MB", bodies: packAll(r, 3, 3_334, wideLine, now), goals: goals{125, 10, 1200}},
		{name: "narrow 1 MB", bodies: packAll(r, 10, 10_000, narrowLine, now), goals: goals{125, 20, 400}},
		{name: "small 93 KB", bodies: packAll(r, 20, 1_000, narrowLine, now), goals: goals{120, 25, 400}},
	}
}

// region and service are two tags of a narrow line's host.
var (
	regions  = []string{"cn-hangzhou", "cn-beijing", "ap-southeast-1", "eu-central-1", "us-west-2"}
	services = []string{"checkout", "cart", "search", "payment", "login", "catalog", "frontend", "mail"}
)

// narrowLine has 3 tags and a float, about 93 bytes; the hosts come in no order.
func narrowLine(b []byte, r *rand.Rand, series int, at time.Time) []byte {
	return fmt.Appendf(b, "requests,host=web-%06x,region=%s,service=%s value=%d.%03d %d\n", scattered(series), regions[series%len(regions)],
		services[series/7%len(services)], r.IntN(1000), r.IntN(1000), at.Add(time.Duration(r.IntN(1e9))).UnixNano())
}

// scattered is a number of six hexadecimal digits, another one for each series.
func scattered(series int) int { return series * 0x9e3779 % (1 << 24) }

// wideLine has 10 tags and 10 integers, about 342 bytes.
func wideLine(b []byte, r *rand.Rand, series int, at time.Time) []byte {
	b = append(b, "disk"...)
	for i := range 10 {
		b = fmt.Appendf(b, ",tag_%d=value_%d", i, scattered(series)>>(2*i))
	}
	for i := range 10 {
		b = fmt.Appendf(b, "%cfield_%d=%di", " ,"[min(i, 1)], i, r.IntN(100_000))
	}
	return fmt.Appendf(b, " %d\n", at.UnixNano())
}

func packAll(r *rand.Rand, bodies, lines int, line func([]byte, *rand.Rand, int, time.Time) []byte, at time.Time) (all []packed) {
	for n := range bodies {
		var body []byte
		for i := range lines {
			body = line(body, r, n*lines+i, at)
		}
		one := line(nil, r, n*lines, at)
		all = append(all, pack(body, one[:bytes.LastIndexByte(one, ' ')+1]))
	}
	return all
}

// packed is a body in gzip that each sending ends with a line of its own, so
// that none is a report that came before. What is before that line is packed
// once.
type packed struct {
	head []byte // of the gzip format, up to the last block
	last []byte // the line without its timestamp
	sum  uint32 // of what head unpacks to
	size uint32
}

func pack(body, last []byte) packed {
	var b bytes.Buffer
	b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255})
	w, err := flate.NewWriter(&b, 6)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body) // into memory
	_ = w.Flush()
	return packed{head: b.Bytes(), last: last, sum: crc32.ChecksumIEEE(body), size: uint32(len(body))}
}

// sendings counts them, for the last lines.
var sendings atomic.Int64

func (p packed) append(to []byte) []byte {
	line := fmt.Appendf(nil, "%s%d\n", p.last, time.Now().UnixNano()+sendings.Add(1)%1000)
	to = append(append(to, p.head...), 1) // the last block, stored
	to = binary.LittleEndian.AppendUint16(to, uint16(len(line)))
	to = binary.LittleEndian.AppendUint16(to, ^uint16(len(line)))
	to = append(to, line...)
	to = binary.LittleEndian.AppendUint32(to, crc32.Update(p.sum, crc32.IEEETable, line))
	return binary.LittleEndian.AppendUint32(to, p.size+uint32(len(line)))
}

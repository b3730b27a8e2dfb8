//go:build bench

// The speed of the gateway, for `make bench-gateway`: the real program beside
// its peers, each a process of its own, all sent the same bodies in turn. What
// counts is the processor time of the process under test, and of that the
// ratios within each round.

package e2e_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/testkit/load"
)

// senders is how many connections send at a time.
const senders = 4

// settling is what a process gets after each of its turns to end what it began.
const settling = 200 * time.Millisecond

// contender is a process under test.
type contender struct {
	name  string
	base  string
	pid   int
	costs map[string]*costs // by shape
}

// costs are the nanoseconds of processor time of a request, in each round.
type costs struct{ rates []int64 }

func (c *costs) micros() string {
	v := median(c.rates)
	return fmt.Sprintf("%d.%d µs", v/1000, v%1000/100)
}

// TestGatewaySpeed sends bodies of three shapes to each contender in turn.
func TestGatewaySpeed(t *testing.T) {
	rounds, each := wish(t, "ROUNDS", 5), time.Duration(wish(t, "EACH", 3))*time.Second
	t.Logf("%d processors, %s, load %s; %d rounds of %v each", runtime.NumCPU(), runtime.Version(), loadOf(), rounds, each)
	discard := peer(t, "discard", "-mode", "discard")
	gateway, token := gatewayUnderTest(t)
	all := []*contender{
		peer(t, "decode and discard", "-mode", "decode"), peer(t, "pooled proxy", "-mode", "proxy", "-to", discard.base),
		gateway, victoriaMetrics(t), vmagent(t, discard.base),
	}
	shapes := bodyShapes(time.Now())
	for _, s := range shapes {
		for _, c := range all {
			c.costs[s.name] = &costs{}
			c.fill(t, s, token)
		}
	}
	for round := range rounds {
		for _, s := range shapes {
			line := fmt.Sprintf("round %d, %s:", round+1, s.name)
			for _, c := range all {
				c.turn(t, s, token, each)
				line += fmt.Sprintf(" %s %d µs;", c.name, c.costs[s.name].rates[round]/1000)
			}
			t.Logf("%s load %s", line, loadOf())
		}
	}
	compared(t, shapes, all)
}

// goals are those of a shape: the gateway at most against decode and proxy, and
// against VictoriaMetrics; vmagent at least against the gateway. In hundredths.
type goals struct{ proxied, victoria, vmagent int64 }

func compared(t *testing.T, shapes []*shape, all []*contender) {
	t.Helper()
	decode, proxy, gateway, victoria, agent := all[0], all[1], all[2], all[3], all[4]
	for _, s := range shapes {
		for _, c := range all {
			t.Logf("%s: %s: %s of processor time a request", s.name, c.name, c.costs[s.name].micros())
		}
		both := &costs{}
		for i, v := range decode.costs[s.name].rates {
			both.rates = append(both.rates, v+proxy.costs[s.name].rates[i])
		}
		of := gateway.costs[s.name]
		most(t, s.name+": gateway to decode and proxy", against(of, both), s.proxied)
		most(t, s.name+": gateway to VictoriaMetrics", against(of, victoria.costs[s.name]), s.victoria)
		judged(t, s.name+": vmagent to gateway", against(agent.costs[s.name], of), s.vmagent)
	}
}

// against is the median of the ratios within each round, in hundredths.
func against(of, to *costs) int64 {
	return ratio(&figures{rates: of.rates}, &figures{rates: to.rates})
}

// most prints a ratio that is to be small beside its goal, both in hundredths.
func most(t *testing.T, what string, got, goal int64) {
	t.Helper()
	word := "reached"
	if got > goal {
		word = "MISSED"
	}
	t.Logf("%s: %d.%02d times, goal at most %d.%02d: %s", what, got/100, got%100, goal/100, goal%100, word)
}

// fill sends each body more than once, so that every series is known.
func (c *contender) fill(t *testing.T, s *shape, token string) {
	t.Helper()
	for first := range 2 * len(s.bodies) {
		c.send(t, s, token, time.Millisecond, first)
	}
}

// turn measures one contender with one shape.
func (c *contender) turn(t *testing.T, s *shape, token string, each time.Duration) {
	t.Helper()
	before := processorTime(t, c.pid)
	n := c.send(t, s, token, each, 0)
	<-time.After(settling)
	c.costs[s.name].rates = append(c.costs[s.name].rates, int64(processorTime(t, c.pid)-before)/int64(max(1, n)))
}

func (c *contender) send(t *testing.T, s *shape, token string, lasting time.Duration, first int) int {
	t.Helper()
	r, err := load.Run(t.Context(), load.Load{
		Target: c.base, Path: "/write?precision=ns", Headers: []string{"Content-Encoding: gzip", "Authorization: Token " + token},
		Connections: senders, For: lasting, Accept: 204,
		Compose: func(to []byte, connection, n int) ([]byte, string) {
			return s.bodies[(first+n*senders+connection)%len(s.bodies)].append(to), ""
		},
	})
	if err != nil {
		t.Fatalf("%s, %s: %v", c.name, s.name, err)
	}
	return r.Requests
}

// processorTime is what a process has used so far, in user and system mode.
func processorTime(t *testing.T, pid int) time.Duration {
	t.Helper()
	text := readText(t, fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const userTime, systemTime, tick = 11, 12, 10 * time.Millisecond // of proc(5), behind the name; ticks of USER_HZ
	var sum int64
	for _, field := range []string{fields[userTime], fields[systemTime]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return time.Duration(sum) * tick
}

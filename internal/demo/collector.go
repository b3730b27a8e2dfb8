package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Collector is the team's own collector: it reports what the installation's
// process does, as line protocol over HTTP, the way any other collector would.
type Collector struct {
	Gateway string // the gateway's address
	Token   string
	Now     func() time.Time // the installation's clock, which stamps the points
	Log     *slog.Logger

	mu    sync.Mutex
	lines []string // of the access log, waiting for the next report
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// How the collector reports.
const (
	reportEvery  = 3 * time.Second
	objectEvery  = 5 * time.Minute
	waitingLines = 500 // older lines are dropped when the gateway does not take them
	longestSend  = 5 * time.Second
)

// names of the process's own figures, and the fields they become.
var figures = []struct{ name, field string }{
	{"/sched/goroutines:goroutines", "goroutines"},
	{"/memory/classes/heap/objects:bytes", "heap_bytes"},
	{"/memory/classes/total:bytes", "memory_bytes"},
	{"/gc/cycles/total:gc-cycles", "gc_cycles"},
	{"/gc/heap/allocs:objects", "allocated_objects"},
	{"/gc/heap/live:bytes", "live_bytes"},
	{"/sync/mutex/wait/total:seconds", "mutex_wait_seconds"},
}

// Start reports until Stop.
func (c *Collector) Start(ctx context.Context) {
	ctx, c.stop = context.WithCancel(ctx)
	c.done.Go(func() {
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		object := time.NewTicker(objectEvery)
		defer object.Stop()
		c.say(ctx, "keyevent", c.event("The demo's installation has started."))
		c.say(ctx, "object", c.host())
		for {
			c.report(ctx)
			select {
			case <-ctx.Done():
				return
			case <-object.C:
				c.say(ctx, "object", c.host())
			case <-tick.C:
			}
		}
	})
}

// Stop ends the reporting.
func (c *Collector) Stop() {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
	}
}

func (c *Collector) report(ctx context.Context) {
	c.say(ctx, "metric", c.process())
	c.mu.Lock()
	lines := c.lines
	c.lines = nil
	c.mu.Unlock()
	if len(lines) > 0 {
		c.say(ctx, "logging", strings.Join(lines, "\n"))
	}
}

func (c *Collector) say(ctx context.Context, category, body string) {
	if err := c.send(ctx, category, body); err != nil && ctx.Err() == nil {
		c.Log.Warn("the demo's collector cannot report", "category", category, "err", err)
	}
}

func (c *Collector) send(ctx context.Context, category, body string) error {
	ctx, cancel := context.WithTimeout(ctx, longestSend)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Gateway+"/v1/write/"+category+"?token="+c.Token, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/line-protocol")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}

// process is one point per figure of the Go runtime.
func (c *Collector) process() string {
	samples := make([]metrics.Sample, len(figures))
	for i, f := range figures {
		samples[i].Name = f.name
	}
	metrics.Read(samples)
	fields := make([]string, 0, len(figures))
	for i, f := range figures {
		switch v := samples[i].Value; v.Kind() {
		case metrics.KindUint64:
			fields = append(fields, f.field+"="+strconv.FormatUint(v.Uint64(), 10)+"i")
		case metrics.KindFloat64:
			fields = append(fields, f.field+"="+strconv.FormatFloat(v.Float64(), 'f', 6, 64))
		}
	}
	return fmt.Sprintf("tollgate_process,host=demo,service=tollgate %s %d", strings.Join(fields, ","), c.Now().UnixNano())
}

func (c *Collector) host() string {
	return fmt.Sprintf(`HOST,name=demo,os=linux message="The machine of the demo",service="tollgate" %d`, c.Now().UnixNano())
}

func (c *Collector) event(message string) string {
	return fmt.Sprintf(`tollgate,source=demo,status=info title="Demo",message=%s %d`, quoted(message), c.Now().UnixNano())
}

// quoted is a string field of line protocol.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}

// Tee is a log handler that also gives what is written to the collector.
func (c *Collector) Tee(h slog.Handler) slog.Handler { return tee{h, c} }

type tee struct {
	slog.Handler
	collector *Collector
}

// Handle writes the record and hands a copy to the collector.
func (t tee) Handle(ctx context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	r.Attrs(func(a slog.Attr) bool {
		b.WriteString(" " + a.Key + "=" + a.Value.String())
		return true
	})
	status := strings.ToLower(r.Level.String())
	t.collector.add(fmt.Sprintf(`tollgate,host=demo,service=tollgate,status=%s message=%s %d`, status, quoted(b.String()), t.collector.Now().UnixNano()))
	return t.Handler.Handle(ctx, r)
}

// WithAttrs keeps the copying.
func (t tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	return tee{t.Handler.WithAttrs(attrs), t.collector}
}

// WithGroup keeps the copying.
func (t tee) WithGroup(name string) slog.Handler {
	return tee{t.Handler.WithGroup(name), t.collector}
}

func (c *Collector) add(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.lines) >= waitingLines {
		c.lines = c.lines[1:]
	}
	c.lines = append(c.lines, line)
}

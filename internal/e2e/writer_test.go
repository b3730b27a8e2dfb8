package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the files of the local sink
)

// report is one write and what became of it.
type report struct {
	wire   wire
	ids    []int64
	body   []byte
	began  time.Time
	ended  time.Time
	status int // 0: there was no answer
	answer string
}

func (r report) acknowledged() bool { return r.status == r.wire.ok }

// writer reports in one wire without a pause, each record once.
type writer struct {
	wire  wire
	base  int64 // of its ids
	acked atomic.Int64

	next    int64
	mu      sync.Mutex
	reports []report
}

// farApart are the ids of two writers.
const farApart = 1_000_000_000

func newWriters(wires ...wire) []*writer {
	list := make([]*writer, len(wires))
	for n, w := range wires {
		list[n] = &writer{wire: w, base: int64(n+1) * farApart}
	}
	return list
}

// sending has its own connections, so that a killed process leaves no stale
// one behind for the next.
func sending() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
}

// fleet is writers at work.
type fleet struct {
	writers []*writer
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// write sets writers to work until halt, or until one gets no answer.
func (x *team) write(writers ...*writer) *fleet {
	ctx, stop := context.WithCancel(x.t.Context())
	f := &fleet{writers: writers, stop: stop}
	gateway := x.gateway
	for _, w := range writers {
		f.done.Go(func() {
			c := sending()
			defer c.CloseIdleConnections()
			for ctx.Err() == nil {
				if w.send(x.t, c, gateway, x.token).status == 0 {
					return
				}
			}
		})
	}
	x.t.Cleanup(f.halt)
	return f
}

// halt lets what is under way end.
func (f *fleet) halt() {
	f.stop()
	f.done.Wait()
}

// send reports the next records: from one to a dozen, so that reports differ.
func (w *writer) send(t testing.TB, c *http.Client, gateway, token string) report {
	r := report{wire: w.wire}
	var points []point
	for range 1 + w.next%12 {
		w.next++
		id := w.base + w.next
		points = append(points, point{id, label(id), time.Now()})
		r.ids = append(r.ids, id)
	}
	r.body = w.wire.encode(points)
	r.deliver(t, c, gateway, token)
	w.mu.Lock()
	w.reports = append(w.reports, r)
	w.mu.Unlock()
	if r.acknowledged() {
		w.acked.Add(1)
	}
	return r
}

// deliver sends the report, perhaps once more.
func (r *report) deliver(t testing.TB, c *http.Client, gateway, token string) {
	r.began, r.status, r.answer = time.Now(), 0, ""
	response, err := c.Do(r.wire.request(t, gateway, token, r.body))
	if err == nil {
		var text []byte
		text, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
		r.status, r.answer = response.StatusCode, string(text)
	}
	r.ended = time.Now()
	if err != nil {
		r.status, r.answer = 0, err.Error()
	}
}

// sent are the reports so far.
func (w *writer) sent() []report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]report(nil), w.reports...)
}

func sentBy(writers []*writer) (list []report) {
	for _, w := range writers {
		list = append(list, w.sent()...)
	}
	return list
}

// kept is a record in the sink's files.
type kept struct {
	generation int64
	kind       string
	series     string // the name and the tags
}

// inSink reads the sink's files beside the product, by the id of each record.
func (x *team) inSink() map[int64][]kept {
	x.t.Helper()
	files, err := filepath.Glob(filepath.Join(x.folder, "records", "*.records"))
	if err != nil {
		x.t.Fatal(err)
	}
	found := map[int64][]kept{}
	for _, file := range files {
		if err := readRecords(x.t.Context(), file, x.id, found); err != nil {
			x.t.Fatalf("reading %s: %v", filepath.Base(file), err)
		}
	}
	return found
}

func readRecords(ctx context.Context, file, workspaceID string, found map[int64][]kept) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, `SELECT generation, type, name, tags, fields FROM record WHERE workspace_id = $1`, workspaceID)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k kept
		var name, tags, fields string
		if err := rows.Scan(&k.generation, &k.kind, &name, &tags, &fields); err != nil {
			return err
		}
		var values struct{ Value json.Number }
		d := json.NewDecoder(bytes.NewReader([]byte(fields)))
		if err := d.Decode(&values); err != nil {
			return fmt.Errorf("fields %s: %w", fields, err)
		}
		id, err := idOf(values.Value.String())
		if err != nil {
			return err
		}
		k.series = name + tags
		found[id] = append(found[id], k)
	}
	return rows.Err()
}

// idOf reads a value as it is shown: remote write has floats.
func idOf(value string) (int64, error) {
	f, err := strconv.ParseFloat(value, 64)
	return int64(f), err
}

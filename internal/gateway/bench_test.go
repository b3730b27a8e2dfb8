package gateway

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
)

// benchmarkReports sends reports of so many lines of the same series, each
// report new, from several clients at once.
func benchmarkReports(b *testing.B, lines int, to sink.Sink) {
	g := New(Config{
		ID: "g1", SpoolPath: filepath.Join(b.TempDir(), "spool"), Store: newMemory(experience()), Sink: to, Now: time.Now,
		Limits: func(time.Time) quota.Limits { return nil }, Log: slog.New(slog.DiscardHandler),
	})
	if err := g.Start(context.Background()); err != nil {
		b.Fatal(err)
	}
	defer g.Stop(context.Background())
	handler := g.Handler()
	var n atomic.Int64
	start := time.Now()
	size := 0
	for i := range lines {
		size += len(fmt.Sprintf("http_requests,host=web-%05d,region=cn-hangzhou,service=checkout value=%d.5 %d\n", i, i, start.UnixNano()))
	}
	b.SetBytes(int64(size))
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			at := start.UnixNano() + n.Add(1)
			var body bytes.Buffer
			for i := range lines {
				fmt.Fprintf(&body, "http_requests,host=web-%05d,region=cn-hangzhou,service=checkout value=%d.5 %d\n", i, i, at)
			}
			r := httptest.NewRequest("POST", "/v1/write/metric?token="+token, &body)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Error(w.Body)
			}
		}
	})
}

func BenchmarkReportOf1000LinesDiscarded(b *testing.B) { benchmarkReports(b, 1000, sink.Discard{}) }
func BenchmarkReportOf10LinesDiscarded(b *testing.B)   { benchmarkReports(b, 10, sink.Discard{}) }

func BenchmarkReportOf1000LinesStored(b *testing.B) {
	local, err := sink.OpenLocal(b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer local.Close()
	benchmarkReports(b, 1000, local)
}

func BenchmarkReportOf10LinesStored(b *testing.B) {
	local, err := sink.OpenLocal(b.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer local.Close()
	benchmarkReports(b, 10, local)
}

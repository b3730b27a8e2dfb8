// Package load sends requests to a server as fast as it answers, over a fixed
// number of connections, and measures. It speaks plain HTTP/1.1 and knows
// nothing of Tollgate, so that a peer is measured in the same way. It is for
// measurements; no product code imports it.
package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Load is what is sent.
type Load struct {
	Target      string // such as http://127.0.0.1:8080
	Path        string
	Headers     []string // "Name: value", of every request
	Connections int
	For         time.Duration
	Accept      int // the status that counts; anything else ends the measurement

	// Compose appends the body of the nth request of a connection, and gives
	// the values of further headers, if any.
	Compose func(body []byte, connection, n int) (filled []byte, header string)
	// Check looks at an answer's body; nil: the status is enough.
	Check func(body []byte) error
}

// Result is what was measured.
type Result struct {
	Requests int
	Took     time.Duration
	waits    []time.Duration // of each request, sorted
}

// Rate is requests a second, in tenths.
func (r Result) Rate() int64 {
	if r.Took <= 0 {
		return 0
	}
	return int64(r.Requests) * 10 * int64(time.Second) / int64(r.Took)
}

// Wait is the time below which so many of a thousand requests were answered.
func (r Result) Wait(perMille int) time.Duration {
	if len(r.waits) == 0 {
		return 0
	}
	return r.waits[min(len(r.waits)-1, len(r.waits)*perMille/1000)]
}

// Run sends until the time is over; the requests that are under way then are
// waited for and counted.
func Run(ctx context.Context, l Load) (Result, error) {
	u, err := url.Parse(l.Target)
	if err != nil || u.Scheme != "http" || u.Host == "" {
		return Result{}, fmt.Errorf("the target %q is no http address", l.Target)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	var all Result
	var done sync.WaitGroup
	begun := time.Now()
	for i := range l.Connections {
		done.Go(func() {
			waits, err := l.connection(ctx, u.Host, i, begun.Add(l.For))
			if err != nil {
				cancel(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all.waits = append(all.waits, waits...)
		})
	}
	done.Wait()
	all.Took, all.Requests = time.Since(begun), len(all.waits)
	slices.Sort(all.waits)
	return all, context.Cause(ctx)
}

// connection sends one request after the other.
func (l Load) connection(ctx context.Context, host string, connection int, until time.Time) (waits []time.Duration, err error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	head := []byte("POST " + l.Path + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n")
	for _, h := range l.Headers {
		head = append(append(head, h...), "\r\n"...)
	}
	answers := bufio.NewReaderSize(c, 64<<10)
	var request, body []byte
	var read bytes.Buffer
	for n := 0; time.Now().Before(until) && ctx.Err() == nil; n++ {
		var header string
		body, header = l.Compose(body[:0], connection, n)
		request = append(request[:0], head...)
		if header != "" {
			request = append(append(request, header...), "\r\n"...)
		}
		request = strconv.AppendInt(append(request, "Content-Length: "...), int64(len(body)), 10)
		request = append(append(request, "\r\n\r\n"...), body...)
		sent := time.Now()
		if _, err := c.Write(request); err != nil {
			return waits, errors.Join(context.Cause(ctx), err)
		}
		if err := l.answer(answers, &read); err != nil {
			return waits, errors.Join(context.Cause(ctx), err)
		}
		waits = append(waits, time.Since(sent))
	}
	return waits, nil
}

func (l Load) answer(from *bufio.Reader, body *bytes.Buffer) error {
	r, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	body.Reset()
	_, err = io.Copy(body, r.Body)
	switch {
	case err != nil:
		return err
	case r.StatusCode != l.Accept:
		return fmt.Errorf("answered %d: %.500s", r.StatusCode, body)
	case l.Check != nil:
		return l.Check(body.Bytes())
	}
	return nil
}

// Command bench-peers is what the gateway is measured against where no program
// of others does just that: a server that takes and forgets, one that also
// unpacks, and a proxy that hands bodies on as they came.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzip"
)

func main() {
	mode := flag.String("mode", "discard", "discard, decode or proxy")
	to := flag.String("to", "", "where the proxy hands on to, such as http://127.0.0.1:8080")
	flag.Parse()
	handler, ok := map[string]http.HandlerFunc{"discard": discard, "decode": decode, "proxy": proxy(*to)}[*mode]
	if !ok {
		log.Fatalf("bench-peers: there is no mode %q", *mode)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ready http://%s\n", l.Addr())
	log.Fatal(http.Serve(l, handler))
}

// discard reads the body and forgets it.
func discard(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var readers = sync.Pool{New: func() any { return new(gzip.Reader) }}

// decode unpacks the body and forgets it.
func decode(w http.ResponseWriter, r *http.Request) {
	z := readers.Get().(*gzip.Reader)
	defer readers.Put(z)
	err := z.Reset(r.Body)
	if err == nil {
		_, err = io.Copy(io.Discard, z)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// proxy reads the body whole and hands it on.
func proxy(to string) http.HandlerFunc {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	return func(w http.ResponseWriter, r *http.Request) {
		body := bodies.Get().(*bytes.Buffer)
		defer bodies.Put(body)
		body.Reset()
		if _, err := body.ReadFrom(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		onward, err := http.NewRequestWithContext(r.Context(), r.Method, to+r.URL.RequestURI(), bytes.NewReader(body.Bytes()))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		onward.Header = r.Header
		answer, err := client.Do(onward)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body) // whoever has gone needs no answer
	}
}

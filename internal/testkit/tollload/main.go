// Command tollload measures how fast a server takes JSON requests, Tollgate's
// or a peer's:
//
//	go run ./internal/testkit/tollload -target http://127.0.0.1:8080 \
//		-path /api/v1/deductions -header "Authorization: Bearer tgak_…" -header "Idempotency-Key: {key}" \
//		-body '{"account_id":"{payer}","amount":"0.01","currency":"CNY","cause":"load"}' -payers payers.txt
//
// {key} becomes a text that was never used before, and {payer} one of the lines
// of the file, each request another one, at random. With -many N the text of
// -each is repeated N times, with commas, in place of {each} of the body.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/testkit/load"
)

// list is a flag that may come several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func main() {
	l := load.Load{}
	var headers list
	var body, each, payers string
	var many int
	flag.StringVar(&l.Target, "target", "http://127.0.0.1:8080", "the server")
	flag.StringVar(&l.Path, "path", "/api/v1/deductions", "of the requests")
	flag.Var(&headers, "header", `"Name: value"; may come several times`)
	flag.StringVar(&body, "body", "", "of a request")
	flag.StringVar(&each, "each", "", "text that is repeated in place of {each}")
	flag.IntVar(&many, "many", 1, "how often -each is repeated")
	flag.StringVar(&payers, "payers", "", "file with a payer on each line")
	flag.IntVar(&l.Connections, "connections", 8, "side by side")
	flag.DurationVar(&l.For, "for", 10*time.Second, "how long")
	flag.IntVar(&l.Accept, "accept", 201, "the status of a success")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, l, headers, strings.ReplaceAll(body, "{each}", strings.TrimSuffix(strings.Repeat(each+",", many), ",")), payers, many); err != nil {
		fmt.Fprintln(os.Stderr, "tollload:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, l load.Load, headers []string, body, payers string, many int) error {
	names := []string{""}
	if payers != "" {
		text, err := os.ReadFile(payers)
		if err != nil {
			return err
		}
		names = strings.Fields(string(text))
	}
	var keyed string // the one header that has a key in it
	for _, h := range headers {
		if strings.Contains(h, "{key}") {
			keyed = h
			continue
		}
		l.Headers = append(l.Headers, h)
	}
	run := rand.Text()[:8]
	l.Compose = func(to []byte, connection, n int) ([]byte, string) {
		key := run + "-" + strconv.Itoa(connection) + "-" + strconv.Itoa(n)
		for rest, part := body, 0; rest != ""; {
			at := strings.IndexByte(rest, '{')
			if at < 0 {
				at = len(rest)
			}
			to, rest = append(to, rest[:at]...), rest[at:]
			switch {
			case strings.HasPrefix(rest, "{key}"):
				to, rest = strconv.AppendInt(append(append(to, key...), '-'), int64(part), 10), rest[len("{key}"):]
				part++
			case strings.HasPrefix(rest, "{payer}"):
				to, rest = append(to, names[mathrand.IntN(len(names))]...), rest[len("{payer}"):]
			case rest != "":
				to, rest = append(to, rest[0]), rest[1:]
			}
		}
		return to, strings.ReplaceAll(keyed, "{key}", key)
	}
	l.Check = func(answer []byte) error {
		if n := bytes.Count(answer, []byte(`"refused"`)); n > 0 {
			return fmt.Errorf("%d were refused: %.500s", n, answer)
		}
		return nil
	}
	r, err := load.Run(ctx, l)
	if err != nil {
		return err
	}
	perSecond := r.Rate() * int64(many)
	fmt.Printf("%d requests in %v: %d.%d entries a second; median %v, p99 %v, slowest %v\n",
		r.Requests, r.Took.Round(time.Millisecond), perSecond/10, perSecond%10, r.Wait(500), r.Wait(990), r.Wait(1000))
	return nil
}

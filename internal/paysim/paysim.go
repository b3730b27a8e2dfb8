// Package paysim stands in for the payment channels, for the demo and for the
// tests: it answers as the gateways of Alipay and Stripe document that they
// answer, refuses what they refuse, sends signed notices, and has the page on
// which a person pays or declines. It owns no real money, which its pages say.
//
// Always true: it shares no code with the adapters that it tests, so that one
// misreading of a channel's rules cannot pass both sides; it imports nothing of
// this house.
package paysim

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Courier delivers notices, and tries again like the channels do. The zero
// value delivers nothing until Start.
type Courier struct {
	Gaps []time.Duration // before each attempt; empty: one attempt at once

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

// Start lets notices go out.
func (c *Courier) Start(ctx context.Context) {
	c.ctx, c.stop = context.WithCancel(ctx)
}

// Stop ends all attempts.
func (c *Courier) Stop() {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
	}
}

// deliver posts a notice until it is taken or the attempts are over. The body
// is made anew for each, because its signature has a time.
func (c *Courier) deliver(to string, compose func() (body []byte, header http.Header), taken func(status int, answer string) bool) {
	if c.ctx == nil || c.ctx.Err() != nil {
		return
	}
	c.done.Go(func() {
		gaps := c.Gaps
		if len(gaps) == 0 {
			gaps = []time.Duration{0}
		}
		for _, gap := range gaps {
			select {
			case <-c.ctx.Done():
				return
			case <-time.After(gap):
			}
			if status, answer, err := c.post(to, compose); err == nil && taken(status, answer) {
				return
			}
		}
	})
}

// A notice is answered soon or not at all.
const (
	noticeWithin  = 10 * time.Second
	longestAnswer = 4 << 10
)

func (c *Courier) post(to string, compose func() ([]byte, http.Header)) (int, string, error) {
	ctx, cancel := context.WithTimeout(c.ctx, noticeWithin)
	defer cancel()
	body, header := compose()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	return response.StatusCode, string(answer), err
}

// cashier is the page of a simulator.
type cashier struct {
	Channel string
	Title   string
	Amount  string
	Order   string
	Action  string
	Back    string
	State   string // empty: it can be paid
}

var cashierPage = template.Must(template.New("cashier").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Channel}} (simulator)</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; }
body { margin: 0; }
.ribbon { background: #8a4b00; color: #fff; padding: .6rem 1rem; text-align: center; }
main { max-width: 26rem; margin: 3rem auto; padding: 0 1rem; }
h1 { font-size: 1.1rem; font-weight: 600; margin: 0; }
.amount { font-size: 2rem; font-variant-numeric: tabular-nums; margin: .25rem 0 1rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; font-size: .9rem; margin: 0 0 1.5rem; }
dt { opacity: .7; } dd { margin: 0; overflow-wrap: anywhere; }
form { display: flex; gap: .75rem; flex-wrap: wrap; }
button, .back { font: inherit; padding: .6rem 1.2rem; border-radius: .4rem; border: 1px solid currentColor; background: none; color: inherit; cursor: pointer; text-decoration: none; }
button.pay { background: #1f5f3f; border-color: #1f5f3f; color: #fff; }
</style>
</head>
<body>
<p class="ribbon"><strong>Simulator of {{.Channel}} · 模拟收银台</strong><br>No real money moves here. 此处不产生真实交易。</p>
<main>
<h1>{{.Title}}</h1>
<p class="amount">{{.Amount}}</p>
<dl><dt>Order 订单</dt><dd>{{.Order}}</dd></dl>
{{if .State}}<p>{{.State}}</p><p><a class="back" href="{{.Back}}">Back to the shop · 返回商户</a></p>
{{else}}<form method="post" action="{{.Action}}">
<button class="pay" name="do" value="pay">Pay · 付款</button>
<button name="do" value="decline">Decline · 拒绝</button>
<a class="back" href="{{.Back}}">Leave · 离开</a>
</form>{{end}}
</main>
</body>
</html>
`))

func (c cashier) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	var page bytes.Buffer
	if err := cashierPage.Execute(&page, c); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(page.Bytes()) // the visitor has gone if this fails
}

// decimal shows minor units, and minorOf reads them: two decimals, no sign.
func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

func minorOf(text string) (int64, bool) {
	whole, part, found := strings.Cut(text, ".")
	if found && (len(part) == 0 || len(part) > 2) || len(whole) == 0 || len(whole) > 9 {
		return 0, false
	}
	for len(part) < 2 {
		part += "0"
	}
	n := int64(0)
	for _, c := range []byte(whole + part) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

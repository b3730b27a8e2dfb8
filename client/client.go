// Package client speaks Tollgate's JSON API.
//
// A Client knows where an installation is. Signing in gives a Studio, a
// BillingCenter or an Operator, each with the calls of its console:
//
//	tollgate := client.New("https://tollgate.example")
//	studio, err := tollgate.SignInStudio(ctx, "cn1", "lin@shop.example", password)
//	workspaces, err := studio.Workspaces(ctx, client.Page{})
//
// A refusal is a *Problem, whose Code is stable. Calls that move money or lead
// nowhere back take a Key: send a call again with the same Key when it is not
// known whether it arrived, and it has one effect.
//
// Amounts and quantities are decimal texts, so that nothing is rounded on the
// way.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxResponse bounds what is read of one response.
const maxResponse = 64 << 20

// Client is an installation of Tollgate. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New is the installation at the address, such as https://tollgate.example.
func New(address string) *Client {
	return &Client{strings.TrimSuffix(address, "/") + "/api/v1", &http.Client{Timeout: 5 * time.Minute}}
}

// Through is the same installation, reached by another HTTP client.
func (c *Client) Through(h *http.Client) *Client { return &Client{c.base, h} }

// Problem is a refusal (RFC 9457).
type Problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail"`
	Code      string         `json:"code"`
	Field     string         `json:"field"`
	Figures   map[string]any `json:"figures"`
	Reference string         `json:"reference"`
	Errors    []FieldProblem `json:"errors"`

	RetryAfter time.Duration `json:"-"` // how long to wait before another attempt, if said
}

// FieldProblem is what is wrong with one field.
type FieldProblem struct {
	Field   string         `json:"field"`
	Code    string         `json:"code"`
	Detail  string         `json:"detail"`
	Figures map[string]any `json:"figures"`
}

// Error is the code and the sentence.
func (p *Problem) Error() string {
	text := p.Code + ": " + p.Detail
	if p.Reference != "" {
		text += " (reference " + p.Reference + ")"
	}
	return text
}

// Refused reports whether err is the problem of that code.
func Refused(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// Key names an intention: the same Key with the same call has one effect.
type Key string

// NewKey is a Key for a new intention.
func NewKey() Key { return Key(rand.Text()) }

// Page says which part of a list is wanted; the zero value is the beginning.
type Page struct {
	Cursor string
	Limit  int
}

func (p Page) query() url.Values {
	q := url.Values{}
	set(q, "cursor", p.Cursor)
	if p.Limit != 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// set adds what is not empty.
func set(q url.Values, name, value string) {
	if value != "" {
		q.Set(name, value)
	}
}

// List is a part of a list. NextCursor is empty at its end.
type List[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

// All walks over a whole list, page by page:
//
//	for bill, err := range client.All(func(p client.Page) (client.List[client.Bill], error) {
//		return studio.Bills(ctx, id, client.Days{}, p)
//	}) { … }
func All[T any](list func(Page) (List[T], error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var page Page
		for {
			l, err := list(page)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range l.Items {
				if !yield(item, nil) {
					return
				}
			}
			if l.NextCursor == "" {
				return
			}
			page.Cursor = l.NextCursor
		}
	}
}

// Session is a sign-in. Keep its token to go on later.
type Session struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	AccountID string    `json:"account_id"`
}

// door is the API with a sign-in, or with none.
type door struct {
	client  *Client
	session Session
}

// Session is the sign-in that the calls are made with.
func (d door) Session() Session { return d.session }

// request is one call.
type request struct {
	method string
	path   string
	query  url.Values
	key    Key
	body   any
	media  string // of the body, where it is not plain JSON
}

// path joins the parts of a path, each of them escaped.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// ask makes a call and reads its answer as T.
func ask[T any](ctx context.Context, d door, r request) (T, error) {
	var answer T
	err := d.do(ctx, r, &answer)
	return answer, err
}

// send makes a call and gives its answer as it came.
func (d door) send(ctx context.Context, r request) ([]byte, error) {
	sent, err := d.build(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	response, err := d.client.http.Do(sent)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, refusal(response, text)
	}
	return text, nil
}

func (d door) do(ctx context.Context, r request, answer any) error {
	text, err := d.send(ctx, r)
	if err != nil {
		return err
	}
	if answer == nil || len(text) == 0 {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", r.method, r.path, err)
	}
	return nil
}

func (d door) build(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	address := d.client.base + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	sent, err := http.NewRequestWithContext(ctx, r.method, address, body)
	if err != nil {
		return nil, err
	}
	sent.Header.Set("Accept", "application/json")
	if r.body != nil {
		sent.Header.Set("Content-Type", cmp.Or(r.media, "application/json"))
	}
	if r.key != "" {
		sent.Header.Set("Idempotency-Key", string(r.key))
	}
	if d.session.Token != "" {
		sent.Header.Set("Authorization", "Bearer "+d.session.Token)
	}
	return sent, nil
}

// refusal reads a problem; what is none, such as a proxy's page, is made one.
func refusal(response *http.Response, text []byte) error {
	p := &Problem{}
	if json.Unmarshal(text, p) != nil || p.Code == "" {
		p = &Problem{Title: response.Status, Status: response.StatusCode, Code: "http_" + strconv.Itoa(response.StatusCode), Detail: "The server answered " + response.Status + "."}
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}

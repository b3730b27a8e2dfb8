// Package aws stands in for AWS Marketplace: the metering service, the queue in
// which its events arrive, and the pages on which a buyer subscribes and
// cancels.
//
// It owns no rule of this house and imports none of its packages: what it
// checks is written from AWS's documents alone, with a signature check of its
// own. Where the documents contradict each other or are silent, there is a
// switch. Always true: a batch that breaks a limit changes nothing; the first
// value of a license, dimension and hour is the one that is billed; a fault
// that is asked for happens once for each call that it was asked for.
package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// Cloud is this cloud's name in journals, faults and paths.
const Cloud = "aws"

// Config is what the two sides have agreed on.
type Config struct {
	Base      string   // where the simulator is reached, without a slash at the end
	Home      string   // the page of all markets; empty where there is none
	Landing   string   // the vendor's registration URL
	AccessKey string   // of the seller
	SecretKey string   // of the seller
	Account   string   // the seller's account
	Regions   []string // where the metering service exists
	Queue     string   // the name of the queue that events arrive in
	Products  []Product
}

// Product is a listing.
type Product struct {
	ID         string   `json:"id"`
	Code       string   `json:"code"`
	Title      string   `json:"title"`
	Dimensions []string `json:"dimensions"`
	Legacy     bool     `json:"legacy"` // integrated before concurrent agreements
}

// eventsRegion is the only one in which agreement events are emitted.
const eventsRegion = "us-east-1"

// Sim is the marketplace. Make it with New.
type Sim struct {
	config Config
	stage  *stage.Stage

	mu     sync.Mutex
	market market
	recent []time.Time   // of metering calls within the last second
	arrive chan struct{} // closed and made anew when a message arrives
}

// market is the state that a file keeps.
type market struct {
	Switches   Switches            `json:"switches"`
	Products   []Product           `json:"products"`
	Agreements []*agreement        `json:"agreements"`
	Tokens     map[string]*token   `json:"tokens"`
	Records    map[string]*Record  `json:"records"`
	Order      []string            `json:"order"` // of records, as they were accepted
	Messages   []*message          `json:"messages"`
	Held       []*message          `json:"held"`
	Customers  map[string]customer `json:"customers"` // by account
}

// customer is a buyer.
type customer struct {
	Identifier string `json:"identifier"` // of legacy products
	Suspended  bool   `json:"suspended"`
}

type token struct {
	License string    `json:"license"`
	Expires time.Time `json:"expires"`
}

// New makes a marketplace without buyers.
func New(s *stage.Stage, c Config) *Sim {
	sim := &Sim{config: c, stage: s, arrive: make(chan struct{})}
	sim.reset()
	s.Register(Cloud, stage.Sender{})
	return sim
}

func (s *Sim) reset() {
	s.market = market{
		Switches: defaults(), Products: s.config.Products, Tokens: map[string]*token{}, Records: map[string]*Record{}, Customers: map[string]customer{},
	}
	s.recent = nil
}

// Reset empties the marketplace; the products and switches are those of the
// beginning.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
}

// Snapshot is the marketplace as a file keeps it.
func (s *Sim) Snapshot() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.market)
}

// Restore takes what Snapshot gave.
func (s *Sim) Restore(text json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
	if err := json.Unmarshal(text, &s.market); err != nil {
		return fmt.Errorf("reading the marketplace of AWS: %w", err)
	}
	return nil
}

// Speaks reports whether a request is one of AWS's APIs, wherever it was sent.
func Speaks(r *http.Request) bool { return r.Header.Get("X-Amz-Target") != "" }

// ServeHTTP is the APIs, told apart by their target, and the pages.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Header.Get("X-Amz-Target")
	switch service, operation, _ := strings.Cut(target, "."); {
	case service == "AWSMPMeteringService":
		s.serve(w, r, metering, operation)
	case service == "AmazonSQS":
		s.serve(w, r, queueing, operation)
	case target != "":
		fail(http.StatusBadRequest, "UnknownOperationException", "this simulator has no %s", target).write(w, metering)
	default:
		s.desk().ServeHTTP(w, r)
	}
}

// protocol is how an API speaks.
type protocol struct {
	service, content string
	errors           string // before the name of an error
	longest          int64
	operations       map[string]func(*Sim, call) answer
}

// call is one request that was signed rightly.
type call struct {
	*http.Request
	region string
	body   []byte
	fault  stage.Fault
}

// answer is what goes back.
type answer struct {
	status int
	body   any
	code   string // of an error
	legacy string // the name of an error of SQS's older protocol
}

func done(body any) answer { return answer{status: http.StatusOK, body: body} }

func fail(status int, code, format string, args ...any) answer {
	return answer{status: status, code: code, body: map[string]string{"__type": code, "message": fmt.Sprintf(format, args...)}}
}

func refuse(code, format string, args ...any) answer {
	return fail(http.StatusBadRequest, code, format, args...)
}

func (a answer) write(w http.ResponseWriter, p protocol) []byte {
	if m, ok := a.body.(map[string]string); ok && a.code != "" {
		m["__type"] = p.errors + a.code
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		panic("marketsim/aws: " + err.Error())
	}
	if a.legacy != "" {
		w.Header().Set("X-Amzn-Query-Error", a.legacy+";Sender")
	}
	w.Header().Set("Content-Type", p.content)
	w.WriteHeader(a.status)
	_, _ = w.Write(text)
	return text
}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request, p protocol, operation string) {
	w.Header().Set("X-Amzn-RequestId", s.stage.UUID())
	fault := s.stage.Meet(Cloud, operation)
	fault.Before(r.Context())
	body, err := read(w, r, p.longest)
	entry := stage.Entry{Cloud: Cloud, Direction: stage.In, Operation: operation, Fault: string(fault.Kind), Request: string(body)}
	a := err
	if a.status == 0 {
		a = s.answer(call{Request: r, body: body, fault: fault}, p, operation)
	}
	entry.Status, entry.Code = a.status, a.code
	if fault.Kind == stage.Lost {
		entry.Status = 0
	}
	defer func() { s.stage.Note(entry) }()
	fault.After()
	distance(r.Context())
	entry.Answer = string(a.write(w, p))
}

// distance is that to a data centre, about. AWS's SDK closes the body of its
// request when the answer begins; over no distance at all the answer may begin
// while Go's client has not left the body yet, which then tears the connection
// down in the middle of the answer.
func distance(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(3 * time.Millisecond):
	}
}

func (s *Sim) answer(c call, p protocol, operation string) answer {
	region, refusal := s.signed(c, p.service)
	if refusal.status != 0 {
		return refusal
	}
	c.region = region
	work := p.operations[operation]
	switch {
	case c.Method != http.MethodPost || !strings.HasPrefix(c.Header.Get("Content-Type"), p.content):
		return refuse("UnknownOperationException", "post %s", p.content)
	case work == nil:
		return refuse("UnknownOperationException", "this simulator has no %s", operation)
	case c.fault.Kind == stage.Throttle:
		return refuse("ThrottlingException", "Rate exceeded")
	case c.fault.Kind == stage.Failure:
		return fail(http.StatusInternalServerError, "InternalServiceErrorException", "An internal error has occurred. Retry your request.")
	}
	return work(s, c)
}

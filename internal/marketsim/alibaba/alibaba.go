// Package alibaba stands in for Alibaba Cloud Marketplace: the calls by which
// it tells a seller of orders (the SPI), the part of its API that sellers call,
// and the pages of a buyer.
//
// It owns no rule of this house and imports none of its packages: it is written
// from the cloud's documents alone. What they leave open (repeats, overlaps,
// error codes, zones) is a switch. Always true: a push that breaks a limit
// changes nothing; each row that was taken is listed with what became of it.
package alibaba

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// Cloud is this cloud's name in journals, faults and paths.
const Cloud = "alibaba"

// Config is what the two sides have agreed on.
type Config struct {
	Base         string // where the simulator is reached, without a slash at the end
	Home         string // the page of all markets; empty where there is none
	SPI          string // the vendor's production URL
	Key          string // of the seller, which signs the SPI
	AccessKey    string // of the seller's main account
	SecretKey    string
	SubAccessKey string // of a sub-account, which may look but not meter; empty where there is none
	SubSecretKey string
	Products     []Product
}

// Product is a listing.
type Product struct {
	Code  string   `json:"code"`
	SKU   string   `json:"sku"`
	Title string   `json:"title"`
	Plan  string   `json:"plan"` // hourly or daily: how often its usage is billed
	Keys  []string `json:"keys"` // what it is metered by
}

// Sim is the marketplace. Make it with New.
type Sim struct {
	config Config
	stage  *stage.Stage

	mu     sync.Mutex
	market market
	nonces map[string]time.Time // of signatures, by when they came
}

// market is the state that a file keeps.
type market struct {
	Switches  Switches             `json:"switches"`
	Products  []Product            `json:"products"`
	Instances []*instance          `json:"instances"`
	Rows      []Row                `json:"rows"`
	Pushed    map[string]time.Time `json:"pushed"` // by instance: its latest push
	Confirmed map[string]bool      `json:"confirmed"`
}

// New makes a marketplace without buyers.
func New(s *stage.Stage, c Config) *Sim {
	sim := &Sim{config: c, stage: s}
	sim.reset()
	s.Register(Cloud, stage.Sender{Compose: sim.compose, Answered: sim.answered, Lacks: []stage.FaultKind{stage.Partial}})
	return sim
}

func (s *Sim) reset() {
	s.market = market{Switches: defaults(), Products: s.config.Products, Pushed: map[string]time.Time{}, Confirmed: map[string]bool{}}
	s.nonces = map[string]time.Time{}
}

// Reset empties the marketplace; products and switches are those of the
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
		return fmt.Errorf("reading the marketplace of Alibaba Cloud: %w", err)
	}
	return nil
}

// Speaks reports whether a request is one of the cloud's API, wherever it was
// sent.
func Speaks(r *http.Request) bool {
	return r.Header.Get("X-Acs-Action") != "" || r.URL.Query().Get("Action") != "" && r.URL.Query().Get("Version") != ""
}

// ServeHTTP is the API and the pages.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if Speaks(r) {
		s.serve(w, r)
		return
	}
	s.desk().ServeHTTP(w, r)
}

// answer is what the API gives back.
type answer struct {
	status int
	body   map[string]any
}

func done(body map[string]any) answer { return answer{http.StatusOK, body} }

func refuse(status int, code, format string, args ...any) answer {
	return answer{status, map[string]any{"Code": code, "Message": fmt.Sprintf(format, args...)}}
}

// undocumented refuses where the documents name no code.
func (s *Sim) undocumented(format string, args ...any) answer {
	return refuse(http.StatusBadRequest, s.market.Switches.RefusalCode, format, args...)
}

// call is one request that was signed rightly.
type call struct {
	action string
	params url.Values
	sub    bool // by a sub-account
}

var operations = map[string]func(*Sim, call) answer{
	"PushMeteringData":            (*Sim).push,
	"DescribeInstanceForIsv":      (*Sim).describeInstance,
	"DescribeOrderForIsv":         (*Sim).describeOrder,
	"DescribeFailedNotifications": (*Sim).failedNotifications,
	"ConfirmNotification":         (*Sim).confirmNotification,
}

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	q, a := read(w, r)
	fault := s.stage.Meet(Cloud, q.action)
	fault.Before(r.Context())
	if a.status == 0 {
		a = s.answer(q, fault)
	}
	a.body["RequestId"] = s.stage.UUID()
	if a.status != http.StatusOK {
		a.body["HostId"] = r.Host
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		panic("marketsim/alibaba: " + err.Error())
	}
	code, _ := a.body["Code"].(string)
	entry := stage.Entry{
		Cloud: Cloud, Direction: stage.In, Operation: q.action, Status: a.status, Code: code, Fault: string(fault.Kind), Request: q.params.Encode(), Answer: string(text),
	}
	if fault.Kind == stage.Lost {
		entry.Status = 0
	}
	s.stage.Note(entry)
	fault.After()
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(a.status)
	_, _ = w.Write(text)
}

func (s *Sim) answer(q request, fault stage.Fault) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	sub, refusal := s.signed(q)
	work := operations[q.action]
	switch {
	case refusal.status != 0:
		return refusal
	case q.version != "2015-11-01":
		return refuse(http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid.")
	case work == nil:
		return refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")
	case fault.Kind == stage.Throttle:
		return refuse(http.StatusBadRequest, "Throttling.User", "Request was denied due to user flow control.")
	case fault.Kind == stage.Failure:
		return refuse(http.StatusInternalServerError, "InternalError", "The request processing has failed due to some unknown error.")
	}
	return work(s, call{q.action, q.params, sub})
}

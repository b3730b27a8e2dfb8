// Package huawei stands in for Huawei Cloud KooGallery: the calls by which it
// tells a seller of orders (in both generations), the order query and the usage
// push that sellers call, and the pages of a buyer.
//
// It owns no rule of this house and imports none of its packages: it is written
// from the cloud's documents alone. Where they contradict each other or are
// silent, there is a switch. Always true: an order says who bought, and never
// whether it was refunded; of an instance's rows with one begin and end the
// first counts, and nothing says so.
package huawei

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// Cloud is this cloud's name in journals, faults and paths.
const Cloud = "huawei"

// Config is what the two sides have agreed on.
type Config struct {
	Base       string // where the simulator is reached, without a slash at the end
	Home       string // the page of all markets; empty where there is none
	Callback   string // the vendor's production URL
	CallbackV1 string // that of listings of the first generation
	Key        string // of the seller, which signs callbacks and usage
	AccessKey  string // AK, of calls of the API
	SecretKey  string // SK
	Products   []Product
}

// Product is a listing.
type Product struct {
	ID    string `json:"id"`
	SKU   string `json:"sku"`
	Title string `json:"title"`
	Mode  string `json:"mode"` // ON_DEMAND, ONE_TIME (stored-value cards), PERIOD, ON_DEMAND_PKG
	First bool   `json:"first_generation"`
}

// Sim is the marketplace. Make it with New.
type Sim struct {
	config Config
	stage  *stage.Stage

	mu     sync.Mutex
	market market
}

// market is the state that a file keeps.
type market struct {
	Switches  Switches          `json:"switches"`
	Products  []Product         `json:"products"`
	Orders    []*order          `json:"orders"`
	Instances []*instance       `json:"instances"`
	Rows      []Row             `json:"rows"`
	Numbers   map[string]string `json:"numbers"` // metering_sn: the window that it was used for
}

// New makes a marketplace without buyers.
func New(s *stage.Stage, c Config) *Sim {
	sim := &Sim{config: c, stage: s}
	sim.reset()
	s.Register(Cloud, stage.Sender{Compose: sim.compose, Answered: sim.answered})
	return sim
}

func (s *Sim) reset() {
	s.market = market{Switches: defaults(), Products: s.config.Products, Numbers: map[string]string{}}
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
		return fmt.Errorf("reading the marketplace of Huawei Cloud: %w", err)
	}
	return nil
}

// api is where the cloud's API begins.
const api = "/api/mkp-openapi-public/global/v1/"

// Speaks reports whether a request is one of the cloud's API, wherever it was
// sent.
func Speaks(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, api) }

// ServeHTTP is the API and the pages.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch operation, called := strings.CutPrefix(r.URL.Path, api); {
	case called && operation == "order/query":
		s.serve(w, r, "order/query", http.MethodGet, (*Sim).queryOrder)
	case called && operation == "isv/usage-data":
		s.serve(w, r, "isv/usage-data", http.MethodPost, (*Sim).pushUsage)
	case called:
		http.NotFound(w, r)
	default:
		s.desk().ServeHTTP(w, r)
	}
}

// answer is what the API gives back.
type answer struct {
	status int
	code   string
	text   string
	more   map[string]any
}

func refuse(status int, code, format string, args ...any) answer {
	return answer{status: status, code: "MKT." + code, text: fmt.Sprintf(format, args...)}
}

// call is one request that was signed rightly.
type call struct {
	*http.Request
	body  []byte
	fault stage.Fault
}

// serve answers; the two operations name code and message differently.
func (s *Sim) serve(w http.ResponseWriter, r *http.Request, operation, method string, work func(*Sim, call) answer) {
	fault := s.stage.Meet(Cloud, operation)
	fault.Before(r.Context())
	body, a := read(w, r)
	if a.status == 0 {
		a = s.answer(call{r, body, fault}, method, work)
	}
	reply := map[string]any{"resultCode": a.code, "resultMsg": a.text}
	if method == http.MethodPost {
		reply = map[string]any{"error_code": a.code, "error_msg": a.text}
	}
	for k, v := range a.more {
		reply[k] = v
	}
	text, err := json.Marshal(reply)
	if err != nil {
		panic("marketsim/huawei: " + err.Error())
	}
	entry := stage.Entry{
		Cloud: Cloud, Direction: stage.In, Operation: operation, Status: a.status, Code: a.code, Fault: string(fault.Kind),
		Request: r.URL.RawQuery + string(body), Answer: string(text),
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

func (s *Sim) answer(c call, method string, work func(*Sim, call) answer) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	switch {
	case c.Method != method:
		return refuse(http.StatusMethodNotAllowed, "0101", "call it by %s", method)
	case c.fault.Kind == stage.Throttle:
		return refuse(http.StatusNotAcceptable, "0250", "too many requests")
	case c.fault.Kind == stage.Failure:
		return refuse(http.StatusInternalServerError, "0999", "system error")
	}
	return work(s, c)
}

// success is the code of what went well.
func (s *Sim) success(more map[string]any) answer {
	return answer{http.StatusOK, s.market.Switches.SuccessCode, "success", more}
}

func (s *Sim) product(id string) *Product {
	for i := range s.market.Products {
		if s.market.Products[i].ID == id {
			return &s.market.Products[i]
		}
	}
	return nil
}

func (s *Sim) order(id string) *order {
	for _, o := range s.market.Orders {
		if o.ID == id {
			return o
		}
	}
	return nil
}

// instance finds one by its key here, or by what the vendor calls it.
func (s *Sim) instance(id string) *instance {
	for _, i := range s.market.Instances {
		if id != "" && (i.Key == id || i.ID == id) {
			return i
		}
	}
	return nil
}

// The forms in which the cloud writes instants, all of them UTC.
const (
	orderTime = "20060102150405"
	usageTime = "20060102T150405Z"
)

func stamp(at time.Time) string { return at.UTC().Format(orderTime) }

package paysim

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// StripeConfig is what the two sides have agreed on.
type StripeConfig struct {
	Base    string           // where the simulator is reached
	Key     string           // the API key
	Secret  string           // signs webhooks
	Version string           // of the API, which events carry
	Webhook string           // where events are sent to
	Now     func() time.Time // the clock that sessions expire by
	RealNow func() time.Time // the clock that signatures age by
}

// Stripe is a strict stand-in for Stripe Checkout: sessions, refunds, disputes
// and their events.
type Stripe struct {
	Courier
	config StripeConfig

	mu       sync.Mutex
	sessions map[string]*session
	answers  map[string]keptAnswer // by idempotency key
	disputes map[string]*dispute
	number   int64
}

type keptAnswer struct {
	request string
	status  int
	body    []byte
}

type session struct {
	id, intent, charge, reference string
	minor                         int64
	currency                      string
	status, payment               string
	success, cancel, name         string
	metadata, intentMetadata      map[string]string
	expires                       time.Time
	refunded                      int64
}

type dispute struct {
	id, session, status string
	minor               int64
}

// NewStripe makes an account without sessions.
func NewStripe(c StripeConfig) *Stripe {
	return &Stripe{config: c, sessions: map[string]*session{}, answers: map[string]keptAnswer{}, disputes: map[string]*dispute{}}
}

// ServeHTTP is the API under /v1 and the page under /pay.
func (s *Stripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestRequest)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case len(parts) == 2 && parts[0] == "pay":
		s.page(w, r, parts[1])
	case parts[0] != "v1":
		http.NotFound(w, r)
	case r.Header.Get("Authorization") != "Bearer "+s.config.Key:
		refuse(w, http.StatusUnauthorized, "invalid_request_error", "", "Invalid API Key provided")
	case r.Method == http.MethodPost:
		s.once(w, r, func() (int, any) { return s.post(strings.Join(parts[1:], "/"), r.PostForm) })
	case r.Method == http.MethodGet && len(parts) == 4 && parts[1] == "checkout" && parts[2] == "sessions":
		s.mu.Lock()
		defer s.mu.Unlock()
		if x := s.sessions[parts[3]]; x != nil {
			s.overdue(x)
			reply(w, http.StatusOK, s.object(x, len(r.Form["expand[0]"])+len(r.Form["expand[]"]) > 0))
			return
		}
		refuse(w, http.StatusNotFound, "invalid_request_error", "resource_missing", "No such checkout.session")
	default:
		refuse(w, http.StatusNotFound, "invalid_request_error", "", "Unrecognized request URL")
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("paysim: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text)
}

func refusal(kind, code, message string) any {
	return map[string]any{"error": map[string]string{"type": kind, "code": code, "message": message}}
}

func refuse(w http.ResponseWriter, status int, kind, code, message string) {
	reply(w, status, refusal(kind, code, message))
}

// once gives the same answer to the same key, and refuses the key for another
// request.
func (s *Stripe) once(w http.ResponseWriter, r *http.Request, work func() (int, any)) {
	key, request := r.Header.Get("Idempotency-Key"), r.URL.Path+"?"+r.PostForm.Encode()
	if key == "" {
		refuse(w, http.StatusBadRequest, "invalid_request_error", "", "this simulator wants an Idempotency-Key for what moves money")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, known := s.answers[key]
	switch {
	case known && kept.request != request:
		refuse(w, http.StatusBadRequest, "idempotency_error", "", "Keys for idempotent requests can only be used with the same parameters they were first used with.")
		return
	case !known:
		status, body := work()
		text, err := json.Marshal(body)
		if err != nil {
			panic("paysim: " + err.Error())
		}
		kept = keptAnswer{request, status, text}
		s.answers[key] = kept
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(kept.status)
	_, _ = w.Write(kept.body)
}

func (s *Stripe) post(path string, form url.Values) (int, any) {
	switch path {
	case "checkout/sessions":
		return s.create(form)
	case "refunds":
		return s.refund(form)
	}
	return http.StatusNotFound, refusal("invalid_request_error", "", "Unrecognized request URL")
}

func (s *Stripe) name(prefix string) string {
	s.number++
	text := make([]byte, 8)
	if _, err := rand.Read(text); err != nil {
		panic("paysim: " + err.Error())
	}
	return fmt.Sprintf("%s_test_%d%s", prefix, s.number, hex.EncodeToString(text))
}

// knownParams are those of a session that the simulator understands; any other
// is a mistake, as it is at Stripe.
var knownParams = []string{
	"mode", "client_reference_id", "success_url", "cancel_url", "expires_at", "line_items[0][quantity]", "line_items[0][price_data][currency]",
	"line_items[0][price_data][unit_amount]", "line_items[0][price_data][product_data][name]", "metadata[", "payment_intent_data[metadata][",
}

func (s *Stripe) create(form url.Values) (int, any) {
	bad := func(code, message string) (int, any) {
		return http.StatusBadRequest, refusal("invalid_request_error", code, message)
	}
	for k := range form {
		known := false
		for _, p := range knownParams {
			known = known || k == p || strings.HasSuffix(p, "[") && strings.HasPrefix(k, p)
		}
		if !known {
			return bad("parameter_unknown", "Received unknown parameter: "+k)
		}
	}
	item := "line_items[0][price_data]"
	minor, err := strconv.ParseInt(form.Get(item+"[unit_amount]"), 10, 64)
	expires, wrong := strconv.ParseInt(form.Get("expires_at"), 10, 64)
	life := time.Unix(expires, 0).Sub(s.config.Now())
	switch {
	case form.Get("mode") != "payment":
		return bad("", "this simulator takes the mode payment only")
	case err != nil || minor < 50 || minor > 99_999_999 || form.Get("line_items[0][quantity]") != "1":
		return bad("amount_too_small", "The amount must be between 50 and 99999999.")
	case len(form.Get(item+"[currency]")) != 3 || form.Get(item+"[currency]") != strings.ToLower(form.Get(item+"[currency]")):
		return bad("", "Invalid currency")
	case form.Get(item+"[product_data][name]") == "" || form.Get("success_url") == "":
		return bad("parameter_missing", "Missing required param.")
	case wrong != nil || life < 29*time.Minute || life > 24*time.Hour:
		return bad("", "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.")
	}
	x := &session{
		id: s.name("cs"), reference: form.Get("client_reference_id"), minor: minor, currency: form.Get(item + "[currency]"), status: "open", payment: "unpaid",
		success: form.Get("success_url"), cancel: form.Get("cancel_url"), name: form.Get(item + "[product_data][name]"), expires: time.Unix(expires, 0),
		metadata: nested(form, "metadata["), intentMetadata: nested(form, "payment_intent_data[metadata]["),
	}
	s.sessions[x.id] = x
	return http.StatusOK, s.object(x, false)
}

// nested collects prefix[key]=value.
func nested(form url.Values, prefix string) map[string]string {
	all := map[string]string{}
	for k, v := range form {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			all[strings.TrimSuffix(rest, "]")] = v[0]
		}
	}
	return all
}

func (s *Stripe) overdue(x *session) {
	if x.status == "open" && s.config.Now().After(x.expires) {
		x.status = "expired"
	}
}

// object is a session as the API shows it.
func (s *Stripe) object(x *session, expanded bool) map[string]any {
	o := map[string]any{
		"id": x.id, "object": "checkout.session", "amount_total": x.minor, "currency": x.currency, "client_reference_id": x.reference, "livemode": false,
		"metadata": x.metadata, "mode": "payment", "status": x.status, "payment_status": x.payment, "expires_at": x.expires.Unix(), "url": nil, "payment_intent": nil,
	}
	if x.status == "open" {
		o["url"] = s.config.Base + "/pay/" + x.id
	}
	switch {
	case x.intent != "" && expanded:
		o["payment_intent"] = map[string]any{"id": x.intent, "object": "payment_intent", "status": "succeeded", "metadata": x.intentMetadata, "latest_charge": s.chargeObject(x)}
	case x.intent != "":
		o["payment_intent"] = x.intent
	}
	return o
}

func (s *Stripe) chargeObject(x *session) map[string]any {
	return map[string]any{
		"id": x.charge, "object": "charge", "amount": x.minor, "amount_refunded": x.refunded, "currency": x.currency, "livemode": false,
		"metadata": x.intentMetadata, "payment_intent": x.intent, "paid": true, "refunded": x.refunded == x.minor,
	}
}

func (s *Stripe) refund(form url.Values) (int, any) {
	minor, err := strconv.ParseInt(form.Get("amount"), 10, 64)
	for _, x := range s.sessions {
		if x.intent == "" || x.intent != form.Get("payment_intent") {
			continue
		}
		if err != nil || minor < 1 || x.refunded+minor > x.minor {
			return http.StatusBadRequest, refusal("invalid_request_error", "charge_already_refunded", "Refund amount is greater than unrefunded amount on charge")
		}
		x.refunded += minor
		s.send("charge.refunded", s.chargeObject(x))
		return http.StatusOK, map[string]any{
			"id": s.name("re"), "object": "refund", "amount": minor, "currency": x.currency, "status": "succeeded", "payment_intent": x.intent,
			"metadata": nested(form, "metadata["), "charge": s.chargeObject(x),
		}
	}
	return http.StatusNotFound, refusal("invalid_request_error", "resource_missing", "No such payment_intent")
}

func (s *Stripe) page(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	x := s.sessions[id]
	if x == nil {
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	s.overdue(x)
	page := cashier{
		Channel: "Stripe", Title: x.name, Amount: strings.ToUpper(x.currency) + " " + decimal(x.minor), Order: x.reference,
		Action: s.config.Base + "/pay/" + id, Back: x.cancel,
	}
	if x.status != "open" {
		page.State, page.Back = "This session is "+x.status+".", x.success
	}
	success := x.success
	s.mu.Unlock()
	switch {
	case r.Method != http.MethodPost || page.State != "":
		page.write(w)
	case r.FormValue("do") == "pay" && s.Pay(id):
		http.Redirect(w, r, success, http.StatusSeeOther)
	default: // a declined card leaves the session open
		http.Redirect(w, r, x.cancel, http.StatusSeeOther)
	}
}

// Pay is the payer who pays; it reports whether that was still possible.
func (s *Stripe) Pay(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[id]
	if x == nil {
		return false
	}
	if s.overdue(x); x.status != "open" {
		return false
	}
	x.status, x.payment, x.intent, x.charge = "complete", "paid", s.name("pi"), s.name("ch")
	s.send("checkout.session.completed", s.object(x, false))
	return true
}

// Expire ends a session that nobody pays.
func (s *Stripe) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.sessions[id]; x != nil && x.status == "open" {
		x.status = "expired"
		s.send("checkout.session.expired", s.object(x, false))
	}
}

// RefundByMerchant is a refund made in Stripe's own dashboard.
func (s *Stripe) RefundByMerchant(id string, minor int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[id]
	x.refunded += minor
	s.send("charge.refunded", s.chargeObject(x))
}

// Dispute is the payer's bank that takes a payment back; it gives the
// dispute's name.
func (s *Stripe) Dispute(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.sessions[id]
	d := &dispute{s.name("dp"), id, "needs_response", x.minor - x.refunded}
	s.disputes[d.id] = d
	s.send("charge.dispute.created", s.disputeObject(d))
	return d.id
}

// Decide ends a dispute.
func (s *Stripe) Decide(id string, won bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.disputes[id]
	d.status = "lost"
	if won {
		d.status = "won"
	}
	s.send("charge.dispute.closed", s.disputeObject(d))
}

func (s *Stripe) disputeObject(d *dispute) map[string]any {
	x := s.sessions[d.session]
	return map[string]any{
		"id": d.id, "object": "dispute", "amount": d.minor, "currency": x.currency, "status": d.status, "charge": x.charge, "payment_intent": x.intent,
		"livemode": false, "metadata": map[string]string{},
	}
}

// send posts an event, signed anew at each attempt.
func (s *Stripe) send(kind string, object map[string]any) {
	body := s.event(kind, object)
	s.deliver(s.config.Webhook, func() ([]byte, http.Header) {
		at := strconv.FormatInt(s.config.RealNow().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(s.config.Secret))
		mac.Write([]byte(at + "." + string(body)))
		return body, http.Header{
			"Content-Type":     {"application/json; charset=utf-8"},
			"Stripe-Signature": {"t=" + at + ",v1=" + hex.EncodeToString(mac.Sum(nil))},
		}
	}, func(status int, _ string) bool { return status/100 == 2 })
}

// event is what happened to an object.
func (s *Stripe) event(kind string, object map[string]any) []byte {
	text, err := json.Marshal(map[string]any{
		"id": s.name("evt"), "object": "event", "api_version": s.config.Version, "created": s.config.RealNow().Unix(), "livemode": false,
		"pending_webhooks": 1, "type": kind, "data": map[string]any{"object": object}, "request": map[string]any{"id": nil, "idempotency_key": nil},
	})
	if err != nil {
		panic("paysim: " + err.Error())
	}
	return text
}

// Taken sums what payers paid, less what went back, by our name of the payment.
func (s *Stripe) Taken() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := map[string]int64{}
	for _, x := range s.sessions {
		if x.payment == "paid" {
			taken[x.reference] += x.minor - x.refunded
		}
	}
	return taken
}

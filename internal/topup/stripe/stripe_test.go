package stripe_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/paysim"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/topup/stripe"
)

// start is real time: signatures age by it.
var start = time.Now()

func now() time.Time { return start }

const (
	apiKey = "sk_test_tollgate"
	secret = "whsec_tollgate"
)

func settings(api string) stripe.Config {
	return stripe.Config{
		Key: apiKey, Secrets: []string{secret}, Currencies: []money.Currency{money.USD}, API: api,
		Return: func(id string) string { return "https://tollgate.example/back/" + id },
		Cancel: func(id string) string { return "https://tollgate.example/left/" + id }, Now: now,
	}
}

// events keeps what the simulator sends.
type events struct {
	mu   sync.Mutex
	list []topup.Message
	more chan struct{}
}

func (e *events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.list = append(e.list, topup.Message{Header: r.Header, Body: body})
	e.mu.Unlock()
	e.more <- struct{}{}
}

// next waits for one more event.
func (e *events) next(t *testing.T) topup.Message {
	t.Helper()
	select {
	case <-e.more:
	case <-time.After(10 * time.Second):
		t.Fatal("no event has come")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.list[len(e.list)-1]
}

func open(t *testing.T) (*stripe.Channel, *paysim.Stripe, *events) {
	t.Helper()
	heard := &events{more: make(chan struct{}, 16)}
	hook := httptest.NewServer(heard)
	t.Cleanup(hook.Close)
	var account *paysim.Stripe
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { account.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	account = paysim.NewStripe(paysim.StripeConfig{Base: server.URL, Key: apiKey, Secret: secret, Version: sdk.APIVersion, Webhook: hook.URL, Now: now, RealNow: now})
	account.Start(t.Context())
	t.Cleanup(account.Stop)
	c, err := stripe.New(settings(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	return c, account, heard
}

func payment(id, amount string) topup.Payment {
	return topup.Payment{ID: id, Channel: topup.Stripe, Amount: money.MustParse(amount, money.USD), State: topup.Pending, CreatedAt: start, ExpiresAt: start.Add(time.Hour)}
}

func read(t *testing.T, c *stripe.Channel, m topup.Message) topup.Report {
	t.Helper()
	told, err := c.Read(m)
	if err != nil || len(told) != 1 {
		t.Fatalf("%s: %v, %v", m.Body, told, err)
	}
	return told[0]
}

func TestASessionIsOpenedOncePaidAndTold(t *testing.T) {
	t.Parallel()
	c, account, heard := open(t)
	p := payment("pmnt_1", "12.30")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Open(t.Context(), p); err != nil || again != o {
		t.Errorf("opened again: %+v, %v, want %+v", again, err, o)
	}
	other := p
	other.Amount = money.MustParse("12.31", money.USD)
	if _, err := c.Open(t.Context(), other); !errors.Is(err, topup.ErrRefused) {
		t.Errorf("another amount under the payment's name: %v", err)
	}
	p.Session = o.Session
	if asked, err := c.Ask(t.Context(), p); err != nil || len(asked) != 1 || asked[0].Outcome != topup.IsOpen {
		t.Errorf("asked before it was paid: %+v, %v", asked, err)
	}
	if !account.Pay(o.Session) {
		t.Fatal("it could not be paid")
	}
	r := read(t, c, heard.next(t))
	if r.Outcome != topup.WasPaid || r.PaymentID != p.ID || r.Amount != p.Amount || !strings.HasPrefix(r.Reference, "pi_") || r.Odd != "" {
		t.Errorf("told %+v", r)
	}
	asked, err := c.Ask(t.Context(), p)
	if err != nil || len(asked) != 1 || asked[0].Outcome != topup.WasPaid || asked[0].Reference != r.Reference || asked[0].Amount != p.Amount {
		t.Errorf("asked afterwards: %+v, %v", asked, err)
	}
	p.ID = "pmnt_other"
	if _, err := c.Ask(t.Context(), p); !errors.Is(err, topup.ErrUnavailable) {
		t.Errorf("a session of another payment: %v", err)
	}
}

func TestRefundsAreToldAsTheSumOfAll(t *testing.T) {
	t.Parallel()
	c, account, heard := open(t)
	p := payment("pmnt_1", "100")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	account.Pay(o.Session)
	p.Session, p.Reference = o.Session, read(t, c, heard.next(t)).Reference
	for range 2 {
		r, err := c.Refund(t.Context(), p, topup.Refund{ID: "rfnd_1", Amount: money.MustParse("30", money.USD)})
		if err != nil || r.Outcome != topup.WasRefunded || r.Amount != money.MustParse("30", money.USD) {
			t.Errorf("refunded %+v, %v", r, err)
		}
	}
	if r := read(t, c, heard.next(t)); r.Outcome != topup.WasRefunded || r.PaymentID != p.ID || r.Amount != money.MustParse("30", money.USD) {
		t.Errorf("told %+v", r)
	}
	account.RefundByMerchant(o.Session, 20_00)
	if r := read(t, c, heard.next(t)); r.Amount != money.MustParse("50", money.USD) {
		t.Errorf("told of both: %+v", r)
	}
	if asked, err := c.Ask(t.Context(), p); err != nil || len(asked) != 2 || asked[1].Outcome != topup.WasRefunded || asked[1].Amount != money.MustParse("50", money.USD) {
		t.Errorf("asked: %+v, %v", asked, err)
	}
	if _, err := c.Refund(t.Context(), p, topup.Refund{ID: "rfnd_2", Amount: money.MustParse("50.01", money.USD)}); !errors.Is(err, topup.ErrRefused) {
		t.Errorf("more than is left: %v", err)
	}
}

func TestADisputeIsToldByTheMoneysName(t *testing.T) {
	t.Parallel()
	c, account, heard := open(t)
	o, err := c.Open(t.Context(), payment("pmnt_1", "100"))
	if err != nil {
		t.Fatal(err)
	}
	account.Pay(o.Session)
	reference := read(t, c, heard.next(t)).Reference
	d := account.Dispute(o.Session)
	if r := read(t, c, heard.next(t)); r.Outcome != topup.DisputeOpened || r.Reference != reference || r.Dispute != d || r.Amount != money.MustParse("100", money.USD) {
		t.Errorf("told %+v", r)
	}
	account.Decide(d, true)
	if r := read(t, c, heard.next(t)); r.Outcome != topup.DisputeDecided || !r.Won || r.Dispute != d {
		t.Errorf("told %+v", r)
	}
	account.Decide(d, false)
	if r := read(t, c, heard.next(t)); r.Outcome != topup.DisputeDecided || r.Won {
		t.Errorf("told %+v", r)
	}
}

func TestASessionThatIsOverIsTold(t *testing.T) {
	t.Parallel()
	c, account, heard := open(t)
	p := payment("pmnt_1", "100")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	account.Expire(o.Session)
	if r := read(t, c, heard.next(t)); r.Outcome != topup.HasExpired || r.PaymentID != p.ID {
		t.Errorf("told %+v", r)
	}
	p.Session = o.Session
	if asked, err := c.Ask(t.Context(), p); err != nil || asked[0].Outcome != topup.HasExpired || account.Pay(o.Session) {
		t.Errorf("asked %+v, %v", asked, err)
	}
}

// event is one that Stripe could send, as the test wants it.
func event(kind string, change map[string]any, object map[string]any) []byte {
	e := map[string]any{"id": "evt_1", "object": "event", "api_version": sdk.APIVersion, "created": start.Unix(), "livemode": false, "type": kind, "data": map[string]any{"object": object}}
	for k, v := range change {
		e[k] = v
	}
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return text
}

func paidSession(status, payment string) map[string]any {
	return map[string]any{
		"id": "cs_1", "object": "checkout.session", "amount_total": 1230, "currency": "usd", "status": status, "payment_status": payment,
		"payment_intent": "pi_1", "metadata": map[string]string{"tollgate_payment": "pmnt_1"},
	}
}

// signed is the message with the header that Stripe's own library makes.
func signed(body []byte, with string, at time.Time) topup.Message {
	s := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: with, Timestamp: at})
	return topup.Message{Header: http.Header{"Stripe-Signature": {s.Header}}, Body: body}
}

func TestAnEventIsBelievedForAFreshSignatureOnly(t *testing.T) {
	t.Parallel()
	c, err := stripe.New(settings(""))
	if err != nil {
		t.Fatal(err)
	}
	body := event("checkout.session.completed", nil, paidSession("complete", "paid"))
	good := signed(body, secret, start)
	if r := read(t, c, good); r.Outcome != topup.WasPaid || r.Event != "evt_1" {
		t.Errorf("a good one: %+v", r)
	}
	changed := good
	changed.Body = bytes.Replace(body, []byte("1230"), []byte("9930"), 1)
	for name, m := range map[string]topup.Message{
		"wrong secret":      signed(body, "whsec_other", start),
		"stale":             signed(body, secret, start.Add(-6*time.Minute)),
		"from the future":   signed(body, secret, start.Add(6*time.Minute)),
		"changed body":      changed,
		"no header":         {Body: body},
		"empty header":      {Header: http.Header{"Stripe-Signature": {""}}, Body: body},
		"another scheme":    {Header: http.Header{"Stripe-Signature": {strings.Replace(good.Header["Stripe-Signature"][0], "v1=", "v0=", 1)}}, Body: body},
		"nothing but noise": {Header: http.Header{"Stripe-Signature": {"t=x,v1=zz"}}, Body: []byte("\xff")},
	} {
		if told, err := c.Read(m); !errors.Is(err, topup.ErrForged) || len(told) != 0 {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
}

// A documented vector: it holds both this test and the library to the format.
func TestTheSignatureIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	at := time.Unix(1492774577, 0)
	sum := fmt.Sprintf("%x", webhook.ComputeSignature(at, []byte(`{"id":"evt_1"}`), "whsec_test"))
	if sum != "7656fc2882a7ca0a651666b36bf2f2f22ee204f54f608f227498a2419f2890b2" {
		t.Errorf("the signature is %s", sum)
	}
}

func TestASecretIsReplacedWithoutLosingAnEvent(t *testing.T) {
	t.Parallel()
	config := settings("")
	config.Secrets = []string{"whsec_new", secret}
	c, err := stripe.New(config)
	if err != nil {
		t.Fatal(err)
	}
	body := event("checkout.session.completed", nil, paidSession("complete", "paid"))
	for _, with := range config.Secrets {
		if r := read(t, c, signed(body, with, start)); r.Outcome != topup.WasPaid {
			t.Errorf("%+v", r)
		}
	}
}

func TestEventsMeanWhatTheirObjectsSay(t *testing.T) {
	t.Parallel()
	c, err := stripe.New(settings(""))
	if err != nil {
		t.Fatal(err)
	}
	foreign := paidSession("complete", "paid")
	foreign["metadata"] = map[string]string{}
	disputed := func(status string) map[string]any {
		return map[string]any{"id": "dp_1", "object": "dispute", "amount": 1230, "currency": "usd", "status": status, "payment_intent": "pi_1"}
	}
	charge := map[string]any{"id": "ch_1", "object": "charge", "amount": 1230, "amount_refunded": 30, "currency": "usd", "payment_intent": "pi_1", "metadata": map[string]string{"tollgate_payment": "pmnt_1"}}
	for name, x := range map[string]struct {
		body []byte
		want string
	}{
		"a bank that takes its time":  {event("checkout.session.completed", nil, paidSession("complete", "unpaid")), "open"},
		"a bank that paid":            {event("checkout.session.async_payment_succeeded", nil, paidSession("complete", "paid")), "paid"},
		"a bank that refused":         {event("checkout.session.async_payment_failed", nil, paidSession("complete", "unpaid")), "failed"},
		"a session that is over":      {event("checkout.session.expired", nil, paidSession("expired", "unpaid")), "expired"},
		"a refund":                    {event("charge.refunded", nil, charge), "refunded"},
		"a dispute":                   {event("charge.dispute.created", nil, disputed("needs_response")), "dispute_opened"},
		"its money":                   {event("charge.dispute.funds_withdrawn", nil, disputed("under_review")), "dispute_opened"},
		"its end":                     {event("charge.dispute.closed", nil, disputed("lost")), "dispute_decided"},
		"an inquiry":                  {event("charge.dispute.created", nil, disputed("warning_needs_response")), ""},
		"an inquiry that is over":     {event("charge.dispute.closed", nil, disputed("warning_closed")), ""},
		"another program's session":   {event("checkout.session.completed", nil, foreign), ""},
		"something that we do not do": {event("customer.created", nil, map[string]any{"id": "cus_1", "object": "customer"}), ""},
		"real money in a test":        {event("checkout.session.completed", map[string]any{"livemode": true}, paidSession("complete", "paid")), "paid mode"},
		"a connected account":         {event("checkout.session.completed", map[string]any{"account": "acct_1"}, paidSession("complete", "paid")), "paid merchant"},
	} {
		told, err := c.Read(signed(x.body, secret, start))
		got := ""
		if len(told) == 1 {
			got = strings.TrimSpace(string(told[0].Outcome) + " " + string(told[0].Odd))
		}
		if err != nil || got != x.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, x.want)
		}
	}
	for name, body := range map[string][]byte{
		"another version of the API": event("checkout.session.completed", map[string]any{"api_version": "2019-01-01"}, paidSession("complete", "paid")),
		"no event":                   []byte(`{"object":"v2.core.event"}`),
		"no JSON":                    []byte(`nothing`),
		"a session of nothing":       []byte(`{"id":"evt_1","object":"event","api_version":"` + sdk.APIVersion + `","type":"checkout.session.completed","data":{"object":{"amount_total":"x"}}}`),
	} {
		if told, err := c.Read(signed(body, secret, start)); !errors.Is(err, topup.ErrUnreadable) || len(told) != 0 {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
}

func TestWhatMayBeTriedAgainIsToldFromARefusal(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		500: topup.ErrUnavailable, 429: topup.ErrUnavailable, 401: topup.ErrUnavailable, 400: topup.ErrRefused, 402: topup.ErrRefused, 404: topup.ErrRefused,
	} {
		var calls []string
		var mu sync.Mutex
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			calls = append(calls, r.Header.Get("Idempotency-Key"))
			mu.Unlock()
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error":{"type":"api_error","message":"no"}}`)
		}))
		c, err := stripe.New(settings(server.URL))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Open(t.Context(), payment("pmnt_1", "10")); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", status, err, want)
		}
		if slices.ContainsFunc(calls, func(key string) bool { return key != "open-pmnt_1" }) {
			t.Errorf("%d: called with the keys %v", status, calls)
		}
		server.Close()
	}
}

func TestSettingsAreCheckedAndNoMessageHoldsASecret(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*stripe.Config){
		"a publishable key":   func(c *stripe.Config) { c.Key = "pk_test_tollgate" },
		"no key":              func(c *stripe.Config) { c.Key = "" },
		"no secret":           func(c *stripe.Config) { c.Secrets = nil },
		"a secret of nothing": func(c *stripe.Config) { c.Secrets = []string{"tollgate"} },
		"no currency":         func(c *stripe.Config) { c.Currencies = nil },
		"no address":          func(c *stripe.Config) { c.API = "api.stripe.com" },
	} {
		c := settings("")
		change(&c)
		_, err := stripe.New(c)
		if err == nil || strings.Contains(err.Error(), "tollgate") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzStripeEvent(f *testing.F) {
	c, err := stripe.New(settings(""))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{}`), "t=1,v1=00")
	f.Add(event("charge.refunded", nil, map[string]any{}), "t=1,v1=00,v0=11")
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		if told, err := c.Read(topup.Message{Header: http.Header{"Stripe-Signature": {header}}, Body: body}); err == nil || len(told) != 0 {
			t.Fatalf("believed %q: %v", body, told)
		}
		if told, err := c.Read(signed(body, secret, start)); err == nil && len(told) > 1 { // signed nonsense does no harm
			t.Fatalf("%q says %v", body, told)
		}
	})
}

package huawei

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/marketsim/stage"
	"tollgate.dev/internal/testkit"
)

const customer = "68cbc86abc2018ab880d92f36422fa0e"

var begin = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// heard is a call that the vendor got.
type heard struct {
	*http.Request
	body string
	said map[string]string
}

// world is a marketplace that listens, and a vendor who answers it.
type world struct {
	t      *testing.T
	sim    *Sim
	stage  *stage.Stage
	server *httptest.Server
	clock  atomic.Int64

	mu     sync.Mutex
	calls  []heard
	answer func(h heard) string
	mute   bool // the vendor does not sign his answers
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, answer: agreeable}
	w.at(begin)
	w.stage = stage.New(stage.Options{
		Now: func() time.Time { return time.UnixMicro(w.clock.Load()) }, RealNow: time.Now, Seed: 7, Gaps: []time.Duration{0, time.Millisecond},
	})
	vendor := httptest.NewServer(http.HandlerFunc(w.vendor))
	t.Cleanup(vendor.Close)
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.sim = New(w.stage, Config{
		Base: w.server.URL, Callback: vendor.URL + "/v2?tenant=one", CallbackV1: vendor.URL + "/v1", Key: "hwkey", AccessKey: "ak", SecretKey: "sk",
		Products: []Product{
			{ID: "p-use", SKU: "sku-use", Title: "By use", Mode: "ON_DEMAND"},
			{ID: "p-card", SKU: "card-100", Title: "Card", Mode: "ONE_TIME"},
			{ID: "p-year", SKU: "sku-year", Title: "By period", Mode: "PERIOD"},
			{ID: "p-old", SKU: "sku-old", Title: "Old", Mode: "PERIOD", First: true},
		},
	})
	mux.Handle("/", w.sim)
	w.stage.Start(t.Context())
	t.Cleanup(w.stage.Stop)
	return w
}

func (w *world) vendor(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	h := heard{r, string(body), map[string]string{}}
	if r.Method == http.MethodPost && err == nil {
		err = json.Unmarshal(body, &h.said)
	}
	if err != nil {
		w.t.Errorf("%v: %s", err, body)
	}
	if r.Method == http.MethodGet {
		for k, v := range r.URL.Query() {
			h.said[k] = v[0]
		}
	}
	w.calls = append(w.calls, h)
	reply := w.answer(h)
	if !w.mute && r.URL.Path == "/v1" {
		rw.Header().Set("Body-Sign", `sign_type="HMAC-SHA256", signature="`+bodySign("hwkey", []byte(reply))+`"`)
	}
	_, _ = io.WriteString(rw, reply)
}

// agreeable answers as a vendor does who keeps to the documents.
func agreeable(h heard) string {
	switch h.said["activity"] {
	case "newInstance":
		return `{"resultCode":"000000","resultMsg":"success","instanceId":"i-` + h.said["orderId"] + `","appInfo":{"frontEndUrl":"https://vendor.example/"}}`
	case "queryInstance":
		return `{"resultCode":"000000","resultMsg":"success","info":[{"instanceId":"` + h.said["instanceId"] + `","appInfo":{},"usageInfo":[{"usageValue":1.5,"statisticalTime":"20261120080000000"}]}]}`
	}
	return `{"resultCode":"000000","resultMsg":"success"}`
}

func (w *world) at(at time.Time)      { w.clock.Store(at.UnixMicro()) }
func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) answers(answer func(heard) string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answer = answer
}

func (w *world) flip(switches string) {
	w.t.Helper()
	if err := w.sim.Switch([]byte(switches)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) act(action string, args ...string) map[string]string {
	w.t.Helper()
	m := map[string]string{}
	for i := 0; i < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	got, err := w.sim.Act(action, m)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

// bought is an instance that the vendor has made.
func (w *world) bought(product string) map[string]string {
	w.t.Helper()
	got := w.act("buy", "customer", customer, "product", product)
	w.settled()
	got["instance"] = "i-" + got["order"]
	return got
}

func (w *world) settled() {
	w.t.Helper()
	testkit.Eventually(w.t, 20*time.Second, func() error {
		for _, c := range w.stage.Callbacks("") {
			if !c.Done && len(c.Attempts) < c.Most {
				return fmt.Errorf("%s was tried %d times", c.Kind, len(c.Attempts))
			}
		}
		return nil
	})
}

func (w *world) said(activity string) []heard {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []heard
	for _, h := range w.calls {
		if h.said["activity"] == activity {
			found = append(found, h)
		}
	}
	return found
}

// call calls the API, signed by AK and SK unless the test spoils it.
func (w *world) call(method, path, body string, spoil func(*http.Request)) (int, map[string]any) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.RequestURI = path // what a server sees, and what is signed
	r.Header.Set("X-Sdk-Date", time.Now().UTC().Format(usageTime))
	if method == http.MethodPost {
		ts := strconv.FormatInt(time.Now().UnixMilli(), 10)
		r.Header.Set("ts", ts)
		r.Header.Set("nonce", "n1")
		r.Header.Set("signature", usageSignature("hwkey", ts, "n1", []byte(body)))
	}
	names := []string{"host", "x-sdk-date"}
	r.Header.Set("Authorization", sdkAlgorithm+" Access=ak, SignedHeaders="+strings.Join(names, ";")+", Signature="+sdkSignature(r, names, []byte(body), "sk"))
	if spoil != nil {
		spoil(r)
	}
	r.RequestURI = ""
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	var got map[string]any
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, got
}

func (w *world) query(id string) (int, map[string]any) {
	return w.call(http.MethodGet, api+"order/query?orderId="+id, "", nil)
}

func TestAPurchaseIsMadeByTheVendorAndFoundByItsOrder(t *testing.T) {
	t.Parallel()
	w := open(t)
	got := w.bought("p-card")
	calls := w.said("newInstance")
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	h := calls[0]
	q := h.URL.Query()
	if h.said["orderId"] != got["order"] || h.said["orderLineId"] != got["order_line"] || h.said["businessId"] == "" || h.said["customerId"] != "" || h.said[generationKey] != "" || q.Get("tenant") != "one" {
		t.Errorf("%v", h.said)
	}
	if want := signatureV2("hwkey", q.Get("nonce"), q.Get("timestamp"), []byte(h.body)); q.Get("signature") != want || len(q.Get("timestamp")) != 13 {
		t.Errorf("%v, want %s", q, want)
	}
	status, reply := w.query(got["order"])
	text, err := json.Marshal(reply)
	if err != nil || status != http.StatusOK || reply["resultCode"] != "MKT.0000" {
		t.Fatalf("%d %s", status, text)
	}
	for _, want := range []string{`"customerId":"` + customer, `"orderType":"NEW"`, `"chargingMode":"ONE_TIME"`, `"skuCode":"card-100"`, `"linearValue":"1"`, `"createTime":"20261120080000"`, `"orderLineId":"` + got["order_line"]} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	before := string(text)
	w.act("unsubscribe", "instance", got["instance"])
	w.settled()
	_, reply = w.query(got["order"])
	if text, err = json.Marshal(reply); err != nil || string(text) != before {
		t.Error("the order tells that it was refunded")
	}
	release := w.said("releaseInstance")
	if len(release) != 1 || release[0].said["orderId"] == got["order"] || release[0].said["instanceId"] != got["instance"] {
		t.Fatalf("%v", release)
	}
	if _, reply = w.query(release[0].said["orderId"]); !strings.Contains(fmt.Sprint(reply), "UNSUBSCRIBE") {
		t.Errorf("%v", reply)
	}
}

func TestOrdersOfOthersAndOfNobodyAreNotShown(t *testing.T) {
	t.Parallel()
	w := open(t)
	foreign := w.act("foreign")["order"]
	for id, want := range map[string]string{foreign: "401 MKT.0150", "CS0": "400 MKT.0199", "": "400 MKT.0101", "CS0&more=1": "400 MKT.0101", "MOCKONETIMENEW": "200 MKT.0000"} {
		status, reply := w.query(id)
		if got := fmt.Sprint(status, " ", reply["resultCode"]); got != want {
			t.Errorf("%q: %s, want %s", id, got, want)
		}
	}
	w.flip(`{"unknown_order": "empty", "success_code": "CBC.0000"}`)
	if status, reply := w.query("CS0"); status != http.StatusOK || reply["orderInfo"] != nil || reply["resultCode"] != "CBC.0000" {
		t.Errorf("%d %v", status, reply)
	}
}

func TestOnlyARightSignatureIsServed(t *testing.T) {
	t.Parallel()
	w := open(t)
	order := w.bought("p-card")["order"]
	edit := func(header, from, to string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, strings.Replace(r.Header.Get(header), from, to, 1)) }
	}
	for name, spoil := range map[string]func(*http.Request){
		"another key":      edit("Authorization", "Access=ak", "Access=xx"),
		"no authorization": func(r *http.Request) { r.Header.Del("Authorization") },
		"another date": func(r *http.Request) {
			r.Header.Set("X-Sdk-Date", time.Now().Add(-time.Minute).UTC().Format(usageTime))
		},
		"an old date":   func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20200101T000000Z") },
		"no host":       edit("Authorization", "host;", ""),
		"another query": func(r *http.Request) { r.URL.RawQuery += "&orderLineId=x" },
	} {
		if status, reply := w.call(http.MethodGet, api+"order/query?orderId="+order, "", spoil); status != http.StatusUnauthorized || reply["resultCode"] != "MKT.0154" {
			t.Errorf("%s: %d %v", name, status, reply)
		}
	}
}

func TestTheMarketAsksAgainWithAnotherBusinessID(t *testing.T) {
	t.Parallel()
	w := open(t)
	asked := 0
	w.answers(func(h heard) string {
		if asked++; asked < 3 {
			return `{"resultCode":"000005","resultMsg":"later"}`
		}
		return agreeable(h)
	})
	w.bought("p-use")
	calls := w.said("newInstance")
	if len(calls) != 3 || calls[0].said["businessId"] == calls[1].said["businessId"] || calls[0].said["orderId"] != calls[2].said["orderId"] || calls[0].URL.Query().Get("nonce") == calls[1].URL.Query().Get("nonce") {
		t.Errorf("%d calls", len(calls))
	}
	w.answers(func(heard) string { return `{"resultCode":"000000","instanceId":"another"}` })
	if ok, err := w.stage.Send(t.Context(), w.stage.Callbacks(Cloud)[0].ID); err != nil || ok {
		t.Errorf("the same order was answered with another instance: %v %v", ok, err)
	}
}

func TestAnInstanceThatIsBeingMadeIsAskedAbout(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.answers(func(h heard) string {
		if h.said["activity"] == "newInstance" {
			return strings.Replace(agreeable(h), "000000", "000004", 1)
		}
		return agreeable(h)
	})
	got := w.bought("p-use")
	w.settled()
	if calls := w.said("queryInstance"); len(calls) != 1 || calls[0].said["instanceId"] != got["instance"] {
		t.Errorf("%v", calls)
	}
	w.answers(func(heard) string {
		return `{"resultCode":"000000","info":[{"instanceId":"` + got["instance"] + `"}]}`
	})
	w.act("query", "instance", got["instance"])
	w.settled()
	if problem := w.stage.Callbacks(Cloud)[2].Latest().Problem; !strings.Contains(problem, "usageInfo") {
		t.Errorf("%q", problem)
	}
}

func TestALifeIsToldToTheVendor(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.bought("p-year")["instance"]
	for _, action := range []string{"renew", "refund_renewal", "upgrade", "freeze", "unfreeze", "notify"} {
		w.act(action, "instance", id, "months", "1")
	}
	w.settled()
	refreshes := map[string]string{}
	for _, h := range w.said("refreshInstance") {
		refreshes[h.said["scene"]] = h.said["expireTime"]
	}
	if refreshes["RENEWAL"] != "20271220080000" || refreshes["UNSUBSCRIBE_RENEWAL_PERIOD"] != "20271120080000" {
		t.Errorf("%v", refreshes)
	}
	if len(w.said("upgradeInstance")) != 1 || len(w.said("updateInstanceStatus")) != 2 || len(w.said("orderNotify")) != 1 {
		t.Error("a call is missing")
	}
	w.flip(`{"expire_millis": true}`)
	w.act("renew", "instance", id, "months", "1")
	w.at(begin.AddDate(1, 2, 0)) // nobody presses a button
	if _, reply := w.query("MOCKONDEMAND"); reply["orderInfo"] == nil {
		t.Errorf("%v", reply)
	}
	w.settled()
	if got := w.said("refreshInstance"); len(got[2].said["expireTime"]) != 17 {
		t.Errorf("%v", got[2].said)
	}
	if got := w.said("updateInstanceStatus"); len(got) != 3 {
		t.Errorf("%d: the end of a period freezes", len(got))
	}
	if _, err := w.sim.Act("freeze", map[string]string{"instance": id}); err == nil {
		t.Error("it was frozen twice")
	}
}

func TestBodiesAreSentAsSwitched(t *testing.T) {
	t.Parallel()
	for form, signed := range map[string]bool{"unsorted": true, "signed_sorted": false} {
		w := open(t)
		w.flip(`{"body": "` + form + `", "signature_case": "lower", "timestamp_unit": "s"}`)
		w.stage.SetClock(0, 2*time.Minute)
		w.bought("p-card")
		h := w.said("newInstance")[0]
		q := h.URL.Query()
		want := strings.ToLower(signatureV2("hwkey", q.Get("nonce"), q.Get("timestamp"), []byte(h.body)))
		if (q.Get("signature") == want) != signed || strings.Index(h.body, "activity") < strings.Index(h.body, "orderId") {
			t.Errorf("%s: %s of %s", form, q, h.body)
		}
		at, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
		if ahead := time.Until(time.Unix(at, 0)); err != nil || ahead < time.Minute {
			t.Errorf("%s: the skew of the clock does not show: %s", form, ahead)
		}
	}
}

func TestTheFirstGenerationSignsAndEncrypts(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.answers(func(h heard) string {
		if h.said["activity"] != "newInstance" {
			return agreeable(h)
		}
		return `{"resultCode":"000000","resultMsg":"success.","instanceId":"i-` + h.said["orderId"] + `","encryptType":"1","appInfo":{"userName":"` + encrypt("admin", "hwkey", "0123456789abcdef", 1) + `"}}`
	})
	got := w.bought("p-old")
	h := w.said("newInstance")[0]
	if h.Method != http.MethodGet || h.said["authToken"] != authToken("hwkey", h.URL.Query()) || h.said["customerId"] != customer || len(h.said["timeStamp"]) != 17 {
		t.Errorf("%v", h.said)
	}
	if phone, err := decrypt(h.said["mobilePhone"], "hwkey", 1); err != nil || phone != "13800000000" {
		t.Errorf("%s %v", phone, err)
	}
	if user := w.sim.instance(got["instance"]).User; user != "admin" {
		t.Errorf("%q", user)
	}
	w.act("expire", "instance", got["instance"])
	w.act("upgrade", "instance", got["instance"])
	w.act("unfreeze", "instance", got["instance"])
	w.settled()
	if len(w.said("expireInstance")) != 1 || len(w.said("upgrade")) != 1 || len(w.said("instanceStatus")) != 1 {
		t.Error("a call is missing")
	}
	w.mu.Lock()
	w.mute = true
	w.mu.Unlock()
	w.act("release", "instance", got["instance"])
	w.settled()
	if n := len(w.said("releaseInstance")); n != 60 {
		t.Errorf("%d attempts: an answer without Body-Sign does not count", n)
	}
}

func TestAProbeIsMarkedAsOne(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.act("probe")
	w.settled()
	if calls := w.said("newInstance"); len(calls) != 2 || calls[0].said["testFlag"] != "1" || calls[1].said["testFlag"] != "1" {
		t.Errorf("%v", calls)
	}
}

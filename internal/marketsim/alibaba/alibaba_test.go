package alibaba_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"tollgate.dev/internal/marketsim/alibaba"
	"tollgate.dev/internal/marketsim/stage"
	"tollgate.dev/internal/testkit"
)

const buyer = "1234567890123456"

var begin = time.Date(2026, 11, 20, 8, 20, 0, 0, time.UTC)

// world is a marketplace that listens, and a vendor who answers it.
type world struct {
	t      *testing.T
	sim    *alibaba.Sim
	stage  *stage.Stage
	server *httptest.Server
	clock  atomic.Int64

	mu     sync.Mutex
	heard  []url.Values
	answer func(q url.Values) string
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, answer: agreeable}
	w.at(begin)
	w.stage = stage.New(stage.Options{
		Now: func() time.Time { return time.UnixMicro(w.clock.Load()) }, RealNow: time.Now, Seed: 7, Gaps: []time.Duration{0, time.Millisecond},
	})
	vendor := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard = append(w.heard, r.URL.Query())
		_, _ = io.WriteString(rw, w.answer(r.URL.Query()))
	}))
	t.Cleanup(vendor.Close)
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.sim = alibaba.New(w.stage, alibaba.Config{
		Base: w.server.URL, SPI: vendor.URL + "/spi?tenant=one", Key: "isvkey", AccessKey: "ak", SecretKey: "sk", SubAccessKey: "sub", SubSecretKey: "subsecret",
		Products: []alibaba.Product{
			{Code: "cmapi1", SKU: "sku1", Title: "Hourly", Plan: "hourly", Keys: []string{"Frequency", "Storage"}},
			{Code: "cmapi2", SKU: "sku2", Title: "Daily", Plan: "daily", Keys: []string{"Frequency"}},
		},
	})
	mux.Handle("/", w.sim)
	w.stage.Start(t.Context())
	t.Cleanup(w.stage.Stop)
	return w
}

// agreeable answers as a vendor does who keeps to the documents.
func agreeable(q url.Values) string {
	switch q.Get("action") {
	case "createInstance":
		return `{"instanceId":"` + q.Get("orderBizId") + `","appInfo":{"frontEndUrl":"https://vendor.example/","authUrl":"https://vendor.example/enter"}}`
	case "orderPay":
		return `{"success": true}`
	}
	return `{"success":"true"}`
}

func (w *world) at(at time.Time)      { w.clock.Store(at.UnixMicro()) }
func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) vendor(answer func(url.Values) string) {
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

// opened is an instance that the vendor has opened.
func (w *world) opened(product string) map[string]string {
	w.t.Helper()
	got := w.act("open", "ali_uid", buyer, "product", product)
	w.settled()
	return got
}

// settled waits until the callbacks are answered or given up.
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

func (w *world) said(action string) []url.Values {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []url.Values
	for _, q := range w.heard {
		if q.Get("action") == action {
			found = append(found, q)
		}
	}
	return found
}

// call calls the API by the cloud's own client.
func (w *world) call(key, secret, action string, params map[string]string) (map[string]any, error) {
	w.t.Helper()
	client, err := openapi.NewClient(&openapi.Config{
		AccessKeyId: &key, AccessKeySecret: &secret, Endpoint: tea.String(strings.TrimPrefix(w.server.URL, "http://")), Protocol: tea.String("HTTP"),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	query := map[string]*string{}
	for k, v := range params {
		query[k] = &v
	}
	return client.CallApi(&openapi.Params{
		Action: &action, Version: tea.String("2015-11-01"), Protocol: tea.String("HTTP"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &openapi.OpenApiRequest{Query: query}, &dara.RuntimeOptions{Autoretry: tea.Bool(false)})
}

func (w *world) describe(action, name, id string) map[string]any {
	w.t.Helper()
	got, err := w.call("ak", "sk", action, map[string]string{name: id})
	if err != nil {
		w.t.Fatal(err)
	}
	body, _ := got["body"].(map[string]any)
	return body
}

func code(t *testing.T, err error) string {
	t.Helper()
	var api *tea.SDKError
	var other interface{ GetCode() *string }
	switch {
	case errors.As(err, &api):
		return tea.StringValue(api.Code)
	case errors.As(err, &other):
		return tea.StringValue(other.GetCode())
	}
	t.Fatalf("no error of the API: %v", err)
	return ""
}

func (w *world) push(rows ...string) error {
	_, err := w.call("ak", "sk", "PushMeteringData", map[string]string{"Metering": "[" + strings.Join(rows, ",") + "]"})
	return err
}

func row(instance string, from, to time.Time, value string) string {
	return fmt.Sprintf(`{"InstanceId":%q,"StartTime":"%d","EndTime":"%d","Entities":[{"Key":"Frequency","Value":%q}]}`, instance, from.Unix(), to.Unix(), value)
}

func TestAPurchaseIsOpenedByTheVendorAndDescribed(t *testing.T) {
	t.Parallel()
	w := open(t)
	bought := w.opened("cmapi1")
	calls := w.said("createInstance")
	if len(calls) != 1 {
		t.Fatalf("%d calls", len(calls))
	}
	q := calls[0]
	if q.Get("aliUid") != buyer || q.Get("orderBizId") != bought["instance"] || q.Get("orderId") != bought["order"] || q.Get("productCode") != "cmapi1" ||
		q.Get("expiredOn") != "2027-11-20 16:20:00" || q.Get("tenant") != "one" || q.Get("channelSource") == "" || len(q.Get("token")) != 32 {
		t.Errorf("%v", q)
	}
	instance := w.describe("DescribeInstanceForIsv", "InstanceId", bought["instance"])
	if instance["Status"] != "OPENED" || instance["OrderId"] != bought["order"] || instance["AliUid"] != nil {
		t.Errorf("%v", instance)
	}
	order := w.describe("DescribeOrderForIsv", "OrderId", bought["order"])
	if fmt.Sprint(order["AliUid"]) != buyer || order["PayStatus"] != "PAID" || order["OrderStatus"] != "NORMAL" || fmt.Sprint(order["InstanceIds"]) != "["+bought["instance"]+"]" {
		t.Errorf("%v", order)
	}
	w.act("unsubscribe", "instance", bought["instance"])
	if order = w.describe("DescribeOrderForIsv", "OrderId", bought["order"]); order["PayStatus"] == "PAID" || order["OrderStatus"] == "NORMAL" {
		t.Errorf("%v", order)
	}
	if _, err := w.call("ak", "sk", "DescribeInstanceForIsv", map[string]string{"InstanceId": "0"}); code(t, err) != "InvalidParameter" {
		t.Error(err)
	}
}

func TestTheMarketAsksAgainUntilTheInstanceIsOpen(t *testing.T) {
	t.Parallel()
	w := open(t)
	asked := 0
	w.vendor(func(q url.Values) string {
		if asked++; asked < 4 {
			return `{"instanceId":"0"}`
		}
		return agreeable(q)
	})
	bought := w.opened("cmapi1")
	if calls := w.said("createInstance"); len(calls) != 4 || calls[0].Encode() != calls[3].Encode() {
		t.Errorf("%d calls", len(calls))
	}
	again := w.stage.Callbacks(alibaba.Cloud)[0].ID
	w.vendor(func(url.Values) string { return `{"instanceId":"another"}` })
	if ok, err := w.stage.Send(t.Context(), again); err != nil || ok {
		t.Errorf("the same order was answered with another instance: %v %v", ok, err)
	}
	if got := w.describe("DescribeInstanceForIsv", "InstanceId", bought["instance"])["Status"]; got != "OPENED" {
		t.Error(got)
	}
}

func TestALifeIsToldToTheVendor(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	w.act("renew", "instance", id, "months", "1")
	w.act("refund_renewal", "instance", id)
	w.act("upgrade", "instance", id, "sku", "large")
	w.settled()
	if got := w.said("renewInstance"); len(got) != 1 || got[0].Get("expiredOn") != "2027-12-20 16:20:00" || got[0].Get("orderId") == "" || got[0].Get("instanceId") != id {
		t.Errorf("%v", got)
	}
	if got := w.said("refundRenewInstance"); len(got) != 1 || got[0].Get("expiredOn") != "2027-11-20 16:20:00" {
		t.Errorf("%v", got)
	}
	if got := w.said("upgradeInstance"); len(got) != 1 || got[0].Get("skuId") != "large" {
		t.Errorf("%v", got)
	}
	w.at(begin.AddDate(1, 0, 0)) // nobody presses a button
	if got := w.describe("DescribeInstanceForIsv", "InstanceId", id)["Status"]; got != "EXPIRED" {
		t.Error(got)
	}
	w.act("release", "instance", id)
	w.settled()
	if got := w.said("expiredInstance"); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := w.said("releaseInstance"); len(got) != 1 || got[0].Get("isRefund") != "false" {
		t.Errorf("%v", got)
	}
	if _, err := w.sim.Act("renew", map[string]string{"instance": id}); err == nil {
		t.Error("what is closed was renewed")
	}
}

func TestOnlyTheDocumentedAnswerEndsTheRetries(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	w.vendor(func(url.Values) string { return `{"success":"false"}` })
	w.act("expire", "instance", id)
	w.settled()
	if got := len(w.said("expiredInstance")); got != 12 {
		t.Errorf("%d attempts", got)
	}
	w.flip(`{"success": "boolean"}`)
	w.vendor(agreeable)
	w.act("release", "instance", id)
	w.settled()
	if got := len(w.said("releaseInstance")); got != 12 {
		t.Errorf("%d attempts: the text does not count", got)
	}
}

func TestNotificationsThatFailedAreListedUntilConfirmed(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"order_pay": true}`)
	w.vendor(func(q url.Values) string {
		if q.Get("action") == "orderPay" {
			return `{"success":"true"}` // a text, where a boolean is wanted
		}
		return agreeable(q)
	})
	w.opened("cmapi1")
	list := func() []any {
		got, _ := w.describe("DescribeFailedNotifications", "PageSize", "5")["NotificationList"].([]any)
		return got
	}
	failed := list()
	if len(failed) != 1 {
		t.Fatalf("%v", failed)
	}
	one, _ := failed[0].(map[string]any)
	id, _ := one["NotificationRequestId"].(string)
	if w.describe("ConfirmNotification", "NotificationRequestId", id); len(list()) != 0 {
		t.Error("it is still listed")
	}
}

func TestABuyerEntersWithASignatureOfTheInstant(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Get(w.server.URL + "/instances/" + id + "/enter")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	to, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation(time.DateTime, to.Query().Get("timeStamp"), time.FixedZone("", 8*3600))
	if to.Host != "vendor.example" || to.Path != "/enter" || to.Query().Get("action") != "verify" || to.Query().Get("instanceId") != id || err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("%s", to)
	}
	w.stage.SetClock(0, -time.Hour)
	if skewed := w.act("enter", "instance", id)["url"]; skewed == to.String() {
		t.Error("the skew of the clock does not show")
	}
}

func TestThePagesOpenAndShowAnInstance(t *testing.T) {
	t.Parallel()
	w := open(t)
	response, err := http.Post(w.server.URL+"/do", "application/x-www-form-urlencoded", strings.NewReader("action=open&product=cmapi1&ali_uid="+buyer))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	w.settled()
	at := response.Request.URL.Path
	for language, want := range map[string]string{"en": "Enter without signing in", "zh": "免登进入"} {
		got, err := http.Get(w.server.URL + at + "?lang=" + language)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "createInstance") {
			t.Errorf("%s: %v", language, err)
		}
	}
	if got, err := http.Post(w.server.URL+"/do", "application/x-www-form-urlencoded", strings.NewReader("action=open&ali_uid=1")); err != nil || got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a UID of one digit: %v", err)
	}
}

package alibaba_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
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

func TestALimitThatIsBrokenTakesNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	hourly, daily := w.opened("cmapi1")["instance"], w.opened("cmapi2")["instance"]
	closed := w.opened("cmapi1")["instance"]
	w.act("release", "instance", closed)
	from, to := begin.Truncate(time.Hour), begin.Truncate(time.Hour).Add(time.Hour)
	w.at(to.Add(5 * time.Minute))
	good := row(hourly, from, to, "5")
	many := make([]string, 101)
	for i := range many {
		many[i] = good
	}
	edit := func(old, new string) []string { return []string{good, strings.Replace(good, old, new, 1)} }
	for name, rows := range map[string][]string{
		"101 rows":              many,
		"no rows":               {},
		"an unknown instance":   edit(hourly, "1"),
		"one that is closed":    edit(hourly, closed),
		"two products":          {good, row(daily, from, to, "5")},
		"a key not listed":      edit("Frequency", "Character"),
		"a key of nobody":       edit("Frequency", "Tokens"),
		"a value with decimals": edit(`"5"`, `"5.0"`),
		"a negative value":      edit(`"5"`, `"-5"`),
		"a number, not a text":  edit(`"5"`, `5`),
		"an end before":         {row(hourly, to, from, "5")},
		"the future":            {row(hourly, from, to.Add(time.Hour), "5")},
		"milliseconds":          edit(fmt.Sprint(from.Unix()), fmt.Sprint(from.UnixMilli())),
		"before the instance":   {row(hourly, from.Add(-time.Hour), from, "5")},
		"an unknown member":     edit(`"Key"`, `"Price":1,"Key"`),
	} {
		if got := code(t, w.push(rows...)); got != "InvalidParameter" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if _, err := w.call("sub", "subsecret", "PushMeteringData", map[string]string{"Metering": "[" + good + "]"}); code(t, err) != "NoPermission" {
		t.Errorf("a sub-account: %v", err)
	}
	if got := w.sim.Accepted(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if err := w.push(good); err != nil {
		t.Error(err)
	}
	if got := code(t, w.push(row(hourly, to, to.Add(time.Minute), "1"))); got != "Throttling" {
		t.Errorf("twice within a minute: %s", got)
	}
	w.pass(time.Minute)
	if err := w.push(row(hourly, to, to.Add(time.Minute), "1")); err != nil {
		t.Error(err)
	}
}

func TestRowsThatComeAgainOrOverlapAreToldApart(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"push_gap_seconds": 0}`)
	id := w.opened("cmapi1")["instance"]
	from, to := begin.Truncate(time.Hour), begin.Truncate(time.Hour).Add(time.Hour)
	w.at(to.Add(5 * time.Minute))
	became := func() string {
		var all []string
		for _, r := range w.sim.Accepted() {
			all = append(all, fmt.Sprintf("%d %s %d", r.Value, r.Became, r.Overlaps))
		}
		return strings.Join(all, ", ")
	}
	for range 2 {
		if err := w.push(row(id, from, to, "5")); err != nil {
			t.Fatal(err)
		}
	}
	if got := became(); got != "5 billed 0, 5 repeat 0" {
		t.Error(got)
	}
	if err := w.push(row(id, from.Add(30*time.Minute), to, "2")); err != nil {
		t.Fatal(err)
	}
	w.flip(`{"identical_rows": "count"}`)
	if err := w.push(row(id, from.Add(30*time.Minute), to, "2")); err != nil {
		t.Fatal(err)
	}
	if got := became(); got != "5 billed 0, 5 repeat 0, 2 billed 1, 2 billed 3" {
		t.Error(got)
	}
	w.flip(`{"identical_rows": "refuse", "overlapping_rows": "refuse", "refusal_code": "Odd"}`)
	if got := code(t, w.push(row(id, from.Add(30*time.Minute), to, "2"))); got != "Odd" {
		t.Error(got)
	}
	if got := code(t, w.push(row(id, from.Add(time.Minute), to, "2"))); got != "Odd" {
		t.Error(got)
	}
}

func TestUsageAfterItsDeadlineIsNeverBilled(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"push_gap_seconds": 0}`)
	hourly, daily := w.opened("cmapi1")["instance"], w.opened("cmapi2")["instance"]
	window := func(id string) string { return row(id, begin.Add(-10*time.Minute), begin, "1") } // 08:10 to 08:20
	last := func() string { got := w.sim.Accepted(); return got[len(got)-1].Became }
	w.at(time.Date(2026, 11, 20, 9, 58, 59, 0, time.UTC))
	if err := w.push(window(hourly)); err != nil || last() != "billed" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 20, 9, 59, 0, 0, time.UTC))
	if err := w.push(row(hourly, begin, begin.Add(time.Minute), "1")); err != nil || last() != "late" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 21, 15, 59, 59, 0, time.UTC)) // midnight in Shanghai is 16:00 UTC
	if err := w.push(window(daily)); err != nil || last() != "billed" {
		t.Errorf("%v %s", err, last())
	}
	w.at(time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC))
	w.flip(`{"late_rows": "refuse"}`)
	if got := code(t, w.push(window(daily))); got != "InvalidParameter" {
		t.Error(got)
	}
}

func TestOnlyARightSignatureIsServed(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	ask := func(key, secret string) error {
		_, err := w.call(key, secret, "DescribeInstanceForIsv", map[string]string{"InstanceId": id})
		return err
	}
	if err := ask("sub", "subsecret"); err != nil {
		t.Error(err)
	}
	if got := code(t, ask("ak", "other")); got != "SignatureDoesNotMatch" {
		t.Error(got)
	}
	if got := code(t, ask("nobody", "sk")); got != "InvalidAccessKeyId.NotFound" {
		t.Error(got)
	}
	w.flip(`{"signature": "v1"}`)
	if got := code(t, ask("ak", "sk")); got != "IncompleteSignature" {
		t.Error(got)
	}
}

// older signs a call in the style of before, by its documented rule.
func older(id, nonce string, at time.Time) url.Values {
	params := url.Values{
		"Action": {"DescribeInstanceForIsv"}, "Version": {"2015-11-01"}, "AccessKeyId": {"ak"}, "Format": {"JSON"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureVersion": {"1.0"}, "SignatureNonce": {nonce}, "Timestamp": {at.UTC().Format("2006-01-02T15:04:05Z")}, "InstanceId": {id},
	}
	text := "GET&%2F&" + url.QueryEscape(strings.ReplaceAll(params.Encode(), "+", "%20"))
	mac := hmac.New(sha1.New, []byte("sk&"))
	mac.Write([]byte(text))
	params.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return params
}

func TestTheOlderSignatureIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	get := func(params url.Values) string {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, w.server.URL+"/?"+params.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var body struct{ Code, Status, RequestId string }
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.RequestId == "" {
			t.Fatal(err)
		}
		return body.Code + body.Status
	}
	params := older(id, "n1", time.Now())
	if got := get(params); got != "OPENED" {
		t.Error(got)
	}
	if got := get(params); got != "SignatureNonceUsed" {
		t.Error(got)
	}
	if got := get(older(id, "n2", time.Now().Add(-20*time.Minute))); got != "InvalidTimeStamp.Expired" {
		t.Error(got)
	}
}

func TestFaultsHappenOncePerCall(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := w.opened("cmapi1")["instance"]
	w.at(begin.Add(10 * time.Minute))
	for _, kind := range []stage.FaultKind{stage.Throttle, stage.Failure, stage.Severed, stage.Lost} {
		if err := w.stage.Ask(stage.Fault{Cloud: alibaba.Cloud, Operation: "PushMeteringData", Kind: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"Throttling.User", "InternalError"} {
		if got := code(t, w.push(row(id, begin, begin.Add(time.Minute), "3"))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for i, rows := range []int{0, 1} {
		if err := w.push(row(id, begin, begin.Add(time.Minute), "3")); err == nil || len(w.sim.Accepted()) != rows {
			t.Errorf("%d: %v, %d rows", i, err, len(w.sim.Accepted()))
		}
	}
	if err := w.stage.Ask(stage.Fault{Cloud: alibaba.Cloud, Kind: stage.Partial, Rows: 1}); err == nil {
		t.Error("no document knows of partial pushes")
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

func FuzzPushMeteringData(f *testing.F) {
	f.Add(`[{"InstanceId":"1","StartTime":"1","EndTime":"2","Entities":[{"Key":"Frequency","Value":"1"}]}]`)
	f.Add(`[null]`)
	f.Fuzz(func(t *testing.T, metering string) {
		w := open(t)
		w.act("open", "ali_uid", buyer)
		_, err := w.call("ak", "sk", "PushMeteringData", map[string]string{"Metering": metering})
		for _, r := range w.sim.Accepted() {
			if err != nil || r.Value < 0 || !r.End.After(r.Start) {
				t.Fatalf("%v %+v", err, r)
			}
		}
	})
}

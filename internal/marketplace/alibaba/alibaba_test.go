package alibaba

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC) // 12:00 in Shanghai

func config() Config {
	return Config{
		Method: site.Alibaba, AccessKey: "LTAI-canary", Secret: "secret-canary", Key: "isvkey", Products: []string{"cmapi1"},
		Plan: marketplace.Hourly, Price: money.Of(1, money.CNY), Listing: "https://market.aliyun.com/products/1.html",
	}
}

// market is one whose API is a server of the test's.
func market(t *testing.T, api http.HandlerFunc) *Market {
	t.Helper()
	c := config()
	if api != nil {
		s := httptest.NewServer(api)
		t.Cleanup(s.Close)
		c.API = s.URL
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTokensAreThoseOfTheReference holds the vectors of the reference.
func TestTokensAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"action=expiredInstance&instanceId=1": "7b0b2cf5016fabb236be44fd5e3088f4",
		"orderId=205060317920890&action=renewInstance&expiredOn=2013-01-01%2001%3A01%3A01&instanceId=1":      "50a22a20d177a327cd91b0f1cc2a4ef7",
		"orderId=205060317920890&action=renewInstance&expiredOn=2013-01-01+01%3A01%3A01&instanceId=1&token=": "50a22a20d177a327cd91b0f1cc2a4ef7",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := sign(values, "isvkey"); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// call is a signed call.
func call(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	q.Set("token", sign(q, "isvkey"))
	return q
}

func TestCallsBecomeEvents(t *testing.T) {
	t.Parallel()
	m := market(t, nil)
	for name, c := range map[string]struct {
		query url.Values
		want  marketplace.Event
	}{
		"create": {
			call("action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1", "skuId", "s", "trial", "false", "Count", "2", "expiredOn", "2027-01-01 08:00:00"),
			marketplace.Event{ID: "createInstance:77", Kind: marketplace.Purchased, Account: "1001", Instance: "77", Product: "cmapi1", Order: "o1", ExpiresAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
		"renew": {
			call("action", "renewInstance", "instanceId", "77", "orderId", "o2", "expiredOn", "2028-01-01 08:00:00", "newOne", "x"),
			marketplace.Event{ID: "renewInstance:77:o2:2028-01-01 08:00:00", Kind: marketplace.Renewed, Instance: "77", Order: "o2", ExpiresAt: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
		"expired":  {call("action", "expiredInstance", "instanceId", "77"), marketplace.Event{ID: "expiredInstance:77", Kind: marketplace.Expired, Instance: "77"}},
		"released": {call("action", "releaseInstance", "instanceId", "77", "isRefund", "false"), marketplace.Event{ID: "releaseInstance:77", Kind: marketplace.Released, Instance: "77"}},
		"given back": {
			call("action", "releaseInstance", "instanceId", "77", "isRefund", "true", "orderId", "o3"),
			marketplace.Event{ID: "releaseInstance:77", Kind: marketplace.Cancelled, Instance: "77", Order: "o3", Refunded: true},
		},
		"upgrade": {call("action", "upgradeInstance", "instanceId", "77", "skuId", "x", "orderId", "o4"), marketplace.Event{ID: "upgradeInstance:77:o4", Kind: marketplace.Changed, Instance: "77", Order: "o4"}},
	} {
		got, err := m.Read(c.query, noon)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(string(got.Event.Raw), c.query.Get("token")) {
			t.Errorf("%s: the token is kept, by which the call could be sent again: %s", name, got.Event.Raw)
		}
		got.Event.Raw = nil
		c.want.Cloud, c.want.At = site.Alibaba, noon
		if !equal(got.Event, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got.Event, c.want)
		}
	}
}

func equal(a, b marketplace.Event) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func TestEachWrongCallHasItsCode(t *testing.T) {
	t.Parallel()
	m := market(t, nil)
	forged := call("action", "releaseInstance", "instanceId", "77", "isRefund", "true")
	forged.Set("instanceId", "78")
	doubled := call("action", "expiredInstance", "instanceId", "77")
	doubled.Add("instanceId", "78")
	for name, c := range map[string]struct {
		query url.Values
		want  error
	}{
		"no token":        {url.Values{"action": {"createInstance"}}, marketplace.ErrSignature},
		"forged":          {forged, marketplace.ErrSignature},
		"twice":           {doubled, marketplace.ErrSignature},
		"unknown action":  {call("action", "dance", "instanceId", "77"), marketplace.ErrAction},
		"no instance":     {call("action", "expiredInstance"), marketplace.ErrFields},
		"no buyer":        {call("action", "createInstance", "orderBizId", "1", "productCode", "cmapi1"), marketplace.ErrFields},
		"other product":   {call("action", "createInstance", "aliUid", "1", "orderBizId", "1", "productCode", "cmapi2"), marketplace.ErrOtherProduct},
		"no day":          {call("action", "renewInstance", "instanceId", "77", "expiredOn", "soon"), marketplace.ErrFields},
		"old sign-in":     {call("action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 11:54:59"), marketplace.ErrSkewed},
		"future sign-in":  {call("action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 12:05:01"), marketplace.ErrSkewed},
		"sign-in in UTC":  {call("action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 04:00:00"), marketplace.ErrSkewed},
		"timely sign-in":  {call("action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 11:58:00"), nil},
		"site builder's":  {call("action", "bindDomain", "domain", "x"), nil},
		"notice of money": {call("action", "orderPay", "requestId", "r", "aliUid", "1", "orderBizId", "7", "orderId", "o", "productCode", "cmapi1", "skuId", "s"), nil},
	} {
		if _, err := m.Read(c.query, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAnswersAreThoseOfTheDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		call Call
		why  *problem
		want string
	}{
		{Call{Action: Create, Instance: "77"}, nil, `{"instanceId":"77","appInfo":{"frontEndUrl":"https://x","authUrl":"https://y"}}`},
		{Call{Action: Create, Instance: "77"}, Refusal("c", "m"), `{"instanceId":"0","code":"c","message":"m"}`},
		{Call{Action: Renew}, nil, `{"success":"true"}`},
		{Call{Action: Release}, Refusal("c", "m"), `{"success":"false","code":"c","message":"m"}`},
		{Call{Action: OrderPaid}, nil, `{"success":true}`},
	} {
		if got := c.call.Answer(200, c.why, App{"https://x", "https://y"}); string(got.Body) != c.want {
			t.Errorf("%s: %s, want %s", c.call.Action, got.Body, c.want)
		}
	}
}

// seller answers as the Market API does for instance 77 of buyer 1001.
func seller(t *testing.T, status, pay, product string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("x-acs-version") != "2015-11-01" || !strings.HasPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 Credential=LTAI-canary,") {
			t.Errorf("%s with %v", r.Method, r.Header)
		}
		w.Header().Set("Content-Type", "application/json")
		switch action := r.Header.Get("x-acs-action"); {
		case action == "DescribeInstanceForIsv" && r.URL.Query().Get("InstanceId") == "77":
			_, _ = io.WriteString(w, `{"RequestId":"r","Status":"`+status+`","OrderId":205060317920890,"ProductCode":"`+product+`","BeganOn":1772000000000,"EndOn":"1803000000000"}`)
		case action == "DescribeOrderForIsv" && r.URL.Query().Get("OrderId") == "205060317920890":
			_, _ = io.WriteString(w, `{"AliUid":1001,"InstanceIds":{"InstanceId":[76,77]},"OrderStatus":"NORMAL","PayStatus":"`+pay+`","ProductCode":"`+product+`"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"Code":"InstanceNotFound","Message":"no such instance 78","RequestId":"r"}`)
		}
	}
}

func TestAPairIsCheckedByTwoQuestions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status, pay, product string
		claim                marketplace.Claim
		want                 error
	}{
		"holds":       {"OPENED", "PAID", "cmapi1", marketplace.Claim{Account: "1001", Instance: "77"}, nil},
		"other buyer": {"OPENED", "PAID", "cmapi1", marketplace.Claim{Account: "1002", Instance: "77"}, marketplace.ErrClaim},
		"other buyer's dead instance of another product": {"CLOSED", "PAID", "cmapi9", marketplace.Claim{Account: "1002", Instance: "77"}, marketplace.ErrClaim},
		"no such":         {"OPENED", "PAID", "cmapi1", marketplace.Claim{Account: "1001", Instance: "78"}, marketplace.ErrClaim},
		"nothing entered": {"OPENED", "PAID", "cmapi1", marketplace.Claim{}, marketplace.ErrClaim},
		"closed":          {"CLOSED", "PAID", "cmapi1", marketplace.Claim{Account: "1001", Instance: "77"}, marketplace.ErrInactive},
		"unpaid":          {"OPENED", "UNPAID", "cmapi1", marketplace.Claim{Account: "1001", Instance: "77"}, marketplace.ErrInactive},
		"other product":   {"OPENED", "PAID", "cmapi9", marketplace.Claim{Account: "1001", Instance: "77"}, marketplace.ErrOtherProduct},
	} {
		p, err := market(t, seller(t, c.status, c.pay, c.product)).Verify(t.Context(), c.claim)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (p.Order != "205060317920890" || !p.Active || p.Product != "cmapi1" || p.ExpiresAt.UnixMilli() != 1803000000000) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAnAPIThatRefusesUsIsNoAnswerOnThePair(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch"} {
		m := market(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"Code":"`+code+`","Message":"the key LTAI-canary is wrong","RequestId":"r"}`)
		})
		_, err := m.Verify(t.Context(), marketplace.Claim{Account: "1001", Instance: "77"})
		if !errors.Is(err, marketplace.ErrUnreachable) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func records() []marketplace.Record {
	return []marketplace.Record{
		{ID: "r1", Instance: "77", Dimension: "Frequency", Window: marketplace.Window{From: noon, To: noon.Add(time.Hour)}, Quantity: quantity.Of(96)},
		{ID: "r2", Instance: "78", Dimension: "Frequency", Window: marketplace.Window{From: noon, To: noon.Add(time.Hour)}, Quantity: quantity.Of(0)},
	}
}

func TestUsageIsPushedAsDocumented(t *testing.T) {
	t.Parallel()
	var sent string
	m := market(t, func(w http.ResponseWriter, r *http.Request) {
		sent = r.URL.Query().Get("Metering")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"RequestId":"req-1","Success":true}`)
	})
	outcomes, err := m.Send(t.Context(), records())
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"InstanceId":"77","StartTime":"1772337600","EndTime":"1772341200","Entities":[{"Key":"Frequency","Value":"96"}]},` +
		`{"InstanceId":"78","StartTime":"1772337600","EndTime":"1772341200","Entities":[{"Key":"Frequency","Value":"0"}]}]`
	if sent != want {
		t.Errorf("sent %s\nwant %s", sent, want)
	}
	for i, o := range outcomes {
		if o.State != marketplace.Accepted || o.RemoteID != "req-1" || o.RecordID != records()[i].ID {
			t.Errorf("%+v", o)
		}
	}
}

func TestEachRefusalOfUsageIsSorted(t *testing.T) {
	t.Parallel()
	var poisoned *marketplace.Poisoned
	for name, c := range map[string]struct {
		status              int
		body                string
		throttled, poisoned bool
	}{
		"throttled":        {400, `{"Code":"Throttling.User","Message":"m"}`, true, false},
		"our key":          {403, `{"Code":"Forbidden.RAM","Message":"m"}`, false, false},
		"a wrong row":      {400, `{"Code":"InvalidParameter","Message":"m"}`, false, true},
		"not taken":        {200, `{"RequestId":"r","Success":false}`, false, true},
		"its own mistake":  {500, `{"Code":"InternalError","Message":"m"}`, false, false},
		"no answer at all": {0, ``, false, false},
	} {
		m := market(t, func(w http.ResponseWriter, r *http.Request) {
			if c.status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})
		_, err := m.Send(t.Context(), records())
		if err == nil || errors.Is(err, marketplace.ErrThrottled) != c.throttled || errors.As(err, &poisoned) != c.poisoned || errors.Is(err, marketplace.ErrUnreachable) != (name == "our key") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "InstanceId") {
			t.Errorf("%s: the error repeats what was sent: %v", name, err)
		}
	}
}

func TestDeadlinesOfThePlans(t *testing.T) {
	t.Parallel()
	m := market(t, nil)
	w := m.Window(marketplace.Hourly, noon.Add(17*time.Minute))
	if !w.From.Equal(noon) || !w.To.Equal(noon.Add(time.Hour)) || !m.Deadline(marketplace.Hourly, w).Equal(noon.Add(2*time.Hour-time.Minute)) {
		t.Errorf("hourly: %v until %s", w, m.Deadline(marketplace.Hourly, w))
	}
	w = m.Window(marketplace.Daily, noon)
	if w.From.Format(time.RFC3339) != "2026-02-28T16:00:00Z" || w.To.Format(time.RFC3339) != "2026-03-01T16:00:00Z" || m.Deadline(marketplace.Daily, w).Format(time.RFC3339) != "2026-03-02T15:59:00Z" {
		t.Errorf("daily: %v until %s", w, m.Deadline(marketplace.Daily, w))
	}
}

func TestAnotherCurrencyIsNotSold(t *testing.T) {
	t.Parallel()
	if _, err := market(t, nil).Unit("cmapi1", money.USD); !errors.Is(err, marketplace.ErrCurrency) {
		t.Error(err)
	}
}

func TestSettingsAreCheckedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"method":  func(c *Config) { c.Method = site.AWS },
		"key":     func(c *Config) { c.Key = "" },
		"secret":  func(c *Config) { c.Secret = "" },
		"product": func(c *Config) { c.Products = nil },
		"plan":    func(c *Config) { c.Plan = "weekly" },
		"price":   func(c *Config) { c.Price = money.Amount{} },
		"listing": func(c *Config) { c.Listing = "market" },
		"API":     func(c *Config) { c.API = "http://host/path" },
	} {
		c := config()
		change(&c)
		if err := c.Check(); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := config()
	if c.Simulated() {
		t.Error("Alibaba's own API is called a simulator")
	}
	c.API = "http://127.0.0.1:9"
	if !c.Simulated() {
		t.Error("a simulator is not told")
	}
}

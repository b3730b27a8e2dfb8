package huawei

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func config() Config {
	return Config{
		Key: "hwkey", AccessKey: "AK-canary", Secret: "SK-canary", Products: []string{"prod-usage"},
		Cards: []Card{{"card-100", money.Of(100_00, money.CNY), 12}, {"card-1", money.Of(1_00, money.CNY), 12}},
		Plan:  marketplace.Hourly, Price: money.Of(100, money.CNY), Listing: "https://marketplace.huaweicloud.com/1", V1: true, SignPush: true,
		Now: func() time.Time { return noon },
	}
}

func market(t *testing.T, change func(*Config), api http.HandlerFunc) *Market {
	t.Helper()
	c := config()
	if api != nil {
		s := httptest.NewServer(api)
		t.Cleanup(s.Close)
		c.API = s.URL
	}
	if change != nil {
		change(&c)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestSignaturesAreThoseOfTheReference holds the vectors of the reference.
func TestSignaturesAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	body := []byte(`{"activity":"newInstance","businessId":"b1","orderId":"CS1","orderLineId":"CS1-000001","testFlag":"1"}`)
	const v2 = "3EB0A3C7DE1327E3BA41CA9F370F82487BF870690D6DF326FACF36F775AC0019"
	if got := signV2("hwkey", "50D83FDECAED6CCD", "1680508066618", body); !strings.EqualFold(got, v2) {
		t.Errorf("second generation: %s", got)
	}
	for _, written := range []string{v2, strings.ToLower(v2)} {
		query := url.Values{"signature": {written}, "nonce": {"50D83FDECAED6CCD"}, "timestamp": {"1680508066618"}}
		if holds, resorted := signedV2("hwkey", query, body); !holds || resorted {
			t.Errorf("%s: %v, %v", written, holds, resorted)
		}
		if holds, resorted := signedV2("hwkey", query, []byte(`{"testFlag":"1", "activity":"newInstance","orderLineId":"CS1-000001","orderId":"CS1","businessId":"b1"}`)); !holds || !resorted {
			t.Errorf("%s, not sorted: %v, %v", written, holds, resorted)
		}
		if holds, _ := signedV2("hwkey", query, []byte(`{"activity":"newInstance"}`)); holds {
			t.Errorf("%s holds for another body", written)
		}
	}
	v1 := url.Values{"activity": {"expireInstance"}, "instanceId": {"i1"}, "orderId": {"CS1"}, "timeStamp": {"20170725025113409"}}
	if got := signV1("hwkey", v1); got != "LiZZ+omNoDG+I5PoHsPm16ntyJP4Y1SYbQmoYMA81nQ=" {
		t.Errorf("first generation: %s", got)
	}
	if got := bodySign("hwkey", []byte(`{"resultCode":"000000","resultMsg":"success."}`)); got != `sign_type="HMAC-SHA256", signature= "66ZqU7euiq+GomPUhggoZ8aKjd+BHJeBJicpQ9OGX0g="` {
		t.Errorf("answer: %s", got)
	}
	usage := []byte(`{"usage_records":[{"begin_time":"20220809T080000Z","end_time":"20220809T090000Z","instance_id":"i1","metering_sn":"m1","record_time":"20220809T091000Z","usage_value":"99"}]}`)
	if got := signUsage("hwkey", "1709690865879", "n1", usage); got != "IpyqYa9kPMDd86GRiI9HMTCUUgPdeHNfKxIgHFJSwxs=" {
		t.Errorf("usage: %s", got)
	}
	r := httptest.NewRequest(http.MethodPost, "https://mkt.myhuaweicloud.com/api/mkp-openapi-public/global/v1/license/activate", http.NoBody)
	r.Header.Set("x-stage", "RELEASE")
	r.Header.Set("Content-Type", "application/json")
	authorize(r, nil, "ak", "123", time.Date(2024, 3, 17, 14, 42, 37, 0, time.UTC))
	const want = "SDK-HMAC-SHA256 Access=ak, SignedHeaders=content-type;host;x-sdk-date;x-stage, Signature=77595ad624b6e4e49990b8c4e84bf1c287457fca61069c4e60b9b6765b52053d"
	if got := r.Header.Get("Authorization"); got != want {
		t.Errorf("access key: %s", got)
	}
}

// signed is the query of a call of the second generation.
func signed(at time.Time, nonce, body string) url.Values {
	timestamp := strconv.FormatInt(at.UnixMilli(), 10)
	return url.Values{"signature": {signV2("hwkey", nonce, timestamp, []byte(body))}, "timestamp": {timestamp}, "nonce": {nonce}}
}

func TestCallsBecomeEvents(t *testing.T) {
	t.Parallel()
	m := market(t, nil, nil)
	for name, c := range map[string]struct {
		body    string
		id      string
		kind    marketplace.EventKind
		expires string
		test    bool
	}{
		"new":       {`{"activity":"newInstance","businessId":"b1","orderId":"CS1","orderLineId":"CS1-000001","more":"x"}`, "newInstance:CS1:CS1-000001", marketplace.Purchased, "", false},
		"new again": {`{"activity":"newInstance","businessId":"b2","orderId":"CS1","orderLineId":"CS1-000001"}`, "newInstance:CS1:CS1-000001", marketplace.Purchased, "", false},
		"a probe":   {`{"activity":"newInstance","businessId":"b2","orderId":"CS1","orderLineId":"CS1-000001","testFlag":"1"}`, "test:newInstance:CS1:CS1-000001", marketplace.Purchased, "", true},
		"a mock":    {`{"activity":"newInstance","businessId":"b2","orderId":"MOCKONDEMAND","orderLineId":"MOCKONDEMAND-000001"}`, "test:newInstance:MOCKONDEMAND:MOCKONDEMAND-000001", marketplace.Purchased, "", true},
		"renewal":   {`{"activity":"refreshInstance","scene":"RENEWAL","orderId":"CS2","orderLineId":"CS2-000001","instanceId":"CS1-000001","expireTime":"20270301120000"}`, "refreshInstance:CS1-000001:CS2:CS2-000001:RENEWAL:20270301120000", marketplace.Renewed, "2027-03-01T12:00:00Z", false},
		"sample":    {`{"activity":"refreshInstance","scene":"RENEWAL","orderId":"CS2","orderLineId":"CS2-000001","instanceId":"CS1-000001","expireTime":"20270301120000123"}`, "refreshInstance:CS1-000001:CS2:CS2-000001:RENEWAL:20270301120000123", marketplace.Renewed, "2027-03-01T12:00:00.123Z", false},
		"freeze":    {`{"activity":"updateInstanceStatus","instanceId":"CS1-000001","status":"FREEZE"}`, "updateInstanceStatus:CS1-000001:FREEZE:2026-03-01T12:00:00Z", marketplace.Froze, "", false},
		"thaw":      {`{"activity":"updateInstanceStatus","instanceId":"CS1-000001","status":"UNFREEZE"}`, "updateInstanceStatus:CS1-000001:UNFREEZE:2026-03-01T12:00:00Z", marketplace.Thawed, "", false},
		"release":   {`{"activity":"releaseInstance","instanceId":"CS1-000001","orderId":"CS9"}`, "releaseInstance:CS1-000001", marketplace.Released, "", false},
		"upgrade":   {`{"activity":"upgradeInstance","instanceId":"CS1-000001","orderId":"CS3","orderLineId":"CS3-000001"}`, "upgradeInstance:CS1-000001:CS3:CS3-000001", marketplace.Changed, "", false},
	} {
		got, err := m.ReadV2(signed(noon, "n", c.body), []byte(c.body), noon)
		e := got.Event
		if err != nil || e.ID != c.id || e.Kind != c.kind || e.Instance != "CS1-000001" && !strings.HasPrefix(e.Instance, "MOCK") || e.Test != c.test || !e.At.Equal(noon) {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
		if c.expires != "" && e.ExpiresAt.Format(time.RFC3339Nano) != c.expires {
			t.Errorf("%s expires %s", name, e.ExpiresAt.Format(time.RFC3339Nano))
		}
	}
}

func TestEachWrongCallHasItsCode(t *testing.T) {
	t.Parallel()
	m := market(t, nil, nil)
	const release = `{"activity":"releaseInstance","instanceId":"CS1-000001"}`
	for name, c := range map[string]struct {
		query url.Values
		body  string
		want  error
		code  string
	}{
		"forged":            {signed(noon, "n", release), `{"activity":"releaseInstance","instanceId":"CS1-000002"}`, marketplace.ErrSignature, "000001"},
		"no signature":      {url.Values{}, release, marketplace.ErrSignature, "000001"},
		"a minute old":      {signed(noon.Add(-61*time.Second), "n", release), release, marketplace.ErrSkewed, "000001"},
		"from the future":   {signed(noon.Add(61*time.Second), "n", release), release, marketplace.ErrSkewed, "000001"},
		"timely":            {signed(noon.Add(-60*time.Second), "n", release), release, nil, "000000"},
		"no nonce":          {signed(noon, "", release), release, marketplace.ErrFields, "000002"},
		"unknown":           {signed(noon, "n", `{"activity":"dance"}`), `{"activity":"dance"}`, marketplace.ErrAction, "000002"},
		"no instance":       {signed(noon, "n", `{"activity":"releaseInstance"}`), `{"activity":"releaseInstance"}`, marketplace.ErrFields, "000002"},
		"no order":          {signed(noon, "n", `{"activity":"newInstance","businessId":"b"}`), `{"activity":"newInstance","businessId":"b"}`, marketplace.ErrFields, "000002"},
		"no status":         {signed(noon, "n", `{"activity":"updateInstanceStatus","instanceId":"i","status":"MELT"}`), `{"activity":"updateInstanceStatus","instanceId":"i","status":"MELT"}`, marketplace.ErrFields, "000002"},
		"no JSON":           {signed(noon, "n", `dance`), `dance`, marketplace.ErrFields, "000002"},
		"101 instances":     {signed(noon, "n", many(101)), many(101), marketplace.ErrFields, "000002"},
		"100 instances":     {signed(noon, "n", many(100)), many(100), nil, "000000"},
		"no day of renewal": {signed(noon, "n", `{"activity":"refreshInstance","instanceId":"i","expireTime":"soon"}`), `{"activity":"refreshInstance","instanceId":"i","expireTime":"soon"}`, marketplace.ErrFields, "000002"},
	} {
		call, err := m.ReadV2(c.query, []byte(c.body), noon)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		reply := m.Answer(call, err, nil)
		var a answer
		if json.Unmarshal(reply.Body, &a) != nil || a.Code != c.code || reply.Status != 200 || reply.Sign != bodySign("hwkey", reply.Body) {
			t.Errorf("%s: answered %s", name, reply.Body)
		}
	}
}

func many(n int) string {
	return `{"activity":"queryInstance","instanceId":"` + strings.TrimSuffix(strings.Repeat("i,", n), ",") + `"}`
}

func TestTheFirstGenerationIsTakenWhereItIsSet(t *testing.T) {
	t.Parallel()
	q := url.Values{"activity": {"expireInstance"}, "instanceId": {"i1"}, "orderId": {"CS1"}, "timeStamp": {"20260301120000409"}}
	q.Set("authToken", strings.ReplaceAll(signV1("hwkey", q), "+", " "))
	c, err := market(t, nil, nil).ReadV1(q, noon)
	if err != nil || c.Event.Kind != marketplace.Froze || c.Event.Instance != "i1" {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := market(t, func(c *Config) { c.V1 = false }, nil).ReadV1(q, noon); !errors.Is(err, marketplace.ErrAction) {
		t.Errorf("where it is not set: %v", err)
	}
	if _, err := market(t, nil, nil).ReadV1(q, noon.Add(2*time.Minute)); !errors.Is(err, marketplace.ErrSkewed) {
		t.Errorf("late: %v", err)
	}
	q.Set("instanceId", "i2")
	if _, err := market(t, nil, nil).ReadV1(q, noon); !errors.Is(err, marketplace.ErrSignature) {
		t.Errorf("forged: %v", err)
	}
	personal := url.Values{"activity": {"newInstance"}, "orderId": {"CS1"}, "orderLineId": {"CS1-1"}, "businessId": {"b"}, "customerId": {"c1"}, "mobilePhone": {"13800000000"}, "timeStamp": {"20260301120000000"}}
	personal.Set("authToken", signV1("hwkey", personal))
	c, err = market(t, nil, nil).ReadV1(personal, noon)
	if err != nil || c.Event.Account != "c1" || strings.Contains(string(c.Event.Raw), "13800000000") {
		t.Errorf("%+v with %s, %v", c, c.Event.Raw, err)
	}
}

// orders answers the query of orders.
func orders(t *testing.T, order string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Authorization"), "SDK-HMAC-SHA256 Access=AK-canary, SignedHeaders=content-type;host;x-sdk-date, Signature=") {
			t.Errorf("%v", r.Header)
		}
		if r.URL.Query().Get("orderId") != "CS1" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"resultCode":"MKT.0150","resultMsg":"not yours"}`)
			return
		}
		_, _ = io.WriteString(w, order)
	}
}

// order is one of buyer c1, with a line.
func order(kind, mode, product, sku, linear string) string {
	return `{"resultCode":"MKT.0000","resultMsg":"Success","orderInfo":{"orderId":"CS1","orderType":"` + kind + `","createTime":"20260301110000","orderLine":[{"orderLineId":"CS1-000001","chargingMode":"` + mode +
		`","productInfo":[{"productId":"` + product + `","skuCode":"` + sku + `","linearValue":` + linear + `,"productName":"n"}],"currency":"100","currencyAfterDiscount":"1"}],"buyerInfo":{"customerId":"c1"}}}`
}

func TestACardIsWorthWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order   string
		account string
		id      string
		worth   string
		want    error
	}{
		"one":           {order("NEW", "ONE_TIME", "p", "card-100", `null`), "c1", "CS1", "100.00", nil},
		"three":         {order("NEW", "ONE_TIME", "p", "card-100", `"3"`), "c1", "CS1", "300.00", nil},
		"of another":    {order("NEW", "ONE_TIME", "p", "card-100", `1`), "c2", "CS1", "", marketplace.ErrOrder},
		"other number":  {order("NEW", "ONE_TIME", "p", "card-100", `1`), "c1", "CS2", "", marketplace.ErrOrder},
		"refunded":      {order("UNSUBSCRIBE", "ONE_TIME", "p", "card-100", `1`), "c1", "CS1", "", marketplace.ErrOrder},
		"other card":    {order("NEW", "ONE_TIME", "p", "card-7", `1`), "c1", "CS1", "", marketplace.ErrOtherProduct},
		"a rent":        {order("NEW", "PERIOD", "p", "card-100", `1`), "c1", "CS1", "", marketplace.ErrOtherProduct},
		"usage":         {order("NEW", "ON_DEMAND", "prod-usage", "x", `1`), "c1", "CS1", "", marketplace.ErrOrder},
		"less than one": {order("NEW", "ONE_TIME", "p", "card-100", `-1`), "c1", "CS1", "", marketplace.ErrOrder},
		"a part":        {order("NEW", "ONE_TIME", "p", "card-100", `0.5`), "c1", "CS1", "", marketplace.ErrOrder},
		"a test order":  {order("NEW", "ONE_TIME", "p", "card-100", `1`), "c1", "MOCKONETIMENEW", "", marketplace.ErrOrder},
		"nothing":       {order("NEW", "ONE_TIME", "p", "card-100", `1`), "", "", "", marketplace.ErrOrder},
	} {
		cards, err := market(t, nil, orders(t, c.order)).Cards(t.Context(), c.account, c.id)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (len(cards) != 1 || cards[0].Worth.String() != c.worth || cards[0].Line != "CS1-000001") {
			t.Errorf("%s: %+v", name, cards)
		}
	}
}

func TestASubscriptionIsClaimedByItsOrder(t *testing.T) {
	t.Parallel()
	good := order("NEW", "ON_DEMAND", "prod-usage", "x", `1`)
	for name, c := range map[string]struct {
		order string
		claim marketplace.Claim
		want  error
	}{
		"by instance":   {good, marketplace.Claim{Account: "c1", Instance: "CS1-000001"}, nil},
		"by order":      {good, marketplace.Claim{Account: "c1", Order: "CS1"}, nil},
		"other account": {good, marketplace.Claim{Account: "c2", Instance: "CS1-000001"}, marketplace.ErrClaim},
		"other line":    {good, marketplace.Claim{Account: "c1", Instance: "CS1-000002"}, marketplace.ErrClaim},
		"no such order": {good, marketplace.Claim{Account: "c1", Instance: "CS2-000001"}, marketplace.ErrClaim},
		"a test order":  {good, marketplace.Claim{Account: "c1", Instance: "MOCKONDEMAND-000001"}, marketplace.ErrClaim},
		"given back":    {order("UNSUBSCRIBE", "ON_DEMAND", "prod-usage", "x", `1`), marketplace.Claim{Account: "c1", Instance: "CS1-000001"}, marketplace.ErrInactive},
		"other product": {order("NEW", "ON_DEMAND", "prod-x", "x", `1`), marketplace.Claim{Account: "c1", Instance: "CS1-000001"}, marketplace.ErrOtherProduct},
		"a card":        {order("NEW", "ONE_TIME", "p", "card-100", `1`), marketplace.Claim{Account: "c1", Instance: "CS1-000001"}, marketplace.ErrClaim},
	} {
		p, err := market(t, nil, orders(t, c.order)).Verify(t.Context(), c.claim)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if c.want == nil && (p.Instance != "CS1-000001" || p.Account != "c1" || p.Order != "CS1" || p.Product != "prod-usage") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func records() []marketplace.Record {
	return []marketplace.Record{
		{ID: "m1", Instance: "i1", Window: marketplace.Window{From: noon.Add(-time.Hour), To: noon}, Quantity: quantity.MustParse("99.0500")},
		{ID: "m2", Instance: "i2", Window: marketplace.Window{From: noon.Add(-time.Hour), To: noon}, Quantity: quantity.Of(3)},
	}
}

func TestUsageIsSignedOverTheBytesThatAreSent(t *testing.T) {
	t.Parallel()
	m := market(t, nil, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		const want = `{"usage_records":[{"begin_time":"20260301T110000Z","end_time":"20260301T120000Z","instance_id":"i1","metering_sn":"m1","record_time":"20260301T120000Z","usage_value":"99.05"},` +
			`{"begin_time":"20260301T110000Z","end_time":"20260301T120000Z","instance_id":"i2","metering_sn":"m2","record_time":"20260301T120000Z","usage_value":"3"}]}`
		if string(body) != want {
			t.Errorf("sent %s", body)
		}
		if r.Header.Get("signature") != signUsage("hwkey", r.Header.Get("ts"), r.Header.Get("nonce"), body) || r.Header.Get("Authorization") == "" {
			t.Errorf("signed %v", r.Header)
		}
		_, _ = io.WriteString(w, `{"error_code":"MKT.0000","error_msg":"success"}`)
	})
	outcomes, err := m.Send(t.Context(), records())
	if err != nil || outcomes[0].State != marketplace.Accepted || outcomes[1].State != marketplace.Accepted {
		t.Errorf("%+v, %v", outcomes, err)
	}
}

func TestEachAnswerToUsageIsSorted(t *testing.T) {
	t.Parallel()
	var poisoned *marketplace.Poisoned
	for name, c := range map[string]struct {
		status              int
		body                string
		throttled, poisoned bool
		states              string
	}{
		"abnormal":        {500, `{"error_code":"MKT.0100","extra_info":{"abnormal_usage_data":[{"metering_sn":"m2","error_code":"MKT.9001"}]}}`, false, false, "sent rejected"},
		"nobody's":        {500, `{"error_code":"MKT.0100","extra_info":{"abnormal_usage_data":[{"metering_sn":"m3"}]}}`, false, true, ""},
		"no such":         {500, `{"error_code":"MKT.9001"}`, false, true, ""},
		"too old":         {500, `{"error_code":"MKT.9004"}`, false, true, ""},
		"our key":         {400, `{"error_code":"MKT.0102"}`, false, false, ""},
		"no right":        {401, `{"error_code":"MKT.0154"}`, false, false, ""},
		"too often":       {406, `{"error_code":"MKT.0250"}`, true, false, ""},
		"its own mistake": {500, `{"error_code":"MKT.0999"}`, false, false, ""},
		"a proxy":         {502, `<html>`, false, false, ""},
		"no answer":       {0, ``, false, false, ""},
	} {
		outcomes, err := market(t, nil, func(w http.ResponseWriter, _ *http.Request) {
			if c.status == 0 {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}).Send(t.Context(), records())
		var states []string
		for _, o := range outcomes {
			states = append(states, string(o.State))
		}
		if (err == nil) != (c.states != "") || strings.Join(states, " ") != c.states || errors.Is(err, marketplace.ErrThrottled) != c.throttled || errors.As(err, &poisoned) != c.poisoned || errors.Is(err, marketplace.ErrUnreachable) != (name == "our key" || name == "no right") {
			t.Errorf("%s: %v, %v", name, states, err)
		}
	}
}

func TestInstancesKeepTheirNameOnEachRepetition(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70)
	for _, c := range [][3]string{{"CS1", "CS1-000001", "CS1-000001"}, {"CS1", "000001", "CS1-000001"}, {long, "1", sum([]byte(long + "-1"))[:64]}} {
		if got := InstanceOf(c[0], c[1]); got != c[2] {
			t.Errorf("%s, %s: %s", c[0], c[1], got)
		}
	}
}

func TestSettingsAreCheckedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"key": func(c *Config) { c.Key = "" }, "secret": func(c *Config) { c.Secret = "" }, "nothing sold": func(c *Config) { c.Products, c.Cards = nil, nil },
		"plan": func(c *Config) { c.Plan = "" }, "price": func(c *Config) { c.Price = money.Amount{} }, "listing": func(c *Config) { c.Listing = "x" },
		"card": func(c *Config) { c.Cards[0].Valid = 0 }, "API": func(c *Config) { c.API = "http://host/path" },
	} {
		c := config()
		change(&c)
		if err := c.Check(); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := config()
	if c.Simulated() {
		t.Error("Huawei itself is called a simulator")
	}
	if c.API = "http://127.0.0.1:9"; !c.Simulated() {
		t.Error("a simulator is not told")
	}
}

package hooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// canaries are secrets: none of them may be seen anywhere.
var canaries = []string{
	"canary-isv-key", "canary-ak-secret", "canary-hw-key", "canary-hw-secret", "canary-aws-secret", "canary-registration-token", "13800000000",
}

// gate is the doors over a store, with marketplaces that the test answers for.
type gate struct {
	t      *testing.T
	store  *store.Store
	folder string
	clock  *testkit.Clock
	log    *bytes.Buffer
	doors  *Clouds
	http   http.Handler
	seen   []string // all that was answered
	orders map[string]string
}

func openGate(t *testing.T) *gate {
	t.Helper()
	g := &gate{t: t, folder: t.TempDir(), clock: testkit.NewClock(noon), log: &bytes.Buffer{}, orders: map[string]string{}}
	e, err := sqlite.Open(t.Context(), filepath.Join(g.folder, "tollgate.db"))
	if err != nil {
		t.Fatal(err)
	}
	g.store = store.New(e)
	t.Cleanup(func() { _ = g.store.Close() })
	api := httptest.NewServer(http.HandlerFunc(g.cloud))
	t.Cleanup(api.Close)
	g.doors = &Clouds{
		Store: g.store, Now: g.clock.Now, Signed: g.clock.Now, Entry: "https://tollgate.example/", Arrive: "/arrive", Refuse: "/refused",
		Log: slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	ali, err := alibaba.New(alibaba.Config{
		Method: site.Alibaba, AccessKey: "ak", Secret: "canary-ak-secret", Key: "canary-isv-key", Products: []string{"cmapi1"},
		Plan: marketplace.Hourly, Price: money.Of(1, money.CNY), Listing: "https://market.example/1", API: api.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.doors.Alibaba = []*alibaba.Market{ali}
	if g.doors.AWS, err = aws.New(aws.Config{
		AccessKey: "ak", Secret: "canary-aws-secret", Region: "us-east-1", Products: []string{"prod1"}, Dimension: "cents",
		Prices: []money.Amount{money.Of(1, money.USD)}, Listing: "https://market.example/2", Metering: api.URL,
	}); err != nil {
		t.Fatal(err)
	}
	if g.doors.Huawei, err = huawei.New(huawei.Config{
		Key: "canary-hw-key", AccessKey: "ak", Secret: "canary-hw-secret", Products: []string{"prod-usage"},
		Cards: []huawei.Card{{SKU: "card-100", Face: money.Of(100_00, money.CNY), Valid: 12}},
		Plan:  marketplace.Hourly, Price: money.Of(100, money.CNY), Listing: "https://market.example/3", API: api.URL, V1: true, Now: g.clock.Now,
	}); err != nil {
		t.Fatal(err)
	}
	g.http = New(Config{Clouds: g.doors, Now: g.clock.Now, Log: g.doors.Log})
	t.Cleanup(g.search)
	return g
}

// cloud answers for AWS and for Huawei.
func (g *gate) cloud(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "ResolveCustomer") {
		body, _ := io.ReadAll(r.Body)
		if !strings.Contains(string(body), "canary-registration-token") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ExpiredTokenException","message":"expired"}`)
			return
		}
		_, _ = io.WriteString(w, `{"CustomerAWSAccountId":"123456789012","ProductCode":"prod1","LicenseArn":"arn:aws:license-manager::1:license:l-0a"}`)
		return
	}
	if order := g.orders[r.URL.Query().Get("orderId")]; order != "" {
		_, _ = io.WriteString(w, order)
		return
	}
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"resultCode":"MKT.0150"}`)
}

// search looks for secrets in the log, in the answers and in the database.
func (g *gate) search() {
	places := map[string]string{"the log": g.log.String(), "an answer": strings.Join(g.seen, "\n")}
	files, err := filepath.Glob(filepath.Join(g.folder, "tollgate.db*"))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			g.t.Fatal(err)
		}
		places["the database"] += string(raw)
	}
	for place, text := range places {
		for _, canary := range canaries {
			if strings.Contains(text, canary) {
				g.t.Errorf("%s holds %s", place, canary)
			}
		}
	}
}

func (g *gate) do(r *http.Request) *httptest.ResponseRecorder {
	g.t.Helper()
	w := httptest.NewRecorder()
	g.http.ServeHTTP(w, r)
	g.seen = append(g.seen, w.Body.String(), fmt.Sprint(w.Header()))
	return w
}

// ali is a signed call of Alibaba's.
func (g *gate) ali(pairs ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	text := ""
	for _, name := range slices.Sorted(maps.Keys(q)) {
		text += name + "=" + q.Get(name) + "&"
	}
	sum := md5.Sum([]byte(text + "key=canary-isv-key"))
	q.Set("token", hex.EncodeToString(sum[:]))
	return g.do(httptest.NewRequest(http.MethodGet, "/hooks/alibaba?"+q.Encode(), http.NoBody))
}

func hmacOf(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

// hw is a signed call of KooGallery's.
func (g *gate) hw(nonce, body string) (code, instance string) {
	g.t.Helper()
	timestamp := strconv.FormatInt(g.clock.Now().UnixMilli(), 10)
	signature := hmacOf("canary-hw-key", "canary-hw-key"+nonce+timestamp+hmacOf("canary-hw-key", body))
	q := url.Values{"signature": {signature}, "timestamp": {timestamp}, "nonce": {nonce}}
	w := g.do(httptest.NewRequest(http.MethodPost, "/hooks/huawei?"+q.Encode(), strings.NewReader(body)))
	var answer struct{ ResultCode, InstanceID string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		g.t.Fatalf("%d, %s", w.Code, w.Body)
	}
	return answer.ResultCode, answer.InstanceID
}

func (g *gate) write(f func(ctx context.Context, tx *store.Tx) error) {
	g.t.Helper()
	if err := g.store.Write(g.t.Context(), func(tx *store.Tx) error { return f(g.t.Context(), tx) }); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gate) subscription(m site.Method, instance string) (s marketplace.Subscription, err error) {
	err = g.store.Read(g.t.Context(), func(tx *store.Tx) (err error) {
		s, err = tx.SubscriptionByInstance(g.t.Context(), m, instance)
		return err
	})
	return s, err
}

func (g *gate) stands(m site.Method, instance string, want marketplace.State) {
	g.t.Helper()
	if s, err := g.subscription(m, instance); err != nil || s.State != want {
		g.t.Errorf("%s is %q, %v; want %s", instance, s.State, err, want)
	}
}

func TestAlibabaCallsAreKeptAndAnswered(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	create := []string{"action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1", "expiredOn", "2026-04-01 12:00:00", "mobile", "x"}
	for range 3 { // the marketplace calls up to 120 times
		if w := g.ali(create...); w.Code != 200 || !strings.Contains(w.Body.String(), `"instanceId":"77"`) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	g.stands(site.Alibaba, "77", marketplace.Active)
	g.clock.Advance(31 * 24 * time.Hour)
	g.ali("action", "expiredInstance", "instanceId", "77")
	g.stands(site.Alibaba, "77", marketplace.Frozen)
	g.clock.Advance(time.Hour)
	g.ali("action", "renewInstance", "instanceId", "77", "orderId", "o2", "expiredOn", "2026-06-01 12:00:00")
	g.stands(site.Alibaba, "77", marketplace.Active)
	g.clock.Advance(time.Hour)
	if w := g.ali("action", "expiredInstance", "instanceId", "77"); w.Body.String() != `{"success":"true"}` {
		t.Errorf("%s", w.Body)
	}
	g.stands(site.Alibaba, "77", marketplace.Active) // the old word again, long before its time
	g.clock.Advance(62 * 24 * time.Hour)
	g.ali("action", "expiredInstance", "instanceId", "77")
	g.stands(site.Alibaba, "77", marketplace.Frozen)
	g.ali("action", "releaseInstance", "instanceId", "77", "isRefund", "true", "orderId", "o3")
	g.stands(site.Alibaba, "77", marketplace.Ending)
	if s, err := g.subscription(site.Alibaba, "77"); err != nil || s.Effect() != marketplace.FallBack || s.Account != "1001" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestForgedAndForeignCallsLeaveNothing(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	w := g.do(httptest.NewRequest(http.MethodGet, "/hooks/alibaba?action=createInstance&aliUid=1&orderBizId=78&productCode=cmapi1&token=x", http.NoBody))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"instanceId":"0","code":"callback_signature_wrong"`) {
		t.Errorf("forged: %d %s", w.Code, w.Body)
	}
	if w := g.ali("action", "createInstance", "aliUid", "1", "orderBizId", "78", "productCode", "cmapi9"); !strings.Contains(w.Body.String(), `"instanceId":"0","code":"purchase_of_other_product"`) {
		t.Errorf("foreign: %s", w.Body)
	}
	if w := g.ali("action", "dance", "instanceId", "78"); !strings.Contains(w.Body.String(), `"success":"false","code":"callback_action_unknown"`) {
		t.Errorf("unknown: %s", w.Body)
	}
	if _, err := g.subscription(site.Alibaba, "78"); err == nil {
		t.Error("something was kept")
	}
}

// led is where a browser is led, and with what.
func led(t *testing.T, w *httptest.ResponseRecorder) (path, value string) {
	t.Helper()
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d to %q: %v", w.Code, w.Header().Get("Location"), err)
	}
	return to.Path, to.Query().Get("ticket") + to.Query().Get("why")
}

func TestABuyerOfAlibabaSignsInOnceByAnAddress(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.ali("action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1")
	verify := []string{"action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 12:00:00"}
	path, ticket := led(t, g.ali(verify...))
	if path != "/arrive" {
		t.Fatalf("led to %s", path)
	}
	g.write(func(ctx context.Context, tx *store.Tx) error {
		a, err := tx.UseArrival(ctx, ticket, noon)
		if !a.SignsIn {
			t.Error("the marketplace's word does not sign in")
		}
		return err
	})
	err := g.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.UseArrival(t.Context(), ticket, noon)
		return err
	})
	if err == nil {
		t.Error("the ticket holds twice")
	}
	if path, why := led(t, g.ali(verify...)); path != "/refused" || why != "callback_replayed" {
		t.Errorf("again: %s, %s", path, why)
	}
	g.clock.Advance(6 * time.Minute)
	if path, why := led(t, g.ali("action", "verify", "instanceId", "77", "timeStamp", "2026-03-01 12:00:01")); path != "/refused" || why != "callback_clock_skewed" {
		t.Errorf("late: %s, %s", path, why)
	}
}

func TestABuyerOfAWSBringsATokenAndLeavesItAtTheDoor(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	post := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, "/hooks/aws", strings.NewReader(url.Values{"x-amzn-marketplace-token": {token}, "x-amzn-marketplace-offer-type": {"free-trial"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://aws.amazon.com")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		return g.do(r)
	}
	for range 2 { // a registration may be brought again until it expires
		if path, ticket := led(t, post("canary-registration-token")); path != "/arrive" || ticket == "" {
			t.Fatalf("led to %s", path)
		}
	}
	g.stands(site.AWS, "l-0a", marketplace.Pending) // landing does not prove that it lives
	if s, err := g.subscription(site.AWS, "l-0a"); err != nil || s.Reference != "arn:aws:license-manager::1:license:l-0a" || s.Account != "123456789012" || s.Payer != "" {
		t.Errorf("%+v, %v", s, err)
	}
	updated := `{"id":"e1","detail-type":"License Updated - Manufacturer","source":"aws.agreement-marketplace","time":"2026-03-01T03:59:00Z",` +
		`"detail":{"agreement":{"id":"agmt"},"product":{"code":"prod1"},"license":{"arn":"aws:license-manager:us-east-1:1:l-0a"},"acceptor":{"accountId":"123456789012"}}}`
	for range 2 {
		if err := g.doors.keepAWS(t.Context(), []byte(updated), "m1"); err != nil {
			t.Fatal(err)
		}
	}
	g.stands(site.AWS, "l-0a", marketplace.Active)
	if err := g.doors.keepAWS(t.Context(), []byte(strings.Replace(updated, "prod1", "prod2", 1)), "m1"); err != nil {
		t.Errorf("another product's event stays in the queue: %v", err)
	}
	if err := g.doors.keepAWS(t.Context(), []byte("dance"), "m1"); err == nil {
		t.Error("what cannot be read is lost")
	}
	for name, token := range map[string]string{"expired": "old", "none": ""} {
		if path, why := led(t, post(token)); path != "/refused" || why != "registration_token_invalid" {
			t.Errorf("%s: %s, %s", name, path, why)
		}
	}
}

func order(kind, line, mode, product, sku string) string {
	return `{"resultCode":"MKT.0000","orderInfo":{"orderId":"CS1","orderType":"` + kind + `","createTime":"20260301030000","orderLine":[{"orderLineId":"` + line + `","chargingMode":"` + mode +
		`","productInfo":[{"productId":"` + product + `","skuCode":"` + sku + `"}]}],"buyerInfo":{"customerId":"c1","mobilePhone":"13800000000"}}}`
}

func TestKooGalleryCallsAreKeptAndAnswered(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.orders["CS1"] = order("NEW", "CS1-000001", "ON_DEMAND", "prod-usage", "x")
	create := func(business string) string {
		return `{"activity":"newInstance","businessId":"` + business + `","orderId":"CS1","orderLineId":"CS1-000001"}`
	}
	if code, _ := g.hw("probe", `{"activity":"newInstance","businessId":"b0","orderId":"CS1","orderLineId":"CS1-000001","testFlag":"1"}`); code != "000000" {
		t.Errorf("probe: %s", code)
	}
	if _, err := g.subscription(site.Huawei, "CS1-000001"); err == nil {
		t.Error("a probe made a subscription")
	}
	for i, business := range []string{"b1", "b2"} {
		if code, instance := g.hw(fmt.Sprint("n", i), create(business)); code != "000000" || instance != "CS1-000001" {
			t.Errorf("new: %s, %s", code, instance)
		}
	}
	g.stands(site.Huawei, "CS1-000001", marketplace.Active)
	if s, err := g.subscription(site.Huawei, "CS1-000001"); err != nil || s.Account != "c1" || s.Product != "prod-usage" || s.Plan != marketplace.Hourly {
		t.Errorf("%+v, %v", s, err)
	}
	if code, _ := g.hw("n0", create("b3")); code != "000001" {
		t.Errorf("a call that came before: %s", code)
	}
	freeze := `{"activity":"updateInstanceStatus","instanceId":"CS1-000001","status":"FREEZE"}`
	g.clock.Advance(time.Second)
	if code, _ := g.hw("n3", freeze); code != "000000" {
		t.Errorf("freeze: %s", code)
	}
	g.stands(site.Huawei, "CS1-000001", marketplace.Frozen)
	for name, body := range map[string]string{
		"no such instance": `{"activity":"releaseInstance","instanceId":"CS9-000001"}`,
		"asks for none":    `{"activity":"queryInstance","instanceId":"CS1-000001,CS9-000001"}`,
	} {
		if code, _ := g.hw(name, body); code != "000003" {
			t.Errorf("%s: %s", name, code)
		}
	}
	if code, _ := g.hw("other order", strings.ReplaceAll(create("b4"), "CS1", "CS8")); code != "000002" {
		t.Errorf("an order of somebody else: %s", code)
	}
	g.clock.Advance(time.Second)
	g.hw("n9", `{"activity":"releaseInstance","instanceId":"CS1-000001"}`)
	g.stands(site.Huawei, "CS1-000001", marketplace.Ending)
}

func TestACardIsRedeemedOnceAndClawedBack(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.orders["CS1"] = order("NEW", "CS1-000001", "ONE_TIME", "p", "card-100")
	payer := account.Billing{ID: id.New(id.BillingAccount), UserName: "acme", Email: "finance@acme.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
	g.write(func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, payer) })
	if code, instance := g.hw("n1", `{"activity":"newInstance","businessId":"b1","orderId":"CS1","orderLineId":"CS1-000001"}`); code != "000000" || instance != "CS1-000001" {
		t.Fatalf("%s, %s", code, instance)
	}
	bought, err := g.doors.Huawei.Cards(t.Context(), "c1", "CS1")
	if err != nil || len(bought) != 1 {
		t.Fatal(bought, err)
	}
	lines := []marketplace.Card{{Cloud: site.Huawei, Order: "CS1", Line: bought[0].Line, Instance: "CS1-000001", Account: "c1", SKU: "card-100", Face: bought[0].Worth}}
	redeem := func() error {
		return g.store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := marketplace.Redeem(t.Context(), tx, payer, lines, func(marketplace.Card) time.Time { return noon.AddDate(1, 0, 0) }, workspace.Actor{AccountID: payer.ID}, noon)
			return err
		})
	}
	if err := redeem(); err != nil {
		t.Fatal(err)
	}
	if err := redeem(); err == nil || !strings.Contains(err.Error(), marketplace.ErrOrderUsed.Code) {
		t.Errorf("again: %v", err)
	}
	card := func() string {
		var b wallet.Balances
		if err := g.store.Read(t.Context(), func(tx *store.Tx) (err error) {
			b, err = wallet.BalancesOf(t.Context(), tx, payer.ID, money.CNY)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return b.Card.String()
	}
	if card() != "100.00" {
		t.Errorf("loaded %s", card())
	}
	for i := range 2 { // told twice, taken back once
		if code, _ := g.hw(fmt.Sprint("release", i), `{"activity":"releaseInstance","instanceId":"CS1-000001","orderId":"CS2"}`); code != "000000" {
			t.Errorf("release: %s", code)
		}
	}
	if card() != "0.00" {
		t.Errorf("left %s", card())
	}
}

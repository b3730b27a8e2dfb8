package alipay_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/paysim"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/topup/alipay"
)

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// keys are two pairs, made once: ours and the gateway's.
var keys = sync.OnceValue(func() [2]*rsa.PrivateKey {
	var pair [2]*rsa.PrivateKey
	for i := range pair {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		pair[i] = k
	}
	return pair
})

func pkcs1(k *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
}

func pkcs8(t testing.TB, k *rsa.PrivateKey) string {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func public(t testing.TB, k *rsa.PrivateKey) string {
	t.Helper()
	raw, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func open(t testing.TB) (*alipay.Channel, *paysim.Alipay) {
	t.Helper()
	config := paysim.AlipayConfig{AppID: "2021000000000001", SellerID: "2088000000000001", Merchant: &keys()[0].PublicKey, Key: keys()[1], Now: now}
	var gateway *paysim.Alipay
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gateway.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	config.Base = server.URL
	gateway = paysim.NewAlipay(config)
	c, err := alipay.New(settings(t, server.URL+"/gateway.do"))
	if err != nil {
		t.Fatal(err)
	}
	return c, gateway
}

func settings(t testing.TB, gateway string) alipay.Config {
	return alipay.Config{
		Gateway: gateway, AppID: "2021000000000001", SellerID: "2088000000000001", Key: pkcs8(t, keys()[0]), AlipayKey: public(t, keys()[1]),
		Notify: "https://tollgate.example/hooks/alipay", Return: func(id string) string { return "https://tollgate.example/back/" + id }, Now: now,
	}
}

func payment(amount string) topup.Payment {
	return topup.Payment{ID: "pmnt_1", Channel: topup.Alipay, Amount: money.MustParse(amount, money.CNY), State: topup.Pending, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
}

// visit follows the address that Open gives, as a payer's browser does.
func visit(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the cashier answers %s: %s, %v", response.Status, page, err)
	}
	return string(page)
}

func message(form url.Values) topup.Message {
	return topup.Message{Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}, Body: []byte(form.Encode())}
}

func TestAPayerIsTakenToTheCashierAndTheNoticeTellsThatItWasPaid(t *testing.T) {
	t.Parallel()
	c, gateway := open(t)
	p := payment("12.30")
	if asked, err := c.Ask(t.Context(), p); err != nil || len(asked) != 0 {
		t.Errorf("asked before the payer came: %v, %v", asked, err)
	}
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if page := visit(t, o.URL); !strings.Contains(page, "CNY 12.30") || !strings.Contains(page, "No real money moves here") {
		t.Errorf("the cashier shows %s", page)
	}
	if asked, err := c.Ask(t.Context(), p); err != nil || len(asked) != 1 || asked[0].Outcome != topup.IsOpen {
		t.Errorf("asked before it was paid: %v, %v", asked, err)
	}
	if !gateway.Pay(p.ID) {
		t.Fatal("it could not be paid")
	}
	told, err := c.Read(message(gateway.Notice(p.ID, nil)))
	if err != nil || len(told) != 1 {
		t.Fatalf("%v, %v", told, err)
	}
	if r := told[0]; r.Outcome != topup.WasPaid || r.PaymentID != p.ID || r.Amount != p.Amount || r.Reference == "" || r.Odd != "" {
		t.Errorf("told %+v", r)
	}
	asked, err := c.Ask(t.Context(), p)
	if err != nil || len(asked) != 1 || asked[0].Outcome != topup.WasPaid || asked[0].Reference != told[0].Reference || asked[0].Amount != p.Amount {
		t.Errorf("asked afterwards: %v, %v", asked, err)
	}
	again, err := c.Read(message(gateway.Notice(p.ID, map[string]string{"notify_time": "2026-03-01 18:00:00"})))
	if err != nil || len(again) != 1 || again[0].Event != told[0].Event {
		t.Errorf("the repeated notice is another event: %v, %v", again, err)
	}
}

func TestRefundsAreToldAsTheSumOfAll(t *testing.T) {
	t.Parallel()
	c, gateway := open(t)
	p := payment("100")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	visit(t, o.URL)
	gateway.Pay(p.ID)
	p.State = topup.Credited
	back := func(name, amount, all string) {
		t.Helper()
		for range 2 { // sent again, it is the same refund
			r, err := c.Refund(t.Context(), p, topup.Refund{ID: name, Amount: money.MustParse(amount, money.CNY), Reason: "asked"})
			if err != nil || r.Outcome != topup.WasRefunded || r.Amount != money.MustParse(all, money.CNY) {
				t.Errorf("%s: %+v, %v, want %s in all", name, r, err, all)
			}
		}
	}
	back("rfnd_1", "30", "30")
	told, err := c.Read(message(gateway.Notice(p.ID, nil)))
	if err != nil || len(told) != 2 || told[0].Outcome != topup.WasPaid || told[1].Outcome != topup.WasRefunded || told[1].Amount != money.MustParse("30", money.CNY) {
		t.Errorf("told of a part: %+v, %v", told, err)
	}
	if _, err := c.Refund(t.Context(), p, topup.Refund{ID: "rfnd_1", Amount: money.MustParse("31", money.CNY)}); !errors.Is(err, topup.ErrRefused) {
		t.Errorf("the same name for another amount: %v", err)
	}
	if _, err := c.Refund(t.Context(), p, topup.Refund{ID: "rfnd_x", Amount: money.MustParse("70.01", money.CNY)}); !errors.Is(err, topup.ErrRefused) {
		t.Errorf("more than is left: %v", err)
	}
	back("rfnd_2", "70", "100")
	told, err = c.Read(message(gateway.Notice(p.ID, nil)))
	if err != nil || len(told) != 1 || told[0].Outcome != topup.WasRefunded || told[0].Amount != p.Amount {
		t.Errorf("told of all: %+v, %v", told, err)
	}
	if asked, err := c.Ask(t.Context(), p); err != nil || len(asked) != 1 || asked[0].Outcome != topup.WasRefunded || asked[0].Amount != p.Amount {
		t.Errorf("asked: %+v, %v", asked, err)
	}
}

func TestANoticeIsBelievedForItsSignatureOnly(t *testing.T) {
	t.Parallel()
	c, gateway := open(t)
	p := payment("10")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	visit(t, o.URL)
	gateway.Pay(p.ID)
	honest := gateway.Notice(p.ID, nil)
	for name, change := range map[string]func(url.Values){
		"another amount":        func(v url.Values) { v.Set("total_amount", "1000.00") },
		"another order":         func(v url.Values) { v.Set("out_trade_no", "pmnt_2") },
		"a parameter more":      func(v url.Values) { v.Set("refund_fee", "1.00") },
		"a parameter less":      func(v url.Values) { v.Del("subject") },
		"a parameter twice":     func(v url.Values) { v.Add("total_amount", "10.00") },
		"no signature":          func(v url.Values) { v.Del("sign") },
		"a signature of nought": func(v url.Values) { v.Set("sign", base64.StdEncoding.EncodeToString(make([]byte, 256))) },
		"no base64":             func(v url.Values) { v.Set("sign", "%%%") },
		"an older algorithm":    func(v url.Values) { v.Set("sign_type", "RSA") },
		"nothing at all":        func(v url.Values) { clear(v) },
	} {
		forged := url.Values{}
		for k, v := range honest {
			forged[k] = append([]string(nil), v...)
		}
		change(forged)
		if told, err := c.Read(message(forged)); !errors.Is(err, topup.ErrForged) || len(told) != 0 {
			t.Errorf("%s: %v, %v", name, told, err)
		}
	}
	for _, body := range []string{"\xff\xfe", "%zz", "a=b;c=d", "", "{}"} {
		if _, err := c.Read(topup.Message{Body: []byte(body)}); !errors.Is(err, topup.ErrForged) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

func TestASignedNoticeForSomebodyElseIsOdd(t *testing.T) {
	t.Parallel()
	c, gateway := open(t)
	p := payment("10")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	visit(t, o.URL)
	gateway.Pay(p.ID)
	for _, changed := range []map[string]string{{"app_id": "2021000000000009"}, {"seller_id": "2088000000000009"}} {
		told, err := c.Read(message(gateway.Notice(p.ID, changed)))
		if err != nil || len(told) != 1 || told[0].Odd != topup.ReasonMerchant {
			t.Errorf("%v: %+v, %v", changed, told, err)
		}
	}
	for name, changed := range map[string]map[string]string{
		"no amount": {"total_amount": "ten"}, "an exponent": {"total_amount": "1e1"}, "an unknown state": {"trade_status": "TRADE_DANCING"}, "no order": {"out_trade_no": ""},
	} {
		if told, err := c.Read(message(gateway.Notice(p.ID, changed))); !errors.Is(err, topup.ErrUnreadable) {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
	closed, err := c.Read(message(gateway.Notice(p.ID, map[string]string{"trade_status": "TRADE_CLOSED"})))
	if err != nil || len(closed) != 1 || closed[0].Outcome != topup.HasExpired {
		t.Errorf("closed without refund: %+v, %v", closed, err)
	}
	if waits, err := c.Read(message(gateway.Notice(p.ID, map[string]string{"trade_status": "WAIT_BUYER_PAY"}))); err != nil || len(waits) != 0 {
		t.Errorf("waits: %+v, %v", waits, err)
	}
	if done, err := c.Read(message(gateway.Notice(p.ID, map[string]string{"trade_status": "TRADE_FINISHED"}))); err != nil || len(done) != 1 || done[0].Outcome != topup.WasPaid {
		t.Errorf("finished: %+v, %v", done, err)
	}
}

// Some libraries leave empty parameters out of what they sign, and Alipay's
// documents leave it open: both ways hold.
func TestEmptyParametersAreSignedOrNot(t *testing.T) {
	t.Parallel()
	c, gateway := open(t)
	p := payment("10")
	o, err := c.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	visit(t, o.URL)
	gateway.Pay(p.ID)
	with := gateway.Notice(p.ID, nil) // it signs body=
	if with.Get("body") != "" || !with.Has("body") {
		t.Fatal("the notice has no empty parameter")
	}
	if _, err := c.Read(message(with)); err != nil {
		t.Errorf("signed with it: %v", err)
	}
	without := gateway.Notice(p.ID, map[string]string{"body": "x"})
	without.Del("body")
	if _, err := c.Read(message(without)); !errors.Is(err, topup.ErrForged) {
		t.Errorf("a signed parameter was taken out: %v", err)
	}
	added := gateway.Notice(p.ID, map[string]string{"body": "x"})
	added.Set("passback_params", "") // not signed, and empty
	if _, err := c.Read(message(added)); err != nil {
		t.Errorf("signed without it: %v", err)
	}
}

func TestAnAnswerWithoutTheGatewaysSignatureIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"not signed":       `{"alipay_trade_query_response":{"code":"10000","out_trade_no":"pmnt_1","trade_no":"1","trade_status":"TRADE_SUCCESS","total_amount":"10.00"}}`,
		"signed by nobody": `{"alipay_trade_query_response":{"code":"10000","out_trade_no":"pmnt_1","trade_no":"1","trade_status":"TRADE_SUCCESS","total_amount":"10.00"},"sign":"AAAA"}`,
		"no JSON":          `<html>`,
		"empty":            ``,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
		c, err := alipay.New(settings(t, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		if told, err := c.Ask(t.Context(), payment("10")); !errors.Is(err, topup.ErrUnavailable) || len(told) != 0 {
			t.Errorf("%s: %v, %v", name, told, err)
		}
		server.Close()
	}
}

func TestSettingsAreCheckedAndNoMessageHoldsAKey(t *testing.T) {
	t.Parallel()
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*alipay.Config){
		"no application":      func(c *alipay.Config) { c.AppID = "" },
		"no seller":           func(c *alipay.Config) { c.SellerID = "" },
		"no key":              func(c *alipay.Config) { c.Key = "" },
		"a broken key":        func(c *alipay.Config) { c.Key = c.Key[:100] },
		"a short key":         func(c *alipay.Config) { c.Key = pkcs1(short) },
		"the public as ours":  func(c *alipay.Config) { c.Key = c.AlipayKey },
		"our own as Alipay's": func(c *alipay.Config) { c.AlipayKey = public(t, keys()[0]) },
		"a broken public key": func(c *alipay.Config) { c.AlipayKey = "AAAA" },
		"no address":          func(c *alipay.Config) { c.Gateway = "gateway.do" },
	} {
		c := settings(t, "https://gateway.example/gateway.do")
		change(&c)
		_, err := alipay.New(c)
		if err == nil || len(c.Key) > 20 && strings.Contains(err.Error(), c.Key[:20]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := settings(t, "")
	c.Key = pkcs1(keys()[0])
	if _, err := alipay.New(c); err != nil {
		t.Errorf("PEM of PKCS#1: %v", err)
	}
}

func TestOnlyYuanAreTaken(t *testing.T) {
	t.Parallel()
	c, _ := open(t)
	if c.Takes(money.USD) || !c.Takes(money.CNY) {
		t.Error("it takes the wrong currencies")
	}
	p := payment("10")
	p.Amount = money.Of(1000, money.USD)
	if _, err := c.Open(t.Context(), p); !errors.Is(err, topup.ErrCurrency) {
		t.Errorf("dollars: %v", err)
	}
	if r := c.Reply(true); r.Status != http.StatusOK || r.Body != "success" {
		t.Errorf("the answer to a notice is %+v", r)
	}
}

func FuzzAlipayNotice(f *testing.F) {
	c, err := alipay.New(settings(f, ""))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("app_id=1&sign_type=RSA2&sign=AAAA&total_amount=1.00"))
	f.Add([]byte("a=1&a=2"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if told, err := c.Read(topup.Message{Body: body}); err == nil || len(told) != 0 {
			t.Fatalf("believed %q: %v", body, told)
		}
	})
}

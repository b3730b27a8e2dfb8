package paysim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// AlipayConfig is what the two sides have agreed on.
type AlipayConfig struct {
	Base     string // where the simulator is reached
	AppID    string
	SellerID string
	Merchant *rsa.PublicKey  // verifies what the merchant sends
	Key      *rsa.PrivateKey // signs what is sent to the merchant
	Now      func() time.Time
}

// Alipay is a strict stand-in for Alipay's gateway: page pay, query and refund.
type Alipay struct {
	Courier
	config AlipayConfig

	mu     sync.Mutex
	trades map[string]*trade // by out_trade_no
	number int64
}

type trade struct {
	out, no       string
	minor         int64
	status        string
	notify, back  string
	subject       string
	created, ends time.Time
	paid, refund  time.Time
	refunds       map[string]int64 // by out_request_no
	refunded      int64
}

// NewAlipay makes an empty gateway.
func NewAlipay(c AlipayConfig) *Alipay {
	return &Alipay{config: c, trades: map[string]*trade{}}
}

// ServeHTTP is /gateway.do and the cashier's page.
func (a *Alipay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch name, out, cash := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); {
	case name == "gateway.do":
		a.gateway(w, r)
	case name == "cashier" && cash:
		a.cashier(w, r, out)
	default:
		http.NotFound(w, r)
	}
}

const longestRequest = 64 << 10

func (a *Alipay) gateway(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, longestRequest)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	params := map[string]string{}
	for k, v := range r.Form {
		if len(v) != 1 && k != "charset" { // SDKs name the charset in the address and in the body
			http.Error(w, "INVALID_PARAMETER "+k, http.StatusBadRequest)
			return
		}
		params[k] = v[0]
	}
	method := params["method"]
	fail := func(code, sub, message string) {
		a.answer(w, method, map[string]any{"code": code, "msg": message, "sub_code": sub, "sub_msg": message})
	}
	if sub := a.wrong(params); sub != "" {
		fail("40002", sub, "Invalid Arguments")
		return
	}
	var content map[string]any
	if err := json.Unmarshal([]byte(params["biz_content"]), &content); err != nil {
		fail("40004", "ACQ.INVALID_PARAMETER", "biz_content is no JSON")
		return
	}
	text := func(k string) string { s, _ := content[k].(string); return s }
	a.mu.Lock()
	defer a.mu.Unlock()
	switch method {
	case "alipay.trade.page.pay":
		a.pagePay(w, r, params, text)
	case "alipay.trade.query":
		a.query(w, text("out_trade_no"))
	case "alipay.trade.refund":
		a.refund(w, text)
	default:
		fail("40002", "isv.invalid-method", "Invalid Arguments")
	}
}

// wrong is the sub_code of what is wrong with the frame of a request.
func (a *Alipay) wrong(p map[string]string) string {
	stamp, err := time.ParseInLocation(time.DateTime, p["timestamp"], time.FixedZone("", 8*3600))
	switch {
	case p["app_id"] != a.config.AppID:
		return "isv.invalid-app-id"
	case p["sign_type"] != "RSA2":
		return "isv.invalid-signature-type"
	case p["version"] != "1.0", p["charset"] != "utf-8":
		return "isv.invalid-parameter"
	case err != nil, a.config.Now().Sub(stamp).Abs() > 24*time.Hour && p["method"] != "alipay.trade.page.pay":
		return "isv.invalid-timestamp"
	}
	signed := make([]string, 0, len(p))
	for k, v := range p {
		if k != "sign" && v != "" {
			signed = append(signed, k+"="+v)
		}
	}
	sort.Strings(signed)
	signature, err := base64.StdEncoding.DecodeString(p["sign"])
	digest := sha256.Sum256([]byte(strings.Join(signed, "&")))
	if err != nil || rsa.VerifyPKCS1v15(a.config.Merchant, crypto.SHA256, digest[:], signature) != nil {
		return "isv.invalid-signature"
	}
	return ""
}

func (a *Alipay) sign(text string) string {
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.config.Key, crypto.SHA256, digest[:])
	if err != nil {
		panic("paysim: " + err.Error())
	}
	return base64.StdEncoding.EncodeToString(signature)
}

// answer is signed over the bytes of its node.
func (a *Alipay) answer(w http.ResponseWriter, method string, body map[string]any) {
	node, err := json.Marshal(body)
	if err != nil {
		panic("paysim: " + err.Error())
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	_, _ = fmt.Fprintf(w, `{"%s_response":%s,"sign":"%s"}`, strings.ReplaceAll(method, ".", "_"), node, a.sign(string(node)))
}

// pagePay makes the trade when the payer comes, and shows the cashier.
func (a *Alipay) pagePay(w http.ResponseWriter, r *http.Request, p map[string]string, text func(string) string) {
	minor, ok := minorOf(text("total_amount"))
	minutes, err := strconv.Atoi(strings.TrimSuffix(text("timeout_express"), "m"))
	if !ok || minor < 1 || minor > 100_000_000_00 || text("product_code") != "FAST_INSTANT_TRADE_PAY" || text("subject") == "" ||
		text("out_trade_no") == "" || len(text("out_trade_no")) > 64 || err != nil || minutes < 1 || minutes > 15*24*60 || p["notify_url"] == "" {
		http.Error(w, "INVALID_PARAMETER: the order cannot be read", http.StatusBadRequest)
		return
	}
	out := text("out_trade_no")
	t := a.trades[out]
	switch {
	case t == nil:
		a.number++
		now := a.config.Now()
		t = &trade{
			out: out, no: fmt.Sprintf("%s2200%012d", now.Format("20060102"), a.number), minor: minor, status: "WAIT_BUYER_PAY",
			notify: p["notify_url"], back: p["return_url"], subject: text("subject"), created: now, ends: now.Add(time.Duration(minutes) * time.Minute),
			refunds: map[string]int64{},
		}
		a.trades[out] = t
	case t.minor != minor:
		http.Error(w, "CONTEXT_INCONSISTENT: this order was begun with another amount", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, a.config.Base+"/cashier/"+url.PathEscape(out), http.StatusFound)
}

func (a *Alipay) cashier(w http.ResponseWriter, r *http.Request, out string) {
	a.mu.Lock()
	t := a.trades[out]
	if t == nil {
		a.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	page := cashier{Channel: "Alipay 支付宝", Title: t.subject, Amount: "CNY " + decimal(t.minor), Order: t.out, Action: a.config.Base + "/cashier/" + url.PathEscape(out), Back: t.back}
	switch {
	case t.status == "WAIT_BUYER_PAY" && a.config.Now().After(t.ends):
		page.State = "This order is over. 订单已关闭。"
	case t.status != "WAIT_BUYER_PAY":
		page.State = "This order is settled: " + t.status
	}
	a.mu.Unlock()
	if r.Method != http.MethodPost || page.State != "" {
		page.write(w)
		return
	}
	if r.FormValue("do") == "pay" {
		a.Pay(out)
	}
	http.Redirect(w, r, a.returnTo(out), http.StatusSeeOther)
}

// returnTo is where the payer goes back to, with what the gateway adds.
func (a *Alipay) returnTo(out string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trades[out]
	u, err := url.Parse(t.back)
	if err != nil {
		return t.back
	}
	q := u.Query()
	q.Set("out_trade_no", t.out)
	q.Set("trade_no", t.no)
	q.Set("total_amount", decimal(t.minor))
	u.RawQuery = q.Encode()
	return u.String()
}

// Pay is the payer who pays; it reports whether that was still possible.
func (a *Alipay) Pay(out string) bool {
	a.mu.Lock()
	t := a.trades[out]
	can := t != nil && t.status == "WAIT_BUYER_PAY" && !a.config.Now().After(t.ends)
	if can {
		t.status, t.paid = "TRADE_SUCCESS", a.config.Now()
	}
	a.mu.Unlock()
	if can {
		a.Notify(out)
	}
	return can
}

// Notify sends the notice of how a trade stands.
func (a *Alipay) Notify(out string) {
	a.mu.Lock()
	to := a.trades[out].notify
	a.mu.Unlock()
	a.deliver(to, func() ([]byte, http.Header) {
		return []byte(a.Notice(out, nil).Encode()), http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	}, func(_ int, answer string) bool { return answer == "success" })
}

// Notice is the signed notice of how a trade stands, with parameters of the
// test's choice in place of the true ones.
func (a *Alipay) Notice(out string, changed map[string]string) url.Values {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.trades[out]
	now := a.config.Now().In(time.FixedZone("", 8*3600)).Format(time.DateTime)
	p := map[string]string{
		"app_id": a.config.AppID, "seller_id": a.config.SellerID, "charset": "utf-8", "version": "1.0", "notify_type": "trade_status_sync",
		"notify_id": t.no + t.status + decimal(t.refunded), "notify_time": now, "out_trade_no": t.out, "trade_no": t.no, "trade_status": t.status,
		"total_amount": decimal(t.minor), "receipt_amount": decimal(t.minor), "subject": t.subject, "body": "", "gmt_create": now, "buyer_id": "2088102147948060",
	}
	if !t.paid.IsZero() {
		p["gmt_payment"] = now
	}
	if t.refunded > 0 {
		p["refund_fee"], p["gmt_refund"] = decimal(t.refunded), now+".000"
	}
	for k, v := range changed {
		p[k] = v
	}
	var parts []string
	form := url.Values{}
	for k, v := range p {
		parts = append(parts, k+"="+v)
		form.Set(k, v)
	}
	sort.Strings(parts)
	form.Set("sign", a.sign(strings.Join(parts, "&")))
	form.Set("sign_type", "RSA2")
	return form
}

func (a *Alipay) query(w http.ResponseWriter, out string) {
	t := a.trades[out]
	if t == nil {
		a.answer(w, "alipay.trade.query", map[string]any{"code": "40004", "msg": "Business Failed", "sub_code": "ACQ.TRADE_NOT_EXIST", "sub_msg": "no such trade"})
		return
	}
	if t.status == "WAIT_BUYER_PAY" && a.config.Now().After(t.ends) {
		t.status = "TRADE_CLOSED"
	}
	a.answer(w, "alipay.trade.query", map[string]any{
		"code": "10000", "msg": "Success", "out_trade_no": t.out, "trade_no": t.no, "trade_status": t.status, "total_amount": decimal(t.minor),
	})
}

// refund answers the same again to the same out_request_no.
func (a *Alipay) refund(w http.ResponseWriter, text func(string) string) {
	t := a.trades[text("out_trade_no")]
	minor, ok := minorOf(text("refund_amount"))
	request := text("out_request_no")
	fail := func(sub string) {
		a.answer(w, "alipay.trade.refund", map[string]any{"code": "40004", "msg": "Business Failed", "sub_code": sub, "sub_msg": sub})
	}
	changed := "N"
	switch {
	case t == nil:
		fail("ACQ.TRADE_NOT_EXIST")
		return
	case !ok || minor < 1 || request == "":
		fail("ACQ.INVALID_PARAMETER")
		return
	case t.refunds[request] != 0 && t.refunds[request] != minor:
		fail("ACQ.DISCORDANT_REPEAT_REQUEST")
		return
	case t.refunds[request] == 0:
		if t.paid.IsZero() || t.refunded+minor > t.minor {
			fail("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
			return
		}
		t.gaveBack(request, minor, a.config.Now())
		changed = "Y"
		defer func() { go a.Notify(t.out) }()
	}
	a.answer(w, "alipay.trade.refund", map[string]any{
		"code": "10000", "msg": "Success", "out_trade_no": t.out, "trade_no": t.no, "fund_change": changed, "refund_fee": decimal(t.refunded),
	})
}

func (t *trade) gaveBack(request string, minor int64, at time.Time) {
	t.refunds[request], t.refund = minor, at
	t.refunded += minor
	if t.refunded == t.minor {
		t.status = "TRADE_CLOSED"
	}
}

// RefundByMerchant is a refund made in Alipay's own console.
func (a *Alipay) RefundByMerchant(out, request string, minor int64) {
	a.mu.Lock()
	a.trades[out].gaveBack(request, minor, a.config.Now())
	a.mu.Unlock()
	a.Notify(out)
}

// Taken sums what payers paid, less what went back, by out_trade_no.
func (a *Alipay) Taken() map[string]int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := map[string]int64{}
	for out, t := range a.trades {
		if !t.paid.IsZero() {
			taken[out] = t.minor - t.refunded
		}
	}
	return taken
}

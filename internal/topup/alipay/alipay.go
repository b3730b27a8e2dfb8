// Package alipay is the payment channel Alipay page pay
// (alipay.trade.page.pay). It makes signed requests and verifies notices and
// answers, by RSA2: SHA-256 with RSA, PKCS#1 v1.5. It owns no state: what it
// says becomes a topup.Report.
//
// Always true: nothing of a notice or an answer is believed before Alipay's
// signature over it holds; the page that the payer comes back by tells nothing.
package alipay

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
)

// Gateway is the address of Alipay's production gateway.
const Gateway = "https://openapi.alipay.com/gateway.do"

// Config is an application at Alipay.
type Config struct {
	Gateway   string // empty: Alipay's own
	AppID     string
	SellerID  string // the merchant's user ID, which notices must name
	Key       string // our private key: PEM, or its bare base64
	AlipayKey string // Alipay's public key: PEM, or its bare base64
	Notify    string // where notices are sent to
	Return    func(paymentID string) string
	Now       func() time.Time // the real clock, which stamps requests
}

// Channel is Alipay page pay.
type Channel struct {
	config Config
	ours   *rsa.PrivateKey
	theirs *rsa.PublicKey
	client *http.Client
}

// answersWithin bounds one question to the gateway, and longestAnswer its answer.
const (
	answersWithin = 15 * time.Second
	longestAnswer = 256 << 10
)

// New makes the channel, or says which setting is wrong. No message holds a key.
func New(c Config) (*Channel, error) {
	if c.Gateway == "" {
		c.Gateway = Gateway
	}
	if u, err := url.Parse(c.Gateway); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("alipay: the address of the gateway is no URL")
	}
	if c.AppID == "" || c.SellerID == "" {
		return nil, errors.New("alipay: the application's ID and the seller's ID are needed")
	}
	ours, err := privateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("alipay: our private key: %w", err)
	}
	theirs, err := publicKey(c.AlipayKey)
	if err != nil {
		return nil, fmt.Errorf("alipay: Alipay's public key: %w", err)
	}
	if ours.PublicKey.Equal(theirs) {
		return nil, errors.New("alipay: Alipay's public key is needed, not the application's own")
	}
	return &Channel{c, ours, theirs, &http.Client{Timeout: answersWithin}}, nil
}

// Name is alipay.
func (*Channel) Name() topup.Name { return topup.Alipay }

// Takes reports whether the currency is CNY.
func (*Channel) Takes(c money.Currency) bool { return c == money.CNY }

// zone is that of the gateway's timestamps.
var zone = time.FixedZone("", 8*60*60)

// request is a signed call of the gateway.
func (c *Channel) request(method string, content map[string]string, more map[string]string) (url.Values, error) {
	business, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	params := url.Values{
		"app_id": {c.config.AppID}, "method": {method}, "format": {"JSON"}, "charset": {"utf-8"}, "sign_type": {"RSA2"},
		"timestamp": {c.config.Now().In(zone).Format(time.DateTime)}, "version": {"1.0"}, "biz_content": {string(business)},
	}
	for k, v := range more {
		params.Set(k, v)
	}
	signature, err := sign(c.ours, sorted(params, true, "sign"))
	if err != nil {
		return nil, err
	}
	params.Set("sign", signature)
	return params, nil
}

// Open is a signed address. Alipay learns of the payment when the payer
// follows it.
func (c *Channel) Open(_ context.Context, p topup.Payment) (topup.Opened, error) {
	if p.Amount.Currency() != money.CNY {
		return topup.Opened{}, topup.ErrCurrency
	}
	params, err := c.request("alipay.trade.page.pay", map[string]string{
		"out_trade_no": p.ID, "product_code": "FAST_INSTANT_TRADE_PAY", "total_amount": p.Amount.String(),
		"subject": "账户充值 Top-up", "timeout_express": fmt.Sprintf("%dm", int(p.ExpiresAt.Sub(p.CreatedAt).Minutes())),
	}, map[string]string{"notify_url": c.config.Notify, "return_url": c.config.Return(p.ID)})
	if err != nil {
		return topup.Opened{}, fmt.Errorf("sign an order: %w", err)
	}
	return topup.Opened{Session: p.ID, URL: c.config.Gateway + "?" + params.Encode()}, nil
}

// answer is what all answers of the gateway have.
type answer struct {
	Code        string `json:"code"`
	Message     string `json:"msg"`
	SubCode     string `json:"sub_code"`
	SubMessage  string `json:"sub_msg"`
	OutTradeNo  string `json:"out_trade_no"`
	TradeNo     string `json:"trade_no"`
	TradeStatus string `json:"trade_status"`
	TotalAmount string `json:"total_amount"`
	RefundFee   string `json:"refund_fee"` // of all refunds
}

// The codes of answers that we know.
const (
	codeDone     = "10000"
	codeBusiness = "40004"
	noSuchTrade  = "ACQ.TRADE_NOT_EXIST"
	systemError  = "ACQ.SYSTEM_ERROR"
)

// call asks the gateway and verifies its answer.
func (c *Channel) call(ctx context.Context, method string, content map[string]string) (answer, error) {
	params, err := c.request(method, content, nil)
	if err != nil {
		return answer{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.Gateway+"?charset=utf-8", strings.NewReader(params.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
	response, err := c.client.Do(request)
	if err != nil {
		return answer{}, topup.ErrUnavailable.Because(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil || response.StatusCode != http.StatusOK {
		return answer{}, topup.ErrUnavailable.Because(fmt.Errorf("%s answered %s: %w", method, response.Status, errors.Join(err)))
	}
	return c.verified(method, text)
}

// verified reads an answer whose signature is over the bytes of its node.
func (c *Channel) verified(method string, text []byte) (answer, error) {
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(text, &whole); err != nil {
		return answer{}, topup.ErrUnavailable.Because(fmt.Errorf("%s: %w", method, err))
	}
	node := bytes.TrimSpace(whole[strings.ReplaceAll(method, ".", "_")+"_response"])
	var signature string
	if err := json.Unmarshal(whole["sign"], &signature); err != nil || len(node) == 0 {
		return answer{}, topup.ErrUnavailable.Because(fmt.Errorf("%s: the answer is not signed", method))
	}
	if !verify(c.theirs, string(node), signature) {
		return answer{}, topup.ErrUnavailable.Because(fmt.Errorf("%s: the signature of the answer does not hold", method))
	}
	var a answer
	if err := json.Unmarshal(node, &a); err != nil {
		return a, topup.ErrUnavailable.Because(fmt.Errorf("%s: %w", method, err))
	}
	switch {
	case a.Code == codeDone:
		return a, nil
	case a.Code == codeBusiness && a.SubCode != systemError:
		return a, topup.ErrRefused.Says("Alipay refused this: %s %s", a.SubCode, a.SubMessage).With("sub_code", a.SubCode)
	}
	return a, topup.ErrUnavailable.Because(fmt.Errorf("%s: %s %s %s", method, a.Code, a.SubCode, a.SubMessage))
}

// Ask is alipay.trade.query.
func (c *Channel) Ask(ctx context.Context, p topup.Payment) ([]topup.Report, error) {
	a, err := c.call(ctx, "alipay.trade.query", map[string]string{"out_trade_no": p.ID})
	switch {
	case errors.Is(err, topup.ErrRefused) && a.SubCode == noSuchTrade:
		return nil, nil // the payer never followed the address
	case err != nil:
		return nil, err
	case a.OutTradeNo != p.ID:
		return nil, topup.ErrUnavailable.Because(fmt.Errorf("asked of %s, told of %s", p.ID, a.OutTradeNo))
	}
	total, err := money.Parse(a.TotalAmount, money.CNY)
	if err != nil {
		return nil, topup.ErrUnavailable.Because(fmt.Errorf("trade %s has the amount %q", a.TradeNo, a.TotalAmount))
	}
	r := topup.Report{PaymentID: p.ID, Reference: a.TradeNo, Type: a.TradeStatus, Amount: total}
	switch a.TradeStatus {
	case tradeSuccess, tradeFinished:
		r.Outcome = topup.WasPaid
	case tradeClosed:
		r.Outcome = topup.HasExpired
		if p.State.Booked() { // closed after it was paid: all of it went back
			r.Outcome = topup.WasRefunded
		}
	default:
		r.Outcome = topup.IsOpen
	}
	r.Event = strings.Join([]string{"ask", a.TradeNo, string(r.Outcome), a.TotalAmount}, ":")
	return []topup.Report{r}, nil
}

// Refund is alipay.trade.refund, once per the refund's name.
func (c *Channel) Refund(ctx context.Context, p topup.Payment, f topup.Refund) (topup.Report, error) {
	a, err := c.call(ctx, "alipay.trade.refund", map[string]string{
		"out_trade_no": p.ID, "refund_amount": f.Amount.String(), "out_request_no": f.ID, "refund_reason": f.Reason,
	})
	if err != nil {
		return topup.Report{}, err
	}
	all, err := money.Parse(a.RefundFee, money.CNY)
	if err != nil || a.OutTradeNo != p.ID || all.Minor() < f.Amount.Minor() {
		return topup.Report{}, topup.ErrUnavailable.Because(fmt.Errorf("refund %s of %s: told of %s, %q in all", f.ID, p.ID, a.OutTradeNo, a.RefundFee))
	}
	return topup.Report{
		Event: "refund:" + f.ID, Type: "alipay.trade.refund", PaymentID: p.ID, Reference: p.Reference,
		Outcome: topup.WasRefunded, Amount: all,
	}, nil
}

// Reply is the word that Alipay waits for; anything else makes it send the
// notice again, eight times within 25 hours.
func (*Channel) Reply(kept bool) topup.Reply {
	if kept {
		return topup.Reply{Status: http.StatusOK, Body: "success"}
	}
	return topup.Reply{Status: http.StatusBadRequest, Body: "failure"}
}

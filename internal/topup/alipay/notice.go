package alipay

import (
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
)

// The states of a trade.
const (
	tradeWaits    = "WAIT_BUYER_PAY"
	tradeSuccess  = "TRADE_SUCCESS"  // paid
	tradeFinished = "TRADE_FINISHED" // paid, and past being refunded
	tradeClosed   = "TRADE_CLOSED"   // not paid in time, or all of it went back
)

// Read verifies a notice: a form whose parameters are signed, all but sign and
// sign_type. Each parameter stands once.
func (c *Channel) Read(m topup.Message) ([]topup.Report, error) {
	params, err := url.ParseQuery(string(m.Body))
	if err != nil || len(params) == 0 || !utf8.Valid(m.Body) {
		return nil, topup.ErrForged.Because(errors.New("no form"))
	}
	for _, values := range params {
		if len(values) != 1 || !utf8.ValidString(values[0]) || strings.ContainsRune(values[0], 0) {
			return nil, topup.ErrForged.Because(errors.New("a parameter stands twice or is no text"))
		}
	}
	signature := params.Get("sign")
	whole := sorted(params, false, "sign", "sign_type")
	if params.Get("sign_type") != "RSA2" || !verify(c.theirs, whole, signature) && !verify(c.theirs, sorted(params, true, "sign", "sign_type"), signature) {
		return nil, topup.ErrForged
	}
	return c.reports(params)
}

// reports says what a verified notice is about: that a trade was paid, and
// what went back of it.
func (c *Channel) reports(params url.Values) ([]topup.Report, error) {
	status, total := params.Get("trade_status"), params.Get("total_amount")
	refunded := params.Get("refund_fee")
	base := topup.Report{Type: status, PaymentID: params.Get("out_trade_no"), Reference: params.Get("trade_no")}
	if params.Get("app_id") != c.config.AppID || params.Get("seller_id") != c.config.SellerID {
		base.Odd = topup.ReasonMerchant
	}
	if base.PaymentID == "" || base.Reference == "" {
		return nil, topup.ErrUnreadable
	}
	report := func(o topup.Outcome, amount string) (topup.Report, error) {
		r, err := base, error(nil)
		r.Outcome = o
		if r.Amount, err = money.Parse(amount, money.CNY); err != nil {
			return r, topup.ErrUnreadable.Because(err)
		}
		r.Event = strings.Join([]string{r.Reference, r.PaymentID, status, string(o), amount, params.Get("app_id"), params.Get("seller_id")}, ":")
		return r, nil
	}
	var list []topup.Report
	add := func(o topup.Outcome, amount string) error {
		r, err := report(o, amount)
		list = append(list, r)
		return err
	}
	var err error
	switch {
	case status == tradeSuccess || status == tradeFinished:
		err = add(topup.WasPaid, total)
	case status == tradeClosed && refunded == "" && params.Get("gmt_refund") == "":
		err = add(topup.HasExpired, total)
	case status != tradeClosed && status != tradeWaits:
		return nil, topup.ErrUnreadable
	}
	if err == nil && refunded != "" {
		err = add(topup.WasRefunded, refunded)
	}
	if err == nil && refunded == "" && status == tradeClosed && params.Get("gmt_refund") != "" {
		err = add(topup.WasRefunded, total)
	}
	return list, err
}

package alibaba

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// instance is what a buyer has.
type instance struct {
	BizID     string    `json:"biz_id"`    // the market's own
	VendorID  string    `json:"vendor_id"` // what the vendor answered; empty until then
	Order     string    `json:"order"`
	AliUid    string    `json:"ali_uid"`
	Product   string    `json:"product"`
	SKU       string    `json:"sku"`
	Trial     bool      `json:"trial"`
	Status    string    `json:"status"` // OPENING, OPENED, EXPIRED, CLOSED
	OrderIs   string    `json:"order_is"`
	PaidIs    string    `json:"paid_is"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"` // zero for never
	Renewed   int       `json:"renewed"`    // months, of the latest renewal
	AuthURL   string    `json:"auth_url"`   // for the login-free entry
	Site      string    `json:"site"`       // the vendor's front page
}

func (s *Sim) instance(id string) *instance {
	for _, i := range s.market.Instances {
		if i.BizID == id {
			return i
		}
	}
	return nil
}

func (s *Sim) product(code string) *Product {
	for i := range s.market.Products {
		if s.market.Products[i].Code == code {
			return &s.market.Products[i]
		}
	}
	return nil
}

var uid = regexp.MustCompile(`^[1-9][0-9]{9,17}$`)

const mostInstances = 100_000

// Act does what a button does, by its name, and gives what came of it.
func (s *Sim) Act(action string, args map[string]string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	if action == "open" {
		return s.open(args)
	}
	i := s.instance(args["instance"])
	switch {
	case i == nil:
		return nil, fmt.Errorf("there is no instance %q", args["instance"])
	case action == "enter":
		return map[string]string{"url": s.entry(i)}, nil
	case i.Status == "CLOSED":
		return nil, fmt.Errorf("this instance is closed")
	case i.Status == "OPENING" && action != "release" && action != "unsubscribe":
		return nil, fmt.Errorf("this instance is being opened: the vendor has not answered yet")
	}
	work := map[string]func(*instance, map[string]string) error{
		"renew": s.renew, "refund_renewal": s.refundRenewal, "upgrade": s.upgrade, "expire": s.expire, "release": s.release, "unsubscribe": s.unsubscribe,
	}[action]
	if work == nil {
		return nil, fmt.Errorf("action %q: choose of open, enter, renew, refund_renewal, upgrade, expire, release, unsubscribe", action)
	}
	if err := work(i, args); err != nil {
		return nil, err
	}
	return map[string]string{"instance": i.BizID, "order": i.Order, "status": i.Status}, nil
}

// open is a purchase: an order that is paid, and an instance that the vendor
// opens.
func (s *Sim) open(args map[string]string) (map[string]string, error) {
	code := args["product"]
	if code == "" && len(s.market.Products) > 0 {
		code = s.market.Products[0].Code
	}
	months, err := strconv.Atoi(orElse(args["months"], "12"))
	p := s.product(code)
	switch {
	case p == nil:
		return nil, fmt.Errorf("there is no product %q", code)
	case !uid.MatchString(args["ali_uid"]):
		return nil, fmt.Errorf("an account UID has 10 to 18 digits")
	case err != nil || months < 0 || months > 36:
		return nil, fmt.Errorf("months is 0 (for no end) to 36")
	case len(s.market.Instances) >= mostInstances:
		return nil, fmt.Errorf("there are %d instances; reset the simulator", mostInstances)
	}
	i := &instance{
		BizID: s.stage.Digits(8), Order: s.stage.Digits(15), AliUid: args["ali_uid"], Product: p.Code, SKU: p.SKU, Trial: args["trial"] == "true",
		Status: "OPENING", OrderIs: "NORMAL", PaidIs: "PAID", CreatedAt: s.stage.Now(),
	}
	if months > 0 {
		i.ExpiresAt = i.CreatedAt.AddDate(0, months, 0)
	}
	s.market.Instances = append(s.market.Instances, i)
	params := map[string]string{
		"aliUid": i.AliUid, "orderBizId": i.BizID, "orderId": i.Order, "productCode": i.Product, "skuId": i.SKU, "trial": strconv.FormatBool(i.Trial),
		"AccountQuantity": "1",
	}
	if months > 0 {
		params["expiredOn"] = s.text(i.ExpiresAt)
	}
	s.tell(i, "createInstance", params, mostCreates)
	if s.market.Switches.OrderPay {
		s.tell(i, "orderPay", map[string]string{
			"requestId": s.stage.UUID(), "aliUid": i.AliUid, "orderBizId": i.BizID, "orderId": i.Order, "productCode": i.Product, "skuId": i.SKU,
		}, mostOrderPays)
	}
	return map[string]string{"instance": i.BizID, "order": i.Order, "ali_uid": i.AliUid}, nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (s *Sim) text(at time.Time) string { return at.In(s.zone()).Format(time.DateTime) }

func (s *Sim) renew(i *instance, args map[string]string) error {
	months, err := strconv.Atoi(orElse(args["months"], "12"))
	if err != nil || months < 1 || months > 36 {
		return fmt.Errorf("months is 1 to 36")
	}
	if i.ExpiresAt.IsZero() {
		return fmt.Errorf("this instance has no end")
	}
	from := i.ExpiresAt
	if now := s.stage.Now(); now.After(from) {
		from = now
	}
	i.ExpiresAt, i.Renewed, i.Status = from.AddDate(0, months, 0), months, "OPENED"
	s.tell(i, "renewInstance", map[string]string{"orderId": s.stage.Digits(15), "expiredOn": s.text(i.ExpiresAt)}, mostOthers)
	return nil
}

func (s *Sim) refundRenewal(i *instance, _ map[string]string) error {
	if i.Renewed == 0 {
		return fmt.Errorf("there is no renewal to refund")
	}
	i.ExpiresAt, i.Renewed = i.ExpiresAt.AddDate(0, -i.Renewed, 0), 0
	s.tell(i, "refundRenewInstance", map[string]string{"expiredOn": s.text(i.ExpiresAt)}, mostOthers)
	return nil
}

func (s *Sim) upgrade(i *instance, args map[string]string) error {
	i.SKU = orElse(args["sku"], i.SKU+"-large")
	s.tell(i, "upgradeInstance", map[string]string{"skuId": i.SKU, "orderId": s.stage.Digits(15), "AccountQuantity": "2"}, mostOthers)
	return nil
}

func (s *Sim) expire(i *instance, _ map[string]string) error {
	if i.Status == "EXPIRED" {
		return fmt.Errorf("this instance has expired already")
	}
	i.Status, i.ExpiresAt = "EXPIRED", s.stage.Now()
	s.tell(i, "expiredInstance", nil, mostOthers)
	return nil
}

func (s *Sim) release(i *instance, _ map[string]string) error {
	i.Status = "CLOSED"
	s.tell(i, "releaseInstance", map[string]string{"isRefund": "false"}, mostOthers)
	return nil
}

// unsubscribe gives the money back: the order is no longer a normal one.
func (s *Sim) unsubscribe(i *instance, _ map[string]string) error {
	i.Status, i.OrderIs, i.PaidIs = "CLOSED", "REFUND", "REFUND"
	s.tell(i, "releaseInstance", map[string]string{"isRefund": "true", "orderId": s.stage.Digits(15)}, mostOthers)
	return nil
}

// tick does what the clock has made due.
func (s *Sim) tick() {
	now := s.stage.Now()
	for _, i := range s.market.Instances {
		if i.Status == "OPENED" && !i.ExpiresAt.IsZero() && !now.Before(i.ExpiresAt) {
			i.Status = "EXPIRED"
			s.tell(i, "expiredInstance", nil, mostOthers)
		}
	}
}

// How often the cloud tries. Of the calls that are not createInstance and
// orderPay nothing is documented.
const (
	mostCreates   = 120
	mostOrderPays = 12
	mostOthers    = 12
)

func (s *Sim) tell(i *instance, action string, params map[string]string, most int) {
	all := map[string]string{"action": action}
	for k, v := range params {
		all[k] = v
	}
	if s.market.Switches.ExtraParams {
		all["channelSource"] = "simulated & undocumented"
	}
	s.stage.Tell(stage.Callback{Cloud: Cloud, Kind: action, Subject: i.BizID, Params: all, Most: most})
}

package huawei

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// instance is what a buyer has.
type instance struct {
	Key       string    `json:"key"` // the simulator's own, for its pages
	ID        string    `json:"id"`  // what the vendor answered; empty until then
	Order     string    `json:"order"`
	Line      string    `json:"line"`
	Product   string    `json:"product"`
	SKU       string    `json:"sku"`
	Mode      string    `json:"mode"`
	First     bool      `json:"first_generation"`
	Customer  string    `json:"customer"`
	Linear    int       `json:"linear"`
	Trial     bool      `json:"trial"`
	Status    string    `json:"status"` // WAITING, PROVISIONING, ACTIVE, FROZEN, RELEASED
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"` // zero for never
	ClosedAt  time.Time `json:"closed_at"`
	Renewed   int       `json:"renewed"` // months, of the latest renewal
	Site      string    `json:"site"`    // the vendor's front page
	User      string    `json:"user"`    // of the first generation: what was decrypted
}

var (
	customerID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	small      = regexp.MustCompile(`^[1-9][0-9]{0,3}$`)
)

const mostInstances = 100_000

// Act does what a button does, by its name, and gives what came of it.
func (s *Sim) Act(action string, args map[string]string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	switch action {
	case "buy":
		return s.buy(args)
	case "foreign":
		return s.foreign(args)
	case "probe":
		return s.probe()
	}
	i := s.instance(args["instance"])
	switch {
	case i == nil:
		return nil, fmt.Errorf("there is no instance %q", args["instance"])
	case i.Status == "RELEASED":
		return nil, fmt.Errorf("this instance is released")
	case i.ID == "":
		return nil, fmt.Errorf("the vendor has not made this instance yet")
	}
	work := map[string]func(*instance, map[string]string) error{
		"renew": s.renew, "refund_renewal": s.refundRenewal, "to_formal": s.toFormal, "upgrade": s.upgrade, "freeze": s.freeze, "unfreeze": s.unfreeze,
		"expire": s.expire, "release": s.release, "unsubscribe": s.unsubscribe, "query": s.query, "notify": s.notify,
	}[action]
	if work == nil {
		return nil, fmt.Errorf("action %q: choose of buy, foreign, probe, renew, refund_renewal, to_formal, upgrade, freeze, unfreeze, expire, release, unsubscribe, query, notify", action)
	}
	if err := work(i, args); err != nil {
		return nil, err
	}
	return map[string]string{"key": i.Key, "instance": i.ID, "order": i.Order, "status": i.Status}, nil
}

// buy is a purchase: an order, and an instance that the vendor makes. A card is
// an instance, too.
func (s *Sim) buy(args map[string]string) (map[string]string, error) {
	id := args["product"]
	if id == "" && len(s.market.Products) > 0 {
		id = s.market.Products[0].ID
	}
	quantity := orElse(args["quantity"], "1")
	p := s.product(id)
	switch {
	case p == nil:
		return nil, fmt.Errorf("there is no product %q", id)
	case !customerID.MatchString(args["customer"]):
		return nil, fmt.Errorf("an account ID has 32 hexadecimal digits")
	case !small.MatchString(quantity):
		return nil, fmt.Errorf("the quantity is 1 to 9999")
	case len(s.market.Instances) >= mostInstances:
		return nil, fmt.Errorf("there are %d instances; reset the simulator", mostInstances)
	}
	linear, err := strconv.Atoi(quantity)
	if err != nil {
		return nil, err
	}
	trial := args["trial"] == "true" && p.Mode == "PERIOD"
	i := &instance{
		Key: "r-" + s.stage.Name(10), Product: p.ID, SKU: p.SKU, Mode: p.Mode, First: p.First, Customer: args["customer"], Linear: linear, Trial: trial,
		Status: "WAITING", CreatedAt: s.stage.Now(),
	}
	kind, months := "NEW", 12
	if trial {
		kind, months = "TRIAL", 1
	}
	if p.Mode == "PERIOD" || p.Mode == "ON_DEMAND_PKG" {
		i.ExpiresAt = i.CreatedAt.AddDate(0, months, 0)
	} else {
		months = 0
	}
	o := s.place(i, kind, months)
	i.Order, i.Line = o.ID, o.Line
	s.market.Instances = append(s.market.Instances, i)
	s.tell(i, "newInstance", map[string]string{"orderId": o.ID, "orderLineId": o.Line}, mostHours*60)
	return map[string]string{"key": i.Key, "order": o.ID, "order_line": o.Line, "customer": i.Customer}, nil
}

// place makes an order about an instance.
func (s *Sim) place(i *instance, kind string, months int) *order {
	id := "CS" + s.stage.Now().Format("0601021504") + s.stage.Name(5)
	o := &order{
		ID: id, Line: id + "-000001", Type: kind, CreatedAt: s.stage.Now(), Mode: i.Mode, Periods: months, ExpiresAt: i.ExpiresAt, Product: i.Product,
		SKU: i.SKU, Linear: i.Linear, Customer: i.Customer,
	}
	if p := s.product(i.Product); p != nil {
		o.Title = p.Title
	}
	s.market.Orders = append(s.market.Orders, o)
	return o
}

// foreign is an order of another seller's product: to ask for it is not
// allowed.
func (s *Sim) foreign(args map[string]string) (map[string]string, error) {
	o := s.place(&instance{Mode: "ONE_TIME", Product: "foreign", SKU: "foreign", Linear: 1, Customer: orElse(args["customer"], mockCustomer)}, "NEW", 0)
	o.Foreign = true
	return map[string]string{"order": o.ID}, nil
}

// probe is what the cloud does twice a day: it calls with testFlag, and nothing
// real may change.
func (s *Sim) probe() (map[string]string, error) {
	for _, first := range []bool{false, true} {
		if first && s.config.CallbackV1 == "" || !first && s.config.Callback == "" {
			continue
		}
		params := map[string]string{"orderId": "MOCKPERIODYEARNEW", "orderLineId": "MOCKPERIODYEARNEW-000001", "testFlag": "1"}
		generation := "2"
		if first {
			generation = "1"
		}
		s.stage.Tell(stage.Callback{Cloud: Cloud, Kind: "newInstance", Subject: "probe", Params: merge(params, map[string]string{"activity": "newInstance", generationKey: generation}), Most: 1})
	}
	return map[string]string{}, nil
}

func merge(one, two map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{one, two} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func (s *Sim) refresh(i *instance, scene string, o *order) {
	expires := stamp(i.ExpiresAt)
	if s.market.Switches.ExpireMillis {
		expires += "000"
	}
	s.tell(i, "refreshInstance", map[string]string{
		"scene": scene, "orderId": o.ID, "orderLineId": o.Line, "instanceId": i.ID, "productId": i.Product, "expireTime": expires,
	}, mostRefreshes)
}

func months(args map[string]string) (int, error) {
	n, err := strconv.Atoi(orElse(args["months"], "12"))
	if err != nil || n < 1 || n > 36 {
		return 0, fmt.Errorf("months is 1 to 36")
	}
	return n, nil
}

func (s *Sim) renew(i *instance, args map[string]string) error {
	n, err := months(args)
	if err != nil {
		return err
	}
	if i.ExpiresAt.IsZero() {
		return fmt.Errorf("this instance has no end")
	}
	i.ExpiresAt, i.Renewed = i.ExpiresAt.AddDate(0, n, 0), n
	s.refresh(i, "RENEWAL", s.place(i, "RENEW", n))
	return nil
}

func (s *Sim) refundRenewal(i *instance, _ map[string]string) error {
	if i.Renewed == 0 {
		return fmt.Errorf("there is no renewal to refund")
	}
	i.ExpiresAt, i.Renewed = i.ExpiresAt.AddDate(0, -i.Renewed, 0), 0
	s.refresh(i, "UNSUBSCRIBE_RENEWAL_PERIOD", s.place(i, "UNSUBSCRIBE", 0))
	return nil
}

func (s *Sim) toFormal(i *instance, args map[string]string) error {
	n, err := months(args)
	if err != nil {
		return err
	}
	if !i.Trial {
		return fmt.Errorf("this instance is no trial")
	}
	i.Trial, i.ExpiresAt = false, s.stage.Now().AddDate(0, n, 0)
	s.refresh(i, "TRIAL_TO_FORMAL", s.place(i, "TRIAL_TO_FORMAL", n))
	return nil
}

func (s *Sim) upgrade(i *instance, args map[string]string) error {
	i.SKU = orElse(args["sku"], i.SKU+"-large")
	o := s.place(i, "CHANGE", 0)
	s.tell(i, "upgradeInstance", map[string]string{"instanceId": i.ID, "orderId": o.ID, "orderLineId": o.Line}, mostHours*60)
	return nil
}

func (s *Sim) freeze(i *instance, _ map[string]string) error {
	if i.Status == "FROZEN" {
		return fmt.Errorf("this instance is frozen already")
	}
	i.Status = "FROZEN"
	s.tell(i, "updateInstanceStatus", map[string]string{"instanceId": i.ID, "status": "FREEZE"}, mostEnds)
	return nil
}

func (s *Sim) unfreeze(i *instance, _ map[string]string) error {
	if i.Status != "FROZEN" {
		return fmt.Errorf("this instance is not frozen")
	}
	i.Status = "ACTIVE"
	s.tell(i, "updateInstanceStatus", map[string]string{"instanceId": i.ID, "status": "UNFREEZE"}, mostEnds)
	return nil
}

// expire has a call of its own in the first generation; the second freezes.
func (s *Sim) expire(i *instance, args map[string]string) error {
	i.ExpiresAt = s.stage.Now()
	if !i.First {
		return s.freeze(i, args)
	}
	i.Status = "FROZEN"
	s.tell(i, "expireInstance", map[string]string{"instanceId": i.ID, "orderId": i.Order, "orderLineId": i.Line}, mostEnds)
	return nil
}

func (s *Sim) release(i *instance, _ map[string]string) error {
	i.Status, i.ClosedAt = "RELEASED", s.stage.Now()
	s.tell(i, "releaseInstance", map[string]string{"instanceId": i.ID}, mostEnds)
	return nil
}

// unsubscribe gives the money back: the release carries an order of its own.
func (s *Sim) unsubscribe(i *instance, _ map[string]string) error {
	o := s.place(i, "UNSUBSCRIBE", 0)
	i.Status, i.ClosedAt = "RELEASED", s.stage.Now()
	s.tell(i, "releaseInstance", map[string]string{"instanceId": i.ID, "orderId": o.ID, "orderLineId": o.Line}, mostEnds)
	return nil
}

func (s *Sim) query(i *instance, _ map[string]string) error {
	s.tell(i, "queryInstance", map[string]string{"instanceId": i.ID}, mostQueries)
	return nil
}

func (s *Sim) notify(i *instance, _ map[string]string) error {
	s.tell(i, "orderNotify", map[string]string{"orderId": i.Order, "orderLineId": i.Line}, mostEnds)
	return nil
}

// tick does what the clock has made due.
func (s *Sim) tick() {
	now := s.stage.Now()
	for _, i := range s.market.Instances {
		if i.Status == "ACTIVE" && !i.ExpiresAt.IsZero() && !now.Before(i.ExpiresAt) {
			at := i.ExpiresAt
			if err := s.expire(i, nil); err == nil {
				i.ExpiresAt = at
			}
		}
	}
}

// How often the cloud tries: to make and to upgrade for about three hours, to
// end for one, to refresh possibly once. The gaps between are the simulator's.
const (
	mostHours     = 3
	mostEnds      = 60
	mostRefreshes = 3
	mostQueries   = 60
)

// generationKey is the parameter by which a callback remembers how it is
// signed; it is not sent.
const generationKey = "generation"

func (s *Sim) tell(i *instance, activity string, params map[string]string, most int) {
	generation := "2"
	if i.First {
		generation = "1"
		activity = orElse(map[string]string{"upgradeInstance": "upgrade", "updateInstanceStatus": "instanceStatus"}[activity], activity)
	}
	if i.First && activity == "newInstance" {
		params = merge(params, s.buyer(i))
	}
	s.stage.Tell(stage.Callback{Cloud: Cloud, Kind: activity, Subject: i.Key, Params: merge(params, map[string]string{"activity": activity, generationKey: generation}), Most: most})
}

// buyer is what the first generation says within the call; phone and address
// are encrypted.
func (s *Sim) buyer(i *instance) map[string]string {
	kind := s.market.Switches.Cipher
	said := map[string]string{
		"customerId": i.Customer, "customerName": "buyer-" + i.Customer[:6], "userId": i.Customer[:16], "userName": "buyer", "skuCode": i.SKU, "productId": i.Product,
		"chargingMode": map[string]string{"ON_DEMAND": "0", "PERIOD": "1", "ONE_TIME": "3"}[i.Mode], "trialFlag": "0", "amount": strconv.Itoa(i.Linear),
		"mobilePhone": encrypt("13800000000", s.config.Key, s.stage.Name(16), kind), "email": encrypt("buyer@example.com", s.config.Key, s.stage.Name(16), kind),
	}
	if !i.ExpiresAt.IsZero() {
		said["expireTime"], said["periodType"], said["periodNumber"] = stamp(i.ExpiresAt), "month", "12"
	}
	return said
}

package huawei

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
)

// The activities (reference 3.2 and 3.3).
const (
	Create      = "newInstance"
	QueryState  = "queryInstance"
	Refresh     = "refreshInstance"
	UpdateState = "updateInstanceStatus"
	ExpireV1    = "expireInstance"
	StateV1     = "instanceStatus"
	Release     = "releaseInstance"
	Upgrade     = "upgradeInstance"
	UpgradeV1   = "upgrade"
	OrderNotify = "orderNotify"
)

// The codes of answers.
const (
	codeDone       = "000000"
	codeAuth       = "000001"
	codeParameters = "000002"
	codeUnknown    = "000003"
	codeOther      = "000005"
)

// Call is a call of KooGallery whose signature holds. The account and the
// product of a new instance are for its order to tell.
type Call struct {
	Activity  string
	Instances []string // that it concerns
	Order     string
	Line      string
	Business  string // names this call; it differs on each repetition
	Nonce     string
	Test      bool // a probe: answered, and nothing done
	Resorted  bool // the signature held over the sorted body alone, which the log says
	Event     marketplace.Event
	v1        bool
}

// fields are those of all activities.
type fields struct {
	Activity   string `json:"activity"`
	OrderID    string `json:"orderId"`
	LineID     string `json:"orderLineId"`
	BusinessID string `json:"businessId"`
	InstanceID string `json:"instanceId"`
	ProductID  string `json:"productId"`
	Scene      string `json:"scene"`
	ExpireTime string `json:"expireTime"`
	Status     string `json:"status"`
	CustomerID string `json:"customerId"` // first generation only
	TestFlag   string `json:"testFlag"`
}

// ReadV2 verifies and reads a call of the second generation.
func (m *Market) ReadV2(query url.Values, body []byte, at time.Time) (Call, error) {
	holds, resorted := signedV2(m.config.Key, query, body)
	if !holds {
		return Call{}, marketplace.ErrSignature
	}
	signedAt, err := millisecondsOf(query.Get("timestamp"))
	if err != nil {
		return Call{}, err
	}
	if !marketplace.Within(at, signedAt, marketplace.Skew) {
		return Call{}, marketplace.ErrSkewed
	}
	var f fields
	if err := json.Unmarshal(body, &f); err != nil {
		return Call{}, marketplace.ErrFields.Because(err)
	}
	c, err := read(f, signedAt, body)
	c.Nonce, c.Resorted = query.Get("nonce"), resorted
	if err == nil && c.Nonce == "" {
		err = marketplace.ErrFields.On("nonce")
	}
	return c, err
}

// millisecondsOf reads the instant of a signature; one page of the documents
// counts seconds.
func millisecondsOf(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}, marketplace.ErrFields.On("timestamp")
	}
	if len(text) <= 10 {
		return time.Unix(n, 0).UTC(), nil
	}
	return time.UnixMilli(n).UTC(), nil
}

// ErrFirstGeneration is a call of the first generation where they are not taken.
var ErrFirstGeneration = marketplace.ErrAction.On("authToken")

// ReadV1 verifies and reads a call of the first generation.
func (m *Market) ReadV1(query url.Values, at time.Time) (Call, error) {
	if !m.config.V1 {
		return Call{v1: true}, ErrFirstGeneration
	}
	if !signedV1(m.config.Key, query) {
		return Call{v1: true}, marketplace.ErrSignature
	}
	signedAt, err := instant(query.Get("timeStamp"))
	if err != nil {
		return Call{v1: true}, marketplace.ErrFields.On("timeStamp")
	}
	if !marketplace.Within(at, signedAt, marketplace.Skew) {
		return Call{v1: true}, marketplace.ErrSkewed
	}
	var f fields
	for name, to := range map[string]*string{
		"activity": &f.Activity, "orderId": &f.OrderID, "orderLineId": &f.LineID, "businessId": &f.BusinessID, "instanceId": &f.InstanceID,
		"productId": &f.ProductID, "scene": &f.Scene, "expireTime": &f.ExpireTime, "instanceStatus": &f.Status, "customerId": &f.CustomerID, "testFlag": &f.TestFlag,
	} {
		*to = query.Get(name)
	}
	switch f.Activity {
	case UpgradeV1:
		f.Activity = Upgrade
	case StateV1:
		f.Activity = UpdateState
	case ExpireV1: // the second generation says it by freezing
		f.Activity, f.Status = UpdateState, "FREEZE"
	}
	raw, err := json.Marshal(f) // the buyer's name and telephone stay out
	if err != nil {
		return Call{v1: true}, err
	}
	c, err := read(f, signedAt, raw)
	c.v1, c.Nonce = true, query.Get("authToken")
	return c, err
}

// read is what a call says, signed at an instant.
func read(f fields, at time.Time, raw []byte) (Call, error) {
	c := Call{Activity: f.Activity, Order: f.OrderID, Line: f.LineID, Business: f.BusinessID, Test: f.TestFlag == "1"}
	if f.InstanceID != "" {
		c.Instances = strings.Split(f.InstanceID, ",")
	}
	e := marketplace.Event{
		Cloud: site.Huawei, Account: f.CustomerID, Instance: f.InstanceID, Product: f.ProductID, Order: f.OrderID, At: at, Test: c.Test, Raw: raw,
	}
	var err error
	switch f.Activity {
	case Create, OrderNotify:
		if f.OrderID == "" || f.LineID == "" || f.Activity == Create && f.BusinessID == "" {
			return c, marketplace.ErrFields.On("orderId")
		}
		c.Instances = []string{InstanceOf(f.OrderID, f.LineID)}
		c.Test = c.Test || mock(f.OrderID)
		e.Test, e.Instance, e.ID = c.Test, c.Instances[0], strings.Join([]string{Create, f.OrderID, f.LineID}, ":")
		if c.Test { // it must not stand in for the call that it tries
			e.ID = "test:" + e.ID
		}
		if f.Activity == Create {
			e.Kind = marketplace.Purchased
		}
	case QueryState:
		if len(c.Instances) == 0 || len(c.Instances) > mostInstances {
			return c, marketplace.ErrFields.On("instanceId")
		}
		return c, nil
	case Refresh:
		e.Kind = marketplace.Renewed
		e.ExpiresAt, err = instant(f.ExpireTime)
		e.ID = strings.Join([]string{f.Activity, f.InstanceID, f.OrderID, f.LineID, f.Scene, f.ExpireTime}, ":")
	case UpdateState:
		switch f.Status {
		case "FREEZE":
			e.Kind = marketplace.Froze
		case "UNFREEZE":
			e.Kind = marketplace.Thawed
		default:
			return c, marketplace.ErrFields.On("status")
		}
		// the same word again, later, may be another freeze: it is told apart by
		// when it was signed, and a repetition of it changes nothing
		e.ID = strings.Join([]string{f.Activity, f.InstanceID, f.Status, at.Format(time.RFC3339Nano)}, ":")
	case Release:
		e.Kind, e.Refunded = marketplace.Released, f.OrderID != ""
		e.ID = strings.Join([]string{f.Activity, f.InstanceID}, ":")
	case Upgrade:
		e.Kind, e.ID = marketplace.Changed, strings.Join([]string{f.Activity, f.InstanceID, f.OrderID, f.LineID}, ":")
	default:
		return c, marketplace.ErrAction.On("activity")
	}
	c.Event = e
	if err == nil && e.Kind != "" && e.Instance == "" {
		err = marketplace.ErrFields.On("instanceId")
	}
	return c, err
}

// InstanceOf is what an instance is called here: the same for each repetition
// of the call that makes it, whose own name differs every time.
func InstanceOf(order, line string) string {
	name := line
	if !strings.HasPrefix(line, order) {
		name = order + "-" + line
	}
	if len(name) > longestInstance {
		name = sum([]byte(name))[:longestInstance]
	}
	return name
}

const longestInstance = 64

// mock reports whether the order is one of those that KooGallery serves for
// tests.
func mock(order string) bool { return strings.HasPrefix(order, "MOCK") }

// mostInstances bounds one question about instances.
const mostInstances = 100

// instant reads the times of the calls: to the second, with milliseconds
// behind it in some samples.
func instant(text string) (time.Time, error) {
	const seconds = "20060102150405"
	if len(text) > len(seconds) {
		text = text[:len(seconds)] + "." + text[len(seconds):]
	}
	at, err := time.ParseInLocation(seconds+".999", text, time.UTC)
	if err != nil {
		at, err = time.ParseInLocation(seconds, text, time.UTC)
	}
	if err != nil {
		return time.Time{}, marketplace.ErrFields.On("expireTime")
	}
	return at.UTC(), nil
}

package alibaba

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/marketplace"
)

// The actions of the marketplace's calls (reference 2.2).
const (
	Create        = "createInstance"
	Renew         = "renewInstance"
	RefundRenewal = "refundRenewInstance"
	Upgrade       = "upgradeInstance"
	Expire        = "expiredInstance"
	Release       = "releaseInstance"
	SignIn        = "verify"
	OrderPaid     = "orderPay"
	Domain        = "bindDomain"
)

// Call is a call of the marketplace whose token holds.
type Call struct {
	Action   string
	Account  string // the buyer's UID; only of purchases
	Instance string
	Event    marketplace.Event // Kind is empty where nothing happened
	SignedAt time.Time         // of a sign-in
	Nonce    string            // of a sign-in, which counts once
}

// instants of the marketplace have no zone; its own is the one it means.
const layout = "2006-01-02 15:04:05"

// signInAge is how old the address of a sign-in may be.
const signInAge = 5 * time.Minute

// Read verifies a call and reads it. What the marketplace adds to its calls
// from time to time is signed like the rest and passed over.
func (m *Market) Read(query url.Values, at time.Time) (Call, error) {
	if !signed(query, m.config.Key) {
		return Call{Action: query.Get("action")}, marketplace.ErrSignature
	}
	c := Call{Action: query.Get("action"), Account: query.Get("aliUid"), Instance: query.Get("instanceId")}
	c.Event = marketplace.Event{
		Cloud: m.config.Method, Account: c.Account, Product: query.Get("productCode"), Order: query.Get("orderId"), At: at, Raw: raw(query),
	}
	err := m.read(query, &c, at)
	c.Event.Instance = c.Instance
	return c, err
}

func (m *Market) read(query url.Values, c *Call, at time.Time) (err error) {
	switch c.Action {
	case Create, OrderPaid:
		c.Instance = query.Get("orderBizId")
		c.Event.Kind, c.Event.ID = marketplace.Purchased, Create+":"+c.Instance
		if c.Account == "" {
			return marketplace.ErrFields.On("aliUid")
		}
		if err := m.ours(c.Event.Product); err != nil {
			return err
		}
		c.Event.ExpiresAt, err = m.instant(query, "expiredOn", false)
		if c.Action == OrderPaid { // a notice beside the purchase itself, which says when it ends
			c.Event.Kind, c.Event.ID = "", OrderPaid+":"+query.Get("requestId")
		}
	case Renew, RefundRenewal:
		c.Event.Kind = marketplace.Renewed
		c.Event.ExpiresAt, err = m.instant(query, "expiredOn", true)
		c.Event.ID = c.Action + ":" + c.Instance + ":" + c.Event.Order + ":" + query.Get("expiredOn")
	case Upgrade:
		c.Event.Kind, c.Event.ID = marketplace.Changed, Upgrade+":"+c.Instance+":"+c.Event.Order
	case Expire:
		c.Event.Kind, c.Event.ID = marketplace.Expired, Expire+":"+c.Instance
	case Release:
		c.Event.Kind, c.Event.ID = marketplace.Released, Release+":"+c.Instance
		if c.Event.Refunded = query.Get("isRefund") == "true"; c.Event.Refunded {
			c.Event.Kind = marketplace.Cancelled // the buyer gave it back (domain C-14)
		}
	case SignIn:
		c.Nonce = query.Get(tokenParameter)
		c.SignedAt, err = m.instant(query, "timeStamp", true)
		if err == nil && !marketplace.Within(at, c.SignedAt, signInAge) {
			err = marketplace.ErrSkewed
		}
	case Domain: // of products that this is none of
		return nil
	default:
		return marketplace.ErrAction.On("action")
	}
	if err == nil && c.Instance == "" {
		err = marketplace.ErrFields.On("instanceId")
	}
	return err
}

func (m *Market) instant(query url.Values, name string, needed bool) (time.Time, error) {
	text := query.Get(name)
	if text == "" && !needed {
		return time.Time{}, nil
	}
	at, err := time.ParseInLocation(layout, text, m.config.Zone)
	if err != nil {
		return time.Time{}, marketplace.ErrFields.On(name)
	}
	return at.UTC(), nil
}

// raw is what is kept of a call: its parameters without the token, by which it
// could be sent again.
func raw(query url.Values) []byte {
	kept := make(map[string]string, len(query))
	for name := range query {
		if name != tokenParameter {
			kept[name] = query.Get(name)
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil // no map of texts fails
	}
	return text
}

// Again is the same event at another time of the subscription's life: the
// marketplace's word that an instance has expired names no instant, so the
// expiry that it is of tells one such word from the next.
func (c Call) Again(expiresAt time.Time) marketplace.Event {
	e := c.Event
	if c.Action == Expire && !expiresAt.IsZero() {
		e.ID += ":" + expiresAt.UTC().Format(time.RFC3339)
	}
	return e
}

// Reply is the answer to a call.
type Reply struct {
	Status int
	Body   []byte
}

// problem is what the body says of a call that was not taken, beside what the
// documents ask for.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// App is where the buyer finds the product, and where the marketplace sends a
// buyer who is to be let in without signing in.
type App struct {
	FrontEndURL string `json:"frontEndUrl"`
	AuthURL     string `json:"authUrl"`
}

// Answer is what the marketplace's documents ask for, per action. why is nil
// for a call that was taken.
func (c Call) Answer(status int, why *problem, app App) Reply {
	var body any
	switch {
	case c.Action == Create && why == nil:
		body = struct {
			InstanceID string `json:"instanceId"`
			App        App    `json:"appInfo"`
		}{c.Instance, app}
	case c.Action == Create: // "0" is: not yet, or failed; the marketplace calls again
		body = struct {
			InstanceID string `json:"instanceId"`
			*problem
		}{"0", why}
	case c.Action == OrderPaid: // of this one alone the samples print a boolean
		body = struct {
			Success bool `json:"success"`
			*problem
		}{why == nil, why}
	default:
		body = struct {
			Success string `json:"success"`
			*problem
		}{fmt.Sprint(why == nil), why}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return Reply{Status: http.StatusInternalServerError}
	}
	return Reply{status, text}
}

// Refusal names why a call was not taken.
func Refusal(code, message string) *problem { return &problem{code, message} }

package huawei

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// order is what was ordered: a purchase, or a change of one.
type order struct {
	ID        string    `json:"id"`
	Type      string    `json:"type"` // NEW, TRIAL, TRIAL_TO_FORMAL, UNSUBSCRIBE, RENEW, CHANGE
	CreatedAt time.Time `json:"created_at"`
	Line      string    `json:"line"`
	Mode      string    `json:"mode"`
	Periods   int       `json:"periods"` // months; 0 where the mode has none
	ExpiresAt time.Time `json:"expires_at"`
	Product   string    `json:"product"`
	SKU       string    `json:"sku"`
	Title     string    `json:"title"`
	Linear    int       `json:"linear"` // how many, where the SKU is priced by quantity
	Customer  string    `json:"customer"`
	Foreign   bool      `json:"foreign"` // of another seller's product
}

// mocks are the orders that the cloud serves to whoever develops; they are of
// nobody and nothing was paid for them.
var mocks = map[string]order{
	"MOCKPERIODYEARNEW":      {Type: "NEW", Mode: "PERIOD", Periods: 12},
	"MOCKONETIMENEW":         {Type: "NEW", Mode: "ONE_TIME"},
	"MOCKONDEMAND":           {Type: "NEW", Mode: "ON_DEMAND"},
	"MOCKONDEMANDPKG":        {Type: "NEW", Mode: "ON_DEMAND_PKG"},
	"MOCKPERIODDAYTRIAL":     {Type: "TRIAL", Mode: "PERIOD"},
	"MOCKMONTYTRIALTOFORMAL": {Type: "TRIAL_TO_FORMAL", Mode: "PERIOD", Periods: 1},
	"MOCKMONTYUNSUBSCRIBE":   {Type: "UNSUBSCRIBE", Mode: "PERIOD", Periods: 1},
	"MOCKMONTYRENEW":         {Type: "RENEW", Mode: "PERIOD", Periods: 1},
	"MOCKMONTYCHANGE":        {Type: "CHANGE", Mode: "PERIOD", Periods: 1},
}

// mockCustomer is who bought the orders of development.
const mockCustomer = "0123456789abcdef0123456789abcdef"

func (s *Sim) queryOrder(c call) answer {
	if refusal := s.signedBySDK(c); refusal.status != 0 {
		return refusal
	}
	q := c.URL.Query()
	id, line := q.Get("orderId"), q.Get("orderLineId")
	for name, values := range q {
		if name != "orderId" && name != "orderLineId" || len(values) != 1 {
			return refuse(http.StatusBadRequest, "0101", "parameters are orderId and orderLineId")
		}
	}
	if id == "" || len(id) > 64 {
		return refuse(http.StatusBadRequest, "0101", "orderId is required")
	}
	o := s.order(id)
	if mock, known := mocks[id]; known {
		mock.ID, mock.Line, mock.CreatedAt, mock.Customer = id, id+"-000001", s.stage.Now(), mockCustomer
		if len(s.market.Products) > 0 {
			p := s.market.Products[0]
			mock.Product, mock.SKU, mock.Title, mock.Linear = p.ID, p.SKU, p.Title, 1
		}
		o = &mock
	}
	switch {
	case o == nil && s.market.Switches.UnknownOrder == "empty", o != nil && line != "" && line != o.Line:
		return s.success(nil)
	case o == nil:
		return refuse(http.StatusBadRequest, "0199", "there is no such order")
	case o.Foreign:
		return refuse(http.StatusUnauthorized, "0150", "the order is of a product that is not yours")
	}
	return s.success(map[string]any{"orderInfo": s.document(o)})
}

// document is the order as the cloud writes it. Nothing in it says whether it
// was paid or refunded.
func (s *Sim) document(o *order) map[string]any {
	line := map[string]any{
		"orderLineId": o.Line, "chargingMode": o.Mode, "currency": "100", "currencyAfterDiscount": "100", "extendParams": []any{},
		"productInfo": []any{map[string]string{"productId": o.Product, "skuCode": o.SKU, "linearValue": strconv.Itoa(o.Linear), "productName": o.Title}},
	}
	if o.Periods > 0 {
		line["periodType"], line["periodNumber"] = "month", o.Periods
	}
	if !o.ExpiresAt.IsZero() {
		line["expireTime"] = stamp(o.ExpiresAt)
	}
	return map[string]any{
		"orderId": o.ID, "orderType": o.Type, "createTime": stamp(o.CreatedAt), "orderLine": []any{line}, "extendParams": []any{},
		"buyerInfo": map[string]string{
			"customerId": o.Customer, "customerName": "buyer-" + o.Customer[:6], "customerRealName": "Simulated buyer", "customerType": "1",
			"userId": strings.ToUpper(o.Customer[:16]), "userName": "buyer", "mobilePhone": "13800000000", "email": "buyer@example.com",
		},
	}
}

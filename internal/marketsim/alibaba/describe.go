package alibaba

import (
	"encoding/json"
	"strconv"
	"time"
)

func millis(at time.Time) int64 { return at.UnixMilli() }

// describeInstance does not name the buyer: that is the order's.
func (s *Sim) describeInstance(c call) answer {
	i := s.instance(c.params.Get("InstanceId"))
	if i == nil {
		return s.undocumented("InstanceId: there is no such instance")
	}
	body := map[string]any{
		"InstanceId": i.BizID, "OrderId": i.Order, "ProductCode": i.Product, "ProductSkuCode": i.SKU, "ProductType": "APP", "ProductName": s.product(i.Product).Title,
		"Status": i.Status, "IsTrial": i.Trial, "BeganOn": millis(i.CreatedAt), "CreatedOn": millis(i.CreatedAt), "ComponentJson": `{"AccountQuantity":"1"}`,
	}
	if !i.ExpiresAt.IsZero() {
		body["EndOn"] = millis(i.ExpiresAt)
	}
	return done(body)
}

func (s *Sim) describeOrder(c call) answer {
	for _, i := range s.market.Instances {
		if i.Order != c.params.Get("OrderId") {
			continue
		}
		var buyer any = json.Number(i.AliUid)
		if s.market.Switches.AliUidText {
			buyer = i.AliUid
		}
		return done(map[string]any{
			"OrderId": i.Order, "AliUid": buyer, "InstanceIds": []string{i.BizID}, "OrderStatus": i.OrderIs, "PayStatus": i.PaidIs, "OrderType": "NEW",
			"CreatedOn": millis(i.CreatedAt), "PaidOn": millis(i.CreatedAt), "PaymentPrice": 0, "OriginalPrice": 0, "TotalPrice": 0, "CouponPrice": 0,
			"ProductCode": i.Product, "ProductSkuCode": i.SKU, "ProductName": s.product(i.Product).Title, "Quantity": 1, "PeriodType": "YEAR", "AccountQuantity": 1,
			"Components": map[string]any{},
		})
	}
	return s.undocumented("OrderId: there is no such order")
}

// failedNotifications lists what was told in vain, and not confirmed since.
func (s *Sim) failedNotifications(c call) answer {
	page, err1 := strconv.Atoi(orElse(c.params.Get("PageNumber"), "1"))
	size, err2 := strconv.Atoi(orElse(c.params.Get("PageSize"), "10"))
	if err1 != nil || err2 != nil || page < 1 || page > 100_000 || size < 1 || size > 100 {
		return s.undocumented("PageNumber is from 1, PageSize 1 to 100")
	}
	list := []any{}
	for _, k := range s.stage.Callbacks(Cloud) {
		id := k.Params["requestId"]
		if k.Kind != "orderPay" || k.Done || len(k.Attempts) == 0 || s.market.Confirmed[id] {
			continue
		}
		message, err := json.Marshal(k.Params)
		if err != nil {
			panic("marketsim/alibaba: " + err.Error())
		}
		list = append(list, map[string]any{"Action": k.Kind, "CreateTime": millis(k.At), "Message": string(message), "NotificationRequestId": id})
	}
	from := min((page-1)*size, len(list))
	return done(map[string]any{
		"PageNumber": page, "PageSize": size, "TotalCount": len(list), "NotificationList": list[from:min(from+size, len(list))],
	})
}

func (s *Sim) confirmNotification(c call) answer {
	id := c.params.Get("NotificationRequestId")
	for _, k := range s.stage.Callbacks(Cloud) {
		if k.Kind == "orderPay" && id != "" && k.Params["requestId"] == id {
			s.market.Confirmed[id] = true
			return done(map[string]any{"Success": true})
		}
	}
	return s.undocumented("NotificationRequestId: there is no such notification")
}

package huawei

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
)

// Order is what KooGallery says of an order.
type Order struct {
	ID      string `json:"orderId"`
	Type    string `json:"orderType"`
	Created string `json:"createTime"`
	Lines   []Line `json:"orderLine"`
	Buyer   struct {
		CustomerID string `json:"customerId"`
	} `json:"buyerInfo"`
}

// Line is one of the lines of an order.
type Line struct {
	ID           string    `json:"orderLineId"`
	ChargingMode string    `json:"chargingMode"`
	ExpireTime   string    `json:"expireTime"`
	Products     []Product `json:"productInfo"`
}

// Product is what a line is of.
type Product struct {
	ID     string      `json:"productId"`
	SKU    string      `json:"skuCode"`
	Linear json.Number `json:"linearValue"` // how many, where the SKU is priced by quantity
}

const (
	orderPath  = "/api/mkp-openapi-public/global/v1/order/query"
	usagePath  = "/api/mkp-openapi-public/global/v1/isv/usage-data"
	succeeded  = ".0000" // MKT.0000 in samples, CBC.0000 in a table
	longAnswer = 1 << 20
)

// Order asks for an order.
func (m *Market) Order(ctx context.Context, id string) (Order, error) {
	var answer struct {
		Code  string `json:"resultCode"`
		Order Order  `json:"orderInfo"`
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.config.API+orderPath+"?"+url.Values{"orderId": {id}}.Encode(), http.NoBody)
	if err != nil {
		return Order{}, err
	}
	status, body, err := m.send(request, nil)
	if err != nil {
		return Order{}, marketplace.ErrUnreachable.Because(err)
	}
	readable := json.Unmarshal(body, &answer) == nil
	switch {
	case status == http.StatusOK && readable && strings.HasSuffix(answer.Code, succeeded) && answer.Order.ID == id:
		return answer.Order, nil
	case status == http.StatusUnauthorized && strings.HasSuffix(answer.Code, ".0150"), status == http.StatusUnauthorized && strings.HasSuffix(answer.Code, ".0151"),
		status == http.StatusBadRequest, status == http.StatusOK && readable && answer.Code != "":
		return Order{}, marketplace.ErrOrder.Because(fmt.Errorf("order query: %s (%d)", answer.Code, status))
	}
	return Order{}, marketplace.ErrUnreachable.Because(fmt.Errorf("order query: %s (%d)", answer.Code, status))
}

// send signs a request with the access key and gives the answer.
func (m *Market) send(r *http.Request, body []byte) (status int, answer []byte, err error) {
	r.Header.Set("Content-Type", "application/json")
	authorize(r, body, m.config.AccessKey, m.config.Secret, m.config.Now())
	return m.do(r)
}

func (m *Market) do(r *http.Request) (status int, answer []byte, err error) {
	response, err := m.http.Do(r)
	if err != nil {
		var at *net.OpError
		if errors.As(err, &at) && at.Op == "dial" {
			return 0, nil, marketplace.ErrUnreachable.Because(errors.New("no connection"))
		}
		return 0, nil, errors.New("the answer did not come")
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(response.Body, longAnswer))
	if err != nil {
		return 0, nil, errors.New("the answer did not come whole")
	}
	return response.StatusCode, answer, nil
}

// Bought is what a line of an order makes: a subscription of ours, or cards.
type Bought struct {
	Line    string
	Product string // of a subscription; empty for cards
	Card    Card
	Worth   money.Amount // of the cards
	Expires time.Time
}

// Bought reads a line of an order: what it is of is for the settings to say,
// never for the prices that the order names.
func (m *Market) Bought(l Line) (Bought, error) {
	b := Bought{Line: l.ID}
	if len(l.Products) == 0 {
		return b, marketplace.ErrOtherProduct
	}
	if l.ExpireTime != "" {
		var err error
		if b.Expires, err = instant(l.ExpireTime); err != nil {
			return b, err
		}
	}
	for _, p := range l.Products {
		if slices.Contains(m.config.Products, p.ID) {
			b.Product = p.ID
			return b, nil
		}
	}
	if l.ChargingMode != "ONE_TIME" {
		return b, marketplace.ErrOtherProduct
	}
	for _, p := range l.Products {
		i := slices.IndexFunc(m.config.Cards, func(c Card) bool { return c.SKU == p.SKU })
		if i < 0 {
			return b, marketplace.ErrOtherProduct
		}
		b.Card = m.config.Cards[i]
		n := int64(1)
		if p.Linear != "" {
			var err error
			if n, err = p.Linear.Int64(); err != nil || n < 1 || n > mostCards {
				return b, marketplace.ErrOrder
			}
		}
		var err error
		if b.Worth, err = b.Worth.Add(money.Of(b.Card.Face.Minor()*n, b.Card.Face.Currency())); err != nil {
			return b, err
		}
	}
	return b, nil
}

// mostCards bounds what a quantity may multiply: the face of a card, too, is
// bounded far below.
const mostCards = 100_000

// Cards are the lines of cards of an order that a payer claims by its number
// and the account that bought it.
func (m *Market) Cards(ctx context.Context, account, id string) ([]Bought, error) {
	if account == "" || id == "" || mock(id) {
		return nil, marketplace.ErrOrder
	}
	o, err := m.Order(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case o.Buyer.CustomerID != account || o.Type != "NEW":
		return nil, marketplace.ErrOrder
	}
	var cards []Bought
	for _, l := range o.Lines {
		b, err := m.Bought(l)
		if err != nil {
			return nil, err
		}
		if b.Product == "" {
			cards = append(cards, b)
		}
	}
	if len(cards) == 0 {
		return nil, marketplace.ErrOrder
	}
	return cards, nil
}

package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Method is that of the settings.
func (m *Market) Method() site.Method { return m.config.Method }

// Limits are those of PushMeteringData (reference 2.3).
func (m *Market) Limits() marketplace.Limits {
	l := marketplace.Limits{Records: 100, PerInstance: time.Minute, PerSecond: 10, OneProduct: true}
	if m.config.SendAgain {
		l.Resends = 1
	}
	return l
}

// Way is by the pair of account and instance.
func (*Market) Way() marketplace.Way { return marketplace.ByInstance }

// Storefront is where a buyer subscribes.
func (m *Market) Storefront() string { return m.config.Listing }

// Unit is one of the metering entity; values are whole.
func (m *Market) Unit(_ string, c money.Currency) (marketplace.Unit, error) {
	if c != m.config.Price.Currency() {
		return marketplace.Unit{}, marketplace.ErrCurrency.With("currency", string(c))
	}
	return marketplace.Unit{Dimension: m.config.Entity, Price: m.config.Price, Zero: true}, nil
}

// Window is the UTC hour of an hourly plan, and the marketplace's day of a
// daily one.
func (m *Market) Window(p marketplace.Plan, at time.Time) marketplace.Window {
	if p == marketplace.Daily {
		day := at.In(m.config.Zone)
		from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, m.config.Zone)
		return marketplace.Window{From: from.UTC(), To: from.AddDate(0, 0, 1).UTC()}
	}
	from := at.UTC().Truncate(time.Hour)
	return marketplace.Window{From: from, To: from.Add(time.Hour)}
}

// Deadline is the minute before the end of the next hour, or of the next day.
// What comes later is never billed.
func (m *Market) Deadline(p marketplace.Plan, w marketplace.Window) time.Time {
	return m.Window(p, m.Window(p, w.From).To).To.Add(-time.Minute)
}

// longestRow bounds what a row says beside its names.
const longestRow = 160

// Size is that of a row, written as part of an address.
func (m *Market) Size(r marketplace.Record) int {
	return 3 * (longestRow + len(r.Instance) + len(r.Dimension) + len(m.config.Assist))
}

// instance is what DescribeInstanceForIsv says; it does not name the buyer.
type instance struct {
	Status      string
	OrderID     json.Number `json:"OrderId"`
	ProductCode string
	BeganOn     json.Number
	EndOn       json.Number
	CreatedOn   json.Number
}

// order is what DescribeOrderForIsv says.
type order struct {
	AliUID      json.Number `json:"AliUid"`
	InstanceIDs ids         `json:"InstanceIds"`
	OrderStatus string
	PayStatus   string
	ProductCode string
}

// ids are texts or numbers, in a list or in a list within an object.
type ids []string

// UnmarshalJSON takes the forms that RPC answers give to a list.
func (l *ids) UnmarshalJSON(text []byte) error {
	var list []json.Number
	if err := json.Unmarshal(text, &list); err == nil {
		for _, n := range list {
			*l = append(*l, n.String())
		}
		return nil
	}
	var texts []string
	if err := json.Unmarshal(text, &texts); err == nil {
		*l = texts
		return nil
	}
	var nested map[string]ids
	if err := json.Unmarshal(text, &nested); err != nil {
		return err
	}
	for _, inner := range nested {
		*l = append(*l, inner...)
	}
	return nil
}

// Verify asks for the pair of account and instance that a payer enters: the
// instance names its order, and the order names its buyer. Whether it is of
// our product, and lives, is only told to whoever knows the pair: instance IDs
// can be guessed.
func (m *Market) Verify(ctx context.Context, c marketplace.Claim) (p marketplace.Purchase, err error) {
	if c.Account == "" || c.Instance == "" {
		return p, marketplace.ErrClaim
	}
	var i instance
	if err := m.ask(ctx, "DescribeInstanceForIsv", "InstanceId", c.Instance, &i); err != nil {
		return p, err
	}
	var o order
	if err := m.ask(ctx, "DescribeOrderForIsv", "OrderId", i.OrderID.String(), &o); err != nil {
		return p, err
	}
	switch {
	case o.AliUID.String() != c.Account || !slices.Contains(o.InstanceIDs, c.Instance):
		return p, marketplace.ErrClaim
	case m.ours(i.ProductCode) != nil || m.ours(o.ProductCode) != nil:
		return p, marketplace.ErrOtherProduct
	case i.Status != "OPENED" || o.PayStatus != "PAID" || o.OrderStatus != "NORMAL":
		return p, marketplace.ErrInactive
	}
	return marketplace.Purchase{
		Account: c.Account, Instance: c.Instance, Product: i.ProductCode, Order: i.OrderID.String(), Plan: m.config.Plan, Active: true,
		BoughtAt: milliseconds(i.BeganOn, i.CreatedOn), ExpiresAt: milliseconds(i.EndOn),
	}, nil
}

// ask asks for one thing by its name; one that the marketplace does not know
// is no purchase.
func (m *Market) ask(ctx context.Context, action, name, value string, to any) error {
	err := m.call(ctx, action, map[string]string{name: value}, to)
	var no *refused
	switch {
	case err == nil:
		return nil
	case errors.As(err, &no) && !no.ofAccount():
		return marketplace.ErrClaim.Because(err)
	}
	return marketplace.ErrUnreachable.Because(err)
}

// milliseconds is the first instant that is there.
func milliseconds(numbers ...json.Number) time.Time {
	for _, n := range numbers {
		if ms, err := n.Int64(); err == nil && ms > 0 {
			return time.UnixMilli(ms).UTC()
		}
	}
	return time.Time{}
}

type entity struct {
	Key    string
	Value  string
	Assist string `json:"meteringAssit,omitempty"` // the marketplace's own spelling
}

type row struct {
	InstanceID string `json:"InstanceId"`
	StartTime  string
	EndTime    string
	Entities   []entity
}

// rows are records as the marketplace takes them.
func (m *Market) rows(records []marketplace.Record) (string, error) {
	list := make([]row, len(records))
	for i, r := range records {
		list[i] = row{
			r.Instance, strconv.FormatInt(r.Window.From.Unix(), 10), strconv.FormatInt(r.Window.To.Unix(), 10),
			[]entity{{r.Dimension, r.Quantity.Plain(), m.config.Assist}},
		}
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// Send pushes records; the marketplace takes all of a request or none.
func (m *Market) Send(ctx context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	text, err := m.rows(records)
	if err != nil {
		return nil, fmt.Errorf("write usage: %w", err)
	}
	var answer struct {
		RequestID string `json:"RequestId"`
		Success   bool
	}
	err = m.call(ctx, "PushMeteringData", map[string]string{"Metering": text}, &answer)
	var no *refused
	switch {
	case errors.As(err, &no) && no.ofAccount():
		return nil, marketplace.ErrUnreachable.Because(no) // nothing was taken; a person corrects the key
	case errors.As(err, &no):
		return nil, &marketplace.Poisoned{Reason: no.code}
	case err != nil:
		return nil, err
	case !answer.Success:
		return nil, &marketplace.Poisoned{Reason: "not taken, without a reason (" + http.StatusText(http.StatusOK) + ")"}
	}
	outcomes := make([]marketplace.Outcome, len(records))
	for i, r := range records {
		outcomes[i] = marketplace.Outcome{RecordID: r.ID, State: marketplace.Accepted, RemoteID: answer.RequestID}
	}
	return outcomes, nil
}

package hooks

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

func (c *Clouds) huaweiV2(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestNotice))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	call, err := c.Huawei.ReadV2(r.URL.Query(), body, c.Signed())
	if call.Resorted {
		c.Log.Warn("a call of KooGallery was signed over its sorted body", "activity", call.Activity)
	}
	c.huawei(w, r, call, err)
}

func (c *Clouds) huaweiV1(w http.ResponseWriter, r *http.Request) {
	call, err := c.Huawei.ReadV1(r.URL.Query(), c.Signed())
	c.huawei(w, r, call, err)
}

// huawei does what a call of KooGallery asks, and answers it. The order of a
// new instance is asked for before anything is kept: the call itself names
// neither the buyer nor what was bought.
func (c *Clouds) huawei(w http.ResponseWriter, r *http.Request, call huawei.Call, err error) {
	ctx := r.Context()
	if !call.Event.At.IsZero() { // as it is by the installation's clock, which a sandbox moves
		call.Event.At = c.Now().Add(call.Event.At.Sub(c.Signed()))
	}
	var order huawei.Order
	if err == nil && call.Activity == huawei.Create && !call.Test {
		order, err = c.Huawei.Order(ctx, call.Order)
	}
	var states []huawei.State
	if err == nil {
		err = c.Store.Write(ctx, func(tx *store.Tx) (err error) {
			if err := tx.UseNonce(ctx, site.Huawei, call.Nonce, c.Now()); err != nil {
				return err
			}
			states, err = c.huaweiDo(ctx, tx, call, order)
			return err
		})
	}
	if err != nil {
		c.blame(r, c.told(site.Huawei, err, "a call of a marketplace was refused"))
	}
	reply := c.Huawei.Answer(call, err, states)
	if reply.Sign != "" {
		w.Header().Set("Body-Sign", reply.Sign)
	}
	write(w, reply.Status, reply.Body)
}

func (c *Clouds) huaweiDo(ctx context.Context, tx *store.Tx, call huawei.Call, order huawei.Order) ([]huawei.State, error) {
	at := c.Now()
	switch {
	case call.Activity == huawei.QueryState:
		return c.huaweiStates(ctx, tx, call)
	case call.Test && call.Event.Kind != "":
		_, err := marketplace.Take(ctx, tx, call.Event, at) // kept, and nothing done
		return nil, err
	case call.Activity == huawei.Create:
		return nil, c.huaweiNew(ctx, tx, call, order)
	case call.Event.Kind == "":
		return nil, nil
	}
	if call.Activity == huawei.Release {
		if card, err := marketplace.Return(ctx, tx, site.Huawei, call.Event.Instance, at); err != nil || card {
			return nil, err
		}
	}
	if _, err := tx.SubscriptionByInstance(ctx, site.Huawei, call.Event.Instance); err != nil {
		return nil, err
	}
	_, err := marketplace.Take(ctx, tx, call.Event, at)
	return nil, err
}

// huaweiNew keeps a purchase: a subscription, or cards that wait to be redeemed.
func (c *Clouds) huaweiNew(ctx context.Context, tx *store.Tx, call huawei.Call, order huawei.Order) error {
	i := slices.IndexFunc(order.Lines, func(l huawei.Line) bool { return l.ID == call.Line })
	if i < 0 {
		return marketplace.ErrFields.On("orderLineId")
	}
	b, err := c.Huawei.Bought(order.Lines[i])
	if err != nil {
		return err
	}
	instance := call.Instances[0]
	if b.Product == "" {
		_, err := tx.OpenCard(ctx, marketplace.Card{
			Cloud: site.Huawei, Order: order.ID, Line: b.Line, Instance: instance, Account: order.Buyer.CustomerID, SKU: b.Card.SKU, Face: b.Worth,
		})
		return err
	}
	p, err := c.Huawei.PurchaseOf(order, instance)
	if err != nil {
		return err
	}
	e := call.Event
	e.Account, e.Product, e.Plan, e.ExpiresAt = p.Account, p.Product, p.Plan, p.ExpiresAt
	_, err = marketplace.Take(ctx, tx, e, c.Now())
	return err
}

// huaweiStates answers a question about instances.
func (c *Clouds) huaweiStates(ctx context.Context, tx *store.Tx, call huawei.Call) ([]huawei.State, error) {
	var states []huawei.State
	for _, instance := range call.Instances {
		state := huawei.State{InstanceID: instance, App: huawei.App{FrontEndURL: c.Entry}}
		_, err := tx.SubscriptionByInstance(ctx, site.Huawei, instance)
		if errors.Is(err, marketplace.ErrUnknown) {
			_, card, err := tx.CardByInstance(ctx, site.Huawei, instance)
			if err != nil {
				return nil, err
			}
			if !card {
				return nil, marketplace.ErrUnknown.On("instanceId")
			}
			states = append(states, state)
			continue
		}
		if err != nil {
			return nil, err
		}
		used, at, err := tx.UsedInAll(ctx, site.Huawei, instance)
		if err != nil {
			return nil, err
		}
		if at.IsZero() {
			at = c.Now()
		}
		state.Usage = []huawei.Usage{huawei.UsageAt(used.Plain(), at)}
		states = append(states, state)
	}
	return states, nil
}

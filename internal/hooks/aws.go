package hooks

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// longestRegistration bounds the form that a buyer brings from AWS.
const longestRegistration = 64 << 10

// register is where AWS Marketplace sends a buyer's browser, from its own site
// and so without a cookie of ours. The token is resolved at once, and neither
// kept nor shown: what goes on is a ticket of ours for what it stood for.
func (c *Clouds) register(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	source := web.Address(r)
	if !c.crowd.registrations.Allows(source) {
		c.refuse(w, r, site.AWS, marketplace.ErrCrowd)
		return
	}
	c.crowd.registrations.Failed(source)
	r.Body = http.MaxBytesReader(w, r.Body, longestRegistration)
	if err := r.ParseForm(); err != nil {
		c.refuse(w, r, site.AWS, marketplace.ErrFields)
		return
	}
	p, err := c.AWS.Verify(ctx, marketplace.Claim{Token: r.PostForm.Get("x-amzn-marketplace-token")})
	var ticket string
	if err == nil {
		err = c.Store.Write(ctx, func(tx *store.Tx) error {
			s := marketplace.New(site.AWS, p.Account, p.Instance, p.Product, p.Plan, c.Now())
			s.Reference = p.Reference
			s, err := tx.OpenSubscription(ctx, s)
			switch {
			case err != nil:
				return err
			case s.Account != "" && s.Account != p.Account:
				return marketplace.ErrRegistration
			case s.Over():
				return marketplace.ErrInactive
			}
			ticket, err = c.ticket(ctx, tx, s, false)
			return err
		})
	}
	if err != nil {
		c.refuse(w, r, site.AWS, err)
		return
	}
	c.admit(w, r, ticket)
}

// Pauses between looks into AWS's queue: none while messages come, a short one
// when nothing waited, a long one when AWS did not answer.
const (
	restAfterNothing = 2 * time.Second
	restAfterFailure = 30 * time.Second
)

// Follow reads the events of AWS Marketplace until the context ends.
func (c *Clouds) Follow(ctx context.Context) {
	if c.AWS == nil || !c.AWS.Polls() {
		return
	}
	for ctx.Err() == nil {
		taken, err := c.AWS.Poll(ctx, func(body []byte, messageID string) error { return c.keepAWS(ctx, body, messageID) })
		rest := time.Duration(0)
		switch {
		case err != nil && ctx.Err() == nil:
			c.Log.Error("events of AWS Marketplace could not be read", "err", err)
			rest = restAfterFailure
		case taken == 0:
			rest = restAfterNothing
		}
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
	}
}

// keepAWS keeps an event. One that concerns another product, or nothing that a
// purchase lives through, is done with; one that cannot be read stays in the
// queue, which moves it to its dead letters.
func (c *Clouds) keepAWS(ctx context.Context, body []byte, messageID string) error {
	e, err := c.AWS.Read(body, messageID, c.Now())
	switch {
	case errors.Is(err, marketplace.ErrOtherProduct), errors.Is(err, marketplace.ErrAction):
		c.told(site.AWS, err, "an event was passed over")
		return nil
	case err != nil:
		return err
	case e.Kind == "":
		return nil
	}
	return c.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := marketplace.Take(ctx, tx, e, c.Now())
		return err
	})
}

package marketplace

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// MostClaims is how many wrong claims a payer may make within ClaimsWithin:
// accounts and instances of others can be guessed.
const (
	MostClaims   = 10
	ClaimsWithin = time.Hour
)

// ClaimTx counts wrong claims.
type ClaimTx interface {
	WrongClaim(ctx context.Context, payer string, at time.Time) error
	// WrongClaims counts those of a payer since an instant.
	WrongClaims(ctx context.Context, payer string, since time.Time) (int, error)
}

// Desk is where payers bind purchases and where the clouds' words arrive.
type Desk struct {
	Clouds []Cloud // those that are connected
	Write  func(ctx context.Context, f func(Tx) error) error
	Read   func(ctx context.Context, f func(Tx) error) error
}

// Cloud finds a connected cloud, or settle.ErrNotEnabled.
func (d *Desk) Cloud(m site.Method) (Cloud, error) {
	if d != nil {
		for _, c := range d.Clouds {
			if c.Method() == m {
				return c, nil
			}
		}
	}
	return nil, settle.ErrNotEnabled.With("method", string(m))
}

// Methods lists the connected clouds: settle.Rules.Enabled.
func (d *Desk) Methods() []site.Method {
	var all []site.Method
	if d != nil {
		for _, c := range d.Clouds {
			all = append(all, c.Method())
		}
	}
	return all
}

// Receive is Take in a transaction of its own.
func (d *Desk) Receive(ctx context.Context, e Event, at time.Time) (s Subscription, err error) {
	err = d.Write(ctx, func(tx Tx) error {
		s, err = Take(ctx, tx, e, at)
		return err
	})
	return s, err
}

// Claim asks the cloud for the purchase that a payer claims, and binds it.
func (d *Desk) Claim(ctx context.Context, m site.Method, c Claim, payer account.Billing, by workspace.Actor, at time.Time) (s Subscription, err error) {
	cloud, err := d.Cloud(m)
	if err != nil {
		return s, err
	}
	err = d.Read(ctx, func(tx Tx) error {
		n, err := tx.WrongClaims(ctx, payer.ID, at.Add(-ClaimsWithin))
		if err == nil && n >= MostClaims {
			err = ErrMany
		}
		return err
	})
	if err != nil {
		return s, err
	}
	var p Purchase
	err = failpoint.Around("cloud.verify", func() (err error) {
		p, err = cloud.Verify(ctx, c)
		return err
	})
	if err == nil {
		if _, unit := cloud.Unit(p.Product, payer.Currency); unit != nil {
			err = ErrCurrency.With("currency", string(payer.Currency))
		}
	}
	if err == nil {
		err = d.Write(ctx, func(tx Tx) error {
			s, err = Bind(ctx, tx, m, p, payer.ID, by, at)
			return err
		})
	}
	if wrong(err) {
		if kept := d.Write(ctx, func(tx Tx) error { return tx.WrongClaim(ctx, payer.ID, at) }); kept != nil {
			return s, errors.Join(err, kept)
		}
	}
	return s, err
}

// wrong reports whether a claim failed by what was claimed.
func wrong(err error) bool {
	for _, w := range []error{ErrClaim, ErrInactive, ErrClaimed, ErrOtherProduct, ErrRegistration} {
		if errors.Is(err, w) {
			return true
		}
	}
	return false
}

// Bind gives a purchase that the cloud has confirmed to a payer. Bound again by
// the same payer, it stays. A purchase that the cloud calls active is heard of
// as one, should its event have been lost.
func Bind(ctx context.Context, tx Tx, m site.Method, p Purchase, payer string, by workspace.Actor, at time.Time) (Subscription, error) {
	s, err := tx.OpenSubscription(ctx, New(m, p.Account, p.Instance, p.Product, p.Plan, p.BoughtAt))
	if err != nil {
		return s, err
	}
	first := s.Payer == ""
	if s.Account != "" && p.Account != "" && s.Account != p.Account {
		return s, ErrClaim
	}
	next, err := s.Bind(payer, at)
	if err != nil {
		return s, err
	}
	if next != s {
		next.Revision++
		if err := tx.SaveSubscription(ctx, next); err != nil {
			return next, err
		}
	}
	if p.Active && next.State == Pending {
		next, err = Take(ctx, tx, p.event(m, at), at)
		if err != nil {
			return next, err
		}
	}
	if !first {
		return next, nil
	}
	if err := inherit(ctx, tx, next, at); err != nil {
		return next, err
	}
	return next, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "subscription.bound", Subject: next.ID,
		Detail: map[string]string{"cloud": string(m), "account": p.Account, "instance": p.Instance, "payer": payer},
	})
}

// event is what the cloud's confirmation says, in the words of an event.
func (p Purchase) event(m site.Method, at time.Time) Event {
	bought := p.BoughtAt
	if bought.IsZero() {
		bought = at
	}
	return Event{
		ID: "confirmed:" + p.Instance, Cloud: m, Kind: Purchased, Instance: p.Instance, Account: p.Account, Reference: p.Reference,
		Product: p.Product, Order: p.Order, Plan: p.Plan, At: bought, ExpiresAt: p.ExpiresAt,
		Raw: fmt.Appendf(nil, "confirmed by the cloud at %s", at.UTC().Format(time.RFC3339)),
	}
}

// MaySettle says why a subscription cannot settle a workspace of the payer by
// the method, if it cannot (settle.Tx).
func (s Subscription) MaySettle(m site.Method, payer string) error {
	switch {
	case s.Payer != payer || s.Cloud != m:
		return ErrUnknown.On("subscription")
	case !s.State.Settles():
		return ErrInactive.On("subscription")
	}
	return nil
}

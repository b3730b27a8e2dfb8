package topup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// Job is work that is queued in the transaction that causes it.
type Job interface{ Kind() string }

// Tx is what top-ups need of a transaction.
type Tx interface {
	wallet.Tx
	// InsertPayment keeps a new payment, or gives the one that its payer began
	// with the same key.
	InsertPayment(ctx context.Context, p Payment) (kept Payment, first bool, err error)
	// PaymentForUpdate finds a payment, kept from other writers, or ErrUnknown.
	PaymentForUpdate(ctx context.Context, id string) (Payment, error)
	// PaymentByReference finds the payment of a channel's money, kept from
	// other writers, or ErrUnknown.
	PaymentByReference(ctx context.Context, channel Name, reference string) (Payment, error)
	// KeepPayment keeps a changed payment whose revision is one more than the stored one.
	KeepPayment(ctx context.Context, p Payment) error
	// PaymentsToAsk lists the payments whose channel is to be asked, the longest due first.
	PaymentsToAsk(ctx context.Context, at time.Time, limit int) ([]Payment, error)
	// InsertNotice keeps a notice unless its event is known.
	InsertNotice(ctx context.Context, n Notice) (first bool, err error)
	// NoticeForUpdate finds a notice, kept from other writers, or ErrNotice.
	NoticeForUpdate(ctx context.Context, id string) (Notice, error)
	// KeepNotice keeps what became of a notice.
	KeepNotice(ctx context.Context, n Notice) error
	// NoticesFor lists the notices of a payment or of its channel's reference that wait or are parked as unknown.
	NoticesFor(ctx context.Context, p Payment) ([]Notice, error)
	// ForgedNotices counts the parked notices of a channel whose signature did not hold.
	ForgedNotices(ctx context.Context, channel Name) (int64, error)
	// InsertRefund keeps a new refund, or gives the one of the same payment and key.
	InsertRefund(ctx context.Context, r Refund) (kept Refund, first bool, err error)
	RefundForUpdate(ctx context.Context, id string) (Refund, error)
	KeepRefund(ctx context.Context, r Refund) error
	// RefundsOf lists the refunds of a payment.
	RefundsOf(ctx context.Context, paymentID string) ([]Refund, error)
	// DisputeOf finds a dispute of the channel.
	DisputeOf(ctx context.Context, channel Name, reference string) (d Dispute, found bool, err error)
	KeepDispute(ctx context.Context, d Dispute) error
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
	Audit(ctx context.Context, e audit.Entry) error
	// QueueTopup queues a job of this package.
	QueueTopup(ctx context.Context, j Job) error
}

// Desk is where payments are begun, and where the channels' words arrive.
type Desk struct {
	Channels []Channel // those that are configured
	Limits   Limits
	Write    func(ctx context.Context, f func(Tx) error) error
	Read     func(ctx context.Context, f func(Tx) error) error
}

// Channel finds a configured channel, or ErrChannel.
func (d *Desk) Channel(name Name) (Channel, error) {
	for _, c := range d.Channels {
		if c.Name() == name {
			return c, nil
		}
	}
	return nil, ErrChannel.On("channel")
}

// Offers lists the channels that take the currency.
func (d *Desk) Offers(c money.Currency) []Name {
	var names []Name
	for _, channel := range d.Channels {
		if channel.Takes(c) {
			names = append(names, channel.Name())
		}
	}
	return names
}

// Wish is a payment that a payer wants to make.
type Wish struct {
	Payer   account.Billing
	Channel Name
	Amount  money.Amount
	Key     string // idempotency: the same wish again gives the same payment
	Address string // of who asks, for the audit log
}

// check finds everything that is wrong with a wish.
func (d *Desk) check(w Wish) (Channel, error) {
	var list fault.Fields
	channel, err := d.Channel(w.Channel)
	if err != nil {
		list = append(list, fault.From(err))
	} else if !channel.Takes(w.Payer.Currency) {
		list = append(list, ErrCurrency.On("channel"))
	}
	switch {
	case w.Amount.Currency() != w.Payer.Currency:
		list = append(list, money.ErrCurrency.On("amount"))
	default:
		if err := d.Limits.Check(w.Amount); err != nil {
			list = append(list, fault.From(err))
		}
	}
	if len(w.Key) == 0 || len(w.Key) > longestKey {
		list = append(list, ErrKey)
	}
	return channel, list.OrNil()
}

// Begin makes a payment and tells its channel. Sent again, the payment that is
// there goes on: a process may have died before the channel answered.
func (d *Desk) Begin(ctx context.Context, w Wish, at time.Time) (p Payment, first bool, err error) {
	channel, err := d.check(w)
	if err != nil {
		return p, false, err
	}
	err = d.Write(ctx, func(tx Tx) error {
		if p, first, err = tx.InsertPayment(ctx, create(w.Payer, w.Channel, w.Amount, w.Key, at)); err != nil || !first {
			return err
		}
		return tx.Audit(ctx, audit.Entry{At: at, Actor: w.Payer.ID, Address: w.Address, Action: "payment.created", Subject: p.ID, Detail: p.detail()})
	})
	switch {
	case err != nil:
		return p, first, err
	case p.Amount != w.Amount || p.Channel != w.Channel:
		return p, false, ErrKeyReused.On("amount")
	case p.State != Created:
		return p, first, nil
	}
	var opened Opened
	if err := failpoint.Around("channel.open", func() (err error) {
		opened, err = channel.Open(ctx, p)
		return err
	}); err != nil {
		return p, first, err
	}
	err = d.Write(ctx, func(tx Tx) error {
		if p, err = tx.PaymentForUpdate(ctx, p.ID); err != nil || p.State != Created {
			return err
		}
		if p, err = p.to(Pending); err != nil {
			return err
		}
		p.Session, p.URL = opened.Session, opened.URL
		if !opened.ExpiresAt.IsZero() {
			p.ExpiresAt = opened.ExpiresAt
		}
		p, err = keep(ctx, tx, p)
		return err
	})
	return p, first, err
}

// keep keeps the payment as its next revision.
func keep(ctx context.Context, tx Tx, p Payment) (Payment, error) {
	p.Revision++
	return p, tx.KeepPayment(ctx, p)
}

// detail is what the audit log says of a payment.
func (p Payment) detail() map[string]string {
	return map[string]string{
		"channel": string(p.Channel), "amount": p.Amount.String(), "currency": string(p.Amount.Currency()), "payer": p.AccountID,
	}
}

// mostForged bounds what is kept of notices whose signature does not hold:
// enough to see a wrong secret, too little to fill a disk.
const mostForged = 50

// Receive keeps what a channel says in the inbox, before it is answered. A
// notice that is not the channel's word is refused.
func (d *Desk) Receive(ctx context.Context, name Name, m Message, at time.Time) error {
	channel, err := d.Channel(name)
	if err != nil {
		return err
	}
	reports, err := channel.Read(m)
	if err != nil {
		return errors.Join(err, d.refuse(ctx, name, m, err, at))
	}
	if len(reports) == 0 {
		return nil
	}
	return d.Write(ctx, func(tx Tx) error {
		for _, r := range reports {
			n := newNotice(name, r, at)
			first, err := tx.InsertNotice(ctx, n)
			if err != nil {
				return err
			}
			if !first {
				continue
			}
			if err := tx.QueueTopup(ctx, Apply{NoticeID: n.ID}); err != nil {
				return err
			}
		}
		return nil
	})
}

// refuse shows the operator what was refused: forgeries, and a secret that was
// set wrongly, look alike. The same bytes are kept once.
func (d *Desk) refuse(ctx context.Context, name Name, m Message, why error, at time.Time) error {
	reason := ReasonUnreadable
	if errors.Is(why, ErrForged) {
		reason = ReasonForged
	}
	sum := sha256.Sum256(m.Body)
	n := newNotice(name, Report{Event: "refused:" + hex.EncodeToString(sum[:]), Type: string(reason), Odd: reason}, at)
	n.State, n.Reason = NoticeParked, reason
	return d.Write(ctx, func(tx Tx) error {
		many, err := tx.ForgedNotices(ctx, name)
		if err != nil || many >= mostForged {
			return err
		}
		_, err = tx.InsertNotice(ctx, n)
		return err
	})
}

// Apply reads a notice of the inbox, once: it changes its payment, or is
// parked with its reason.
func (d *Desk) Apply(ctx context.Context, noticeID string, at time.Time) error {
	return d.Write(ctx, func(tx Tx) error {
		n, err := tx.NoticeForUpdate(ctx, noticeID)
		if err != nil || n.State != NoticeReceived && n.State != NoticeWaiting {
			return err
		}
		v, err := take(ctx, tx, n.Channel, n.Report, at)
		if err != nil {
			return fmt.Errorf("notice %s: %w", n.ID, err)
		}
		return tx.KeepNotice(ctx, n.decided(v, at))
	})
}

// Reconsider reads a parked notice again: what stood in the way may be gone.
func Reconsider(ctx context.Context, tx Tx, noticeID string) error {
	n, err := tx.NoticeForUpdate(ctx, noticeID)
	switch {
	case err != nil:
		return err
	case n.State != NoticeParked || n.Reason == ReasonForged || n.Reason == ReasonUnreadable:
		return ErrNotParked
	}
	n.State, n.Reason = NoticeReceived, ""
	if err := tx.KeepNotice(ctx, n); err != nil {
		return err
	}
	return tx.QueueTopup(ctx, Apply{NoticeID: n.ID})
}

// AskDue queues the question to the channels of all payments whose time has
// come, and says when each is asked next.
func (d *Desk) AskDue(ctx context.Context, tx Tx, at time.Time) error {
	due, err := tx.PaymentsToAsk(ctx, at, askAtOnce)
	if err != nil {
		return err
	}
	for _, p := range due {
		if _, err := keep(ctx, tx, p.asked(at)); err != nil {
			return err
		}
		if err := tx.QueueTopup(ctx, Ask{PaymentID: p.ID}); err != nil {
			return err
		}
	}
	return nil
}

// askAtOnce bounds the payments that are asked about in one look.
const askAtOnce = 200

// Ask asks the channel how a payment stands. A channel that does not answer is
// asked again at the payment's next time.
func (d *Desk) Ask(ctx context.Context, paymentID string, at time.Time) error {
	var p Payment
	err := d.Read(ctx, func(tx Tx) (err error) {
		p, err = tx.PaymentForUpdate(ctx, paymentID)
		return err
	})
	if err != nil {
		return err
	}
	channel, err := d.Channel(p.Channel)
	if err != nil {
		return fmt.Errorf("payment %s: %w", p.ID, err)
	}
	var reports []Report
	if err := failpoint.Around("channel.ask", func() (err error) {
		reports, err = channel.Ask(ctx, p)
		return err
	}); err != nil {
		return fmt.Errorf("ask %s about payment %s: %w", p.Channel, p.ID, err)
	}
	return d.Write(ctx, func(tx Tx) error {
		for _, r := range reports {
			if err := d.answered(ctx, tx, p.Channel, r, at); err != nil {
				return err
			}
		}
		return expireUnpaid(ctx, tx, p.ID, reports, at)
	})
}

// answered takes an answer of a channel; one that does not fit is parked in
// the inbox like a notice.
func (d *Desk) answered(ctx context.Context, tx Tx, name Name, r Report, at time.Time) error {
	v, err := take(ctx, tx, name, r, at)
	if err != nil || v.state != NoticeParked {
		return err
	}
	n := newNotice(name, r, at).decided(v, at)
	_, err = tx.InsertNotice(ctx, n)
	return err
}

// expireUnpaid ends a payment whose time is over and of which the channel
// knows nothing that happened.
func expireUnpaid(ctx context.Context, tx Tx, id string, reports []Report, at time.Time) error {
	for _, r := range reports {
		if r.Outcome != IsOpen {
			return nil
		}
	}
	p, err := tx.PaymentForUpdate(ctx, id)
	if err != nil || !p.State.MayBecome(Expired) || at.Before(p.ExpiresAt) {
		return err
	}
	return end(ctx, tx, p, Expired, at)
}

package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// RefundWish is a refund that an operator wants to make.
type RefundWish struct {
	PaymentID string
	Amount    money.Amount
	Reason    string
	Key       string // idempotency: the same wish again is the same refund
	Operator  string
	Address   string
}

// AskRefund keeps an operator's refund and queues its way to the channel. The
// ledger moves when the channel has taken it.
func AskRefund(ctx context.Context, tx Tx, w RefundWish, at time.Time) (Refund, error) {
	p, err := tx.PaymentForUpdate(ctx, w.PaymentID)
	if err != nil {
		return Refund{}, err
	}
	why, err := remark(w.Reason)
	switch {
	case err != nil:
		return Refund{}, err
	case w.Amount.Sign() <= 0:
		return Refund{}, wallet.ErrNotPositive.On("amount")
	case w.Amount.Currency() != p.Amount.Currency():
		return Refund{}, money.ErrCurrency.On("amount")
	case len(w.Key) == 0 || len(w.Key) > longestKey:
		return Refund{}, ErrKey
	}
	r := Refund{ID: id.New(id.Refund), PaymentID: p.ID, Key: w.Key, Amount: w.Amount, State: RefundAsked, Reason: why, AskedBy: w.Operator, AskedAt: at}
	kept, first, err := tx.InsertRefund(ctx, r)
	switch {
	case err != nil:
		return kept, err
	case !first && kept.Amount != w.Amount:
		return kept, ErrRefundKnown.On("amount")
	case !first:
		return kept, nil
	case !p.State.Booked():
		return kept, ErrNotCredited.On("amount")
	}
	if err := withinLeft(ctx, tx, p); err != nil {
		return kept, err
	}
	if err := tx.QueueTopup(ctx, SendRefund{RefundID: r.ID}); err != nil {
		return kept, err
	}
	detail := p.detail()
	detail["refund"], detail["reason"], detail["refund_id"] = w.Amount.String(), why, r.ID
	return kept, tx.Audit(ctx, audit.Entry{At: at, Actor: w.Operator, Address: w.Address, Action: "payment.refund_asked", Subject: p.ID, Detail: detail})
}

// withinLeft refuses refunds that together are more than is left.
func withinLeft(ctx context.Context, tx Tx, p Payment) error {
	left, err := p.Left()
	if err != nil {
		return err
	}
	list, err := tx.RefundsOf(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.State != RefundAsked && r.State != RefundUnclear {
			continue
		}
		if left, err = left.Sub(r.Amount); err != nil {
			return err
		}
	}
	if left.Sign() < 0 {
		return ErrRefundMost.On("amount")
	}
	return nil
}

// SendRefund tells the channel of a refund and books its answer. A channel
// that does not answer is told again, with the same name for the refund, as
// long as it is sure to remember that.
func (d *Desk) SendRefund(ctx context.Context, refundID string, at time.Time) error {
	var r Refund
	var p Payment
	if err := d.Read(ctx, func(tx Tx) (err error) {
		if r, err = tx.RefundForUpdate(ctx, refundID); err != nil {
			return err
		}
		p, err = tx.PaymentForUpdate(ctx, r.PaymentID)
		return err
	}); err != nil || r.State != RefundAsked {
		return err
	}
	if at.After(r.AskedAt.Add(askRefundFor)) {
		return d.endRefund(ctx, r.ID, RefundUnclear, ProblemUnanswered, at)
	}
	channel, err := d.Channel(p.Channel)
	if err != nil {
		return fmt.Errorf("refund %s: %w", r.ID, err)
	}
	var report Report
	err = failpoint.Around("channel.refund", func() (err error) {
		report, err = channel.Refund(ctx, p, r)
		return err
	})
	if errors.Is(err, ErrRefused) {
		return d.endRefund(ctx, r.ID, RefundRefused, fault.From(err).Message, at)
	}
	if err != nil {
		return fmt.Errorf("refund %s: %w", r.ID, err)
	}
	return d.Write(ctx, func(tx Tx) error {
		kept, err := tx.RefundForUpdate(ctx, r.ID)
		if err != nil || kept.State != RefundAsked {
			return err
		}
		if err := d.answered(ctx, tx, p.Channel, report, at); err != nil {
			return err
		}
		kept.State, kept.DoneAt = RefundDone, at
		return tx.KeepRefund(ctx, kept)
	})
}

// endRefund keeps a refund that will not come about by itself.
func (d *Desk) endRefund(ctx context.Context, refundID string, s RefundState, problem string, at time.Time) error {
	return d.Write(ctx, func(tx Tx) error {
		r, err := tx.RefundForUpdate(ctx, refundID)
		if err != nil || r.State != RefundAsked {
			return err
		}
		r.State, r.Problem, r.DoneAt = s, problem, at
		if err := tx.KeepRefund(ctx, r); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{At: at, Actor: "system", Action: "payment.refund_" + string(s), Subject: r.PaymentID,
			Detail: map[string]string{"refund_id": r.ID, "refund": r.Amount.String(), "problem": problem}})
	})
}

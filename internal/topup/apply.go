package topup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/wallet"
)

// take is what a channel's word does to its payment. It may come twice, late
// and in any order: each outcome looks at what is there, and moves the ledger
// once or not at all.
func take(ctx context.Context, tx Tx, name Name, r Report, at time.Time) (verdict, error) {
	if r.Odd != "" {
		return verdict{state: NoticeParked, reason: r.Odd}, nil
	}
	p, err := find(ctx, tx, name, r)
	switch {
	case errors.Is(err, ErrUnknown):
		return verdict{state: NoticeParked, reason: ReasonUnknown}, nil
	case err != nil:
		return verdict{}, err
	case p.Channel != name:
		return parked(p, ReasonChannel), nil
	}
	switch r.Outcome {
	case WasPaid:
		return wasPaid(ctx, tx, p, r, at)
	case HasFailed:
		return cameToNothing(ctx, tx, p, Failed, at)
	case HasExpired:
		return cameToNothing(ctx, tx, p, Expired, at)
	case WasRefunded:
		return wasRefunded(ctx, tx, p, r, at)
	case RefundFailed:
		return parked(p, ReasonRefundFailed), nil
	case DisputeOpened, DisputeDecided:
		return disputed(ctx, tx, p, r, at)
	}
	return repeated(p), nil
}

// find is the payment that a report is about: by our own name for it, else by
// the channel's.
func find(ctx context.Context, tx Tx, name Name, r Report) (Payment, error) {
	if r.PaymentID != "" {
		return tx.PaymentForUpdate(ctx, r.PaymentID)
	}
	if r.Reference == "" {
		return Payment{}, ErrUnknown
	}
	return tx.PaymentByReference(ctx, name, r.Reference)
}

// wasPaid checks the money against the order and queues the credit.
func wasPaid(ctx context.Context, tx Tx, p Payment, r Report, at time.Time) (verdict, error) {
	switch {
	case r.Amount != p.Amount:
		return parked(p, ReasonAmount), nil
	case r.Reference == "":
		return parked(p, ReasonUnreadable), nil
	case !p.State.Unpaid() && r.Reference != p.Reference:
		return parked(p, ReasonTwice), nil
	case !p.State.Unpaid():
		return repeated(p), nil
	}
	p, err := p.to(Paid)
	if err != nil {
		return verdict{}, err
	}
	p.Reference, p.PaidAt, p.NextAskAt, p.Problem = r.Reference, at, time.Time{}, ""
	if p, err = keep(ctx, tx, p); err != nil {
		return verdict{}, err
	}
	return applied(p), tx.QueueTopup(ctx, Credit{PaymentID: p.ID})
}

// cameToNothing ends a payment that was not paid. Late, it says nothing: money
// that came counts more.
func cameToNothing(ctx context.Context, tx Tx, p Payment, s State, at time.Time) (verdict, error) {
	if !p.State.MayBecome(s) {
		return repeated(p), nil
	}
	return applied(p), end(ctx, tx, p, s, at)
}

func end(ctx context.Context, tx Tx, p Payment, s State, at time.Time) error {
	p, err := p.to(s)
	if err != nil {
		return err
	}
	p.NextAskAt, p.Problem = time.Time{}, ""
	if _, err := keep(ctx, tx, p); err != nil {
		return err
	}
	return note(ctx, tx, p, "payment."+string(s), nil, at)
}

// note writes to the audit log what a channel's word did.
func note(ctx context.Context, tx Tx, p Payment, action string, more map[string]string, at time.Time) error {
	detail := p.detail()
	for k, v := range more {
		detail[k] = v
	}
	if p.Reference != "" {
		detail["reference"] = p.Reference
	}
	return tx.Audit(ctx, audit.Entry{At: at, Actor: "system", Action: action, Subject: p.ID, Detail: detail})
}

// account is the payment's channel in the books.
func (p Payment) account() wallet.Account {
	return wallet.Channel(string(p.Channel), p.Amount.Currency())
}

// LedgerKey is the idempotency key of the payment's deposit.
func (p Payment) LedgerKey() string { return "topup:" + p.ID }

// Credit books a payment that was paid: once, whoever asks and however often.
// What the ledger refuses stays paid, with the reason for the operator.
func (d *Desk) Credit(ctx context.Context, paymentID string, at time.Time) error {
	var refused *fault.Error
	err := d.Write(ctx, func(tx Tx) error { return credit(ctx, tx, paymentID, at) })
	if !errors.As(err, &refused) || refused.Kind == fault.Internal || refused.Kind == fault.Unavailable {
		return err
	}
	return d.Write(ctx, func(tx Tx) error {
		p, err := tx.PaymentForUpdate(ctx, paymentID)
		if err != nil || p.State != Paid {
			return err
		}
		p.Problem = refused.Code
		_, err = keep(ctx, tx, p)
		return err
	})
}

func credit(ctx context.Context, tx Tx, paymentID string, at time.Time) error {
	p, err := tx.PaymentForUpdate(ctx, paymentID)
	if err != nil || p.State != Paid {
		return err
	}
	payer, err := tx.BillingByID(ctx, p.AccountID)
	if err != nil {
		return err
	}
	took, err := wallet.Take(ctx, tx, wallet.Incoming{Key: p.LedgerKey(), Cause: p.ID, Payer: p.AccountID, From: p.account(), Amount: p.Amount}, at)
	if err != nil {
		return err
	}
	if p, err = p.to(Credited); err != nil {
		return err
	}
	p.CreditedAt, p.Problem = at, ""
	if p, err = keep(ctx, tx, p); err != nil {
		return err
	}
	if err := wake(ctx, tx, p); err != nil {
		return err
	}
	if err := note(ctx, tx, p, "payment.credited", nil, at); err != nil {
		return err
	}
	return tx.Announce(ctx, wallet.CashCredited{
		Payer: payer.ID, UserName: payer.UserName, Email: payer.Email, Language: payer.Language,
		Amount: p.Amount, PaidDebt: took.PaidDebt, Cash: took.After.Cash, Owed: took.After.Owed,
		Channel: string(p.Channel), Reference: p.Reference, CreditedAt: at,
	})
}

// wake queues the notices that came before the credit that they need.
func wake(ctx context.Context, tx Tx, p Payment) error {
	list, err := tx.NoticesFor(ctx, p)
	if err != nil {
		return err
	}
	for _, n := range list {
		n.State, n.Reason = NoticeReceived, ""
		if err := tx.KeepNotice(ctx, n); err != nil {
			return err
		}
		if err := tx.QueueTopup(ctx, Apply{NoticeID: n.ID}); err != nil {
			return err
		}
	}
	return nil
}

// wasRefunded books what went back since the last word. The channel tells the
// sum of all refunds, so that words that come twice or out of order add nothing.
func wasRefunded(ctx context.Context, tx Tx, p Payment, r Report, at time.Time) (verdict, error) {
	if !p.State.Booked() {
		return waiting(p), nil
	}
	fresh, err := r.Amount.Sub(p.Refunded)
	switch {
	case err != nil || r.Amount.Currency() != p.Amount.Currency():
		return parked(p, ReasonAmount), nil
	case fresh.Sign() <= 0:
		return repeated(p), nil
	}
	left, err := p.Left()
	if err != nil {
		return verdict{}, err
	}
	if fresh.Minor() > left.Minor() {
		return parked(p, ReasonExcess), nil
	}
	out := wallet.Outgoing{
		Key: fmt.Sprintf("%s:refunded:%d", p.LedgerKey(), r.Amount.Minor()), Kind: wallet.Refund,
		Cause: p.ID, Payer: p.AccountID, To: p.account(), Amount: fresh,
	}
	p.Refunded = r.Amount
	if p.Refunded == p.Amount {
		if p, err = p.to(Refunded); err != nil {
			return verdict{}, err
		}
	}
	return applied(p), giveBack(ctx, tx, p, out, "payment.refunded", at)
}

// giveBack moves the money, keeps the payment and tells the payer.
func giveBack(ctx context.Context, tx Tx, p Payment, out wallet.Outgoing, action string, at time.Time) error {
	payer, err := tx.BillingByID(ctx, p.AccountID)
	if err != nil {
		return err
	}
	gone, err := wallet.GiveBack(ctx, tx, out, at)
	if err != nil {
		return err
	}
	if p, err = keep(ctx, tx, p); err != nil {
		return err
	}
	more := map[string]string{"back": out.Amount.String(), "debt": gone.Debt.String()}
	if err := note(ctx, tx, p, action, more, at); err != nil {
		return err
	}
	return tx.Announce(ctx, wallet.CashReversed{
		Payer: payer.ID, UserName: payer.UserName, Email: payer.Email, Language: payer.Language,
		Kind: out.Kind, Amount: out.Amount, Debt: gone.Debt, Cash: gone.After.Cash, Owed: gone.After.Owed,
		Channel: string(p.Channel), Reference: p.Reference, ReversedAt: at,
	})
}

// disputed follows a dispute: it takes the money when it opens, and gives it
// back when it is won. Its words may come in any order; the last decides.
func disputed(ctx context.Context, tx Tx, p Payment, r Report, at time.Time) (verdict, error) {
	if !p.State.Booked() {
		return waiting(p), nil
	}
	d, known, err := tx.DisputeOf(ctx, p.Channel, r.Dispute)
	switch {
	case err != nil:
		return verdict{}, err
	case known && d.PaymentID != p.ID:
		return parked(p, ReasonUnknown), nil
	case r.Amount.Currency() != p.Amount.Currency() || r.Amount.Sign() <= 0 || known && d.Amount != r.Amount:
		return parked(p, ReasonAmount), nil
	}
	if !known {
		d = Dispute{Channel: p.Channel, Reference: r.Dispute, PaymentID: p.ID, Amount: r.Amount, OpenedAt: at}
	}
	switch {
	case r.Outcome == DisputeOpened && known:
		return repeated(p), nil
	case r.Outcome == DisputeOpened:
		d.State = DisputeIsOpen
		return withhold(ctx, tx, p, d, at)
	case d.State == DisputeIsOpen || !known:
		return decideDispute(ctx, tx, p, d, r.Won, known, at)
	case r.Won != (d.State == DisputeWasWon):
		return parked(p, ReasonContradicts), nil
	}
	return repeated(p), nil
}

// withhold takes the disputed money back, as the payer's bank did.
func withhold(ctx context.Context, tx Tx, p Payment, d Dispute, at time.Time) (verdict, error) {
	left, err := p.Left()
	if err != nil {
		return verdict{}, err
	}
	if d.Amount.Minor() > left.Minor() || !p.State.MayBecome(Disputed) {
		return parked(p, ReasonExcess), nil
	}
	if p.Withheld, err = p.Withheld.Add(d.Amount); err != nil {
		return verdict{}, err
	}
	if p, err = p.to(Disputed); err != nil {
		return verdict{}, err
	}
	if d.State == DisputeWasLost {
		if p, err = p.to(DisputeLost); err != nil {
			return verdict{}, err
		}
	}
	if err := tx.KeepDispute(ctx, d); err != nil {
		return verdict{}, err
	}
	out := wallet.Outgoing{
		Key: p.LedgerKey() + ":dispute:" + d.Reference, Kind: wallet.Chargeback,
		Cause: p.ID, Payer: p.AccountID, To: p.account(), Amount: d.Amount,
	}
	return applied(p), giveBack(ctx, tx, p, out, "payment."+string(p.State), at)
}

// decideDispute ends a dispute: won, the money comes again; lost, it stays away.
func decideDispute(ctx context.Context, tx Tx, p Payment, d Dispute, won, known bool, at time.Time) (verdict, error) {
	d.State, d.DecidedAt = DisputeWasLost, at
	if won {
		d.State = DisputeWasWon
	}
	switch {
	case !known && !won: // its opening is still on the way
		return withhold(ctx, tx, p, d, at)
	case !known: // nothing was taken, nothing comes back
		return applied(p), tx.KeepDispute(ctx, d)
	}
	if err := tx.KeepDispute(ctx, d); err != nil {
		return verdict{}, err
	}
	to := DisputeLost
	if won {
		to = DisputeWon
	}
	if p.State == Disputed {
		var err error
		if p, err = p.to(to); err != nil {
			return verdict{}, err
		}
	}
	if won {
		return applied(p), reinstate(ctx, tx, p, d, at)
	}
	p, err := keep(ctx, tx, p)
	if err != nil {
		return verdict{}, err
	}
	return applied(p), note(ctx, tx, p, "payment.dispute_lost", nil, at)
}

// reinstate credits again what a dispute had taken.
func reinstate(ctx context.Context, tx Tx, p Payment, d Dispute, at time.Time) error {
	payer, err := tx.BillingByID(ctx, p.AccountID)
	if err != nil {
		return err
	}
	if p.Withheld, err = p.Withheld.Sub(d.Amount); err != nil {
		return err
	}
	took, err := wallet.Take(ctx, tx, wallet.Incoming{
		Key: p.LedgerKey() + ":won:" + d.Reference, Kind: wallet.Returned,
		Cause: p.ID, Payer: p.AccountID, From: p.account(), Amount: d.Amount,
	}, at)
	if err != nil {
		return err
	}
	if p, err = keep(ctx, tx, p); err != nil {
		return err
	}
	if err := note(ctx, tx, p, "payment.dispute_won", nil, at); err != nil {
		return err
	}
	return tx.Announce(ctx, wallet.CashCredited{
		Payer: payer.ID, UserName: payer.UserName, Email: payer.Email, Language: payer.Language,
		Amount: d.Amount, PaidDebt: took.PaidDebt, Cash: took.After.Cash, Owed: took.After.Owed,
		Channel: string(p.Channel), Reference: p.Reference, CreditedAt: at,
	})
}

package marketplace

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/workspace"
)

// Faults of decisions about records.
var (
	ErrDecided      = fault.New(fault.Conflict, "usage_record_decided", "This record needs no decision: the cloud has it, it is on its way, or somebody decided before.")
	ErrVerdict      = fault.New(fault.Invalid, "usage_verdict_unknown", "Choose what is to become of the record: taken, again, resend or written_off.")
	ErrRemark       = fault.New(fault.Invalid, "usage_remark", "Enter the reason, at most 256 characters.")
	ErrTooLate      = fault.New(fault.Conflict, "usage_record_too_late", "The cloud no longer takes this record. Charge it again with the next one, or write it off.")
	ErrNothingLater = fault.New(fault.Conflict, "usage_subscription_over", "The subscription has ended, so that there is no later record. Write it off, and settle it with the payer otherwise.")
)

// Verdict is what an operator decides of a record with which money may be lost,
// having looked at the cloud.
type Verdict string

// The verdicts.
const (
	IsTaken  Verdict = "taken"       // the cloud has it
	Again    Verdict = "again"       // the cloud has it not: its money is sealed into the next record
	Resend   Verdict = "resend"      // it goes out again as it is
	WriteOff Verdict = "written_off" // nobody collects it
)

// Verdicts lists them.
func Verdicts() []Verdict { return []Verdict{IsTaken, Again, Resend, WriteOff} }

// DecideTx is what a decision needs of a transaction.
type DecideTx interface {
	SealTx
	// UsageRecordKept finds a record, kept from other writers, or ErrRecord.
	UsageRecordKept(ctx context.Context, id string) (Record, error)
	// SaveVerdict keeps what was decided of a record that was in the state.
	SaveVerdict(ctx context.Context, r Record, before RecordState) error
	Audit(ctx context.Context, e audit.Entry) error
}

const longestRemark = 256

// Decide keeps an operator's verdict. The caller has seen to it that the
// operator may.
func Decide(ctx context.Context, tx DecideTx, recordID string, v Verdict, remark string, operator workspace.Actor, at time.Time) (Record, error) {
	remark = strings.TrimSpace(remark)
	if n := utf8.RuneCountInString(remark); n == 0 || n > longestRemark || !utf8.ValidString(remark) {
		return Record{}, ErrRemark.On("reason")
	}
	r, err := tx.UsageRecordKept(ctx, recordID)
	if err != nil {
		return r, err
	}
	before := r.State
	if !before.Lost() {
		return r, ErrDecided
	}
	switch v {
	case IsTaken:
		r = r.decide(Accepted, remark, at)
	case WriteOff:
		r = r.decide(WrittenOff, remark, at)
	case Resend:
		if !at.Before(r.Deadline) {
			return r, ErrTooLate
		}
		r.State, r.NextAt, r.Reason, r.DecidedAt = Waiting, at, remark, time.Time{}
		if r.unsure() {
			r.State = Sent
		}
	case Again:
		if r, err = reissue(ctx, tx, r, remark, at); err != nil {
			return r, err
		}
	default:
		return r, ErrVerdict.On("verdict")
	}
	r.DecidedBy = operator.AccountID
	if err := tx.SaveVerdict(ctx, r, before); err != nil {
		return r, err
	}
	return r, tx.Audit(ctx, audit.Entry{
		At: at, Actor: operator.AccountID, Address: operator.Address, Action: "usage_record.decided", Subject: r.ID,
		Detail: map[string]string{"before": string(before), "verdict": string(v), "amount": r.Amount.String(), "currency": string(r.Amount.Currency()), "reason": remark},
	})
}

// reissue carries the money of a record to the next one of its subscription. A
// sealed record itself never changes its value.
func reissue(ctx context.Context, tx DecideTx, r Record, remark string, at time.Time) (Record, error) {
	s, err := tx.SubscriptionKept(ctx, r.SubscriptionID)
	if err != nil {
		return r, err
	}
	if s.Over() {
		return r, ErrNothingLater
	}
	carried, err := tx.CarriedOf(ctx, s.ID, r.Amount.Currency())
	if err != nil {
		return r, err
	}
	if carried, err = carried.Add(r.Amount); err != nil {
		return r, err
	}
	if err := tx.SetCarried(ctx, s.ID, carried); err != nil {
		return r, err
	}
	r = r.decide(Reissued, remark, at)
	r.Taken, r.Returned = money.Of(0, r.Amount.Currency()), r.Amount
	return r, nil
}

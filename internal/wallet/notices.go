package wallet

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// Reader is the payer whom an event is told to.
type Reader struct {
	Payer    string // the Billing Center account's ID
	UserName string
	Email    string
	Language string
}

func readerOf(a account.Billing) Reader { return Reader{a.ID, a.UserName, a.Email, a.Language} }

// SourceIssued happens when a voucher or card came about, whoever gave, bought
// or activated it. Domain section 14 asks for these notices as our choice.
type SourceIssued struct {
	Reader
	Source   Source
	Earned   Source // the voucher that the purchase of a card earned; its ID is empty where there is none
	IssuedAt time.Time
}

// SourcesExpiring happens when vouchers and cards with something left on them
// end within WarnBefore.
type SourcesExpiring struct {
	Reader
	Sources  []Source
	WarnedAt time.Time
}

// SourceLapsed happens when one ended with something left on it.
type SourceLapsed struct {
	Reader
	Source   Source
	Left     money.Amount
	LapsedAt time.Time
}

// WarnBefore is how long before the end of a voucher or card its payer is told.
const WarnBefore = 7 * 24 * time.Hour

// Warn is the job that tells a payer of vouchers and cards that end soon.
type Warn struct {
	Payer string `json:"payer"`
}

// Kind names the job for the queue.
func (Warn) Kind() string { return "wallet.warn" }

// UniqueByArgs keeps one job of a payer waiting at most.
func (Warn) UniqueByArgs() bool { return true }

// WarnTx is what the warning needs of a transaction.
type WarnTx interface {
	// TakeEnding marks the payer's vouchers and cards that end by the instant
	// as told of, and gives those that were not, with their balances.
	TakeEnding(ctx context.Context, payer string, by time.Time) ([]Source, error)
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Announce(ctx context.Context, event any) error
}

// WarnOfEnd tells a payer, once each, of the vouchers and cards that end within
// WarnBefore and still hold something.
func WarnOfEnd(ctx context.Context, tx WarnTx, payerID string, at time.Time) error {
	ending, err := tx.TakeEnding(ctx, payerID, at.Add(WarnBefore))
	if err != nil {
		return err
	}
	event := SourcesExpiring{WarnedAt: at}
	for _, s := range ending {
		if s.State(at) == Usable {
			event.Sources = append(event.Sources, s)
		}
	}
	if len(event.Sources) == 0 {
		return nil
	}
	payer, err := tx.BillingByID(ctx, payerID)
	if err != nil {
		return err
	}
	event.Reader = readerOf(payer)
	return tx.Announce(ctx, event)
}

// LastDay is the last day on which something holds that is over at the
// instant; ok is false when it ends within a day.
func LastDay(ends time.Time, zone *time.Location) (day period.Day, ok bool) {
	day = period.DayOf(ends.Add(-time.Microsecond), zone)
	return day, day.End(zone).Equal(ends)
}

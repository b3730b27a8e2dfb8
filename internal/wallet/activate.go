package wallet

import (
	"context"
	"errors"
	"strconv"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
)

// Faults of activation (domain section 10.1).
var (
	ErrActivationForm     = fault.New(fault.Invalid, "activation_code_mistyped", "This is no activation code: it has 16 letters and digits, and one of these is wrong or missing. Compare it with yours.")
	ErrActivationUnknown  = fault.New(fault.NotFound, "activation_code_unknown", "There is no such activation code. Compare it with yours.")
	ErrActivationUsed     = fault.New(fault.Conflict, "activation_code_used", "This code has been used. A code can be activated once.")
	ErrActivationExpired  = fault.New(fault.Gone, "activation_code_expired", "This code has expired. Ask whoever gave it to you for another one.")
	ErrActivationRevoked  = fault.New(fault.Gone, "activation_code_revoked", "This code has been withdrawn. Ask whoever gave it to you.")
	ErrActivationCurrency = fault.New(fault.Conflict, "activation_code_currency", "This code is for accounts of another currency.")
	ErrActivationTries    = fault.New(fault.TooMany, "activation_too_many_tries", "Too many codes that did not work. Try again in an hour.")
)

// OwnSource is the figure of ErrActivationUsed that names what came of the code
// when it was this very account that used it.
const OwnSource = "source"

// How many codes that do not work an account, and an address, may try in a
// window of time. A code has 75 random bits: so nobody finds one.
const (
	TriesPerAccount = 10
	TriesPerAddress = 50
	TryWindow       = time.Hour
)

// CodeTx is what activation needs of a transaction.
type CodeTx interface {
	SourceTx
	// TakeTry counts a try of the subject unless there were most within the
	// window: then it gives when the window ends, and counts nothing. Other
	// tries of the subject wait until the transaction ends.
	TakeTry(ctx context.Context, subject string, most int, window time.Duration, at time.Time) (until time.Time, err error)
	// GiveBackTry takes back the last try.
	GiveBackTry(ctx context.Context, subject string) error
	// CodeForUpdate finds a code by its hash and its batch, kept from other
	// writers, or ErrActivationUnknown.
	CodeForUpdate(ctx context.Context, hash string) (Code, Batch, error)
	// UseCode keeps who activated an unused code, else ErrActivationUsed.
	UseCode(ctx context.Context, c Code) error
	Secret(ctx context.Context, name string) ([]byte, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// Attempt is somebody's wish to activate a code.
type Attempt struct {
	Payer   account.Billing
	Text    string // as it was typed
	Address string // from where
}

// Activate turns a code into the voucher or card that it stands for, exactly
// once. A code that does not work costs a try, so that the caller keeps the
// transaction when Counted says so.
func Activate(ctx context.Context, tx CodeTx, a Attempt, at time.Time) (Source, error) {
	subjects := []struct {
		name string
		most int
	}{{"account:" + a.Payer.ID, TriesPerAccount}, {"address:" + a.Address, TriesPerAddress}}
	for _, s := range subjects {
		until, err := tx.TakeTry(ctx, s.name, s.most, TryWindow, at)
		if err != nil {
			return Source{}, err
		}
		if !until.IsZero() {
			wait := until.Sub(at)
			return Source{}, ErrActivationTries.On("code").With("retry_after", int64((wait+time.Second-1)/time.Second))
		}
	}
	s, err := a.activate(ctx, tx, at)
	if err != nil {
		return s, err
	}
	for _, subject := range subjects { // it was no guess
		if err := tx.GiveBackTry(ctx, subject.name); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (a Attempt) activate(ctx context.Context, tx CodeTx, at time.Time) (Source, error) {
	text, ok := typed(a.Text)
	if !ok {
		return Source{}, ErrActivationForm.On("code")
	}
	secret, err := tx.Secret(ctx, codeSecret)
	if err != nil {
		return Source{}, err
	}
	c, b, err := tx.CodeForUpdate(ctx, hashed(secret, text))
	if err == nil {
		err = c.usable(b, a.Payer, at)
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return Source{}, f.On("code")
	} else if err != nil {
		return Source{}, err
	}
	s, err := Give(ctx, tx, a.Payer, Grant{
		Payment: b.Payment, Face: b.Face, ExpiresAt: b.Holds.Ends(at, Zone(b.Face.Currency())), Origin: Activated, From: b.ID, Tail: c.Tail,
	}, at)
	if err != nil {
		return s, err
	}
	c.Payer, c.SourceID, c.UsedAt = a.Payer.ID, s.ID, at
	if err := tx.UseCode(ctx, c); err != nil {
		return s, err
	}
	return s, tx.Audit(ctx, audit.Entry{
		At: at, Actor: a.Payer.ID, Address: a.Address, Action: "code.activated", Subject: s.ID,
		Detail: map[string]string{"batch": b.ID, "number": strconv.Itoa(c.Number), "kind": string(b.Payment), "face": b.Face.String(), "currency": string(b.Face.Currency())},
	})
}

// usable says why a code cannot be activated by the payer, if it cannot.
func (c Code) usable(b Batch, payer account.Billing, at time.Time) error {
	closes := b.Closes()
	switch {
	case !c.UsedAt.IsZero() && c.Payer == payer.ID:
		return ErrActivationUsed.With(OwnSource, c.SourceID)
	case !c.UsedAt.IsZero():
		return ErrActivationUsed
	case !c.RevokedAt.IsZero():
		return ErrActivationRevoked
	case !closes.IsZero() && !at.Before(closes):
		return ErrActivationExpired
	case b.Face.Currency() != payer.Currency:
		return ErrActivationCurrency.With("currency", string(b.Face.Currency()))
	}
	return nil
}

// counted are the refusals that cost a try.
var counted = []*fault.Error{
	ErrActivationForm, ErrActivationUnknown, ErrActivationUsed, ErrActivationExpired, ErrActivationRevoked, ErrActivationCurrency, ErrActivationTries,
}

// Counted reports whether a refusal of Activate has cost a try, which must be
// kept with it. An account's own code that it sends again costs none.
func Counted(err error) bool {
	if f := fault.From(err); f != nil && f.Args[OwnSource] != nil {
		return false
	}
	for _, f := range counted {
		if errors.Is(err, f) {
			return true
		}
	}
	return false
}

package wallet

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Faults of batches of activation codes.
var (
	ErrBatchKind     = fault.New(fault.Invalid, "batch_kind", "Choose what the codes activate: an ordinary voucher, a full-reduction voucher or a card.")
	ErrBatchSize     = fault.New(fault.Invalid, "batch_size", "A batch has 1 to 10,000 codes.").With("most", MostCodes)
	ErrBatchValidity = fault.New(fault.Invalid, "batch_validity", "Say for how long what is activated holds: a number of days from 1 to 3,660, or a last day, not both.")
	ErrBatchOutlived = fault.New(fault.Invalid, "batch_outlived", "The codes could be activated after the last day of what they activate. Let them end by that day.")
	ErrBatchNote     = fault.New(fault.Invalid, "batch_note", "A note has at most 256 characters.")
	ErrBatchUnknown  = fault.New(fault.NotFound, "batch_unknown", "There is no such batch of codes.")
	ErrBatchExported = fault.New(fault.Conflict, "batch_exported", "These codes have been exported: they are shown once and kept nowhere. If the file is lost, revoke the batch and make another.")
	ErrCodeNotUnused = fault.New(fault.Conflict, "code_not_unused", "This code has been used or revoked already.")
)

// Bounds of a batch.
const (
	MostCodes = 10_000
	mostDays  = 3660
)

// Validity says how long a voucher or card holds: for so many days after it
// was activated, or through a day. Neither is given where it never ends, which
// only a card may.
type Validity struct {
	Days  int
	Until period.Day
}

// Ends is the instant from which on something that is issued now is over.
func (v Validity) Ends(at time.Time, zone *time.Location) time.Time {
	switch {
	case !v.Until.IsZero():
		return v.Until.End(zone)
	case v.Days > 0:
		return period.DayOf(at, zone).Add(v.Days).End(zone)
	}
	return time.Time{}
}

// Zone is the one in which a Billing Center counts days: China's for the
// domestic one, UTC for the overseas one.
func Zone(c money.Currency) *time.Location {
	if c != money.CNY {
		return time.UTC
	}
	s, err := site.Find("cn1")
	if err != nil {
		panic("wallet: " + err.Error())
	}
	return s.Zone
}

// Batch is activation codes that were made together and activate the same.
type Batch struct {
	ID         string
	Payment    Payment // what each activates: ByVoucher, ByFullReduction or ByCard
	Face       money.Amount
	Size       int
	RedeemBy   period.Day // the last day on which they can be activated; zero: none
	Holds      Validity
	Note       string
	MadeBy     string
	MadeAt     time.Time
	ExportedAt time.Time // zero: the codes do not exist yet
}

// Closes is the instant from which on the codes can no longer be activated;
// zero: none.
func (b Batch) Closes() time.Time {
	if b.RedeemBy.IsZero() {
		return time.Time{}
	}
	return b.RedeemBy.End(Zone(b.Face.Currency()))
}

// Code is one activation code as it is kept.
type Code struct {
	Hash      string
	BatchID   string
	Number    int    // in the batch, from 1
	Tail      string // its last four characters
	Payer     string // who activated it
	SourceID  string // what came of it
	UsedAt    time.Time
	RevokedAt time.Time
}

// check says everything that is wrong with a batch.
func (b Batch) check(at time.Time) error {
	var list fault.Fields
	if b.Payment != ByVoucher && b.Payment != ByFullReduction && b.Payment != ByCard {
		list = append(list, ErrBatchKind.On("kind"))
	}
	switch {
	case b.Face.Sign() <= 0:
		list = append(list, ErrNotPositive.On("amount"))
	case b.Face.Minor() > MostAmount:
		list = append(list, ErrAbsurd.On("amount"))
	case b.Payment == ByCard && !roundFace(b.Face):
		list = append(list, ErrCardFace.On("amount"))
	}
	if b.Size < 1 || b.Size > MostCodes {
		list = append(list, ErrBatchSize.On("size"))
	}
	if utf8.RuneCountInString(b.Note) > maxReason || !utf8.ValidString(b.Note) {
		list = append(list, ErrBatchNote.On("note"))
	}
	return append(list, b.checkTimes(at)...).OrNil()
}

func (b Batch) checkTimes(at time.Time) (list fault.Fields) {
	zone, none := Zone(b.Face.Currency()), b.Holds == Validity{}
	if none && b.Payment != ByCard || b.Holds.Days != 0 && !b.Holds.Until.IsZero() || b.Holds.Days < 0 || b.Holds.Days > mostDays {
		return append(list, ErrBatchValidity.On("days"))
	}
	if ends := b.Closes(); !ends.IsZero() && !at.Before(ends) {
		list = append(list, ErrExpiryPast.On("redeem_by"))
	}
	if b.Holds.Until.IsZero() {
		return list
	}
	if !at.Before(b.Holds.Until.End(zone)) {
		list = append(list, ErrExpiryPast.On("until"))
	} else if b.RedeemBy.IsZero() || b.RedeemBy.After(b.Holds.Until) {
		list = append(list, ErrBatchOutlived.On("redeem_by"))
	}
	return list
}

// roundFace reports whether a card may have the face (domain section 10.1: a
// multiple of 100).
func roundFace(face money.Amount) bool { return face.Minor()%100_00 == 0 }

// BatchTx is what batches need of a transaction.
type BatchTx interface {
	// InsertBatch keeps a new batch, without codes.
	InsertBatch(ctx context.Context, b Batch) error
	// BatchForUpdate finds a batch, kept from other writers, or ErrBatchUnknown.
	BatchForUpdate(ctx context.Context, id string) (Batch, error)
	// InsertCodes keeps the codes of a batch that had none, else ErrBatchExported.
	InsertCodes(ctx context.Context, b Batch, codes []Code) error
	// RevokeCodes ends the unused codes of a batch, all or the one of a number,
	// and gives how many.
	RevokeCodes(ctx context.Context, batchID string, number int, at time.Time) (int64, error)
	// Secret is a key of the installation, made when it is first asked for.
	Secret(ctx context.Context, name string) ([]byte, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// By is who does something for the platform, and from where.
type By struct {
	Operator string
	Address  string
}

// MakeBatch keeps what codes there shall be. They are made when they are
// exported.
func MakeBatch(ctx context.Context, tx BatchTx, b Batch, by By, at time.Time) (Batch, error) {
	b.Note = strings.TrimSpace(b.Note)
	if err := b.check(at); err != nil {
		return b, err
	}
	b.ID, b.MadeBy, b.MadeAt = id.New(id.Batch), by.Operator, at
	if err := tx.InsertBatch(ctx, b); err != nil {
		return b, err
	}
	return b, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.Operator, Address: by.Address, Action: "codes.batch_made", Subject: b.ID,
		Detail: map[string]string{
			"kind": string(b.Payment), "face": b.Face.String(), "currency": string(b.Face.Currency()), "codes": strconv.Itoa(b.Size),
			"redeem_by": b.RedeemBy.String(), "days": strconv.Itoa(b.Holds.Days), "until": b.Holds.Until.String(), "note": b.Note,
		},
	})
}

// codeSecret names the key by which codes are hashed.
const codeSecret = "wallet.codes"

// Export makes the codes of a batch and gives them as people read them, once:
// what is kept of them is a hash and the last four characters.
func Export(ctx context.Context, tx BatchTx, batchID string, by By, at time.Time) (Batch, []string, error) {
	b, err := tx.BatchForUpdate(ctx, batchID)
	switch {
	case err != nil:
		return b, nil, err
	case !b.ExportedAt.IsZero():
		return b, nil, ErrBatchExported
	}
	secret, err := tx.Secret(ctx, codeSecret)
	if err != nil {
		return b, nil, err
	}
	texts, codes := make([]string, b.Size), make([]Code, b.Size)
	for i := range codes {
		text := newCode()
		texts[i] = shown(text)
		codes[i] = Code{Hash: hashed(secret, text), BatchID: b.ID, Number: i + 1, Tail: tail(text)}
	}
	b.ExportedAt = at
	if err := tx.InsertCodes(ctx, b, codes); err != nil {
		return b, nil, err
	}
	return b, texts, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.Operator, Address: by.Address, Action: "codes.exported", Subject: b.ID, Detail: map[string]string{"codes": strconv.Itoa(b.Size)},
	})
}

// Revoke ends the unused codes of a batch: all of them, or the one of a number
// (from 1). What was activated stays.
func Revoke(ctx context.Context, tx BatchTx, batchID string, number int, by By, at time.Time) (int64, error) {
	if _, err := tx.BatchForUpdate(ctx, batchID); err != nil {
		return 0, err
	}
	n, err := tx.RevokeCodes(ctx, batchID, number, at)
	switch {
	case err != nil:
		return 0, err
	case n == 0 && number > 0:
		return 0, ErrCodeNotUnused
	case n == 0:
		return 0, nil
	}
	detail := map[string]string{"codes": strconv.FormatInt(n, 10)}
	if number > 0 {
		detail["number"] = strconv.Itoa(number)
	}
	return n, tx.Audit(ctx, audit.Entry{At: at, Actor: by.Operator, Address: by.Address, Action: "codes.revoked", Subject: batchID, Detail: detail})
}

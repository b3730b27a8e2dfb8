package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// secretBytes is the length of a key of the installation.
const secretBytes = 32

// Secret is a key of the installation, made when it is first asked for. It
// never changes after.
func (tx *Tx) Secret(ctx context.Context, name string) ([]byte, error) {
	name = "secret." + name
	text, ok, err := tx.Setting(ctx, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		key := make([]byte, secretBytes)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("make a key: %w", err)
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO setting (name, value)
			VALUES ($1, $2)
			ON CONFLICT (name) DO NOTHING`, name, base64.StdEncoding.EncodeToString(key)); err != nil {
			return nil, fmt.Errorf("keep a key: %w", err)
		}
		if text, _, err = tx.Setting(ctx, name); err != nil { // another process may have been first
			return nil, err
		}
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != secretBytes {
		return nil, fmt.Errorf("setting %s is not %d bytes in base64", name, secretBytes)
	}
	return key, nil
}

const batchColumns = `b.id, b.payment, b.currency, b.face, b.size, b.redeem_by, b.holds_days, b.holds_until, b.note, b.made_by, b.made_at, b.exported_at`

// batchFields are where the columns of a batch go, and what makes the batch of
// them once they are read.
func batchFields(b *wallet.Batch) (fields []any, finish func() error) {
	var currency, redeem, until string
	var face, size, days, made, exported int64
	fields = []any{&b.ID, &b.Payment, &currency, &face, &size, &redeem, &days, &until, &b.Note, &b.MadeBy, &made, &exported}
	return fields, func() error {
		b.Face, b.Size, b.Holds.Days = money.Of(face, money.Currency(currency)), int(size), int(days)
		b.MadeAt, b.ExportedAt = period.FromMicros(made), period.FromMicros(exported)
		for text, day := range map[*string]*period.Day{&redeem: &b.RedeemBy, &until: &b.Holds.Until} {
			if *text == "" {
				continue
			}
			if err := day.UnmarshalText([]byte(*text)); err != nil {
				return err
			}
		}
		return nil
	}
}

func scanBatch(r Row) (wallet.Batch, error) {
	var b wallet.Batch
	fields, finish := batchFields(&b)
	err := r.Scan(fields...)
	if errors.Is(err, ErrNoRows) {
		return b, wallet.ErrBatchUnknown
	}
	if err != nil {
		return b, fmt.Errorf("read a batch of codes: %w", err)
	}
	return b, finish()
}

// InsertBatch keeps a new batch, without codes.
func (tx *Tx) InsertBatch(ctx context.Context, b wallet.Batch) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO code_batch (id, payment, currency, face, size, redeem_by, holds_days, holds_until, note, made_by, made_at, exported_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
		b.ID, string(b.Payment), string(b.Face.Currency()), b.Face.Minor(), int64(b.Size), b.RedeemBy.String(),
		int64(b.Holds.Days), b.Holds.Until.String(), b.Note, b.MadeBy, period.Micros(b.MadeAt))
	return err
}

// BatchForUpdate finds a batch, kept from other writers, or
// wallet.ErrBatchUnknown.
func (tx *Tx) BatchForUpdate(ctx context.Context, id string) (wallet.Batch, error) {
	return scanBatch(tx.QueryRow(ctx, `
		SELECT `+batchColumns+`
		FROM code_batch b
		WHERE b.id = $1`+tx.lockWrites(), id))
}

var codeInsert = strings.Fields(`hash batch_id number tail payer source_id used_at revoked_at`)

// InsertCodes keeps the codes of a batch that had none, else
// wallet.ErrBatchExported.
func (tx *Tx) InsertCodes(ctx context.Context, b wallet.Batch, codes []wallet.Code) error {
	n, err := tx.Exec(ctx, `
		UPDATE code_batch
		SET exported_at = $2
		WHERE id = $1
			AND exported_at = 0`, b.ID, period.Micros(b.ExportedAt))
	if err := exactlyOne(n, err, wallet.ErrBatchExported); err != nil {
		return err
	}
	return tx.insertMany(ctx, "activation_code", codeInsert, len(codes), func(i int, to *Fields) {
		c := &codes[i]
		to.Text(c.Hash)
		to.Text(c.BatchID)
		to.Int(int64(c.Number))
		to.Text(c.Tail)
		to.Text("")
		to.Text("")
		to.Int(0)
		to.Int(0)
	})
}

// RevokeCodes ends the unused codes of a batch, all of them or the one of a
// number (from 1), and gives how many.
func (tx *Tx) RevokeCodes(ctx context.Context, batchID string, number int, at time.Time) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE activation_code
		SET revoked_at = $3
		WHERE batch_id = $1
			AND ($2 = 0 OR number = $2)
			AND used_at = 0
			AND revoked_at = 0`, batchID, int64(number), period.Micros(at))
}

const codeColumns = `c.hash, c.batch_id, c.number, c.tail, c.payer, c.source_id, c.used_at, c.revoked_at`

func codeFields(c *wallet.Code) (fields []any, finish func()) {
	var number, used, revoked int64
	return []any{&c.Hash, &c.BatchID, &number, &c.Tail, &c.Payer, &c.SourceID, &used, &revoked}, func() {
		c.Number, c.UsedAt, c.RevokedAt = int(number), period.FromMicros(used), period.FromMicros(revoked)
	}
}

// CodeForUpdate finds a code by its hash and its batch, the code kept from
// other writers, or wallet.ErrActivationUnknown.
func (tx *Tx) CodeForUpdate(ctx context.Context, hash string) (wallet.Code, wallet.Batch, error) {
	var c wallet.Code
	fields, finish := codeFields(&c)
	err := tx.QueryRow(ctx, `
		SELECT `+codeColumns+`
		FROM activation_code c
		WHERE c.hash = $1`+tx.lockWrites(), hash).Scan(fields...)
	if errors.Is(err, ErrNoRows) {
		return c, wallet.Batch{}, wallet.ErrActivationUnknown
	}
	if err != nil {
		return c, wallet.Batch{}, fmt.Errorf("read a code: %w", err)
	}
	finish()
	b, err := scanBatch(tx.QueryRow(ctx, `
		SELECT `+batchColumns+`
		FROM code_batch b
		WHERE b.id = $1`, c.BatchID))
	return c, b, err
}

// UseCode keeps who activated an unused code, else wallet.ErrActivationUsed.
func (tx *Tx) UseCode(ctx context.Context, c wallet.Code) error {
	n, err := tx.Exec(ctx, `
		UPDATE activation_code
		SET payer = $2, source_id = $3, used_at = $4
		WHERE hash = $1
			AND used_at = 0
			AND revoked_at = 0`, c.Hash, c.Payer, c.SourceID, period.Micros(c.UsedAt))
	return exactlyOne(n, err, wallet.ErrActivationUsed)
}

// TakeTry counts a try of the subject unless there were most within the
// window: then it gives when the window ends, and counts nothing. Other tries
// of the subject wait until the transaction ends.
func (tx *Tx) TakeTry(ctx context.Context, subject string, most int, window time.Duration, at time.Time) (time.Time, error) {
	now, old := period.Micros(at), period.Micros(at.Add(-window))
	taken, err := tx.Exec(ctx, `
		INSERT INTO activation_try (subject, tries, since)
		VALUES ($1, 1, $2)
		ON CONFLICT (subject) DO UPDATE
		SET tries = CASE WHEN activation_try.since <= $3 THEN 1 ELSE activation_try.tries + 1 END,
			since = CASE WHEN activation_try.since <= $3 THEN $2 ELSE activation_try.since END
		WHERE activation_try.since <= $3
			OR activation_try.tries < $4`, subject, now, old, int64(most))
	if err != nil || taken == 1 {
		return time.Time{}, err
	}
	var since int64
	err = tx.QueryRow(ctx, `
		SELECT since
		FROM activation_try
		WHERE subject = $1`, subject).Scan(&since)
	return period.FromMicros(since).Add(window), err
}

// GiveBackTry takes back the last try of the subject.
func (tx *Tx) GiveBackTry(ctx context.Context, subject string) error {
	_, err := tx.Exec(ctx, `
		UPDATE activation_try
		SET tries = tries - 1
		WHERE subject = $1
			AND tries > 0`, subject)
	return err
}

// SweepTries forgets the tries from before an instant.
func (tx *Tx) SweepTries(ctx context.Context, before time.Time) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM activation_try
		WHERE since < $1`, period.Micros(before))
	return err
}

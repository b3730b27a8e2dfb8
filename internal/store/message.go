package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/message"
	"tollgate.dev/internal/period"
)

const messageColumns = `id, account_id, kind, about, args, created_at, read_at`

func scanMessage(r Row) (message.Message, error) {
	var m message.Message
	var args string
	var created, read int64
	err := r.Scan(&m.ID, &m.AccountID, &m.Kind, &m.About, &args, &created, &read)
	if errors.Is(err, ErrNoRows) {
		return m, message.ErrUnknown
	}
	if err != nil {
		return m, fmt.Errorf("read a message: %w", err)
	}
	m.CreatedAt, m.ReadAt = period.FromMicros(created), period.FromMicros(read)
	return m, json.Unmarshal([]byte(args), &m.Args)
}

// InsertMessage keeps a message to a Billing Center account.
func (tx *Tx) InsertMessage(ctx context.Context, m message.Message) error {
	args, err := json.Marshal(m.Args)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO message (`+messageColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.AccountID, m.Kind, m.About, string(args), period.Micros(m.CreatedAt), period.Micros(m.ReadAt))
	return err
}

// Message finds a message of the account, or message.ErrUnknown.
func (tx *Tx) Message(ctx context.Context, accountID, id string) (message.Message, error) {
	return scanMessage(tx.QueryRow(ctx, `
		SELECT `+messageColumns+`
		FROM message
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// MessageKey is where a page of messages ends.
type MessageKey struct {
	At time.Time
	ID string
}

// Messages lists the messages of an account before the key, the newest first.
// A zero key begins with the newest.
func (tx *Tx) Messages(ctx context.Context, accountID string, before MessageKey, limit int) ([]message.Message, error) {
	at := int64(1)<<62 - 1
	if !before.At.IsZero() {
		at = period.Micros(before.At)
	}
	rows, err := tx.Query(ctx, `
		SELECT `+messageColumns+`
		FROM message
		WHERE account_id = $1
			AND (created_at, id) < ($2, $3)
		ORDER BY created_at DESC, id DESC
		LIMIT $4`, accountID, at, before.ID, int64(limit))
	return collect(rows, err, scanMessage)
}

// UnreadMessages counts them.
func (tx *Tx) UnreadMessages(ctx context.Context, accountID string) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM message
		WHERE account_id = $1
			AND read_at = 0`, accountID).Scan(&n)
	return int(n), err
}

// ReadMessage marks a message as read; one that was stays as it is.
func (tx *Tx) ReadMessage(ctx context.Context, accountID, id string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE message
		SET read_at = $3
		WHERE account_id = $1
			AND id = $2
			AND read_at = 0`, accountID, id, period.Micros(at))
	return err
}

// ReadMessages marks all messages of the account as read.
func (tx *Tx) ReadMessages(ctx context.Context, accountID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE message
		SET read_at = $2
		WHERE account_id = $1
			AND read_at = 0`, accountID, period.Micros(at))
	return err
}

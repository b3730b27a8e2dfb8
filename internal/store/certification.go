package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/period"
)

// InsertAttachment keeps a file that a person sent.
func (tx *Tx) InsertAttachment(ctx context.Context, f attachment.File) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO attachment (id, name, type, hash, content, sent_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, f.ID, f.Name, string(f.Type), f.Hash, f.Content, period.Micros(f.SentAt))
	if err != nil {
		return fmt.Errorf("keep the file %s: %w", f.ID, err)
	}
	return nil
}

// Attachment finds a file, or attachment.ErrUnknown. Whoever asks has found
// out before that it may be seen.
func (tx *Tx) Attachment(ctx context.Context, id string) (attachment.File, error) {
	var f attachment.File
	var sent int64
	err := tx.QueryRow(ctx, `
		SELECT id, name, type, hash, content, sent_at
		FROM attachment
		WHERE id = $1`, id).Scan(&f.ID, &f.Name, &f.Type, &f.Hash, &f.Content, &sent)
	if errors.Is(err, ErrNoRows) {
		return f, attachment.ErrUnknown
	}
	f.SentAt = period.FromMicros(sent)
	return f, err
}

const certificationColumns = `id, account_id, company, taxpayer_id, scan_id, state, submitted_at, decided_by, decided_at, reason`

func scanCertification(r Row) (account.Certification, error) {
	var c account.Certification
	var submitted, decided int64
	err := r.Scan(&c.ID, &c.AccountID, &c.Enterprise.Company, &c.Enterprise.TaxpayerID, &c.ScanID, &c.State, &submitted, &c.DecidedBy, &decided, &c.Reason)
	if errors.Is(err, ErrNoRows) {
		return c, account.ErrCertificationUnknown
	}
	if err != nil {
		return c, fmt.Errorf("read a certification: %w", err)
	}
	c.SubmittedAt, c.DecidedAt = period.FromMicros(submitted), period.FromMicros(decided)
	return c, nil
}

// ReplaceCertification ends what the account submitted and nobody decided.
func (tx *Tx) ReplaceCertification(ctx context.Context, accountID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE certification
		SET state = $2, decided_by = account_id, decided_at = $3
		WHERE account_id = $1
			AND state = $4`, accountID, string(account.CertificationReplaced), period.Micros(at), string(account.CertificationSubmitted))
	return err
}

// InsertCertification keeps a submitted certification. One of an account waits
// at most: submitted twice at once, the second is
// account.ErrCertificationDecided.
func (tx *Tx) InsertCertification(ctx context.Context, c account.Certification) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO certification (`+certificationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0, '')
		ON CONFLICT DO NOTHING`,
		c.ID, c.AccountID, c.Enterprise.Company, c.Enterprise.TaxpayerID, c.ScanID, string(c.State), period.Micros(c.SubmittedAt))
	return exactlyOne(n, err, account.ErrCertificationDecided)
}

// CertificationForUpdate finds a certification, kept from other writers, or
// account.ErrCertificationUnknown.
func (tx *Tx) CertificationForUpdate(ctx context.Context, id string) (account.Certification, error) {
	return scanCertification(tx.QueryRow(ctx, `
		SELECT `+certificationColumns+`
		FROM certification
		WHERE id = $1`+tx.lockWrites(), id))
}

// DecideCertification keeps the outcome of one that is still submitted.
func (tx *Tx) DecideCertification(ctx context.Context, c account.Certification) error {
	n, err := tx.Exec(ctx, `
		UPDATE certification
		SET state = $2, decided_by = $3, decided_at = $4, reason = $5
		WHERE id = $1
			AND state = $6`,
		c.ID, string(c.State), c.DecidedBy, period.Micros(c.DecidedAt), c.Reason, string(account.CertificationSubmitted))
	return exactlyOne(n, err, account.ErrCertificationDecided)
}

// SetEnterprise keeps what the account is certified for.
func (tx *Tx) SetEnterprise(ctx context.Context, accountID string, e account.Enterprise) error {
	n, err := tx.Exec(ctx, `
		UPDATE billing_account
		SET certified_company = $2, certified_taxpayer_id = $3
		WHERE id = $1`, accountID, e.Company, e.TaxpayerID)
	return exactlyOne(n, err, account.ErrUnknown)
}

// CertificationsOf lists what an account submitted, the newest first.
func (tx *Tx) CertificationsOf(ctx context.Context, accountID string, limit int) ([]account.Certification, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+certificationColumns+`
		FROM certification
		WHERE account_id = $1
		ORDER BY submitted_at DESC, CASE WHEN state = $2 THEN 0 ELSE 1 END, id
		LIMIT $3`, accountID, string(account.CertificationSubmitted), int64(limit))
	return collect(rows, err, scanCertification)
}

// CertificationOf finds a certification of an account: another account's is as
// unknown as none.
func (tx *Tx) CertificationOf(ctx context.Context, accountID, id string) (account.Certification, error) {
	return scanCertification(tx.QueryRow(ctx, `
		SELECT `+certificationColumns+`
		FROM certification
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// CertificationQueue lists those that wait for the operator, the longest
// waiting first, from behind the one of the given ID on.
func (tx *Tx) CertificationQueue(ctx context.Context, after string, limit int) ([]account.Certification, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+certificationColumns+`
		FROM certification c
		WHERE state = $1
			AND ($2 = '' OR EXISTS (
				SELECT 1
				FROM certification a
				WHERE a.id = $2
					AND (c.submitted_at > a.submitted_at
						OR (c.submitted_at = a.submitted_at AND c.id > a.id))))
		ORDER BY submitted_at, id
		LIMIT $3`, string(account.CertificationSubmitted), after, int64(limit))
	return collect(rows, err, scanCertification)
}

// CertificationsDecided lists those that were decided, the latest first.
func (tx *Tx) CertificationsDecided(ctx context.Context, limit int) ([]account.Certification, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+certificationColumns+`
		FROM certification
		WHERE state IN ($1, $2)
		ORDER BY decided_at DESC, id
		LIMIT $3`, string(account.CertificationCertified), string(account.CertificationRejected), int64(limit))
	return collect(rows, err, scanCertification)
}

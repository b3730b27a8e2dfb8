package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
)

// link is a chain's head.
type link struct {
	n    int64
	hash string
}

// head gives the head of a chain, kept from other writers, and makes the
// chain if it is new.
func (tx *Tx) head(ctx context.Context, chain string) (link, error) {
	return tx.endOf(ctx, "chain", "name", chain)
}

// endOf is head for one of the tables that hold ends of chains.
func (tx *Tx) endOf(ctx context.Context, table, key, chain string) (l link, err error) {
	for {
		err = tx.QueryRow(ctx, `
			SELECT n, hash
			FROM `+table+`
			WHERE `+key+` = $1`+tx.lockWrites(), chain).Scan(&l.n, &l.hash)
		if !errors.Is(err, ErrNoRows) || tx.readOnly {
			return l, err
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO `+table+` (`+key+`, n, hash)
			VALUES ($1, 0, '')
			ON CONFLICT (`+key+`) DO NOTHING`, chain); err != nil {
			return link{}, fmt.Errorf("make chain %s: %w", chain, err)
		}
	}
}

// extend moves the head of a chain on by one.
func (tx *Tx) extend(ctx context.Context, chain string, next link) error {
	n, err := tx.Exec(ctx, `
		UPDATE chain
		SET n = $2, hash = $3
		WHERE name = $1
			AND n = $2 - 1`, chain, next.n, next.hash)
	return exactlyOne(n, err, fmt.Errorf("chain %s moved meanwhile", chain))
}

const auditChain = "audit"

var auditColumns = columnsOf(`n# at# actor address action subject detail hash`)

// Audit appends an entry to the audit log.
func (tx *Tx) Audit(ctx context.Context, e audit.Entry) error {
	return tx.AuditAll(ctx, []audit.Entry{e})
}

// AuditAll appends entries to the audit log.
func (tx *Tx) AuditAll(ctx context.Context, entries []audit.Entry) error {
	last, err := tx.head(ctx, auditChain)
	if err != nil {
		return err
	}
	return tx.auditBehind(ctx, last, entries)
}

// auditBehind appends entries behind the log's end, which was kept from other
// writers.
func (tx *Tx) auditBehind(ctx context.Context, last link, entries []audit.Entry) error {
	hashes, details := make([]string, len(entries)), make([]string, len(entries))
	end := last
	for i, e := range entries {
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return fmt.Errorf("encode an audit entry: %w", err)
		}
		end = link{end.n + 1, e.Hash(end.hash)}
		hashes[i], details[i] = end.hash, string(detail)
	}
	statements := tx.insertRows("audit", auditColumns, len(entries), func(i int, to []any) {
		e := entries[i]
		to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7] =
			last.n+1+int64(i), period.Micros(e.At), e.Actor, e.Address, e.Action, e.Subject, details[i], hashes[i]
	}, "")
	moved := &Statement{
		SQL: `
		UPDATE chain
		SET n = $2, hash = $3
		WHERE name = $1
			AND n = $4`,
		Args: []any{auditChain, end.n, end.hash, last.n},
	}
	if err := tx.together(ctx, "append to the audit log", append(statements, moved)...); err != nil {
		return err
	}
	return exactlyOne(moved.Rows, nil, errors.New("the audit log moved meanwhile"))
}

// auditThere makes statements that append entries to the log wherever it ends
// by then, so that its end need not be read first. The server hashes as
// audit.Entry does; they touch nothing where the log was never begun.
func auditThere(entries []audit.Entry) ([]*Statement, error) {
	all := make([]*Statement, len(entries))
	for i, e := range entries {
		detail, err := json.Marshal(e.Detail)
		if err != nil {
			return nil, fmt.Errorf("encode an audit entry: %w", err)
		}
		all[i] = &Statement{
			SQL: `
			WITH moved AS (
				UPDATE chain
				SET n = n + 1, hash = ENCODE(SHA256(CONVERT_TO(hash || E'\n' || $1, 'UTF8')), 'hex')
				WHERE name = $2
				RETURNING n, hash
			)
			INSERT INTO audit (n, at, actor, address, action, subject, detail, hash)
			SELECT n, $3, $4, $5, $6, $7, $8, hash
			FROM moved`,
			Args: []any{string(e.Text()), auditChain, period.Micros(e.At), e.Actor, e.Address, e.Action, e.Subject, string(detail)},
		}
	}
	return all, nil
}

// AuditLog lists entries from the newest back, before the given number (0 for
// the newest), optionally of one subject.
func (tx *Tx) AuditLog(ctx context.Context, subject string, before int64, limit int) ([]AuditLine, error) {
	rows, err := tx.Query(ctx, `
		SELECT n, at, actor, address, action, subject, detail, hash
		FROM audit
		WHERE ($1 = '' OR subject = $1)
			AND ($2 = 0 OR n < $2)
		ORDER BY n DESC
		LIMIT $3`, subject, before, int64(limit))
	return collect(rows, err, scanAudit)
}

// AuditLine is an entry with its place in the chain.
type AuditLine struct {
	audit.Entry
	N    int64
	Hash string
}

func scanAudit(r Row) (AuditLine, error) {
	var l AuditLine
	var at int64
	var detail string
	if err := r.Scan(&l.N, &at, &l.Actor, &l.Address, &l.Action, &l.Subject, &detail, &l.Hash); err != nil {
		return l, err
	}
	l.At = period.FromMicros(at)
	return l, json.Unmarshal([]byte(detail), &l.Detail)
}

// BrokenAudit gives the number of the first entry that does not follow from
// the one before, or 0 when the chain is whole.
func (tx *Tx) BrokenAudit(ctx context.Context) (int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT n, at, actor, address, action, subject, detail, hash
		FROM audit
		ORDER BY n`)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	last := link{}
	for rows.Next() {
		l, err := scanAudit(rows)
		if err != nil {
			return 0, err
		}
		if l.N != last.n+1 || l.Hash != l.Entry.Hash(last.hash) {
			return last.n + 1, nil
		}
		last = link{l.N, l.Hash}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if err := rows.Close(); err != nil {
		return 0, err
	}
	var head link
	err = tx.QueryRow(ctx, `
		SELECT n, hash
		FROM chain
		WHERE name = $1`, auditChain).Scan(&head.n, &head.hash)
	if errors.Is(err, ErrNoRows) && last.n == 0 {
		return 0, nil
	}
	if err == nil && head != last {
		return last.n + 1, nil
	}
	return 0, err
}

// Announce turns an event of the business into mails: each goes to the outbox
// with the job that delivers it.
func (tx *Tx) Announce(ctx context.Context, event any) error {
	mails, err := notify.Compose(event, tx.base)
	if err != nil {
		return fmt.Errorf("compose mails of %T: %w", event, err)
	}
	for _, m := range mails {
		m.ID = id.New(id.Mail)
		document, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode a mail: %w", err)
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO mail (id, kind, recipient, document, created_at, sent_at)
			VALUES ($1, $2, $3, $4, $5, 0)`, m.ID, m.Kind, m.To, string(document), period.Micros(m.CreatedAt)); err != nil {
			return fmt.Errorf("put a mail in the outbox: %w", err)
		}
		if err := tx.Enqueue(ctx, notify.Deliver{MailID: m.ID}); err != nil {
			return err
		}
	}
	return nil
}

// Mail finds a mail of the outbox and whether it was sent.
func (tx *Tx) Mail(ctx context.Context, id string) (m notify.Mail, sent time.Time, err error) {
	var document string
	var at int64
	if err := tx.QueryRow(ctx, `
		SELECT document, sent_at
		FROM mail
		WHERE id = $1`, id).Scan(&document, &at); err != nil {
		return m, sent, fmt.Errorf("read mail %s: %w", id, err)
	}
	return m, period.FromMicros(at), json.Unmarshal([]byte(document), &m)
}

// MailSent marks a mail as delivered to the mail server. Of a code nothing is
// kept: whoever reads the database later must not find it.
func (tx *Tx) MailSent(ctx context.Context, id string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE mail
		SET sent_at = $2,
			document = CASE WHEN kind = $3 THEN '{}' ELSE document END
		WHERE id = $1`, id, period.Micros(at), notify.Code)
	return err
}

// StuckMails counts mails that wait since before the instant.
func (tx *Tx) StuckMails(ctx context.Context, before time.Time) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM mail
		WHERE sent_at = 0
			AND created_at < $1`, period.Micros(before)).Scan(&n)
	return n, err
}

// Setting gives a value of the installation; ok is false when it was never set.
func (tx *Tx) Setting(ctx context.Context, name string) (value string, ok bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT value
		FROM setting
		WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, ErrNoRows) {
		return "", false, nil
	}
	return value, err == nil, err
}

// SetSetting keeps a value of the installation.
func (tx *Tx) SetSetting(ctx context.Context, name, value string) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO setting (name, value)
		VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// QueuedJobs counts the jobs that wait, run or will be tried again now; those
// put off into the future do not count.
func (tx *Tx) QueuedJobs(ctx context.Context) (int64, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM river_job
		WHERE state IN ('available', 'running', 'pending')`).Scan(&n)
	return n, err
}

// ReclaimJobs puts back into the queue what a process left running when it
// died, and gives the number of jobs. One process works the queue of a store,
// and calls this before it begins; without it the queue itself would wait for
// an hour before it took such a job for stuck.
func (tx *Tx) ReclaimJobs(ctx context.Context) (int64, error) {
	return tx.Exec(ctx, `
		UPDATE river_job
		SET state = 'available'
		WHERE state = 'running'`)
}

package sink

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
)

// batch is one Write on its way to the disk.
type batch struct {
	reports []encoded
	err     chan error
}

// encoded is a report in the form of its rows, made outside of the writer so
// that only a disk can fail there.
type encoded struct {
	Report
	day   period.Day
	parts []encodedPart // the points of the report, then those of its indexes
}

type encodedPart struct {
	Indexed
	expiresAt time.Time
	tags      []string
	fields    []string
}

// The largest group of writes that shares a commit, in reports and in records.
const (
	maxGroup        = 256
	maxGroupRecords = 100_000
)

// Write stores the reports in one commit, which others may share. When the
// context ends first the reports may be stored nevertheless; their keys make a
// second try harmless.
func (l *Local) Write(ctx context.Context, reports []Report) error {
	b := &batch{err: make(chan error, 1)}
	for _, r := range reports {
		e, err := encode(r)
		if err != nil {
			return err
		}
		b.reports = append(b.reports, e)
	}
	select {
	case l.queue <- b:
	case <-l.closed:
		return errClosed
	case <-ctx.Done():
		return fmt.Errorf("write records: %w", ctx.Err())
	}
	select {
	case err := <-b.err:
		return err
	case <-ctx.Done():
		return fmt.Errorf("write records: %w", ctx.Err())
	}
}

func encode(r Report) (encoded, error) {
	e := encoded{Report: r, day: period.DayOf(r.Received, time.UTC)}
	for _, part := range append([]Indexed{{Class: r.Class, Points: r.Points}}, r.Indexed...) {
		encoded, err := encodePart(part, r.Received)
		if err != nil {
			return e, fmt.Errorf("write records of %s: %w", r.WorkspaceID, err)
		}
		e.parts = append(e.parts, encoded)
	}
	return e, nil
}

func encodePart(r Indexed, received time.Time) (encodedPart, error) {
	keep, err := lifetime(r.Class)
	if err != nil {
		return encodedPart{}, err
	}
	e := encodedPart{Indexed: r, expiresAt: received.Add(keep)}
	e.tags, e.fields = make([]string, len(r.Points)), make([]string, len(r.Points))
	var buf []byte
	for i, p := range r.Points {
		buf = appendTags(buf[:0], p.Tags)
		e.tags[i] = string(buf)
		if i > 0 && e.tags[i-1] == e.tags[i] {
			e.tags[i] = e.tags[i-1]
		}
		buf = appendFields(buf[:0], p.Fields)
		e.fields[i] = string(buf)
	}
	return e, nil
}

func appendBase64(b []byte, s string) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(s))
	return append(b, '"')
}

// write is the one writer: it takes what has come together while the last
// group was committed, and commits it.
func (l *Local) write() {
	defer close(l.done)
	for {
		var group []*batch
		select {
		case b := <-l.queue:
			group = append(group, b)
		case <-l.closed:
			return
		}
		l.gather(&group)
		err := l.commit(group)
		for _, b := range group {
			b.err <- err
		}
	}
}

// gather adds the writes that are waiting.
func (l *Local) gather(group *[]*batch) {
	reports, records := 0, 0
	weigh := func(b *batch) {
		reports += len(b.reports)
		for _, r := range b.reports {
			for _, part := range r.parts {
				records += len(part.Points)
			}
		}
	}
	weigh((*group)[0])
	for reports < maxGroup && records < maxGroupRecords {
		select {
		case b := <-l.queue:
			weigh(b)
			*group = append(*group, b)
		default:
			return
		}
	}
}

// commit writes a group, one transaction for each day that it touches: one,
// but around midnight.
func (l *Local) commit(group []*batch) error {
	ctx := context.Background() // a commit is shared: no client's leaving ends it
	days := map[period.Day][]encoded{}
	for _, b := range group {
		for _, r := range b.reports {
			days[r.day] = append(days[r.day], r)
		}
	}
	for day, reports := range days {
		if err := l.commitDay(ctx, day, reports); err != nil {
			return fmt.Errorf("write records of %v: %w", day, err)
		}
	}
	return nil
}

func (l *Local) commitDay(ctx context.Context, day period.Day, reports []encoded) (err error) {
	writer, _, err := l.file(day, true).open(ctx)
	if err != nil {
		return err
	}
	tx, err := writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	insert, err := tx.PrepareContext(ctx, `
		INSERT INTO record (workspace_id, generation, type, name, occurred, received, class, expires_at, tags, fields, log_index)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range reports {
		fresh, err := l.remember(ctx, tx, r)
		if err != nil {
			return err
		}
		if !fresh {
			continue
		}
		for _, part := range r.parts {
			if err := insertRecords(ctx, tx, insert, r, part); err != nil {
				return err
			}
		}
	}
	return tx.Commit()
}

// remember keeps the report's key and reports whether its records are to be
// stored: not when the same report is there already, of today or yesterday.
func (l *Local) remember(ctx context.Context, tx *sql.Tx, r encoded) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO report (workspace_id, generation, report_key)
		VALUES ($1, $2, $3)
		ON CONFLICT DO NOTHING`, r.WorkspaceID, int64(r.Generation), r.Key[:])
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	if err != nil || r.Repeatable {
		return true, err
	}
	if n == 0 {
		return false, nil
	}
	yesterday := l.file(r.day.Add(-1), false)
	if yesterday == nil {
		return true, nil
	}
	_, reader, err := yesterday.open(ctx)
	if errors.Is(err, errGone) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var known int64
	err = reader.QueryRowContext(ctx, `
		SELECT COUNT(*)
		FROM report
		WHERE workspace_id = $1
			AND generation = $2
			AND report_key = $3`, r.WorkspaceID, int64(r.Generation), r.Key[:]).Scan(&known)
	return known == 0, err
}

func insertRecords(ctx context.Context, tx *sql.Tx, insert *sql.Stmt, r encoded, part encodedPart) error {
	if len(part.Points) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO class (class) VALUES ($1) ON CONFLICT DO NOTHING`, part.Class); err != nil {
		return err
	}
	for i, p := range part.Points {
		_, err := insert.ExecContext(ctx, r.WorkspaceID, int64(r.Generation), string(r.Type), p.Name, p.Time.UnixNano(),
			period.Micros(r.Received), part.Class, period.Micros(part.expiresAt), part.tags[i], part.fields[i], part.Index)
		if err != nil {
			return err
		}
	}
	return nil
}

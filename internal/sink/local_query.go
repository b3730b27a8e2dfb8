package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
)

// ahead is how far a record may lie after its receipt (meter.CheckTimes): a
// day's file has nothing later than this after its end.
const ahead = 24 * time.Hour

// place is where a record stands in the order of the answer: newest first,
// then the day of receipt and the order of arrival.
type place struct {
	occurred int64
	day      period.Day
	id       int64
}

// before reports whether p comes first in the answer.
func (p place) before(q place) int {
	return cmp.Or(cmp.Compare(q.occurred, p.occurred), q.day.Sub(p.day), cmp.Compare(q.id, p.id))
}

func (p place) String() string { return fmt.Sprintf("%d.%s.%d", p.occurred, p.day, p.id) }

func parsePlace(s string) (place, error) {
	if s == "" {
		return place{occurred: math.MaxInt64}, nil
	}
	var p place
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return p, ErrCursor
	}
	var err1, err2, err3 error
	p.occurred, err1 = strconv.ParseInt(parts[0], 10, 64)
	p.day, err2 = period.ParseDay(parts[1])
	p.id, err3 = strconv.ParseInt(parts[2], 10, 64)
	if errors.Join(err1, err2, err3) != nil {
		return p, ErrCursor
	}
	return p, nil
}

type found struct {
	place
	Record
	tags, fields string
}

// Query merges the pages of the files, the newest file first, until no older
// one can have anything newer than what is found.
func (l *Local) Query(ctx context.Context, q Query) (Page, error) {
	after, err := parsePlace(q.Before)
	if err != nil {
		return Page{}, err
	}
	q.Limit = max(1, min(q.Limit, MaxPage))
	var list []found
	for _, f := range l.newest() {
		latest := f.end().Add(ahead)
		full := len(list) > q.Limit && list[q.Limit].occurred >= latest.UnixNano()
		if full || !q.From.IsZero() && latest.Before(q.From) {
			break
		}
		for _, t := range typesOf(q) {
			if list, err = f.page(ctx, q, t, after, list); err != nil {
				return Page{}, fmt.Errorf("find records of %v: %w", f.day, err)
			}
		}
		slices.SortFunc(list, func(a, b found) int { return a.before(b.place) })
		list = list[:min(len(list), q.Limit+1)]
	}
	return cut(list, q.Limit)
}

// cut makes the page: one more than its limit was looked for, to know whether
// there is a next one.
func cut(list []found, limit int) (Page, error) {
	var page Page
	if len(list) > limit {
		list = list[:limit]
		page.Next = list[limit-1].place.String()
	}
	for _, r := range list {
		var err1, err2 error
		r.Tags, err1 = parsePairs(r.tags)
		r.Fields, err2 = parsePairs(r.fields)
		if err := errors.Join(err1, err2); err != nil {
			return Page{}, err
		}
		page.Records = append(page.Records, r.Record)
	}
	return page, nil
}

func typesOf(q Query) []meter.Type {
	if q.Type == "" {
		return meter.Types()
	}
	return []meter.Type{q.Type}
}

// where is the condition that all queries share; $1 to $8 are its arguments.
const where = `
	WHERE workspace_id = $1
		AND generation = $2
		AND type = $3
		AND occurred >= $4
		AND occurred < $5
		AND expires_at > $6
		AND ($7 = '' OR INSTR(tollgate_fold(name || ' ' || tags || ' ' || fields), $7) > 0)
		AND received >= $8`

func arguments(q Query, t meter.Type) []any {
	from, to := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		from = q.From.UnixNano()
	}
	if !q.To.IsZero() {
		to = q.To.UnixNano()
	}
	text := fold(string(appendEscaped(nil, q.Text)))
	received := int64(math.MinInt64)
	if t == meter.Metric && !q.MetricsFrom.IsZero() {
		received = period.Micros(q.MetricsFrom)
	}
	return []any{q.WorkspaceID, int64(q.Generation), string(t), from, to, period.Micros(q.At), text, received}
}

// page adds the first records of the type in this file to the list.
func (f *dayFile) page(ctx context.Context, q Query, t meter.Type, after place, list []found) ([]found, error) {
	_, reader, err := f.open(ctx)
	if errors.Is(err, errGone) {
		return list, nil
	}
	if err != nil {
		return nil, err
	}
	// Of the records at the very instant of the cursor, those of older files
	// are still to come, those of newer ones are not.
	id := int64(math.MaxInt64)
	switch d := f.day.Sub(after.day); {
	case d == 0:
		id = after.id
	case d > 0:
		id = math.MinInt64
	}
	rows, err := reader.QueryContext(ctx, `
		SELECT id, name, occurred, received, class, expires_at, tags, fields, log_index
		FROM record`+where+`
			AND occurred <= $9
			AND (occurred < $9 OR id < $10)
		ORDER BY occurred DESC, id DESC
		LIMIT $11`, append(arguments(q, t), after.occurred, id, int64(q.Limit)+1)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r := found{place: place{day: f.day}, Record: Record{Type: t}}
		var received, expires int64
		if err := rows.Scan(&r.id, &r.Name, &r.occurred, &received, &r.Class, &expires, &r.tags, &r.fields, &r.Index); err != nil {
			return nil, err
		}
		r.Time, r.Received, r.ExpiresAt = time.Unix(0, r.occurred).UTC(), period.FromMicros(received), period.FromMicros(expires)
		list = append(list, r)
	}
	return list, rows.Err()
}

// Histogram counts per step in every file that may have something.
func (l *Local) Histogram(ctx context.Context, q Query, step time.Duration) ([]Bucket, error) {
	list, err := buckets(q, step)
	if err != nil {
		return nil, err
	}
	for _, f := range l.newest() {
		if f.end().Add(ahead).Before(q.From) {
			break
		}
		for _, t := range typesOf(q) {
			if err := f.count(ctx, q, t, step, list); err != nil {
				return nil, fmt.Errorf("count records of %v: %w", f.day, err)
			}
		}
	}
	return list, nil
}

func (f *dayFile) count(ctx context.Context, q Query, t meter.Type, step time.Duration, list []Bucket) error {
	_, reader, err := f.open(ctx)
	if errors.Is(err, errGone) {
		return nil
	}
	if err != nil {
		return err
	}
	rows, err := reader.QueryContext(ctx, `
		SELECT (occurred - $4) / $9 AS step, COUNT(*)
		FROM record`+where+`
		GROUP BY step`, append(arguments(q, t), int64(step))...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i, n int64
		if err := rows.Scan(&i, &n); err != nil {
			return err
		}
		list[i].Count += n
	}
	return rows.Err()
}

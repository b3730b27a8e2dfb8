package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/period"
)

// KeepVerdict keeps what a verification found; of many findings the first ones.
func (tx *Tx) KeepVerdict(ctx context.Context, v audit.Verdict) error {
	kept := v.Findings[:min(len(v.Findings), audit.MostKept)]
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("encode a verdict: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO verdict (at, findings, document)
		VALUES ($1, $2, $3)
		ON CONFLICT (at) DO UPDATE SET
			findings = excluded.findings,
			document = excluded.document`, period.Micros(v.At), int64(len(v.Findings)), string(text))
	return err
}

// LastVerdict is what the newest verification found; its instant is zero when
// there was none.
func (tx *Tx) LastVerdict(ctx context.Context) (audit.Verdict, error) {
	var v audit.Verdict
	var at int64
	var text string
	err := tx.QueryRow(ctx, `
		SELECT at, document
		FROM verdict
		ORDER BY at DESC
		LIMIT 1`).Scan(&at, &text)
	if errors.Is(err, ErrNoRows) {
		return v, nil
	}
	if err != nil {
		return v, fmt.Errorf("read the last verdict: %w", err)
	}
	v.At = period.FromMicros(at)
	return v, json.Unmarshal([]byte(text), &v.Findings)
}

package store

import (
	"context"
	"fmt"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Credentials lists the credentials of clouds that were entered, by cloud and
// name, kept from other writers.
func (tx *Tx) Credentials(ctx context.Context) ([]marketplace.Credential, error) {
	rows, err := tx.Query(ctx, `
		SELECT cloud, name, sealed_by, box, tail, set_at, set_by
		FROM marketplace_credential
		ORDER BY cloud, name`+tx.lockWrites())
	return collect(rows, err, func(r Row) (marketplace.Credential, error) {
		var c marketplace.Credential
		var set int64
		err := r.Scan(&c.Cloud, &c.Name, &c.Sealed.Key, &c.Sealed.Box, &c.Tail, &set, &c.SetBy)
		c.SetAt = period.FromMicros(set)
		return c, err
	})
}

// SaveCredential keeps one in the place of the one before it.
func (tx *Tx) SaveCredential(ctx context.Context, c marketplace.Credential) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_credential (cloud, name, sealed_by, box, tail, set_at, set_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (cloud, name) DO UPDATE
		SET sealed_by = $3, box = $4, tail = $5, set_at = $6, set_by = $7`,
		string(c.Cloud), c.Name, c.Sealed.Key, c.Sealed.Box, c.Tail, period.Micros(c.SetAt), c.SetBy)
	if err != nil {
		return fmt.Errorf("keep a credential of %s: %w", c.Cloud, err)
	}
	return nil
}

// DropCredential forgets one, or answers marketplace.ErrCredentialUnknown.
func (tx *Tx) DropCredential(ctx context.Context, cloud site.Method, name string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM marketplace_credential
		WHERE cloud = $1
			AND name = $2`, string(cloud), name)
	return exactlyOne(n, err, marketplace.ErrCredentialUnknown)
}

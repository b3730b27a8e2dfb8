package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tollgate.dev/internal/account"
)

// UpdateBilling keeps what the holder of a Billing Center account may change:
// profile, language and password. Name and currency stay, whatever the caller
// says; the operator's switches are SetBillingSwitches'.
func (tx *Tx) UpdateBilling(ctx context.Context, a account.Billing) error {
	profile, err := json.Marshal(a.Profile)
	if err != nil {
		return fmt.Errorf("encode a profile: %w", err)
	}
	n, err := tx.Exec(ctx, `
		UPDATE billing_account
		SET password = $2, profile = $3, language = $4
		WHERE id = $1`, a.ID, a.Password, string(profile), a.Language)
	return exactlyOne(n, err, account.ErrUnknown)
}

package store

import (
	"context"

	"tollgate.dev/internal/wallet"
)

// TransfersAfter lists bank transfers, the newest first, from behind the one
// of the given ID on: of one payer, or of all where it is empty; in one state,
// or in any where it is empty.
func (tx *Tx) TransfersAfter(ctx context.Context, accountID string, state wallet.TransferState, after string, limit int) ([]wallet.Transfer, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer t
		WHERE ($1 = '' OR account_id = $1)
			AND ($2 = '' OR state = $2)
			AND ($3 = '' OR EXISTS (
				SELECT 1
				FROM transfer a
				WHERE a.id = $3
					AND (t.declared_at < a.declared_at
						OR (t.declared_at = a.declared_at AND t.id > a.id))))
		ORDER BY declared_at DESC, id
		LIMIT $4`, accountID, string(state), after, int64(limit))
	return collect(rows, err, scanTransfer)
}

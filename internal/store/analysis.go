package store

import (
	"context"

	"tollgate.dev/internal/analysis"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
)

// CostBetween sums a workspace's bills of the days from first to last.
func (tx *Tx) CostBetween(ctx context.Context, workspaceID string, c money.Currency, first, last period.Day) (analysis.Cost, error) {
	var payable, owed int64
	within, args, err := tx.daily(ctx, "bill", "day", 3, first, last)
	if err != nil {
		return analysis.Cost{}, err
	}
	err = tx.QueryRow(ctx, `
		SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT), CAST(COALESCE(SUM(owed), 0) AS BIGINT)
		FROM bill
		WHERE workspace_id = $1
			AND currency = $2
			AND `+within, append([]any{workspaceID, string(c)}, args...)...).Scan(&payable, &owed)
	return analysis.Cost{Payable: money.Of(payable, c), Arrears: money.Of(owed, c)}, err
}

package store

import (
	"context"

	"tollgate.dev/internal/bill"
)

// BillByNumber finds a bill by the number that people know it by, such as
// cn1-2026-000123, or bill.ErrUnknown.
func (tx *Tx) BillByNumber(ctx context.Context, number string) (bill.Bill, error) {
	series, seq, err := splitNumber(number)
	if err != nil {
		return bill.Bill{}, err
	}
	return scanBill(tx.QueryRow(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		WHERE b.series = $1
			AND b.seq = $2`, series, seq))
}

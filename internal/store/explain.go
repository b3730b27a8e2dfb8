package store

import (
	"context"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
)

// BillByNumber finds a bill by the number that people know it by, such as
// cn1-2026-000123, or bill.ErrUnknown.
func (tx *Tx) BillByNumber(ctx context.Context, number string) (bill.Bill, error) {
	cut := strings.LastIndexByte(number, '-')
	seq, err := strconv.ParseInt(number[cut+1:], 10, 64)
	if cut < 0 || err != nil {
		return bill.Bill{}, bill.ErrUnknown
	}
	return scanBill(tx.QueryRow(ctx, `
		SELECT `+billColumns+`
		FROM bill b
		WHERE b.series = $1
			AND b.seq = $2`, number[:cut], seq))
}

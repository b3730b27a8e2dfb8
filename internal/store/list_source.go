package store

import (
	"context"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

// SourceQuery narrows a list of vouchers and cards of all payers; what is
// empty is any.
type SourceQuery struct {
	Payer    string
	Payment  wallet.Payment
	State    wallet.SourceState // at the instant At
	Currency money.Currency
	From     period.Day // the first and the last of the days that may be their last;
	To       period.Day // those that never expire have none
	Order    string     // one of SourceOrders; empty is the first
	At       time.Time
}

// SourceOrders are the orders of a list of vouchers and cards: "-" descends.
func SourceOrders() []string { return []string{"-issued", "issued", "expires", "-expires"} }

// sourceKeys are the columns behind the orders; what never expires does so
// after everything else.
var sourceKeys = map[string]string{
	"issued": "%s.issued_at", "expires": "CASE WHEN %[1]s.expires_at = 0 THEN 9223372036854775807 ELSE %[1]s.expires_at END",
}

// sourceWhere are the conditions of a query and their values. The states are
// those of wallet.Source.State.
const sourceWhere = `
		WHERE ($1 = '' OR s.payer = $1)
			AND ($2 = '' OR s.payment = $2)
			AND ($3 = '' OR s.currency = $3)
			AND ($4 = '' OR $4 = CASE
				WHEN s.ended_at > 0 AND (s.expires_at = 0 OR s.ended_at < s.expires_at) THEN 'ended'
				WHEN s.expires_at > 0 AND s.expires_at <= $5 THEN 'expired'
				WHEN COALESCE(b.minor, 0) <= 0 THEN 'used_up'
				ELSE 'usable' END)
			AND s.expires_at >= CASE s.currency WHEN 'CNY' THEN CAST($6 AS BIGINT) ELSE CAST($7 AS BIGINT) END
			AND (CASE s.currency WHEN 'CNY' THEN CAST($8 AS BIGINT) ELSE CAST($9 AS BIGINT) END = 0
				OR s.expires_at > 0 AND s.expires_at <= CASE s.currency WHEN 'CNY' THEN CAST($8 AS BIGINT) ELSE CAST($9 AS BIGINT) END)`

func (q SourceQuery) values() []any {
	values := []any{q.Payer, string(q.Payment), string(q.Currency), string(q.State), period.Micros(q.At)}
	for _, day := range []period.Day{q.From, q.To} {
		for _, c := range []money.Currency{money.CNY, money.USD} { // a last day is one of the payer's zone
			end := int64(0)
			if !day.IsZero() {
				end = period.Micros(day.End(wallet.Zone(c)))
			}
			values = append(values, end)
		}
	}
	return values
}

// SourcesIn lists vouchers and cards of all payers that a query names, behind
// the one of the given ID.
func (tx *Tx) SourcesIn(ctx context.Context, q SourceQuery, after string, limit int) ([]wallet.Source, error) {
	condition, by := behind("s", q.Order, SourceOrders(), sourceKeys)
	rows, err := tx.Query(ctx, sourceSelect+`
		LEFT JOIN wallet_source a ON a.id = $10`+sourceWhere+`
			AND `+condition+`
		ORDER BY `+by+`
		LIMIT $11`, append(q.values(), after, int64(limit))...)
	return collect(rows, err, scanSource)
}

// CountSources counts the vouchers and cards that a query names.
func (tx *Tx) CountSources(ctx context.Context, q SourceQuery) (n int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM wallet_source s
		LEFT JOIN ledger_balance b ON b.payer = s.payer AND b.account = s.account AND b.currency = s.currency`+sourceWhere, q.values()...).Scan(&n)
	return n, err
}

// AnySource finds a voucher or card of any payer, or wallet.ErrSourceUnknown.
func (tx *Tx) AnySource(ctx context.Context, id string) (wallet.Source, error) {
	return foundSource(tx.QueryRow(ctx, sourceSelect+`WHERE s.id = $1`, id))
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/wallet"
)

const invoiceColumns = `r.id, r.account_id, r.series, r.seq, r.currency, r.total, r.user_name, r.company, r.taxpayer_id, r.profile, r.address, r.waived,
	r.requested_at, r.state, r.tax_number, r.tax_day, r.file_id, r.file_name, r.issued_by, r.issued_at, r.delivery, r.sent_by, r.sent_at, r.closed_by, r.closed_at, r.reason,
	r.red_series, r.red_seq, r.red_tax_number, r.red_tax_day`

// scanInvoice reads a request without its lines.
func scanInvoice(row Row) (invoice.Request, error) {
	var r invoice.Request
	var series, currency, profile, address, day, redSeries, redDay string
	var seq, total, waived, requested, issued, sent, closed, redSeq int64
	err := row.Scan(&r.ID, &r.AccountID, &series, &seq, &currency, &total, &r.UserName, &r.Enterprise.Company, &r.Enterprise.TaxpayerID, &profile, &address, &waived,
		&requested, &r.State, &r.TaxNumber, &day, &r.FileID, &r.FileName, &r.IssuedBy, &issued, &r.Delivery, &r.SentBy, &sent, &r.ClosedBy, &closed, &r.Reason,
		&redSeries, &redSeq, &r.Red.TaxNumber, &redDay)
	if errors.Is(err, ErrNoRows) {
		return r, invoice.ErrUnknown
	}
	if err != nil {
		return r, fmt.Errorf("read an invoice request: %w", err)
	}
	r.Number, r.Total, r.Waived = bill.Number(series, seq), money.Of(total, money.Currency(currency)), waived != 0
	r.RequestedAt, r.IssuedAt, r.SentAt, r.ClosedAt = period.FromMicros(requested), period.FromMicros(issued), period.FromMicros(sent), period.FromMicros(closed)
	if err := errors.Join(json.Unmarshal([]byte(profile), &r.Profile), json.Unmarshal([]byte(address), &r.Address)); err != nil {
		return r, fmt.Errorf("read invoice request %s: %w", r.ID, err)
	}
	if redSeries != "" {
		r.Red.Number = bill.Number(redSeries, redSeq)
	}
	for text, to := range map[*period.Day]string{&r.TaxDay: day, &r.Red.TaxDay: redDay} {
		if to != "" {
			err = errors.Join(err, text.UnmarshalText([]byte(to)))
		}
	}
	return r, err
}

// InvoiceForUpdate finds a request with its lines, kept from other writers, or
// invoice.ErrUnknown.
func (tx *Tx) InvoiceForUpdate(ctx context.Context, id string) (invoice.Request, error) {
	r, err := scanInvoice(tx.QueryRow(ctx, `
		SELECT `+invoiceColumns+`
		FROM invoice_request r
		WHERE r.id = $1`+tx.lockWrites(), id))
	if err != nil {
		return r, err
	}
	r.Lines, err = tx.invoiceLines(ctx, r)
	return r, err
}

// InvoiceOf finds a request of an account: another account's is as unknown as
// none.
func (tx *Tx) InvoiceOf(ctx context.Context, accountID, id string) (invoice.Request, error) {
	r, err := tx.InvoiceForUpdate(ctx, id)
	if err == nil && r.AccountID != accountID {
		return invoice.Request{}, invoice.ErrUnknown
	}
	return r, err
}

func (tx *Tx) invoiceLines(ctx context.Context, of invoice.Request) ([]invoice.Line, error) {
	rows, err := tx.Query(ctx, `
		SELECT kind, item_id, label, month, day, total, cash, repaid, amount
		FROM invoice_line
		WHERE request_id = $1
		ORDER BY position`, of.ID)
	c := of.Total.Currency()
	return collect(rows, err, func(r Row) (invoice.Line, error) {
		var l invoice.Line
		var day string
		var total, cash, repaid, amount int64
		if err := r.Scan(&l.Kind, &l.ItemID, &l.Label, &l.Month, &day, &total, &cash, &repaid, &amount); err != nil {
			return l, fmt.Errorf("read a line of %s: %w", of.ID, err)
		}
		l.Total, l.Cash, l.Repaid, l.Amount = money.Of(total, c), money.Of(cash, c), money.Of(repaid, c), money.Of(amount, c)
		return l, l.Day.UnmarshalText([]byte(day))
	})
}

// InsertInvoice keeps a new request and takes its items.
func (tx *Tx) InsertInvoice(ctx context.Context, r invoice.Request) error {
	profile, err := json.Marshal(r.Profile)
	if err != nil {
		return fmt.Errorf("encode an invoice profile: %w", err)
	}
	address, err := json.Marshal(r.Address)
	if err != nil {
		return fmt.Errorf("encode a delivery address: %w", err)
	}
	series, number, _ := cutLast(r.Number)
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fmt.Errorf("number of invoice request %s: %w", r.Number, err)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO invoice_request (id, account_id, series, seq, currency, total, user_name, company, taxpayer_id, profile, address, waived,
			requested_at, state, tax_number, tax_day, file_id, file_name, issued_by, issued_at, delivery, sent_by, sent_at, closed_by, closed_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, '', '', '', '', '', 0, '', '', 0, '', 0, '')`,
		r.ID, r.AccountID, series, seq, string(r.Total.Currency()), r.Total.Minor(), r.UserName, r.Enterprise.Company, r.Enterprise.TaxpayerID,
		string(profile), string(address), flag(r.Waived), period.Micros(r.RequestedAt), string(r.State)); err != nil {
		return fmt.Errorf("keep invoice request %s: %w", r.Number, err)
	}
	for i, l := range r.Lines {
		n, err := tx.Exec(ctx, `
			INSERT INTO invoice_line (request_id, position, account_id, kind, item_id, label, month, day, total, cash, repaid, amount, live)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
			ON CONFLICT DO NOTHING`,
			r.ID, int64(i), r.AccountID, string(l.Kind), l.ItemID, l.Label, l.Month, l.Day.String(), l.Total.Minor(), l.Cash.Minor(), l.Repaid.Minor(), l.Amount.Minor())
		if err := exactlyOne(n, err, invoice.ErrItemTaken.On("item")); err != nil {
			return err
		}
	}
	return nil
}

// cutLast cuts a number at its last hyphen.
func cutLast(number string) (series, seq string, ok bool) {
	i := strings.LastIndexByte(number, '-')
	if i < 0 {
		return number, "", false
	}
	return number[:i], number[i+1:], true
}

// MoveInvoice keeps the next state of a request that is still in the given
// one. A request that is no longer live lets go of its items. Two requests
// with one tax invoice number are invoice.ErrTaxTaken.
func (tx *Tx) MoveInvoice(ctx context.Context, r invoice.Request, from invoice.State) error {
	switch r.State {
	case invoice.Issued:
		if err := tx.taxNumberFree(ctx, r.TaxNumber, r.ID); err != nil {
			return err
		}
	case invoice.Reversed:
		if err := tx.taxNumberFree(ctx, r.Red.TaxNumber, r.ID); err != nil {
			return err
		}
	}
	series, seq := "", int64(0)
	if r.Red.Number != "" {
		var err error
		if series, seq, err = splitNumber(r.Red.Number); err != nil {
			return err
		}
	}
	n, err := tx.Exec(ctx, `
		UPDATE invoice_request
		SET state = $2, tax_number = $3, tax_day = $4, file_id = $5, file_name = $6, issued_by = $7, issued_at = $8,
			delivery = $9, sent_by = $10, sent_at = $11, closed_by = $12, closed_at = $13, reason = $14,
			red_series = $16, red_seq = $17, red_tax_number = $18, red_tax_day = $19
		WHERE id = $1
			AND state = $15`,
		r.ID, string(r.State), r.TaxNumber, dayText(r.TaxDay), r.FileID, r.FileName, r.IssuedBy, period.Micros(r.IssuedAt),
		r.Delivery, r.SentBy, period.Micros(r.SentAt), r.ClosedBy, period.Micros(r.ClosedAt), r.Reason, string(from),
		series, seq, r.Red.TaxNumber, dayText(r.Red.TaxDay))
	if err := exactlyOne(n, err, invoice.ErrState); err != nil || r.State.Live() {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE invoice_line
		SET live = 0
		WHERE request_id = $1`, r.ID)
	return err
}

// taxNumberFree refuses the number of a tax invoice, or of a red-letter one,
// that another request has.
func (tx *Tx) taxNumberFree(ctx context.Context, number, requestID string) error {
	var other string
	err := tx.QueryRow(ctx, `
		SELECT id
		FROM invoice_request
		WHERE (tax_number = $1 OR red_tax_number = $1)
			AND id <> $2
		LIMIT 1`, number, requestID).Scan(&other)
	if err == nil {
		return invoice.ErrTaxTaken.On("tax_number")
	}
	if errors.Is(err, ErrNoRows) {
		return nil
	}
	return err
}

// dayText is a day as it is stored: nothing for none.
func dayText(d period.Day) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// InvoiceQuery narrows a list of requests; what is empty does not.
type InvoiceQuery struct {
	AccountID string
	State     invoice.State
	Open      bool   // what waits for the operator: requested and issued ones
	Text      string // the beginning of a number, a tax invoice number, a company or a user name
	After     string // the ID of the last one of the page before
}

// Invoices lists requests without their lines, the newest first; open ones
// the longest waiting first.
func (tx *Tx) Invoices(ctx context.Context, q InvoiceQuery, limit int) ([]invoice.Request, error) {
	order, later, beyond := "r.requested_at DESC, r.id", "r.requested_at < a.requested_at", "r.id > a.id"
	if q.Open {
		order, later = "r.requested_at, r.id", "r.requested_at > a.requested_at"
	}
	rows, err := tx.Query(ctx, `
		SELECT `+invoiceColumns+`
		FROM invoice_request r
		WHERE ($1 = '' OR r.account_id = $1)
			AND ($2 = '' OR r.state = $2)
			AND ($3 = 0 OR r.state IN ('requested', 'issued'))
			AND ($4 = ''
				OR SUBSTR(r.series || '-' || SUBSTR('000000' || r.seq, LENGTH('000000' || r.seq) - 5), 1, LENGTH($4)) = UPPER($4)
				OR SUBSTR(r.tax_number, 1, LENGTH($4)) = UPPER($4)
				OR SUBSTR(r.red_tax_number, 1, LENGTH($4)) = UPPER($4)
				OR SUBSTR(LOWER(r.company), 1, LENGTH($4)) = LOWER($4)
				OR SUBSTR(r.user_name, 1, LENGTH($4)) = LOWER($4))
			AND ($5 = '' OR EXISTS (
				SELECT 1
				FROM invoice_request a
				WHERE a.id = $5
					AND (`+later+` OR (r.requested_at = a.requested_at AND `+beyond+`))))
		ORDER BY `+order+`
		LIMIT $6`, q.AccountID, string(q.State), flag(q.Open), q.Text, q.After, int64(limit))
	return collect(rows, err, scanInvoice)
}

// InvoiceCounts counts the requests of each state.
func (tx *Tx) InvoiceCounts(ctx context.Context) (map[invoice.State]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT state, COUNT(*)
		FROM invoice_request
		GROUP BY state`)
	counts := map[invoice.State]int64{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var state invoice.State
		var n int64
		err := r.Scan(&state, &n)
		counts[state] = n
		return struct{}{}, err
	})
	return counts, err
}

// InvoiceHolders gives the live request of each of the account's items that is
// on one.
func (tx *Tx) InvoiceHolders(ctx context.Context, accountID string) (map[invoice.Ref]invoice.Holder, error) {
	rows, err := tx.Query(ctx, `
		SELECT l.kind, l.item_id, r.id, r.series, r.seq
		FROM invoice_line l
		JOIN invoice_request r ON r.id = l.request_id
		WHERE l.account_id = $1
			AND l.live = 1`, accountID)
	held := map[invoice.Ref]invoice.Holder{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var ref invoice.Ref
		var holder invoice.Holder
		var series string
		var seq int64
		err := r.Scan(&ref.Kind, &ref.ID, &holder.RequestID, &series, &seq)
		holder.Number = bill.Number(series, seq)
		held[ref] = holder
		return struct{}{}, err
	})
	return held, err
}

// DebtsOf lists the changes of the payer's arrears, the oldest first, what each
// bill left with the statement that it is on.
func (tx *Tx) DebtsOf(ctx context.Context, payer string, c money.Currency) ([]invoice.Debt, error) {
	rows, err := tx.Query(ctx, `
		SELECT COALESCE(-b.owed, p.minor), e.kind, COALESCE(t.statement_id, '')
		FROM ledger_posting p
		JOIN ledger_entry e ON e.payer = p.payer AND e.number = p.number
		LEFT JOIN bill b ON b.payer = p.payer AND b.entry = p.number AND b.owed <> 0 AND e.kind = 'charge'
		LEFT JOIN statement_bill t ON t.payer = b.payer AND t.day = b.day AND t.workspace_id = b.workspace_id
		WHERE p.payer = $1
			AND p.account = $2
			AND p.currency = $3
		ORDER BY p.number, p.position, b.series, b.seq`, payer, string(wallet.Arrears(payer)), string(c))
	return collect(rows, err, func(r Row) (invoice.Debt, error) {
		var d invoice.Debt
		var minor int64
		var kind wallet.Kind
		err := r.Scan(&minor, &kind, &d.StatementID)
		d.Amount, d.InCash = money.Of(minor, c), kind == wallet.Deposit
		return d, err
	})
}

// CardsBought lists the cards that the payer bought with cash, the newest
// first.
func (tx *Tx) CardsBought(ctx context.Context, payer string, c money.Currency, limit int) ([]invoice.Purchase, error) {
	rows, err := tx.Query(ctx, `
		SELECT s.id, s.issued_at, s.face, CAST(-SUM(p.minor) AS BIGINT)
		FROM wallet_source s
		JOIN ledger_entry e ON e.key = 'source:' || s.id AND e.payer = s.payer
		JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = $2 AND p.currency = s.currency
		WHERE s.payer = $1
			AND s.payment = 'card'
			AND s.currency = $3
			AND p.minor < 0
		GROUP BY s.id, s.issued_at, s.face
		ORDER BY s.issued_at DESC, s.id
		LIMIT $4`, payer, string(wallet.Cash(payer)), string(c), int64(limit))
	return collect(rows, err, func(r Row) (invoice.Purchase, error) {
		var p invoice.Purchase
		var at, face, cash int64
		err := r.Scan(&p.ID, &at, &face, &cash)
		p.Label, p.At, p.Price, p.Cash = p.ID, period.FromMicros(at), money.Of(face, c), money.Of(cash, c)
		return p, err
	})
}

// PackagesBought lists the purchases and upgrades of annual packages that the
// payer paid in cash, at least in part, the newest first.
func (tx *Tx) PackagesBought(ctx context.Context, payer string, c money.Currency, limit int) ([]invoice.Purchase, error) {
	rows, err := tx.Query(ctx, `
		SELECT c.id, c.package_id, c.at, c.total, CAST(-SUM(p.minor) AS BIGINT)
		FROM package_charge c
		JOIN ledger_entry e ON e.cause = c.id AND e.payer = c.payer
		JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = $2 AND p.currency = c.currency
		WHERE c.payer = $1
			AND c.kind IN ($4, $5)
			AND c.currency = $3
			AND p.minor < 0
		GROUP BY c.id, c.package_id, c.at, c.total
		ORDER BY c.at DESC, c.id
		LIMIT $6`, payer, string(wallet.Cash(payer)), string(c), string(prepaid.Bought), string(prepaid.Upgraded), int64(limit))
	return collect(rows, err, func(r Row) (invoice.Purchase, error) {
		var p invoice.Purchase
		var at, total, cash int64
		err := r.Scan(&p.ID, &p.Label, &at, &total, &cash)
		p.At, p.Price, p.Cash = period.FromMicros(at), money.Of(total, c), money.Of(cash, c)
		return p, err
	})
}

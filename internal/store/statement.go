package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
)

// statementChain is the chain of an account's statements.
func statementChain(payer string) string { return "statement:" + payer }

const statementColumns = `s.document, s.hash`

// scanStatement reads a statement from its document.
func scanStatement(r Row) (statement.Statement, error) {
	var document, hash string
	err := r.Scan(&document, &hash)
	if errors.Is(err, ErrNoRows) {
		return statement.Statement{}, statement.ErrUnknown
	}
	if err != nil {
		return statement.Statement{}, fmt.Errorf("read a statement: %w", err)
	}
	s, err := statement.Read([]byte(document))
	if err == nil && s.Hash != hash {
		err = fmt.Errorf("statement %s is not what was issued", s.Number)
	}
	return s, err
}

// Statement finds a payer's statement by its ID, or statement.ErrUnknown:
// another payer's is as unknown as none.
func (tx *Tx) Statement(ctx context.Context, payer, id string) (statement.Statement, error) {
	return scanStatement(tx.QueryRow(ctx, `
		SELECT `+statementColumns+`
		FROM statement s
		WHERE s.payer = $1
			AND s.id = $2`, payer, id))
}

// StatementOf finds the statement of a payer's month, or statement.ErrUnknown.
func (tx *Tx) StatementOf(ctx context.Context, payer string, m period.Month) (statement.Statement, error) {
	return scanStatement(tx.QueryRow(ctx, `
		SELECT `+statementColumns+`
		FROM statement s
		WHERE s.payer = $1
			AND s.month = $2`, payer, m.String()))
}

// StatementsOf lists a payer's statements, the newest month first, from before
// the given month on; empty is the newest.
func (tx *Tx) StatementsOf(ctx context.Context, payer, before string, limit int) ([]statement.Statement, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+statementColumns+`
		FROM statement s
		WHERE s.payer = $1
			AND ($2 = '' OR s.month < $2)
		ORDER BY s.month DESC
		LIMIT $3`, payer, before, int64(limit))
	return collect(rows, err, scanStatement)
}

// StatementHead is the hash of the payer's last statement; empty when there is
// none.
func (tx *Tx) StatementHead(ctx context.Context, payer string) (string, error) {
	l, err := tx.head(ctx, statementChain(payer))
	return l.hash, err
}

// TakeBills puts all bills of the payer on the statement whose days are not
// after the last one and that are on none yet.
func (tx *Tx) TakeBills(ctx context.Context, statementID, payer string, c money.Currency, last period.Day) (int64, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO statement_bill (payer, day, workspace_id, statement_id)
		SELECT b.payer, b.day, b.workspace_id, $1
		FROM bill b
		WHERE b.payer = $2
			AND b.currency = $3
			AND b.day <= $4
			AND NOT EXISTS (
				SELECT 1
				FROM statement_bill t
				WHERE t.payer = b.payer
					AND t.day = b.day
					AND t.workspace_id = b.workspace_id
			)`, statementID, payer, string(c), last.String())
	if err != nil {
		return 0, fmt.Errorf("put bills of %s on %s: %w", payer, statementID, err)
	}
	return n, nil
}

// BillsOn lists the bills of a statement, by day and workspace after those of
// the given one.
func (tx *Tx) BillsOn(ctx context.Context, statementID, payer string, after bill.Bill, limit int) ([]bill.Bill, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+billColumns+`
		FROM statement_bill t
		JOIN bill b ON b.workspace_id = t.workspace_id AND b.day = t.day
		WHERE t.statement_id = $1
			AND t.payer = $2
			AND (t.day > $3 OR t.day = $3 AND t.workspace_id > $4)
		ORDER BY t.day, t.workspace_id
		LIMIT $5`, statementID, payer, after.Day.String(), after.WorkspaceID, int64(limit))
	return collect(rows, err, scanBill)
}

// InsertStatement keeps a statement for ever and makes it the payer's last.
func (tx *Tx) InsertStatement(ctx context.Context, s statement.Statement) error {
	series := statement.Series(s.Currency, s.Month)
	seq, err := strconv.ParseInt(strings.TrimPrefix(s.Number, series+"-"), 10, 64)
	if err != nil {
		return fmt.Errorf("number of statement %s: %w", s.Number, err)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO statement (payer, month, id, series, seq, currency, bills, total, issued_at, document, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		s.Payer, s.Month.String(), s.ID, series, seq, string(s.Currency), s.Bills, s.Total.Minor(), period.Micros(s.IssuedAt), string(s.Document()), s.Hash); err != nil {
		return err
	}
	last, err := tx.head(ctx, statementChain(s.Payer))
	if err != nil {
		return err
	}
	return tx.extend(ctx, statementChain(s.Payer), link{last.n + 1, s.Hash})
}

// PayersIn lists the IDs of the accounts of a currency after the given
// one.
func (tx *Tx) PayersIn(ctx context.Context, c money.Currency, after string, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM billing_account
		WHERE currency = $1
			AND id > $2
		ORDER BY id
		LIMIT $3`, string(c), after, int64(limit))
	return collect(rows, err, func(r Row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	})
}

// lastMonthSetting is where the last month is kept whose statements were made.
func lastMonthSetting(c money.Currency) string { return "statement.month." + string(c) }

// LastMonth is the last month whose statements were made.
func (tx *Tx) LastMonth(ctx context.Context, c money.Currency) (m period.Month, made bool, err error) {
	text, made, err := tx.Setting(ctx, lastMonthSetting(c))
	if err != nil || !made {
		return m, false, err
	}
	m, err = period.ParseMonth(text)
	return m, true, err
}

// FinishMonth keeps that the statements of a month were made.
func (tx *Tx) FinishMonth(ctx context.Context, c money.Currency, m period.Month) error {
	return tx.SetSetting(ctx, lastMonthSetting(c), m.String())
}

// ParkStatement keeps the reason why a payer's statement could not be made.
func (tx *Tx) ParkStatement(ctx context.Context, p statement.Parked) error {
	figures, err := p.FiguresText()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO statement_parked (payer, month, code, reason, figures, at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (payer, month) DO UPDATE SET code = excluded.code, reason = excluded.reason, figures = excluded.figures, at = excluded.at`,
		p.Payer, p.Month.String(), p.Code, p.Reason, figures, period.Micros(p.At))
	return err
}

// UnparkStatement forgets it.
func (tx *Tx) UnparkStatement(ctx context.Context, payer string, m period.Month) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM statement_parked
		WHERE payer = $1
			AND month = $2`, payer, m.String())
	return err
}

// ParkedStatements lists the parked statements, the longest waiting first.
func (tx *Tx) ParkedStatements(ctx context.Context, limit int) ([]statement.Parked, error) {
	rows, err := tx.Query(ctx, `
		SELECT payer, month, code, reason, figures, at
		FROM statement_parked
		ORDER BY at, payer, month
		LIMIT $1`, int64(limit))
	return collect(rows, err, func(r Row) (p statement.Parked, err error) {
		var month, figures string
		var at int64
		if err := r.Scan(&p.Payer, &month, &p.Code, &p.Reason, &figures, &at); err != nil {
			return p, err
		}
		if err := p.ReadFigures(figures); err != nil {
			return p, err
		}
		p.At = period.FromMicros(at)
		p.Month, err = period.ParseMonth(month)
		return p, err
	})
}

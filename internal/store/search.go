package store

import (
	"context"
	"errors"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Found is what a search came upon, a few of each.
type Found struct {
	Accounts   []account.Billing
	Workspaces []workspace.Workspace
	Bills      []bill.Bill
	Statements []statement.Statement
	Transfers  []wallet.Transfer
	Sources    []wallet.Source
}

// Count is how much was found.
func (f Found) Count() int {
	return len(f.Accounts) + len(f.Workspaces) + len(f.Bills) + len(f.Statements) + len(f.Transfers) + len(f.Sources)
}

// Search finds things of all tenants by ID, number, name, address or
// reference. IDs and numbers are found whole, the ID of a workspace and the
// name and address of an account by how they begin, the name of a workspace by
// what it holds.
func (tx *Tx) Search(ctx context.Context, text string, limit int) (f Found, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return f, nil
	}
	if f.Accounts, err = tx.BillingAccounts(ctx, strings.ToLower(text), "", limit); err != nil {
		return f, err
	}
	if a, err := tx.BillingByID(ctx, text); err == nil {
		f.Accounts = append(f.Accounts, a)
	} else if !errors.Is(err, account.ErrUnknown) {
		return f, err
	}
	if f.Workspaces, err = tx.WorkspacesMatching(ctx, text, "", limit); err != nil {
		return f, err
	}
	if err := tx.searchBooks(ctx, text, limit, &f); err != nil {
		return f, err
	}
	return f, nil
}

// searchBooks finds documents and money.
func (tx *Tx) searchBooks(ctx context.Context, text string, limit int, f *Found) error {
	for _, find := range []func(context.Context, string) (bill.Bill, error){tx.BillByNumber, tx.Bill} {
		switch b, err := find(ctx, text); {
		case err == nil && len(f.Bills) == 0:
			f.Bills = append(f.Bills, b)
		case err != nil && !errors.Is(err, bill.ErrUnknown):
			return err
		}
	}
	series, seq, err := splitNumber(text)
	if err != nil {
		series = "" // the number of nothing
	}
	rows, err := tx.Query(ctx, `
		SELECT `+statementColumns+`
		FROM statement s
		WHERE s.id = $1
			OR s.series = $2
			AND s.seq = $3`, text, series, seq)
	if f.Statements, err = collect(rows, err, scanStatement); err != nil {
		return err
	}
	rows, err = tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE id = $1
			OR reference = $1
		ORDER BY declared_at DESC, id
		LIMIT $2`, text, int64(limit))
	if f.Transfers, err = collect(rows, err, scanTransfer); err != nil {
		return err
	}
	rows, err = tx.Query(ctx, sourceSelect+`
		WHERE s.id = $1
		LIMIT $2`, text, int64(limit))
	f.Sources, err = collect(rows, err, scanSource)
	return err
}

package store

import (
	"context"
	"fmt"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// WorkspaceQuery narrows a list of workspaces; what is empty is any.
type WorkspaceQuery struct {
	Text       string // the name holds it, or the ID begins with it
	Payer      string
	Site       site.ID
	Plan       workspace.Plan
	State      workspace.State
	Settlement site.Method
	Order      string // one of WorkspaceOrders; empty is the first
}

// WorkspaceOrders are the orders of a list of workspaces: "-" descends.
func WorkspaceOrders() []string {
	return []string{"name", "-name", "-opened", "opened", "-created", "created"}
}

// workspaceKeys are the columns behind the orders, of a row with the alias.
var workspaceKeys = map[string]string{"name": "%s.name", "opened": "%s.upgraded_at", "created": "%s.created_at"}

// AccountQuery narrows a list of Billing Center accounts; what is empty is any.
type AccountQuery struct {
	Text          string // the user name, address or certified company holds it, or the ID or phone begins with it
	Currency      money.Currency
	Site          site.ID // of a workspace that the account pays for
	State         AccountState
	Certification account.CertificationState // none, submitted or certified
	Order         string                     // one of AccountOrders; empty is the first
}

// AccountState is how an account stands, as a list is narrowed to it.
type AccountState string

// The states: what owes nothing, what owes and is not locked yet, what owes
// and is locked, and what the operator has disabled, whatever it owes.
const (
	AccountNormal   AccountState = "normal"
	AccountGrace    AccountState = "grace"
	AccountLocked   AccountState = "locked"
	AccountArrears  AccountState = "arrears" // grace or locked
	AccountDisabled AccountState = "disabled"
)

// AccountStates lists them.
func AccountStates() []AccountState {
	return []AccountState{AccountNormal, AccountArrears, AccountGrace, AccountLocked, AccountDisabled}
}

// AccountOrders are the orders of a list of accounts: "-" descends.
func AccountOrders() []string { return []string{"name", "-name", "-owed", "-registered", "registered"} }

// accountKeys are the columns behind the orders. A row owes what its arrears
// account of the books holds.
var accountKeys = map[string]string{
	"name": "%s.user_name", "registered": "%s.created_at",
	"owed": "COALESCE((SELECT ABS(o.minor) FROM ledger_balance o WHERE o.payer = %[1]s.id AND o.account = 'arrears:' || %[1]s.id AND o.currency = %[1]s.currency), 0)",
}

// behind is the condition and the order of a page that begins behind the row
// of the alias a, by a column and, among equals, by ID.
func behind(row, order string, orders []string, keys map[string]string) (condition, by string) {
	if order == "" {
		order = orders[0]
	}
	column, descends := strings.CutPrefix(order, "-")
	key, known := keys[column]
	if !known {
		key = keys[strings.TrimPrefix(orders[0], "-")]
	}
	of, than, direction := func(alias string) string { return fmt.Sprintf(key, alias) }, ">", "ASC"
	if descends {
		than, direction = "<", "DESC"
	}
	condition = fmt.Sprintf("(a.id IS NULL OR %[1]s %[3]s %[2]s OR (%[1]s = %[2]s AND %[4]s.id > a.id))", of(row), of("a"), than, row)
	return condition, fmt.Sprintf("%s %s, %s.id", of(row), direction, row)
}

// workspaceWhere are the conditions of a query and their values.
const workspaceWhere = `
		WHERE ($1 = '' OR SUBSTR(w.id, 1, LENGTH($1)) = $1 OR REPLACE(LOWER(w.name), $1, '') <> LOWER(w.name))
			AND ($2 = '' OR w.payer = $2)
			AND ($3 = '' OR w.site = $3)
			AND ($4 = '' OR w.plan = $4)
			AND ($5 = '' OR w.state = $5)
			AND ($6 = '' OR w.settlement = $6)`

func (q WorkspaceQuery) values() []any {
	return []any{strings.ToLower(strings.TrimSpace(q.Text)), q.Payer, string(q.Site), string(q.Plan), string(q.State), string(q.Settlement)}
}

// WorkspacesIn lists workspaces of all tenants that a query names, behind the
// one of the given ID.
func (tx *Tx) WorkspacesIn(ctx context.Context, q WorkspaceQuery, after string, limit int) ([]workspace.Workspace, error) {
	condition, by := behind("w", q.Order, WorkspaceOrders(), workspaceKeys)
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		LEFT JOIN workspace a ON a.id = $7`+workspaceWhere+`
			AND `+condition+`
		ORDER BY `+by+`
		LIMIT $8`, append(q.values(), after, int64(limit))...)
	return collect(rows, err, scanWorkspace)
}

// CountWorkspaces counts the workspaces that a query names.
func (tx *Tx) CountWorkspaces(ctx context.Context, q WorkspaceQuery) (n int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM workspace w`+workspaceWhere, q.values()...).Scan(&n)
	return n, err
}

// accountWhere are the conditions of a query of accounts and their values.
const accountWhere = `
		WHERE ($1 = '' OR SUBSTR(b.id, 1, LENGTH($1)) = $1 OR (b.phone <> '' AND SUBSTR(b.phone, 1, LENGTH($1)) = $1)
				OR REPLACE(LOWER(b.user_name), $1, '') <> LOWER(b.user_name) OR REPLACE(LOWER(b.email), $1, '') <> LOWER(b.email)
				OR REPLACE(LOWER(b.certified_company), $1, '') <> LOWER(b.certified_company))
			AND ($2 = '' OR b.currency = $2)
			AND ($3 = '' OR EXISTS (SELECT 1 FROM workspace w WHERE w.payer = b.id AND w.site = $3))
			AND ($4 = ''
				OR ($4 = 'disabled' AND b.disabled = 1)
				OR ($4 = 'normal' AND b.disabled = 0 AND c.subject IS NULL)
				OR ($4 = 'arrears' AND c.subject IS NOT NULL)
				OR ($4 = 'grace' AND c.stage <> 'run_out')
				OR ($4 = 'locked' AND c.stage = 'run_out'))
			AND ($5 = ''
				OR ($5 = 'certified' AND b.certified_taxpayer_id <> '')
				OR ($5 = 'submitted' AND EXISTS (SELECT 1 FROM certification s WHERE s.account_id = b.id AND s.state = 'submitted'))
				OR ($5 = 'none' AND b.certified_taxpayer_id = ''))`

// ofDebt joins the clock of an account that owes.
const ofDebt = `
		LEFT JOIN arrears_clock c ON c.cause = 'arrears' AND c.subject = b.id AND c.ended_at = 0`

func (q AccountQuery) values() []any {
	return []any{strings.ToLower(strings.TrimSpace(q.Text)), string(q.Currency), string(q.Site), string(q.State), string(q.Certification)}
}

// AccountsIn lists Billing Center accounts that a query names, behind the one
// of the given ID.
func (tx *Tx) AccountsIn(ctx context.Context, q AccountQuery, after string, limit int) ([]account.Billing, error) {
	condition, by := behind("b", q.Order, AccountOrders(), accountKeys)
	rows, err := tx.Query(ctx, `
		SELECT `+aliased("b", billingColumns)+`
		FROM billing_account b`+ofDebt+`
		LEFT JOIN billing_account a ON a.id = $6`+accountWhere+`
			AND `+condition+`
		ORDER BY `+by+`
		LIMIT $7`, append(q.values(), after, int64(limit))...)
	return collect(rows, err, scanBilling)
}

// CountAccounts counts the accounts that a query names.
func (tx *Tx) CountAccounts(ctx context.Context, q AccountQuery) (n int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM billing_account b`+ofDebt+accountWhere, q.values()...).Scan(&n)
	return n, err
}

// aliased puts an alias before each column of a list.
func aliased(alias, columns string) string {
	return alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".")
}

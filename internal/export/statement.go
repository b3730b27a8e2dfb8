package export

import (
	"strconv"
	"strings"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// StatementHead is the head of a statement's table.
func StatementHead() []string {
	return withPayments("statement", "month", "workspace_id", "workspace", "site", "item", "lines", "currency", "amount")
}

// StatementRows are the parts of a statement: of its workspaces by item, then
// of packages, which belong to no workspace. Adjustments come last and have no
// payments: they are beside the total.
func StatementRows(s statement.Statement) [][]string {
	var rows [][]string
	row := func(id, name, site, item string, lines int64, amount money.Amount) []string {
		return []string{s.Number, s.Month.String(), id, Inert(name), site, item, strconv.FormatInt(lines, 10), string(s.Currency), amount.String()}
	}
	for _, w := range s.Workspaces {
		for _, it := range w.Items {
			rows = append(rows, paid(row(w.ID, w.Name, string(w.Site), it.ID, it.Lines, it.Total), it.Paid))
		}
	}
	for _, p := range s.Packages {
		rows = append(rows, paid(row("", p.ID, "", string(p.Kind)+":"+p.What, p.Charges, p.Total), p.Paid))
	}
	for _, a := range s.Adjustments {
		line := row("", a.Reason, "", strings.TrimSuffix("adjustment:"+a.Bill, ":"), 1, a.Amount)
		rows = append(rows, append(line, make([]string, len(wallet.Payments()))...))
	}
	return rows
}

// StatementTable is the table of a statement.
func StatementTable(s statement.Statement) [][]string {
	return append([][]string{StatementHead()}, StatementRows(s)...)
}

// BillTable is the table of one bill's lines.
func BillTable(b bill.Bill, workspace string) [][]string {
	return append([][]string{LineHead()}, LineRows(b, workspace)...)
}

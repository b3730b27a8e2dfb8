package export

import (
	"strconv"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/wallet"
)

// paid are the columns of withPayments.
func paid(row []string, by bill.Paid) []string {
	for _, kind := range wallet.Payments() {
		row = append(row, by.By(kind).String())
	}
	return row
}

// BillHead is the head of a table with a row per bill.
func BillHead() []string {
	return withPayments("bill", "day", "workspace_id", "workspace", "site", "settlement", "currency", "amount")
}

// BillRow is the row of a bill. The workspace's name is given as it is now.
func BillRow(b bill.Bill, workspace string) []string {
	return paid([]string{
		b.Number, b.Day.String(), b.WorkspaceID, Inert(workspace), string(b.Site), string(b.Settlement), string(b.Market.Currency), b.Total.String(),
	}, b.Paid)
}

// tailHead names what a package did for a line, and its log index; the columns
// come last, since tables only grow.
var tailHead = []string{"package", "factor", "converted", "covered", "excess", "index"}

func tail(l bill.Line) []string {
	c := l.Package
	if c == nil {
		return append(make([]string, len(tailHead)-1), Inert(l.Index))
	}
	return []string{c.Package, c.Factor.Plain(), c.Converted.Plain(), c.Covered.Plain(), c.Excess.Plain(), Inert(l.Index)}
}

// LineHead is the head of a table with a row per line of one bill.
func LineHead() []string {
	return append(withPayments("bill", "day", "workspace_id", "workspace", "item", "class", "quantity", "units", "unit_price", "exact", "currency", "amount"), tailHead...)
}

// LineRows are the lines of a bill.
func LineRows(b bill.Bill, workspace string) [][]string {
	rows := make([][]string, 0, len(b.Lines))
	for _, l := range b.Lines {
		row := append([]string{b.Number, b.Day.String(), b.WorkspaceID, Inert(workspace), l.Item, l.Class}, figures(b, l)...)
		rows = append(rows, append(paid(row, l.Paid), tail(l)...))
	}
	return rows
}

// figures are what was used of a line and what it costs.
func figures(b bill.Bill, l bill.Line) []string {
	return []string{l.Quantity.Plain(), l.Units.String(), l.UnitPrice.String(), l.Exact.String(), string(b.Market.Currency), l.Amount.String()}
}

// ConsumptionHead is the head of a table with a row per line of many bills.
func ConsumptionHead() []string {
	return append(withPayments("day", "bill", "line", "workspace_id", "workspace", "site", "settlement", "item", "class", "quantity", "units", "unit_price", "exact", "currency", "amount"), tailHead...)
}

// ConsumptionRows are the lines of a bill, or those of one item, with their
// numbers on the bill.
func ConsumptionRows(b bill.Bill, workspace, item string) [][]string {
	rows := make([][]string, 0, len(b.Lines))
	for i, l := range b.Lines {
		if item != "" && l.Item != item {
			continue
		}
		row := append([]string{
			b.Day.String(), b.Number, strconv.Itoa(i + 1), b.WorkspaceID, Inert(workspace), string(b.Site), string(b.Settlement), l.Item, l.Class,
		}, figures(b, l)...)
		rows = append(rows, append(paid(row, l.Paid), tail(l)...))
	}
	return rows
}

package notify_test

import (
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
)

// statementOf is a month of 50.00, of which cash and a voucher paid a part;
// what they leave is owed.
func statementOf(language, cash, voucher string) statement.Issued {
	month, err := period.ParseMonth("2026-02")
	if err != nil {
		panic(err)
	}
	s := statement.Statement{
		ID: "stmt_1", Number: "ST-CNY-2026-000012", UserName: "acme-billing", Company: "Acme", Month: month, Currency: money.CNY, Bills: 56,
		Total: money.MustParse("50", money.CNY), Paid: bill.NoPaid(money.CNY), Owed: money.Of(0, money.CNY),
		Workspaces: make([]statement.Workspace, 2), IssuedAt: at,
	}
	s.Paid.Cash = money.MustParse(cash, money.CNY)
	if cash == "10" {
		s.Paid.Owed = money.MustParse(voucher, money.CNY)
		s.Owed, s.DueBy = money.MustParse("43.20", money.CNY), period.MustParseDay("2026-03-12")
		s.Late = statement.Late{Bills: 1, Total: money.MustParse("2.40", money.CNY)}
	} else {
		s.Paid.Voucher = money.MustParse(voucher, money.CNY)
	}
	return statement.Issued{Statement: s, Email: "finance@example.com", Language: language}
}

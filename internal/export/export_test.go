package export

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

func fen(n int64) money.Amount { return money.Of(n, money.CNY) }

// split draws an amount by what paid it.
func split(t *rapid.T, name string) (bill.Paid, money.Amount) {
	part := func(kind wallet.Payment) money.Amount {
		return fen(rapid.Int64Range(0, 1_000_000_00).Draw(t, name+" "+string(kind)))
	}
	p := bill.Paid{
		Voucher: part(wallet.ByVoucher), FullReduction: part(wallet.ByFullReduction), Card: part(wallet.ByCard),
		Cash: part(wallet.ByCash), Cloud: part(wallet.ByCloud), Owed: part(wallet.Owed),
	}
	sum, err := p.Sum()
	if err != nil {
		t.Fatal(err)
	}
	return p, sum
}

// drawBill is a bill of a few lines that sums, and what is kept beside it.
func drawBill(t *rapid.T, kept *Sums) bill.Bill {
	b := bill.Bill{ID: "bill_a", Number: "cn1-2026-000001", WorkspaceID: "wksp_a", Payer: "bcac_a", Market: catalog.Market{Currency: money.CNY}, Total: fen(0)}
	var total Sums
	for range rapid.IntRange(0, 4).Draw(t, "lines") {
		p, sum := split(t, "line")
		b.Lines = append(b.Lines, bill.Line{Line: rate.Line{Item: "logs", Class: "14d", Amount: sum}, Paid: p})
	}
	total = SumsOf(money.CNY)
	for _, l := range b.Lines {
		total.Amount = fen(total.Amount.Minor() + l.Amount.Minor())
		for i, kind := range wallet.Payments() {
			total.Paid[i] = fen(total.Paid[i].Minor() + l.Paid.By(kind).Minor())
		}
	}
	b.Total = total.Amount
	b.Paid = bill.Paid{
		Voucher: total.Paid[0], FullReduction: total.Paid[1], Card: total.Paid[2], Cash: total.Paid[3], Cloud: total.Paid[4], Owed: total.Paid[5],
	}
	kept.Amount = fen(kept.Amount.Minor() + total.Amount.Minor())
	for i := range kept.Paid {
		kept.Paid[i] = fen(kept.Paid[i].Minor() + total.Paid[i].Minor())
	}
	return b
}

func march(t interface{ Fatal(...any) }) period.Month {
	m, err := period.ParseMonth("2026-03")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTheTablesOfAMonthSumToItsBillsToTheSmallestUnit draws months, and one
// thing that is wrong with each.
func TestTheTablesOfAMonthSumToItsBillsToTheSmallestUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var check Check
		m := check.Month("bcac_a", march(t), money.CNY)
		kept := SumsOf(money.CNY)
		n := rapid.IntRange(0, 5).Draw(t, "bills")
		for range n {
			if err := m.Bill(drawBill(t, &kept)); err != nil {
				t.Fatal(err)
			}
		}
		m.Sums(int64(n), kept)
		if found := check.Findings(); len(found) > 0 {
			t.Fatalf("a sound month: %v", found)
		}
		switch wrong := rapid.IntRange(0, 2).Draw(t, "wrong"); wrong {
		case 0:
			m.Sums(int64(n)+1, kept)
		case 1:
			kept.Amount = fen(kept.Amount.Minor() + 1)
			m.Sums(int64(n), kept)
		default:
			i := rapid.IntRange(0, len(kept.Paid)-1).Draw(t, "payment")
			kept.Paid[i] = fen(kept.Paid[i].Minor() - 1)
			m.Sums(int64(n), kept)
		}
		if len(check.Findings()) == 0 {
			t.Fatal("what is wrong was not found")
		}
	})
}

func TestABillWhoseLinesDoNotSumIsFound(t *testing.T) {
	t.Parallel()
	paid := bill.Paid{Voucher: fen(0), FullReduction: fen(0), Card: fen(0), Cash: fen(100), Cloud: fen(0), Owed: fen(0)}
	b := bill.Bill{
		ID: "bill_a", Payer: "bcac_a", Market: catalog.Market{Currency: money.CNY}, Total: fen(101), Paid: paid,
		Lines: []bill.Line{{Line: rate.Line{Item: "logs", Amount: fen(100)}, Paid: paid}},
	}
	var check Check
	if err := check.Month("bcac_a", march(t), money.CNY).Bill(b); err != nil {
		t.Fatal(err)
	}
	if found := check.Findings(); len(found) != 1 || found[0].Invariant != "I12" || found[0].Subject != "bill_a" {
		t.Errorf("found %v", found)
	}
}

// TestAStatementsTableIsHeldAgainstItsPartsEachByItself moves a cent between
// what the table has for bills, for packages and beside the total.
func TestAStatementsTableIsHeldAgainstItsPartsEachByItself(t *testing.T) {
	t.Parallel()
	paid := bill.Paid{Voucher: fen(0), FullReduction: fen(0), Card: fen(30), Cash: fen(70), Cloud: fen(0), Owed: fen(0)}
	s := statement.Statement{
		ID: "stmt_a", Number: "ST-CNY-2026-000001", Month: march(t), Currency: money.CNY, Total: fen(200),
		Workspaces:  []statement.Workspace{{ID: "wksp_a", Name: "=shop", Items: []statement.Item{{ID: "logs", Lines: 2, Total: fen(100), Paid: paid}}}},
		Packages:    []statement.Package{{ID: "pckg_a", What: "starter", Charges: 1, Total: fen(100), Paid: paid}},
		Adjustments: []statement.Adjustment{{ID: "adjm_a", Reason: "twice", Amount: fen(-5)}},
	}
	bills := func(card, cash int64) Sums {
		sums := SumsOf(money.CNY)
		sums.Amount, sums.Paid[2], sums.Paid[3] = fen(card+cash), fen(card), fen(cash)
		return sums
	}
	for name, c := range map[string]struct {
		total, packages int64
		bills           Sums
		found           string
	}{
		"sound":              {200, 100, bills(30, 70), ""},
		"another total":      {201, 100, bills(30, 70), "its table sums to 2.00, it is 2.01"},
		"other bills":        {200, 100, bills(30, 71), "for bills"},
		"bills paid by cash": {200, 100, bills(29, 71), "for bills"},
		"other charges":      {200, 99, bills(30, 70), "for packages, the charges on it are 0.99"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var check Check
			check.Statement(s, fen(c.total), c.bills, fen(c.packages))
			found := check.Findings()
			if c.found == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Subject != "stmt_a" || !strings.Contains(found[0].Detail, c.found) {
				t.Errorf("found %v", found)
			}
		})
	}
}

func TestRowsStandUnderTheirHeads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		kept := SumsOf(money.CNY)
		b := drawBill(t, &kept)
		for _, rows := range [][][]string{
			{BillHead(), BillRow(b, "@shop")},
			BillTable(b, "@shop"),
			append([][]string{ConsumptionHead()}, ConsumptionRows(b, "@shop", "")...),
		} {
			for _, row := range rows {
				if len(row) != len(rows[0]) {
					t.Fatalf("%d fields under %d heads: %v", len(row), len(rows[0]), row)
				}
			}
		}
		if row := BillRow(b, "@shop"); row[3] != "'@shop" {
			t.Fatalf("a spreadsheet would run %q", row[3])
		}
	})
}

package export

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// Sums are what a table, or what is kept beside documents, comes to.
type Sums struct {
	Amount money.Amount
	Paid   []money.Amount // by wallet.Payments
	Beside money.Amount   // adjustments, which nothing pays
}

// SumsOf are no rows in a currency.
func SumsOf(c money.Currency) Sums {
	zero := money.Of(0, c)
	return Sums{zero, slices.Repeat([]money.Amount{zero}, len(wallet.Payments())), zero}
}

func (s Sums) same(o Sums) bool {
	return s.Amount == o.Amount && s.Beside == o.Beside && slices.Equal(s.Paid, o.Paid)
}

// String is for people: the amount and what paid it.
func (s Sums) String() string {
	text := s.Amount.String() + " ("
	for i, kind := range wallet.Payments() {
		text += string(kind) + " " + s.Paid[i].String() + ", "
	}
	return text + "beside " + s.Beside.String() + ")"
}

// Check writes tables as they are sent, reads them as a program would, and
// finds where they do not sum to what they are about: I12 an export sums to the
// bill. It holds one bill, or one statement, at a time.
type Check struct {
	findings []audit.Finding
	text     bytes.Buffer
}

func (c *Check) find(subject, format string, args ...any) {
	c.findings = append(c.findings, audit.Finding{Invariant: "I12", Subject: subject, Detail: fmt.Sprintf(format, args...)})
}

// Month is a payer's month of bills, as its tables sum.
type Month struct {
	Payer string
	Month period.Month
	Bills int64
	bills Sums // the table of bills
	lines Sums // that of consumption
	check *Check
}

// Month begins a month without bills.
func (c *Check) Month(payer string, m period.Month, in money.Currency) *Month {
	return &Month{Payer: payer, Month: m, bills: SumsOf(in), lines: SumsOf(in), check: c}
}

// Bill takes the next bill of the month.
func (m *Month) Bill(b bill.Bill) error {
	m.Bills++
	if b.Payer != m.Payer {
		m.check.find(b.ID, "it is in the tables of %s, and %s pays it", m.Payer, b.Payer)
	}
	one := SumsOf(m.bills.Amount.Currency())
	for _, table := range []struct {
		sums *Sums
		head []string
		rows [][]string
	}{
		{&one, LineHead(), LineRows(b, b.WorkspaceID)},
		{&m.bills, BillHead(), [][]string{BillRow(b, b.WorkspaceID)}},
		{&m.lines, ConsumptionHead(), ConsumptionRows(b, b.WorkspaceID, "")},
	} {
		if err := m.check.sum(table.sums, append([][]string{table.head}, table.rows...)); err != nil {
			m.check.find(b.ID, "its table cannot be read again: %v", err)
			return nil
		}
	}
	kept := SumsOf(b.Market.Currency)
	kept.Amount = b.Total
	for i, kind := range wallet.Payments() {
		kept.Paid[i] = b.Paid.By(kind)
	}
	if !one.same(kept) {
		m.check.find(b.ID, "the table of its lines sums to %s, it is %s", one, kept)
	}
	return nil
}

// Sums compares the tables of the month with the sums that are kept beside its
// bills.
func (m *Month) Sums(bills int64, kept Sums) {
	subject := m.Payer + " " + m.Month.String()
	if m.Bills != bills {
		m.check.find(subject, "its table has %d bills, there are %d", m.Bills, bills)
	}
	if !m.bills.same(kept) {
		m.check.find(subject, "the table of its bills sums to %s, they are %s", m.bills, kept)
	}
	if !m.lines.same(kept) {
		m.check.find(subject, "the table of its consumption sums to %s, its bills are %s", m.lines, kept)
	}
}

// Unread takes a month whose table cannot be made.
func (m *Month) Unread(err error) {
	m.check.find(m.Payer+" "+m.Month.String(), "its table cannot be made: %v", err)
}

// Statement compares a statement's table with the total that is kept beside it,
// with the sums that are kept beside the bills on it, and with what packages
// cost.
func (c *Check) Statement(s statement.Statement, total money.Amount, bills Sums, packages money.Amount) {
	all, ofBills := SumsOf(s.Currency), SumsOf(s.Currency)
	if err := c.sum(&all, StatementTable(s)); err != nil {
		c.find(s.ID, "its table cannot be read again: %v", err)
		return
	}
	alone := s
	alone.Packages, alone.Adjustments = nil, nil
	if err := c.sum(&ofBills, StatementTable(alone)); err != nil {
		c.find(s.ID, "its table cannot be read again: %v", err)
		return
	}
	if !ofBills.same(bills) {
		c.find(s.ID, "its table has %s for bills, the bills on it are %s", ofBills, bills)
	}
	if all.Amount != total {
		c.find(s.ID, "its table sums to %s, it is %s", all.Amount, total)
	}
	if rest, err := all.Amount.Sub(ofBills.Amount); err != nil || rest != packages {
		c.find(s.ID, "its table has %s for packages, the charges on it are %s", rest, packages)
	}
	if adjusted, err := s.Adjusted(); err != nil || all.Beside != adjusted {
		c.find(s.ID, "its table has %s beside the total, the adjustments are %s", all.Beside, adjusted)
	}
}

// Findings gives all that is wrong, once everything was fed.
func (c *Check) Findings() []audit.Finding { return c.findings }

// sum writes a table and adds what is read from it.
func (c *Check) sum(to *Sums, table [][]string) error {
	c.text.Reset()
	if err := write(&c.text, table); err != nil {
		return err
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(c.text.Bytes(), []byte(mark))))
	in.ReuseRecord = true
	head, err := in.Read()
	if err != nil {
		return err
	}
	at, err := columnsOf(head)
	if err != nil {
		return err
	}
	for {
		row, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := at.add(to, row); err != nil {
			return err
		}
	}
}

// columns are where the amounts of a table stand.
type columns struct {
	currency, amount int
	paid             []int
}

// errColumn is a table that lacks a column of money.
var errColumn = errors.New("a column is missing")

func columnsOf(head []string) (columns, error) {
	at := columns{currency: slices.Index(head, "currency"), amount: slices.Index(head, "amount")}
	for _, kind := range wallet.Payments() {
		at.paid = append(at.paid, slices.Index(head, string(kind)))
	}
	if min(at.currency, at.amount, slices.Min(at.paid)) < 0 {
		return at, errColumn
	}
	return at, nil
}

// add adds a row. One without payments is an adjustment.
func (at columns) add(to *Sums, row []string) error {
	in := money.Currency(row[at.currency])
	amount, err := money.Parse(row[at.amount], in)
	if err != nil {
		return err
	}
	if row[at.paid[0]] == "" {
		to.Beside, err = to.Beside.Add(amount)
		return err
	}
	if to.Amount, err = to.Amount.Add(amount); err != nil {
		return err
	}
	for i, column := range at.paid {
		part, err := money.Parse(row[column], in)
		if err != nil {
			return err
		}
		if to.Paid[i], err = to.Paid[i].Add(part); err != nil {
			return err
		}
	}
	return nil
}

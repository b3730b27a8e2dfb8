package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

// settled is March of a house in which every table that money rests on has
// rows: deposits, online payments with a refund and a dispute, vouchers, cards,
// codes, adjustments, a package with traffic, an agreed price, bills,
// statements, invoices, a debt, and a workspace that was dissolved.
func settled(t *testing.T, s *store.Store) {
	t.Helper()
	sharing(t, s)
	x := invoicing{shopOf: newShop(t, s, "shop")}
	x.recharge(t, "500")
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		if _, err := wallet.GiveVoucher(ctx, tx, x.payer, wallet.ByVoucher, cny("1"), time.Time{}, noon); err != nil {
			return err
		}
		_, err := wallet.BuyCard(ctx, tx, x.payer, terms(t), cny("100"), time.Time{}, noon)
		return err
	})
	if _, err := agree(t, s, x.payer.ID, logsAt("1.25", "2026-03-02", "2026-03-02"), upgraded); err != nil {
		t.Fatal(err)
	}
	_, texts := codes(t, s, ordinary(2))
	if _, err := activate(t.Context(), s, x.payer, texts[0], "192.0.2.7", noon); err != nil {
		t.Fatal(err)
	}
	if err := x.approve(t, x.propose(t, "-2", "").ID, approver); err != nil {
		t.Fatal(err)
	}
	c := counterOf(t, x.shopOf)
	p := c.begin("100", "paid")
	c.hears(paidBy(p, "paid"))
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := topup.AskRefund(ctx, tx, topup.RefundWish{PaymentID: p.ID, Amount: cny("5"), Reason: "too much", Key: "r", Operator: "oper_1"}, noon)
		return err
	})
	c.work()
	c.hears(topup.Report{Event: "dispute", PaymentID: p.ID, Reference: "trade-" + p.ID, Outcome: topup.DisputeOpened, Dispute: "d", Amount: cny("6")})
	gone := newShop(t, s, "gone")
	gone.owned(t)
	x.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 8_000_000)
	x.use(t, "logs", "14d", noonOf("2026-03-02"), 300_000_000)
	x.use(t, "logs", "14d", noonOf("2026-03-03"), 4_000_000)
	wealthy := newShop(t, s, "wealthy")
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.GiveVoucher(ctx, tx, wealthy.payer, wallet.ByVoucher, cny("1000"), noon.AddDate(1, 0, 0), noon)
		return err
	})
	wealthy.use(t, "logs", "14d", noonOf("2026-03-03"), 4_000_000)
	closeDays(t, s, march1, "2026-04-02")
	issueMonth(t, s, "2026-03")
	if err := gone.dissolve(t, "gone", april); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d", "g"} {
		shopOf{s: s, payer: account.Billing{ID: "bcac_" + name}}.tell(t)
	}
	x.certified(t)
	all := refs(x.items(t))
	first, err := x.ask(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
		return invoice.Reject(ctx, tx, first.ID, "why", "oper_1", "", april)
	})
	if _, err := x.ask(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
}

// moneyTables are the tables that money depends on, each with the invariants
// by which what is planted there may be found.
var moneyTables = map[string]string{
	"ledger_entry": "I1 I2 I4 I6", "ledger_posting": "I1 I2 I3 I4 I6 I8", "ledger_balance": "I2 I13", "purse": "I2 I6", "chain": "I6",
	"transfer": "I4", "adjustment": "I4 I5", "payment": "I4", "payment_refund": "I4", "payment_dispute": "I4",
	"wallet_source": "I4 I8", "activation_code": "I8", "code_batch": "I8",
	"bill": "I4 I5 I6 I11", "site_day": "I6", "document_number": "I6 I11", "usage_day": "I5 I6",
	"package": "I4 I5 I8", "package_term": "I5 I6 I8", "package_traffic": "I5 I8", "package_seat": "I5", "package_charge": "I4 I5 I6 I8",
	"price_override": "I5",
	"statement":      "I5 I6 I11", "statement_bill": "I5", "invoice_request": "I4 I5 I6 I11", "invoice_line": "I4 I5",
	"arrears_clock": "I13", "clearing": "I13", "workspace": "I7 I10 I13", "audit": "I6",
}

// plant is one corruption: a statement with which somebody changes the books
// behind the program's back.
type plant struct {
	name string // table.column, or table:deleted
	row  int
	sql  string
}

// column is one of a table.
type column struct {
	name, kind string
	key        bool
}

func columnsOf(t *testing.T, s *store.Store, table string) (all []column) {
	t.Helper()
	err := s.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), `SELECT name, type, pk FROM pragma_table_info('`+table+`')`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var c column
			var key int64
			if err := rows.Scan(&c.name, &c.kind, &key); err != nil {
				return err
			}
			c.key = key > 0
			all = append(all, c)
		}
		return rows.Err()
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("columns of %s: %v", table, err)
	}
	return all
}

// rowsTried bounds the rows of a table that are changed: the first, the last,
// and some between.
const rowsTried = 5

// plantsOf makes every corruption of a table: each field of some of its rows
// changed, each of these rows deleted, and each doubled under another key.
func plantsOf(t *testing.T, s *store.Store, table string) (all []plant) {
	t.Helper()
	columns := columnsOf(t, s, table)
	var keys, names []string
	for _, c := range columns {
		names = append(names, c.name)
		if c.key {
			keys = append(keys, c.name)
		}
	}
	key, some := strings.Join(keys, ", "), ""
	if table == "chain" || table == "purse" {
		some = ` WHERE n > 0` // a chain that was opened and not used says nothing
	}
	var n int
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table+some).Scan(&n)
	}); err != nil || n == 0 {
		t.Fatalf("%s has %d rows, %v", table, n, err)
	}
	for i := range min(n, rowsTried) {
		at := i * max(n-1, 1) / max(min(n, rowsTried)-1, 1)
		where := fmt.Sprintf(`WHERE (%s) = (SELECT %s FROM %s ORDER BY %s LIMIT 1 OFFSET %d)`, key, key, table+some, key, at)
		for _, c := range columns {
			all = append(all, plant{table + "." + c.name, at, fmt.Sprintf(`UPDATE %s SET %s = %s %s`, table, c.name, other(c), where)})
		}
		all = append(all, plant{table + ":deleted", at, `DELETE FROM ` + table + ` ` + where})
		copied := make([]string, len(columns))
		for j, c := range columns {
			if copied[j] = c.name; c.key {
				copied[j] = other(c)
			}
		}
		all = append(all, plant{
			table + ":doubled", at,
			fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM %s %s`, table, strings.Join(names, ", "), strings.Join(copied, ", "), table, where),
		})
	}
	return all
}

// other is a value that the column does not have.
func other(c column) string {
	if c.kind == "BIGINT" { // an instant by a day
		return `CASE WHEN ` + c.name + ` > 100000000000000 THEN ` + c.name + ` + 86400000000 ELSE ` + c.name + ` + 1 END`
	}
	return `CASE
		WHEN ` + c.name + ` GLOB '????-??-??' THEN DATE(` + c.name + `, '+1 day')
		WHEN ` + c.name + ` GLOB '????-??' THEN '2027-01'
		WHEN CAST(` + c.name + ` AS REAL) <> 0 AND LENGTH(` + c.name + `) < 20 THEN '1' || ` + c.name + `
		ELSE ` + c.name + ` || 'x'
	END`
}

// errPlanted undoes a corruption.
var errPlanted = errors.New("undone")

// outcomeOf plants, verifies, and undoes. refused: the schema did not take it.
func outcomeOf(t *testing.T, s *store.Store, p plant) (found []audit.Finding, refused bool) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Exec(t.Context(), p.sql)
		if err != nil {
			refused = true
			return errPlanted
		}
		if n == 0 {
			return fmt.Errorf("%s: nothing was changed", p.name)
		}
		found, err = tx.Verify(t.Context(), catalog.Default())
		if err != nil { // books that cannot even be read are no sound ones
			t.Errorf("%s: %v", p.name, err)
		}
		return errPlanted
	})
	if !errors.Is(err, errPlanted) {
		t.Fatal(err)
	}
	return found, refused
}

// uncovered is what no invariant can tell, with the reason.
var uncovered = map[string]string{
	"who did it and why, in words: the audit log says the same, and its chain covers that": `
		adjustment.decided_by adjustment.proposed_by adjustment.proposed_at adjustment.refusal
		adjustment.bill_id transfer.decided_by transfer.declared_at transfer.difference transfer.proposed_at
		transfer.proposed_by transfer.reason transfer.reference transfer.returned payment_refund.asked_at payment_refund.asked_by
		payment_refund.reason payment_refund.problem price_override.added_at price_override.added_by price_override.reason
		code_batch.made_at code_batch.made_by code_batch.note wallet_source.reason`,
	"how a payment stands with its channel, whose own books hold it": `
		payment.asks payment.created_at payment.expires_at payment.key payment.next_ask_at payment.paid_at payment.problem
		payment.reference payment.revision payment.session payment.url payment_dispute.decided_at payment_dispute.opened_at
		payment_dispute.reference payment_refund.done_at payment_refund.id payment_refund.key`,
	"a channel may refund without our asking, so that a refund of the books needs no row": `payment_refund:deleted`,
	"a term of what was given, of which there is no second record": `
		wallet_source.tail wallet_source.told_end
		code_batch.exported_at code_batch.holds_days code_batch.holds_until code_batch.redeem_by activation_code.tail`,
	"the digest of a secret that nobody keeps": `activation_code.hash`,
	"how far a close has come and when; what it made is chained": `
		site_day.after_payer site_day.after_workspace site_day.began_at site_day.closed_at site_day.done site_day.parked site_day.total`,
	"only the numbers of bills are linked": `document_number.link`,
	"what a list says beside the sums, and how a request goes its way": `
		invoice_line.day invoice_line.label invoice_line.month invoice_line.position invoice_line.total
		invoice_request.closed_at invoice_request.closed_by invoice_request.company invoice_request.delivery
		invoice_request.file_id invoice_request.file_name invoice_request.issued_at invoice_request.issued_by invoice_request.reason
		invoice_request.requested_at invoice_request.sent_at invoice_request.sent_by invoice_request.tax_number
		invoice_request.taxpayer_id invoice_request.user_name invoice_request.waived`,
	"for people; nothing is calculated by it": `
		package.bought_at package.number package.remind_at package_traffic.number package_traffic.bought_at
		workspace.name workspace.language workspace.owner_id workspace.created_at workspace.revision`,
	"work that is under way, or failed":                              `arrears_clock.extended_at arrears_clock.pending arrears_clock.told clearing.failure clearing.tries`,
	"usage of nobody is kept and billed to nobody":                   `usage_day:doubled`,
	"one that reported nothing and owes nothing is like any new one": `workspace:doubled`,
}

// TestEveryFieldOfMoneyIsCovered changes each field of the tables that money
// depends on, deletes and doubles their rows, and expects the right invariant
// to say so, or the schema to refuse it. A field counts when a change of it is
// found in one of the rows that are tried; a row must be found wherever it is.
func TestEveryFieldOfMoneyIsCovered(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	settled(t, s)
	sound(t, s)
	known := map[string]string{}
	for reason, names := range uncovered {
		for _, name := range strings.Fields(names) {
			known[name] = reason
		}
	}
	for _, table := range slices.Sorted(maps.Keys(moneyTables)) {
		found, missed := map[string]bool{}, map[string]string{}
		for _, p := range plantsOf(t, s, table) {
			list, refused := outcomeOf(t, s, p)
			if refused || slices.ContainsFunc(list, func(f audit.Finding) bool {
				return slices.Contains(strings.Fields(moneyTables[table]), f.Invariant)
			}) {
				found[p.name] = true
			} else {
				missed[p.name] += fmt.Sprintf(" row %d %v", p.row, list)
			}
		}
		for name, how := range missed {
			row := strings.Contains(name, ":")
			if known[name] == "" && (row || !found[name]) {
				t.Errorf("%s is not covered:%s", name, how)
			}
			if known[name] != "" {
				delete(known, name)
			}
		}
	}
	for name, reason := range known {
		t.Errorf("%s is covered, and listed as not: %s", name, reason)
	}
}

package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// Ground reads what debits rest upon, and keeps the payers' chains from other
// writers until the transaction ends. What is read after a chain was locked is
// as the one before left it.
func (tx *Tx) Ground(ctx context.Context, of wallet.GroundOf) (wallet.Ground, error) {
	for {
		g, missing, err := tx.ground(ctx, of)
		if err != nil || len(missing) == 0 {
			return g, err
		}
		if err := tx.makePurses(ctx, missing); err != nil {
			return g, err
		}
	}
}

// ground is Ground where each payer has a purse; otherwise it names those whose
// purse is missing.
func (tx *Tx) ground(ctx context.Context, of wallet.GroundOf) (g wallet.Ground, missing []string, err error) {
	g = wallet.Ground{
		Callers: make(map[string]bool, len(of.Callers)), Payers: make(map[string]wallet.Standing, len(of.Payers)),
		Posted: map[string]*wallet.Entry{}, Stored: make(map[string]map[wallet.Account]money.Amount, len(of.Payers)),
	}
	heads := make(map[string]wallet.Head, len(of.Payers))
	err = tx.together(ctx, "what deductions rest upon",
		tx.plansOnce(),
		tx.readPurses(of.Payers, func(payer string, end wallet.Head, cash money.Amount) {
			heads[payer] = end
			if cash.Currency() != "" {
				g.Stored[payer] = map[wallet.Account]money.Amount{wallet.Cash(payer): cash}
			}
		}),
		tx.readCallers(of.Callers, g.Callers),
		tx.readBalances(of.Payers, g.Stored),
		tx.readPosted(of.Keys, func(e wallet.Entry) { g.Posted[e.Key] = &e }),
	)
	if err != nil {
		return g, nil, err
	}
	currencies, err := tx.currenciesOf(ctx, of.Payers, g.Stored)
	for payer, c := range currencies {
		head, ok := heads[payer]
		if !ok {
			missing = append(missing, payer)
		}
		g.Payers[payer] = wallet.Standing{Currency: c, Head: head}
	}
	slices.Sort(missing)
	return g, missing, err
}

// currenciesOf tells in which currency each payer pays, of those that exist. A
// payer's books are in one currency for good (account.ChangeCurrency), so that
// who has any tells by them.
func (tx *Tx) currenciesOf(ctx context.Context, payers []string, stored map[string]map[wallet.Account]money.Amount) (map[string]money.Currency, error) {
	of := make(map[string]money.Currency, len(payers))
	var others []string
	for _, payer := range payers {
		others = append(others, payer)
		for _, amount := range stored[payer] {
			of[payer], others = amount.Currency(), others[:len(others)-1]
			break
		}
	}
	if len(others) == 0 {
		return of, nil
	}
	found, err := tx.CurrenciesOf(ctx, others)
	maps.Copy(of, found)
	return of, err
}

// plansOnce lets the server make the plans of this transaction's statements
// once for all parameters. Planning nine statements anew for each group costs
// more than a small group itself.
func (tx *Tx) plansOnce() *Statement {
	if tx.dialect == Postgres {
		return &Statement{SQL: `SET LOCAL plan_cache_mode = force_generic_plan`}
	}
	return &Statement{SQL: `SELECT 1`, Read: func(Rows) error { return nil }}
}

// readCallers tells which API keys work.
func (tx *Tx) readCallers(ids []string, into map[string]bool) *Statement {
	return &Statement{
		SQL: `
		SELECT id
		FROM reader_key
		WHERE ` + tx.among("id", 1) + `
			AND revoked_at = 0`,
		Args: []any{tx.list(ids)},
		Read: each(func(r Row) error {
			var id string
			err := r.Scan(&id)
			into[id] = true
			return err
		}),
	}
}

// readBalances reads what payers have beside their cash.
func (tx *Tx) readBalances(payers []string, into map[string]map[wallet.Account]money.Amount) *Statement {
	return &Statement{
		SQL: `
		SELECT payer, account, currency, minor
		FROM ledger_balance
		WHERE ` + tx.among("payer", 1),
		Args: []any{tx.list(payers)},
		Read: each(func(r Row) error {
			var payer, account, currency string
			var minor int64
			err := r.Scan(&payer, &account, &currency, &minor)
			if into[payer] == nil {
				into[payer] = map[wallet.Account]money.Amount{}
			}
			into[payer][wallet.Account(account)] = money.Of(minor, money.Currency(currency))
			return err
		}),
	}
}

// readPosted reads the entries that keys have already.
func (tx *Tx) readPosted(keys []string, take func(wallet.Entry)) *Statement {
	return &Statement{
		SQL: entrySelect + `
		WHERE ` + tx.among("e.key", 1) + `
		ORDER BY e.payer, e.number, p.position`,
		Args: []any{tx.list(keys)},
		Read: func(rows Rows) error { return eachEntry(rows, take) },
	}
}

// AppendNoted is AppendEntries with what the audit log says of it. Where no
// debt begins or ends, both go to the server in one trip, the log last: its end
// is kept from others for as short as can be, since every one who writes
// something down waits for it.
func (tx *Tx) AppendNoted(ctx context.Context, entries []wallet.Entry, notes []audit.Entry) error {
	switch {
	case len(debtors(entries...)) > 0:
		if err := tx.AppendEntries(ctx, entries); err != nil {
			return err
		}
		return tx.AuditAll(ctx, notes)
	case tx.dialect != Postgres:
		if err := tx.appendEntries(ctx, entries); err != nil {
			return err
		}
		return tx.AuditAll(ctx, notes)
	}
	noted, err := auditThere(notes)
	if err != nil {
		return err
	}
	if err := tx.appendEntries(ctx, entries, noted...); err != nil {
		return err
	}
	if touched(noted) == 0 {
		return tx.AuditAll(ctx, notes) // the first of all
	}
	return nil
}

// debitSum is what a service took in a currency.
type debitSum struct {
	service  string
	currency money.Currency
}

// verifyDebits holds the deductions of the ledger against what the audit log
// says was posted: as many for each service, of the same sums (I4). A key with
// two entries is found with all others.
func (tx *Tx) verifyDebits(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	sums, counts := map[debitSum]int64{}, map[string]int64{}
	rows, err := tx.Query(ctx, `
		SELECT e.id, e.key, p.currency, p.minor
		FROM ledger_entry e
		JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = 'revenue:' || p.currency
		WHERE e.kind = 'deduction'
		UNION ALL
		SELECT id, key, currency, cash
		FROM ledger_entry
		WHERE kind = 'deduction'
			AND cash <> 0`)
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var e wallet.Entry
		var currency string
		var minor int64
		err := r.Scan(&e.ID, &e.Key, &currency, &minor)
		sums[debitSum{e.ServiceOf(), money.Currency(currency)}] += minor
		counts[e.ServiceOf()]++
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("deductions: %w", err)
	}
	rows, err = tx.Query(ctx, `
		SELECT n, at, actor, address, action, subject, detail, hash
		FROM audit
		WHERE action = $1`, wallet.DebitsNoted)
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		l, err := scanAudit(r)
		if err != nil {
			return struct{}{}, err
		}
		n, err := strconv.ParseInt(l.Detail[wallet.DebitsCount], 10, 64)
		counts[l.Subject] -= n
		for _, c := range money.Currencies() {
			if text, ok := l.Detail[string(c)]; ok && err == nil {
				var sum money.Amount
				sum, err = money.Parse(text, c)
				sums[debitSum{l.Subject, c}] -= sum.Minor()
			}
		}
		return struct{}{}, err
	}); err != nil {
		return nil, fmt.Errorf("what the audit log says of deductions: %w", err)
	}
	return missedDebits(sums, counts), nil
}

// missedDebits tells of what is left of sums and counts that should be zero.
func missedDebits(sums map[debitSum]int64, counts map[string]int64) []audit.Finding {
	var all []audit.Finding
	for service, n := range counts {
		if n != 0 {
			all = append(all, audit.Finding{Invariant: "I4", Subject: service, Detail: fmt.Sprintf("the ledger has %d deductions more than the audit log", n)})
		}
	}
	for of, minor := range sums {
		if minor != 0 {
			all = append(all, audit.Finding{Invariant: "I4", Subject: of.service,
				Detail: fmt.Sprintf("the ledger has deductions of %s %s more than the audit log", money.Of(minor, of.currency), of.currency)})
		}
	}
	slices.SortFunc(all, func(a, b audit.Finding) int { return strings.Compare(a.String(), b.String()) })
	return all
}

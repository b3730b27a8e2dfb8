package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Verify reads all books and lists what they do not hold of the invariants I1
// to I13. Sound books have no finding. Run it in one Read, so that
// it sees one instant.
func (tx *Tx) Verify(ctx context.Context, c *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, part := range []struct {
		name   string
		verify func(context.Context, *catalog.Catalog) ([]audit.Finding, error)
	}{
		{"the ledger", tx.verifyLedger},
		{"idempotency keys", tx.verifyKeys},
		{"bank transfers", tx.verifyTransfers},
		{"payments", tx.verifyTopups},
		{"vouchers and cards", tx.verifySources},
		{"adjustments", tx.verifyAdjustments},
		{"deductions", tx.verifyDebits},
		{"bills and closed days", tx.verifyBills},
		{"packages", tx.verifyPackages},
		{"statements", tx.verifyStatements},
		{"exports", tx.verifyExports},
		{"invoices", tx.verifyInvoices},
		{"workspaces", tx.verifyWorkspaces},
		{"arrears", tx.verifyArrears},
		{"marketplaces", tx.verifyMarketplaces},
		{"the audit log", tx.verifyAudit},
		{"what no chain covers", tx.verifyBeside},
	} {
		found, err := part.verify(ctx, c)
		switch {
		case err != nil && tx.answers(ctx): // the store works: what lies in it cannot be read
			found = []audit.Finding{{Invariant: "I6", Subject: part.name, Detail: "a part cannot be read, so that nothing is known of the rest: " + err.Error()}}
		case err != nil:
			return nil, fmt.Errorf("verify %s: %w", part.name, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// answers reports whether the transaction still works: on an error of the
// engine, or when nobody waits any more, it does not.
func (tx *Tx) answers(ctx context.Context) bool {
	var one int64
	return tx.QueryRow(ctx, `SELECT 1`).Scan(&one) == nil
}

func (tx *Tx) verifyLedger(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	check := wallet.NewCheck()
	rows, err := tx.Query(ctx, entrySelect+`ORDER BY e.payer, e.number, p.position`)
	if err != nil {
		return nil, err
	}
	if err := eachEntry(rows, check.Entry); err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		SELECT account, currency, minor
		FROM ledger_balance
		UNION ALL
		SELECT 'cash:' || payer, currency, cash
		FROM purse
		WHERE currency <> ''
			OR cash <> 0
		ORDER BY account, currency`)
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var account, currency string
		var minor int64
		err := r.Scan(&account, &currency, &minor)
		if err == nil {
			check.Stored(wallet.Account(account), money.Of(minor, money.Currency(currency)))
		}
		return struct{}{}, err
	}); err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `
		SELECT payer, n, hash
		FROM purse
		WHERE n > 0
		ORDER BY payer`)
	if _, err := collect(rows, err, func(r Row) (struct{}, error) {
		var payer string
		var end wallet.Head
		err := r.Scan(&payer, &end.Number, &end.Hash)
		if err == nil {
			check.Chain(payer, end)
		}
		return struct{}{}, err
	}); err != nil {
		return nil, err
	}
	loose, err := tx.strays(ctx, "I6", `
		SELECT p.payer, 'a posting belongs to no entry'
		FROM ledger_posting p
		LEFT JOIN ledger_entry e ON e.payer = p.payer AND e.number = p.number
		WHERE e.id IS NULL`)
	if err != nil {
		return nil, err
	}
	gaps, err := tx.strays(ctx, "I6", `
		SELECT payer, 'the positions of an entry''s postings have gaps'
		FROM ledger_posting
		GROUP BY payer, number
		HAVING MIN(position) <> 0
			OR MAX(position) <> COUNT(*) - 1`)
	return slices.Concat(check.Findings(), loose, gaps), err
}

// eachChain reads the heads of the chains whose name begins so. A chain that
// was opened and never used is left out.
func (tx *Tx) eachChain(ctx context.Context, prefix string, take func(name string, head link)) error {
	rows, err := tx.Query(ctx, `
		SELECT name, n, hash
		FROM chain
		WHERE SUBSTR(name, 1, $1) = $2
			AND n > 0
		ORDER BY name`, int64(len(prefix)), prefix)
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var name string
		var head link
		err := r.Scan(&name, &head.n, &head.hash)
		if err == nil {
			take(strings.TrimPrefix(name, prefix), head)
		}
		return struct{}{}, err
	})
	return err
}

// strays are queries whose every row is a finding: a subject and a detail.
func (tx *Tx) strays(ctx context.Context, invariant, sql string, args ...any) ([]audit.Finding, error) {
	rows, err := tx.Query(ctx, sql, args...)
	return collect(rows, err, func(r Row) (audit.Finding, error) {
		f := audit.Finding{Invariant: invariant}
		err := r.Scan(&f.Subject, &f.Detail)
		return f, err
	})
}

// verifyKeys looks for a key with two effects, and for money whose cause does
// not exist: an entry without a credited transfer or payment, or without a bill.
func (tx *Tx) verifyKeys(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range []string{`
		SELECT key, 'the ledger has this key more than once'
		FROM ledger_entry
		GROUP BY key
		HAVING COUNT(*) > 1`, `
		SELECT cause, 'the ledger has this cause more than once'
		FROM ledger_entry
		WHERE kind NOT IN ('charge', 'refund', 'chargeback', 'dispute_returned', 'deduction')
		GROUP BY cause
		HAVING COUNT(*) > 1`, `
		SELECT e.id, 'the deposit has no credited transfer and no credited payment'
		FROM ledger_entry e
		LEFT JOIN transfer t ON t.id = e.cause AND t.state = 'credited'
		LEFT JOIN payment p ON p.id = e.cause AND p.credited_at > 0
		WHERE e.kind = 'deposit'
			AND t.id IS NULL
			AND p.id IS NULL`, `
		SELECT e.id, 'the charge has no bill'
		FROM ledger_entry e
		LEFT JOIN bill b ON b.payer = e.payer AND b.entry = e.number
		WHERE e.kind = 'charge'
			AND b.payer IS NULL`, `
		SELECT b.workspace_id || '-' || b.day, 'the bill was issued at another instant than it was paid'
		FROM bill b
		JOIN ledger_entry e ON e.payer = b.payer AND e.number = b.entry
		WHERE e.at <> b.issued_at`,
	} {
		found, err := tx.strays(ctx, "I4", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// verifyWorkspaces looks for a workspace that took the step to Commercial
// other than once, or back (I7).
func (tx *Tx) verifyWorkspaces(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	found, err := tx.strays(ctx, "I7", `
		SELECT id, 'its plan, generation, upgrade and payer do not belong together'
		FROM workspace
		WHERE NOT (plan = $1 AND generation = 1 AND upgraded_at = 0 AND payer = '')
			AND NOT (plan = $2 AND generation = 2 AND upgraded_at > 0 AND (payer <> '' OR state = 'dissolved'))
		ORDER BY id`, string(workspace.Experience), string(workspace.Commercial))
	if err != nil {
		return nil, err
	}
	twice, err := tx.strays(ctx, "I7", `
		SELECT subject, 'it was upgraded more than once'
		FROM audit
		WHERE action = 'workspace.upgraded'
		GROUP BY subject
		HAVING COUNT(*) > 1`)
	if err != nil {
		return nil, err
	}
	nobody, err := tx.strays(ctx, "I7", `
		SELECT w.id, 'its payer does not exist'
		FROM workspace w
		LEFT JOIN billing_account b ON b.id = w.payer
		WHERE w.payer <> ''
			AND b.id IS NULL`)
	if err != nil {
		return nil, err
	}
	when, err := tx.strays(ctx, "I7", `
		SELECT w.id, 'the audit log says that it was upgraded at another instant'
		FROM workspace w
		JOIN audit a ON a.subject = w.id AND a.action = 'workspace.upgraded'
		WHERE a.at <> w.upgraded_at`)
	return slices.Concat(found, twice, nobody, when), err
}

func (tx *Tx) verifyAudit(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	n, err := tx.BrokenAudit(ctx)
	if err != nil || n == 0 {
		return nil, err
	}
	return []audit.Finding{{Invariant: "I6", Subject: "audit", Detail: fmt.Sprintf("entry %d does not follow from the one before", n)}}, nil
}

package app

import (
	"context"
	"fmt"
	"strings"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/store"
)

// Report is what a check of the books found, by invariant.
type Report struct{ Findings []audit.Finding }

// invariants are what is checked, in words.
var invariants = []struct{ id, claim string }{
	{"I1", "postings sum to zero per currency"},
	{"I2", "cached balances are the sums of their postings"},
	{"I3", "no balance is below its floor"},
	{"I4", "an idempotency key has one effect"},
	{"I5", "hours = days = lines = bills = statements"},
	{"I6", "hash chains are whole"},
	{"I7", "a workspace is upgraded at most once and never back"},
	{"I8", "no voucher or card pays more than it was issued for"},
	{"I9", "what clouds are told is what bills leave to them"},
	{"I10", "nothing is billed before the upgrade"},
	{"I11", "document numbers have no gaps"},
	{"I12", "exports sum to the bills that they are about"},
	{"I13", "workspaces are warned, locked and cleared as their payer's debt says"},
}

// Verify checks the books of a store as of one instant.
func Verify(ctx context.Context, s *store.Store) (Report, error) {
	return VerifyBy(ctx, s, catalog.Default())
}

// VerifyBy is Verify for books that were kept by another catalogue.
func VerifyBy(ctx context.Context, s *store.Store, c *catalog.Catalog) (Report, error) {
	var r Report
	err := s.Read(ctx, func(tx *store.Tx) (err error) {
		whole, _, err := c.Whole(ctx, tx)
		if err != nil {
			return err
		}
		if r.Findings, err = tx.Verify(ctx, whole); err != nil {
			return err
		}
		late, err := tx.Overdue(ctx)
		r.Findings = append(r.Findings, late...)
		return err
	})
	return r, err
}

// OK reports whether everything holds.
func (r Report) OK() bool { return len(r.Findings) == 0 }

// String is one line per invariant, and one per finding below it.
func (r Report) String() string {
	var b strings.Builder
	known := map[string]bool{}
	for _, i := range invariants {
		known[i.id] = true
		state := "ok"
		if r.count(i.id) > 0 {
			state = "BROKEN"
		}
		fmt.Fprintf(&b, "%-4s %-7s %s\n", i.id, state, i.claim)
		r.list(&b, func(id string) bool { return id == i.id })
	}
	r.list(&b, func(id string) bool { return !known[id] })
	return b.String()
}

func (r Report) count(id string) (n int) {
	for _, f := range r.Findings {
		if f.Invariant == id {
			n++
		}
	}
	return n
}

func (r Report) list(b *strings.Builder, wanted func(id string) bool) {
	for _, f := range r.Findings {
		if wanted(f.Invariant) {
			fmt.Fprintf(b, "     %s: %s\n", f.Subject, f.Detail)
		}
	}
}

package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// cousins are accounts of the company that pays for the workspace already.
func cousins(t *testing.T, s *store.Store, n int) []workspace.Actor {
	t.Helper()
	var all []workspace.Actor
	for i := range n {
		name := fmt.Sprintf("cousin-%02d", i)
		a := account.Billing{ID: id.BillingAccount + "_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.InsertBilling(ctx, a); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `UPDATE billing_account SET certified_company = 'Acme', certified_taxpayer_id = '9133' WHERE id = $1`, a.ID)
			return err
		})
		all = append(all, workspace.Actor{AccountID: a.ID})
	}
	return all
}

func claim(t *testing.T, s *store.Store, workspaceID string, by workspace.Actor, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := rebind.Claim(t.Context(), tx, workspaceID, by, at)
		return err
	})
}

func proveClaim(t *testing.T, s *store.Store, workspaceID, code string, by workspace.Actor, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := rebind.Prove(t.Context(), tx, workspaceID, code, by, at)
		return store.Keep(err)
	})
}

func takeOver(t *testing.T, s *store.Store, workspaceID string, by workspace.Actor, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := rebind.TakeOver(t.Context(), tx, workspaceID, by, at)
		return err
	})
}

// claimCode is the code that the Owner was mailed for the account's claim.
func claimCode(t *testing.T, s *store.Store, to string, by workspace.Actor) string {
	t.Helper()
	name := strings.TrimPrefix(by.AccountID, id.BillingAccount+"_")
	var found []string
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		ids, err := codeMailsTo(ctx, tx, to)
		if err != nil {
			return err
		}
		for _, mailID := range ids {
			m, _, err := tx.Mail(ctx, mailID)
			if err != nil {
				return err
			}
			if strings.Contains(m.Text, name) {
				found = append(found, sixDigits(m.Text))
			}
		}
		return nil
	})
	if len(found) != 1 {
		t.Fatalf("%d mails of the claim of %s", len(found), name)
	}
	return found[0]
}

func codeMailsTo(ctx context.Context, tx *store.Tx, to string) (ids []string, err error) {
	rows, err := tx.Query(ctx, `SELECT id FROM mail WHERE recipient = $1 AND kind = 'code'`, to)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		ids = append(ids, one)
	}
	return ids, rows.Err()
}

// audited counts what the audit log has of a workspace under an action.
func audited(t *testing.T, s *store.Store, action, subject string) (n int64) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT COUNT(*) FROM audit WHERE action = $1 AND subject = $2`, action, subject).Scan(&n)
	})
	return n
}

// TestOneOfManyConcurrentTakeOversGetsTheWorkspace has eight accounts of one
// company claim a workspace, prove it and take it over, each step all at once
// and twice each.
func TestOneOfManyConcurrentTakeOversGetsTheWorkspace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, _, _ := twoAccounts(t, s)
		all := cousins(t, s, 8)
		at := upgraded.Add(time.Hour)
		together := func(do func(by workspace.Actor)) {
			var group sync.WaitGroup
			for range 2 {
				for _, by := range all {
					group.Go(func() { do(by) })
				}
			}
			group.Wait()
		}
		var began atomic.Int64
		together(func(by workspace.Actor) {
			switch err := claim(t, s, x.shop.ID, by, at); {
			case err == nil:
				began.Add(1)
			case !errors.Is(err, account.ErrCodeOften):
				t.Errorf("claim of %s: %v", by.AccountID, err)
			}
		})
		if began.Load() != 8 {
			t.Fatalf("%d claims began, want one of each account", began.Load())
		}
		codes := map[string]string{}
		for _, by := range all {
			codes[by.AccountID] = claimCode(t, s, "mei@shop.example", by)
		}
		var proved atomic.Int64
		together(func(by workspace.Actor) {
			switch err := proveClaim(t, s, x.shop.ID, codes[by.AccountID], by, at); {
			case err == nil:
				proved.Add(1)
			case !errors.Is(err, account.ErrCodeUsed):
				t.Errorf("code of %s: %v", by.AccountID, err)
			}
		})
		if proved.Load() != 8 {
			t.Fatalf("%d codes were taken, want each once", proved.Load())
		}
		var winners sync.Map
		together(func(by workspace.Actor) {
			switch err := takeOver(t, s, x.shop.ID, by, at); {
			case err == nil:
				winners.Store(by.AccountID, true)
			case !errors.Is(err, rebind.ErrNotNamed):
				t.Errorf("take-over by %s: %v", by.AccountID, err)
			}
		})
		var won []string
		winners.Range(func(k, _ any) bool { won = append(won, k.(string)); return true })
		w, _ := x.now(t)
		if len(won) != 1 || w.Payer != won[0] || audited(t, s, "workspace.rebound", x.shop.ID) != 1 {
			t.Errorf("%v took it over, %s pays, %d entries", won, w.Payer, audited(t, s, "workspace.rebound", x.shop.ID))
		}
		sound(t, s)
	})
}

// TestATakeOverAtMidnightAndTheCloseAgreeWhoPays closes a day while workspaces
// are taken over in its last instant: whoever has a workspace then pays its day,
// and a take-over that comes too late is refused.
func TestATakeOverAtMidnightAndTheCloseAgreeWhoPays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, _, _ := twoAccounts(t, s)
		shops := []shopOf{x}
		for i := range 5 {
			shops = append(shops, x.second(t, fmt.Sprint("more-", i)))
		}
		by := cousins(t, s, 1)[0]
		today := day(march1)
		cn1, err := site.Find("cn1")
		if err != nil {
			t.Fatal(err)
		}
		last := today.End(cn1.Zone).Add(-time.Microsecond)
		for _, shop := range shops {
			shop.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 1_000_000)
			write(t, s, func(ctx context.Context, tx *store.Tx) error { // claimed and proved, as the test above does it
				d := rebind.Draft{WorkspaceID: shop.shop.ID, ActorID: by.AccountID, BillingID: by.AccountID, UserName: "cousin-00", Email: "mei@shop.example", NamedAt: last.Add(-time.Minute), ProvedAt: last.Add(-time.Second)}
				_, err := tx.Exec(ctx, `UPDATE workspace SET owner_id = $1 WHERE id = $2`, x.shop.OwnerID, shop.shop.ID)
				return errors.Join(err, tx.SaveRebindDraft(ctx, d))
			})
		}
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := books(s).CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: today}, last.Add(time.Hour)); err != nil {
				t.Error(err)
			}
		})
		for _, shop := range shops {
			group.Go(func() {
				if err := takeOver(t, s, shop.shop.ID, by, last); err != nil && !errors.Is(err, rebind.ErrDayOpen) {
					t.Errorf("take-over of %s: %v", shop.shop.ID, err)
				}
			})
		}
		group.Wait()
		for _, shop := range shops {
			w, _ := shop.now(t)
			if got := payerOf(t, s, shop.shop.ID, today); got != w.Payer {
				t.Errorf("%s is bound to %s, and %s paid its day", w.ID, w.Payer, got)
			}
		}
		sound(t, s)
	})
}

// TestAClaimSaysWhyItCannotBe goes through what stands against a claim. What an
// account of another company hears does not depend on how the workspace stands.
func TestAClaimSaysWhyItCannotBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql  string // what is different
		of   string // the workspace, if another one
		want *fault.Error
	}{
		"no such workspace":                {of: "wksp_none", want: workspace.ErrUnknown},
		"another company":                  {sql: `UPDATE billing_account SET certified_taxpayer_id = '1' WHERE id = 'bcac_cousin-00'`, want: upgrade.ErrBoundElsewhere},
		"nobody is certified":              {sql: `UPDATE billing_account SET certified_taxpayer_id = '', certified_company = ''`, want: upgrade.ErrBoundElsewhere},
		"it pays already":                  {sql: `UPDATE workspace SET payer = 'bcac_cousin-00'`, want: rebind.ErrSameAccount},
		"another currency":                 {sql: `UPDATE billing_account SET currency = 'USD' WHERE id = 'bcac_cousin-00'`, want: upgrade.ErrCurrency},
		"the account is disabled":          {sql: `UPDATE billing_account SET disabled = 1 WHERE id = 'bcac_cousin-00'`, want: upgrade.ErrAccountDisabled},
		"a cloud settles it":               {sql: `UPDATE workspace SET settlement = 'alibaba'`, want: settle.ErrCloudLocked},
		"it is dissolved":                  {sql: `UPDATE workspace SET state = 'dissolved'`, want: workspace.ErrDissolved},
		"it is locked":                     {sql: `UPDATE workspace SET state = 'locked'`, want: workspace.ErrLocked},
		"its days of grace run":            {sql: `UPDATE workspace SET state = 'grace'`, want: rebind.ErrArrears},
		"a day of it is not billed":        {sql: `UPDATE workspace SET upgraded_at = upgraded_at - 86400000000`, want: rebind.ErrDayOpen},
		"it is still on the free plan":     {sql: `UPDATE workspace SET plan = 'experience', payer = ''`, want: settle.ErrNotCommercial},
		"a parked day waits for its payer": {sql: `INSERT INTO parked (workspace_id, day, site, code, reason, at) VALUES ('wksp_shop', '2026-03-01', 'cn1', 'x', 'x', 1)`, want: rebind.ErrDayOpen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := storetest.SQLite(t)
			x, _, _ := twoAccounts(t, s)
			by := cousins(t, s, 1)[0]
			if c.sql != "" {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.Exec(ctx, c.sql)
					return err
				})
			}
			of := x.shop.ID
			if c.of != "" {
				of = c.of
			}
			err := claim(t, s, of, by, upgraded.Add(time.Hour))
			if !errors.Is(err, c.want) || fault.From(err).Field != "workspace_id" {
				t.Errorf("got %v, want %v beside the workspace's ID", err, c.want)
			}
			if strings.Contains(storetest.Dump(t, s), "mail.recipient: mei@shop.example") {
				t.Error("the Owner was mailed a code all the same")
			}
		})
	}
}

// TestATakeOverNeedsItsOwnProof tries the last step without the ones before.
func TestATakeOverNeedsItsOwnProof(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, _, _ := twoAccounts(t, s)
		both := cousins(t, s, 2)
		by, stranger := both[0], both[1]
		at := upgraded.Add(time.Hour)
		if err := takeOver(t, s, x.shop.ID, by, at); !errors.Is(err, rebind.ErrNotNamed) {
			t.Errorf("without a claim: %v", err)
		}
		if err := claim(t, s, " "+x.shop.ID+" ", by, at); err != nil {
			t.Fatal(err)
		}
		code := claimCode(t, s, "mei@shop.example", by)
		for what, c := range map[string]struct {
			got  error
			want *fault.Error
		}{
			"without the code":      {takeOver(t, s, x.shop.ID, by, at), rebind.ErrNotProved},
			"another's code":        {proveClaim(t, s, x.shop.ID, code, stranger, at), rebind.ErrNotNamed},
			"a wrong code":          {proveClaim(t, s, x.shop.ID, "000000", by, at), account.ErrCodeWrong},
			"a code that is stale":  {proveClaim(t, s, x.shop.ID, code, by, at.Add(account.CodeLife)), account.ErrCodeExpired},
			"a claim that is stale": {proveClaim(t, s, x.shop.ID, code, by, at.Add(rebind.DraftLife)), rebind.ErrNotNamed},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v, want %v", what, c.got, c.want)
			}
		}
		if err := proveClaim(t, s, x.shop.ID, code, by, at); err != nil {
			t.Fatal(err)
		}
		if err := takeOver(t, s, x.shop.ID, by, at.Add(rebind.DraftLife)); !errors.Is(err, rebind.ErrNotNamed) {
			t.Errorf("long after the proof: %v", err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error { // meanwhile the company parts
			_, err := tx.Exec(ctx, `UPDATE billing_account SET certified_taxpayer_id = '1' WHERE id = $1`, by.AccountID)
			return err
		})
		if err := takeOver(t, s, x.shop.ID, by, at); !errors.Is(err, upgrade.ErrBoundElsewhere) {
			t.Errorf("by another company: %v", err)
		}
		if w, _ := x.now(t); w.Payer != x.payer.ID {
			t.Errorf("%s pays", w.Payer)
		}
		sound(t, s)
	})
}

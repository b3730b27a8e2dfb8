package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// What a store transaction must be able to do for certification.
var _ account.CertificationTx = (*store.Tx)(nil)

var acme = account.Enterprise{Company: "Acme Ltd", TaxpayerID: "91330100MA27XXXX1A"}

// scan is a small file of every byte.
func scan() attachment.Sent {
	content := []byte("\x89PNG\r\n\x1a\n")
	for i := range 256 {
		content = append(content, byte(i))
	}
	return attachment.Sent{Name: "licence.png", Content: content}
}

func newPayer(t *testing.T, s *store.Store, name string) account.Billing {
	t.Helper()
	a := account.Billing{ID: "bcac_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}
	write(t, s, func(ctx context.Context, tx *store.Tx) error { return tx.InsertBilling(ctx, a) })
	return a
}

func submit(t *testing.T, s *store.Store, accountID string, e account.Enterprise) account.Certification {
	t.Helper()
	var c account.Certification
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		c, err = account.SubmitCertification(ctx, tx, accountID, e, scan(), "192.0.2.7", noon)
		return err
	})
	return c
}

func decide(s *store.Store, ctx context.Context, id string, to account.CertificationState, reason string) error {
	return s.Write(ctx, func(tx *store.Tx) error {
		_, err := account.DecideCertification(ctx, tx, account.Deciding{CertificationID: id, To: to, Reason: reason, Operator: "oper_1"}, noon)
		return err
	})
}

func billingOf(t *testing.T, s *store.Store, id string) (a account.Billing) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		a, err = tx.BillingByID(ctx, id)
		return err
	})
	return a
}

func TestAnAccountIsCertifiedAsItWasUntilAChangeIsDecided(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newPayer(t, s, "acme")
		first := submit(t, s, a.ID, acme)
		if now := billingOf(t, s, a.ID); !now.Enterprise.IsZero() {
			t.Errorf("certified by submitting: %+v", now.Enterprise)
		}
		if err := decide(s, t.Context(), first.ID, account.CertificationCertified, ""); err != nil {
			t.Fatal(err)
		}
		if now := billingOf(t, s, a.ID); now.Enterprise != acme {
			t.Errorf("certified for %+v", now.Enterprise)
		}
		refused(t, s, account.ErrCertifiedAlready, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.SubmitCertification(ctx, tx, a.ID, account.Enterprise{Company: " Acme  Ltd", TaxpayerID: "91330100ma27xxxx1a"}, attachment.Sent{}, "", noon)
			return err
		})
		renamed := account.Enterprise{Company: "Acme Group Ltd", TaxpayerID: acme.TaxpayerID}
		second := submit(t, s, a.ID, renamed)
		third := submit(t, s, a.ID, account.Enterprise{Company: "Acme Holding", TaxpayerID: acme.TaxpayerID})
		if err := decide(s, t.Context(), second.ID, account.CertificationCertified, ""); !errors.Is(err, account.ErrCertificationDecided) {
			t.Errorf("what was replaced is certified: %v", err)
		}
		if err := decide(s, t.Context(), third.ID, account.CertificationRejected, ""); !errors.Is(err, account.ErrCertificationReason) {
			t.Errorf("rejected without a reason: %v", err)
		}
		if err := decide(s, t.Context(), third.ID, account.CertificationRejected, "another company's licence"); err != nil {
			t.Fatal(err)
		}
		if now := billingOf(t, s, a.ID); now.Enterprise != acme {
			t.Errorf("after a rejection certified for %+v", now.Enterprise)
		}
		fourth := submit(t, s, a.ID, renamed)
		for range 2 { // a double click
			if err := decide(s, t.Context(), fourth.ID, account.CertificationCertified, ""); err != nil {
				t.Fatal(err)
			}
		}
		if now := billingOf(t, s, a.ID); now.Enterprise != renamed {
			t.Errorf("certified for %+v", now.Enterprise)
		}
		logOf(t, s, a.ID, "certification.submitted", "certification.certified", "certification.submitted", "certification.submitted",
			"certification.rejected", "certification.submitted", "certification.certified")
		sound(t, s)
	})
}

// logOf checks the actions on a subject, the oldest first, and that a change
// says what was before.
func logOf(t *testing.T, s *store.Store, subject string, actions ...string) {
	t.Helper()
	var lines []store.AuditLine
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		lines, err = tx.AuditLog(ctx, subject, 0, 100)
		return err
	})
	var got []string
	for i := range lines {
		got = append(got, lines[len(lines)-1-i].Action)
	}
	if strings.Join(got, " ") != strings.Join(actions, " ") {
		t.Errorf("the log has %v", got)
	}
	if last := lines[0].Entry; last.Action == "certification.certified" && last.Detail["company"] != "Acme Ltd -> Acme Group Ltd" {
		t.Errorf("the log says %v", last)
	}
}

func TestAScanComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newPayer(t, s, "acme")
		c := submit(t, s, a.ID, acme)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			f, err := tx.Attachment(ctx, c.ScanID)
			if err != nil || !bytes.Equal(f.Content, scan().Content) || f.Type != attachment.PNG || f.Name != "licence.png" {
				t.Errorf("%s of %d bytes, %v", f.Name, len(f.Content), err)
			}
			if _, err := tx.Attachment(ctx, "attc_none"); !errors.Is(err, attachment.ErrUnknown) {
				t.Errorf("no such file: %v", err)
			}
			if _, err := tx.CertificationOf(ctx, "bcac_other", c.ID); !errors.Is(err, account.ErrCertificationUnknown) {
				t.Errorf("another account's: %v", err)
			}
			return nil
		})
	})
}

func TestManyOperatorsDecideOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a := newPayer(t, s, "acme")
		c := submit(t, s, a.ID, acme)
		var decided atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			to := []account.CertificationState{account.CertificationCertified, account.CertificationRejected}[i%2]
			group.Go(func() {
				switch err := decide(s, t.Context(), c.ID, to, "why"); {
				case err == nil:
					decided.Add(1)
				case !errors.Is(err, account.ErrCertificationDecided):
					t.Errorf("decided as %s: %v", to, err)
				}
			})
		}
		group.Wait()
		var mails int64
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*) FROM mail WHERE kind LIKE 'certification_%'`).Scan(&mails)
		})
		if decided.Load() != 4 || mails != 1 { // those of the same mind as the first
			t.Errorf("%d were let through, %d mails", decided.Load(), mails)
		}
		sound(t, s)
	})
}

func TestTheQueueOfCertificationsIsInOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var want []string
		for _, name := range []string{"a", "b", "c"} {
			want = append(want, submit(t, s, newPayer(t, s, name).ID, account.Enterprise{Company: name, TaxpayerID: "9133"}).ID)
		}
		if err := decide(s, t.Context(), want[1], account.CertificationCertified, ""); err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			seen := map[string]bool{}
			for after := ""; ; {
				page, err := tx.CertificationQueue(ctx, after, 1)
				if err != nil || len(page) == 0 {
					if len(seen) != 2 || seen[want[1]] {
						t.Errorf("waiting are %v", seen)
					}
					return err
				}
				if after = page[0].ID; seen[after] {
					t.Fatalf("%s comes twice", after)
				}
				seen[after] = true
			}
		})
	})
}

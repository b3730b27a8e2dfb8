package storetest_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// lin has an account of either system.
func lin(t *testing.T, s *store.Store) (studio, billing account.Who) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		err := tx.InsertStudio(ctx, account.Studio{ID: "acnt_lin", Site: "cn1", UserName: "lin", Email: "lin@shop.example", Phone: "+8611111", Password: "old", Language: "en", CreatedAt: noon})
		if err != nil {
			return err
		}
		return tx.InsertBilling(ctx, account.Billing{ID: "bcac_lin", UserName: "lin", Email: "lin@shop.example", Password: "old", Currency: money.CNY, Language: "en", CreatedAt: noon})
	})
	return account.Who{System: account.StudioSystem, ID: "acnt_lin", Address: "192.0.2.1"}, account.Who{System: account.BillingSystem, ID: "bcac_lin", Address: "192.0.2.1"}
}

func signIn(t *testing.T, s *store.Store, id string, who account.Who, token string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		err := tx.InsertSignIn(ctx, account.SignIn{ID: id, System: who.System, AccountID: who.ID, Token: token, BegunAt: noon, SeenAt: noon, ExpiresAt: noon.AddDate(0, 0, 1)})
		if err != nil || token == "" {
			return err
		}
		console := map[account.System]string{account.StudioSystem: "studio", account.BillingSystem: "billing_center"}[who.System]
		return tx.InsertAPIKey(ctx, store.APIKey{Hash: token, Console: console, AccountID: who.ID, CreatedAt: noon}, noon.AddDate(-1, 0, 0))
	})
}

func signedIn(t *testing.T, s *store.Store, who account.Who) (ids []string) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		list, err := tx.SignIns(ctx, who.System, who.ID, noon, 100)
		ids = nil
		for _, x := range list {
			ids = append(ids, x.ID)
		}
		return err
	})
	return ids
}

func askedReset(t *testing.T, s *store.Store, r account.ResetWanted, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		asked, err := account.AskReset(t.Context(), tx, r, at)
		if err != nil {
			return err
		}
		return account.MailReset(t.Context(), tx, asked, at)
	})
}

func tryReset(t *testing.T, s *store.Store, r account.ResetWanted, code string, at time.Time) error {
	t.Helper()
	return s.Write(t.Context(), func(tx *store.Tx) error {
		return store.Keep(account.Reset(t.Context(), tx, r, code, "new", "192.0.2.9", at))
	})
}

func TestAResetEndsEverySignInOfThatAccountAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		studio, billing := lin(t, s)
		signIn(t, s, "sess_1", studio, "")
		signIn(t, s, "sess_2", studio, "hash")
		signIn(t, s, "sess_3", billing, "other")
		r := account.ResetWanted{System: account.StudioSystem, Site: "cn1", Email: " LIN@shop.example "}
		if err := askedReset(t, s, r, noon); err != nil {
			t.Fatal(err)
		}
		code := digits(t, s, "lin@shop.example")
		if err := tryReset(t, s, account.ResetWanted{System: account.BillingSystem, Email: r.Email}, code, noon); !errors.Is(err, account.ErrCodeNone) {
			t.Errorf("a code of Studio opens the Billing Center: %v", err)
		}
		if err := tryReset(t, s, account.ResetWanted{System: account.StudioSystem, Site: "us1", Email: r.Email}, code, noon); !errors.Is(err, account.ErrCodeNone) {
			t.Errorf("a code of one site opens another: %v", err)
		}
		if err := tryReset(t, s, r, code, noon.Add(account.CodeLife)); !errors.Is(err, account.ErrCodeExpired) {
			t.Errorf("an old code: %v", err)
		}
		if err := tryReset(t, s, r, code, noon); err != nil {
			t.Fatal(err)
		}
		if err := tryReset(t, s, r, code, noon); !errors.Is(err, account.ErrCodeUsed) {
			t.Errorf("a code twice: %v", err)
		}
		if left := signedIn(t, s, studio); len(left) != 0 {
			t.Errorf("still signed in: %v", left)
		}
		if left := signedIn(t, s, billing); len(left) != 1 {
			t.Errorf("the other system's sign-ins: %v", left)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.APIKeyByHash(ctx, "studio", "hash", noon.AddDate(0, 0, -1)); !errors.Is(err, account.ErrSignedOut) {
				t.Errorf("the program's token works on: %v", err)
			}
			if _, err := tx.APIKeyByHash(ctx, "billing_center", "other", noon.AddDate(0, 0, -1)); err != nil {
				t.Errorf("the other system's token: %v", err)
			}
			a, err := tx.StudioByID(ctx, studio.ID)
			b, err2 := tx.BillingByID(ctx, billing.ID)
			if a.Password != "new" || b.Password != "old" {
				t.Errorf("passwords %q and %q", a.Password, b.Password)
			}
			return errors.Join(err, err2)
		})
	})
}

// TestAnAddressWithoutAnAccountIsAnsweredLikeOneWithIt asks and tries the same
// for both, side by side.
func TestAnAddressWithoutAnAccountIsAnsweredLikeOneWithIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		lin(t, s)
		known := account.ResetWanted{System: account.StudioSystem, Site: "cn1", Email: "lin@shop.example"}
		unknown := known
		unknown.Email = "nobody@shop.example"
		both := func(what string, f func(r account.ResetWanted) error) {
			t.Helper()
			if a, b := f(known), f(unknown); !errors.Is(a, b) && (a == nil) != (b == nil) || a != nil && a.Error() != b.Error() {
				t.Errorf("%s: %v with an account, %v without", what, a, b)
			}
		}
		both("a code before one was mailed", func(r account.ResetWanted) error { return tryReset(t, s, r, "000000", noon) })
		at := noon
		for i := range account.CodeMost + 1 {
			both("request "+strconv.Itoa(i), func(r account.ResetWanted) error { return askedReset(t, s, r, at) })
			at = at.Add(account.CodePause)
		}
		both("once more at once", func(r account.ResetWanted) error { return askedReset(t, s, r, at) })
		for i := range account.CodeTries + 1 {
			both("try "+strconv.Itoa(i), func(r account.ResetWanted) error { return tryReset(t, s, r, "not it", at) })
		}
	})
}

func TestANewAddressNeedsBothCodes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		studio, billing := lin(t, s)
		for i, who := range []account.Who{studio, billing} {
			noon := noon.Add(time.Duration(i) * time.Hour)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := account.BeginContact(ctx, tx, who, account.EmailContact, "New@shop.example", noon)
				return err
			})
			refused(t, s, account.ErrContactOldFirst, func(ctx context.Context, tx *store.Tx) error {
				return account.ProveNew(ctx, tx, who, "000000", noon)
			})
			prove := func(code string) error {
				return s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := account.ProvePresent(t.Context(), tx, who, account.EmailContact, code, noon)
					return store.Keep(err)
				})
			}
			if err := prove("000000"); !errors.Is(err, account.ErrCodeWrong) {
				t.Errorf("a wrong code: %v", err)
			}
			if err := prove(digits(t, s, "lin@shop.example")); err != nil {
				t.Fatal(err)
			}
			code := digits(t, s, "new@shop.example")
			refused(t, s, account.ErrContactNotBegun, func(ctx context.Context, tx *store.Tx) error {
				return account.ProveNew(ctx, tx, who, code, noon.Add(account.ContactLife))
			})
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				if err := account.ProveNew(ctx, tx, who, code, noon); err != nil {
					return err
				}
				p, err := tx.Person(ctx, who.System, who.ID)
				if p.Email != "new@shop.example" {
					t.Errorf("the address is %q", p.Email)
				}
				return err
			})
			refused(t, s, account.ErrContactNotBegun, func(ctx context.Context, tx *store.Tx) error {
				return account.ProveNew(ctx, tx, who, code, noon)
			})
		}
	})
}

func TestACodeOfOneNewAddressIsNoneForAnother(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		studio, _ := lin(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.BeginContact(ctx, tx, studio, account.EmailContact, "first@shop.example", noon)
			return err
		})
		code := digits(t, s, "lin@shop.example")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.BeginContact(ctx, tx, studio, account.EmailContact, "second@shop.example", noon.Add(time.Second))
			return err
		})
		refused(t, s, account.ErrCodeWrong, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.ProvePresent(ctx, tx, studio, account.EmailContact, code, noon.Add(time.Minute))
			return err
		})
	})
}

// TestOneOfManyGetsANewAddress lets several accounts finish a change to one
// address at the same instant.
func TestOneOfManyGetsANewAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const many = 6
		var got, taken atomic.Int64
		var group sync.WaitGroup
		for i := range many {
			id := "acnt_" + strconv.Itoa(i)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				return tx.InsertStudio(ctx, account.Studio{ID: id, Site: "cn1", UserName: id, Email: id + "@shop.example", Language: "en", CreatedAt: noon})
			})
		}
		for i := range many {
			group.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					p, err := tx.Person(t.Context(), account.StudioSystem, "acnt_"+strconv.Itoa(i))
					if err != nil {
						return err
					}
					p.Email = "one@shop.example"
					return tx.UpdatePerson(t.Context(), p)
				})
				switch {
				case err == nil:
					got.Add(1)
				case errors.Is(err, account.ErrEmailTaken):
					taken.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got.Load() != 1 || taken.Load() != many-1 {
			t.Errorf("%d have the address, %d were refused", got.Load(), taken.Load())
		}
	})
}

func TestAPhoneIsChangedByACodeToTheAddress(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		studio, _ := lin(t, s)
		refused(t, s, account.ErrContactSame, func(ctx context.Context, tx *store.Tx) error {
			_, err := account.BeginContact(ctx, tx, studio, account.PhoneContact, "+86 11-111", noon)
			return err
		})
		for i, phone := range []string{"+8613800000000", ""} {
			at := noon.Add(time.Duration(i) * time.Minute)
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				_, err := account.BeginContact(ctx, tx, studio, account.PhoneContact, phone, at)
				return err
			})
			code := digits(t, s, "lin@shop.example")
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				if _, err := account.ProvePresent(ctx, tx, studio, account.PhoneContact, code, at); err != nil {
					return err
				}
				a, err := tx.StudioByID(ctx, studio.ID)
				if a.Phone != phone || a.Email != "lin@shop.example" {
					t.Errorf("the account is now %+v", a)
				}
				return err
			})
		}
	})
}

func TestEndingOthersKeepsThisOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		studio, billing := lin(t, s)
		signIn(t, s, "sess_1", studio, "")
		signIn(t, s, "sess_2", studio, "hash2")
		signIn(t, s, "sess_3", studio, "hash3")
		signIn(t, s, "sess_4", billing, "")
		refused(t, s, account.ErrSignInUnknown, func(ctx context.Context, tx *store.Tx) error {
			return account.End(ctx, tx, studio, "sess_4", noon)
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if err := account.End(ctx, tx, studio, "sess_1", noon); err != nil {
				return err
			}
			return account.EndOthers(ctx, tx, studio, "sess_3", noon)
		})
		if left := signedIn(t, s, studio); len(left) != 1 || left[0] != "sess_3" {
			t.Errorf("left are %v", left)
		}
		if left := signedIn(t, s, billing); len(left) != 1 {
			t.Errorf("the other system's: %v", left)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, gone := tx.APIKeyByHash(ctx, "studio", "hash2", noon.AddDate(0, 0, -1))
			_, stays := tx.APIKeyByHash(ctx, "studio", "hash3", noon.AddDate(0, 0, -1))
			if !errors.Is(gone, account.ErrSignedOut) || stays != nil {
				t.Errorf("tokens: %v, %v", gone, stays)
			}
			return nil
		})
	})
}

package storetest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func ring(t *testing.T, keys ...string) secret.Ring {
	t.Helper()
	r, err := secret.Parse(strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestACredentialIsKeptSealedAndNothingElseIsKeptOfIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, by := t.Context(), workspace.Actor{AccountID: "oper_1", Address: "192.0.2.1"}
		write := func(f func(ctx context.Context, tx *store.Tx) error) error {
			return s.Write(ctx, func(tx *store.Tx) error { return f(ctx, tx) })
		}
		before := secret.NewKey()
		old := ring(t, before)
		set := func(r secret.Ring, cloud site.Method, name, value string) error {
			return write(func(ctx context.Context, tx *store.Tx) error {
				_, err := marketplace.SetCredential(ctx, tx, r, cloud, name, value, by, noon)
				return err
			})
		}
		const canary = "canary-of-the-access-key-9x8y"
		if err := errors.Join(set(old, site.AWS, marketplace.AccessKeySecret, "the-one-before-it"), set(old, site.AWS, marketplace.AccessKeySecret, " "+canary+"\n"), set(old, site.Huawei, marketplace.SellerKey, "short")); err != nil {
			t.Fatal(err)
		}
		for want, err := range map[error]error{
			marketplace.ErrCredentialUnknown: set(old, site.AWS, marketplace.SellerKey, "x"),
			marketplace.ErrNoSecretKey:       set(secret.Ring{}, site.AWS, marketplace.AccessKey, "x"),
			marketplace.ErrCredentialValue:   errors.Join(set(old, site.AWS, marketplace.AccessKey, " "), set(old, site.AWS, marketplace.AccessKey, "two words"), set(old, site.AWS, marketplace.AccessKey, strings.Repeat("x", 513))),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		stored := func() []marketplace.Credential {
			var all []marketplace.Credential
			if err := s.Read(ctx, func(tx *store.Tx) (err error) {
				all, err = tx.Credentials(ctx)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return all
		}
		all := stored()
		if len(all) != 2 || all[0].Tail != "9x8y" || all[1].Tail != "" || !all[0].SetAt.Equal(noon) || all[0].SetBy != "oper_1" {
			t.Fatalf("%+v", all)
		}
		if text, err := old.Open(all[0].Place(), all[0].Sealed); err != nil || text != canary {
			t.Errorf("%q, %v", text, err)
		}
		if dump := storetest.Dump(t, s); strings.Contains(dump, canary) || strings.Contains(dump, "the-one-before-it") || strings.Count(dump, "action: marketplace_credential.set\n") != 3 {
			t.Error("the store keeps more than it should, or the audit log less")
		}
		rotates(t, s, before, canary, stored)
	})
}

// rotates seals everything with another key, and forgets one.
func rotates(t *testing.T, s *store.Store, before, canary string, stored func() []marketplace.Credential) {
	t.Helper()
	ctx, by := t.Context(), workspace.Actor{AccountID: "command line"}
	reseal := func(r secret.Ring) (n int, err error) {
		err = s.Write(ctx, func(tx *store.Tx) error {
			n, err = marketplace.Reseal(ctx, tx, r, by, noon.Add(time.Hour))
			return err
		})
		return n, err
	}
	after := secret.NewKey()
	if _, err := reseal(ring(t, after)); !errors.Is(err, secret.ErrNoKey) {
		t.Errorf("without the key before: %v", err)
	}
	if _, err := reseal(secret.Ring{}); !errors.Is(err, marketplace.ErrNoSecretKey) {
		t.Errorf("without a key: %v", err)
	}
	for _, want := range []int{2, 0} { // done again, nothing is left to do
		if n, err := reseal(ring(t, after, before)); n != want || err != nil {
			t.Errorf("sealed anew: %d, %v; want %d", n, err, want)
		}
	}
	for _, c := range stored() {
		if text, err := ring(t, after).Open(c.Place(), c.Sealed); err != nil || c.Cloud == site.AWS && text != canary || !c.SetAt.Equal(noon) {
			t.Errorf("%s: %q, %v, %s", c.Cloud, text, err, c.SetAt)
		}
	}
	forget := func() error {
		return s.Write(ctx, func(tx *store.Tx) error {
			return marketplace.ForgetCredential(ctx, tx, site.AWS, marketplace.AccessKeySecret, by, noon)
		})
	}
	if err := forget(); err != nil || len(stored()) != 1 {
		t.Errorf("%v, %+v", err, stored())
	}
	if err := forget(); !errors.Is(err, marketplace.ErrCredentialUnknown) {
		t.Errorf("again: %v", err)
	}
}

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestTheCommandLineSetsAnOperatorsPassword(t *testing.T) {
	t.Parallel()
	s, at := storetest.SQLite(t), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	set := func(email, typed string) error {
		return setOperatorPassword(t.Context(), s, email, strings.NewReader(typed), at)
	}
	write := func(f func(ctx context.Context, tx *store.Tx) error) {
		t.Helper()
		if err := s.Write(t.Context(), func(tx *store.Tx) error { return f(t.Context(), tx) }); err != nil {
			t.Fatal(err)
		}
	}
	write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertOperator(ctx, account.Operator{ID: "oper_1", Email: "ops@example.com", Role: account.Admin, CreatedAt: at}); err != nil {
			return err
		}
		return tx.InsertAPIKey(ctx, store.APIKey{Hash: "h", Console: "operator", AccountID: "oper_1", CreatedAt: at}, at.AddDate(-1, 0, 0))
	})
	if err := set("nobody@example.com", "better-horse-2\n"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("an unknown address: %v", err)
	}
	if err := set("ops@example.com", "short\n"); !errors.Is(err, account.ErrPasswordForm) {
		t.Errorf("a short password: %v", err)
	}
	if err := set(" Ops@Example.com", "better-horse-2\r\n"); err != nil {
		t.Fatal(err)
	}
	write(func(ctx context.Context, tx *store.Tx) error {
		o, err := tx.OperatorByEmail(ctx, "ops@example.com")
		if err != nil || !account.PasswordMatches(o.Password, "better-horse-2") {
			t.Errorf("the password does not open: %v", err)
		}
		if _, err := tx.APIKeyByHash(ctx, "operator", "h", at.AddDate(-1, 0, 0)); !errors.Is(err, account.ErrSignedOut) {
			t.Errorf("a token outlived the password: %v", err)
		}
		return nil
	})
}

func TestTheCommandLineListsOperators(t *testing.T) {
	t.Parallel()
	s, at := storetest.SQLite(t), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, role := range []account.OperatorRole{account.Admin, account.Finance} {
			draft := account.OperatorDraft{Email: string(role) + "@example.com", Role: role}
			if _, err := account.AddOperator(t.Context(), tx, draft, "hash", account.CommandLine, at); err != nil {
				return err
			}
		}
		o, err := operatorOf(t.Context(), tx, " Finance@example.com")
		if err != nil {
			return err
		}
		if err := account.DisableOperator(t.Context(), tx, o.ID, account.CommandLine, at); err != nil {
			return err
		}
		var table strings.Builder
		if err := listOperators(t.Context(), tx, &table); err != nil {
			return err
		}
		want := "EMAIL                NAME     ROLE     STATE\n" +
			"admin@example.com    admin    admin    active\n" +
			"finance@example.com  finance  finance  disabled since 2026-03-01T00:00:00Z\n"
		if table.String() != want {
			t.Errorf("the list is\n%s", table.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

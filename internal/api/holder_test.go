package api_test

import (
	"context"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

func TestAProgramLooksAfterItsAccount(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	ctx, a := t.Context(), h.studio("mei")
	here, there := h.signIn(a), h.signIn(a)
	list, err := here.Own().SignIns(ctx, client.Page{})
	if len(must(t, list, err).Items) != 2 {
		t.Fatalf("signed in at %+v", list.Items)
	}
	this := 0
	for _, x := range list.Items {
		if x.This {
			this++
		}
		if x.Channel != "api" || x.Address == "" {
			t.Errorf("a sign-in reads %+v", x)
		}
	}
	if this != 1 {
		t.Errorf("%d of them are this one", this)
	}
	refused(t, here.Own().ChangePassword(ctx, "not it 1", "better-horse-2"), "password_present")
	if err := here.Own().ChangePassword(ctx, password, "better-horse-2"); err != nil {
		t.Fatal(err)
	}
	_, err = there.Account(ctx)
	refused(t, err, "signed_out")
	if _, err := here.Account(ctx); err != nil {
		t.Errorf("the session that changed the password: %v", err)
	}
	if _, err := here.Own().BeginEmail(ctx, "new@team.example"); err != nil {
		t.Fatal(err)
	}
	_, err = here.Own().ProveNewEmail(ctx, "000000")
	refused(t, err, "contact_old_code_first")
}

func TestAForgottenPasswordOverTheAPI(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	ctx, a := t.Context(), h.studio("mei")
	here := h.signIn(a)
	f := client.ForgottenPassword{Site: string(a.Site), Email: a.Email}
	for _, x := range []client.ForgottenPassword{f, {Site: string(a.Site), Email: "nobody@team.example"}} {
		if err := h.client.AskPasswordReset(ctx, client.StudioSystem, x); err != nil {
			t.Errorf("%s: %v", x.Email, err)
		}
	}
	h.write(func(ctx context.Context, tx *store.Tx) error {
		return account.MailReset(ctx, tx, account.ResetWanted{System: account.StudioSystem, Site: a.Site, Email: a.Email}, h.clock.Now())
	})
	refused(t, h.client.ResetPassword(ctx, client.StudioSystem, f, "000000", "better-horse-2"), "code_wrong")
	if err := h.client.ResetPassword(ctx, client.StudioSystem, f, h.code(a.Email), "better-horse-2"); err != nil {
		t.Fatal(err)
	}
	_, err := here.Account(ctx)
	refused(t, err, "signed_out")
}

package storetest_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func TestWhoIsInvitedIsAMemberAfterRegistering(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		invite := func(email string, role workspace.Role, by workspace.Actor, at time.Time) (a workspace.Arrival, err error) {
			err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
				a, err = workspace.Invite(t.Context(), tx, x.shop.ID, email, role, by, at)
				return err
			})
			return a, err
		}
		if _, err := invite("new@shop.example", workspace.Administrator, x.lin, noon); !errors.Is(err, workspace.ErrNotPermitted) {
			t.Errorf("a Standard member invites an Administrator: %v", err)
		}
		if a, err := invite("New@shop.example", workspace.Administrator, x.owner, noon); err != nil || a.Invitation.Email != "new@shop.example" {
			t.Fatalf("the invitation: %+v, %v", a, err)
		}
		if _, err := invite("new@shop.example", workspace.Standard, x.owner, noon); !errors.Is(err, workspace.ErrInvitedJustNow) {
			t.Errorf("invited twice at once: %v", err)
		}
		if _, err := invite("late@shop.example", workspace.Standard, x.lin, noon); err != nil {
			t.Fatal(err)
		}
		welcome := func(name string, at time.Time) (joined int) {
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				a := account.Studio{ID: "acnt_" + name, Site: "cn1", UserName: name, Email: name + "@shop.example", Language: "en", CreatedAt: at}
				if err := tx.InsertStudio(ctx, a); err != nil {
					return err
				}
				joined, err = workspace.Welcome(ctx, tx, a, "192.0.2.1", at)
				return err
			})
			return joined
		}
		if n := welcome("late", noon.Add(workspace.InvitationLife)); n != 0 {
			t.Error("an invitation that is over still counts")
		}
		if n := welcome("new", noon.Add(time.Hour)); n != 1 || x.role(t, workspace.Actor{AccountID: "acnt_new"}) != workspace.Standard {
			t.Errorf("joined %d as %s", n, x.role(t, workspace.Actor{AccountID: "acnt_new"}))
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			p, err := tx.PendingPromotion(ctx, x.shop.ID, "acnt_new")
			if p.To != workspace.Administrator || p.RequestedBy != x.owner.AccountID {
				t.Errorf("the promotion is %+v", p)
			}
			return err
		})
	})
}

func TestInvitationsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, false)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i := range workspace.MostInvitations {
				if _, err := workspace.Invite(ctx, tx, x.shop.ID, "guest"+strconv.Itoa(i)+"@shop.example", workspace.ReadOnly, x.lin, noon); err != nil {
					return err
				}
			}
			return nil
		})
		refused(t, s, workspace.ErrInvitationsMany, func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.Invite(ctx, tx, x.shop.ID, "one.more@shop.example", workspace.ReadOnly, x.owner, noon)
			return err
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			open, err := tx.Invitations(ctx, x.shop.ID)
			if err != nil {
				return err
			}
			return workspace.WithdrawInvitation(ctx, tx, x.shop.ID, open[0].ID, x.owner, noon)
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.Invite(ctx, tx, x.shop.ID, "one.more@shop.example", workspace.ReadOnly, x.owner, noon)
			return err
		})
	})
}

func TestNoticesAreReadByEachMember(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, false)
		unread := func(who workspace.Actor) (n int) {
			write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
				n, err = tx.UnreadNotices(ctx, x.shop.ID, who.AccountID, noon.AddDate(0, 0, -30), 99)
				return err
			})
			return n
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			for i := range 3 {
				n := workspace.Notice{WorkspaceID: x.shop.ID, Key: "k" + strconv.Itoa(i), Kind: "quota_warning", CreatedAt: noon.Add(time.Duration(i) * time.Hour)}
				if err := tx.SaveNotice(ctx, n); err != nil {
					return err
				}
			}
			return tx.ReadNotices(ctx, x.shop.ID, x.lin.AccountID, noon.Add(time.Hour))
		})
		if unread(x.lin) != 1 || unread(x.owner) != 3 {
			t.Errorf("unread: %d and %d", unread(x.lin), unread(x.owner))
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.ReadNotices(ctx, x.shop.ID, x.lin.AccountID, noon)
		})
		if unread(x.lin) != 1 {
			t.Error("reading goes back")
		}
	})
}

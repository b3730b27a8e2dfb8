package storetest_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

// crew is a workspace with an Owner, an Administrator and a Standard member,
// and the account that pays once it is Commercial.
type crew struct {
	s     *store.Store
	shop  workspace.Workspace
	payer workspace.Actor
	owner workspace.Actor
	admin workspace.Actor
	lin   workspace.Actor
}

func newCrew(t *testing.T, s *store.Store, commercial bool) crew {
	t.Helper()
	x := crew{s: s, payer: workspace.Actor{AccountID: "bcac_payer"}, owner: workspace.Actor{AccountID: "acnt_owner"}, admin: workspace.Actor{AccountID: "acnt_admin"}, lin: workspace.Actor{AccountID: "acnt_lin"}}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for _, name := range []string{"owner", "admin", "lin"} {
			if err := tx.InsertStudio(ctx, account.Studio{ID: "acnt_" + name, Site: "cn1", UserName: name, Email: name + "@shop.example", Language: "en", CreatedAt: noon}); err != nil {
				return err
			}
		}
		if err := tx.InsertBilling(ctx, account.Billing{ID: "bcac_payer", UserName: "payer", Email: "payer@pay.example", Currency: money.CNY, Language: "en", CreatedAt: noon}); err != nil {
			return err
		}
		w, err := workspace.Create(ctx, tx, "cn1", "shop", "en", x.owner, noon)
		if err != nil {
			return err
		}
		if commercial {
			if w, err = w.Upgrade("bcac_payer", noon); err != nil {
				return err
			}
			if err := tx.UpdateWorkspace(ctx, w); err != nil {
				return err
			}
		}
		x.shop = w
		for account, role := range map[string]workspace.Role{"acnt_admin": workspace.Administrator, "acnt_lin": workspace.Standard} {
			if err := tx.SaveMember(ctx, workspace.Member{WorkspaceID: w.ID, AccountID: account, Role: role, JoinedAt: noon}); err != nil {
				return err
			}
		}
		return nil
	})
	return x
}

func (x crew) role(t *testing.T, who workspace.Actor) (role workspace.Role) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		m, err := tx.Member(ctx, x.shop.ID, who.AccountID)
		if errors.Is(err, workspace.ErrUnknown) {
			return nil
		}
		role = m.Role
		return err
	})
	return role
}

func (x crew) promote(t *testing.T, at time.Time) (p workspace.Promotion) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = workspace.ChangeRole(ctx, tx, x.shop.ID, x.lin.AccountID, workspace.Administrator, x.admin, at)
		return err
	})
	return p
}

func (x crew) change(t *testing.T, role workspace.Role, at time.Time) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		_, err := workspace.ChangeRole(ctx, tx, x.shop.ID, x.lin.AccountID, role, x.owner, at)
		return err
	})
}

func (x crew) answer(t *testing.T, p workspace.Promotion, a workspace.Answer, by workspace.Actor, at time.Time) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := workspace.AnswerPromotion(t.Context(), tx, p.ID, a, by, at)
		return err
	})
}

func (x crew) state(t *testing.T, p workspace.Promotion, at time.Time) (state workspace.PromotionState) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.Promotion(ctx, p.ID)
		state = now.StateAt(at)
		return err
	})
	return state
}

func TestAPromotionWaitsForThePayer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		p := x.promote(t, noon)
		if p.ID == "" || x.role(t, x.lin) != workspace.Standard {
			t.Fatalf("the role is %s with the request %+v", x.role(t, x.lin), p)
		}
		refused(t, s, workspace.ErrPromotionWaits, func(ctx context.Context, tx *store.Tx) error {
			_, err := workspace.ChangeRole(ctx, tx, x.shop.ID, x.lin.AccountID, workspace.Administrator, x.owner, noon)
			return err
		})
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			n, err := tx.UnreadMessages(ctx, "bcac_payer")
			if n != 1 {
				t.Errorf("%d messages to the payer", n)
			}
			return err
		})
		if err := x.answer(t, p, workspace.Answer{Accept: true}, workspace.Actor{AccountID: "bcac_other"}, noon); !errors.Is(err, workspace.ErrPromotionUnknown) {
			t.Errorf("another account answers: %v", err)
		}
		if err := x.answer(t, p, workspace.Answer{Reason: "not yet"}, x.payer, noon); err != nil || x.role(t, x.lin) != workspace.Standard || x.state(t, p, noon) != workspace.PromotionRejected {
			t.Errorf("a rejection: %v, %s", err, x.role(t, x.lin))
		}
		if err := x.answer(t, p, workspace.Answer{Accept: true}, x.payer, noon); !errors.Is(err, workspace.ErrPromotionOver) {
			t.Errorf("a second answer: %v", err)
		}
		again := x.promote(t, noon)
		if err := x.answer(t, again, workspace.Answer{Accept: true}, x.payer, noon); err != nil || x.role(t, x.lin) != workspace.Administrator {
			t.Errorf("an acceptance: %v, %s", err, x.role(t, x.lin))
		}
		var mails int64
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			return tx.QueryRow(ctx, `SELECT COUNT(*) FROM mail WHERE kind = 'promotion_answered'`).Scan(&mails)
		})
		if mails != 4 { // two answers, to who asked and to the member
			t.Errorf("%d mails", mails)
		}
	})
}

func TestAPromotionIsFreeInExperience(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, false)
		if p := x.promote(t, noon); p.ID != "" || x.role(t, x.lin) != workspace.Administrator {
			t.Errorf("the role is %s with the request %+v", x.role(t, x.lin), p)
		}
	})
}

// TestARequestEndsInEveryWay walks what ends a request besides the answer.
func TestARequestEndsInEveryWay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		late := noon.Add(workspace.PromotionLife)
		for i, c := range []struct {
			name string
			end  func(p workspace.Promotion, at time.Time)
			want workspace.PromotionState
		}{
			{"another role", func(_ workspace.Promotion, at time.Time) { x.change(t, workspace.ReadOnly, at) }, workspace.PromotionCancelled},
			{"withdrawn", func(p workspace.Promotion, at time.Time) {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					return workspace.WithdrawPromotion(ctx, tx, x.shop.ID, p.ID, x.admin, at)
				})
			}, workspace.PromotionWithdrawn},
			{"another payer", func(_ workspace.Promotion, at time.Time) {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					return workspace.CancelPromotions(ctx, tx, x.shop.ID, at)
				})
			}, workspace.PromotionCancelled},
			{"unanswered", func(p workspace.Promotion, at time.Time) {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					if err := workspace.ExpirePromotion(ctx, tx, p.ID, p.ExpiresAt.Add(-time.Microsecond)); err != nil {
						return err
					}
					if now, err := tx.Promotion(ctx, p.ID); err != nil || now.State != workspace.PromotionPending {
						t.Errorf("it expired early: %+v, %v", now, err)
					}
					return workspace.ExpirePromotion(ctx, tx, p.ID, p.ExpiresAt)
				})
			}, workspace.PromotionExpired},
			{"left", func(_ workspace.Promotion, at time.Time) {
				write(t, s, func(ctx context.Context, tx *store.Tx) error {
					return workspace.Leave(ctx, tx, x.shop.ID, x.lin.AccountID, x.lin, at)
				})
			}, workspace.PromotionCancelled},
		} {
			at := late.Add(time.Duration(i) * 30 * 24 * time.Hour)
			p := x.promote(t, at)
			c.end(p, at.Add(time.Hour))
			if got := x.state(t, p, at.Add(2*time.Hour)); got != c.want {
				t.Errorf("%s: the request is %s", c.name, got)
			}
			if err := x.answer(t, p, workspace.Answer{Accept: true}, x.payer, at.Add(2*time.Hour)); !errors.Is(err, workspace.ErrPromotionOver) {
				t.Errorf("%s: it can still be accepted: %v", c.name, err)
			}
		}
		if got := x.role(t, x.lin); got != "" {
			t.Errorf("who left is %s", got)
		}
	})
}

func TestAnExpiredRequestIsNotAccepted(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		p := x.promote(t, noon)
		if err := x.answer(t, p, workspace.Answer{Accept: true}, x.payer, p.ExpiresAt); !errors.Is(err, workspace.ErrPromotionOver) {
			t.Errorf("an answer at the end: %v", err)
		}
		if again := x.promote(t, p.ExpiresAt); again.ID == p.ID {
			t.Error("the expired request is still the one that waits")
		}
	})
}

func TestOneOfManyAnswersCounts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		p := x.promote(t, noon)
		var counted, late atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				err := s.Write(t.Context(), func(tx *store.Tx) error {
					_, err := workspace.AnswerPromotion(t.Context(), tx, p.ID, workspace.Answer{Accept: i%2 == 0}, x.payer, noon)
					return err
				})
				switch {
				case err == nil:
					counted.Add(1)
				case errors.Is(err, workspace.ErrPromotionOver):
					late.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if counted.Load() != 1 || late.Load() != 7 {
			t.Errorf("%d answers counted, %d were late", counted.Load(), late.Load())
		}
		if accepted := x.state(t, p, noon) == workspace.PromotionAccepted; accepted != (x.role(t, x.lin) == workspace.Administrator) {
			t.Errorf("the request is %s and the role %s", x.state(t, p, noon), x.role(t, x.lin))
		}
	})
}

// offer asks a member to become the Owner.
func (x crew) offer(t *testing.T, to, name string, by workspace.Actor) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := workspace.OfferOwnership(t.Context(), tx, x.shop.ID, to, name, by, noon)
		return err
	})
}

func (x crew) accept(t *testing.T, by workspace.Actor, at time.Time) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := workspace.AcceptOwnership(t.Context(), tx, x.shop.ID, by, at)
		return err
	})
}

func TestOwnershipIsOfferedByTheOwnerToWhoMayHaveIt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		for name, c := range map[string]struct {
			got  error
			want *fault.Error
		}{
			"by an Administrator":       {x.offer(t, x.lin.AccountID, "shop", x.admin), workspace.ErrOwnerOnly},
			"to a Standard member":      {x.offer(t, x.lin.AccountID, "shop", x.owner), workspace.ErrOfferAdministrator},
			"to nobody":                 {x.offer(t, "acnt_none", "shop", x.owner), workspace.ErrOfferMember},
			"to himself":                {x.offer(t, x.owner.AccountID, "shop", x.owner), workspace.ErrOfferSelf},
			"with another name":         {x.offer(t, x.admin.AccountID, "Shop", x.owner), workspace.ErrOfferName},
			"accepted before any offer": {x.accept(t, x.admin, noon), workspace.ErrOfferNone},
		} {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v, want %v", name, c.got, c.want)
			}
		}
	})
}

func TestOwnershipIsTakenByTheMemberWhoWasAsked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		if err := x.offer(t, x.admin.AccountID, " shop ", x.owner); err != nil {
			t.Fatal(err)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			ticket := account.NewTicket("bcac_payer", x.owner.AccountID, "/", noon)
			if err := tx.InsertTicket(ctx, ticket); err != nil {
				return err
			}
			return tx.InsertSignIn(ctx, account.SignIn{ID: "sess_jump", System: account.BillingSystem, AccountID: "bcac_payer", Via: x.owner.AccountID, BegunAt: noon, SeenAt: noon, ExpiresAt: noon.AddDate(1, 0, 0)})
		})
		if err := x.accept(t, x.lin, noon); !errors.Is(err, workspace.ErrOfferNone) {
			t.Errorf("somebody else takes it: %v", err)
		}
		if err := x.accept(t, x.admin, noon.Add(workspace.OfferLife)); !errors.Is(err, workspace.ErrOfferNone) {
			t.Errorf("it is taken late: %v", err)
		}
		if err := x.accept(t, x.admin, noon); err != nil {
			t.Fatal(err)
		}
		if x.role(t, x.owner) != workspace.Administrator || x.role(t, x.admin) != workspace.Owner {
			t.Errorf("they are %s and %s", x.role(t, x.owner), x.role(t, x.admin))
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.Workspace(ctx, x.shop.ID)
			if w.OwnerID != x.admin.AccountID {
				t.Errorf("the Owner is %s", w.OwnerID)
			}
			left, err2 := tx.SignIns(ctx, account.BillingSystem, "bcac_payer", noon, 10)
			if len(left) != 0 {
				t.Error("who was the Owner is still in the Billing Center")
			}
			var tickets int64
			err3 := tx.QueryRow(ctx, `SELECT COUNT(*) FROM ticket`).Scan(&tickets)
			if tickets != 0 {
				t.Error("who was the Owner still has a ticket")
			}
			n, err4 := tx.UnreadMessages(ctx, "bcac_payer")
			if n != 1 {
				t.Errorf("%d messages to the payer", n)
			}
			return errors.Join(err, err2, err3, err4)
		})
		if err := x.accept(t, x.admin, noon); !errors.Is(err, workspace.ErrOfferNone) {
			t.Errorf("it is taken twice: %v", err)
		}
	})
}

// TestAnOfferEndsWithTheRoleThatItNeeds demotes and removes the member who was
// asked.
func TestAnOfferEndsWithTheRoleThatItNeeds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newCrew(t, s, true)
		for name, end := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"declined": func(ctx context.Context, tx *store.Tx) error {
				return workspace.EndOffer(ctx, tx, x.shop.ID, x.admin, noon)
			},
			"withdrawn": func(ctx context.Context, tx *store.Tx) error {
				return workspace.EndOffer(ctx, tx, x.shop.ID, x.owner, noon)
			},
			"demoted": func(ctx context.Context, tx *store.Tx) error {
				_, err := workspace.ChangeRole(ctx, tx, x.shop.ID, x.admin.AccountID, workspace.Standard, x.owner, noon)
				return err
			},
			"removed": func(ctx context.Context, tx *store.Tx) error {
				return workspace.Leave(ctx, tx, x.shop.ID, x.admin.AccountID, x.owner, noon)
			},
		} {
			write(t, s, func(ctx context.Context, tx *store.Tx) error {
				m := workspace.Member{WorkspaceID: x.shop.ID, AccountID: x.admin.AccountID, Role: workspace.Administrator, JoinedAt: noon}
				if err := tx.SaveMember(ctx, m); err != nil {
					return err
				}
				_, err := workspace.OfferOwnership(ctx, tx, x.shop.ID, x.admin.AccountID, "shop", x.owner, noon)
				return err
			})
			write(t, s, end)
			refused(t, s, workspace.ErrOfferNone, func(ctx context.Context, tx *store.Tx) error {
				_, err := workspace.AcceptOwnership(ctx, tx, x.shop.ID, x.admin, noon)
				if !errors.Is(err, workspace.ErrOfferNone) {
					t.Errorf("%s: %v", name, err)
				}
				return err
			})
		}
	})
}

package studio

import (
	"context"
	"errors"
	"net/http"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// team is what is under way in a workspace's team.
type team struct {
	Waiting     map[string]workspace.Promotion // promotions that wait, by member
	Invitations []workspace.Invitation
	Offer       *workspace.Offer // ownership that is offered
	OfferedTo   string           // the name of that member
	OfferedToMe bool
	Handover    *web.Form // of the offer
}

// teamRoutes are those of a workspace's team beside the list of members.
func (c *Console) teamRoutes() []web.Route {
	return []web.Route{
		of("POST", "/promotions/{promotion}/withdraw", workspace.ManageMembers, c.withdrawPromotion),
		of("POST", "/invitations/{invitation}/withdraw", workspace.InviteMembers, c.withdrawInvitation),
		of("POST", "/ownership", workspace.TransferOwnership, c.offerOwnership),
		of("POST", "/ownership/withdraw", workspace.TransferOwnership, c.endOffer("studio.team.offer_withdrawn")),
		of("POST", "/ownership/accept", workspace.ViewData, c.acceptOwnership),
		of("POST", "/ownership/decline", workspace.ViewData, c.endOffer("studio.team.offer_declined")),
		of("POST", "/notices/read", workspace.ViewData, c.readNotices),
	}
}

// underWay reads what is under way in the team.
func (c *Console) underWay(ctx context.Context, tx *store.Tx, v *visit) (team, error) {
	t, id, now := team{Waiting: map[string]workspace.Promotion{}}, v.place.Workspace.ID, c.now()
	promotions, err := tx.Promotions(ctx, id, now.Add(-workspace.PromotionLife), maxNotices)
	if err != nil {
		return t, err
	}
	for _, p := range promotions {
		if p.StateAt(now) == workspace.PromotionPending {
			t.Waiting[p.AccountID] = p
		}
	}
	open, err := tx.Invitations(ctx, id)
	if err != nil {
		return t, err
	}
	for _, i := range open {
		if i.Holds(now) {
			t.Invitations = append(t.Invitations, i)
		}
	}
	o, err := tx.Offer(ctx, id)
	if errors.Is(err, workspace.ErrOfferNone) || err == nil && !o.Holds(now) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	to, err := tx.StudioByID(ctx, o.To)
	t.Offer, t.OfferedTo, t.OfferedToMe = &o, to.UserName, o.To == v.account.ID
	return t, err
}

func (c *Console) withdrawPromotion(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.WithdrawPromotion(ctx, tx, v.place.Workspace.ID, r.PathValue("promotion"), v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.team.promotion_withdrawn"))
}

func (c *Console) withdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return workspace.WithdrawInvitation(ctx, tx, v.place.Workspace.ID, r.PathValue("invitation"), v.actor(r), c.now())
	})
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.team.invitation_withdrawn"))
}

func (c *Console) offerOwnership(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), visitOf(r)
	err = c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := workspace.OfferOwnership(ctx, tx, v.place.Workspace.ID, form.Text("account"), form.Text("workspace_name"), v.actor(r), c.now())
		return err
	})
	if form.Refused(err) {
		return c.renderSettings(w, r, settingsForms{handover: form})
	}
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.team.offered"))
}

func (c *Console) endOffer(said string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, v := r.Context(), visitOf(r)
		err := c.store.Write(ctx, func(tx *store.Tx) error {
			return workspace.EndOffer(ctx, tx, v.place.Workspace.ID, v.actor(r), c.now())
		})
		if err != nil {
			return err
		}
		return c.saved(w, r, web.T(ctx, said))
	}
}

func (c *Console) acceptOwnership(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		_, err := workspace.AcceptOwnership(ctx, tx, v.place.Workspace.ID, v.actor(r), c.now())
		return err
	})
	if err != nil {
		return err
	}
	return c.saved(w, r, web.T(ctx, "studio.team.owner_now", "workspace", v.place.Workspace.Name))
}

// readNotices marks what this member was shown as read.
func (c *Console) readNotices(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), visitOf(r)
	err := c.store.Write(ctx, func(tx *store.Tx) error {
		return tx.ReadNotices(ctx, v.place.Workspace.ID, v.account.ID, c.now())
	})
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, v.place.path("notices"))
}

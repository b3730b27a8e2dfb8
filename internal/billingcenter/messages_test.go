package billingcenter

import (
	"context"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// promotion asks for a member of the workspace to become an Administrator.
func (h *house) promotion(w workspace.Workspace, member string) workspace.Promotion {
	h.t.Helper()
	var p workspace.Promotion
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		a := account.Studio{ID: id.New(id.StudioAccount), Site: w.Site, UserName: member, Email: member + "@shop.example", Language: "en", CreatedAt: noon}
		if err := tx.InsertStudio(ctx, a); err != nil {
			return err
		}
		if err := tx.SaveMember(ctx, workspace.Member{WorkspaceID: w.ID, AccountID: a.ID, Role: workspace.Standard, JoinedAt: noon}); err != nil {
			return err
		}
		p, err = workspace.ChangeRole(ctx, tx, w.ID, a.ID, workspace.Administrator, workspace.Actor{AccountID: w.OwnerID}, h.clock.Now())
		return err
	})
	return p
}

func TestAPromotionIsAnsweredInTheMessageCentre(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	w := h.paidFor(a, "shop", "cn1")
	v, stranger := h.signedIn(a), h.signedIn(h.payer("other", money.CNY))
	v.get(http.StatusOK, "/messages").says("No messages")
	for _, c := range []struct{ member, answer, said, state string }{
		{"lin", "accept", "The role holds from now on", "Accepted"},
		{"mei", "reject", "The role stays", "Rejected"},
	} {
		h.clock.Advance(time.Minute) // the newest is on top
		p := h.promotion(w, c.member)
		page := v.get(http.StatusOK, "/messages")
		page.says("asks to make " + c.member)
		if badge := page.Find("nav .badge").Text(); badge != "1" {
			t.Errorf("the navigation counts %q", badge)
		}
		message, _ := page.Find("[data-message]").First().Attr("data-message")
		path := "/messages/" + message
		stranger.get(http.StatusNotFound, path).refused("message_unknown", "")
		stranger.post(http.StatusNotFound, path+"/answer", "answer", "accept").refused("message_unknown", "")
		v.get(http.StatusOK, path).says("Waits for your answer")
		v.post(http.StatusUnprocessableEntity, path+"/answer").refused("answer_unclear", "reason")
		v.post(http.StatusOK, path+"/answer", "answer", c.answer, "reason", "not yet").at("/messages").says(c.said)
		v.post(http.StatusConflict, path+"/answer", "answer", "accept").refused("promotion_over", "")
		v.get(http.StatusOK, path).says(c.state)
		h.write(func(ctx context.Context, tx *store.Tx) error {
			m, err := tx.Member(ctx, w.ID, p.AccountID)
			if want := map[string]workspace.Role{"accept": workspace.Administrator, "reject": workspace.Standard}[c.answer]; m.Role != want {
				t.Errorf("%s is %s", c.member, m.Role)
			}
			return err
		})
	}
	if badge := v.get(http.StatusOK, "/messages").Find("nav .badge").Text(); badge != "" {
		t.Errorf("the navigation still counts %q", badge)
	}
}

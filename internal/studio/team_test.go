package studio_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

func TestAPromotionIsAskedForAndWithdrawn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, noah := h.person("cn1", "olivia"), h.person("cn1", "noah")
	w := h.commercial(h.shop(owner))
	h.join(w, noah, workspace.Standard)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.send(base+"/members/"+noah.ID+"/role", "role", "administrator")
	v.at(t, base+"/settings")
	v.shows(t, "The Billing Center was asked")
	v.shows(t, "Administrator: waits for the Billing Center")
	v.send(base+"/members/"+noah.ID+"/role", "role", "administrator")
	v.says(t, http.StatusConflict, "promotion_waits")
	v.open(base + "/settings")
	action := ""
	for i := range v.page.Find("form").Nodes {
		if a, _ := v.page.Find("form").Eq(i).Attr("action"); strings.Contains(a, "/promotions/") {
			action = a
		}
	}
	v.send(action)
	v.shows(t, "The request was withdrawn")
	v.send(action)
	v.says(t, http.StatusConflict, "promotion_over")
}

func TestTheWorkspaceIsHandedOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, noah := h.person("cn1", "olivia"), h.person("cn1", "noah")
	w := h.shop(owner)
	h.join(w, noah, workspace.Standard)
	v, n, base := h.signedIn(owner), h.signedIn(noah), "/studio/workspaces/"+w.ID
	n.send(base + "/ownership/accept")
	n.says(t, http.StatusNotFound, "ownership_not_offered")
	v.send(base+"/ownership", "account", noah.ID, "workspace_name", "not it")
	v.says(t, http.StatusUnprocessableEntity, "ownership_name_differs")
	v.send(base+"/ownership", "account", noah.ID, "workspace_name", w.Name)
	v.shows(t, "noah was asked to become the Owner")
	n.open(base + "/settings")
	n.shows(t, "You are asked to become the Owner")
	n.send(base + "/ownership/accept")
	n.shows(t, "You are the Owner of shop now")
	v.open(base + "/upgrade")
	v.says(t, http.StatusForbidden, "owner_only")
	n.open(base + "/upgrade")
	if n.status != http.StatusOK {
		t.Errorf("the new Owner gets %d", n.status)
	}
	v.open(base + "/notices")
	v.shows(t, "noah is the Owner now")
}

func TestWhoIsInvitedFindsTheWorkspaceAfterRegistering(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.shop(h.person("cn1", "olivia"))
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := workspace.Invite(ctx, tx, w.ID, "gus@example.com", workspace.ReadOnly, workspace.Actor{AccountID: w.OwnerID}, h.clock.Now())
		return err
	})
	v := h.visitor()
	v.send("/studio/sign-up", "site", "cn1", "user_name", "gus", "email", "gus@example.com", "password", password, "password_repeat", password)
	v.send("/studio/sign-up/verify", "code", h.code("gus@example.com"))
	v.send("/studio/sign-up/company", "company", "Acme", "agreed", "yes")
	v.at(t, "/studio/workspaces/"+w.ID+"/start")
	v.shows(t, "You are a member of the workspace that you were invited to")
}

func TestNoticesAreCountedUntilTheyAreRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	h.clock.Advance(time.Hour)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.send(base + "/token")
	v.open(base + "/notices")
	if n := v.page.Find("nav .badge").Text(); n != "1" {
		t.Errorf("the navigation counts %q", n)
	}
	h.clock.Advance(time.Minute)
	v.send(base + "/notices/read")
	v.at(t, base+"/notices")
	if n := v.page.Find("nav .badge").Text(); n != "" {
		t.Errorf("the navigation still counts %q", n)
	}
	v.shows(t, "The workspace token was replaced")
}

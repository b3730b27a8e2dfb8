package studio_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/workspace"
)

func TestTeamIsManagedByWhoeverMay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner, noah := h.person("cn1", "olivia"), h.person("cn1", "noah")
	h.person("us1", "mia")
	w := h.shop(owner)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.send(base+"/members", "email", "mia@example.com", "role", "standard")
	v.shows(t, "mia@example.com was invited by mail") // sites share no accounts
	v.send(base+"/members", "email", "noah@example.com", "role", "owner")
	v.says(t, http.StatusUnprocessableEntity, "role_unknown")
	v.send(base+"/members", "email", "noah@example.com", "role", "standard")
	v.at(t, base+"/settings")
	v.shows(t, "noah is a member now")
	v.send(base+"/members", "email", "noah@example.com", "role", "standard")
	v.says(t, http.StatusConflict, "member_already")
	v.send(base+"/members/"+noah.ID+"/role", "role", "administrator")
	v.shows(t, "The role was changed")
	v.send(base + "/members/" + owner.ID + "/remove")
	v.says(t, http.StatusConflict, "owner_stays")
	v.send(base + "/members/" + noah.ID + "/remove")
	v.shows(t, "The member was removed")
}

func TestStandardMemberInvitesButDoesNotPromote(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.shop(h.person("cn1", "olivia"))
	noah := h.person("cn1", "noah")
	h.person("cn1", "mia")
	h.join(w, noah, workspace.Standard)
	v, base := h.signedIn(noah), "/studio/workspaces/"+w.ID
	v.send(base+"/members", "email", "mia@example.com", "role", "administrator")
	v.says(t, http.StatusForbidden, "not_permitted")
	v.send(base+"/members", "email", "mia@example.com", "role", "read_only")
	v.at(t, base+"/settings")
	v.send(base + "/leave")
	v.at(t, "/studio/workspaces/new")
}

func TestReplacedTokenIsAnnouncedAndASecondClickMakesNoThird(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person("cn1", "olivia")
	w := h.shop(owner)
	h.clock.Advance(time.Hour)
	v, base := h.signedIn(owner), "/studio/workspaces/"+w.ID
	v.open(base + "/start")
	first := v.page.Find("#token").Text()
	v.send(base + "/token")
	second := v.page.Find("#token").Text()
	v.send(base + "/token")
	if third := v.page.Find("#token").Text(); first == second || second != third {
		t.Errorf("tokens %s, %s, %s", first, second, third)
	}
	v.shows(t, "The replaced token still works until")
	v.open(base + "/notices")
	if n := strings.Count(v.page.Text(), "The workspace token was replaced"); n != 1 {
		t.Errorf("%d notices, want 1", n)
	}
}

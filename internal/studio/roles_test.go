package studio_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// pathOf fills in a route's pattern.
func pathOf(r web.Route, w workspace.Workspace, other account.Studio) string {
	path := strings.NewReplacer("{workspace}", w.ID, "{account}", other.ID, "{day}", "2026-03-01", "{key}", "akey_none", "{session}", "sess_none", "{promotion}", "prmo_none", "{invitation}", "invt_none", "{$}", "").Replace(r.Pattern)
	return path
}

// ask sends a request without following redirects.
func (v *visitor) ask(method, path string) *http.Response {
	v.h.t.Helper()
	client := *v.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequestWithContext(v.h.t.Context(), method, v.h.server.URL+path, strings.NewReader(url.Values{}.Encode()))
	if err != nil {
		v.h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		v.h.t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer
}

// TestRolesHoldOnEveryRoute calls each route as each role, as a member of
// another workspace, and as nobody. An empty form changes nothing, so that a
// route that is allowed refuses the form and not the caller.
func TestRolesHoldOnEveryRoute(t *testing.T) {
	t.Parallel()
	for _, role := range workspace.Roles() {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			owner, guest := h.person("cn1", "olivia"), h.person("cn1", "gus")
			w := h.shop(owner)
			caller := owner
			if role != workspace.Owner {
				caller = h.person("cn1", "noah")
				h.join(w, caller, role)
			}
			v := h.signedIn(caller)
			for _, route := range h.console.Routes() {
				if !strings.Contains(route.Pattern, "{workspace}") || strings.HasSuffix(route.Pattern, "/leave") {
					continue
				}
				answer := v.ask(route.Method, pathOf(route, w, guest))
				may := role.May(workspace.Action(route.Needs))
				if refused := answer.StatusCode == http.StatusForbidden; refused == may || answer.StatusCode >= 500 {
					t.Errorf("%s %s as %s: %d, allowed is %v", route.Method, route.Pattern, role, answer.StatusCode, may)
				}
			}
		})
	}
}

func TestStrangersDoNotLearnThatAWorkspaceExists(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.shop(h.person("cn1", "olivia"))
	stranger := h.person("cn1", "sam")
	h.shop(stranger)
	v, nobody := h.signedIn(stranger), h.visitor()
	for _, route := range h.console.Routes() {
		if !strings.Contains(route.Pattern, "{workspace}") {
			continue
		}
		path := pathOf(route, w, stranger)
		if answer := v.ask(route.Method, path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s as a stranger: %d", route.Method, route.Pattern, answer.StatusCode)
		}
		answer := nobody.ask(route.Method, path)
		if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/studio/sign-in") {
			t.Errorf("%s %s as nobody: %d to %s", route.Method, route.Pattern, answer.StatusCode, to)
		}
	}
}

func TestEveryRouteStatesANeedThatExists(t *testing.T) {
	t.Parallel()
	known := map[web.Need]bool{web.Public: true, web.SignedIn: true}
	for _, a := range workspace.Actions() {
		known[web.Need(a)] = true
	}
	for _, route := range newHouse(t).console.Routes() {
		if !known[route.Needs] {
			t.Errorf("%s %s needs %q", route.Method, route.Pattern, route.Needs)
		}
		if strings.Contains(route.Pattern, "{workspace}") == (route.Needs == web.Public || route.Needs == web.SignedIn) {
			t.Errorf("%s %s of a workspace needs no right in it", route.Method, route.Pattern)
		}
	}
}

func TestOthersAreToldWhomToAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := h.person(site.ID("cn1"), "olivia")
	w := h.shop(owner)
	admin := h.person("cn1", "noah")
	h.join(w, admin, workspace.Administrator)
	v := h.signedIn(admin)
	v.open("/studio/workspaces/" + w.ID + "/billing")
	v.shows(t, "olivia@example.com")
	if v.page.Find("a:contains('Upgrade')").Length() != 0 {
		t.Error("an Administrator is offered the upgrade")
	}
	v.open("/studio/workspaces/" + w.ID + "/upgrade")
	v.says(t, http.StatusForbidden, "owner_only")
	v.shows(t, w.ID)
}

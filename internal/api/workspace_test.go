package api_test

import (
	"context"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func TestATeamIsManaged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		mei := x.house.studio("mei")
		m, err := x.studio.AddMember(ctx, x.shop.ID, "MEI@team.example", "standard")
		if must(t, m, err).AccountID != mei.ID || m.Role != "standard" {
			t.Errorf("member %+v", m)
		}
		if m, err = x.studio.ChangeRole(ctx, x.shop.ID, mei.ID, "administrator"); must(t, m, err).Role != "administrator" {
			t.Errorf("member %+v", m)
		}
		members := walk(t, func(p client.Page) (client.List[client.Member], error) { return x.studio.Members(ctx, x.shop.ID, p) }, func(m client.Member) string { return m.UserName })
		if len(members) != 2 {
			t.Errorf("members %v", members)
		}
		_, err = x.studio.ChangeRole(ctx, x.shop.ID, x.owner.ID, "standard")
		refused(t, err, "owner_stays")
		if err := x.studio.RemoveMember(ctx, x.shop.ID, mei.ID); err != nil {
			t.Error(err)
		}
		x.upgraded()
		m, err = x.studio.AddMember(ctx, x.shop.ID, mei.Email, "administrator")
		if must(t, m, err).Role != "standard" || m.Requested != "administrator" {
			t.Errorf("a new Administrator of a Commercial workspace is %+v", m)
		}
	})
}

func TestAGuestOfAnotherSiteIsUnknownHere(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	abroad := x.studioOn("us1", "abroad")
	_, err := x.studio.AddMember(t.Context(), x.shop.ID, abroad.Email, "standard")
	refused(t, err, "member_unknown")
}

func TestAReplacedTokenIsToldToTheGatewayAndToTheMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		before, err := x.studio.Token(ctx, x.shop.ID)
		must(t, before, err)
		after, err := x.studio.ReplaceToken(ctx, x.shop.ID)
		if must(t, after, err).Token == before.Token || after.PreviousEndsAt == nil || !after.PreviousEndsAt.Equal(noon.Add(workspace.TokenOverlap)) {
			t.Errorf("after %+v", after)
		}
		if !x.told(x.shop.ID) {
			t.Error("the gateway was not told")
		}
		notices, err := x.studio.Notices(ctx, x.shop.ID, client.Page{})
		if must(t, notices, err); len(notices.Items) != 1 || notices.Items[0].Kind != "token_changed" {
			t.Errorf("notices %+v", notices.Items)
		}
	})
}

func TestAChangeKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	name := "商店"
	w, err := x.studio.ChangeWorkspace(ctx, x.shop.ID, client.WorkspaceChange{Name: &name})
	if must(t, w, err).Name != name || w.Language != "en" {
		t.Errorf("renamed %+v", w)
	}
	w, err = x.studio.ChangeWorkspace(ctx, x.shop.ID, client.WorkspaceChange{})
	if must(t, w, err).Name != name {
		t.Errorf("changed nothing: %+v", w)
	}
}

func TestNoTeamSeesAnothersWorkspaces(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	for i := range 5 {
		x.house.workspace(x.owner, string(rune('a'+i)))
	}
	mine := walk(t, func(p client.Page) (client.List[client.Workspace], error) { return x.studio.Workspaces(ctx, p) }, func(w client.Workspace) string { return w.Name })
	if len(mine) != 6 || mine[0] != "a" {
		t.Errorf("mine: %v", mine)
	}
	theirs, err := x.asStudio(x.house.studio("mei")).Workspaces(ctx, client.Page{})
	if len(must(t, theirs, err).Items) != 0 {
		t.Errorf("theirs: %+v", theirs.Items)
	}
}

func TestACallThatFailsInsideNamesAReferenceAndNothingElse(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	x.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DROP TABLE notice`)
		return err
	})
	a := x.send(x.studio.Session(), raw{method: "GET", path: "/workspaces/" + x.shop.ID + "/notices"})
	if a.status != 500 || a.problem.Code != "internal" || len(a.problem.Reference) != 10 || a.problem.Detail != "Something went wrong on our side. Nothing was changed." {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

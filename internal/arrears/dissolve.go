package arrears

import (
	"context"
	"strings"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// DissolveBy ends a workspace as its Owner wishes, with its name typed. New
// data is refused at once; what is there goes after the hold and cannot be
// brought back. What it used until now is still billed: it stays with its payer until
// the bills of its last day are made (domain section 12, C-28, C-29).
func DissolveBy(ctx context.Context, tx Tx, workspaceID, typedName string, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return w, err
	}
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return w, err
	}
	if err := m.Role.Require(workspace.DissolveWorkspace); err != nil {
		return w, err
	}
	return dissolve(ctx, tx, w, typedName, actor, at)
}

func dissolve(ctx context.Context, tx Tx, w workspace.Workspace, typedName string, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	to, err := Next(w.State, Dissolve)
	if err != nil {
		return w, err
	}
	if strings.TrimSpace(typedName) != w.Name {
		return w, ErrNameDiffers.On("workspace_name").With("name", w.Name)
	}
	if err := move(ctx, tx, w, to, WhyOwner, actor, at); err != nil {
		return w, err
	}
	w.State, w.Revision = to, w.Revision+1
	if err := tx.DropClock(ctx, Cloud, w.ID); err != nil {
		return w, err
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return w, err
	}
	by := prepaid.Actor{AccountID: actor.AccountID, Address: actor.Address}
	if err := prepaid.Release(ctx, tx, w.ID, period.DayOf(at, s.Zone), by, at); err != nil {
		return w, err
	}
	_, _, told, err := readers(ctx, tx, w.Payer, []workspace.Workspace{w})
	if err != nil {
		return w, err
	}
	return w, tx.Announce(ctx, Dissolved{Workspace: Concerned{w.ID, w.Name, w.Site}, Readers: told, At: at, ClearAt: at.Add(Hold)})
}

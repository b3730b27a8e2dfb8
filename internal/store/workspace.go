package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

const workspaceColumns = `w.id, w.site, w.name, w.language, w.owner_id, w.plan, w.generation, w.state, w.payer, w.settlement, w.created_at, w.upgraded_at, w.revision`

func scanWorkspace(r Row) (workspace.Workspace, error) {
	var w workspace.Workspace
	var created, upgraded int64
	err := r.Scan(&w.ID, &w.Site, &w.Name, &w.Language, &w.OwnerID, &w.Plan, &w.Generation, &w.State, &w.Payer, &w.Settlement, &created, &upgraded, &w.Revision)
	if errors.Is(err, ErrNoRows) {
		return w, workspace.ErrUnknown
	}
	if err != nil {
		return w, fmt.Errorf("read a workspace: %w", err)
	}
	w.CreatedAt, w.UpgradedAt = period.FromMicros(created), period.FromMicros(upgraded)
	return w, nil
}

// Workspace finds a workspace, or workspace.ErrUnknown.
func (tx *Tx) Workspace(ctx context.Context, id string) (workspace.Workspace, error) {
	return scanWorkspace(tx.QueryRow(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.id = $1`, id))
}

// WorkspaceForUpdate is Workspace, kept from other writers until the
// transaction ends. So is, before it, the money of its payer: that is the order
// of locks (see the package's comment).
func (tx *Tx) WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error) {
	if tx.dialect == Postgres && !tx.readOnly {
		payer, err := tx.payerOf(ctx, id)
		if err != nil {
			return workspace.Workspace{}, err
		}
		if payer != "" {
			if _, err := tx.LedgerHead(ctx, payer); err != nil {
				return workspace.Workspace{}, fmt.Errorf("chain of %s: %w", payer, err)
			}
		}
	}
	return scanWorkspace(tx.QueryRow(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.id = $1`+tx.lockWrites(), id))
}

// payerOf is who pays for a workspace; empty where nobody does, or where there
// is no such workspace.
func (tx *Tx) payerOf(ctx context.Context, id string) (payer string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT payer
		FROM workspace
		WHERE id = $1`, id).Scan(&payer)
	if errors.Is(err, ErrNoRows) {
		err = nil
	}
	return payer, err
}

// InsertWorkspace keeps a new workspace.
func (tx *Tx) InsertWorkspace(ctx context.Context, w workspace.Workspace) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO workspace (id, site, name, language, owner_id, plan, generation, state, payer, settlement, created_at, upgraded_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		w.ID, w.Site, w.Name, w.Language, w.OwnerID, w.Plan, int64(w.Generation), w.State, w.Payer, w.Settlement,
		period.Micros(w.CreatedAt), period.Micros(w.UpgradedAt), w.Revision)
	return err
}

// UpdateWorkspace keeps the next value of a workspace that was read at
// w.Revision; changed meanwhile it is workspace.ErrStale. The plan can only
// stay or go to Commercial, and what is cleared or dissolved stays so, whatever
// the caller says.
func (tx *Tx) UpdateWorkspace(ctx context.Context, w workspace.Workspace) error {
	n, err := tx.Exec(ctx, `
		UPDATE workspace
		SET name = $3, language = $4, owner_id = $5, plan = $6, generation = $7, state = $8,
			payer = $9, settlement = $10, upgraded_at = $11, revision = revision + 1
		WHERE id = $1
			AND revision = $2
			AND generation <= $7
			AND (plan = $6 OR plan = 'experience')
			AND (state = $8 OR state NOT IN ('cleared', 'dissolved'))`,
		w.ID, w.Revision, w.Name, w.Language, w.OwnerID, w.Plan, int64(w.Generation), w.State,
		w.Payer, w.Settlement, period.Micros(w.UpgradedAt))
	tx.changed[w.ID] = true
	return exactlyOne(n, err, workspace.ErrStale)
}

// Membership is a workspace together with somebody's role in it.
type Membership struct {
	Workspace workspace.Workspace
	Role      workspace.Role
}

// WorkspacesOf lists the workspaces of a Studio account by name.
func (tx *Tx) WorkspacesOf(ctx context.Context, accountID string) ([]Membership, error) {
	rows, err := tx.Query(ctx, `
		SELECT m.role, `+workspaceColumns+`
		FROM member m
		JOIN workspace w ON w.id = m.workspace_id
		WHERE m.account_id = $1
		ORDER BY w.name, w.id`, accountID)
	return collect(rows, err, func(r Row) (Membership, error) {
		var m Membership
		var err error
		m.Workspace, err = scanWorkspace(led{r, []any{&m.Role}})
		return m, err
	})
}

// led scans columns of its own before those of the row's reader.
type led struct {
	row  Row
	dest []any
}

func (l led) Scan(dest ...any) error { return l.row.Scan(append(l.dest, dest...)...) }

// WorkspacesPaidBy lists the workspaces that a Billing Center account pays for.
func (tx *Tx) WorkspacesPaidBy(ctx context.Context, billingID string) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.payer = $1
			AND w.payer <> ''
		ORDER BY w.name, w.id`, billingID)
	return collect(rows, err, scanWorkspace)
}

// CommercialWorkspaces lists the Commercial workspaces of a site, by ID after
// the given one.
func (tx *Tx) CommercialWorkspaces(ctx context.Context, s site.ID, after string, limit int) ([]workspace.Workspace, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+workspaceColumns+`
		FROM workspace w
		WHERE w.site = $1
			AND w.plan = 'commercial'
			AND w.payer <> ''
			AND w.id > $2
		ORDER BY w.id
		LIMIT $3`, s, after, int64(limit))
	return collect(rows, err, scanWorkspace)
}

// CommercialSites lists the sites that have Commercial workspaces, with the
// earliest upgrade of each.
func (tx *Tx) CommercialSites(ctx context.Context) (map[site.ID]time.Time, error) {
	rows, err := tx.Query(ctx, `
		SELECT site, MIN(upgraded_at)
		FROM workspace
		WHERE plan = 'commercial'
		GROUP BY site`)
	first := map[site.ID]time.Time{}
	_, err = collect(rows, err, func(r Row) (struct{}, error) {
		var s site.ID
		var at int64
		err := r.Scan(&s, &at)
		first[s] = period.FromMicros(at)
		return struct{}{}, err
	})
	return first, err
}

// Member finds somebody's place in a workspace. No member sees a workspace as
// an unknown one.
func (tx *Tx) Member(ctx context.Context, workspaceID, accountID string) (workspace.Member, error) {
	m := workspace.Member{WorkspaceID: workspaceID, AccountID: accountID}
	var joined int64
	err := tx.QueryRow(ctx, `
		SELECT role, joined_at
		FROM member
		WHERE workspace_id = $1
			AND account_id = $2`, workspaceID, accountID).Scan(&m.Role, &joined)
	if errors.Is(err, ErrNoRows) {
		return m, workspace.ErrUnknown
	}
	m.JoinedAt = period.FromMicros(joined)
	return m, err
}

// MemberEntry is a member with the account's names, for the list of members.
type MemberEntry struct {
	workspace.Member
	UserName string
	Email    string
}

// Members lists the members of a workspace in the order of their joining.
func (tx *Tx) Members(ctx context.Context, workspaceID string) ([]MemberEntry, error) {
	rows, err := tx.Query(ctx, `
		SELECT m.workspace_id, m.account_id, m.role, m.joined_at, a.user_name, a.email
		FROM member m
		JOIN studio_account a ON a.id = m.account_id
		WHERE m.workspace_id = $1
		ORDER BY m.joined_at, m.account_id`, workspaceID)
	return collect(rows, err, func(r Row) (MemberEntry, error) {
		var m MemberEntry
		var joined int64
		err := r.Scan(&m.WorkspaceID, &m.AccountID, &m.Role, &joined, &m.UserName, &m.Email)
		m.JoinedAt = period.FromMicros(joined)
		return m, err
	})
}

// SaveMember adds a member or changes his role.
func (tx *Tx) SaveMember(ctx context.Context, m workspace.Member) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO member (workspace_id, account_id, role, joined_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (workspace_id, account_id) DO UPDATE SET role = excluded.role`,
		m.WorkspaceID, m.AccountID, m.Role, period.Micros(m.JoinedAt))
	return err
}

// DeleteMember removes a member who is not the Owner.
func (tx *Tx) DeleteMember(ctx context.Context, workspaceID, accountID string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM member
		WHERE workspace_id = $1
			AND account_id = $2
			AND role <> 'owner'`, workspaceID, accountID)
	return exactlyOne(n, err, workspace.ErrOwnerStays)
}

const tokenColumns = `t.secret, t.workspace_id, t.created_at, t.ends_at`

func scanToken(r Row) (workspace.Token, error) {
	var t workspace.Token
	var created, ends int64
	err := r.Scan(&t.Secret, &t.WorkspaceID, &created, &ends)
	if errors.Is(err, ErrNoRows) {
		return t, workspace.ErrTokenUnknown
	}
	t.CreatedAt, t.EndsAt = period.FromMicros(created), period.FromMicros(ends)
	return t, err
}

// CurrentToken finds the token that collectors should use now.
func (tx *Tx) CurrentToken(ctx context.Context, workspaceID string) (workspace.Token, error) {
	return scanToken(tx.QueryRow(ctx, `
		SELECT `+tokenColumns+`
		FROM token t
		WHERE t.workspace_id = $1
			AND t.ends_at = 0`, workspaceID))
}

// WorkspaceByToken finds the workspace that a token reports into, or
// workspace.ErrTokenUnknown.
func (tx *Tx) WorkspaceByToken(ctx context.Context, secret string) (workspace.Workspace, workspace.Token, error) {
	t, err := scanToken(tx.QueryRow(ctx, `
		SELECT `+tokenColumns+`
		FROM token t
		WHERE t.secret = $1`, secret))
	if err != nil {
		return workspace.Workspace{}, t, err
	}
	w, err := tx.Workspace(ctx, t.WorkspaceID)
	return w, t, err
}

// SaveToken inserts a token or keeps its end.
func (tx *Tx) SaveToken(ctx context.Context, t workspace.Token) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO token (secret, workspace_id, created_at, ends_at)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (secret) DO UPDATE SET ends_at = excluded.ends_at`,
		t.Secret, t.WorkspaceID, period.Micros(t.CreatedAt), period.Micros(t.EndsAt))
	tx.changed[t.WorkspaceID] = true
	return err
}

// SaveNotice keeps a notice once; a second one of its key changes nothing.
func (tx *Tx) SaveNotice(ctx context.Context, n workspace.Notice) error {
	args, err := json.Marshal(n.Args)
	if err != nil {
		return fmt.Errorf("encode a notice: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO notice (workspace_id, key, kind, args, created_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id, key) DO NOTHING`, n.WorkspaceID, n.Key, n.Kind, string(args), period.Micros(n.CreatedAt))
	return err
}

// Notices lists the newest notices of a workspace since then.
func (tx *Tx) Notices(ctx context.Context, workspaceID string, since time.Time, limit int) ([]workspace.Notice, error) {
	rows, err := tx.Query(ctx, `
		SELECT workspace_id, key, kind, args, created_at
		FROM notice
		WHERE workspace_id = $1
			AND created_at >= $2
		ORDER BY created_at DESC, key
		LIMIT $3`, workspaceID, period.Micros(since), int64(limit))
	return collect(rows, err, func(r Row) (workspace.Notice, error) {
		var n workspace.Notice
		var args string
		var created int64
		if err := r.Scan(&n.WorkspaceID, &n.Key, &n.Kind, &args, &created); err != nil {
			return n, err
		}
		n.CreatedAt = period.FromMicros(created)
		return n, json.Unmarshal([]byte(args), &n.Args)
	})
}

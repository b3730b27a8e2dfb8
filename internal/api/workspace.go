package api

import (
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// Workspace is one tenant, as a member sees it.
type Workspace struct {
	ID          string     `json:"id"`
	Site        string     `json:"site"`
	Name        string     `json:"name"`
	Language    string     `json:"language"`
	Role        string     `json:"role" doc:"Your role in it."`
	Plan        string     `json:"plan" enum:"experience,commercial"`
	State       string     `json:"state" enum:"normal,grace,locked,cleared,dissolved"`
	CreatedAt   time.Time  `json:"created_at"`
	UpgradedAt  *time.Time `json:"upgraded_at,omitempty"`
	VisibleFrom time.Time  `json:"visible_from" doc:"Data before this instant is not viewable."`
}

func workspaceOf(w workspace.Workspace, role workspace.Role) *Workspace {
	return &Workspace{
		ID: w.ID, Site: string(w.Site), Name: w.Name, Language: w.Language, Role: string(role),
		Plan: string(w.Plan), State: string(w.State), CreatedAt: local(w.CreatedAt, w.Site),
		UpgradedAt: instant(w.UpgradedAt, w.Site), VisibleFrom: local(w.VisibleFrom(), w.Site),
	}
}

// Inside names a workspace by the path. The gate has checked the membership.
type Inside struct {
	WorkspaceID string `path:"workspace_id" maxLength:"64"`
}

func listWorkspaces(c *call, in *struct{ Paged }) (*Page[Workspace], error) {
	all, err := c.tx.WorkspacesOf(c, c.AccountID)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "workspaces", all, func(m store.Membership) string { return m.Workspace.ID }, func(m store.Membership) Workspace {
		return *workspaceOf(m.Workspace, m.Role)
	})
}

// newWorkspace starts an Experience workspace, and the Billing Center account
// of the ticked box.
type newWorkspace struct {
	Body struct {
		Name            string `json:"name"`
		Language        string `json:"language" enum:"en,zh" doc:"Of its notices and mails."`
		BillingUserName string `json:"billing_user_name,omitempty" doc:"Also create a Billing Center account of this user name, with your e-mail address, phone and password as they are now."`
	}
}

// CreatedWorkspace is a new workspace, and the account made beside it.
type CreatedWorkspace struct {
	Workspace
	BillingAccount *BillingAccount `json:"billing_account,omitempty"`
}

func createWorkspace(c *call, in *newWorkspace) (*CreatedWorkspace, error) {
	w, err := workspace.Create(c, c.tx, c.Studio.Site, in.Body.Name, in.Body.Language, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	made := &CreatedWorkspace{Workspace: *workspaceOf(w, workspace.Owner)}
	if in.Body.BillingUserName == "" {
		return made, nil
	}
	b, err := account.Beside(c, c.tx, c.Studio, in.Body.BillingUserName, c.Address, c.at)
	if err != nil {
		return nil, err
	}
	made.BillingAccount = billingOf(b)
	return made, nil
}

func showWorkspace(c *call, _ *Inside) (*Workspace, error) {
	return workspaceOf(c.Workspace, c.Role), nil
}

// renaming changes what is given.
type renaming struct {
	Inside
	Body struct {
		Name     *string `json:"name,omitempty"`
		Language *string `json:"language,omitempty" enum:"en,zh"`
	}
}

func renameWorkspace(c *call, in *renaming) (*Workspace, error) {
	w, err := c.tx.Workspace(c, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	if in.Body.Name != nil {
		w.Name = *in.Body.Name
	}
	if in.Body.Language != nil {
		w.Language = *in.Body.Language
	}
	if err := workspace.Rename(c, c.tx, w.ID, w.Name, w.Language, c.actor(), c.at); err != nil {
		return nil, err
	}
	if w, err = c.tx.Workspace(c, w.ID); err != nil {
		return nil, err
	}
	return workspaceOf(w, c.Role), nil
}

// Member is somebody's place in a workspace.
type Member struct {
	AccountID string    `json:"account_id"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Role      string    `json:"role" enum:"owner,administrator,standard,read_only"`
	JoinedAt  time.Time `json:"joined_at"`
	Requested string    `json:"requested_role,omitempty" doc:"A promotion that waits for the Billing Center's answer."`
}

func (c *call) member(m store.MemberEntry) Member {
	return Member{AccountID: m.AccountID, UserName: m.UserName, Email: m.Email, Role: string(m.Role), JoinedAt: local(m.JoinedAt, c.Workspace.Site)}
}

// membersNow lists the members, with the promotions that wait.
func (c *call) membersNow(workspaceID string) ([]Member, error) {
	all, err := c.tx.Members(c, workspaceID)
	if err != nil {
		return nil, err
	}
	waiting, err := c.waiting(workspaceID)
	list := make([]Member, len(all))
	for i, m := range all {
		list[i] = c.member(m)
		list[i].Requested = string(waiting[m.AccountID].To)
	}
	return list, err
}

// Listing is a page of something inside a workspace.
type Listing struct {
	Inside
	Paged
}

func listMembers(c *call, in *Listing) (*Page[Member], error) {
	all, err := c.membersNow(in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "members", all, func(m Member) string { return m.AccountID }, func(m Member) Member { return m })
}

// invitation adds somebody who has an account on the site.
type invitation struct {
	Inside
	Body struct {
		Email string `json:"email" maxLength:"256"`
		Role  string `json:"role" enum:"administrator,standard,read_only"`
	}
}

func addMember(c *call, in *invitation) (*Member, error) {
	email, err := account.NormalEmail(in.Body.Email)
	if err != nil {
		return nil, fault.From(err).On("email")
	}
	guest, err := c.tx.StudioByEmail(c, c.Workspace.Site, email)
	if isFault(err, account.ErrUnknown) {
		err = workspace.ErrMemberUnknown.On("email")
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := workspace.Join(c, c.tx, in.WorkspaceID, guest.ID, workspace.Role(in.Body.Role), c.actor(), c.at); err != nil {
		return nil, err
	}
	return c.memberNow(in.WorkspaceID, guest.ID)
}

// ErrNoMember is an account that is not in the workspace.
var ErrNoMember = fault.New(fault.NotFound, "member_not_found", "This workspace has no such member.")

func (c *call) memberNow(workspaceID, accountID string) (*Member, error) {
	all, err := c.membersNow(workspaceID)
	if err != nil {
		return nil, err
	}
	for _, m := range all {
		if m.AccountID == accountID {
			return &m, nil
		}
	}
	return nil, ErrNoMember
}

// Place names a member by the path.
type Place struct {
	Inside
	AccountID string `path:"account_id" maxLength:"64"`
}

// promotion gives a member another role.
type promotion struct {
	Place
	Body struct {
		Role string `json:"role" enum:"administrator,standard,read_only"`
	}
}

func changeRole(c *call, in *promotion) (*Member, error) {
	_, err := workspace.ChangeRole(c, c.tx, in.WorkspaceID, in.AccountID, workspace.Role(in.Body.Role), c.actor(), c.at)
	if isFault(err, workspace.ErrUnknown) {
		err = ErrNoMember
	}
	if err != nil {
		return nil, err
	}
	return c.memberNow(in.WorkspaceID, in.AccountID)
}

func removeMember(c *call, in *Place) error {
	err := workspace.Leave(c, c.tx, in.WorkspaceID, in.AccountID, c.actor(), c.at)
	if isFault(err, workspace.ErrUnknown) {
		return ErrNoMember
	}
	return err
}

// Token is what collectors report with.
type Token struct {
	Token          string     `json:"token"`
	CreatedAt      time.Time  `json:"created_at"`
	PreviousEndsAt *time.Time `json:"previous_ends_at,omitempty" doc:"Until then the token before works too."`
}

func showToken(c *call, in *Inside) (*Token, error) {
	t, err := c.tx.CurrentToken(c, in.WorkspaceID)
	if err != nil {
		return nil, err
	}
	return &Token{Token: t.Secret, CreatedAt: local(t.CreatedAt, c.Workspace.Site)}, nil
}

func replaceToken(c *call, in *Inside) (*Token, error) {
	t, err := workspace.ReplaceToken(c, c.tx, in.WorkspaceID, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	s := c.Workspace.Site
	return &Token{t.Secret, local(t.CreatedAt, s), instant(c.at.Add(workspace.TokenOverlap), s)}, nil
}

// Notice is an in-app message to the members.
type Notice struct {
	Key       string            `json:"key"`
	Kind      string            `json:"kind" example:"quota_warning"`
	Figures   map[string]string `json:"figures,omitempty"`
	CreatedAt time.Time         `json:"created_at"`
}

// Notices go back so far, and are so many at most.
const (
	noticeLife  = 30 * 24 * time.Hour
	mostNotices = 1000
)

func listNotices(c *call, in *Listing) (*Page[Notice], error) {
	all, err := c.tx.Notices(c, in.WorkspaceID, c.at.Add(-noticeLife), mostNotices)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "notices", all, func(n workspace.Notice) string { return n.Key }, func(n workspace.Notice) Notice {
		return Notice{n.Key, n.Kind, n.Args, local(n.CreatedAt, c.Workspace.Site)}
	})
}

// isFault reports whether err is that fault.
func isFault(err error, f *fault.Error) bool { return err != nil && fault.From(err).Code == f.Code }

// Package workspace is the tenant: the unit of data, of metering and of
// billing. It owns the workspace's plan, data generation, state, members,
// roles and tokens. It does not own usage, quotas or money.
//
// Always true: a workspace has exactly one Owner; its plan goes from
// Experience to Commercial at most once and never back; its data generation
// grows by one exactly then.
package workspace

import (
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
)

// Faults of workspaces.
var (
	ErrUnknown       = fault.New(fault.NotFound, "workspace_unknown", "There is no such workspace, or you are not a member of it.")
	ErrName          = fault.New(fault.Invalid, "workspace_name", "A workspace name has 1 to 256 characters.")
	ErrLanguage      = fault.New(fault.Invalid, "language_unknown", "Choose English or Chinese.")
	ErrTokenUnknown  = fault.New(fault.Unauthenticated, "token_unknown", "This workspace token is unknown or has been replaced.")
	ErrLocked        = fault.New(fault.Forbidden, "workspace_locked", "This workspace is locked. Its Owner can unlock it in the Billing Center.")
	ErrDissolved     = fault.New(fault.Gone, "workspace_dissolved", "This workspace has been dissolved.")
	ErrCleared       = fault.New(fault.Gone, "workspace_cleared", "This workspace was locked for too long, and its data has been deleted. Create a new workspace.")
	ErrNotPermitted  = fault.New(fault.Forbidden, "not_permitted", "Your role in this workspace does not allow this. Ask the Owner or an Administrator.")
	ErrOwnerOnly     = fault.New(fault.Forbidden, "owner_only", "Only the Owner of the workspace may do this. Contact the Owner, or bind the workspace in the Billing Center.")
	ErrMemberUnknown = fault.New(fault.NotFound, "member_unknown", "There is no account with this e-mail address on this site. Ask the person to register first.")
	ErrMemberAlready = fault.New(fault.Conflict, "member_already", "This person is a member already.")
	ErrRole          = fault.New(fault.Invalid, "role_unknown", "Choose Administrator, Standard or Read-only.")
	ErrOwnerStays    = fault.New(fault.Conflict, "owner_stays", "The Owner cannot leave or change role; transfer ownership first.")
	ErrAlready       = fault.New(fault.Conflict, "already_commercial", "This workspace is on the Commercial plan already. The upgrade happens once and cannot be undone.")
	ErrStale         = fault.New(fault.Conflict, "changed_meanwhile", "Somebody changed this workspace meanwhile. Look at it again and repeat what you want to do.")
)

// Plan is what the workspace may use.
type Plan string

// The plans.
const (
	Experience Plan = "experience"
	Commercial Plan = "commercial"
)

// State is the workspace's standing (domain section 12).
type State string

// The states.
const (
	Normal    State = "normal"
	Grace     State = "grace"     // in arrears: 14 days until locked; data still comes in
	Locked    State = "locked"    // no data, no pages but unlock and dissolve
	Cleared   State = "cleared"   // its data is gone; final
	Dissolved State = "dissolved" // by the Owner; final
)

// Generation numbers the data of a workspace. Data of an older generation than
// the workspace's is never shown and its usage never billed (design D5).
type Generation int64

// Workspace is one tenant.
type Workspace struct {
	ID         string
	Site       site.ID
	Name       string
	Language   string // of its notices and mails: "en" or "zh"
	OwnerID    string // a Studio account
	Plan       Plan
	Generation Generation // 1 from creation, 2 from the upgrade
	State      State
	Payer      string      // the Billing Center account's ID; empty in Experience
	Settlement site.Method // empty in Experience
	CreatedAt  time.Time
	UpgradedAt time.Time // zero in Experience
	Revision   int64     // grows with every change; writes name the one they read
}

// New starts an Experience workspace.
func New(s site.ID, name, language, owner string, at time.Time) (Workspace, error) {
	name = strings.TrimSpace(name)
	if n := utf8.RuneCountInString(name); n == 0 || n > 256 || !utf8.ValidString(name) {
		return Workspace{}, ErrName.On("name")
	}
	if language != "en" && language != "zh" {
		return Workspace{}, ErrLanguage.On("language")
	}
	return Workspace{
		ID: id.New(id.Workspace), Site: s, Name: name, Language: language, OwnerID: owner,
		Plan: Experience, Generation: 1, State: Normal, CreatedAt: at, Revision: 1,
	}, nil
}

// Upgrade is the one edge from Experience to Commercial. New data goes to a
// new generation from this instant; the payer settles through the Billing
// Center until another method is chosen (domain section 5).
func (w Workspace) Upgrade(payer string, at time.Time) (Workspace, error) {
	if err := w.Upgradable(); err != nil {
		return w, err
	}
	w.Plan = Commercial
	w.Generation++
	w.Payer = payer
	w.Settlement = site.BillingCenter
	w.UpgradedAt = at
	return w, nil
}

// Upgradable says why the workspace cannot be upgraded, if it cannot.
func (w Workspace) Upgradable() error {
	switch {
	case w.State == Dissolved || w.State == Cleared:
		return ErrDissolved
	case w.State == Locked:
		return ErrLocked
	case w.Plan == Commercial:
		return ErrAlready
	}
	return nil
}

// Over says why nothing can be done with the workspace any more, if so: it is
// dissolved, or cleared, and both are final.
func (s State) Over() error {
	switch s {
	case Cleared:
		return ErrCleared
	case Dissolved:
		return ErrDissolved
	}
	return nil
}

// Accepts says why the gateway must refuse reports, if it must: a locked or
// dissolved workspace takes none; in grace data still comes in (domain C-15).
func (w Workspace) Accepts() error {
	switch w.State {
	case Locked, Cleared:
		return ErrLocked
	case Dissolved:
		return ErrDissolved
	}
	return nil
}

// VisibleFrom is the instant from which data can be viewed: creation, or the
// upgrade.
func (w Workspace) VisibleFrom() time.Time {
	if w.Plan == Commercial {
		return w.UpgradedAt
	}
	return w.CreatedAt
}

// Token lets a collector report into a workspace.
type Token struct {
	Secret      string
	WorkspaceID string
	CreatedAt   time.Time
	EndsAt      time.Time // zero while it is the current one; a replaced token holds for TokenOverlap
}

// TokenOverlap is how long a replaced token still works, so that collectors
// can be changed over without a gap.
const TokenOverlap = 24 * time.Hour

// NewToken makes a token.
func NewToken(workspaceID string, at time.Time) Token {
	return Token{Secret: id.New(id.Token), WorkspaceID: workspaceID, CreatedAt: at}
}

// Holds reports whether the token works at the instant.
func (t Token) Holds(at time.Time) bool { return t.EndsAt.IsZero() || at.Before(t.EndsAt) }

package notify

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/workspace"
)

// secured tells the holder of an account what was changed of what guards it.
func secured(e account.Secured) []letter {
	l := letter{kind: AccountSecured, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"What": string(e.What), "Studio": e.System == account.StudioSystem},
		facts: []fact{{"user_name", e.UserName}}}
	if e.Site != "" {
		l.facts = append(l.facts, fact{"site", siteName(e.Site, e.Language)})
	}
	if e.What == account.EmailChanged {
		l.facts = append(l.facts, fact{"new_email", account.MaskEmail(e.Now)})
	}
	l.facts = append(l.facts, fact{"changed", localTime(e.At, e.Site)})
	return []letter{l}
}

// invited writes to somebody who has no account yet, in the workspace's
// language: nobody knows his.
func invited(e workspace.Invited) []letter {
	return []letter{{kind: InvitedGuest, to: e.Email, language: e.Language, at: e.InvitedAt,
		words: map[string]any{"Workspace": e.WorkspaceName, "InvitedBy": e.InvitedBy},
		facts: []fact{
			{"workspace", e.WorkspaceName},
			{"site", siteName(e.Site, e.Language)},
			{"role", roleName(e.Role, e.Language)},
			{"email", e.Email},
			{"until", localTime(e.ExpiresAt, e.Site)},
		}}}
}

func promotionAnswered(e workspace.PromotionAnswered) []letter {
	l := letter{kind: PromotionAnswered, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Workspace": e.WorkspaceName, "Member": e.Member, "State": string(e.State)},
		facts: []fact{
			{"workspace", e.WorkspaceName},
			{"member", e.Member},
			{"role", roleName(e.Role, e.Language)},
		}}
	if e.Reason != "" {
		l.facts = append(l.facts, fact{"reason", e.Reason})
	}
	return []letter{l}
}

func ownershipOffered(e workspace.OwnershipOffered) []letter {
	return []letter{{kind: OwnershipOffered, to: e.Email, language: e.Language, at: e.OfferedAt,
		words: map[string]any{"Workspace": e.WorkspaceName, "Owner": e.Owner},
		facts: []fact{
			{"workspace", e.WorkspaceName},
			{"workspace_id", e.WorkspaceID},
			{"site", siteName(e.Site, e.Language)},
			{"until", localTime(e.ExpiresAt, e.Site)},
		}}}
}

func ownerChanged(e workspace.OwnerChanged) []letter {
	return []letter{{kind: OwnerChanged, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Workspace": e.WorkspaceName, "Before": e.Before, "Now": e.Now},
		facts: []fact{
			{"workspace", e.WorkspaceName},
			{"workspace_id", e.WorkspaceID},
			{"site", siteName(e.Site, e.Language)},
			{"owner", e.Now},
			{"changed", localTime(e.At, e.Site)},
		}}}
}

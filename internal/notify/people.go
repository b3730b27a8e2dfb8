package notify

import (
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// ofPeople writes the mails of accounts and teams; nil for another event.
func ofPeople(event any) []letter {
	switch e := event.(type) {
	case account.Secured:
		return secured(e)
	case workspace.Invited:
		return invited(e)
	case workspace.PromotionAnswered:
		return promotionAnswered(e)
	case workspace.OwnershipOffered:
		return ownershipOffered(e)
	case workspace.OwnerChanged:
		return ownerChanged(e)
	case rebind.Rebound:
		return rebound(e)
	}
	return nil
}

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
		facts: append(ofWorkspace(e.WorkspaceName, e.WorkspaceID, e.Site, e.Language), fact{"until", localTime(e.ExpiresAt, e.Site)})}}
}

func ownerChanged(e workspace.OwnerChanged) []letter {
	return []letter{{kind: OwnerChanged, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Workspace": e.WorkspaceName, "Before": e.Before, "Now": e.Now},
		facts: append(ofWorkspace(e.WorkspaceName, e.WorkspaceID, e.Site, e.Language),
			fact{"owner", e.Now}, fact{"changed", localTime(e.At, e.Site)})}}
}

func rebound(e rebind.Rebound) []letter {
	return []letter{{kind: Rebound, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Workspace": e.WorkspaceName, "From": e.From, "To": e.To},
		facts: append(ofWorkspace(e.WorkspaceName, e.WorkspaceID, e.Site, e.Language),
			fact{"billing_account", e.To}, fact{"changed", localTime(e.At, e.Site)})}}
}

// ofWorkspace are the facts by which a workspace is known in a letter.
func ofWorkspace(name, id string, s site.ID, language string) []fact {
	return []fact{{"workspace", name}, {"workspace_id", id}, {"site", siteName(s, language)}}
}

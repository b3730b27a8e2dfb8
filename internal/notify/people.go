package notify

import (
	"tollgate.dev/internal/account"
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

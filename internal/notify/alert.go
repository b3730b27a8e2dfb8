package notify

import "tollgate.dev/internal/alert"

// highConsumption writes to each recipient in his language.
func highConsumption(e alert.Exceeded) []letter {
	var letters []letter
	for _, to := range e.Recipients {
		item := e.ItemName.En
		if spoken(to.Language) == "zh" {
			item = e.ItemName.Zh
		}
		l := letter{kind: HighConsumption, to: to.Email, language: to.Language, at: e.At,
			words: map[string]any{
				"Workspace": e.WorkspaceName, "Item": item, "Total": e.Item == alert.Total,
				"Day": e.Day.String(), "Amount": sum(e.Amount), "Threshold": sum(e.Threshold),
			},
			facts: []fact{{"workspace", e.WorkspaceName}, {"workspace_id", e.WorkspaceID}, {"site", siteName(e.Site, to.Language)}, {"bill_day", e.Day.String()}},
		}
		if e.Item != alert.Total {
			l.facts = append(l.facts, fact{"item", item})
		}
		l.facts = append(l.facts, fact{"charged", sum(e.Amount)}, fact{"threshold", sum(e.Threshold)})
		letters = append(letters, l)
	}
	return letters
}

package notify

import (
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
)

// ofMarketplaces writes the mails about cloud subscriptions; nil for another event.
func ofMarketplaces(event any) []letter {
	if e, ok := event.(marketplace.Moved); ok {
		return settlementMoved(e)
	}
	return nil
}

// settlementMoved tells the payer who settles from now on (domain section 14,
// mail 6), or that a renewed subscription goes on where the old one ended.
func settlementMoved(e marketplace.Moved) []letter {
	l := letter{kind: SettlementMoved, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Cancelled": e.Why == settle.WhyCancelled, "Cloud": cloudName(e.Cloud, e.Language), "Workspaces": len(e.Workspaces), "Payer": e.UserName},
		facts: []fact{
			{"billing_account", e.UserName},
			{"concerned", names(e.Workspaces)},
			{"cloud_account", e.Account},
			{"cloud_instance", e.Instance},
		}}
	if len(e.Workspaces) > 0 {
		l.facts = append(l.facts, fact{"changed", localTime(e.At, e.Workspaces[0].Site)})
	}
	return []letter{l}
}

func cloudName(m site.Method, language string) string {
	if name, ok := cloudNames[spoken(language)][m]; ok {
		return name
	}
	return string(m)
}

var cloudNames = map[string]map[site.Method]string{
	"en": {site.Alibaba: "Alibaba Cloud", site.AlibabaIntl: "Alibaba Cloud International", site.AWS: "AWS", site.Huawei: "Huawei Cloud", site.Azure: "Azure"},
	"zh": {site.Alibaba: "阿里云", site.AlibabaIntl: "阿里云国际站", site.AWS: "AWS", site.Huawei: "华为云", site.Azure: "Azure"},
}

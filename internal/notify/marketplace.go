package notify

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
)

// ofMarketplaces writes the mails about cloud subscriptions; nil for another event.
func ofMarketplaces(event any) []letter {
	switch e := event.(type) {
	case marketplace.Moved:
		return settlementMoved(e)
	case marketplace.UsageLate:
		return usagePaged(UsageLate, e.Cloud, e.Records, e.Readers, e.At)
	case marketplace.UsageLost:
		return usagePaged(UsageLost, e.Cloud, e.Records, e.Readers, e.At)
	}
	return nil
}

// usagePaged tells operators of records of usage that a cloud has not taken.
func usagePaged(kind Kind, cloud site.Method, records []marketplace.Record, readers []marketplace.Paged, at time.Time) []letter {
	sums, first := map[money.Currency]money.Amount{}, time.Time{}
	var states []string
	for _, r := range records {
		c := r.Amount.Currency()
		sums[c] = money.Of(sums[c].Minor()+r.Amount.Minor(), c)
		if first.IsZero() || r.Deadline.Before(first) {
			first = r.Deadline
		}
		if !slices.Contains(states, string(r.State)) {
			states = append(states, string(r.State))
		}
	}
	slices.Sort(states)
	var amounts []string
	for _, c := range money.Currencies() {
		if _, some := sums[c]; some {
			amounts = append(amounts, sum(sums[c]))
		}
	}
	letters := make([]letter, 0, len(readers))
	for _, to := range readers {
		said := map[string]any{"Cloud": cloudName(cloud, to.Language), "Records": len(records), "Amount": strings.Join(amounts, ", ")}
		letters = append(letters, letter{kind: kind, to: to.Email, language: to.Language, at: at, words: said, facts: []fact{
			{"usage_records", strconv.Itoa(len(records))},
			{"amount", strings.Join(amounts, ", ")},
			{"usage_states", strings.Join(states, ", ")},
			{"usage_deadline", localTime(first, "")},
		}})
	}
	return letters
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

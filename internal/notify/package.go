package notify

import (
	"strconv"

	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/wallet"
)

// packageBought is the receipt of a package or of its upgrade.
func packageBought(e prepaid.Receipt) []letter {
	l := letter{kind: PackageBought, to: e.Email, language: e.Language, at: e.Charge.At,
		words: map[string]any{"Amount": sum(e.Charge.Total), "Size": packageName(e.Name, e.Language), "From": e.From.String()}}
	if e.Charge.Kind == prepaid.Upgraded {
		l.kind = PackageUpgraded
	}
	l.facts = append(packageFacts(e.UserName, e.Package, e.Name, e.Language), fact{"package_price", sum(e.Charge.Total)})
	paid := wallet.Mix{}
	for _, line := range e.Charge.Lines {
		for _, p := range line.Paid {
			if sum, err := paid[p.Payment].Add(p.Amount); err == nil { // it was added up before
				paid[p.Payment] = sum
			}
		}
	}
	for _, kind := range wallet.Payments() {
		if a := paid[kind]; !a.IsZero() {
			l.facts = append(l.facts, fact{"by_" + string(kind), sum(a)})
		}
	}
	return []letter{l}
}

// packageExpiring says that a package ends soon.
func packageExpiring(e prepaid.Expiring) []letter {
	size := e.Package.Newest().Size
	return []letter{{kind: PackageExpiring, to: e.Email, language: e.Language, at: e.At,
		words: map[string]any{"Size": packageName(size, e.Language), "Last": e.Package.Last.String(), "Days": e.Days},
		facts: packageFacts(e.UserName, e.Package, size, e.Language),
	}}
}

func packageFacts(userName string, p prepaid.Package, size, language string) []fact {
	return []fact{
		{"billing_account", userName},
		{"package", packageName(size, language)},
		{"package_id", p.ID},
		{"site", siteName(p.Site, language)},
		{"package_from", p.First.String()},
		{"package_last", p.Last.String()},
		{"package_workspaces", strconv.Itoa(len(p.Newest().Workspaces))},
	}
}

// packageNames are the names of the sizes that the shipped catalogue has.
var packageNames = map[string]map[string]string{
	"en": {"starter": "Start-up acceleration", "growth": "Business development", "enterprise": "Enterprise standard"},
	"zh": {"starter": "初创加速型", "growth": "业务发展型", "enterprise": "企业标准型"},
}

func packageName(size, language string) string {
	if name, ok := packageNames[spoken(language)][size]; ok {
		return name
	}
	return size
}

package notify

import (
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// link leads from a mail to where its reader acts: the label's key and a path
// of a console. The page is behind the sign-in, which leads back to it; a link
// carries no secret.
type link struct{ label, path string }

// anchor is a link as the layouts take it.
type anchor struct{ Label, URL string }

// The consoles of the readers.
const (
	studio        = "/studio"
	billingCenter = "/billing-center"
	operator      = "/operator"
)

func inWorkspace(id, page string) string { return studio + "/workspaces/" + url.PathEscape(id) + page }

func inBilling(page string) string { return billingCenter + page }

// recharging is the recharge page with the amount that is owed.
func recharging(owed money.Amount) link {
	return link{"recharge", inBilling("/recharge?" + url.Values{"amount": {owed.String()}}.Encode())}
}

// inDebt leads to the recharge first where something is owed.
func inDebt(owed money.Amount, others ...link) []link {
	if owed.Sign() <= 0 {
		return others
	}
	return append([]link{recharging(owed)}, others...)
}

// linked gives the letters of an event their links. Codes have none: they are
// typed where they were asked for. Nor has what is over: a deletion.
func linked(event any, letters []letter) {
	for i := range letters {
		if letters[i].links == nil {
			letters[i].links = linksOf(event)
		}
	}
}

func linksOf(event any) []link {
	switch e := event.(type) {
	case account.Registered:
		if e.Site != "" {
			return []link{{"studio", studio + "/"}}
		}
		return []link{{"billing_center", inBilling("/")}}
	case statement.Issued:
		return inDebt(e.Statement.Owed, link{"statement", inBilling("/statements/" + url.PathEscape(e.Statement.ID))})
	case prepaid.Receipt:
		return []link{{"package", inBilling("/packages/" + url.PathEscape(e.Package.ID))}}
	case prepaid.Expiring:
		return []link{{"package", inBilling("/packages/" + url.PathEscape(e.Package.ID))}}
	case alert.Exceeded:
		return []link{{"bill", inWorkspace(e.WorkspaceID, "/billing/bills/"+e.Day.String())}, {"alerts", inWorkspace(e.WorkspaceID, "/alerts")}}
	case account.CertificationDecided:
		return []link{{"certification", inBilling("/certification")}}
	case invoice.Moved:
		return []link{{"invoice", inBilling("/invoices/" + url.PathEscape(e.Request.ID))}}
	}
	if links := linksOfMoney(event); links != nil {
		return links
	}
	return linksOfPeople(event)
}

func linksOfMoney(event any) []link {
	movements, sources := link{"movements", inBilling("/movements")}, []link{{"wallet", inBilling("/wallet")}}
	switch e := event.(type) {
	case wallet.CashCredited:
		return inDebt(e.Owed, movements)
	case wallet.CashReversed:
		return inDebt(e.Owed, movements)
	case wallet.BalanceAdjusted:
		return inDebt(e.Owed, movements)
	case wallet.SourceIssued, wallet.SourcesExpiring, wallet.SourceLapsed:
		return sources
	case marketplace.UsageLate, marketplace.UsageLost:
		return []link{{"cloud_usage", operator + "/cloud-usage"}}
	}
	return nil
}

func linksOfPeople(event any) []link {
	switch e := event.(type) {
	case workspace.MemberAdded:
		return []link{{"workspace", inWorkspace(e.WorkspaceID, "")}}
	case workspace.Invited:
		return []link{{"sign_up", studio + "/sign-up?" + url.Values{"site": {string(e.Site)}, "email": {e.Email}}.Encode()}}
	case workspace.PromotionAnswered:
		return []link{{"members", inWorkspace(e.WorkspaceID, "/settings")}}
	case workspace.OwnershipOffered:
		return []link{{"offer", inWorkspace(e.WorkspaceID, "/settings")}}
	case workspace.OwnerChanged:
		return []link{{"workspace", inWorkspace(e.WorkspaceID, "/settings")}}
	case account.Secured:
		if e.System == account.StudioSystem {
			return []link{{"account", studio + "/account"}}
		}
		return []link{{"account", inBilling("/account")}}
	case marketplace.Moved:
		return []link{{"workspaces", inBilling("/workspaces")}}
	case rebind.Rebound:
		if e.Owner {
			return []link{{"workspace_billing", inWorkspace(e.WorkspaceID, "/billing")}}
		}
		return []link{{"workspaces", inBilling("/workspaces")}}
	}
	return nil
}

// openedLinks are those of the opening reminder: what was opened for who pays,
// and Billing for the Owner; both for who is both.
func openedLinks(e upgrade.Opened, pays, owns bool) []link {
	var links []link
	if pays {
		links = append(links, link{"opened", inBilling("/workspaces/" + url.PathEscape(e.WorkspaceID) + "/opened")})
	}
	if owns {
		links = append(links, link{"workspace_billing", inWorkspace(e.WorkspaceID, "/billing")})
	}
	return links
}

// stoppedLinks lead the reader of a notice to what ends its cause: the recharge
// of what is owed, or the page on which the workspace is unlocked.
func stoppedLinks(kind Kind, n arrears.Notice, to arrears.Reader) []link {
	first := ""
	if len(to.Workspaces) > 0 {
		first = to.Workspaces[0].ID
	}
	switch over := kind == WorkspaceUnlocked; {
	case over && to.Payer, to.Payer && first == "":
		return []link{{"workspaces", inBilling("/workspaces")}}
	case over:
		return []link{{"workspace", inWorkspace(first, "")}}
	case !to.Payer:
		return []link{{"unlock", inWorkspace(first, "/unlock")}}
	case n.Cause == arrears.Debt:
		return inDebt(n.Owed, link{"standing", inBilling("/workspaces/" + url.PathEscape(first) + "/standing")})
	}
	return []link{{"unlock", inBilling("/workspaces/" + url.PathEscape(first) + "/standing")}}
}

// anchors are the links as absolute addresses; none where the installation's
// own address is not known.
func anchors(base string, links []link, say func(string) string) []anchor {
	base = strings.TrimSuffix(base, "/")
	if base == "" {
		return nil
	}
	var list []anchor
	for _, l := range links {
		list = append(list, anchor{say("link." + l.label), base + l.path})
	}
	return list
}

package notify

import (
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/workspace"
)

// stopped writes to the payer and to the Owners what became of a cause that
// stops workspaces: each reads of those that are theirs.
func stopped(kind Kind, n arrears.Notice, words map[string]any, more ...fact) []letter {
	letters := make([]letter, 0, len(n.Readers))
	for _, to := range n.Readers {
		said := map[string]any{
			"Cause": string(n.Cause), "Payer": to.Payer, "Workspaces": len(to.Workspaces), "Lock": when(n, n.LockAt),
			"Owed": sum(n.Owed), "HoldDays": arrears.HoldDays, "GraceDays": arrears.GraceDays,
		}
		for key, value := range words {
			said[key] = value
		}
		l := letter{kind: kind, to: to.Email, language: to.Language, at: n.At, words: said, links: stoppedLinks(kind, n, to)}
		if n.UserName != "" {
			l.facts = append(l.facts, fact{"billing_account", n.UserName})
		}
		if len(to.Workspaces) > 0 {
			l.facts = append(l.facts, fact{"concerned", names(to.Workspaces)})
		}
		if n.Cause == arrears.Debt && n.Owed.Sign() > 0 {
			l.facts = append(l.facts, fact{"owed", sum(n.Owed)})
		}
		if kind != WorkspaceUnlocked {
			l.facts = append(l.facts, fact{"began", when(n, n.BeganAt)})
		}
		l.facts = append(l.facts, more...)
		letters = append(letters, l)
	}
	return letters
}

// when is an instant of a notice: of a debt as the Billing Center shows it, of
// a subscription as its workspace's site does.
func when(n arrears.Notice, at time.Time) string {
	if n.Cause == arrears.Cloud && len(n.Readers) > 0 && len(n.Readers[0].Workspaces) > 0 {
		return localTime(at, n.Readers[0].Workspaces[0].Site)
	}
	return billingTime(at, n.Owed.Currency())
}

// named is how many workspaces a mail names; the others are a number.
const named = 5

func names(list []arrears.Concerned) string {
	all := make([]string, 0, named+1)
	for i, w := range list {
		if i == named {
			all = append(all, "+"+strconv.Itoa(len(list)-named))
			break
		}
		all = append(all, w.Name)
	}
	return strings.Join(all, ", ")
}

func began(e arrears.Began) []letter {
	return stopped(ArrearsStarted, e.Notice, nil, fact{"lock_at", when(e.Notice, e.LockAt)})
}

func reminded(e arrears.Reminded) []letter {
	return stopped(ArrearsReminder, e.Notice, map[string]any{"Days": e.Days}, fact{"lock_at", when(e.Notice, e.LockAt)})
}

func locked(e arrears.Locked) []letter {
	return stopped(WorkspaceLocked, e.Notice, nil, fact{"locked_at", when(e.Notice, e.At)}, fact{"clear_at", when(e.Notice, e.ClearAt)})
}

func ended(e arrears.Ended) []letter {
	return stopped(WorkspaceUnlocked, e.Notice, map[string]any{"WasLocked": e.WasLocked})
}

func granted(e arrears.Granted) []letter {
	return stopped(TimeGranted, e.Notice, nil, fact{"lock_at", when(e.Notice, e.LockAt)})
}

// gone writes what became of one workspace.
func gone(kind Kind, w arrears.Concerned, readers []arrears.Reader, at time.Time, words map[string]any, more ...fact) []letter {
	letters := make([]letter, 0, len(readers))
	words["Workspace"], words["HoldDays"] = w.Name, arrears.HoldDays
	for _, to := range readers {
		facts := []fact{{"workspace", w.Name}, {"workspace_id", w.ID}, {"site", siteName(w.Site, to.Language)}}
		letters = append(letters, letter{kind: kind, to: to.Email, language: to.Language, at: at, words: words, facts: append(facts, more...)})
	}
	return letters
}

func cleared(e arrears.Cleared) []letter {
	return gone(DataDeleted, e.Workspace, e.Readers, e.At, map[string]any{"Dissolved": e.Reason == workspace.Dissolved},
		fact{"deleted_at", localTime(e.At, e.Workspace.Site)})
}

func dissolved(e arrears.Dissolved) []letter {
	return gone(WorkspaceDissolved, e.Workspace, e.Readers, e.At, map[string]any{},
		fact{"dissolved_at", localTime(e.At, e.Workspace.Site)}, fact{"clear_at", localTime(e.ClearAt, e.Workspace.Site)})
}

package operator

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// short is an ID as a list shows it.
func short(id string) string {
	const most = 14
	if len(id) <= most {
		return id
	}
	return id[:most] + "…"
}

// details writes the particulars of an audit entry in a fixed order.
func details(of map[string]string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(of)) {
		list = append(list, name+": "+of[name])
	}
	return list
}

func methodName(ctx context.Context, m site.Method) string {
	if m == "" {
		return "–"
	}
	return web.Name(ctx, "method", m)
}

func planTone(p workspace.Plan) web.Tone {
	if p == workspace.Commercial {
		return web.Accent
	}
	return web.Plain
}

func stateTone(s workspace.State) web.Tone {
	switch s {
	case workspace.Normal:
		return web.Good
	case workspace.Grace:
		return web.Warn
	case workspace.Locked, workspace.Cleared:
		return web.Bad
	}
	return web.Plain
}

func transferTone(s wallet.TransferState) web.Tone {
	switch s {
	case wallet.Credited:
		return web.Good
	case wallet.Rejected:
		return web.Bad
	case wallet.Proposed:
		return web.Accent
	}
	return web.Warn
}

func dayTone(state string) web.Tone {
	return map[string]web.Tone{"late": web.Bad, "closing": web.Accent, "waiting": web.Good}[state]
}

// people are the Owner and the payer of a workspace.
func people(ctx context.Context, p WorkspaceView) []web.Pair {
	pairs := []web.Pair{{Term: web.T(ctx, "op.workspace.owner"), Text: p.Owner.UserName, Note: p.Owner.Email}}
	if p.Payer.ID == "" {
		return append(pairs, web.Pair{Term: web.T(ctx, "op.col.payer"), Text: "–", Note: web.T(ctx, "op.workspace.no_payer")})
	}
	return append(pairs,
		web.Pair{Term: web.T(ctx, "op.col.payer"), Part: payerLink(p.Payer), Note: p.Payer.Profile.Company + " · " + p.Payer.Email},
		web.Pair{Term: web.T(ctx, "op.col.settlement"), Text: methodName(ctx, p.Workspace.Settlement)},
		web.Pair{Term: web.T(ctx, "op.workspace.upgraded"), Text: web.Moment(p.Workspace.UpgradedAt, p.Zone) + " " + web.Zone(p.Workspace.UpgradedAt, p.Zone)},
	)
}

// untilMidnight is how long the day of a zone still lasts: "7:05".
func untilMidnight(at time.Time, zone *time.Location) string {
	left := period.DayOf(at, zone).End(zone).Sub(at).Round(time.Minute)
	return fmt.Sprintf("%d:%02d", int(left/time.Hour), int(left%time.Hour/time.Minute))
}

// clipped is the beginning of a long text.
func clipped(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func jobID(j store.FailedJob) string { return strconv.FormatInt(j.ID, 10) }

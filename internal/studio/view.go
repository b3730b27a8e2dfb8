package studio

import (
	"context"
	"time"

	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

func stateTone(s workspace.State) web.Tone {
	switch s {
	case workspace.Normal:
		return web.Good
	case workspace.Grace:
		return web.Warn
	}
	return web.Bad
}

func arrearsNote(ctx context.Context, p commercialPage) string {
	if p.Balances.Arrears.IsZero() {
		return web.T(ctx, "studio.billing.no_arrears")
	}
	return web.T(ctx, "studio.billing.recharge")
}

// until is an instant on a page of the settings.
func until(p settingsPage, at time.Time) string {
	return web.Instant(at, p.Place.Site.Zone) + " " + web.Zone(at, p.Place.Site.Zone)
}

func rebindPairs(ctx context.Context, p rebindPage) []web.Pair {
	company := p.Payer.Enterprise.Company
	if company == "" {
		company = web.T(ctx, "studio.rebind.uncertified")
	}
	pairs := []web.Pair{
		{Term: web.T(ctx, "studio.field.workspace"), Text: p.Place.Workspace.Name},
		{Term: web.T(ctx, "studio.rebind.now"), Text: p.Payer.UserName, Mono: true, Note: company},
	}
	if p.Draft.BillingID != "" {
		pairs = append(pairs, web.Pair{Term: web.T(ctx, "studio.rebind.then"), Text: p.Draft.UserName, Mono: true, Note: company})
	}
	return pairs
}

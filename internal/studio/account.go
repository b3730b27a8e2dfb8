package studio

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
)

// openDesk opens the pages of the account itself.
func (c *Console) openDesk() *holder.Desk {
	return holder.Open(holder.Desk{
		Console: c.Console, Store: c.store, System: account.StudioSystem, Prefix: Prefix, SignIn: Prefix + "/sign-in", Now: c.now, Real: c.options.Real,
		Holder:   func(ctx context.Context) account.Person { return personOf(callerOf(ctx)) },
		Frame:    c.accountFrame,
		Zone:     func(ctx context.Context) *time.Location { return zoneOf(callerOf(ctx).Site) },
		Identity: func(ctx context.Context) []web.Pair { return identity(ctx, callerOf(ctx)) },
	})
}

// callerOf is the account that is signed in.
func callerOf(ctx context.Context) account.Studio {
	v, _ := ctx.Value(visitKey{}).(*visit)
	if v == nil {
		return account.Studio{}
	}
	return v.account
}

// accountFrame stands around the pages of the account, which belong to no
// workspace: the navigation leads to its parts and back to the workspaces.
func (c *Console) accountFrame(r *http.Request, title, section string) web.Frame {
	ctx := r.Context()
	f := c.frame(r, title, section)
	if visitOf(r) == nil || section == "" {
		return f
	}
	f.Focused = false
	f.Nav = []web.NavItem{
		{Label: web.T(ctx, "studio.account.back"), Href: Prefix + "/", Icon: "box"},
		{Label: web.T(ctx, "holder.title"), Href: Prefix + "/account", Icon: "user", Current: section == "account"},
		{Label: web.T(ctx, "holder.sessions.title"), Href: Prefix + "/account/sessions", Icon: "clock", Current: section == "sessions"},
	}
	return f
}

// personOf is what the account has in common with those of the Billing Center.
func personOf(a account.Studio) account.Person {
	return account.Person{
		System: account.StudioSystem, ID: a.ID, Site: a.Site, UserName: a.UserName, Email: a.Email, Phone: a.Phone,
		Password: a.Password, Profile: a.Profile, Language: a.Language,
	}
}

func zoneOf(id site.ID) *time.Location {
	s, err := site.Find(id)
	if err != nil {
		return time.UTC
	}
	return s.Zone
}

// identity is what of the account stays as it is.
func identity(ctx context.Context, a account.Studio) []web.Pair {
	zone := zoneOf(a.Site)
	return []web.Pair{
		{Term: web.T(ctx, "studio.field.user_name"), Text: a.UserName},
		{Term: web.T(ctx, "studio.field.site"), Text: web.Name(ctx, "site", a.Site), Note: web.T(ctx, "studio.account.site_note")},
		{Term: web.T(ctx, "studio.account.since"), Text: web.Instant(a.CreatedAt, zone) + " " + web.Zone(a.CreatedAt, zone)},
	}
}

package billingcenter

import (
	"context"
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/holder"
	"tollgate.dev/internal/web"
)

// openDesk opens the pages of the account itself.
func (b *Console) openDesk() *holder.Desk {
	return holder.Open(holder.Desk{
		Console: b.web, Store: b.Store, System: account.BillingSystem, Prefix: Prefix, SignIn: signInPath, Now: b.Now, Real: b.Real,
		Holder: func(ctx context.Context) account.Person { return personOf(payer(ctx)) },
		Frame: func(r *http.Request, title, section string) web.Frame {
			if section != "" {
				section = "account"
			}
			return b.frame(r, title, section)
		},
		Zone:     func(ctx context.Context) *time.Location { return zoneOf(payer(ctx).Currency) },
		Identity: func(ctx context.Context) []web.Pair { return identity(ctx, payer(ctx)) },
		Links: func(ctx context.Context) []web.Action {
			return []web.Action{
				{Label: web.T(ctx, "certification.title"), Href: certificationPath, Icon: "shield"},
				{Label: web.T(ctx, "keys.title"), Href: keysPath, Icon: "key"},
			}
		},
	})
}

// personOf is what the account has in common with those of Studio.
func personOf(a account.Billing) account.Person {
	return account.Person{
		System: account.BillingSystem, ID: a.ID, UserName: a.UserName, Email: a.Email, Phone: a.Phone, Password: a.Password,
		Profile: a.Profile, Language: a.Language,
	}
}

// identity is what of the account stays as it is.
func identity(ctx context.Context, a account.Billing) []web.Pair {
	zone := zoneOf(a.Currency)
	return []web.Pair{
		{Term: web.T(ctx, "bc.field.user_name"), Text: a.UserName, Mono: true, Note: web.T(ctx, "bc.account.user_name_note")},
		{Term: web.T(ctx, "bc.field.currency"), Text: web.T(ctx, "bc.currency."+string(a.Currency)), Note: web.T(ctx, "bc.account.currency_note")},
		{Term: web.T(ctx, "bc.account.since"), Text: web.Instant(a.CreatedAt, zone) + " " + web.Zone(a.CreatedAt, zone)},
	}
}

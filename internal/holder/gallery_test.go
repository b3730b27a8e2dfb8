package holder

import (
	"context"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

var noon = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC)

func frame(ctx context.Context, title string, focused bool) web.Frame {
	f := web.Frame{Title: title, Console: web.T(ctx, "console.studio"), Home: "/studio/", Focused: focused}
	if !focused {
		f.Person = &web.Person{Name: "mei", Detail: "mei@acme.example", SignOut: "/studio/sign-out"}
		f.Nav = []web.NavItem{{Label: web.T(ctx, "holder.title"), Href: "/studio/account", Icon: "user", Current: true}}
	}
	return f
}

func refused(form *web.Form, errs ...error) *web.Form {
	for _, err := range errs {
		form.Refused(err)
	}
	return form
}

func TestGallery(t *testing.T) {
	t.Parallel()
	mei := account.Person{System: account.StudioSystem, UserName: "mei", Email: "mei@acme.example", Phone: "", Language: "en", Profile: account.Profile{Company: "Acme"}}
	type page = func(ctx context.Context) templ.Component
	forgot := func(s account.System, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			return ForgotView(ForgotPage{Frame: frame(ctx, "Forgotten", true), Prefix: "/studio", SignIn: "/studio/sign-in", System: s, Form: form})
		}
	}
	reset := func(form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			return ResetView(ResetPage{Frame: frame(ctx, "Reset", true), Prefix: "/studio", Form: form, Email: mei.Email})
		}
	}
	contact := func(k account.ContactKind, step int, value string, form *web.Form) page {
		return func(ctx context.Context) templ.Component {
			return ContactView(ContactPage{Frame: frame(ctx, "Change", false), Prefix: "/studio", Form: form, Kind: k, Holder: mei, Step: step, New: value, BegunAt: noon, Zone: time.UTC})
		}
	}
	sessions := []account.SignIn{
		{ID: "sess_1", Channel: account.Browser, From: "192.0.2.7", BegunAt: noon.Add(-time.Hour), SeenAt: noon, Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		{ID: "sess_2", Channel: account.Browser, From: "2001:db8::7", Via: "acnt_1", BegunAt: noon.Add(-9 * time.Hour), SeenAt: noon.Add(-8 * time.Hour), Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1"},
		{ID: "sess_3", Channel: account.Program, From: "198.51.100.20", BegunAt: noon.Add(-2 * time.Hour), SeenAt: noon.Add(-time.Minute), Agent: "curl/8.5.0"},
		{ID: "sess_4", Channel: account.Browser, From: "198.51.100.21", BegunAt: noon.Add(-2 * time.Hour), SeenAt: noon.Add(-time.Hour), Agent: ""},
	}
	shown := func(list []account.SignIn) page {
		return func(ctx context.Context) templ.Component {
			return SessionsView(SessionsPage{Frame: frame(ctx, "Sessions", false), Prefix: "/studio", This: "sess_1", List: list, Zone: time.UTC, Now: noon})
		}
	}
	var states []gallery.State
	for name, p := range map[string]page{
		"forgot":               forgot(account.StudioSystem, web.Blank()),
		"forgot-billing":       forgot(account.BillingSystem, refused(web.Blank("email", "mei@"), account.ErrEmailForm.On("email"))),
		"forgot-too-often":     forgot(account.StudioSystem, refused(web.Blank("email", mei.Email), account.ErrCodeOften)),
		"reset":                reset(web.Blank()),
		"reset-wrong":          reset(refused(web.Blank(), account.ErrCodeWrong.On("code").With("left", 3), account.ErrPasswordForm.On("password"))),
		"reset-tries":          reset(refused(web.Blank(), account.ErrCodeTries.On("code"))),
		"email-begin":          contact(account.EmailContact, 1, "", web.Blank()),
		"email-same":           contact(account.EmailContact, 1, "", refused(web.Blank("email", mei.Email), account.ErrContactSame.On("email"))),
		"email-present":        contact(account.EmailContact, 2, "new@acme.example", web.Blank()),
		"email-present-wrong":  contact(account.EmailContact, 2, "new@acme.example", refused(web.Blank(), account.ErrCodeWrong.On("code").With("left", 4))),
		"email-new":            contact(account.EmailContact, 3, "new@acme.example", web.Blank()),
		"email-new-taken":      contact(account.EmailContact, 3, "new@acme.example", refused(web.Blank(), account.ErrEmailTaken.On("code"))),
		"phone-begin":          contact(account.PhoneContact, 1, "", refused(web.Blank("phone", "12"), account.ErrPhoneForm.On("phone"))),
		"phone-present":        contact(account.PhoneContact, 2, "+8613800000000", web.Blank()),
		"phone-present-remove": contact(account.PhoneContact, 2, "", web.Blank()),
		"sessions":             shown(sessions),
		"sessions-one":         shown(sessions[:1]),
	} {
		states = append(states, gallery.State{Name: "holder/" + name, Page: p})
	}
	gallery.Check(t, states)
}

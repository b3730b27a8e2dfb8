package gallery

import (
	"context"
	"net/http"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/web"
)

func TestGallery(t *testing.T) {
	t.Parallel()
	Check(t, []State{
		{Name: "web/parts", Page: func(context.Context) templ.Component { return specimen(exampleFrame(), exampleForm()) }},
		{Name: "web/problem", Page: func(ctx context.Context) templ.Component {
			return web.ProblemPage(exampleFrame(), web.Problem{
				Status: http.StatusForbidden, Code: "owner_only", Kind: "forbidden", Reference: "k3v9x0q2ab", Back: "/studio/",
				Sentence: web.Sentence(ctx, account.ErrDisabled),
			})
		}},
		{Name: "web/problem-part", Fragment: true, Page: func(ctx context.Context) templ.Component {
			return web.ProblemPart(web.Problem{Status: http.StatusInternalServerError, Kind: "internal", Reference: "k3v9x0q2ab", Sentence: "x"})
		}},
	})
}

func exampleForm() *web.Form {
	form := web.Blank("email", "nobody", "site", "us1")
	form.Refused(account.ErrEmailForm.On("email"))
	form.Refused(account.ErrAgreement.On("agree"))
	return form
}

func exampleFrame() web.Frame {
	return web.Frame{
		Title: "Parts", Console: "Studio", Home: "/studio/",
		Nav: []web.NavItem{
			{Label: "Get started", Href: "#main", Icon: "rocket"},
			{Label: "Explorer", Href: "#main", Icon: "search"},
			{Label: "Billing", Href: "#main", Icon: "receipt", Current: true, Badge: "85 %", Tone: web.Warn},
			{Label: "Settings", Href: "#main", Icon: "settings"},
		},
		Switcher: &web.Switcher{Name: "shop", Note: "Experience", NewHref: "#main", Items: []web.NavItem{
			{Label: "shop", Href: "#main", Current: true, Badge: "Experience"}, {Label: "payments", Href: "#main", Badge: "Commercial"},
		}},
		Person:  &web.Person{Name: "olivia", Detail: "Owner", SignOut: "/studio/sign-out"},
		Notices: []web.Notice{{Tone: web.Good, Text: "The member was added."}},
	}
}

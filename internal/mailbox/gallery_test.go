package mailbox

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/a-h/templ"

	"tollgate.dev/internal/web/gallery"
)

func TestGallery(t *testing.T) {
	t.Parallel()
	m := filled(t)
	list := func(address string) func(context.Context) templ.Component {
		return func(ctx context.Context) templ.Component {
			r := httptest.NewRequest("GET", refreshPath(address), nil).WithContext(ctx)
			return listView(listPage{Frame: m.frame(r), Address: address, Messages: m.Messages(address), Now: at})
		}
	}
	one := func(id string) func(context.Context) templ.Component {
		return func(ctx context.Context) templ.Component {
			message, _ := m.Message(id)
			r := httptest.NewRequest("GET", "/mailbox/"+id, nil).WithContext(ctx)
			return messageView(messagePage{Frame: m.frame(r), Message: message, Now: at})
		}
	}
	empty := func(ctx context.Context) templ.Component {
		r := httptest.NewRequest("GET", "/mailbox", nil).WithContext(ctx)
		return listView(listPage{Frame: New(Config{}).frame(r), Now: at})
	}
	gallery.Check(t, []gallery.State{
		{Name: "mailbox/all", Page: list("")},
		{Name: "mailbox/one-address", Page: list(mei)},
		{Name: "mailbox/unknown-address", Page: list("nobody@example.com")},
		{Name: "mailbox/empty", Page: empty},
		{Name: "mailbox/code", Page: one("1")},
		{Name: "mailbox/text-only", Page: one("2")},
	})
}

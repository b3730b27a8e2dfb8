package mailbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/alexedwards/scs/v2/memstore"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/web"
)

// ErrUnknown is a message that is not, or no longer, here.
var ErrUnknown = fault.New(fault.NotFound, "mail_unknown", "This mail is not here any more. The mailbox keeps the latest ones only.")

// longestAddress bounds the filter (RFC 5321 section 4.5.3.1.3).
const longestAddress = 256

// listPage is the list of messages, of all addresses or of one.
type listPage struct {
	Frame    web.Frame
	Address  string
	Messages []Message
	Now      time.Time
}

// messagePage is one message.
type messagePage struct {
	Frame   web.Frame
	Message Message
	Now     time.Time
}

// Handler serves the pages: /mailbox, /mailbox/{id}, and /mailbox.json for
// programs. Nobody needs to sign in: it is for one machine.
func (m *Mailbox) Handler() http.Handler {
	console := web.NewConsole(web.Options{
		Name: "mailbox", Prefix: "/mailbox", SignIn: "/mailbox", Cookie: "tollgate_mailbox",
		Sessions: memstore.NewWithCleanupInterval(0), Log: m.config.Logger, Now: m.config.Now,
		Guard: func(r *http.Request, _ web.Need) (*http.Request, error) { return r, nil },
		Frame: m.frame,
	})
	console.Serve(
		web.Route{Method: http.MethodGet, Pattern: "/mailbox", Needs: web.Public, Handler: m.list},
		web.Route{Method: http.MethodGet, Pattern: "/mailbox.json", Needs: web.Public, Handler: m.document},
		web.Route{Method: http.MethodGet, Pattern: "/mailbox/{id}", Needs: web.Public, Handler: m.one},
		web.Route{Method: http.MethodGet, Pattern: "/mailbox/{id}/html", Needs: web.Public, Handler: m.html},
	)
	return console.Handler()
}

func (m *Mailbox) frame(r *http.Request) web.Frame {
	f := web.Frame{
		Title:   web.T(r.Context(), "mailbox.title"),
		Console: web.T(r.Context(), "mailbox.console"),
		Home:    "/",
	}
	f.Nav = []web.NavItem{{Label: web.T(r.Context(), "mailbox.all"), Href: "/mailbox", Icon: "mail", Current: r.URL.Path == "/mailbox" && r.URL.Query().Get("to") == ""}}
	for _, address := range m.addresses() {
		f.Nav = append(f.Nav, web.NavItem{Label: address, Href: listPath(address), Icon: "user", Current: r.URL.Path == "/mailbox" && r.URL.Query().Get("to") == address})
	}
	return f
}

// shownAddresses bounds the navigation.
const shownAddresses = 12

// addresses are those that got mail last.
func (m *Mailbox) addresses() []string {
	var list []string
	seen := map[string]bool{}
	for _, message := range m.Messages("") {
		for _, to := range message.To {
			if !seen[to] && len(list) < shownAddresses {
				seen[to] = true
				list = append(list, to)
			}
		}
	}
	return list
}

func listPath(address string) string {
	return "/mailbox?" + url.Values{"to": {address}}.Encode()
}

func filter(r *http.Request) string {
	address := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("to")))
	if len(address) > longestAddress {
		return address[:longestAddress]
	}
	return address
}

func (m *Mailbox) list(w http.ResponseWriter, r *http.Request) error {
	to := filter(r)
	page := listPage{Frame: m.frame(r), Address: to, Messages: m.Messages(to), Now: m.config.Now()}
	return web.Render(w, r, http.StatusOK, listView(page))
}

func (m *Mailbox) one(w http.ResponseWriter, r *http.Request) error {
	message, ok := m.Message(r.PathValue("id"))
	if !ok {
		return ErrUnknown
	}
	page := messagePage{Frame: m.frame(r), Message: message, Now: m.config.Now()}
	page.Frame.Title = message.Subject
	return web.Render(w, r, http.StatusOK, messageView(page))
}

// htmlPolicy lets a mail show its own style and nothing else: no script, no
// form, no address outside but a link that somebody clicks, which opens a window
// of its own. The sandbox gives it an origin of its own.
const htmlPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

func (m *Mailbox) html(w http.ResponseWriter, r *http.Request) error {
	message, ok := m.Message(r.PathValue("id"))
	if !ok || message.HTML == "" {
		return ErrUnknown
	}
	w.Header().Set("Content-Security-Policy", htmlPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if _, err := w.Write([]byte(message.HTML)); err != nil {
		return fmt.Errorf("writing a mail: %w", err)
	}
	return nil
}

// document is what tests and scripts read: the messages, newest first.
func (m *Mailbox) document(w http.ResponseWriter, r *http.Request) error {
	list := m.Messages(filter(r))
	if list == nil {
		list = []Message{}
	}
	body, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the mailbox: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(append(body, '\n')); err != nil {
		return fmt.Errorf("writing the mailbox: %w", err)
	}
	return nil
}

func pairsOf(message Message, labels ...string) []web.Pair {
	return []web.Pair{
		{Term: labels[0], Text: strings.Join(message.To, ", ")},
		{Term: labels[1], Text: message.From},
		{Term: labels[2], Text: web.Moment(message.Received, time.UTC), Note: web.Zone(message.Received, time.UTC)},
		{Term: labels[3], Text: message.MessageID, Mono: true},
	}
}

func htmlPath(message Message) templ.SafeURL {
	return templ.SafeURL("/mailbox/" + message.ID + "/html")
}

func subject(message Message, otherwise string) string {
	if strings.TrimSpace(message.Subject) == "" {
		return otherwise
	}
	return message.Subject
}

func refreshPath(address string) string {
	if address == "" {
		return "/mailbox"
	}
	return listPath(address)
}

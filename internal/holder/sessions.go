package holder

import (
	"context"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// mostSessions bounds the list.
const mostSessions = 100

// SessionsPage lists where the account is signed in.
type SessionsPage struct {
	Frame  web.Frame
	Prefix string
	This   string
	List   []account.SignIn
	Zone   *time.Location
	Now    time.Time
}

func (d *Desk) sessionsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := SessionsPage{
		Frame: d.Frame(r, web.T(ctx, "holder.sessions.title"), "sessions"), Prefix: d.Prefix, Zone: d.Zone(ctx), Now: d.Now(),
		This: d.Console.Kept(ctx, keptSignIn),
	}
	err := d.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.List, err = tx.SignIns(ctx, d.System, d.Holder(ctx).ID, d.Real(), mostSessions)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, SessionsView(page))
}

// endSession ends a session; ending this one is signing out.
func (d *Desk) endSession(w http.ResponseWriter, r *http.Request) error {
	ctx, signIn := r.Context(), r.PathValue("session")
	err := d.Store.Write(ctx, func(tx *store.Tx) error { return account.End(ctx, tx, d.who(r), signIn, d.Now()) })
	if err != nil {
		return err
	}
	if signIn == d.Console.Kept(ctx, keptSignIn) {
		if err := d.Console.Leave(ctx); err != nil {
			return err
		}
		return web.SeeOther(w, r, d.SignIn)
	}
	d.say(ctx, "holder.said.session")
	return web.SeeOther(w, r, d.Prefix+"/account/sessions")
}

func (d *Desk) endOthers(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := d.Store.Write(ctx, func(tx *store.Tx) error {
		return account.EndOthers(ctx, tx, d.who(r), d.Console.Kept(ctx, keptSignIn), d.Now())
	})
	if err != nil {
		return err
	}
	d.say(ctx, "holder.said.sessions")
	return web.SeeOther(w, r, d.Prefix+"/account/sessions")
}

// What a browser calls itself, and what people call it. The order matters:
// each one claims to be those below it too.
var (
	browsers = []struct{ mark, name string }{
		{"Edg/", "Microsoft Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client", "Go"}, {"python-", "Python"},
	}
	systems = []struct{ mark, name string }{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"},
	}
)

// device is what a sign-in was made with, in few words.
func device(ctx context.Context, s account.SignIn) string {
	var browser, system string
	for _, b := range browsers {
		if strings.Contains(s.Agent, b.mark) {
			browser = b.name
			break
		}
	}
	for _, o := range systems {
		if strings.Contains(s.Agent, o.mark) {
			system = o.name
			break
		}
	}
	switch {
	case browser != "" && system != "":
		return web.T(ctx, "holder.sessions.on", "browser", browser, "system", system)
	case browser != "":
		return browser
	case system != "":
		return system
	}
	return web.T(ctx, "holder.sessions.unknown")
}

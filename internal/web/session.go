package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
)

// The keys of a session.
const (
	keyAccount = "account"
	keyFlash   = "flash"
	keyStamp   = "stamp"
)

type sessionKey struct{}

// begun marks that the session has been loaded: an error page may be needed
// before that, and then there is nobody signed in and nothing to say.
func begun(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), sessionKey{}, true)))
	})
}

func loaded(ctx context.Context) bool { return ctx.Value(sessionKey{}) != nil }

// Enter signs an account in. The session gets a new name, so that one that
// was known before is worth nothing (session fixation).
func (c *Console) Enter(ctx context.Context, accountID string) error {
	if err := c.sessions.RenewToken(ctx); err != nil {
		return err
	}
	c.sessions.Put(ctx, keyAccount, accountID)
	return nil
}

// EnterWith signs an account in for as long as its password stays the same.
func (c *Console) EnterWith(ctx context.Context, accountID, passwordHash string) error {
	if err := c.Enter(ctx, accountID); err != nil {
		return err
	}
	c.Keep(ctx, keyStamp, stamp(accountID, passwordHash))
	return nil
}

// Stale reports whether the password has changed since the account signed in.
func (c *Console) Stale(ctx context.Context, accountID, passwordHash string) bool {
	return c.Kept(ctx, keyStamp) != stamp(accountID, passwordHash)
}

// stamp ties a session to the password that opened it.
func stamp(accountID, passwordHash string) string {
	sum := sha256.Sum256([]byte(accountID + "\n" + passwordHash))
	return hex.EncodeToString(sum[:8])
}

// Leave signs out and forgets the session.
func (c *Console) Leave(ctx context.Context) error { return c.sessions.Destroy(ctx) }

// Account is who is signed in, or nobody.
func (c *Console) Account(ctx context.Context) string {
	if !loaded(ctx) {
		return ""
	}
	return c.sessions.GetString(ctx, keyAccount)
}

// Keep remembers a small value for this session.
func (c *Console) Keep(ctx context.Context, key, value string) {
	c.sessions.Put(ctx, "kept."+key, value)
}

// Kept is a value of this session, or empty.
func (c *Console) Kept(ctx context.Context, key string) string {
	return c.sessions.GetString(ctx, "kept."+key)
}

// Forget removes a value of this session.
func (c *Console) Forget(ctx context.Context, key string) { c.sessions.Remove(ctx, "kept."+key) }

// Say shows a sentence on top of the next page.
func (c *Console) Say(ctx context.Context, tone Tone, text string) {
	list := append(c.pending(ctx), Notice{Tone: tone, Text: text})
	body, err := json.Marshal(list)
	if err != nil {
		panic("web: a notice of strings must encode: " + err.Error())
	}
	c.sessions.Put(ctx, keyFlash, string(body))
}

// Said takes the sentences that wait for this page.
func (c *Console) Said(ctx context.Context) []Notice {
	list := c.pending(ctx)
	if len(list) > 0 {
		c.sessions.Remove(ctx, keyFlash)
	}
	return list
}

func (c *Console) pending(ctx context.Context) []Notice {
	var list []Notice
	if !loaded(ctx) {
		return nil
	}
	if text := c.sessions.GetString(ctx, keyFlash); text != "" {
		_ = json.Unmarshal([]byte(text), &list) // an unreadable notice is none
	}
	return list
}

// toSignIn leads somebody who is not signed in to the sign-in page, and from
// there back: to this page, or for a form to the page that it was on.
func (c *Console) toSignIn(w http.ResponseWriter, r *http.Request) {
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		back = ""
		if u, err := url.Parse(r.Referer()); err == nil && u.Path != "" {
			back = u.RequestURI()
		}
	}
	path := c.SignIn
	if back != "" && back != c.Prefix && back != c.Prefix+"/" {
		path += "?return=" + url.QueryEscape(back)
	}
	_ = SeeOther(w, r, path)
}

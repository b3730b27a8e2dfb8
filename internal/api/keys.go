package api

import (
	"net/http"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// KeyHeader is where a key may stand in place of Authorization, and keyScheme
// what the OpenAPI document calls that.
const (
	KeyHeader = "DF-API-KEY"
	keyScheme = "api_key_header"
)

// mostKeysListed bounds a list of keys, revoked ones among them.
const mostKeysListed = 200

func (s *server) keys() []route {
	const in, of = "/workspaces/{workspace_id}/api-keys", "/billing-center/api-keys"
	const may = workspace.ManageKeys
	return []route{
		reads(line(get, in, Studio, may, "list-api-keys", "The workspace's API keys"), listKeys),
		writes(line(post, in, Studio, may, "make-api-key", "Make an API key that reads; its secret is shown once"), created, makeKey),
		removes(line(remove, in+"/{key_id}", Studio, may, "revoke-api-key", "Revoke an API key"), revokeKey),
		reads(line(get, of, BillingCenter, "", "list-account-api-keys", "The account's API keys"), listOwnKeys),
		writes(line(post, of, BillingCenter, "", "make-account-api-key", "Make an API key that reads; its secret is shown once"), created, makeOwnKey),
		removes(line(remove, of+"/{key_id}", BillingCenter, "", "revoke-account-api-key", "Revoke an API key"), revokeOwnKey),
	}
}

// admitKey says what a key may read, if it may. A workspace's key never may
// more than the person who made it may now; an account's key reads everything
// that the account pays for.
func (s *server) admitKey(r *http.Request, to Route, who *caller) error {
	secret, err := shownKey(r)
	if err != nil {
		return err
	}
	err = s.Store.Read(r.Context(), func(tx *store.Tx) (err error) {
		if who.Key, err = tx.KeyByHash(r.Context(), account.KeyHash(secret)); err != nil {
			return err
		}
		switch who.Key.Holder.Scope {
		case account.AccountKeys:
			return who.pays(r, tx)
		case account.WorkspaceKeys:
			if to.Console == AccountReader {
				return account.ErrKeyInvalid
			}
			return who.reads(r, tx, to.Action)
		}
		return account.ErrKeyInvalid
	})
	if err != nil {
		return err
	}
	s.used(r, who.Key)
	return nil
}

// shownKey is the secret that a program shows.
func shownKey(r *http.Request) (string, error) {
	secret, ok := bearer(r)
	if !ok {
		secret = r.Header.Get(KeyHeader)
	}
	if !id.Valid(id.APIKey, secret) {
		return "", account.ErrKeyInvalid
	}
	return secret, nil
}

// pays finds the Billing Center account of a key.
func (w *caller) pays(r *http.Request, tx *store.Tx) (err error) {
	w.AccountID = w.Key.Holder.ID
	w.Billing, err = tx.BillingByID(r.Context(), w.AccountID)
	switch {
	case isFault(err, account.ErrUnknown):
		return account.ErrKeyInvalid
	case err == nil && w.Billing.Disabled:
		return account.ErrDisabled
	}
	return err
}

// reads finds the workspace of a key, and what the key's maker may there.
func (w *caller) reads(r *http.Request, tx *store.Tx, action workspace.Action) (err error) {
	w.AccountID = w.Key.MadeBy
	if w.Workspace, err = tx.Workspace(r.Context(), w.Key.Holder.ID); err != nil {
		return err
	}
	if err := openTo(r, tx, w.Workspace, action); err != nil {
		return err
	}
	w.Role, err = workspace.KeyRole(r.Context(), tx, w.Key)
	if err != nil {
		return err
	}
	return w.Role.Require(action)
}

// used keeps the day of a key's use. A key that was used today needs no write;
// a write that fails does not keep anybody from reading.
func (s *server) used(r *http.Request, k account.Key) {
	today := period.DayOf(s.Now(), time.UTC)
	if !k.UsedOn.Before(today) {
		return
	}
	if err := s.Store.Write(r.Context(), func(tx *store.Tx) error { return tx.UseKey(r.Context(), k.ID, today) }); err != nil {
		s.Log.WarnContext(r.Context(), "the use of a key was not noted", "key", k.ID, "err", err)
	}
}

// APIKey is a key that reads. The secret is not part of it.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	MadeBy    string     `json:"made_by" doc:"The account that made it."`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at,omitempty" doc:"Missing while it works."`
	UsedOn    string     `json:"used_on,omitempty" format:"date" doc:"The last UTC day that it was used on."`
}

// MadeKey is a new key with its secret.
type MadeKey struct {
	APIKey
	Secret string `json:"secret" doc:"Send it as Authorization: Bearer, or as DF-API-KEY. It is not shown again."`
}

func keyOf(k account.Key) APIKey {
	shown := APIKey{ID: k.ID, Name: k.Name, MadeBy: k.MadeBy, CreatedAt: k.CreatedAt.UTC()}
	if k.Revoked() {
		at := k.RevokedAt.UTC()
		shown.RevokedAt = &at
	}
	if !k.UsedOn.IsZero() {
		shown.UsedOn = k.UsedOn.String()
	}
	return shown
}

// keyName is what a new key is asked for with.
type keyName struct {
	Name string `json:"name" doc:"At most 64 characters; keys that work have names of their own." example:"finance export"`
}

func (c *call) keysOf(h account.KeyHolder, p Paged) (*Page[APIKey], error) {
	all, err := c.tx.Keys(c, h, mostKeysListed)
	if err != nil {
		return nil, err
	}
	return pageOf(p, "api_keys", all, func(k account.Key) string { return k.ID }, keyOf)
}

func listKeys(c *call, in *Listing) (*Page[APIKey], error) {
	return c.keysOf(workspace.KeyHolder(in.WorkspaceID), in.Paged)
}

// keyWanted asks for a key of a workspace.
type keyWanted struct {
	Inside
	Body keyName
}

// makeKey takes no idempotency key: an answer that can be repeated would have
// to be kept, and with it the secret. A key's name is its own, so that a
// repeated call is refused.
func makeKey(c *call, in *keyWanted) (*MadeKey, error) {
	k, secret, err := workspace.MakeKey(c, c.tx, in.WorkspaceID, in.Body.Name, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return &MadeKey{keyOf(k), secret}, nil
}

// keyIn names a key of a workspace.
type keyIn struct {
	Inside
	KeyID string `path:"key_id" maxLength:"64"`
}

func revokeKey(c *call, in *keyIn) error {
	return workspace.RevokeKey(c, c.tx, in.WorkspaceID, in.KeyID, c.actor(), c.at)
}

// ownKeys is the account as a holder of keys.
func (c *call) ownKeys() account.KeyHolder {
	return account.KeyHolder{Scope: account.AccountKeys, ID: c.AccountID}
}

func listOwnKeys(c *call, in *struct{ Paged }) (*Page[APIKey], error) {
	return c.keysOf(c.ownKeys(), in.Paged)
}

func makeOwnKey(c *call, in *struct{ Body keyName }) (*MadeKey, error) {
	draft := account.KeyDraft{Holder: c.ownKeys(), Name: in.Body.Name, MadeBy: c.AccountID, Address: c.Address}
	k, secret, err := account.MakeKey(c, c.tx, draft, c.at)
	if err != nil {
		return nil, err
	}
	return &MadeKey{keyOf(k), secret}, nil
}

func revokeOwnKey(c *call, in *struct {
	KeyID string `path:"key_id" maxLength:"64"`
}) error {
	return account.RevokeKey(c, c.tx, c.ownKeys(), in.KeyID, c.AccountID, c.Address, c.at)
}

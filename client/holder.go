package client

import (
	"context"
	"net/http"
	"time"
)

// Done is the answer of a call that has nothing else to say.
type Done struct {
	Done bool `json:"done"`
}

// Holder is what of an account its holder may change.
type Holder struct {
	ID       string  `json:"id"`
	UserName string  `json:"user_name"`
	Email    string  `json:"email"`
	Phone    string  `json:"phone,omitempty"`
	Language string  `json:"language"`
	Profile  Profile `json:"profile"`
}

// HolderChange is what is to be changed; what is nil stays.
type HolderChange struct {
	Profile  *Profile `json:"profile,omitempty"`
	Language *string  `json:"language,omitempty"`
}

// ContactChange is a change of address or phone under way.
type ContactChange struct {
	Kind   string `json:"kind"`
	New    string `json:"new"`
	Proved bool   `json:"present_proved"`
}

// SignIn is a place where the account is signed in.
type SignIn struct {
	ID      string    `json:"id"`
	Channel string    `json:"channel"`
	Agent   string    `json:"agent,omitempty"`
	Address string    `json:"address"`
	BeganAt time.Time `json:"began_at"`
	SeenAt  time.Time `json:"seen_at"`
	This    bool      `json:"this"`
}

// ForgottenPassword names the account; a Studio account by its site too.
type ForgottenPassword struct {
	Site  string `json:"site,omitempty"`
	Email string `json:"email"`
}

// AskPasswordReset has a code mailed. It answers the same for an address
// without an account.
func (c *Client) AskPasswordReset(ctx context.Context, of System, f ForgottenPassword) error {
	return c.anybody().do(ctx, request{method: http.MethodPost, path: path(string(of), "password-resets"), body: f}, nil)
}

// ResetPassword sets a new password with the mailed code; all sessions end.
func (c *Client) ResetPassword(ctx context.Context, of System, f ForgottenPassword, code, password string) error {
	body := struct {
		ForgottenPassword
		Code     string `json:"code"`
		Password string `json:"password"`
	}{f, code, password}
	return c.anybody().do(ctx, request{method: http.MethodPost, path: path(string(of), "password-resets", "completion"), body: body}, nil)
}

// Own is what the holder of an account does with it.
type Own struct {
	door
	of System
}

// Own is the account that is signed in.
func (s *Studio) Own() Own { return Own{s.door, StudioSystem} }

// Own is the account that is signed in.
func (b *BillingCenter) Own() Own { return Own{b.door, BillingSystem} }

func (o Own) path(parts ...string) string { return path(append([]string{string(o.of)}, parts...)...) }

// Change changes profile or language.
func (o Own) Change(ctx context.Context, what HolderChange) (Holder, error) {
	return ask[Holder](ctx, o.door, request{method: http.MethodPatch, path: o.path("account"), body: what})
}

// ChangePassword ends all other sessions.
func (o Own) ChangePassword(ctx context.Context, present, password string) error {
	body := map[string]string{"present_password": present, "password": password}
	return o.do(ctx, request{method: http.MethodPut, path: o.path("account", "password"), body: body}, nil)
}

// BeginEmail begins to change the address: a code goes to the present one.
func (o Own) BeginEmail(ctx context.Context, to string) (ContactChange, error) {
	return ask[ContactChange](ctx, o.door, request{method: http.MethodPost, path: o.path("account", "email"), body: map[string]string{"new": to}})
}

// ProvePresentEmail enters that code: one goes to the new address.
func (o Own) ProvePresentEmail(ctx context.Context, code string) (ContactChange, error) {
	return ask[ContactChange](ctx, o.door, request{method: http.MethodPost, path: o.path("account", "email", "present-proof"), body: map[string]string{"code": code}})
}

// ProveNewEmail enters the second code: the address is the account's.
func (o Own) ProveNewEmail(ctx context.Context, code string) (Holder, error) {
	return ask[Holder](ctx, o.door, request{method: http.MethodPost, path: o.path("account", "email", "new-proof"), body: map[string]string{"code": code}})
}

// BeginPhone begins to change the phone: a code goes to the address.
func (o Own) BeginPhone(ctx context.Context, to string) (ContactChange, error) {
	return ask[ContactChange](ctx, o.door, request{method: http.MethodPost, path: o.path("account", "phone"), body: map[string]string{"new": to}})
}

// ProvePhone enters that code: the phone is the account's.
func (o Own) ProvePhone(ctx context.Context, code string) (ContactChange, error) {
	return ask[ContactChange](ctx, o.door, request{method: http.MethodPost, path: o.path("account", "phone", "proof"), body: map[string]string{"code": code}})
}

// SignIns lists where the account is signed in, the last seen first.
func (o Own) SignIns(ctx context.Context, p Page) (List[SignIn], error) {
	return ask[List[SignIn]](ctx, o.door, request{method: http.MethodGet, path: o.path("sessions"), query: p.query()})
}

// EndSignIn ends one of them.
func (o Own) EndSignIn(ctx context.Context, id string) error {
	return o.do(ctx, request{method: http.MethodDelete, path: o.path("sessions", id)}, nil)
}

// EndOtherSignIns ends all but this one.
func (o Own) EndOtherSignIns(ctx context.Context) error {
	return o.do(ctx, request{method: http.MethodPost, path: o.path("sessions", "end-others")}, nil)
}

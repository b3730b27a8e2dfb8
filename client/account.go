package client

import (
	"context"
	"net/http"
	"time"
)

// Registration is an account in the making. Keep its ID to yourself.
type Registration struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Verified  bool      `json:"verified"`
	ExpiresAt time.Time `json:"expires_at"`
}

// StudioBasics begins a Studio account.
type StudioBasics struct {
	Site     string `json:"site"`
	UserName string `json:"user_name"`
	Email    string `json:"email"`
	Phone    string `json:"phone,omitempty"`
	Password string `json:"password"`
	Language string `json:"language"`
}

// BillingBasics begins a Billing Center account. Its user name is unique and
// never changes.
type BillingBasics struct {
	Currency string `json:"currency"`
	UserName string `json:"user_name"`
	Email    string `json:"email"`
	Phone    string `json:"phone,omitempty"`
	Password string `json:"password"`
	Language string `json:"language"`
}

// Profile is the company behind an account. The company's name is required.
type Profile struct {
	Company      string `json:"company"`
	Industry     string `json:"industry,omitempty"`
	Region       string `json:"region,omitempty"`
	Introduction string `json:"introduction,omitempty"`
	Contact      string `json:"contact,omitempty"`
}

// completion is the last step of a registration.
type completion struct {
	Profile
	Agreed bool `json:"agreed"`
}

// StudioAccount is a login to one site.
type StudioAccount struct {
	ID        string    `json:"id"`
	Site      string    `json:"site"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone"`
	Language  string    `json:"language"`
	Profile   Profile   `json:"profile"`
	CreatedAt time.Time `json:"created_at"`
}

// BillingAccount is a login to the Billing Center, and the payer.
type BillingAccount struct {
	ID        string    `json:"id"`
	UserName  string    `json:"user_name"`
	Email     string    `json:"email"`
	Phone     string    `json:"phone"`
	Currency  string    `json:"currency"`
	Language  string    `json:"language"`
	Profile   Profile   `json:"profile"`
	CreatedAt time.Time `json:"created_at"`
}

// Site is where a team may register.
type Site struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Operator string `json:"operator"`
	Currency string `json:"currency"`
	Zone     string `json:"zone"`
}

// System is one of the two account systems that a person registers with.
type System string

// The systems.
const (
	StudioSystem  System = "studio"
	BillingSystem System = "billing-center"
)

// Sites lists where a team may register.
func (c *Client) Sites(ctx context.Context) (List[Site], error) {
	return ask[List[Site]](ctx, c.anybody(), request{method: http.MethodGet, path: "/sites"})
}

// BeginStudio begins a Studio account; a code is mailed.
func (c *Client) BeginStudio(ctx context.Context, b StudioBasics) (Registration, error) {
	return ask[Registration](ctx, c.anybody(), request{method: http.MethodPost, path: path(string(StudioSystem), "registrations"), body: b})
}

// BeginBilling begins a Billing Center account; a code is mailed.
func (c *Client) BeginBilling(ctx context.Context, b BillingBasics) (Registration, error) {
	return ask[Registration](ctx, c.anybody(), request{method: http.MethodPost, path: path(string(BillingSystem), "registrations"), body: b})
}

// ResendCode has another code mailed.
func (c *Client) ResendCode(ctx context.Context, of System, registration string) (Registration, error) {
	return ask[Registration](ctx, c.anybody(), request{method: http.MethodPost, path: path(string(of), "registrations", registration, "code")})
}

// Verify enters the mailed code.
func (c *Client) Verify(ctx context.Context, of System, registration, code string) (Registration, error) {
	return ask[Registration](ctx, c.anybody(), request{
		method: http.MethodPost, path: path(string(of), "registrations", registration, "verification"),
		body: map[string]string{"code": code},
	})
}

// FinishStudio makes the Studio account.
func (c *Client) FinishStudio(ctx context.Context, registration string, p Profile, agreed bool) (StudioAccount, error) {
	return ask[StudioAccount](ctx, c.anybody(), request{
		method: http.MethodPost, path: path(string(StudioSystem), "registrations", registration, "account"), body: completion{p, agreed},
	})
}

// FinishBilling makes the Billing Center account.
func (c *Client) FinishBilling(ctx context.Context, registration string, p Profile, agreed bool) (BillingAccount, error) {
	return ask[BillingAccount](ctx, c.anybody(), request{
		method: http.MethodPost, path: path(string(BillingSystem), "registrations", registration, "account"), body: completion{p, agreed},
	})
}

func (c *Client) anybody() door { return door{client: c} }

// Studio is a team's console on one site, signed in.
type Studio struct{ door }

// SignInStudio signs in to a site.
func (c *Client) SignInStudio(ctx context.Context, site, email, password string) (*Studio, error) {
	d, err := c.signIn(ctx, "/studio/sessions", map[string]string{"site": site, "email": email, "password": password})
	if err != nil {
		return nil, err
	}
	return &Studio{d}, nil
}

// Studio goes on with a session of Studio.
func (c *Client) Studio(s Session) *Studio { return &Studio{door{c, s}} }

// SignOut ends the session.
func (s *Studio) SignOut(ctx context.Context) error {
	return s.do(ctx, request{method: http.MethodDelete, path: "/studio/sessions"}, nil)
}

// Account is the account that is signed in.
func (s *Studio) Account(ctx context.Context) (StudioAccount, error) {
	return ask[StudioAccount](ctx, s.door, request{method: http.MethodGet, path: "/studio/account"})
}

// BillingCenter is the payer's console, signed in.
type BillingCenter struct{ door }

// SignInBillingCenter signs in by user name, e-mail address or phone number.
func (c *Client) SignInBillingCenter(ctx context.Context, login, password string) (*BillingCenter, error) {
	d, err := c.signIn(ctx, "/billing-center/sessions", map[string]string{"login": login, "password": password})
	if err != nil {
		return nil, err
	}
	return &BillingCenter{d}, nil
}

// BillingCenter goes on with a session of the Billing Center.
func (c *Client) BillingCenter(s Session) *BillingCenter { return &BillingCenter{door{c, s}} }

// SignOut ends the session.
func (b *BillingCenter) SignOut(ctx context.Context) error {
	return b.do(ctx, request{method: http.MethodDelete, path: "/billing-center/sessions"}, nil)
}

// Account is the account that is signed in.
func (b *BillingCenter) Account(ctx context.Context) (BillingAccount, error) {
	return ask[BillingAccount](ctx, b.door, request{method: http.MethodGet, path: "/billing-center/account"})
}

// Operator is the console of who runs the platform, signed in.
type Operator struct{ door }

// SignInOperator signs in to the operator's console.
func (c *Client) SignInOperator(ctx context.Context, email, password string) (*Operator, error) {
	d, err := c.signIn(ctx, "/operator/sessions", map[string]string{"email": email, "password": password})
	if err != nil {
		return nil, err
	}
	return &Operator{d}, nil
}

// Operator goes on with a session of the operator's console.
func (c *Client) Operator(s Session) *Operator { return &Operator{door{c, s}} }

// SignOut ends the session.
func (o *Operator) SignOut(ctx context.Context) error {
	return o.do(ctx, request{method: http.MethodDelete, path: "/operator/sessions"}, nil)
}

func (c *Client) signIn(ctx context.Context, where string, what map[string]string) (door, error) {
	s, err := ask[Session](ctx, c.anybody(), request{method: http.MethodPost, path: where, body: what})
	return door{c, s}, err
}

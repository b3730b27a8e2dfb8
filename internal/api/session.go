package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// SessionLife is how long a sign-in to the API holds.
const SessionLife = 12 * time.Hour

// caller is who makes a call: of the accounts, the one of the call's console
// is set; of the workspace's, all are when the path names one.
type caller struct {
	Console   Console
	AccountID string
	Address   string
	Agent     string // what the program says of itself
	key       string // the hash of the token shown
	Studio    account.Studio
	Billing   account.Billing
	Operator  account.Operator
	Workspace workspace.Workspace
	Role      workspace.Role
	Key       account.Key // of a call that takes one
}

// admit says who calls, if he may.
func (s *server) admit(r *http.Request, to Route) (*caller, error) {
	who := &caller{Console: to.Console, Address: addressOf(r), Agent: account.Agent(r.UserAgent())}
	switch to.Console {
	case "":
		return who, nil
	case Reader, AccountReader:
		return who, s.admitKey(r, to, who)
	case Service:
		return who, s.admitService(r, who)
	case Deducting:
		return who, s.admitDeducting(r, who)
	}
	token, ok := bearer(r)
	if !ok {
		return nil, account.ErrSignedOut
	}
	who.key = hashOf(token)
	err := s.Store.Read(r.Context(), func(tx *store.Tx) error {
		key, err := tx.APIKeyByHash(r.Context(), string(to.Console), who.key, s.RealNow().Add(-SessionLife))
		if err != nil {
			return err
		}
		who.AccountID = key.AccountID
		if err := who.account(r, tx); err != nil {
			return err
		}
		switch {
		case to.Console == Operator:
			return who.Operator.Role.Require(to.duty())
		case to.Action == "":
			return nil
		}
		return who.enter(r, tx, to.Action)
	})
	if err == nil {
		err = s.saw(r.Context(), who)
	}
	return who, err
}

// account finds the account behind the sign-in.
func (w *caller) account(r *http.Request, tx *store.Tx) (err error) {
	switch w.Console {
	case Studio:
		w.Studio, err = tx.StudioByID(r.Context(), w.AccountID)
	case BillingCenter:
		w.Billing, err = tx.BillingByID(r.Context(), w.AccountID)
		if err == nil && w.Billing.Disabled {
			return account.ErrDisabled
		}
	case Operator:
		w.Operator, err = tx.OperatorByID(r.Context(), w.AccountID)
		if err == nil && w.Operator.Disabled() {
			return account.ErrSignedOut
		}
	}
	if isFault(err, account.ErrUnknown) {
		return account.ErrSignedOut
	}
	return err
}

// duty is what an operator's role must allow: where the table does not say, a
// reading call is open to all of them and any other to administrators alone.
func (r Route) duty() account.Duty {
	switch {
	case r.Duty != "":
		return r.Duty
	case r.Method == http.MethodGet:
		return account.Look
	}
	return account.KeepOperators
}

// enter checks the membership and the role. Who is no member learns nothing,
// not even whether the workspace exists.
func (w *caller) enter(r *http.Request, tx *store.Tx, action workspace.Action) error {
	workspaceID := r.PathValue("workspace_id")
	m, err := tx.Member(r.Context(), workspaceID, w.AccountID)
	if err != nil {
		return err
	}
	if w.Workspace, err = tx.Workspace(r.Context(), workspaceID); err != nil {
		return err
	}
	w.Role = m.Role
	if err := m.Role.Require(action); err != nil {
		return err
	}
	return openTo(r, tx, w.Workspace, action)
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && id.Valid(id.APIKey, token)
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// addressOf is the address that the connection comes from, without its port.
func addressOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// Session is a sign-in. The token is shown once.
type Session struct {
	Token     string    `json:"token" doc:"Send it as Authorization: Bearer."`
	ExpiresAt time.Time `json:"expires_at"`
	AccountID string    `json:"account_id"`
}

// studioLogin signs in to the console of one site.
type studioLogin struct {
	Body struct {
		Site     string `json:"site" example:"cn1"`
		Email    string `json:"email" maxLength:"256"`
		Password string `json:"password" maxLength:"256"`
	}
}

func (s *server) signInStudio(c *call, in *studioLogin) (*Session, error) {
	email := strings.ToLower(strings.TrimSpace(in.Body.Email))
	var a account.Studio
	err := s.Store.Read(c, func(tx *store.Tx) (err error) {
		a, err = tx.StudioByEmail(c, site.ID(in.Body.Site), email)
		return err
	})
	return s.signIn(c, login{console: Studio, name: in.Body.Site + " " + email, password: in.Body.Password, accountID: a.ID, hash: a.Password}, err)
}

// billingLogin signs in to the Billing Center.
type billingLogin struct {
	Body struct {
		Login    string `json:"login" maxLength:"256" doc:"User name, e-mail address or phone number."`
		Password string `json:"password" maxLength:"256"`
	}
}

func (s *server) signInBilling(c *call, in *billingLogin) (*Session, error) {
	name := strings.ToLower(strings.TrimSpace(in.Body.Login))
	var a account.Billing
	err := s.Store.Read(c, func(tx *store.Tx) (err error) {
		a, err = tx.BillingByLogin(c, name)
		return err
	})
	return s.signIn(c, login{console: BillingCenter, name: name, password: in.Body.Password, accountID: a.ID, hash: a.Password, disabled: a.Disabled}, err)
}

// operatorLogin signs in to the operator's console.
type operatorLogin struct {
	Body struct {
		Email    string `json:"email" maxLength:"256"`
		Password string `json:"password" maxLength:"256"`
	}
}

func (s *server) signInOperator(c *call, in *operatorLogin) (*Session, error) {
	email := strings.ToLower(strings.TrimSpace(in.Body.Email))
	var a account.Operator
	err := s.Store.Read(c, func(tx *store.Tx) (err error) {
		a, err = tx.OperatorByEmail(c, email)
		return err
	})
	return s.signIn(c, login{console: Operator, name: email, password: in.Body.Password, accountID: a.ID, hash: a.Password, disabled: a.Disabled()}, err)
}

// login is an attempt to sign in, and the account that it names.
type login struct {
	console   Console
	name      string
	password  string
	accountID string
	hash      string
	disabled  bool
}

// signIn checks the password, which takes as long for an account that there is
// not, and gives a token. Wrong attempts are counted per name and address.
func (s *server) signIn(c *call, l login, unknown error) (*Session, error) {
	if unknown != nil && !isFault(unknown, account.ErrUnknown) {
		return nil, unknown
	}
	name, address := string(l.console)+"|"+l.name+"|"+c.Address, string(l.console)+"|"+c.Address
	wait := s.logins.take(name, s.logins.most)
	if wait == 0 {
		wait = s.logins.take(address, s.logins.most*perAddress)
	}
	if err := refuse(account.ErrTooManyLogins, wait); err != nil {
		return nil, err
	}
	if !account.PasswordMatches(l.hash, l.password) || unknown != nil {
		return nil, account.ErrLogin
	}
	s.logins.forget(name)
	s.logins.giveBack(address)
	if l.disabled {
		return nil, account.ErrDisabled
	}
	token, now := id.New(id.APIKey), s.RealNow()
	key := store.APIKey{Hash: hashOf(token), Console: string(l.console), AccountID: l.accountID, Name: "session", CreatedAt: now}
	err := s.Store.Write(c, func(tx *store.Tx) error {
		if signedIn, listed := c.signedIn(l, key.Hash, now); listed {
			if err := tx.InsertSignIn(c, signedIn); err != nil {
				return err
			}
		}
		return tx.InsertAPIKey(c, key, now.Add(-SessionLife))
	})
	if err != nil {
		return nil, err
	}
	return &Session{Token: token, ExpiresAt: now.Add(SessionLife).UTC(), AccountID: l.accountID}, nil
}

// nothing is asked for beyond the path's own.
type nothing struct{}

func (s *server) signOut(c *call, _ *nothing) error {
	switch found, err := c.tx.SignInByToken(c, c.key); {
	case err == nil:
		return c.tx.EndSignIn(c, found.System, found.AccountID, found.ID, c.at)
	case !errors.Is(err, account.ErrSignInUnknown):
		return err
	}
	return c.tx.RevokeAPIKey(c, string(c.Console), c.key, s.RealNow())
}

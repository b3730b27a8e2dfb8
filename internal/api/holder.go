package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// holders is what the holder of an account does with it, in either system.
func (s *server) holders() []route {
	var all []route
	for _, of := range []struct {
		console Console
		system  account.System
		path    string
		name    string
	}{{Studio, account.StudioSystem, "/studio", "studio"}, {BillingCenter, account.BillingSystem, "/billing-center", "billing"}} {
		c, p, n := of.console, of.path, of.name
		all = append(all,
			outside(line(post, p+"/password-resets", "", "", "ask-"+n+"-password-reset", "Have a code mailed, if the address has an account"), accepted, s.askReset(of.system)),
			outside(line(post, p+"/password-resets/completion", "", "", "complete-"+n+"-password-reset", "Set a new password with the code; all sessions end"), ok, s.completeReset(of.system)),
			writes(line(patch, p+"/account", c, "", "change-"+n+"-account", "Change profile or language"), ok, changeHolder(of.system)),
			outside(line(put, p+"/account/password", c, "", "change-"+n+"-password", "Change the password; all other sessions end"), ok, s.changePassword(of.system)),
			writes(line(post, p+"/account/email", c, "", "begin-"+n+"-email", "Begin to change the address; a code is mailed to the present one"), accepted, beginContact(of.system, account.EmailContact)),
			writes(line(post, p+"/account/email/present-proof", c, "", "prove-"+n+"-present-email", "Enter the code mailed to the present address; one is mailed to the new one"), ok, provePresent(of.system, account.EmailContact)),
			writes(line(post, p+"/account/email/new-proof", c, "", "prove-"+n+"-new-email", "Enter the code mailed to the new address: it is the account's"), ok, proveNew(of.system)),
			writes(line(post, p+"/account/phone", c, "", "begin-"+n+"-phone", "Begin to change the phone; a code is mailed to the address"), accepted, beginContact(of.system, account.PhoneContact)),
			writes(line(post, p+"/account/phone/proof", c, "", "prove-"+n+"-phone", "Enter the mailed code: the phone is the account's"), ok, provePresent(of.system, account.PhoneContact)),
			reads(line(get, p+"/sessions", c, "", "list-"+n+"-sessions", "Where the account is signed in, the last seen first"), s.listSessions(of.system)),
			removes(line(remove, p+"/sessions/{session_id}", c, "", "end-"+n+"-session", "End one of them"), endSession(of.system)),
			writes(line(post, p+"/sessions/end-others", c, "", "end-other-"+n+"-sessions", "End all but this one"), ok, endOthers(of.system)),
		)
	}
	return all
}

// who is the caller as the holder of an account.
func (c *call) who(s account.System) account.Who {
	return account.Who{System: s, ID: c.AccountID, Address: c.Address}
}

// Done is the answer of a call that has nothing else to say.
type Done struct {
	Done bool `json:"done"`
}

var done = &Done{true}

// Forgetting names the account whose password is forgotten.
type Forgetting struct {
	Site  string `json:"site,omitempty" maxLength:"32" doc:"Of a Studio account."`
	Email string `json:"email" maxLength:"256"`
}

func (f Forgetting) of(s account.System) account.ResetWanted {
	return account.ResetWanted{System: s, Site: site.ID(f.Site), Email: f.Email}
}

// forgotten asks for a code.
type forgotten struct{ Body Forgetting }

// askReset answers the same, and as fast, for an address without an account.
func (s *server) askReset(system account.System) func(*call, *forgotten) (*Done, error) {
	return func(c *call, in *forgotten) (*Done, error) {
		if err := refuse(account.ErrTooManyLogins, s.begins.take("reset "+c.Address, s.begins.most)); err != nil {
			return nil, err
		}
		return transact(c.Context, s, in, func(c *call, in *forgotten) (*Done, error) {
			asked, err := account.AskReset(c, c.tx, in.Body.of(system), c.at)
			if err != nil {
				return nil, err
			}
			return done, c.tx.Enqueue(c, asked)
		})
	}
}

// resetting takes the code and the new password.
type resetting struct {
	Body struct {
		Forgetting
		Code     string `json:"code" maxLength:"32" example:"123456"`
		Password string `json:"password" maxLength:"1024"`
	}
}

func (s *server) completeReset(system account.System) func(*call, *resetting) (*Done, error) {
	return func(c *call, in *resetting) (*Done, error) {
		if err := refuse(account.ErrTooManyLogins, s.begins.take("reset code "+c.Address, s.begins.most)); err != nil {
			return nil, err
		}
		hash, err := account.NewPassword(in.Body.Password, in.Body.Password)
		if err != nil {
			return nil, err
		}
		return transact(c.Context, s, in, func(c *call, in *resetting) (*Done, error) {
			if err := account.Reset(c, c.tx, in.Body.of(system), in.Body.Code, hash, c.Address, c.at); err != nil {
				return nil, counted(err)
			}
			return done, nil
		})
	}
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

func (c *call) holder(s account.System) (*Holder, error) {
	p, err := c.tx.Person(c, s, c.AccountID)
	return &Holder{p.ID, p.UserName, p.Email, p.Phone, p.Language, Profile(p.Profile)}, err
}

// holding changes what is given.
type holding struct {
	Body struct {
		Profile  *Profile `json:"profile,omitempty"`
		Language *string  `json:"language,omitempty" enum:"en,zh"`
	}
}

func changeHolder(s account.System) func(*call, *holding) (*Holder, error) {
	return func(c *call, in *holding) (*Holder, error) {
		if in.Body.Profile != nil {
			if err := account.ChangeProfile(c, c.tx, c.who(s), in.Body.Profile.noun(), c.at); err != nil {
				return nil, err
			}
		}
		if in.Body.Language != nil {
			if err := account.ChangeLanguage(c, c.tx, c.who(s), *in.Body.Language, c.at); err != nil {
				return nil, err
			}
		}
		return c.holder(s)
	}
}

// newPassword replaces the present one.
type newPassword struct {
	Body struct {
		Present  string `json:"present_password" maxLength:"1024"`
		Password string `json:"password" maxLength:"1024"`
	}
}

func (s *server) changePassword(system account.System) func(*call, *newPassword) (*Done, error) {
	return func(c *call, in *newPassword) (*Done, error) {
		if err := refuse(account.ErrTooManyLogins, s.logins.take("password "+c.AccountID, s.logins.most)); err != nil {
			return nil, err
		}
		present := c.Studio.Password
		if system == account.BillingSystem {
			present = c.Billing.Password
		}
		if !account.PasswordMatches(present, in.Body.Present) {
			return nil, account.ErrPasswordPresent.On("present_password")
		}
		s.logins.forget("password " + c.AccountID)
		hash, err := account.NewPassword(in.Body.Password, in.Body.Password)
		if err != nil {
			return nil, err
		}
		return transact(c.Context, s, in, func(c *call, _ *newPassword) (*Done, error) {
			here, err := c.signIn()
			if err != nil {
				return nil, err
			}
			return done, account.ChangePassword(c, c.tx, c.who(system), hash, here, c.at)
		})
	}
}

// signIn names the sign-in of the caller's token.
func (c *call) signIn() (string, error) {
	s, err := c.tx.SignInByToken(c, c.key)
	if errors.Is(err, account.ErrSignInUnknown) {
		return "", nil
	}
	return s.ID, err
}

// ContactChange is a change of address or phone under way.
type ContactChange struct {
	Kind   string `json:"kind" enum:"email,phone"`
	New    string `json:"new"`
	Proved bool   `json:"present_proved" doc:"The present address was proved; the code to the new one is next."`
}

// contact is what it shall be.
type contact struct {
	Body struct {
		New string `json:"new" maxLength:"256" doc:"The new address or phone; an empty phone removes it."`
	}
}

func beginContact(s account.System, k account.ContactKind) func(*call, *contact) (*ContactChange, error) {
	return func(c *call, in *contact) (*ContactChange, error) {
		began, err := account.BeginContact(c, c.tx, c.who(s), k, in.Body.New, c.at)
		if err != nil {
			return nil, onNew(err)
		}
		return &ContactChange{Kind: string(k), New: began.New}, nil
	}
}

// onNew names the field by which this door knows what was typed.
func onNew(err error) error {
	if f := fault.From(err); f.Kind != fault.Internal && f.Field != "" {
		return f.On("new")
	}
	return err
}

// contactProof is a code that was mailed.
type contactProof struct {
	Body struct {
		Code string `json:"code" maxLength:"32" example:"123456"`
	}
}

func provePresent(s account.System, k account.ContactKind) func(*call, *contactProof) (*ContactChange, error) {
	return func(c *call, in *contactProof) (*ContactChange, error) {
		now, err := account.ProvePresent(c, c.tx, c.who(s), k, in.Body.Code, c.at)
		if err != nil {
			return nil, counted(err)
		}
		return &ContactChange{Kind: string(k), New: now.New, Proved: true}, nil
	}
}

func proveNew(s account.System) func(*call, *contactProof) (*Holder, error) {
	return func(c *call, in *contactProof) (*Holder, error) {
		if err := account.ProveNew(c, c.tx, c.who(s), in.Body.Code, c.at); err != nil {
			return nil, counted(err)
		}
		return c.holder(s)
	}
}

// SignIn is a place where the account is signed in.
type SignIn struct {
	ID      string    `json:"id"`
	Channel string    `json:"channel" enum:"browser,api"`
	Agent   string    `json:"agent,omitempty" doc:"What the browser or program says of itself."`
	Address string    `json:"address"`
	BeganAt time.Time `json:"began_at"`
	SeenAt  time.Time `json:"seen_at" doc:"To five minutes."`
	This    bool      `json:"this"`
}

// mostSignIns bounds the list; more are not held by anybody sane.
const mostSignIns = 1000

func (s *server) listSessions(system account.System) func(*call, *struct{ Paged }) (*Page[SignIn], error) {
	return func(c *call, in *struct{ Paged }) (*Page[SignIn], error) {
		list, err := c.tx.SignIns(c, system, c.AccountID, s.RealNow(), mostSignIns)
		if err != nil {
			return nil, err
		}
		return pageOf(in.Paged, "sessions", list, func(x account.SignIn) string { return x.ID }, func(x account.SignIn) SignIn {
			return SignIn{
				ID: x.ID, Channel: string(x.Channel), Agent: x.Agent, Address: x.From, This: x.Token == c.key,
				BeganAt: local(x.BegunAt, c.Studio.Site), SeenAt: local(x.SeenAt, c.Studio.Site),
			}
		})
	}
}

// signedInAt names a sign-in by the path.
type signedInAt struct {
	ID string `path:"session_id" maxLength:"64"`
}

func endSession(s account.System) func(*call, *signedInAt) error {
	return func(c *call, in *signedInAt) error { return account.End(c, c.tx, c.who(s), in.ID, c.at) }
}

func endOthers(s account.System) func(*call, *nothing) (*Done, error) {
	return func(c *call, _ *nothing) (*Done, error) {
		here, err := c.signIn()
		if err != nil {
			return nil, err
		}
		return done, account.EndOthers(c, c.tx, c.who(s), here, c.at)
	}
}

// signedIn is the sign-in of a program's token, for the account's list.
func (c *call) signedIn(l login, token string, now time.Time) (account.SignIn, bool) {
	system, ok := map[Console]account.System{Studio: account.StudioSystem, BillingCenter: account.BillingSystem}[l.console]
	return account.SignIn{
		ID: id.New(id.SignIn), System: system, AccountID: l.accountID, Channel: account.Program, Agent: c.Agent,
		From: c.Address, Token: token, BegunAt: c.at, SeenAt: c.at, ExpiresAt: now.Add(SessionLife),
	}, ok
}

// sightings remembers when a token's last visit was kept, so that a call
// writes it down once in a while and costs nothing else.
type sightings struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// due reports, once in account.SeenEvery, that the token's visit is to be kept.
func (s *sightings) due(token string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Sub(s.last[token]) < account.SeenEvery {
		return false
	}
	if s.last == nil || len(s.last) >= maxKeys {
		s.last = map[string]time.Time{}
	}
	s.last[token] = at
	return true
}

// saw keeps that a token was seen.
func (s *server) saw(ctx context.Context, c *caller) error {
	at := s.Now()
	if c.Console == Operator || !s.seen.due(c.key, at) {
		return nil
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error { return tx.SeeToken(ctx, c.key, c.Address, at) })
}

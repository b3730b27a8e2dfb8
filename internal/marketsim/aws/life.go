package aws

import (
	"fmt"
	"regexp"
	"time"
)

// agreement is one purchase and its license.
type agreement struct {
	ID          string    `json:"id"`
	License     string    `json:"license"`
	Account     string    `json:"account"`
	Product     string    `json:"product"` // its code
	ProductID   string    `json:"product_id"`
	Offer       string    `json:"offer"`
	Intent      string    `json:"intent"` // NEW, RENEW
	Status      string    `json:"status"` // ACTIVE, CANCELLED, EXPIRED, RENEWED
	Legacy      bool      `json:"legacy"`
	AcceptedAt  time.Time `json:"accepted_at"`
	EndsAt      time.Time `json:"ends_at"` // as agreed
	ActivatedAt time.Time `json:"activated_at"`
	EndedAt     time.Time `json:"ended_at"`    // zero while it lives
	FinalUntil  time.Time `json:"final_until"` // until then usage is still taken
	Noticed     bool      `json:"noticed"`     // of a legacy product: its very end was told
}

// takes reports whether usage is accepted.
func (a *agreement) takes(now time.Time) bool {
	return !now.Before(a.ActivatedAt) && (a.EndedAt.IsZero() || now.Before(a.FinalUntil))
}

// State is how the license stands: active, deprovisioning or ended.
func (a *agreement) State(now time.Time) string {
	switch {
	case a.EndedAt.IsZero():
		return "active"
	case now.Before(a.FinalUntil):
		return "deprovisioning"
	}
	return "ended"
}

func (s *Sim) license(arn string) *agreement {
	for _, a := range s.market.Agreements {
		if a.License == arn {
			return a
		}
	}
	return nil
}

func (s *Sim) product(code string) *Product {
	for i := range s.market.Products {
		if s.market.Products[i].Code == code {
			return &s.market.Products[i]
		}
	}
	return nil
}

var buyerAccount = regexp.MustCompile(`^[0-9]{12}$`)

// mostAgreements bounds the memory of one simulation.
const mostAgreements = 100_000

// Act does what a button does, by its name, and gives what came of it.
func (s *Sim) Act(action string, args map[string]string) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	switch action {
	case "subscribe":
		return s.subscribe(args["account"], args["product"])
	case "suspend", "resume":
		return s.suspend(args["account"], action == "suspend")
	}
	a := s.license(args["license"])
	if a == nil {
		return nil, fmt.Errorf("there is no license %q", args["license"])
	}
	if action == "token" {
		return map[string]string{"token": s.token(a), "license": a.License}, nil
	}
	if !a.EndedAt.IsZero() {
		return nil, fmt.Errorf("this agreement has ended")
	}
	switch action {
	case "cancel":
		s.end(a, "CANCELLED")
	case "expire":
		s.end(a, "EXPIRED")
	case "amend":
		a.EndsAt = a.EndsAt.AddDate(1, 0, 0)
		s.agreementEvent("Purchase Agreement Amended", a, "AMEND")
	case "renew":
		return s.renew(a)
	default:
		return nil, fmt.Errorf("action %q: choose of subscribe, token, amend, renew, cancel, expire, suspend, resume", action)
	}
	return map[string]string{"license": a.License, "agreement": a.ID, "status": a.Status}, nil
}

func (s *Sim) subscribe(buyer, code string) (map[string]string, error) {
	if code == "" && len(s.market.Products) > 0 {
		code = s.market.Products[0].Code
	}
	p := s.product(code)
	switch {
	case p == nil:
		return nil, fmt.Errorf("there is no product %q", code)
	case !buyerAccount.MatchString(buyer):
		return nil, fmt.Errorf("the account of a buyer has 12 digits")
	case len(s.market.Agreements) >= mostAgreements:
		return nil, fmt.Errorf("there are %d agreements; reset the simulator", mostAgreements)
	case s.market.Customers[buyer].Suspended:
		return nil, fmt.Errorf("this account is suspended")
	}
	if p.Legacy {
		for _, a := range s.market.Agreements {
			if a.Legacy && a.Account == buyer && a.Product == code && a.EndedAt.IsZero() {
				return nil, fmt.Errorf("this account has subscribed to this product already; a legacy product is bought once")
			}
		}
	}
	if _, known := s.market.Customers[buyer]; !known {
		s.market.Customers[buyer] = customer{Identifier: s.stage.Name(22)}
	}
	a := s.agree(*p, buyer, "NEW")
	return map[string]string{"license": a.License, "agreement": a.ID, "token": s.token(a), "customer": s.market.Customers[buyer].Identifier}, nil
}

// agree makes an agreement and its license, and tells of both.
func (s *Sim) agree(p Product, buyer, intent string) *agreement {
	now := s.stage.Now()
	a := &agreement{
		ID: "agmt-" + s.stage.Name(25), License: "arn:aws:license-manager::" + licenseOwner + ":license:l-" + s.stage.Name(32), Account: buyer,
		Product: p.Code, ProductID: p.ID, Offer: "offer-" + s.stage.Name(13), Intent: intent, Status: "ACTIVE", Legacy: p.Legacy,
		AcceptedAt: now, EndsAt: now.AddDate(1, 0, 0), ActivatedAt: now,
	}
	s.market.Agreements = append(s.market.Agreements, a)
	if a.Legacy {
		s.notice(a, "subscribe-success")
		return a
	}
	s.agreementEvent("Purchase Agreement Created", a, intent)
	s.licenseEvent("License Updated", a)
	return a
}

// licenseOwner is the account that grants licenses of the marketplace.
const licenseOwner = "294406891311"

// end closes an agreement; its last usage is taken for about an hour.
func (s *Sim) end(a *agreement, status string) {
	a.Status, a.EndedAt = status, s.stage.Now()
	a.FinalUntil = a.EndedAt.Add(time.Duration(s.market.Switches.FinalMinutes) * time.Minute)
	if a.Legacy {
		s.notice(a, "unsubscribe-pending")
		return
	}
	s.agreementEvent("Purchase Agreement Ended", a, a.Intent)
	s.licenseEvent("License Deprovisioned", a)
}

// renew is a new agreement with a new license, and nothing that points to the
// old one.
func (s *Sim) renew(a *agreement) (map[string]string, error) {
	if a.Legacy {
		return nil, fmt.Errorf("a legacy product has no renewal: its subscription goes on")
	}
	next := s.agree(*s.product(a.Product), a.Account, "RENEW")
	s.end(a, "RENEWED")
	return map[string]string{"license": next.License, "agreement": next.ID, "token": s.token(next), "ended": a.License}, nil
}

func (s *Sim) suspend(buyer string, suspended bool) (map[string]string, error) {
	c, known := s.market.Customers[buyer]
	if !known {
		return nil, fmt.Errorf("there is no buyer %q", buyer)
	}
	c.Suspended = suspended
	s.market.Customers[buyer] = c
	return map[string]string{"account": buyer, "suspended": fmt.Sprint(suspended)}, nil
}

// token is a fresh registration token: what "Set up your account" posts.
func (s *Sim) token(a *agreement) string {
	text := s.stage.Name(64)
	s.market.Tokens[text] = &token{License: a.License, Expires: s.stage.Now().Add(tokenLife)}
	return text
}

// tick does what the clock has made due.
func (s *Sim) tick() {
	now := s.stage.Now()
	for _, a := range s.market.Agreements {
		if a.EndedAt.IsZero() && !now.Before(a.EndsAt) {
			s.end(a, "EXPIRED")
		}
		if a.Legacy && !a.EndedAt.IsZero() && !a.Noticed && !now.Before(a.FinalUntil) {
			a.Noticed = true
			s.notice(a, "unsubscribe-success")
		}
	}
	for text, t := range s.market.Tokens {
		if now.Sub(t.Expires) > 24*time.Hour {
			delete(s.market.Tokens, text)
		}
	}
}

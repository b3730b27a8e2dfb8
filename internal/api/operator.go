package api

import (
	"time"

	"tollgate.dev/internal/job"
)

// ClockNow is the installation's time.
type ClockNow struct {
	Now     time.Time `json:"now"`
	Sandbox bool      `json:"sandbox" doc:"Whether it can be moved."`
}

func (s *server) showClock(c *call, _ *nothing) (*ClockNow, error) {
	return &ClockNow{c.at.UTC(), s.Sandbox}, nil
}

// moving moves a sandbox's clock.
type moving struct {
	Body struct {
		Advance string `json:"advance" maxLength:"16" doc:"Hours, days or months." example:"14d"`
	}
}

// moveClock answers when everything that fell due on the way is done.
func (s *server) moveClock(c *call, in *moving) (*ClockNow, error) {
	if !s.Sandbox {
		return nil, job.ErrNotSandbox
	}
	by, err := job.ParseStep(in.Body.Advance, c.at)
	if err != nil {
		return nil, err
	}
	now, err := s.Clock.Advance(c, by)
	if err != nil {
		return nil, err
	}
	return &ClockNow{now.UTC(), true}, nil
}

// Verification is what a check of the books found.
type Verification struct {
	Sound    bool      `json:"sound"`
	At       time.Time `json:"at"`
	Findings []Finding `json:"findings" nullable:"false"`
}

// Finding is one place where the books do not hold what they promise.
type Finding struct {
	Invariant string `json:"invariant" example:"I1"`
	Subject   string `json:"subject"`
	Detail    string `json:"detail"`
}

func (s *server) verifyBooks(c *call, _ *nothing) (*Verification, error) {
	found, err := c.tx.Verify(c, s.Catalog)
	if err != nil {
		return nil, err
	}
	late, err := c.tx.Overdue(c)
	if err != nil {
		return nil, err
	}
	found = append(found, late...)
	v := &Verification{Sound: len(found) == 0, At: c.at.UTC(), Findings: make([]Finding, 0, len(found))}
	for _, f := range found {
		v.Findings = append(v.Findings, Finding(f))
	}
	return v, nil
}

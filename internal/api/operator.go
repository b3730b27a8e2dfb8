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

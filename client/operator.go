package client

import (
	"context"
	"net/http"
	"time"
)

// ClockNow is the installation's time, and whether it can be moved.
type ClockNow struct {
	Now     time.Time `json:"now"`
	Sandbox bool      `json:"sandbox"`
}

// Verification is what a check of the books found.
type Verification struct {
	Sound    bool      `json:"sound"`
	At       time.Time `json:"at"`
	Findings []Finding `json:"findings"`
}

// Finding is one place where the books do not hold what they promise.
type Finding struct {
	Invariant string `json:"invariant"`
	Subject   string `json:"subject"`
	Detail    string `json:"detail"`
}

// Clock is the installation's time.
func (o *Operator) Clock(ctx context.Context) (ClockNow, error) {
	return ask[ClockNow](ctx, o.door, request{method: http.MethodGet, path: "/operator/clock"})
}

// AdvanceClock moves a sandbox's time forward, by 36h, 14d or 1mo, and answers
// when everything that fell due on the way is done.
func (o *Operator) AdvanceClock(ctx context.Context, by string) (ClockNow, error) {
	return ask[ClockNow](ctx, o.door, request{method: http.MethodPost, path: "/operator/clock", body: map[string]string{"advance": by}})
}

// Verify checks the books.
func (o *Operator) Verify(ctx context.Context) (Verification, error) {
	return ask[Verification](ctx, o.door, request{method: http.MethodGet, path: "/operator/verify"})
}

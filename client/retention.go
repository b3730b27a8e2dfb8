package client

import (
	"context"
	"net/http"
	"time"
)

// Retention is for how long a workspace's data is kept. Where it is fixed, the
// plan leaves no choice.
type Retention struct {
	Plan     string           `json:"plan"`
	Fixed    bool             `json:"fixed"`
	Settings []RetentionClass `json:"settings"`
}

// RetentionClass is the class of a type of data, or of one index of the logs.
// The next change acts at once, or waits for the midnight of the site.
type RetentionClass struct {
	Type    string           `json:"type"`
	Index   string           `json:"index"`
	Class   string           `json:"class"`
	Since   *time.Time       `json:"since"`
	Allowed []string         `json:"allowed"`
	Pending *RetentionChange `json:"pending"`
	AtOnce  bool             `json:"at_once"`
}

// RetentionChange is a class and when it begins to hold.
type RetentionChange struct {
	Class  string    `json:"class"`
	ActsAt time.Time `json:"acts_at"`
}

// RetentionWish asks for a class. A change of metrics must be confirmed: all
// metrics from before it are deleted when it acts.
type RetentionWish struct {
	Type      string `json:"type"`
	Index     string `json:"index,omitempty"` // of logs
	Class     string `json:"class"`
	Confirmed bool   `json:"confirmed,omitempty"`
}

// RetentionChanged is a class after a wish. The outcome is at_once, held,
// cancelled or unchanged.
type RetentionChanged struct {
	RetentionClass
	Outcome string `json:"outcome"`
}

// Retention shows for how long a workspace's data is kept.
func (s *Studio) Retention(ctx context.Context, workspace string) (Retention, error) {
	return ask[Retention](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "retention")})
}

// ChangeRetention asks for another class of a type of data.
func (s *Studio) ChangeRetention(ctx context.Context, workspace string, w RetentionWish) (RetentionChanged, error) {
	return ask[RetentionChanged](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "retention"), body: w})
}

// LogRules are the rules by which a workspace's log records go to its indexes.
// They are asked from the first on, and the first that fits decides.
type LogRules struct {
	Rules    []LogRule `json:"rules"`
	Revision int64     `json:"revision"`
	Indexes  []string  `json:"indexes"`
}

// LogRule sends records into an index: those whose source, tag or text field
// has the value, or begins with it where it ends in a *.
type LogRule struct {
	Field string `json:"field"`
	Value string `json:"value"`
	Index string `json:"index"`
}

// LogRules shows which logs of a workspace go into which index.
func (s *Studio) LogRules(ctx context.Context, workspace string) (LogRules, error) {
	return ask[LogRules](ctx, s.door, request{method: http.MethodGet, path: in(workspace, "log-rules")})
}

// ReplaceLogRules puts other rules in the place of those that hold.
func (s *Studio) ReplaceLogRules(ctx context.Context, workspace string, rules []LogRule) (LogRules, error) {
	if rules == nil {
		rules = []LogRule{}
	}
	return ask[LogRules](ctx, s.door, request{method: http.MethodPut, path: in(workspace, "log-rules"), body: struct {
		Rules []LogRule `json:"rules"`
	}{rules}})
}

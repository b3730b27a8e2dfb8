package api

import (
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// Retention is for how long a workspace's data is kept.
type Retention struct {
	Plan     string           `json:"plan" enum:"experience,commercial"`
	Fixed    bool             `json:"fixed" doc:"The plan leaves no choice."`
	Settings []RetentionClass `json:"settings" nullable:"false"`
}

// RetentionClass is the class of a type of data, or of one index of the logs.
type RetentionClass struct {
	Type    string           `json:"type" example:"logs"`
	Index   string           `json:"index,omitempty" doc:"Of logs: an index with a class of its own. Others have the class of the type." example:"nginx"`
	Class   string           `json:"class" example:"14d"`
	Since   *time.Time       `json:"since,omitempty" doc:"When it was changed to this; absent for the plan's own class."`
	Allowed []string         `json:"allowed" nullable:"false"`
	Pending *RetentionChange `json:"pending,omitempty" doc:"The change that waits for midnight."`
	AtOnce  bool             `json:"at_once" doc:"Whether the next change acts at once: none has yet today, at the site."`
}

// RetentionChange is a class and when it begins to hold.
type RetentionChange struct {
	Class  string    `json:"class" example:"30d"`
	ActsAt time.Time `json:"acts_at"`
}

// RetentionChanged is a class after a wish, and what became of the wish.
type RetentionChanged struct {
	RetentionClass
	Outcome string `json:"outcome" enum:"at_once,held,cancelled,unchanged" doc:"held: the last wish of the day acts at midnight. cancelled: back to what holds; nothing waits any more."`
}

func (c *call) retentionClass(v *catalog.Version, setting retention.Setting) (RetentionClass, error) {
	where, err := site.Find(c.Workspace.Site)
	if err != nil {
		return RetentionClass{}, err
	}
	t, _ := v.Retention.Type(setting.Type)
	shown := RetentionClass{
		Type: setting.Type, Index: setting.Index, Class: setting.Class, Since: instant(setting.Since, where.ID), Allowed: t.Allowed,
		AtOnce: !setting.FreeAt(c.at, where.Zone).After(c.at),
	}
	if setting.Pending != "" {
		shown.Pending = &RetentionChange{setting.Pending, local(setting.PendingAt, where.ID)}
	}
	return shown, nil
}

func (s *server) showRetention(c *call, _ *Inside) (*Retention, error) {
	v, err := retention.Version(s.Catalog, c.Workspace.Site, c.at)
	if err != nil {
		return nil, err
	}
	chosen, err := c.tx.RetentionSettings(c, c.Workspace.ID)
	if err != nil {
		return nil, err
	}
	now := retention.Of(c.Workspace.Plan, v).With(chosen, c.at)
	shown := &Retention{Plan: string(c.Workspace.Plan), Fixed: now.Fixed(), Settings: []RetentionClass{}}
	var list []retention.Setting
	for _, t := range now.Types() {
		list = append(list, now.Setting(retention.Target{Type: t}))
		if t == retention.Logs {
			list = append(list, now.Indexes()...)
		}
	}
	for _, setting := range list {
		one, err := c.retentionClass(v, setting)
		if err != nil {
			return nil, err
		}
		if shown.Fixed {
			one.Allowed, one.AtOnce = []string{one.Class}, false
		}
		shown.Settings = append(shown.Settings, one)
	}
	return shown, nil
}

// rekeeping wishes for a class.
type rekeeping struct {
	Inside
	Body struct {
		Type      string `json:"type" maxLength:"64" example:"metrics"`
		Index     string `json:"index,omitempty" maxLength:"256" doc:"Of logs; \"default\" is the index of every workspace."`
		Class     string `json:"class" maxLength:"16" example:"30d"`
		Confirmed bool   `json:"confirmed,omitempty" doc:"For metrics: that all metrics from before the change are deleted when it acts."`
	}
}

func (s *server) changeRetention(c *call, in *rekeeping) (*RetentionChanged, error) {
	v, err := retention.Version(s.Catalog, c.Workspace.Site, c.at)
	if err != nil {
		return nil, err
	}
	target := retention.Target{Type: in.Body.Type, Index: in.Body.Index}
	if target.Type == retention.Logs {
		target = retention.IndexOf(in.Body.Index)
	}
	made, err := retention.Change(c, c.tx, v, in.WorkspaceID, retention.Wish{Target: target, Class: in.Body.Class, Confirmed: in.Body.Confirmed}, c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	shown, err := c.retentionClass(v, made.Setting)
	return &RetentionChanged{shown, string(made.Outcome)}, err
}

// metricsFrom bounds what can be seen of metrics: they do not outlive a change
// of their class.
func (s *server) metricsFrom(c *call, workspaceID string) (time.Time, error) {
	var chosen []retention.Setting
	err := s.Store.Read(c, func(tx *store.Tx) (err error) {
		chosen, err = tx.RetentionSettings(c, workspaceID)
		return err
	})
	return retention.MetricsFrom(chosen, c.at), err
}

package api

import (
	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/retention"
)

// LogRules are the rules by which a workspace's log records go to its indexes.
type LogRules struct {
	Rules    []LogRule `json:"rules" maxItems:"100" nullable:"false" doc:"Asked from the first on; the first that fits a record decides. A record that none fits goes into the default index."`
	Revision int64     `json:"revision" doc:"Grows with every change."`
	Indexes  []string  `json:"indexes" nullable:"false" doc:"The named indexes that a collector may name itself, with the header X-Storage-Index-Name: those of a rule, and those with a class of their own."`
}

// LogRule sends log records into an index.
type LogRule struct {
	Field string `json:"field" maxLength:"128" doc:"What it looks at: \"source\", or the key of a tag or a text field." example:"source"`
	Value string `json:"value" maxLength:"256" doc:"The whole value, or its beginning and a *." example:"nginx*"`
	Index string `json:"index" maxLength:"256" doc:"\"default\" is the index of every workspace." example:"nginx"`
}

func (c *call) logRules(r logindex.Routing) (*LogRules, error) {
	own, err := c.tx.RetentionSettings(c, c.Workspace.ID)
	if err != nil {
		return nil, err
	}
	named := own[:0]
	for _, s := range own {
		if s.Index != "" {
			named = append(named, s)
		}
	}
	shown := &LogRules{Rules: make([]LogRule, 0, len(r.Rules)), Revision: r.Revision, Indexes: append([]string{}, r.Router(named).Indexes()...)}
	for _, rule := range r.Rules {
		index := rule.Index
		if index == "" {
			index = retention.DefaultIndex
		}
		shown.Rules = append(shown.Rules, LogRule{rule.Field, rule.Value, index})
	}
	return shown, nil
}

func showLogRules(c *call, _ *Inside) (*LogRules, error) {
	r, err := c.tx.LogRouting(c, c.Workspace.ID)
	if err != nil {
		return nil, err
	}
	return c.logRules(r)
}

// routing replaces the rules.
type routing struct {
	Inside
	Body struct {
		Rules []LogRule `json:"rules" maxItems:"100" nullable:"false" doc:"In the order in which they are asked; empty removes all."`
	}
}

func replaceLogRules(c *call, in *routing) (*LogRules, error) {
	rules := make([]logindex.Rule, len(in.Body.Rules))
	for i, r := range in.Body.Rules {
		rules[i] = logindex.Rule{Field: r.Field, Value: r.Value, Index: r.Index}
	}
	r, err := logindex.Change(c, c.tx, in.WorkspaceID, logindex.Replace(rules), c.actor(), c.at)
	if err != nil {
		return nil, err
	}
	return c.logRules(r)
}

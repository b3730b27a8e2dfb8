package sim

import (
	"context"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// unlock is the Owner's wish that a workspace works again, or the operator's
// grant of more days.
type unlock struct {
	workspace string
	days      int64 // 0: the Owner's
	reason    string
}

func (u unlock) play(ctx context.Context, p *play) error {
	w := p.shops[u.workspace]
	return p.write(ctx, func(tx *store.Tx) error {
		if u.days == 0 {
			return arrears.Unlock(ctx, tx, w.id, p.clock.Now())
		}
		by := workspace.Actor{AccountID: operator}
		return arrears.ExtendAll(ctx, tx, w.id, arrears.Extension{Days: int(u.days), Reason: u.reason}, by, p.clock.Now())
	})
}

// dissolve is the Owner's last word.
type dissolve struct {
	workspace string
	name      string // as it is typed
}

func (d dissolve) play(ctx context.Context, p *play) error {
	w := p.shops[d.workspace]
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := arrears.DissolveBy(ctx, tx, w.id, d.name, w.owner, p.clock.Now())
		return err
	})
}

func (r *reader) unlock(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	var u unlock
	if w := r.workspaceOf(s, f); w != nil {
		u.workspace = w.name
	}
	if text, line, ok := f.optional("days"); ok {
		u.days = r.quantity(text, line, what+".days")
		u.reason, _, _ = f.required("reason")
	}
	f.rest()
	return u
}

func (r *reader) dissolve(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	var d dissolve
	if w := r.workspaceOf(s, f); w != nil {
		d.workspace, d.name = w.name, w.name
	}
	if text, _, ok := f.optional("typed"); ok {
		d.name = text
	}
	f.rest()
	return d
}

// states gathers the changes of a workspace's standing, from the audit log.
func (p *play) states(ctx context.Context, tx *store.Tx, o *Outcome, w shop) error {
	changes, err := tx.StateChanges(ctx, p.shops[w.name].id)
	for _, c := range changes {
		o.States = append(o.States, State{w.name, instant(c.At, w.site.Zone), strings.ToUpper(c.Detail["to"]), c.Detail["why"]})
	}
	return err
}

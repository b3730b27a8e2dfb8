package sim

import (
	"context"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/rebind"
	"tollgate.dev/internal/store"
)

// rebinding is the Owner's way to another account of the same company.
type rebinding struct {
	workspace string
	account   string
}

func (b rebinding) play(ctx context.Context, p *play) error {
	w, to, at := p.shops[b.workspace], p.payers[b.account], p.clock.Now()
	err := p.write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Name(ctx, tx, w.id, to.UserName, to.Email, w.owner, at)
		return err
	})
	if err != nil {
		return err
	}
	digits, err := p.mailed(to.Email)
	if err != nil {
		return err
	}
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := rebind.Confirm(ctx, tx, w.id, digits, b.workspace, w.owner, at)
		return store.Keep(err)
	})
}

func (r *reader) rebind(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	b := rebinding{account: r.accountOf(s, f)}
	if w := r.workspaceOf(s, f); w != nil {
		b.workspace = w.name
	}
	f.rest()
	return b
}

package sim

import (
	"context"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// upgrading is the way from Experience to Commercial, step by step (domain
// section 5): as the Owner walks it in Studio, or as the payer does in the
// Billing Center.
type upgrading struct {
	workspace string
	account   string
	binding   bool // entry B
}

func (u upgrading) play(ctx context.Context, p *play) error {
	w, payer, at := p.shops[u.workspace], p.payers[u.account], p.clock.Now()
	actor, to := w.owner, payer.Email
	if u.binding {
		actor = workspace.Actor{AccountID: payer.ID}
		to = w.email
	}
	steps := []func(tx *store.Tx) error{
		func(tx *store.Tx) error { return u.begin(ctx, tx, w, payer, actor, p) },
		func(tx *store.Tx) error {
			digits, err := p.mailed(to)
			if err != nil {
				return err
			}
			_, err = upgrade.Prove(ctx, tx, w.id, digits, actor, at)
			return store.Keep(err)
		},
		func(tx *store.Tx) error {
			_, err := upgrade.Agree(ctx, tx, w.id, upgrade.AgreementVersion, "en", true, actor, at)
			return err
		},
		func(tx *store.Tx) (err error) {
			if u.binding {
				_, err = upgrade.ConfirmBinding(ctx, tx, w.id, actor, at)
			} else {
				_, err = upgrade.Confirm(ctx, tx, w.id, u.workspace, actor, at)
			}
			return err
		},
	}
	for _, step := range steps {
		if err := p.store.Write(ctx, step); err != nil {
			return err
		}
		if err := p.engine.Work(ctx); err != nil { // mails go out
			return err
		}
	}
	return nil
}

// begin names the other side and has the code mailed.
func (u upgrading) begin(ctx context.Context, tx *store.Tx, w opened, payer account.Billing, actor workspace.Actor, p *play) error {
	at := p.clock.Now()
	if u.binding {
		_, err := upgrade.Bind(ctx, tx, w.id, actor, at)
		return err
	}
	if _, err := upgrade.Name(ctx, tx, w.id, payer.UserName, actor, at); err != nil {
		return err
	}
	_, err := upgrade.Mail(ctx, tx, w.id, payer.Email, actor, at)
	return err
}

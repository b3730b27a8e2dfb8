package app

import (
	"context"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

func (a *App) registerPeople() {
	job.Register(a.runner, a.mailReset)
}

// mailReset looks for the account of a forgotten password and mails its code.
func (a *App) mailReset(ctx context.Context, r account.ResetWanted) error {
	return a.store.Write(ctx, func(tx *store.Tx) error { return account.MailReset(ctx, tx, r, a.clock.Now()) })
}

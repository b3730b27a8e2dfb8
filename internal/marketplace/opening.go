package marketplace

import (
	"context"
	"errors"
	"slices"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// Opening is a workspace that a buyer opens with a purchase (domain section 5,
// entry C). The address of its owner is proved.
type Opening struct {
	Site     site.ID
	Name     string
	Language string
	Owner    account.Studio
	AgreedIn string // the language of the opening agreement that was accepted
}

// OpenTx is what opening a workspace needs of a transaction.
type OpenTx interface {
	Tx
	workspace.Tx
	upgrade.Tx
	// KeepOpened remembers that a workspace was opened with a subscription.
	KeepOpened(ctx context.Context, workspaceID string, s Subscription, at time.Time) error
}

// Opens says why a workspace of the site cannot be opened with the
// subscription, if it cannot.
func (s Subscription) Opens(on site.Site, payer account.Billing, profile site.Profile) error {
	switch {
	case !s.State.Settles():
		return ErrInactive
	case on.Currency != payer.Currency:
		return upgrade.ErrCurrency.On("site").With("account", string(payer.Currency)).With("site", string(on.Currency))
	case !slices.Contains(on.Allowed(profile, payer.ArbitrarySettlement), s.Cloud):
		return settle.ErrNotAllowed.On("site").With("method", string(s.Cloud))
	}
	return nil
}

// Open binds the subscription to the payer, makes a workspace of the owner's,
// upgrades it for the payer, and lets the subscription settle it; from then on
// no other method may. All of it happens, or none.
func Open(ctx context.Context, tx OpenTx, rules settle.Rules, s Subscription, o Opening, payer account.Billing, by workspace.Actor, at time.Time) (workspace.Workspace, error) {
	on, err := site.Find(o.Site)
	if err != nil {
		return workspace.Workspace{}, fault.From(err).On("site")
	}
	if o.Owner.Site != on.ID {
		return workspace.Workspace{}, account.ErrUnknown.On("email")
	}
	if s, err = Bind(ctx, tx, s.Cloud, s.Bought(), payer.ID, by, at); err != nil {
		return workspace.Workspace{}, err
	}
	if err := s.Opens(on, payer, rules.Profile); err != nil {
		return workspace.Workspace{}, err
	}
	w, err := workspace.Create(ctx, tx, on.ID, o.Name, o.Language, workspace.Actor{AccountID: o.Owner.ID, Address: by.Address}, at)
	if err != nil {
		return w, err
	}
	if _, err := upgrade.Opening(ctx, tx, w, o.Owner, payer, o.AgreedIn, by, at); err != nil {
		return w, err
	}
	if err := tx.KeepOpened(ctx, w.ID, s, at); err != nil {
		return w, err
	}
	if w, err = rules.Choose(ctx, tx, w.ID, settle.Choice{Method: s.Cloud, Subscription: s.ID}, by, at); err != nil {
		return w, err
	}
	return w, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "workspace.opened_from_marketplace", Subject: w.ID,
		Detail: map[string]string{"cloud": string(s.Cloud), "subscription": s.ID, "owner": o.Owner.ID},
	})
}

// Owned finds the Studio account that an opening's address names.
func Owned(ctx context.Context, tx account.Tx, on site.ID, email string) (account.Studio, error) {
	normal, err := account.NormalEmail(email)
	if err != nil {
		return account.Studio{}, fault.From(err).On("email")
	}
	a, err := tx.StudioByEmail(ctx, on, normal)
	if errors.Is(err, account.ErrUnknown) {
		return a, ErrNoStudio.On("email")
	}
	return a, err
}

// ErrNoStudio is an opening for a Studio account that does not exist.
var ErrNoStudio = fault.New(fault.Invalid, "studio_account_unknown", "No Studio account of this site has this address. Check the site and the address, or register a new account.")

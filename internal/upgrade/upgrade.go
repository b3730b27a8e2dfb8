// Package upgrade is the one way from the Experience to the Commercial plan
// (domain section 5, and the page "Upgrade to Commercial Plan").
//
// It owns the steps and their order: name the Billing Center account, prove
// it by a mailed code, agree to the terms, confirm. It does not own the
// workspace's plan (workspace), the account (account) or the money (wallet).
//
// Always true: nothing changes before the last step; the last step changes
// plan, data generation, payer and agreement in one transaction, once. No
// step leads back.
package upgrade

import (
	"context"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Faults of the upgrade: every branch of domain section 5 has its own.
var (
	ErrAccountUnknown  = fault.New(fault.NotFound, "billing_account_unknown", "There is no Billing Center account with this user name. Check it, or register a new account.")
	ErrAccountDisabled = fault.New(fault.Forbidden, "billing_account_disabled", "This Billing Center account is disabled. Contact the operator.")
	ErrCurrency        = fault.New(fault.Conflict, "billing_currency_differs", "This Billing Center account pays in another currency than the site of the workspace. Use an account of that currency, or ask your account manager.")
	ErrEmailDiffers    = fault.New(fault.Invalid, "billing_email_differs", "This is not the e-mail address bound to that Billing Center account.")
	ErrNotNamed        = fault.New(fault.Conflict, "account_not_named", "Enter the Billing Center user name first.")
	ErrNotVerified     = fault.New(fault.Conflict, "account_not_verified", "Enter the code that was mailed to the Billing Center account first.")
	ErrNotAgreed       = fault.New(fault.Invalid, "agreement_not_agreed", "Agree to the opening agreement to continue. Nothing has been changed.")
	ErrAgreementStale  = fault.New(fault.Conflict, "agreement_changed", "The agreement has a newer version. Read it and agree again.")
	ErrNameDiffers     = fault.New(fault.Invalid, "workspace_name_differs", "This is not the name of the workspace. Type it exactly as shown.")
	ErrBoundElsewhere  = fault.New(fault.Conflict, "workspace_bound_elsewhere", "This workspace is on the Commercial plan already and is bound to a Billing Center account. An account that is certified for the same company can take it over.")
	ErrNotBegun        = fault.New(fault.Conflict, "upgrade_not_begun", "This upgrade has not been begun, or was begun too long ago. Begin again.")
)

// DraftLife is how long the steps before the confirmation hold.
const DraftLife = 2 * time.Hour

// Entry is the door through which the upgrade came (domain section 5).
type Entry string

// The entries.
const (
	FromStudio  Entry = "studio"         // A: the Owner names a Billing Center account
	FromBilling Entry = "billing_center" // B: a Billing Center account names a workspace
	FromMarket  Entry = "marketplace"    // C: a buyer opens a workspace with a purchase
)

// Draft is an upgrade under way: what one person has entered for one
// workspace. It changes nothing by itself.
type Draft struct {
	WorkspaceID string
	ActorID     string // entry A: the Owner's Studio account; B: the Billing Center account
	Entry       Entry
	BillingID   string
	UserName    string
	Email       string    // where the code goes; empty until it was matched
	NamedAt     time.Time // the account was named
	SentAt      time.Time // a code was mailed
	VerifiedAt  time.Time // the code was right
	Agreement   string    // the version agreed to
	AgreedAt    time.Time
	AgreedFrom  string    // remote address
	AgreedIn    string    // language of the text agreed to
	DoneAt      time.Time // the workspace became Commercial by this draft
}

// Agreed is who agreed to which text, when, from where, for what. It is kept
// for ever.
type Agreed struct {
	WorkspaceID string
	BillingID   string
	ActorID     string
	Version     string
	Language    string
	SHA256      string // of the text, in hexadecimal
	At          time.Time
	Address     string
}

// Tx is what the upgrade needs of a transaction.
type Tx interface {
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	UpdateWorkspace(ctx context.Context, w workspace.Workspace) error
	Member(ctx context.Context, workspaceID, accountID string) (workspace.Member, error)
	StudioByID(ctx context.Context, id string) (account.Studio, error)
	BillingByName(ctx context.Context, userName string) (account.Billing, error)
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	UpgradeDraft(ctx context.Context, workspaceID, actorID string) (Draft, error) // ErrNotBegun
	SaveUpgradeDraft(ctx context.Context, d Draft) error
	InsertAgreed(ctx context.Context, a Agreed) error
	// Rejoin gives the workspace the state of its new payer's clock.
	Rejoin(ctx context.Context, workspaceID string, at time.Time) error
	// Payable refuses a payer whose workspaces are locked.
	Payable(ctx context.Context, payer string) error
	account.Codes
	Audit(ctx context.Context, e audit.Entry) error
}

// owned gives the workspace if the actor may upgrade it: its Owner alone.
func owned(ctx context.Context, tx Tx, workspaceID string, actor workspace.Actor) (workspace.Workspace, error) {
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return workspace.Workspace{}, err
	}
	if err := m.Role.Require(workspace.UpgradePlan); err != nil {
		return workspace.Workspace{}, err
	}
	return tx.WorkspaceForUpdate(ctx, workspaceID)
}

// payable says why the account cannot pay for a workspace of the site.
func payable(b account.Billing, w workspace.Workspace) error {
	if b.Disabled {
		return ErrAccountDisabled.On("user_name")
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return err
	}
	if b.Currency != s.Currency {
		return ErrCurrency.On("user_name").With("account", string(b.Currency)).With("site", string(s.Currency))
	}
	return nil
}

// Name is step 3 of entry A: the user name of the Billing Center account is
// verified. Naming another account starts the proof anew.
func Name(ctx context.Context, tx Tx, workspaceID, userName string, actor workspace.Actor, at time.Time) (Draft, error) {
	w, err := owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Draft{}, err
	}
	if err := w.Upgradable(); err != nil {
		return Draft{}, err
	}
	name, err := account.NormalUserName(userName)
	if err != nil {
		return Draft{}, ErrAccountUnknown.On("user_name")
	}
	b, err := tx.BillingByName(ctx, name)
	if err != nil {
		if fault.From(err).Code == account.ErrUnknown.Code {
			err = ErrAccountUnknown.On("user_name")
		}
		return Draft{}, err
	}
	if err := payable(b, w); err != nil {
		return Draft{}, err
	}
	d := Draft{WorkspaceID: w.ID, ActorID: actor.AccountID, Entry: FromStudio, BillingID: b.ID, UserName: b.UserName, NamedAt: at}
	return d, tx.SaveUpgradeDraft(ctx, d)
}

// open gives the actor's draft while it holds.
func open(ctx context.Context, tx Tx, workspaceID string, actor workspace.Actor, at time.Time) (Draft, error) {
	d, err := tx.UpgradeDraft(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return d, err
	}
	if d.DoneAt.IsZero() && !at.Before(d.NamedAt.Add(DraftLife)) {
		return d, ErrNotBegun
	}
	return d, nil
}

// codePurpose keeps the codes of the two entries apart.
func (d Draft) codePurpose() account.Purpose {
	if d.Entry == FromBilling {
		return account.ForBinding
	}
	return account.ForUpgrade
}

// subject ties a code to one account paying for one workspace.
func (d Draft) subject() string { return d.WorkspaceID + "/" + d.BillingID + "/" + d.ActorID }

// Mail is the second half of step 3 (domain C-03): the e-mail address bound
// to the named account is entered and a code goes there.
func Mail(ctx context.Context, tx Tx, workspaceID, email string, actor workspace.Actor, at time.Time) (Draft, error) {
	w, err := owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Draft{}, err
	}
	if err := w.Upgradable(); err != nil {
		return Draft{}, err
	}
	d, err := open(ctx, tx, workspaceID, actor, at)
	if err != nil {
		return d, err
	}
	b, err := tx.BillingByID(ctx, d.BillingID)
	if err != nil {
		return d, err
	}
	typed, err := account.NormalEmail(email)
	if err != nil {
		return d, fault.From(err).On("email")
	}
	if typed != b.Email {
		return d, ErrEmailDiffers.On("email")
	}
	d.Email, d.SentAt, d.VerifiedAt = b.Email, at, time.Time{}
	mail := account.CodeSent{Purpose: d.codePurpose(), Email: b.Email, Language: b.Language, Site: w.Site, For: w.Name}
	if err := account.SendCode(ctx, tx, mail, d.subject(), at); err != nil {
		return d, err
	}
	return d, tx.SaveUpgradeDraft(ctx, d)
}

// Prove takes the mailed code, of either entry. Commit also when there is a
// fault, so that a wrong try counts.
func Prove(ctx context.Context, tx Tx, workspaceID, digits string, actor workspace.Actor, at time.Time) (Draft, error) {
	d, err := open(ctx, tx, workspaceID, actor, at)
	switch {
	case err != nil:
		return d, err
	case d.Email == "":
		return d, ErrNotNamed
	}
	if err := account.TryCode(ctx, tx, d.codePurpose(), d.Email, d.subject(), digits, at); err != nil {
		return d, err
	}
	d.VerifiedAt = at
	return d, tx.SaveUpgradeDraft(ctx, d)
}

// Agree is step 4. Without the agreement nothing happens.
func Agree(ctx context.Context, tx Tx, workspaceID, version, language string, agreed bool, actor workspace.Actor, at time.Time) (Draft, error) {
	d, err := open(ctx, tx, workspaceID, actor, at)
	switch {
	case err != nil:
		return d, err
	case d.VerifiedAt.IsZero():
		return d, ErrNotVerified
	case !agreed:
		return d, ErrNotAgreed.On("agreed")
	case version != AgreementVersion:
		return d, ErrAgreementStale
	}
	d.Agreement, d.AgreedAt, d.AgreedFrom, d.AgreedIn = version, at, actor.Address, language
	return d, tx.SaveUpgradeDraft(ctx, d)
}

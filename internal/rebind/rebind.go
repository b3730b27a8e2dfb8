// Package rebind moves a Commercial workspace to another Billing Center
// account of the same company (domain section 5, "Re-binding").
//
// It owns who may, the proof, and the reasons to refuse. It does not own the
// certification (account), the bills (bill) or the debt (arrears).
//
// Always true: a day's usage is charged to the account to which the workspace
// is bound when the day ends. Between the end of a day and the end of its
// close nothing is re-bound, so that an account never gets a day, nor a parked
// one, that another one should pay; bills that were made stay with who paid.
package rebind

import (
	"context"
	"errors"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/message"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/workspace"
)

// Faults of re-binding: every reason has its own.
var (
	ErrSameAccount  = fault.New(fault.Conflict, "rebind_same_account", "This workspace is bound to that account already.")
	ErrNotCertified = fault.New(fault.Conflict, "rebind_not_certified", "The account that pays now is not certified. Have it certified in the Billing Center first; both accounts must be of one company.")
	ErrOtherCompany = fault.New(fault.Conflict, "rebind_other_company", "The other account is not certified for the same company. A workspace can only be re-bound within one company.")
	ErrArrears      = fault.New(fault.Conflict, "rebind_in_arrears", "The account that pays now is in arrears. Pay what is owed first; then the workspace can be re-bound.")
	ErrOtherArrears = fault.New(fault.Conflict, "rebind_other_in_arrears", "The other account is in arrears. Pay what it owes first.")
	ErrDayOpen      = fault.New(fault.Conflict, "rebind_day_open", "A day that has ended is not billed yet, and belongs to the account that pays now. Try again when its bill is there, usually within the hour.")
	ErrNotNamed     = fault.New(fault.Conflict, "rebind_not_begun", "Name the other account first, or again: that was too long ago.")
)

// DraftLife is how long a named account holds.
const DraftLife = 2 * time.Hour

// Draft is a re-binding under way.
type Draft struct {
	WorkspaceID string
	ActorID     string // the Owner, or the other account where it began
	BillingID   string // the other account
	UserName    string
	Email       string // where the code went
	NamedAt     time.Time
	ProvedAt    time.Time // the Owner's code was right, where the other account began
}

func (d Draft) subject() string {
	return "rebind/" + d.WorkspaceID + "/" + d.BillingID + "/" + d.ActorID
}

// Rebound happens when a workspace has another payer. It goes to both
// accounts and to the Owner.
type Rebound struct {
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	From, To      string // user names
	Email         string
	Language      string
	Owner         bool // it goes to the Owner
	At            time.Time
}

// Tx is what re-binding needs of a transaction.
type Tx interface {
	workspace.Tx
	account.Codes
	arrears.LookTx
	BillingByName(ctx context.Context, userName string) (account.Billing, error)
	RebindDraft(ctx context.Context, workspaceID, actorID string) (Draft, error) // ErrNotNamed
	SaveRebindDraft(ctx context.Context, d Draft) error
	DeleteRebindDraft(ctx context.Context, workspaceID string) error
	// LastSiteDayKept keeps the site's next close from beginning until the transaction ends.
	LastSiteDayKept(ctx context.Context, s site.ID) (bill.SiteDay, error)
	ParkedOf(ctx context.Context, workspaceID string) (int, error)
	CoveredThrough(ctx context.Context, workspaceID string, from period.Day) (period.Day, bool, error)
}

// Name takes the user name and address of the other account, says why it
// cannot be, and mails a code to it.
func Name(ctx context.Context, tx Tx, workspaceID, userName, email string, actor workspace.Actor, at time.Time) (Draft, error) {
	w, err := owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Draft{}, err
	}
	other, err := named(ctx, tx, userName)
	if err != nil {
		return Draft{}, err
	}
	typed, err := account.NormalEmail(email)
	if err != nil {
		return Draft{}, fault.From(err).On("email")
	}
	if typed != other.Email {
		return Draft{}, upgrade.ErrEmailDiffers.On("email")
	}
	if err := allowed(ctx, tx, w, other, at); err != nil {
		return Draft{}, err
	}
	d := Draft{WorkspaceID: w.ID, ActorID: actor.AccountID, BillingID: other.ID, UserName: other.UserName, Email: other.Email, NamedAt: at}
	if err := tx.SaveRebindDraft(ctx, d); err != nil {
		return d, err
	}
	mail := account.CodeSent{Purpose: account.ForRebinding, Email: other.Email, Language: other.Language, Site: w.Site, For: w.Name}
	return d, account.SendCode(ctx, tx, mail, d.subject(), at)
}

func named(ctx context.Context, tx Tx, userName string) (account.Billing, error) {
	name, err := account.NormalUserName(userName)
	if err != nil {
		return account.Billing{}, upgrade.ErrAccountUnknown.On("user_name")
	}
	other, err := tx.BillingByName(ctx, name)
	if errors.Is(err, account.ErrUnknown) {
		err = upgrade.ErrAccountUnknown.On("user_name")
	}
	return other, err
}

func owned(ctx context.Context, tx Tx, workspaceID string, actor workspace.Actor) (workspace.Workspace, error) {
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return workspace.Workspace{}, err
	}
	if err := m.Role.Require(workspace.PayBilling); err != nil {
		return workspace.Workspace{}, err
	}
	return tx.WorkspaceForUpdate(ctx, workspaceID)
}

// allowed says why the workspace cannot be moved to the other account, if it
// cannot. What the other account is is looked at before what it owes.
func allowed(ctx context.Context, tx Tx, w workspace.Workspace, other account.Billing, at time.Time) error {
	if w.Plan != workspace.Commercial {
		return settle.ErrNotCommercial
	}
	if err := w.Accepts(); err != nil {
		return err
	}
	present, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return err
	}
	switch {
	case other.ID == present.ID:
		return ErrSameAccount.On("user_name")
	case other.Disabled:
		return upgrade.ErrAccountDisabled.On("user_name")
	case other.Currency != present.Currency:
		return upgrade.ErrCurrency.On("user_name").With("account", string(other.Currency)).With("site", string(present.Currency))
	case present.Enterprise.IsZero():
		return ErrNotCertified
	case !present.SameEnterprise(other):
		return ErrOtherCompany.On("user_name")
	case w.Settlement != site.BillingCenter:
		return settle.ErrCloudLocked
	}
	if err := free(ctx, tx, w, at); err != nil {
		return err
	}
	return solvent(ctx, tx, w, present, other)
}

// solvent refuses what would leave a debt behind or carry the workspace into one.
func solvent(ctx context.Context, tx Tx, w workspace.Workspace, present, other account.Billing) error {
	stands, err := arrears.LookPayer(ctx, tx, present)
	if err != nil {
		return err
	}
	if w.State == workspace.Grace || stands.State != workspace.Normal {
		return ErrArrears
	}
	if stands, err = arrears.LookPayer(ctx, tx, other); err != nil {
		return err
	}
	if stands.State != workspace.Normal {
		return ErrOtherArrears.On("user_name")
	}
	return nil
}

// free refuses while a package covers the workspace, or a day that has ended
// is not billed. No close of the site begins before the transaction ends.
func free(ctx context.Context, tx Tx, w workspace.Workspace, at time.Time) error {
	s, err := site.Find(w.Site)
	if err != nil {
		return err
	}
	today := period.DayOf(at, s.Zone)
	last, covered, err := tx.CoveredThrough(ctx, w.ID, today)
	if err != nil {
		return err
	}
	if covered {
		return settle.PackagedThrough(last)
	}
	day, err := tx.LastSiteDayKept(ctx, w.Site)
	if err != nil {
		return err
	}
	yesterday := today.Add(-1)
	due := !period.DayOf(w.UpgradedAt, s.Zone).After(yesterday) // a day of this workspace has ended
	switch {
	case day.Begun() && !day.Closed(), day.Begun() && day.Day.After(yesterday):
		return ErrDayOpen.With("day", day.Day.String())
	case due && (!day.Begun() || yesterday.After(day.Day)):
		return ErrDayOpen.With("day", yesterday.String())
	}
	parked, err := tx.ParkedOf(ctx, w.ID)
	if err == nil && parked > 0 {
		return ErrDayOpen
	}
	return err
}

// Confirm takes the code of the other account and the workspace's name, and
// moves it. Commit also when there is a fault, so that a wrong try counts.
func Confirm(ctx context.Context, tx Tx, workspaceID, digits, typedName string, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	w, err := owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return w, err
	}
	d, err := tx.RebindDraft(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return w, err
	}
	if !at.Before(d.NamedAt.Add(DraftLife)) {
		return w, ErrNotNamed
	}
	other, err := tx.BillingByID(ctx, d.BillingID)
	if err != nil {
		return w, err
	}
	if err := allowed(ctx, tx, w, other, at); err != nil {
		return w, err
	}
	if strings.TrimSpace(typedName) != w.Name {
		return w, upgrade.ErrNameDiffers.On("workspace_name").With("name", w.Name)
	}
	if err := account.TryCode(ctx, tx, account.ForRebinding, d.Email, d.subject(), digits, at); err != nil {
		return w, err
	}
	return move(ctx, tx, w, other, actor, at)
}

func move(ctx context.Context, tx Tx, w workspace.Workspace, other account.Billing, actor workspace.Actor, at time.Time) (workspace.Workspace, error) {
	before, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return w, err
	}
	w.Payer = other.ID
	if err := tx.UpdateWorkspace(ctx, w); err != nil {
		return w, err
	}
	w.Revision++
	if err := tx.DeleteRebindDraft(ctx, w.ID); err != nil {
		return w, err
	}
	if err := workspace.CancelPromotions(ctx, tx, w.ID, at); err != nil {
		return w, err
	}
	if err := tell(ctx, tx, w, before, other, at); err != nil {
		return w, err
	}
	e := actor.Entry("workspace.rebound", w.ID, at)
	e.Detail = map[string]string{"from": before.ID, "to": other.ID}
	return w, tx.Audit(ctx, e)
}

// tell writes to both accounts and to the Owner.
func tell(ctx context.Context, tx Tx, w workspace.Workspace, from, to account.Billing, at time.Time) error {
	owner, err := tx.StudioByID(ctx, w.OwnerID)
	if err != nil {
		return err
	}
	told := Rebound{WorkspaceID: w.ID, WorkspaceName: w.Name, Site: w.Site, From: from.UserName, To: to.UserName, At: at}
	for _, x := range []struct {
		email, language string
		owner           bool
	}{{from.Email, from.Language, false}, {to.Email, to.Language, false}, {owner.Email, owner.Language, true}} {
		told.Email, told.Language, told.Owner = x.email, x.language, x.owner
		if err := tx.Announce(ctx, told); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		to      string
		kind    message.Kind
		account string
	}{{from.ID, message.WorkspaceLeft, to.UserName}, {to.ID, message.WorkspaceCame, from.UserName}} {
		args := map[string]string{"workspace": w.Name, "workspace_id": w.ID, "account": m.account}
		if err := tx.InsertMessage(ctx, message.New(m.to, m.kind, w.ID, args, at)); err != nil {
			return err
		}
	}
	return nil
}

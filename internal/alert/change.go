package alert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Tx is what alerts need of a transaction.
type Tx interface {
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	Member(ctx context.Context, workspaceID, accountID string) (workspace.Member, error)
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	Audit(ctx context.Context, e audit.Entry) error
	Announce(ctx context.Context, event any) error

	// AlertRules lists the rules of a workspace, by item.
	AlertRules(ctx context.Context, workspaceID string) ([]Rule, error)
	// SaveAlertRule keeps the rule of its item.
	SaveAlertRule(ctx context.Context, workspaceID string, r Rule, at time.Time) error
	// DeleteAlertRule forgets the rule of an item and reports whether there was one.
	DeleteAlertRule(ctx context.Context, workspaceID, item string) (bool, error)
	// AlertTeam lists the members of a workspace in the order of their joining.
	AlertTeam(ctx context.Context, workspaceID string) ([]Member, error)
	// MarkAlerted reports whether this is the first time for the workspace, item and day.
	MarkAlerted(ctx context.Context, workspaceID, item string, day period.Day, at time.Time) (bool, error)
}

// bounds is what a rule of a workspace is checked against.
type bounds struct {
	version *catalog.Version
	market  catalog.Market
	team    []Member
}

// open gives what a change needs, if the actor may make it: whoever may see
// bills may set alerts (domain C-21).
func open(ctx context.Context, tx Tx, c *catalog.Catalog, workspaceID string, actor workspace.Actor, at time.Time) (bounds, error) {
	member, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return bounds{}, err
	}
	if err := member.Role.Require(workspace.ViewBilling); err != nil {
		return bounds{}, err
	}
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return bounds{}, err
	}
	if w.Plan != workspace.Commercial {
		return bounds{}, ErrExperience
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return bounds{}, err
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return bounds{}, fmt.Errorf("payer of %s: %w", w.ID, err)
	}
	b := bounds{market: catalog.Market{Currency: payer.Currency, Group: s.Group}}
	if b.version, err = c.At(period.DayOf(at, s.Zone)); err != nil {
		return bounds{}, err
	}
	b.team, err = tx.AlertTeam(ctx, w.ID)
	return b, err
}

// Set makes or changes the alert of one item.
func Set(ctx context.Context, tx Tx, c *catalog.Catalog, workspaceID string, t Typed, actor workspace.Actor, at time.Time) (Rule, error) {
	b, err := open(ctx, tx, c, workspaceID, actor, at)
	if err != nil {
		return Rule{}, err
	}
	rule, err := t.Check(b.version, b.market, b.team)
	if err != nil {
		return Rule{}, err
	}
	return rule, save(ctx, tx, workspaceID, rule, actor, at)
}

func save(ctx context.Context, tx Tx, workspaceID string, r Rule, actor workspace.Actor, at time.Time) error {
	if err := tx.SaveAlertRule(ctx, workspaceID, r, at); err != nil {
		return fmt.Errorf("keep the alert of %s: %w", r.Item, err)
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "alert.set", Subject: workspaceID,
		Detail: map[string]string{"item": r.Item, "threshold": string(r.Threshold.Currency()) + " " + r.Threshold.String()},
	})
}

// Remove ends the alert of one item.
func Remove(ctx context.Context, tx Tx, c *catalog.Catalog, workspaceID, item string, actor workspace.Actor, at time.Time) error {
	if _, err := open(ctx, tx, c, workspaceID, actor, at); err != nil {
		return err
	}
	there, err := tx.DeleteAlertRule(ctx, workspaceID, item)
	if err != nil {
		return fmt.Errorf("remove the alert of %s: %w", item, err)
	}
	if !there {
		return ErrUnknown
	}
	return tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "alert.removed", Subject: workspaceID, Detail: map[string]string{"item": item},
	})
}

// Replace makes the list the alerts of the workspace, all or none: what stays
// as it is leaves no trace, and what is not on the list ends.
func Replace(ctx context.Context, tx Tx, c *catalog.Catalog, workspaceID string, list []Typed, actor workspace.Actor, at time.Time) ([]Rule, error) {
	b, err := open(ctx, tx, c, workspaceID, actor, at)
	if err != nil {
		return nil, err
	}
	rules, err := check(b, list)
	if err != nil {
		return nil, err
	}
	before, err := tx.AlertRules(ctx, workspaceID)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		if slices.ContainsFunc(before, r.same) {
			continue
		}
		if err := save(ctx, tx, workspaceID, r, actor, at); err != nil {
			return nil, err
		}
	}
	for _, old := range before {
		if slices.ContainsFunc(rules, func(r Rule) bool { return r.Item == old.Item }) {
			continue
		}
		if err := Remove(ctx, tx, c, workspaceID, old.Item, actor, at); err != nil {
			return nil, err
		}
	}
	return tx.AlertRules(ctx, workspaceID)
}

// check makes the rules of a list; faults name the place in it.
func check(b bounds, list []Typed) ([]Rule, error) {
	var rules []Rule
	var wrong fault.Fields
	for i, t := range list {
		field := func(name string) string { return fmt.Sprintf("alerts[%d].%s", i, name) }
		r, err := t.Check(b.version, b.market, b.team)
		var faults fault.Fields
		switch f, ok := err.(fault.Fields); {
		case ok:
			faults = f
		case err != nil:
			return nil, err
		case slices.ContainsFunc(rules, func(other Rule) bool { return other.Item == r.Item }):
			faults = fault.Fields{ErrTwice.On("item")}
		}
		for _, f := range faults {
			wrong = append(wrong, f.On(field(f.Field)))
		}
		rules = append(rules, r)
	}
	return rules, wrong.OrNil()
}

func (r Rule) same(other Rule) bool {
	return r.Item == other.Item && r.Threshold == other.Threshold && r.Administrators == other.Administrators &&
		slices.Equal(r.Members, other.Members) && slices.Equal(r.Addresses, other.Addresses)
}

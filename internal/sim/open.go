package sim

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// open makes everybody whom the file names, and upgrades the workspaces that
// are Commercial from the start.
func (p *play) open(ctx context.Context) error {
	err := p.store.Write(ctx, func(tx *store.Tx) error {
		for i, a := range p.scenario.accounts {
			if err := p.openAccount(ctx, tx, i, a); err != nil {
				return fmt.Errorf("make the billing account %s: %w", a.name, err)
			}
		}
		for i, w := range p.scenario.workspaces {
			if err := p.openWorkspace(ctx, tx, i, w); err != nil {
				return fmt.Errorf("make the workspace %s: %w", w.name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, a := range p.scenario.accounts {
		for _, b := range a.clouds {
			if _, err := p.bind(ctx, b, p.payers[a.name]); err != nil {
				return errStart{a.line, err}
			}
		}
	}
	bound := map[string]int{}
	for _, w := range p.scenario.workspaces {
		if !w.commercial {
			continue
		}
		// So many codes go to one address in an hour; the other entry mails
		// them to the Owners, who are as many as the workspaces.
		u := upgrading{workspace: w.name, account: w.account, binding: bound[w.account] >= account.CodeMost-1}
		bound[w.account]++
		if err := u.play(ctx, p); err != nil {
			return errStart{w.line, err}
		}
		if err := p.keepFor(ctx, w); err != nil {
			return errStart{w.line, err}
		}
		if w.settlement.cloud != "" {
			if err := (change{w.name, w.settlement.cloud, w.settlement}).play(ctx, p); err != nil {
				return errStart{w.line, err}
			}
		}
	}
	return nil
}

// company is what an account of a file is called when it does not say.
const company = "Simulation"

func (p *play) openAccount(ctx context.Context, tx *store.Tx, i int, a payer) error {
	userName, err := account.NormalUserName(a.name)
	if err != nil { // a name for people; the product needs one to sign in with
		userName = fmt.Sprintf("payer-%d", i)
	}
	b := account.Billing{
		ID: fmt.Sprintf("%s_%04d", id.BillingAccount, i), UserName: userName, Email: fmt.Sprintf("payer-%d@simulation.example", i),
		Currency: a.currency, Profile: account.Profile{Company: company}, Language: "en",
		ArbitrarySettlement: a.arbitrary, Enterprise: a.enterprise, CreatedAt: p.clock.Now(),
	}
	if !a.enterprise.IsZero() {
		b.Profile.Company = a.enterprise.Company
	}
	p.payers[a.name], p.readers[b.Email] = b, reading{a.name, p.scenario.zoneOf(a)}
	return tx.InsertBilling(ctx, b)
}

// zoneOf is in which an account's instants are told: that of the first
// workspace that it pays for from the start, or of its Billing Center.
func (s *Scenario) zoneOf(a payer) *time.Location {
	for _, w := range s.workspaces {
		if w.account == a.name {
			return w.site.Zone
		}
	}
	return statement.Zone(a.currency)
}

// openWorkspace makes a workspace and its Owner. Its ID follows its place in
// the file, so that bills are made in that order, the same every time.
func (p *play) openWorkspace(ctx context.Context, tx *store.Tx, i int, s shop) error {
	owner := account.Studio{
		ID: fmt.Sprintf("%s_%04d", id.StudioAccount, i), Site: s.site.ID, UserName: "owner", Email: fmt.Sprintf("owner-%d@simulation.example", i),
		Profile: account.Profile{Company: company}, Language: "en", CreatedAt: p.clock.Now(),
	}
	if err := tx.InsertStudio(ctx, owner); err != nil {
		return err
	}
	actor := workspace.Actor{AccountID: owner.ID}
	w, err := workspace.New(s.site.ID, s.name, "en", owner.ID, p.clock.Now())
	if err != nil {
		return err
	}
	w.ID = fmt.Sprintf("%s_%04d", id.Workspace, i)
	p.shops[s.name], p.readers[owner.Email] = opened{s, w.ID, actor, owner.Email}, reading{s.name + "/owner", s.site.Zone}
	return workspace.Found(ctx, tx, w, actor, p.clock.Now())
}

// keepFor sets the classes that a workspace has from the start, which count as
// no change.
func (p *play) keepFor(ctx context.Context, s shop) error {
	if len(s.retention) == 0 {
		return nil
	}
	return p.store.Write(ctx, func(tx *store.Tx) error {
		for dataType, class := range s.retention {
			setting := retention.Setting{Target: retention.Target{Type: dataType}, Class: class}
			if err := tx.SaveRetention(ctx, p.shops[s.name].id, setting); err != nil {
				return err
			}
		}
		return nil
	})
}

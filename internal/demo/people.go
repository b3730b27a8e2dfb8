// Package demo makes an installation that a newcomer can walk through: three
// people, one Experience workspace, a collector that reports into it, and a
// start page with the tour and the time machine. It is never part of `serve`.
package demo

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// The three people. They share one password, which the start page shows.
const (
	Password      = "tollgate-1"
	Site          = site.ID("cn1")
	OwnerEmail    = "lin@demo.example"
	OwnerName     = "lin"
	PayerName     = "demo-pay"
	PayerEmail    = "pay@demo.example"
	OperatorEmail = "ops@demo.example"
	Workspace     = "demo-shop"
)

const seeded = "demo.workspace"

// Seed makes the people and the workspace, once, and gives the workspace's
// token.
func Seed(ctx context.Context, s *store.Store, at time.Time) (token string, err error) {
	err = s.Write(ctx, func(tx *store.Tx) error {
		workspaceID, there, err := tx.Setting(ctx, seeded)
		if err != nil {
			return err
		}
		if !there {
			if workspaceID, err = people(ctx, tx, at); err != nil {
				return err
			}
		}
		t, err := tx.CurrentToken(ctx, workspaceID)
		token = t.Secret
		return err
	})
	if err != nil {
		return "", fmt.Errorf("make the demo's people: %w", err)
	}
	return token, nil
}

func people(ctx context.Context, tx *store.Tx, at time.Time) (workspaceID string, err error) {
	hash, err := account.HashPassword(Password)
	if err != nil {
		return "", err
	}
	company := account.Profile{Company: "Demo Shop Ltd", Industry: "Retail", Contact: "Lin"}
	owner := account.Studio{
		ID: id.New(id.StudioAccount), Site: Site, UserName: OwnerName, Email: OwnerEmail, Password: hash,
		Profile: company, Language: "en", CreatedAt: at,
	}
	if err := tx.InsertStudio(ctx, owner); err != nil {
		return "", err
	}
	payer := account.Billing{
		ID: id.New(id.BillingAccount), UserName: PayerName, Email: PayerEmail, Password: hash, Currency: money.CNY,
		Profile: company, Language: "en", CreatedAt: at,
	}
	if err := tx.InsertBilling(ctx, payer); err != nil {
		return "", err
	}
	operator := account.Operator{ID: id.New(id.Operator), Email: OperatorEmail, Name: "Operator", Role: account.Admin, Password: hash, Language: "en", CreatedAt: at}
	if err := tx.InsertOperator(ctx, operator); err != nil {
		return "", err
	}
	w, err := workspace.Create(ctx, tx, Site, Workspace, "en", workspace.Actor{AccountID: owner.ID}, at)
	if err != nil {
		return "", err
	}
	return w.ID, tx.SetSetting(ctx, seeded, w.ID)
}

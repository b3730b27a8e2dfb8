package store

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// advances lists what clouds were charged of a site's day before its bills, by
// workspace, in the order in which that was.
func (tx *Tx) advances(ctx context.Context, s site.ID, day period.Day) (map[string][]marketplace.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+cloudChargeColumns+`
		FROM marketplace_charge c
		WHERE c.site = $1
			AND c.day = $2
			AND c.kind = 'advance'
			AND c.bill_id = ''
		ORDER BY c.at, c.id`, string(s), day.String())
	list, err := collect(rows, err, scanCloudCharge)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	all := map[string][]marketplace.Charge{}
	for _, c := range list {
		all[c.WorkspaceID] = append(all[c.WorkspaceID], c)
	}
	return all, nil
}

// AdvancesOf gives, by workspace, what clouds have been charged of a site's day
// before its bills (bill.CloudTx).
func (tx *Tx) AdvancesOf(ctx context.Context, s site.ID, day period.Day) (map[string][]wallet.Part, error) {
	list, err := tx.advances(ctx, s, day)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	all := map[string][]wallet.Part{}
	for id, charges := range list {
		for _, c := range charges {
			part := wallet.Part{Payment: wallet.ByCloud, Account: wallet.Cloud(c.Cloud, c.Amount.Currency()), Amount: c.Amount}
			all[id] = append(all[id], part)
		}
	}
	return all, nil
}

// ChargeClouds keeps what clouds have to collect of bills of one site and day,
// besides what they were charged in advance (bill.CloudTx).
func (tx *Tx) ChargeClouds(ctx context.Context, bills []bill.Issued) error {
	var collected []*bill.Bill
	for i := range bills {
		if b := &bills[i].Bill; !b.Paid.Cloud.IsZero() {
			collected = append(collected, b)
		}
	}
	if len(collected) == 0 {
		return nil
	}
	advances, err := tx.advances(ctx, collected[0].Site, collected[0].Day)
	if err != nil {
		return err
	}
	settling, err := tx.settlingOf(ctx, collected)
	if err != nil {
		return err
	}
	var charges []marketplace.Charge
	for _, b := range collected {
		rest := b.Paid.Cloud
		for _, a := range advances[b.WorkspaceID] {
			if rest, err = tx.takeAdvance(ctx, a, b.ID, rest); err != nil {
				return err
			}
		}
		if rest.IsZero() {
			continue
		}
		c := marketplace.Charge{
			ID: marketplace.ChargeID(b.ID), Kind: marketplace.OfBill, BillID: b.ID, WorkspaceID: b.WorkspaceID, Site: b.Site, Day: b.Day, Payer: b.Payer,
			Cloud: b.Settlement, Amount: rest, Taken: money.Of(0, rest.Currency()), At: b.IssuedAt, SealAt: marketplace.NextHour(b.IssuedAt),
		}
		if s, ok := settling[b.WorkspaceID]; ok {
			c.SubscriptionID = s.ID
			if s.Over() {
				c.SealAt = c.At
			}
		}
		charges = append(charges, c)
	}
	return tx.InsertCharges(ctx, charges)
}

// takeAdvance notes that a bill took an advance into account, and gives what is
// left of what clouds collect of the bill.
func (tx *Tx) takeAdvance(ctx context.Context, a marketplace.Charge, billID string, rest money.Amount) (money.Amount, error) {
	taken := a.Amount
	over, err := taken.Cmp(rest)
	if err != nil {
		return rest, err
	}
	if over > 0 {
		taken = rest
	}
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_charge
		SET bill_id = $2, taken = $3
		WHERE id = $1
			AND bill_id = ''`, a.ID, billID, taken.Minor())
	if err := exactlyOne(n, err, fmt.Errorf("advance %s was taken meanwhile", a.ID)); err != nil {
		return rest, err
	}
	return rest.Sub(taken)
}

// settlingOf finds the subscriptions that collect bills: of each workspace the
// latest one of the bill's cloud and payer that still takes usage.
func (tx *Tx) settlingOf(ctx context.Context, bills []*bill.Bill) (map[string]marketplace.Subscription, error) {
	ids, of := make([]string, len(bills)), map[string]*bill.Bill{}
	for i, b := range bills {
		ids[i], of[b.WorkspaceID] = b.WorkspaceID, b
	}
	rows, err := tx.Query(ctx, `
		SELECT m.workspace_id, s.id, s.cloud, s.payer, s.state, s.ends_at
		FROM marketplace_settling m
		JOIN marketplace_subscription s ON s.id = m.subscription_id
		WHERE `+tx.among("m.workspace_id", 1)+`
		ORDER BY m.workspace_id, m.since`, tx.list(ids))
	found := map[string]marketplace.Subscription{}
	_, err = collect(rows, err, func(r Row) (none struct{}, err error) {
		var id string
		var ends int64
		var s marketplace.Subscription
		if err := r.Scan(&id, &s.ID, &s.Cloud, &s.Payer, &s.State, &ends); err != nil {
			return none, err
		}
		s.EndsAt = period.FromMicros(ends)
		b := of[id]
		if s.Cloud == b.Settlement && s.Payer == b.Payer && s.At(b.IssuedAt).State.Takes() {
			found[id] = s
		}
		return none, nil
	})
	return found, err
}

// collectStranded gives a subscription what waited for one of its workspace.
func (tx *Tx) collectStranded(ctx context.Context, workspaceID, subscriptionID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE marketplace_charge
		SET subscription_id = $2, seal_at = $3
		WHERE workspace_id = $1
			AND subscription_id = ''
			AND record_id = ''
			AND EXISTS (
				SELECT 1
				FROM marketplace_subscription s
				WHERE s.id = $2
					AND s.cloud = marketplace_charge.cloud
					AND s.payer = marketplace_charge.payer
			)`, workspaceID, subscriptionID, period.Micros(marketplace.NextHour(at)))
	return err
}

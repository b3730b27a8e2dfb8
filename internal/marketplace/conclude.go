package marketplace

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Conclude is the job that charges the last usage of a subscription that has
// ended, while the cloud still takes it.
type Conclude struct {
	SubscriptionID string   `json:"subscription_id"`
	Workspaces     []string `json:"workspaces"`
}

// Kind names the job for the queue.
func (Conclude) Kind() string { return "marketplace.conclude" }

// UniqueByArgs keeps one of a subscription.
func (Conclude) UniqueByArgs() bool { return true }

// ConcludeTx is what the last charges need of a transaction.
type ConcludeTx interface {
	bill.Tx
	SubscriptionKept(ctx context.Context, id string) (Subscription, error)
	// InsertCharges keeps what clouds have to collect. One that is known stays
	// as it is.
	InsertCharges(ctx context.Context, charges []Charge) error
}

// ConcludeOne charges in advance what a workspace used until the end of its
// subscription and no bill has charged yet. The bills of those days come as
// always, and take it into account; so no usage is charged twice, and a bill
// stays what the usage of its day makes of it. Done again, nothing is added.
func ConcludeOne(ctx context.Context, tx ConcludeTx, c *catalog.Catalog, subscriptionID, workspaceID string, at time.Time) error {
	s, err := tx.SubscriptionKept(ctx, subscriptionID)
	if err != nil || s.At(at).State != Ending {
		return err // too late, and whoever settles now pays for all of the day
	}
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil || w.Payer != s.Payer || w.Plan != workspace.Commercial {
		return err
	}
	if _, err := tx.LedgerHead(ctx, w.Payer); err != nil { // from here on no bill of the payer is made
		return fmt.Errorf("chain of %s: %w", w.Payer, err)
	}
	days, err := unbilled(ctx, tx, w, s.EndedAt)
	if err != nil || len(days) == 0 {
		return err
	}
	payer, err := tx.BillingByID(ctx, w.Payer)
	if err != nil {
		return err
	}
	means, _, err := wallet.Means(ctx, tx, w.Payer, payer.Currency, at)
	if err != nil {
		return err
	}
	means.Settlement = s.Cloud
	var charges []Charge
	for _, day := range days {
		var due money.Amount
		if due, means, err = soFar(ctx, tx, c, w, day, means); err != nil {
			return fmt.Errorf("usage of %s on %s: %w", w.ID, day, err)
		}
		if due.Sign() > 0 {
			charges = append(charges, Charge{
				ID: AdvanceID(s.ID, w.ID, day), Kind: Advance, WorkspaceID: w.ID, Site: w.Site, Day: day, Payer: w.Payer, Cloud: s.Cloud,
				SubscriptionID: s.ID, Amount: due, Taken: money.Of(0, due.Currency()), At: at, SealAt: at,
			})
		}
	}
	return tx.InsertCharges(ctx, charges)
}

// unbilled lists the days up to the instant of which the workspace has no bill
// and whose close is not done.
func unbilled(ctx context.Context, tx ConcludeTx, w workspace.Workspace, until time.Time) ([]period.Day, error) {
	s, err := site.Find(w.Site)
	if err != nil {
		return nil, err
	}
	last, err := tx.LastSiteDay(ctx, w.Site)
	if err != nil {
		return nil, err
	}
	first, end := period.DayOf(w.UpgradedAt, s.Zone), period.DayOf(until, s.Zone)
	if last.Begun() && !last.Day.Before(first) {
		if first = last.Day; last.Closed() {
			first = first.Add(1)
		}
	}
	var days []period.Day
	for day := first; !end.Before(day) && len(days) < mostUnbilled; day = day.Add(1) {
		billed, err := tx.Billed(ctx, []string{w.ID}, day)
		if err != nil {
			return nil, err
		}
		if !billed[w.ID] {
			days = append(days, day)
		}
	}
	return days, nil
}

// mostUnbilled bounds the days that are charged in advance at once: closes that
// are further behind are a case for a person.
const mostUnbilled = 40

func soFar(ctx context.Context, tx ConcludeTx, c *catalog.Catalog, w workspace.Workspace, day period.Day, means wallet.Deduction) (money.Amount, wallet.Deduction, error) {
	none := money.Of(0, means.Currency)
	v, err := c.At(day)
	if err != nil {
		return none, means, err
	}
	rated, err := bill.Calculate(ctx, tx, c, w, day)
	if err != nil || len(rated.Lines) == 0 {
		return none, means, err
	}
	advances, err := tx.AdvancesOf(ctx, w.Site, day)
	if err != nil {
		return none, means, err
	}
	return bill.SoFar(v, rated, means, advances[w.ID])
}

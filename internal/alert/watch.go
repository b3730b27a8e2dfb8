package alert

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Check is the job that looks through the bills of a closed day. It may run
// again: what was told is not told twice.
type Check struct {
	Site site.ID    `json:"site"`
	Day  period.Day `json:"day"`
}

// Kind names the job for the queue.
func (Check) Kind() string { return "alert.check" }

// Exceeded happens when a day's bill is more than a threshold (domain section
// 14, mail 7).
type Exceeded struct {
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	Day           period.Day
	Item          string       // or Total
	ItemName      catalog.Text // empty for the total
	Amount        money.Amount
	Threshold     money.Amount
	Recipients    []Recipient
	At            time.Time
}

// WatchTx is what the job needs of a transaction.
type WatchTx interface {
	Tx
	BillOfDay(ctx context.Context, workspaceID string, day period.Day) (bill.Bill, error)
	// WorkspacesWatched lists the workspaces, by ID after the given one, that
	// have a bill of the site's day and at least one alert.
	WorkspacesWatched(ctx context.Context, s site.ID, day period.Day, after string, limit int) ([]string, error)
}

// Watch is where bills are looked through: each workspace in a transaction of
// its own, so that one that fails does not keep the others from their mails.
type Watch struct {
	Write   func(ctx context.Context, f func(WatchTx) error) error
	Catalog *catalog.Catalog
}

// pageOf bounds the workspaces that are listed at once.
const pageOf = 500

// Check sends what is due for a day and gives the number of alerts. It goes
// through all workspaces before it returns what failed.
func (w Watch) Check(ctx context.Context, c Check, at time.Time) (sent int, err error) {
	var failed []error
	for after := ""; ; {
		var page []string
		err := w.Write(ctx, func(tx WatchTx) (err error) {
			page, err = tx.WorkspacesWatched(ctx, c.Site, c.Day, after, pageOf)
			return err
		})
		if err != nil {
			return sent, errors.Join(append(failed, fmt.Errorf("workspaces with alerts: %w", err))...)
		}
		for _, id := range page {
			n := 0
			err := w.Write(ctx, func(tx WatchTx) (err error) {
				n, err = w.look(ctx, tx, id, c.Day, at)
				return err
			})
			if err != nil {
				failed = append(failed, fmt.Errorf("alerts of %s: %w", id, err))
				n = 0
			}
			sent, after = sent+n, id
		}
		if len(page) < pageOf || ctx.Err() != nil {
			return sent, errors.Join(failed...)
		}
	}
}

// look decides about one workspace's bill.
func (w Watch) look(ctx context.Context, tx WatchTx, workspaceID string, day period.Day, at time.Time) (sent int, err error) {
	of, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return 0, err
	}
	rules, err := tx.AlertRules(ctx, workspaceID)
	if err != nil {
		return 0, err
	}
	b, err := tx.BillOfDay(ctx, workspaceID, day)
	if err != nil {
		return 0, err
	}
	broken, err := Decide(rules, b)
	if err != nil || len(broken) == 0 {
		return 0, err
	}
	team, err := tx.AlertTeam(ctx, workspaceID)
	if err != nil {
		return 0, err
	}
	for _, a := range broken {
		first, err := tx.MarkAlerted(ctx, workspaceID, a.Item, day, at)
		if err != nil {
			return 0, err
		}
		if !first {
			continue
		}
		if err := tx.Announce(ctx, w.exceeded(of, b, a, team, at)); err != nil {
			return 0, err
		}
		sent++
	}
	return sent, nil
}

func (w Watch) exceeded(of workspace.Workspace, b bill.Bill, a Alert, team []Member, at time.Time) Exceeded {
	e := Exceeded{
		WorkspaceID: of.ID, WorkspaceName: of.Name, Site: of.Site, Day: b.Day, Item: a.Item,
		Amount: a.Amount, Threshold: a.Threshold, Recipients: a.Recipients(of, team), At: at,
	}
	if a.Item == Total {
		return e
	}
	e.ItemName = catalog.Text{En: a.Item, Zh: a.Item}
	if v, err := w.Catalog.Find(b.Catalog); err == nil {
		if item, err := v.Item(a.Item); err == nil {
			e.ItemName = item.Name
		}
	}
	return e
}

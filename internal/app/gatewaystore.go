package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/logindex"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// gatewayID names the gateway of this process; its spool is in the data folder.
const gatewayID = "main"

func (a *App) openGateway(ctx context.Context) (err error) {
	if a.gateway, err = a.newGateway(ctx, a.config.Data); err == nil {
		a.flush = a.gateway.Flush
	}
	return err
}

// newGateway makes a gateway whose spool is in the folder.
func (a *App) newGateway(ctx context.Context, folder string) (*gateway.Gateway, error) {
	secret, err := a.secret(ctx)
	if err != nil {
		return nil, fmt.Errorf("the installation's meter key: %w", err)
	}
	g := gateway.New(gateway.Config{
		ID: gatewayID, SpoolPath: filepath.Join(folder, "spool.db"), Secret: secret, Sites: a.config.Sites,
		Store: gatewayStore{a}, Limits: a.limits, Alternative: a.alternative, Sink: a.sink, Now: a.clock.Now,
		FlushEvery: a.config.FlushEvery, Share: a.config.Share, Log: a.log,
	})
	a.store.OnChange(g.Invalidate)
	return g, nil
}

// limits are the Experience plan's quotas at an instant. A catalogue without
// a version for the day admits nothing rather than everything.
func (a *App) limits(at time.Time) quota.Limits {
	v, err := a.catalog.At(period.DayOf(at, time.UTC))
	if err != nil {
		a.log.Error("no catalogue for today", "err", err)
		return quota.Limits{meter.Series: 0, meter.Logs: 0}
	}
	return v.QuotaLimits()
}

// alternative is the second counter of an item, as the catalogue has it now.
func (a *App) alternative(item string) (counter string, zeros int) {
	v, err := a.catalog.At(period.DayOf(a.clock.Now(), time.UTC))
	if err != nil {
		return "", 0
	}
	at, ok := v.Position(item)
	if !ok {
		return "", 0
	}
	return v.Items[at].Alternative.Counter, v.Items[at].Alternative.Exponent
}

// gatewayStore is the store as the gateway asks it.
type gatewayStore struct{ *App }

// dataTypes are the retention types of what the gateway takes. Objects, network
// data and dial results have none of their own and are kept as long as logs.
var dataTypes = map[meter.Type]string{
	meter.Metric: retention.Metrics, meter.Logging: retention.Logs, meter.Event: "events",
	meter.Tracing: "apm_trace", meter.Profiling: "apm_profile", meter.RUM: "rum", meter.Replaying: "rum",
	meter.Security: "security_check",
}

func classes(s retention.Settings) map[meter.Type]string {
	all := make(map[meter.Type]string, len(dataTypes))
	for m, dataType := range dataTypes {
		all[m] = s.Class(dataType)
	}
	return all
}

// indexClasses are those of the log indexes that have one of their own.
func indexClasses(s retention.Settings) map[string]string {
	own := s.Indexes()
	all := make(map[string]string, len(own))
	for _, setting := range own {
		all[setting.Index] = setting.Class
	}
	return all
}

// TenantByToken finds whose token it is.
func (g gatewayStore) TenantByToken(ctx context.Context, token string) (gateway.Tenant, error) {
	var t gateway.Tenant
	var chosen []retention.Setting
	var routing logindex.Routing
	var way logcount.Way
	err := g.store.Read(ctx, func(tx *store.Tx) (err error) {
		if t.Workspace, t.Token, err = tx.WorkspaceByToken(ctx, token); err == nil {
			chosen, err = tx.RetentionSettings(ctx, t.Workspace.ID)
		}
		if err == nil && t.Workspace.Plan == workspace.Commercial {
			routing, err = tx.LogRouting(ctx, t.Workspace.ID)
		}
		if err == nil && t.Workspace.Plan == workspace.Commercial {
			way, err = tx.LogCount(ctx, t.Workspace.ID)
		}
		return err
	})
	if err != nil {
		return t, err
	}
	v, err := g.version(t.Workspace.Site)
	if err != nil {
		return t, err
	}
	settings := retention.Of(t.Workspace.Plan, v).With(chosen, g.clock.Now())
	t.Options = way.Options()
	t.Classes, t.NextAt = classes(settings), settings.NextAt()
	t.Indexes = gateway.Indexes{Router: routing.Router(settings.Indexes()), Classes: indexClasses(settings)}
	if !t.NextAt.IsZero() {
		next := settings.With(chosen, t.NextAt)
		t.Next, t.Indexes.Next = classes(next), indexClasses(next)
	}
	return t, nil
}

// version is the catalogue in effect at a site now.
func (a *App) version(id site.ID) (*catalog.Version, error) {
	s, err := site.Find(id)
	if err != nil {
		return nil, err
	}
	return a.catalog.At(period.DayOf(a.clock.Now(), s.Zone))
}

// NextEpoch starts an epoch of the gateway.
func (g gatewayStore) NextEpoch(ctx context.Context, id string) (epoch int64, err error) {
	err = g.store.Write(ctx, func(tx *store.Tx) error {
		epoch, err = tx.NextEpoch(ctx, id, g.clock.Now())
		return err
	})
	return epoch, err
}

// AddUsage adds a batch, once.
func (g gatewayStore) AddUsage(ctx context.Context, b usage.Batch) error {
	return g.store.Write(ctx, func(tx *store.Tx) error { return tx.AddUsage(ctx, b) })
}

// UsageToday gives what a workspace's generation has used today.
func (g gatewayStore) UsageToday(ctx context.Context, w workspace.Workspace, day period.Day) (gateway.Today, error) {
	var today gateway.Today
	s, err := site.Find(w.Site)
	if err != nil {
		return today, err
	}
	err = g.store.Read(ctx, func(tx *store.Tx) error {
		samples, err := tx.UsageBetween(ctx, w.ID, w.Generation, day.Start(s.Zone), day.End(s.Zone))
		if err != nil {
			return err
		}
		today.Members, err = tx.MembersOf(ctx, w.ID, w.Generation, day)
		sums := map[usage.Key]int64{}
		for _, sample := range samples {
			if _, distinct := today.Members[sample.Key]; !distinct {
				sums[sample.Key] += sample.Quantity
			}
		}
		for k, q := range sums {
			today.Totals = append(today.Totals, usage.Total{Key: k, Quantity: q})
		}
		return err
	})
	return today, err
}

// SaveNotices tells the members of a workspace of quotas that run out.
func (g gatewayStore) SaveNotices(ctx context.Context, notices []quota.Notice) error {
	return g.store.Write(ctx, func(tx *store.Tx) error {
		for _, n := range notices {
			if err := tx.SaveNotice(ctx, n.Message(g.clock.Now())); err != nil {
				return err
			}
		}
		return nil
	})
}

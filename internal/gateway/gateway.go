// Package gateway is the door for reports: it speaks to collectors, counts
// what they send, holds a workspace to its quotas, and hands data to the sink
// and usage to the store.
//
// It owns the wire (paths, encodings, answers), the order in which a report is
// admitted, stored, spooled and acknowledged, and the spool. It does not own
// what a report means (meter), the rule of quotas (quota), where data lies
// (sink) or what usage becomes (usage, store).
//
// Always true: a report is acknowledged after the sink has it and its usage is
// durable in the spool, and not before; what is not acknowledged is counted
// nowhere; a report that comes again is counted once; concurrent reports never
// pass a quota together; every report is stamped with the data generation and
// the retention class that its workspace had at admission, and counts for
// those; a series counts once a day, in the class in which it first reported.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// Faults of the gateway itself; most that it answers are meter's, quota's and
// workspace's.
var (
	errTokenMissing = fault.New(fault.Unauthenticated, "token_missing", "The report carries no workspace token.")
	errEncoding     = fault.New(fault.Unsupported, "encoding_unsupported", "The report's Content-Encoding or Content-Type is not spoken here.")
	errMismatch     = fault.New(fault.Invalid, "encoding_mismatch", "The body is not what its Content-Encoding says, or it is cut off.")
	errTruncated    = fault.New(fault.Invalid, "body_truncated", "The body ended before its announced end.")
	errPrecision    = fault.New(fault.Invalid, "precision_unknown", "The precision is none of ns, us, ms and s.")
	errCategory     = fault.New(fault.NotFound, "category_not_offered", "This category of data is not taken here.")
	errPath         = fault.New(fault.NotFound, "path_unknown", "There is nothing at this path, or not for this method.")
	errCandidate    = fault.New(fault.Invalid, "candidate_malformed", "An election needs an id of 1 to 256 characters.")
	errUnavailable  = fault.New(fault.Unavailable, "unavailable", "The report could not be stored just now. Nothing of it is counted; send it again.")
	errSlow         = fault.New(fault.Unavailable, "body_too_slow", "The body did not arrive in time. Send it again.")
)

// Store is what the gateway needs of the state of the installation. Every
// method is one transaction.
type Store interface {
	// TenantByToken finds whose token it is, or workspace.ErrTokenUnknown.
	TenantByToken(ctx context.Context, token string) (Tenant, error)
	// NextEpoch starts a new epoch of a gateway whose spool is empty and new.
	NextEpoch(ctx context.Context, gatewayID string) (int64, error)
	// AddUsage adds the batch unless it is there already.
	AddUsage(ctx context.Context, b usage.Batch) error
	// UsageToday gives what the workspace's generation (that of w) has used on
	// the service day: totals of its sums, and the members of its sets.
	UsageToday(ctx context.Context, w workspace.Workspace, day period.Day) (Today, error)
	// SaveNotices keeps each notice once per workspace, item, day and level.
	SaveNotices(ctx context.Context, notices []quota.Notice) error
}

// Tenant is whom a token belongs to.
type Tenant struct {
	Workspace workspace.Workspace
	Token     workspace.Token
	Classes   map[meter.Type]string // the retention class of each type now; at least metric and logging
	Next      map[meter.Type]string // those from NextAt on
	NextAt    time.Time             // when a change that waits acts; zero when none does
	Indexes   Indexes               // where its logs go, and for how long
	Options   meter.Options         // how it is counted where it is not as usual
}

// class is how long a report of the type, received at the instant, is kept.
// What has no class of its own, as objects, is kept as long as logs are.
func (t Tenant) class(m meter.Type, at time.Time) string {
	classes := t.Classes
	if !t.NextAt.IsZero() && !at.Before(t.NextAt) {
		classes = t.Next
	}
	if c := classes[m]; c != "" {
		return c
	}
	return classes[meter.Logging]
}

// counted is the class under which a part of a report is counted; a price that
// depends on none has no class.
func (t Tenant) counted(p meter.Part, at time.Time) string {
	if p.Priced == "" {
		return catalog.NoClass
	}
	return t.indexClass(p.Priced, p.Index, at)
}

// Today is what a workspace has used on a service day so far.
type Today struct {
	Totals  []usage.Total
	Members map[usage.Key][]uint64
}

// Config is what a gateway is made of.
type Config struct {
	ID        string    // names the gateway in the installation: one spool, one ID
	SpoolPath string    // a SQLite file, made if it is not there
	Secret    [32]byte  // of the installation: the key of the series hashes
	Sites     []site.ID // whose tokens are taken; empty for all
	Store     Store
	Limits    func(at time.Time) quota.Limits // of the Experience plan
	// Alternative is the second counter of an item that has one, and the number
	// of its zeros: ten spans are a trace. Nil where no item has one.
	Alternative func(item string) (counter string, zeros int)
	Sink        sink.Sink
	Now         func() time.Time // the installation's clock
	FlushEvery  time.Duration    // how often usage goes to the store; 0 for a second
	Share       Share            // what one workspace may take
	Log         *slog.Logger
}

// Gateway takes reports between Start and Stop.
type Gateway struct {
	Config
	counter meter.Counter
	points  bool // the sink looks at points, so that they have to be made
	clock   *clock
	tenants *tenants
	desks   *desks
	claims  *claims
	stats   *stats
	room    *room
	traffic *traffic
	ready   atomic.Bool

	elections elections

	bodyTime time.Duration // how long a body may take

	spool    *spool
	flushing sync.Mutex // one flush at a time, so that batches go in order
	noticeMu sync.Mutex
	notices  []quota.Notice // not yet saved
	stop     context.CancelFunc
	stopped  chan struct{}
}

// New makes a gateway. It opens nothing: that is Start's part.
func New(c Config) *Gateway {
	if c.FlushEvery == 0 {
		c.FlushEvery = time.Second
	}
	g := &Gateway{
		Config: c, counter: meter.NewCounter(c.Secret), points: sink.Reads(c.Sink), clock: newClock(c.Now), desks: newDesks(c.Store),
		claims: newClaims(), room: newRoom(), traffic: newTraffic(c.Share, c.Now), stopped: make(chan struct{}), bodyTime: bodyTime,
	}
	g.stats = newStats(g)
	g.tenants = newTenants(c.Store, c.Now)
	return g
}

// Start opens the spool, hands over what an earlier life has left in it, and
// flushes from then on. Until the store has taken the leftovers, reports are
// answered 503: quotas could not be told exactly before.
func (g *Gateway) Start(ctx context.Context) error {
	s, err := openSpool(ctx, g.SpoolPath, g.ID)
	if err != nil {
		return fmt.Errorf("open the spool of gateway %s: %w", g.ID, err)
	}
	g.spool = s
	g.clock.notBefore(s.through)
	if err := g.recover(ctx); err != nil {
		g.Log.Warn("the store does not take the spool yet; reports have to wait", "gateway", g.ID, "error", err)
	}
	loop, stop := context.WithCancel(context.Background())
	g.stop = stop
	go g.run(loop)
	return nil
}

// recover names the spool's epoch, if it is new, and empties it.
func (g *Gateway) recover(ctx context.Context) error {
	if g.spool.epoch == 0 {
		epoch, err := g.Store.NextEpoch(ctx, g.ID)
		if err != nil {
			return fmt.Errorf("begin an epoch: %w", err)
		}
		if err := g.spool.begin(ctx, epoch); err != nil {
			return fmt.Errorf("begin an epoch: %w", err)
		}
	}
	if err := g.Flush(ctx); err != nil {
		return err
	}
	g.ready.Store(true)
	return nil
}

// Stop takes no more reports, waits for those under way, flushes, and closes
// the spool. What the store does not take stays in the spool for the next
// Start. The sink is its owner's to close.
func (g *Gateway) Stop(ctx context.Context) error {
	if g.stop == nil {
		return nil // never started: there is nothing to hand over
	}
	g.ready.Store(false)
	g.stop()
	<-g.stopped
	for range cap(g.room.slots) {
		select {
		case g.room.slots <- struct{}{}:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("wait for reports under way: %w", ctx.Err()), g.spool.close())
		}
	}
	return errors.Join(g.Flush(ctx), g.spool.close())
}

// Invalidate forgets what is known of a workspace's tokens: call it after a
// change of its plan, state, tokens or classes, and every report that begins
// afterwards meets the change. Without the call it takes effect within
// tenantAge. All tenants are read anew: a change is rare and a read is cheap.
func (g *Gateway) Invalidate(workspaceID string) {
	g.Log.Debug("tenants are read anew", "changed", workspaceID)
	g.tenants.invalidate()
}

// Handler is the gateway's own mux.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/write/{category}", g.report(dataway, datawayReport))
	mux.HandleFunc("GET /v1/ntp", g.ntp)
	mux.HandleFunc("GET /v1/datakit/pull", g.pull)
	mux.HandleFunc("POST /v1/datakit/usage_trace", g.usageTrace)
	mux.HandleFunc("POST /v1/write/rum/replay", g.report(dataway, g.replayReport))
	mux.HandleFunc("POST /v1/upload/profiling", g.report(dataway, g.profileReport))
	mux.HandleFunc("POST /v1/election", g.election)
	mux.HandleFunc("POST /v1/election/heartbeat", g.election)
	mux.HandleFunc("GET /v1/check/token/{token}", g.checkToken)
	mux.HandleFunc("POST /v1/workspace", g.workspaceState)
	mux.HandleFunc("POST /api/v1/write", g.report(remoteWrite, remoteWriteReport))
	for path := range otlpPaths {
		mux.HandleFunc("POST "+path, g.report(otlp, otlpReport))
	}
	mux.HandleFunc("POST /loki/api/v1/push", g.report(loki, lokiReport))
	mux.HandleFunc("POST /api/v2/write", g.report(influxV2, influxReport))
	mux.HandleFunc("POST /write", g.report(influxV1, influxReport))
	mux.HandleFunc("GET /ping", g.ping)
	mux.HandleFunc("GET /healthz", g.healthz)
	mux.HandleFunc("/", g.unknownPath)
	return mux
}

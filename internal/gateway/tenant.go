package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// How long what is known of a token holds: changes by this process are told by
// Invalidate, those by another one are seen within tenantAge; a token that is
// unknown is asked for again after unknownAge.
const (
	tenantAge  = 500 * time.Millisecond
	unknownAge = 2 * time.Second
)

// maxTenants bounds the cache; strangers with random tokens must not fill the
// memory. longestToken bounds a key of it.
const (
	maxTenants   = 20_000
	longestToken = 128
)

// tenants remembers whose token is whose, for a moment.
type tenants struct {
	store Store
	now   func() time.Time

	mu      sync.Mutex
	entries map[string]*entry
	changes int64 // grows with every Invalidate
}

// entry is one token. Its lock makes concurrent reports of a token ask once.
type entry struct {
	mu      sync.Mutex
	tenant  Tenant
	err     error // nil or workspace.ErrTokenUnknown
	readAt  time.Time
	changes int64 // as it was before the entry was read; -1 forces a new read
}

func newTenants(s Store, now func() time.Time) *tenants {
	return &tenants{store: s, now: now, entries: map[string]*entry{}}
}

// find gives the tenant of a token, or the fault for its holder.
func (c *tenants) find(ctx context.Context, token string) (Tenant, error) {
	switch {
	case token == "":
		return Tenant{}, errTokenMissing
	case len(token) > longestToken:
		return Tenant{}, workspace.ErrTokenUnknown
	}
	e := c.entry(token)
	e.mu.Lock()
	defer e.mu.Unlock()
	for !c.fresh(e) {
		changes := c.changeCount()
		t, err := c.store.TenantByToken(ctx, token)
		if err != nil && !errors.Is(err, workspace.ErrTokenUnknown) {
			return Tenant{}, errUnavailable.Because(err)
		}
		// A change that was told while the store was being read may not be
		// in what was read: fresh then sees an older count and reads again.
		e.tenant, e.err, e.readAt, e.changes = t, err, c.now(), changes
	}
	return e.tenant, e.err
}

func (c *tenants) entry(token string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[token]
	if e == nil {
		if len(c.entries) >= maxTenants {
			clear(c.entries)
		}
		e = &entry{changes: -1}
		c.entries[token] = e
	}
	return e
}

func (c *tenants) fresh(e *entry) bool {
	age, limit := c.now().Sub(e.readAt), tenantAge
	if e.err != nil {
		limit = unknownAge
	}
	return e.changes == c.changeCount() && age >= 0 && age < limit
}

func (c *tenants) changeCount() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changes
}

// invalidate makes every entry stale: a change is rare, a read is cheap, and
// which tokens a workspace has may be just what changed.
func (c *tenants) invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
}

// tenant says whose report it is, or why it is refused whatever it brings.
func (g *Gateway) tenant(ctx context.Context, token string) (Tenant, error) {
	t, err := g.tenants.find(ctx, token)
	if err != nil {
		return t, err
	}
	if !t.Token.Holds(g.Now()) || len(g.Sites) > 0 && !slices.Contains(g.Sites, t.Workspace.Site) {
		return t, workspace.ErrTokenUnknown
	}
	return t, t.Workspace.Accepts()
}

// zone is where the workspace's midnight is.
func (t Tenant) zone() (*time.Location, error) {
	s, err := site.Find(t.Workspace.Site)
	if err != nil {
		return nil, errUnavailable.Because(err)
	}
	return s.Zone, nil
}

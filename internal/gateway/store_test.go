package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quota"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// memory is a Store that keeps its promises: batches move a mark and add
// nothing twice, notices are kept once. With a journal it survives a kill.
type memory struct {
	mu      sync.Mutex
	tenants map[string]Tenant
	reads   int
	epoch   int64
	seq     int64
	batches int // that added something, even if empty
	through time.Time
	sums    map[usage.Delta]int64 // by key and hour; Add is zero
	sets    map[distinctKey]map[uint64]bool
	notices map[quota.Notice]int // Used is zero
	journal *os.File

	refuse error // every write fails with it
	forget bool  // AddUsage adds and then fails: the answer was lost
}

func newMemory(tenants ...Tenant) *memory {
	m := &memory{tenants: map[string]Tenant{}, sums: map[usage.Delta]int64{}, sets: map[distinctKey]map[uint64]bool{}, notices: map[quota.Notice]int{}}
	for _, t := range tenants {
		m.tenants[t.Token.Secret] = t
	}
	return m
}

func (m *memory) TenantByToken(_ context.Context, token string) (Tenant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reads++
	t, ok := m.tenants[token]
	if !ok {
		return Tenant{}, workspace.ErrTokenUnknown
	}
	return t, nil
}

func (m *memory) set(t Tenant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tenants[t.Token.Secret] = t
}

func (m *memory) fail(err error, forget bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse, m.forget = err, forget
}

var errLost = errors.New("the answer was lost")

func (m *memory) NextEpoch(context.Context, string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return 0, m.refuse
	}
	m.epoch, m.seq = m.epoch+1, 0
	return m.epoch, m.log(usage.Batch{Epoch: m.epoch})
}

func (m *memory) AddUsage(_ context.Context, b usage.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	if err := m.log(b); err != nil {
		return err
	}
	m.apply(b)
	if m.forget {
		return errLost
	}
	return nil
}

func (m *memory) apply(b usage.Batch) {
	if b.Epoch < m.epoch || b.Epoch == m.epoch && b.Seq <= m.seq {
		return
	}
	m.epoch, m.seq = b.Epoch, b.Seq
	m.batches++
	if b.Through.After(m.through) {
		m.through = b.Through
	}
	for _, d := range b.Deltas {
		m.sums[usage.Delta{Key: d.Key, Hour: d.Hour}] += d.Add
	}
	for _, d := range b.Distincts {
		key := distinctKey{Key: d.Key, day: d.Day}
		if m.sets[key] == nil {
			m.sets[key] = map[uint64]bool{}
		}
		for _, h := range d.Members {
			m.sets[key][h] = true
		}
	}
}

func (m *memory) log(b usage.Batch) error {
	if m.journal == nil {
		return nil
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	if _, err := m.journal.Write(append(text, '\n')); err != nil {
		return err
	}
	return m.journal.Sync()
}

// replay opens the journal and applies what is in it.
func (m *memory) replay(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	for d := json.NewDecoder(f); ; {
		var b usage.Batch
		if err := d.Decode(&b); err != nil {
			break // the end, or the torn last line of a kill
		}
		m.apply(b)
		m.epoch = max(m.epoch, b.Epoch)
	}
	if _, err := fmt.Fprintln(f); err != nil { // a torn line ends here
		return err
	}
	m.journal = f
	return nil
}

func (m *memory) UsageToday(_ context.Context, w workspace.Workspace, day period.Day) (Today, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	today := Today{Members: map[usage.Key][]uint64{}}
	for d, n := range m.sums {
		if d.WorkspaceID == w.ID && d.Generation == w.Generation && period.DayOf(d.Hour, shanghai) == day {
			today.Totals = append(today.Totals, usage.Total{Key: d.Key, Quantity: n})
		}
	}
	for key, set := range m.sets {
		if key.WorkspaceID == w.ID && key.Generation == w.Generation && key.day == day {
			for h := range set {
				today.Members[key.Key] = append(today.Members[key.Key], h)
			}
		}
	}
	return today, nil
}

func (m *memory) SaveNotices(_ context.Context, notices []quota.Notice) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return m.refuse
	}
	for _, n := range notices {
		n.Used = 0
		m.notices[n]++
	}
	return nil
}

// series and logs are what the store has of a generation, over all days.
func (m *memory) series(g workspace.Generation) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, set := range m.sets {
		if key.Generation == g && key.Item == meter.Series {
			n += len(set)
		}
	}
	return n
}

func (m *memory) logs(g workspace.Generation) (n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d, v := range m.sums {
		if d.Generation == g && d.Item == meter.Logs {
			n += v
		}
	}
	return n
}

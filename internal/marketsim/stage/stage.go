// Package stage is what the simulated clouds stand on: a clock that tests move,
// faults that are asked for, a journal of what came in and went out, a courier
// for callbacks, names that a seed decides, and the frame of their pages.
//
// It owns nothing that a cloud says or signs. Always true: it imports nothing
// of this house, and with the same seed and the same requests in the same order
// the same names come out.
package stage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options are what a stage is built from.
type Options struct {
	Now     func() time.Time // the clock that business goes by: usage, subscriptions, expiry
	RealNow func() time.Time // the clock that signatures and rate limits go by
	Seed    uint64
	Gaps    []time.Duration // before each attempt of a callback; the last one repeats
}

// Stage is shared by the clouds of one simulation.
type Stage struct {
	now, realNow func() time.Time
	gaps         []time.Duration
	offset, skew atomic.Int64

	mu      sync.Mutex
	kept    kept
	senders map[string]Sender

	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

// kept is what a file keeps of a stage.
type kept struct {
	Seed      uint64        `json:"seed"`
	Names     uint64        `json:"names"`
	Offset    time.Duration `json:"offset"`
	Skew      time.Duration `json:"skew"`
	Faults    []Fault       `json:"faults"`
	Entries   uint64        `json:"entries"`
	Journal   []Entry       `json:"journal"`
	Callbacks []*Callback   `json:"callbacks"`
	Hold      bool          `json:"hold"`
}

// New makes a stage. Callbacks go out once Start is called.
func New(o Options) *Stage {
	if len(o.Gaps) == 0 {
		o.Gaps = []time.Duration{0, 2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute}
	}
	return &Stage{now: o.Now, realNow: o.RealNow, gaps: o.Gaps, kept: kept{Seed: o.Seed}, senders: map[string]Sender{}}
}

// Now is the instant that business goes by.
func (s *Stage) Now() time.Time { return s.now().Add(time.Duration(s.offset.Load())).UTC() }

// Signed is the instant that signatures carry, and that they are aged by.
func (s *Stage) Signed() time.Time { return s.realNow().UTC() }

// SignedOut is the instant that callbacks carry: Signed, and what the skew of a
// wrong clock adds.
func (s *Stage) SignedOut() time.Time { return s.Signed().Add(time.Duration(s.skew.Load())) }

// Clock says how far business and the clock of callbacks are off.
func (s *Stage) Clock() (offset, skew time.Duration) {
	return time.Duration(s.offset.Load()), time.Duration(s.skew.Load())
}

// SetClock moves them.
func (s *Stage) SetClock(offset, skew time.Duration) {
	s.offset.Store(int64(offset))
	s.skew.Store(int64(skew))
}

// Name is a name that nobody has yet: n hexadecimal characters, at most 64.
func (s *Stage) Name(n int) string {
	sum := s.draw()
	return hex.EncodeToString(sum[:])[:n]
}

// Digits is a number that nobody has yet, of n digits, at most 18; the first is
// no zero.
func (s *Stage) Digits(n int) string {
	sum := s.draw()
	text := fmt.Sprintf("%018d", binary.BigEndian.Uint64(sum[:])%1_000_000_000_000_000_000)[:n]
	if text[0] == '0' {
		text = "7" + text[1:]
	}
	return text
}

// UUID is a name in the form of one.
func (s *Stage) UUID() string {
	n := s.Name(32)
	return n[:8] + "-" + n[8:12] + "-4" + n[13:16] + "-8" + n[17:20] + "-" + n[20:]
}

// Shuffle puts n things into an order that the seed decides.
func (s *Stage) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		sum := s.draw()
		swap(i, int(binary.BigEndian.Uint32(sum[:])%uint32(i+1)))
	}
}

func (s *Stage) draw() [32]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Names++
	return sha256.Sum256(fmt.Appendf(nil, "%d/%d", s.kept.Seed, s.kept.Names))
}

// Direction says who asked whom.
type Direction string

// The directions.
const (
	In  Direction = "in"  // the vendor called the cloud
	Out Direction = "out" // the cloud called the vendor
)

// Entry is a line of the journal.
type Entry struct {
	Number    uint64    `json:"number"`
	At        time.Time `json:"at"`
	Cloud     string    `json:"cloud"`
	Direction Direction `json:"direction"`
	Operation string    `json:"operation"`
	Status    int       `json:"status"` // 0: no answer was given
	Code      string    `json:"code,omitempty"`
	Fault     string    `json:"fault,omitempty"`
	Request   string    `json:"request,omitempty"`
	Answer    string    `json:"answer,omitempty"`
}

// The journal keeps the latest entries, and of each text the beginning.
const (
	mostEntries = 5000
	longestText = 8 << 10
)

// Note writes an entry.
func (s *Stage) Note(e Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Entries++
	e.Number, e.At = s.kept.Entries, s.Now()
	e.Request, e.Answer = cut(e.Request), cut(e.Answer)
	if len(s.kept.Journal) >= mostEntries {
		s.kept.Journal = slices.Delete(s.kept.Journal, 0, mostEntries/10)
	}
	s.kept.Journal = append(s.kept.Journal, e)
}

func cut(text string) string {
	if len(text) > longestText {
		return text[:longestText] + "…"
	}
	return text
}

// Journal lists the latest entries, oldest first; an empty cloud is all.
func (s *Stage) Journal(cloud string) []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Entry{}
	for _, e := range s.kept.Journal {
		if cloud == "" || e.Cloud == cloud {
			found = append(found, e)
		}
	}
	return found
}

// Reset empties the stage. Callbacks under way are forgotten: what they are
// answered changes nothing.
func (s *Stage) Reset(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = kept{Seed: seed}
	s.offset.Store(0)
	s.skew.Store(0)
}

// Snapshot is the stage as a file keeps it.
func (s *Stage) Snapshot() (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	offset, skew := s.Clock()
	s.kept.Offset, s.kept.Skew = offset, skew
	return json.Marshal(s.kept)
}

// Restore takes what Snapshot gave.
func (s *Stage) Restore(text json.RawMessage) error {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return fmt.Errorf("reading the stage: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = k
	s.SetClock(k.Offset, k.Skew)
	return nil
}

package meter

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// Known remembers what of a workspace's reports stands for series that are
// counted already on its service day: of a line everything before its fields,
// together with the keys of its fields; of a series of remote write its labels
// as they came. What is known needs not be taken apart, sorted and hashed
// again, and adds nothing.
//
// Always true: what is known was read whole by the plain decoder, and its
// series were settled, before it was learned; whoever turns to another day
// begins with another Known. So a report counts the same with it and without.
//
// What is remembered are hashes of 64 bits: two different beginnings of one
// hash would make the second free for that day, and nobody pay more for it. It
// must not be findable either. The hash is the runtime's own of maps, which is
// made for keys that an enemy chooses; its seed is drawn for this Known alone,
// leaves no process and ends with the day, so that nothing that was found out
// about it is of any use the next day. The hash that is billed by remains
// SipHash.
type Known struct {
	seed   maphash.Seed
	budget *Budget

	mu      sync.RWMutex
	layouts []*layout
	index   map[string]*layout
	labels  hashes
	taken   int64 // of the budget
}

// layout is a sequence of numeric fields, and the lines that had it.
type layout struct {
	keys  [][]byte // each with its equals sign
	lines hashes
}

// The bounds of the lines that are remembered: of more layouts, or of longer
// ones, every line is taken apart.
const (
	maxLayouts = 256
	maxFields  = 64
)

// Budget bounds what all that is known takes together, in bytes.
type Budget struct{ left atomic.Int64 }

// NewBudget is of so many bytes.
func NewBudget(bytes int64) *Budget {
	b := &Budget{}
	b.left.Store(bytes)
	return b
}

func (b *Budget) take(bytes int64) bool {
	if b.left.Add(-bytes) < 0 {
		b.left.Add(bytes)
		return false
	}
	return true
}

// NewKnown knows nothing yet.
func NewKnown(b *Budget) *Known {
	return &Known{seed: maphash.MakeSeed(), budget: b, index: map[string]*layout{}}
}

// Forget gives back what it takes: it is used no more.
func (k *Known) Forget() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.budget.left.Add(k.taken)
	k.taken, k.layouts, k.index, k.labels = 0, nil, map[string]*layout{}, hashes{}
}

// Learn remembers what a report brought that was not known: its series are
// settled. What the budget does not allow is not remembered.
func (k *Known) Learn(d Digest) {
	if d.known != k || len(d.lines) == 0 && len(d.labels) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range d.lines {
		if l := k.layout(f); l != nil {
			k.add(&l.lines, f.hashes)
		}
	}
	k.add(&k.labels, d.labels)
}

// layoutBytes is what a layout of so many bytes of keys takes, roughly.
func layoutBytes(keys int) int64 { return int64(256 + 4*keys) }

func (k *Known) layout(f freshLines) *layout {
	l := k.index[f.layout]
	if l != nil || len(k.layouts) >= maxLayouts || !k.budget.take(layoutBytes(len(f.layout))) {
		return l
	}
	k.taken += layoutBytes(len(f.layout))
	l = &layout{}
	for rest := []byte(f.layout); len(rest) > 0; {
		n := int(rest[0]) | int(rest[1])<<8
		l.keys = append(l.keys, rest[2:2+n:2+n])
		rest = rest[2+n:]
	}
	k.index[f.layout] = l
	k.layouts = append(k.layouts, l)
	return l
}

func (k *Known) add(to *hashes, list []uint64) {
	for _, h := range list {
		if to.has(h) {
			continue
		}
		if grown := to.growth(); grown > 0 {
			if !k.budget.take(grown) {
				return
			}
			k.taken += grown
			to.grow()
		}
		to.add(h)
	}
}

// hashes is a set of hashes, none of which is 0, in a table of open addressing
// that is three quarters full at most.
type hashes struct {
	slots []uint64
	count int
}

func (s *hashes) has(h uint64) bool {
	if s.count == 0 {
		return false
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return true
		case 0:
			return false
		}
	}
}

// growth is by how many bytes it has to grow before another one is added.
func (s *hashes) growth() int64 {
	if 4*(s.count+1) <= 3*len(s.slots) {
		return 0
	}
	return int64(8 * max(smallest, len(s.slots)))
}

func (s *hashes) grow() {
	old := s.slots
	*s = hashes{slots: make([]uint64, max(smallest, 2*len(old)))}
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

// add puts one in that is not there, where there is room.
func (s *hashes) add(h uint64) {
	mask := uint64(len(s.slots) - 1)
	i := h & mask
	for s.slots[i] != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = h
	s.count++
}

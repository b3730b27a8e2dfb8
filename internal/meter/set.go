package meter

import "math"

// Set counts the distinct members of a day exactly: an open-addressing table
// of 64-bit keyed hashes, each slot stamped with the epoch in which it was
// taken. A new day is a new epoch and costs nothing: the slots of older epochs
// are free. Nothing is ever removed within an epoch, so that a search may end
// at the first slot of another one. The zero Set is empty and ready.
//
// The members are evenly spread already, being keyed hashes: the low bits are
// the place to look.
type Set struct {
	members []uint64
	epochs  []uint16 // 0 is a slot that was never taken
	epoch   uint16
	count   int
}

// smallest is the number of slots that a set starts with; a power of two.
const smallest = 64

// Len is the number of members of this epoch.
func (s *Set) Len() int { return s.count }

// Has reports whether the member is in the set.
func (s *Set) Has(member uint64) bool {
	if s.count == 0 {
		return false
	}
	_, found := s.find(member)
	return found
}

// Add puts the member into the set and reports whether it is new.
func (s *Set) Add(member uint64) bool {
	if 4*(s.count+1) > 3*len(s.members) {
		s.grow()
	}
	slot, found := s.find(member)
	if found {
		return false
	}
	s.members[slot], s.epochs[slot] = member, s.epoch
	s.count++
	return true
}

// Reset empties the set and keeps its room, unless the last epoch used less
// than an eighth of it.
func (s *Set) Reset() {
	if s.epoch == math.MaxUint16 || len(s.members) > smallest && 8*s.count < len(s.members) {
		*s = Set{}
		return
	}
	if s.epoch > 0 {
		s.epoch++
	}
	s.count = 0
}

// find is the slot of the member, or the free one where it belongs. There is
// always a free one: the table is at most three quarters full.
func (s *Set) find(member uint64) (slot int, found bool) {
	mask := len(s.members) - 1
	for i := int(member) & mask; ; i = (i + 1) & mask {
		if s.epochs[i] != s.epoch {
			return i, false
		}
		if s.members[i] == member {
			return i, true
		}
	}
}

// grow doubles the table and brings over the members of this epoch alone.
func (s *Set) grow() {
	old := *s
	size := max(smallest, 2*len(old.members))
	*s = Set{members: make([]uint64, size), epochs: make([]uint16, size), epoch: 1, count: old.count}
	for i, m := range old.members {
		if old.epochs[i] == old.epoch {
			slot, _ := s.find(m)
			s.members[slot], s.epochs[slot] = m, s.epoch
		}
	}
}

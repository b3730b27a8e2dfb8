package stage

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// FaultKind is what goes wrong with a call.
type FaultKind string

// The kinds.
const (
	Throttle FaultKind = "throttle" // refused for being too frequent
	Failure  FaultKind = "error"    // an error of the server; nothing was done
	Slow     FaultKind = "slow"     // answered late, after Millis
	Lost     FaultKind = "lost"     // done, but the answer does not arrive
	Severed  FaultKind = "severed"  // the connection ends before anything is done
	Partial  FaultKind = "partial"  // Rows of the call are not taken
)

// FaultKinds lists them.
func FaultKinds() []FaultKind { return []FaultKind{Throttle, Failure, Slow, Lost, Severed, Partial} }

// Fault is asked for by a test: the next Times calls of an operation go wrong.
type Fault struct {
	Cloud     string    `json:"cloud"`
	Operation string    `json:"operation,omitempty"` // empty: any
	Kind      FaultKind `json:"kind"`
	Times     int       `json:"times"`
	Rows      int       `json:"rows,omitempty"`
	Millis    int       `json:"millis,omitempty"`
}

const mostFaults = 1000

// Ask arranges for a fault.
func (s *Stage) Ask(f Fault) error {
	if f.Times == 0 {
		f.Times = 1
	}
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fmt.Errorf("kind %q: choose of %v", f.Kind, FaultKinds())
	case f.Times < 0 || f.Times > mostFaults || f.Rows < 0 || f.Millis < 0 || f.Millis > 120_000:
		return fmt.Errorf("times is 1 to %d, rows is not negative, millis is at most 120000", mostFaults)
	case f.Kind == Partial && f.Rows == 0:
		return fmt.Errorf("a partial fault names how many rows are not taken")
	case f.Kind == Slow && f.Millis == 0:
		return fmt.Errorf("a slow fault names its millis")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sender, known := s.senders[f.Cloud]
	if !known {
		return fmt.Errorf("there is no cloud %q", f.Cloud)
	}
	if slices.Contains(sender.Lacks, f.Kind) {
		return fmt.Errorf("the documents of this cloud know no %s", f.Kind)
	}
	if len(s.kept.Faults) >= mostFaults {
		return fmt.Errorf("there are %d faults already", mostFaults)
	}
	s.kept.Faults = append(s.kept.Faults, f)
	return nil
}

// Faults lists those that are still to come.
func (s *Stage) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault{}, s.kept.Faults...)
}

// Clear forgets all faults.
func (s *Stage) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept.Faults = nil
}

// Meet is the fault that this call meets, if any; its Kind is empty otherwise.
func (s *Stage) Meet(cloud, operation string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.kept.Faults {
		f := &s.kept.Faults[i]
		if f.Cloud != cloud || f.Operation != "" && f.Operation != operation {
			continue
		}
		met := *f
		if f.Times--; f.Times == 0 {
			s.kept.Faults = slices.Delete(s.kept.Faults, i, i+1)
		}
		return met
	}
	return Fault{}
}

// Before does what a fault does before a call: it may wait, and it may end the
// connection, in which case it does not come back.
func (f Fault) Before(ctx context.Context) {
	switch f.Kind {
	case Severed:
		panic(http.ErrAbortHandler)
	case Slow:
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(f.Millis) * time.Millisecond):
		}
	}
}

// After ends the connection when the answer is to be lost.
func (f Fault) After() {
	if f.Kind == Lost {
		panic(http.ErrAbortHandler)
	}
}

package arrears

import (
	"slices"

	"tollgate.dev/internal/workspace"
)

// Event is what moves a workspace from one state to another.
type Event string

// The events.
const (
	CauseBegan Event = "cause_began" // or the workspace came to concern one that had begun
	CauseEnded Event = "cause_ended" // or the workspace ceased to concern it
	TimeUp     Event = "time_up"     // a clock ran out
	Extended   Event = "extended"    // the operator granted more time
	HoldOver   Event = "hold_over"   // it was locked for so long that its data goes
	Dissolve   Event = "dissolve"    // the Owner ends it
)

// Events lists them.
func Events() []Event { return []Event{CauseBegan, CauseEnded, TimeUp, Extended, HoldOver, Dissolve} }

// States lists the states, from the best to the last.
func States() []workspace.State {
	return []workspace.State{workspace.Normal, workspace.Grace, workspace.Locked, workspace.Cleared, workspace.Dissolved}
}

// machine says to which states an event may lead. Where more than one stands,
// the clocks decide; where none stands, the event is refused. What is cleared
// or dissolved stays so, whatever becomes of its causes.
var machine = map[workspace.State]map[Event][]workspace.State{
	workspace.Normal: {
		CauseBegan: {workspace.Grace, workspace.Locked},
		CauseEnded: {workspace.Normal},
		TimeUp:     {workspace.Normal},
		Extended:   {workspace.Normal},
		Dissolve:   {workspace.Dissolved},
	},
	workspace.Grace: {
		CauseBegan: {workspace.Grace, workspace.Locked},
		CauseEnded: {workspace.Normal, workspace.Grace},
		TimeUp:     {workspace.Locked},
		Extended:   {workspace.Grace},
		Dissolve:   {workspace.Dissolved},
	},
	workspace.Locked: {
		CauseBegan: {workspace.Locked, workspace.Grace}, // a debt was paid and made again before anybody was told
		CauseEnded: {workspace.Normal, workspace.Grace, workspace.Locked},
		TimeUp:     {workspace.Locked},
		Extended:   {workspace.Grace, workspace.Locked},
		HoldOver:   {workspace.Cleared},
		Dissolve:   {workspace.Dissolved},
	},
	workspace.Cleared: {
		CauseBegan: {workspace.Cleared},
		CauseEnded: {workspace.Cleared},
		TimeUp:     {workspace.Cleared},
		Extended:   {workspace.Cleared},
	},
	workspace.Dissolved: {
		CauseBegan: {workspace.Dissolved},
		CauseEnded: {workspace.Dissolved},
		TimeUp:     {workspace.Dissolved},
		Extended:   {workspace.Dissolved},
	},
}

// Strictest is what clocks make of a workspace together.
func Strictest(clocks ...Clock) workspace.State {
	state := workspace.Normal
	for _, c := range clocks {
		if s := c.state(); slices.Index(States(), s) > slices.Index(States(), state) {
			state = s
		}
	}
	return state
}

// Next is the state of a workspace after an event, given the clocks that
// concern it then.
func Next(from workspace.State, on Event, clocks ...Clock) (workspace.State, error) {
	allowed := machine[from][on]
	to := Strictest(clocks...)
	switch {
	case on == HoldOver && len(allowed) == 1, on == Dissolve && len(allowed) == 1, from.Over() != nil && len(allowed) == 1:
		return allowed[0], nil
	case on == Dissolve:
		return from, from.Over()
	case on != HoldOver && slices.Contains(allowed, to):
		return to, nil
	}
	return from, errEdge.With("from", string(from)).With("event", string(on)).With("to", string(to))
}

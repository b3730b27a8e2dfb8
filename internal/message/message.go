// Package message is what the holder of a Billing Center account is told in
// its message centre: what waits for an answer, and what happened to the
// workspaces that it pays for. It owns the messages and whether they were
// read; what a message asks for is answered where that belongs.
//
// Always true: a message belongs to one account, says of what kind it is and
// what it is about, and keeps what its reader needs to understand it when the
// workspace has long changed.
package message

import (
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// ErrUnknown is a message that there is not, or somebody else's.
var ErrUnknown = fault.New(fault.NotFound, "message_unknown", "There is no such message.")

// Kind says what a message is about.
type Kind string

// The kinds.
const (
	PromotionRequested Kind = "promotion_requested" // domain section 14, row 9: accept or reject
	OwnerChanged       Kind = "owner_changed"       // a workspace has another Owner
	WorkspaceLeft      Kind = "workspace_left"      // it was re-bound to another account
	WorkspaceCame      Kind = "workspace_came"      // it was re-bound to this one
)

// Message is one entry of an account's message centre.
type Message struct {
	ID        string
	AccountID string // the Billing Center account
	Kind      Kind
	About     string            // the ID of what it is about, such as a promotion's
	Args      map[string]string // what the text names
	CreatedAt time.Time
	ReadAt    time.Time // zero while it is unread
}

// New makes a message.
func New(accountID string, k Kind, about string, args map[string]string, at time.Time) Message {
	return Message{ID: id.New(id.Message), AccountID: accountID, Kind: k, About: about, Args: args, CreatedAt: at}
}

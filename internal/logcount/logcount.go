// Package logcount says how a workspace's logs are counted: by records or by
// their raw bytes, and at which size a record counts as several (domain
// sections 7.2 and 7.3). It owns the operator's choice; it does not own the
// counting, which is meter's, nor the prices.
//
// Always true: a log record counts towards one of the two items, never both; a
// workspace for which nothing was chosen is counted by records of 10,240 bytes.
package logcount

import (
	"context"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/workspace"
)

// Faults of choosing.
var (
	ErrCut  = fault.New(fault.Invalid, "log_cut_size", "A log record is cut at 1,024 to 1,048,576 bytes.")
	ErrWhy  = fault.New(fault.Invalid, "log_count_reason", "Say why, in up to 256 characters: it stays in the audit log.")
	ErrFree = fault.New(fault.Conflict, "log_count_experience", "The Experience plan counts logs by records of 10,240 bytes. This can be chosen after the upgrade.")
)

// The bounds of a cut size, and of a reason.
const (
	leastCut, mostCut = 1 << 10, 1 << 20
	longestReason     = 256
)

// Way is how the logs of a workspace are counted. The zero value is the usual
// one.
type Way struct {
	ByVolume bool  // by raw bytes, as the item logs_ingested; no record is counted then
	CutSize  int64 // bytes; 0 is the usual size. meter.LogSplitSLS is that of SLS storage
	Revision int64 // grows with every change; 0 is not stored yet
}

// Cut is the size in bytes at which a record counts as several.
func (w Way) Cut() int64 {
	if w.CutSize == 0 {
		return meter.LogSplit
	}
	return w.CutSize
}

// Options are what the gateway counts by.
func (w Way) Options() meter.Options { return meter.Options{LogSplit: w.CutSize, LogBytes: w.ByVolume} }

// Counts reports whether reports of logs count towards the item. Other items
// do not depend on the way.
func (w Way) Counts(item string) bool {
	switch item {
	case meter.Logs:
		return !w.ByVolume
	case meter.LogBytes:
		return w.ByVolume
	}
	return true
}

// Tx is what choosing needs of a transaction.
type Tx interface {
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	Audit(ctx context.Context, e audit.Entry) error
	// LogCount gives the way of a workspace; none chosen is the zero value.
	LogCount(ctx context.Context, workspaceID string) (Way, error)
	// SaveLogCount keeps the way that follows on that of w.Revision; changed
	// meanwhile it is workspace.ErrStale.
	SaveLogCount(ctx context.Context, workspaceID string, w Way) error
}

// Choose counts the logs of a Commercial workspace in another way, from now on:
// what came before stays as it was counted, so that a day of a change has lines
// of both. It is the operator's to choose (domain section 2).
func Choose(ctx context.Context, tx Tx, workspaceID string, next Way, reason string, by workspace.Actor, at time.Time) (Way, error) {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return Way{}, err
	}
	reason = strings.TrimSpace(reason)
	switch {
	case next.CutSize != 0 && (next.CutSize < leastCut || next.CutSize > mostCut):
		return Way{}, ErrCut.On("cut_size")
	case reason == "" || len([]rune(reason)) > longestReason:
		return Way{}, ErrWhy.On("count_reason")
	case w.Accepts() != nil:
		return Way{}, w.Accepts()
	case w.Plan != workspace.Commercial:
		return Way{}, ErrFree
	}
	held, err := tx.LogCount(ctx, workspaceID)
	if err != nil {
		return Way{}, err
	}
	if next.CutSize == meter.LogSplit {
		next.CutSize = 0
	}
	if next.Revision = held.Revision; next == held {
		return held, nil
	}
	if err := tx.SaveLogCount(ctx, workspaceID, next); err != nil {
		return Way{}, err
	}
	next.Revision++
	return next, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.AccountID, Address: by.Address, Action: "log_count.changed", Subject: workspaceID,
		Detail: map[string]string{"before": held.text(), "after": next.text(), "reason": reason},
	})
}

// text is the way for whoever reads the audit log.
func (w Way) text() string {
	if w.ByVolume {
		return "by volume"
	}
	return "by records of " + strconv.FormatInt(w.Cut(), 10) + " bytes"
}

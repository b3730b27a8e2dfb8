package retention

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Faults of changing how long data is kept.
var (
	ErrTypeUnknown = fault.New(fault.Invalid, "retention_type_unknown", "There is no such type of data.")
	ErrClass       = fault.New(fault.Invalid, "retention_class_unknown", "This type of data cannot be kept for that long. Choose one of the classes offered.")
	ErrIndex       = fault.New(fault.Invalid, "retention_index_name", "The name of a log index has 1 to 64 letters, digits, points, hyphens and underscores.")
	ErrIndexOfLogs = fault.New(fault.Invalid, "retention_index_not_logs", "Only logs have indexes.")
	ErrTooMany     = fault.New(fault.Conflict, "retention_too_many_indexes", "This workspace has classes for as many log indexes as are possible.")
	ErrExperience  = fault.New(fault.Conflict, "retention_experience", "On the Experience plan all data is kept for 7 days. Upgrade to choose how long.")
	ErrUnconfirmed = fault.New(fault.Conflict, "retention_unconfirmed", "All metrics collected before the change are deleted when it acts. Confirm that you want this.")
)

// MostIndexes bounds the log indexes of a workspace that have a class of their own.
const MostIndexes = 100

// The bounds of the name of an index, in characters and in bytes.
const (
	longestIndex      = 64
	longestIndexBytes = 255
)

// Tx is what changes of retention need of a transaction.
type Tx interface {
	OwnerTx
	Audit(ctx context.Context, e audit.Entry) error

	// RetentionSettings lists what was ever chosen for a workspace.
	RetentionSettings(ctx context.Context, workspaceID string) ([]Setting, error)
	// SaveRetention keeps the next value of a setting that was read at
	// s.Revision; changed meanwhile it is workspace.ErrStale.
	SaveRetention(ctx context.Context, workspaceID string, s Setting) error
	// InsertClassChange keeps for ever that a class began to hold.
	InsertClassChange(ctx context.Context, c ClassChange) error
	// ForgetRecords queues the deletion of records that a change leaves behind.
	ForgetRecords(ctx context.Context, f Forget) error
}

// Wish is what somebody wants.
type Wish struct {
	Target
	Class     string
	Confirmed bool // that metrics of the old class will be gone
}

// Changed is a setting after a wish, and what became of it.
type Changed struct {
	Setting
	Outcome Outcome
}

// ClassChange is a class that began to hold: what explains why usage of an
// hour was priced as it was.
type ClassChange struct {
	WorkspaceID string
	Target
	Before, Class string
	At            time.Time // from when it holds
	By            string    // the account that chose it
	Revision      int64     // of the setting, which orders changes of one instant
}

// Forget is the job that deletes the records of a type that were received
// before the instant: metrics of the class before (domain section 8, C-31).
type Forget struct {
	WorkspaceID string               `json:"workspace_id"`
	Generation  workspace.Generation `json:"generation"`
	Type        string               `json:"type"`
	Before      time.Time            `json:"before"`
}

// Kind names the job for the queue.
func (Forget) Kind() string { return "retention.forget" }

// UniqueByArgs keeps one of a change.
func (Forget) UniqueByArgs() bool { return true }

// Change does what the Owner of a Commercial workspace wishes. The version is
// the catalogue's of today at the site.
func Change(ctx context.Context, tx Tx, v *catalog.Version, workspaceID string, wish Wish, actor workspace.Actor, at time.Time) (Changed, error) {
	w, err := Owned(ctx, tx, workspaceID, actor)
	if err != nil {
		return Changed{}, err
	}
	if err := wish.check(v); err != nil {
		return Changed{}, err
	}
	s, err := site.Find(w.Site)
	if err != nil {
		return Changed{}, err
	}
	if err := Apply(ctx, tx, v, w.ID, at); err != nil {
		return Changed{}, err
	}
	stored, err := tx.RetentionSettings(ctx, w.ID)
	if err != nil {
		return Changed{}, fmt.Errorf("retention of %s: %w", w.ID, err)
	}
	before := Of(w.Plan, v).With(stored, at).Setting(wish.Target)
	next, outcome := before.Change(wish.Class, actor.AccountID, at, s.Zone)
	if err := wish.refused(before, outcome, stored); err != nil {
		return Changed{}, err
	}
	// An index may be given the class that it has from the default one, to
	// keep it when that one changes.
	own := wish.Index != "" && before.Revision == 0
	if outcome == Unchanged && !own {
		return Changed{before, outcome}, nil
	}
	if err := tx.SaveRetention(ctx, w.ID, next); err != nil {
		return Changed{}, err
	}
	next.Revision++
	if outcome == AtOnce {
		if err := begin(ctx, tx, w, before, next, actor.AccountID); err != nil {
			return Changed{}, err
		}
	}
	return Changed{next, outcome}, tx.Audit(ctx, audit.Entry{
		At: at, Actor: actor.AccountID, Address: actor.Address, Action: "retention.changed", Subject: w.ID,
		Detail: detail(next.Target, before.Class, wish.Class, outcome, next.PendingAt),
	})
}

func detail(t Target, before, class string, outcome Outcome, acts time.Time) map[string]string {
	d := map[string]string{"type": t.String(), "before": before, "class": class, "outcome": string(outcome)}
	if !acts.IsZero() {
		d["acts_at"] = acts.UTC().Format(time.RFC3339)
	}
	return d
}

// OwnerTx finds a workspace and who somebody is in it.
type OwnerTx interface {
	WorkspaceForUpdate(ctx context.Context, id string) (workspace.Workspace, error)
	Member(ctx context.Context, workspaceID, accountID string) (workspace.Member, error)
}

// Owned locks the workspace if the actor may change its retention and where its
// logs go.
func Owned(ctx context.Context, tx OwnerTx, workspaceID string, actor workspace.Actor) (workspace.Workspace, error) {
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return workspace.Workspace{}, err
	}
	if err := m.Role.Require(workspace.ChangeRetention); err != nil {
		return workspace.Workspace{}, err
	}
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	switch {
	case err != nil:
		return w, err
	case w.Accepts() != nil:
		return w, w.Accepts()
	case w.Plan != workspace.Commercial:
		return w, ErrExperience
	}
	return w, nil
}

// check holds the wish against the catalogue.
func (w Wish) check(v *catalog.Version) error {
	t, ok := v.Retention.Type(w.Type)
	switch {
	case !ok:
		return ErrTypeUnknown.On("type").With("type", w.Type)
	case w.Index != "" && w.Type != Logs:
		return ErrIndexOfLogs.On("index")
	case w.Index != "" && !ValidIndex(w.Index):
		return ErrIndex.On("index")
	case !slices.Contains(t.Allowed, w.Class):
		return ErrClass.On("class").With("type", w.Type).With("class", w.Class).With("allowed", strings.Join(t.Allowed, ", "))
	}
	return nil
}

// ValidIndex reports whether an index may have the name; the empty one is the
// default index.
func ValidIndex(name string) bool {
	if utf8.RuneCountInString(name) > longestIndex || len(name) > longestIndexBytes {
		return false
	}
	return strings.IndexFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_", r)
	}) < 0
}

// refused says why the wish cannot be done though it is well formed.
func (w Wish) refused(before Setting, outcome Outcome, stored []Setting) error {
	acts := outcome == AtOnce || outcome == Held
	if w.Type == Metrics && acts && !w.Confirmed {
		return ErrUnconfirmed.On("confirmed").With("before", before.Class).With("class", w.Class)
	}
	if w.Index == "" || before.Revision > 0 {
		return nil
	}
	indexes := 0
	for _, s := range stored {
		if s.Index != "" {
			indexes++
		}
	}
	if indexes >= MostIndexes {
		return ErrTooMany.On("index").With("most", MostIndexes)
	}
	return nil
}

// begin keeps that a class began to hold, and has old metrics deleted.
func begin(ctx context.Context, tx Tx, w workspace.Workspace, before, next Setting, by string) error {
	err := tx.InsertClassChange(ctx, ClassChange{
		WorkspaceID: w.ID, Target: next.Target, Before: before.Class, Class: next.Class, At: next.Since, By: by, Revision: next.Revision,
	})
	if err != nil || next.Type != Metrics {
		return err
	}
	return tx.ForgetRecords(ctx, Forget{WorkspaceID: w.ID, Generation: w.Generation, Type: Metrics, Before: next.Since.UTC()})
}

// Apply writes the changes of a workspace whose midnight has come. Run again
// it changes nothing. A class that the catalogue has withdrawn meanwhile could
// not be priced, so that such a change is dropped.
func Apply(ctx context.Context, tx Tx, v *catalog.Version, workspaceID string, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, workspaceID)
	if err != nil {
		return err
	}
	stored, err := tx.RetentionSettings(ctx, w.ID)
	if err != nil {
		return fmt.Errorf("retention of %s: %w", w.ID, err)
	}
	for _, before := range stored {
		next, acted := before.Settle(at)
		if !acted {
			continue
		}
		outcome := AtOnce
		if t, _ := v.Retention.Type(before.Type); !slices.Contains(t.Allowed, next.Class) {
			next, outcome = before.idle(), Cancelled
		}
		if err := tx.SaveRetention(ctx, w.ID, next); err != nil {
			return err
		}
		next.Revision++
		if outcome == AtOnce {
			if err := begin(ctx, tx, w, before, next, before.PendingBy); err != nil {
				return err
			}
		}
		err := tx.Audit(ctx, audit.Entry{
			At: at, Actor: "system", Action: "retention.applied", Subject: w.ID,
			Detail: detail(next.Target, before.Class, before.Pending, outcome, before.PendingAt),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ApplyDue is the job that writes the changes whose midnight has come, of all
// workspaces. Minute is when it was queued: should anything be left behind,
// the next minute queues another one.
type ApplyDue struct {
	Minute time.Time `json:"minute"`
}

// Kind names the job for the queue.
func (ApplyDue) Kind() string { return "retention.apply" }

// UniqueByArgs keeps one of a minute.
func (ApplyDue) UniqueByArgs() bool { return true }

// Version is the catalogue's at a workspace's site on the day of the instant.
func Version(c *catalog.Catalog, of site.ID, at time.Time) (*catalog.Version, error) {
	s, err := site.Find(of)
	if err != nil {
		return nil, err
	}
	return c.At(period.DayOf(at, s.Zone))
}

package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Faults of versions that were added.
var (
	ErrShipped = fault.New(fault.Conflict, "catalog_version_shipped", "This version came with the program and stays.")
	ErrUsed    = fault.New(fault.Conflict, "catalog_version_used", "This version holds already. What bills may have used never changes.")
	ErrUncover = fault.New(fault.Conflict, "catalog_version_uncovers", "Without this version, one of the program's would hold that has begun already. Add a version in its place instead.")
	ErrNotLast = fault.New(fault.Conflict, "catalog_version_not_last", "A later version is built on this one. Remove that one first.")
)

// Added is a version that an operator added: the file as it was given.
type Added struct {
	ID       string
	Follows  string // the version that it was built on
	From     period.Day
	Document []byte
	SHA256   string
	By       string // who added it
	At       time.Time
}

// Actor is who changes prices, and from where.
type Actor struct{ ID, Address string }

// Tx is what the catalogue needs of a transaction.
type Tx interface {
	// AddedVersions lists them, oldest first; in a write transaction nobody
	// else changes them until its end.
	AddedVersions(ctx context.Context) ([]Added, error)
	// InsertVersion keeps a version.
	InsertVersion(ctx context.Context, a Added) error
	// DeleteVersion forgets a version that never held.
	DeleteVersion(ctx context.Context, id string) error
	// ClosingSince reports whether the close of this day or a later one has begun at any site.
	ClosingSince(ctx context.Context, day period.Day) (bool, error)
	Audit(ctx context.Context, e audit.Entry) error
}

// Reading is what reading the catalogue needs of a transaction.
type Reading interface {
	AddedVersions(ctx context.Context) ([]Added, error)
}

// Whole is what came with the program and what was added, read anew. Once a
// version was added, the catalogue is the operator's: what a later release
// ships on top of the version that the first added one was built on does not
// hold, whatever its days (see HeldBack). No release changes prices that an
// operator fixed, nor keeps the server from starting.
func (c *Catalog) Whole(ctx context.Context, tx Reading) (*Catalog, []Added, error) {
	added, err := tx.AddedVersions(ctx)
	if err != nil {
		return nil, nil, err
	}
	whole, err := c.base(added)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range added {
		if Digest(a.Document) != a.SHA256 {
			return nil, nil, fmt.Errorf("catalogue version %s is not what was added", a.ID)
		}
		if whole, err = whole.With(a.Document); err != nil {
			return nil, nil, fmt.Errorf("catalogue version %s, which was added, no longer follows those of the program: %w", a.ID, err)
		}
	}
	return whole, added, nil
}

// base is what came with the program, up to the version that the first of the
// added ones was built on.
func (c *Catalog) base(added []Added) (*Catalog, error) {
	if len(added) == 0 || added[0].Follows == "" {
		return c.Shipped(), nil
	}
	i := slices.IndexFunc(c.shipped, func(v *Version) bool { return v.ID == added[0].Follows })
	if i < 0 {
		return nil, fmt.Errorf("catalogue version %s was built on %s, which this program does not have: it is older than the one that added it", added[0].ID, added[0].Follows)
	}
	kept := slices.Clone(c.shipped[:i+1])
	if i+1 < len(c.shipped) {
		last := *kept[i]
		last.Until = period.Day{} // what it ended at is held back
		kept[i] = &last
	}
	return of(kept, kept), nil
}

// HeldBack are the versions of the program that do not hold because others
// were added before they came.
func (c *Catalog) HeldBack(added []Added) []*Version {
	if len(added) == 0 {
		return nil
	}
	i := slices.IndexFunc(c.shipped, func(v *Version) bool { return v.ID == added[0].Follows })
	if i < 0 {
		return nil
	}
	return c.shipped[i+1:]
}

// Reload reads what was added, and adopts it.
func (c *Catalog) Reload(ctx context.Context, tx Reading) error {
	whole, _, err := c.Whole(ctx, tx)
	if err == nil {
		c.Adopt(whole)
	}
	return err
}

// Digest is the SHA-256 of a version's file.
func Digest(document []byte) string {
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}

// Add keeps the version of a file, which begins on a day to come. It gives the
// catalogue with it, to be adopted once the transaction is kept.
func (c *Catalog) Add(ctx context.Context, tx Tx, document []byte, by Actor, at time.Time) (*Catalog, Added, error) {
	whole, _, err := c.Whole(ctx, tx)
	if err != nil {
		return nil, Added{}, err
	}
	if whole, err = whole.Check(document, at); err != nil {
		return nil, Added{}, err
	}
	versions := whole.all()
	v := versions[len(versions)-1]
	if closing, err := tx.ClosingSince(ctx, v.From); err != nil || closing {
		return nil, Added{}, orUsed(err)
	}
	a := Added{ID: v.ID, Follows: versions[len(versions)-2].ID, From: v.From, Document: document, SHA256: Digest(document), By: by.ID, At: at}
	if err := tx.InsertVersion(ctx, a); err != nil {
		return nil, Added{}, fmt.Errorf("keep catalogue version %s: %w", a.ID, err)
	}
	return whole, a, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.ID, Address: by.Address, Action: "catalog.version_added", Subject: a.ID,
		Detail: map[string]string{"from": a.From.String(), "sha256": a.SHA256},
	})
}

// Remove takes back the last version while no day has begun on which it holds.
// It gives the catalogue without it, to be adopted once the transaction is kept.
func (c *Catalog) Remove(ctx context.Context, tx Tx, versionID string, by Actor, at time.Time) (*Catalog, error) {
	whole, added, err := c.Whole(ctx, tx)
	if err != nil {
		return nil, err
	}
	v, err := whole.Find(versionID)
	if err != nil {
		return nil, err
	}
	isAdded := slices.ContainsFunc(added, func(a Added) bool { return a.ID == versionID })
	if !isAdded {
		return nil, ErrShipped
	}
	if !v.From.After(Today(at, site.All())) {
		return nil, ErrUsed.With("version", v.ID)
	}
	if closing, err := tx.ClosingSince(ctx, v.From); err != nil || closing {
		return nil, orUsed(err)
	}
	if last := added[len(added)-1]; last.ID != versionID {
		return nil, ErrNotLast.With("version", last.ID)
	}
	if err := tx.DeleteVersion(ctx, versionID); err != nil {
		return nil, fmt.Errorf("remove catalogue version %s: %w", versionID, err)
	}
	before := whole
	if whole, _, err = c.Whole(ctx, tx); err != nil {
		return nil, err
	}
	for _, v := range whole.all() {
		if _, err := before.Find(v.ID); err != nil && !v.From.After(Today(at, site.All())) {
			return nil, ErrUncover.With("version", v.ID)
		}
	}
	return whole, tx.Audit(ctx, audit.Entry{
		At: at, Actor: by.ID, Address: by.Address, Action: "catalog.version_removed", Subject: versionID,
		Detail: map[string]string{"from": v.From.String()},
	})
}

func orUsed(err error) error {
	if err != nil {
		return err
	}
	return ErrUsed
}

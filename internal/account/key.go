package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/period"
)

// Faults of keys.
var (
	ErrKeyInvalid   = fault.New(fault.Unauthenticated, "key_invalid", "This call needs an API key that was not revoked, as Authorization: Bearer or as DF-API-KEY.")
	ErrKeyUnknown   = fault.New(fault.NotFound, "key_unknown", "There is no such API key.")
	ErrKeyName      = fault.New(fault.Invalid, "key_name", "A key needs a name of at most 64 characters.")
	ErrKeyNameTaken = fault.New(fault.Conflict, "key_name_taken", "Another key that works has this name.")
	ErrKeyUse       = fault.New(fault.Invalid, "key_use", "Choose what the key may do.")
	ErrServiceName  = fault.New(fault.Invalid, "service_name", "A service's name has 1 to 32 small letters, digits and hyphens, and begins with a letter.")
	ErrKeysMany     = fault.New(fault.Conflict, "keys_many", "There are keys enough already.").
			Says("There are %d keys already. Revoke one that nothing uses any more.", MostKeys).With("most", MostKeys)
)

// MostKeys is how many keys of one holder may work at a time.
const MostKeys = 20

// maxKeyName bounds a key's name, in characters.
const maxKeyName = 64

// Key lets a program read balances, bills and their sums, a service of the
// platform report usage, or one have amounts deducted: one of these, and
// nothing else. It has no end; whoever holds it may revoke it.
type Key struct {
	ID        string
	Holder    KeyHolder
	Name      string
	Hash      string // of the secret, which is not kept
	MadeBy    string // the account that made it
	CreatedAt time.Time
	RevokedAt time.Time  // zero while it works
	UsedOn    period.Day // the last UTC day that it was used on; zero for never
}

// Revoked reports whether it works no more.
func (k Key) Revoked() bool { return !k.RevokedAt.IsZero() }

// KeyHolder is what a key reads: one workspace, or all that a Billing Center
// account pays for. The keys of services read nothing: they report usage, or
// have amounts deducted.
type KeyHolder struct {
	Scope KeyScope
	ID    string
}

// ServicesKeys is the holder of the keys of the platform's services.
func ServicesKeys() KeyHolder { return KeyHolder{Scope: ServiceKeys, ID: "platform"} }

// KeyScope is the kind of a holder.
type KeyScope string

// The scopes.
const (
	WorkspaceKeys KeyScope = "workspace"
	AccountKeys   KeyScope = "account"
	ServiceKeys   KeyScope = "service"
	DeductionKeys KeyScope = "deduction"
)

// ServiceHolder is the holder of a service's keys of a scope; its name counts
// for those that deduct.
func ServiceHolder(scope KeyScope, service string) (KeyHolder, error) {
	switch scope {
	case ServiceKeys:
		return ServicesKeys(), nil
	case DeductionKeys:
		return DeductingService(service)
	}
	return KeyHolder{}, ErrKeyUse.On("may")
}

// DeductingService is a service of the platform that has amounts deducted, by
// the name that its operator gives it, as a holder of keys: all of its keys act
// as the same.
func DeductingService(name string) (KeyHolder, error) {
	if !serviceName.MatchString(name) {
		return KeyHolder{}, ErrServiceName.On("service")
	}
	return KeyHolder{Scope: DeductionKeys, ID: name}, nil
}

var serviceName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// KeyDraft is a key that somebody wants.
type KeyDraft struct {
	Holder  KeyHolder
	Name    string
	MadeBy  string
	Address string
}

// KeyTx is what making and revoking keys need of a transaction.
type KeyTx interface {
	CountKeys(ctx context.Context, h KeyHolder) (int, error)
	InsertKey(ctx context.Context, k Key) error // ErrKeyNameTaken
	KeyOf(ctx context.Context, h KeyHolder, id string) (Key, error)
	EndKey(ctx context.Context, id string, at time.Time) error
	Audit(ctx context.Context, e audit.Entry) error
}

// MakeKey makes a key and gives its secret, which nothing can show again.
func MakeKey(ctx context.Context, tx KeyTx, d KeyDraft, at time.Time) (k Key, secret string, err error) {
	name := strings.TrimSpace(d.Name)
	if name == "" || utf8.RuneCountInString(name) > maxKeyName || strings.ContainsFunc(name, unicode.IsControl) {
		return Key{}, "", ErrKeyName.On("name")
	}
	working, err := tx.CountKeys(ctx, d.Holder)
	if err != nil {
		return Key{}, "", err
	}
	if working >= MostKeys {
		return Key{}, "", ErrKeysMany
	}
	secret = id.New(id.APIKey)
	k = Key{ID: id.New(id.Key), Holder: d.Holder, Name: name, Hash: KeyHash(secret), MadeBy: d.MadeBy, CreatedAt: at}
	if err := tx.InsertKey(ctx, k); err != nil {
		return Key{}, "", err
	}
	return k, secret, tx.Audit(ctx, k.entry("api_key.made", d.MadeBy, d.Address, at))
}

// RevokeKey ends a key at once. Revoking it again changes nothing.
func RevokeKey(ctx context.Context, tx KeyTx, h KeyHolder, id string, by, address string, at time.Time) error {
	k, err := tx.KeyOf(ctx, h, id)
	if err != nil || k.Revoked() {
		return err
	}
	if err := tx.EndKey(ctx, k.ID, at); err != nil {
		return err
	}
	return tx.Audit(ctx, k.entry("api_key.revoked", by, address, at))
}

func (k Key) entry(action, by, address string, at time.Time) audit.Entry {
	return audit.Entry{
		At: at, Actor: by, Address: address, Action: action, Subject: k.Holder.ID,
		Detail: map[string]string{"key": k.ID, "name": k.Name},
	}
}

// KeyHash is how a secret is kept: it has more than 160 random bits, so that
// a plain hash is enough.
func KeyHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

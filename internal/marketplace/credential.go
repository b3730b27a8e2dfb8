package marketplace

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

// Faults of credentials.
var (
	ErrNoSecretKey       = fault.New(fault.Conflict, "credential_no_key", "This installation has no key to seal credentials with. Set TOLLGATE_SECRET_KEY_FILE and start it again.")
	ErrCredentialUnknown = fault.New(fault.NotFound, "credential_unknown", "There is no such credential of this cloud.")
	ErrCredentialValue   = fault.New(fault.Invalid, "credential_value", "Enter the credential as the cloud shows it: one line without spaces, at most 512 characters.")
)

// The names of credentials.
const (
	AccessKey       = "access_key" // names the access key
	AccessKeySecret = "secret"     // the access key's secret
	SellerKey       = "key"        // signs the marketplace's calls
)

// CredentialNames lists what a cloud lets us in by.
func CredentialNames(m site.Method) []string {
	switch m {
	case site.Alibaba, site.AlibabaIntl, site.Huawei:
		return []string{AccessKey, AccessKeySecret, SellerKey}
	case site.AWS:
		return []string{AccessKey, AccessKeySecret}
	}
	return nil
}

// Credential is one that an operator entered. What it is stands in Sealed
// alone, and is never shown again.
type Credential struct {
	Cloud  site.Method
	Name   string
	Sealed secret.Sealed
	Tail   string // its last characters, by which a person knows it again; empty where it is too short for that
	SetAt  time.Time
	SetBy  string
}

// Place is where it is sealed for.
func (c Credential) Place() secret.Place { return secret.Place{Cloud: string(c.Cloud), Name: c.Name} }

// CredentialTx keeps credentials.
type CredentialTx interface {
	// Credentials lists them by cloud and name, kept from other writers.
	Credentials(ctx context.Context) ([]Credential, error)
	// SaveCredential keeps one in the place of the one before it.
	SaveCredential(ctx context.Context, c Credential) error
	// DropCredential forgets one, or answers ErrCredentialUnknown.
	DropCredential(ctx context.Context, cloud site.Method, name string) error
	Audit(ctx context.Context, e audit.Entry) error
}

const (
	longestCredential = 512
	tailed            = 4  // characters that are shown
	tellable          = 16 // characters that one has at least whose last are shown
)

// SetCredential seals what an operator entered and keeps it. The audit log says
// that it was set, and not what it is.
func SetCredential(ctx context.Context, tx CredentialTx, ring secret.Ring, cloud site.Method, name, value string, by workspace.Actor, at time.Time) (Credential, error) {
	value = strings.TrimSpace(value)
	switch {
	case !slices.Contains(CredentialNames(cloud), name):
		return Credential{}, ErrCredentialUnknown
	case ring.Empty():
		return Credential{}, ErrNoSecretKey
	case value == "" || len(value) > longestCredential || strings.ContainsFunc(value, unprintable):
		return Credential{}, ErrCredentialValue.On("value")
	}
	c := Credential{Cloud: cloud, Name: name, SetAt: at, SetBy: by.AccountID}
	if len(value) >= tellable {
		c.Tail = value[len(value)-tailed:]
	}
	var err error
	if c.Sealed, err = ring.Seal(c.Place(), value); err != nil {
		return c, err
	}
	if err := tx.SaveCredential(ctx, c); err != nil {
		return c, err
	}
	return c, tx.Audit(ctx, c.entry("marketplace_credential.set", by, at))
}

// unprintable is what no credential of a cloud has.
func unprintable(r rune) bool { return r <= ' ' || r > '~' }

// ForgetCredential removes one that was entered.
func ForgetCredential(ctx context.Context, tx CredentialTx, cloud site.Method, name string, by workspace.Actor, at time.Time) error {
	if err := tx.DropCredential(ctx, cloud, name); err != nil {
		return err
	}
	return tx.Audit(ctx, Credential{Cloud: cloud, Name: name}.entry("marketplace_credential.removed", by, at))
}

// Reseal seals all credentials with the ring's first key that another one of
// its keys sealed. Where one does not open, none is changed.
func Reseal(ctx context.Context, tx CredentialTx, ring secret.Ring, by workspace.Actor, at time.Time) (resealed int, err error) {
	all, err := tx.Credentials(ctx)
	if err != nil {
		return 0, err
	}
	if ring.Empty() {
		return 0, ErrNoSecretKey
	}
	for _, c := range all {
		if c.Sealed.Key == ring.Current() {
			continue
		}
		text, err := ring.Open(c.Place(), c.Sealed)
		if err != nil {
			return 0, fmt.Errorf("%s of %s: %w", c.Name, c.Cloud, err)
		}
		if c.Sealed, err = ring.Seal(c.Place(), text); err != nil {
			return 0, err
		}
		if err := tx.SaveCredential(ctx, c); err != nil {
			return 0, err
		}
		if err := tx.Audit(ctx, c.entry("marketplace_credential.resealed", by, at)); err != nil {
			return 0, err
		}
		resealed++
	}
	return resealed, nil
}

func (c Credential) entry(action string, by workspace.Actor, at time.Time) audit.Entry {
	detail := map[string]string{"name": c.Name}
	if c.Sealed.Key != "" {
		detail["sealed_by"] = c.Sealed.Key
	}
	return audit.Entry{At: at, Actor: by.AccountID, Address: by.Address, Action: action, Subject: string(c.Cloud), Detail: detail}
}

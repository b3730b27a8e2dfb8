package api

import (
	"net/http"
	"sync"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/store"
)

// A service's key is remembered for a second, so that not every call looks it
// up. That lets nothing through: the till asks again whether the key works, in
// the transaction that posts what it asked for.
const (
	rememberedFor  = time.Second
	mostRemembered = 1_000
)

// knownKeys are the keys that were shown lately, by their hashes.
type knownKeys struct {
	mu   sync.Mutex
	keys map[string]knownKey
}

type knownKey struct {
	account.Key
	until time.Time
}

func (k *knownKeys) of(hash string, now time.Time) (account.Key, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known, ok := k.keys[hash]
	return known.Key, ok && now.Before(known.until)
}

func (k *knownKeys) remember(key account.Key, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys == nil || len(k.keys) >= mostRemembered {
		k.keys = map[string]knownKey{}
	}
	k.keys[key.Hash] = knownKey{key, now.Add(rememberedFor)}
}

// admitDeducting says which service of the platform calls.
func (s *server) admitDeducting(r *http.Request, who *caller) error {
	secret, err := shownKey(r)
	if err != nil {
		return err
	}
	hash, ok := account.KeyHash(secret), false
	if who.Key, ok = s.known.of(hash, s.RealNow()); !ok {
		err := s.Store.Read(r.Context(), func(tx *store.Tx) (err error) {
			who.Key, err = tx.KeyByHash(r.Context(), hash)
			return err
		})
		switch {
		case err != nil:
			return err
		case who.Key.Holder.Scope != account.DeductionKeys:
			return account.ErrKeyInvalid
		}
		s.used(r, who.Key)
		s.known.remember(who.Key, s.RealNow())
	}
	who.AccountID = who.Key.ID
	return nil
}

// deductionKeys are the keys of services that have amounts deducted. A service
// is its name: it is there once it has a key.
func (s *server) deductionKeys() []route {
	const of = "/operator/services/{service}/deduction-keys"
	return []route{
		reads(onDuty(get, of, account.Look, "list-deduction-keys", "The keys with which a service has amounts deducted"), listDeductionKeys),
		writes(onDuty(post, of, account.KeepOperators, "make-deduction-key", "Make a key with which a service has amounts deducted; its secret is shown once"), created, makeDeductionKey),
		removes(onDuty(remove, of+"/{key_id}", account.KeepOperators, "revoke-deduction-key", "Revoke such a key"), revokeDeductionKey),
	}
}

// OfService names a service.
type OfService struct {
	Service string `path:"service" maxLength:"32" doc:"Its name: small letters, digits and hyphens." example:"shop"`
}

func listDeductionKeys(c *call, in *struct {
	OfService
	Paged
}) (*Page[APIKey], error) {
	h, err := account.DeductingService(in.Service)
	if err != nil {
		return nil, err
	}
	return c.keysOf(h, in.Paged)
}

func makeDeductionKey(c *call, in *struct {
	OfService
	Body keyName
}) (*MadeKey, error) {
	h, err := account.DeductingService(in.Service)
	if err != nil {
		return nil, err
	}
	k, secret, err := account.MakeKey(c, c.tx, account.KeyDraft{Holder: h, Name: in.Body.Name, MadeBy: c.AccountID, Address: c.Address}, c.at)
	if err != nil {
		return nil, err
	}
	return &MadeKey{keyOf(k), secret}, nil
}

func revokeDeductionKey(c *call, in *struct {
	OfService
	KeyID string `path:"key_id" maxLength:"64"`
}) error {
	h, err := account.DeductingService(in.Service)
	if err != nil {
		return err
	}
	return account.RevokeKey(c, c.tx, h, in.KeyID, c.AccountID, c.Address, c.at)
}

// Package secret seals what must be stored and must not be read from a copy of
// the store: the credentials of clouds. It owns the keys, which are given by
// the environment and never stored, and the form of what is sealed. It does not
// own where sealed texts are kept.
//
// Always true: a sealed text opens only with the key that it names and only in
// the place that it was sealed for; what was changed by one bit does not open
// at all; no error and no key prints a secret.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Size is how many bytes a key has: those of AES-256.
const Size = 32

// Errors of opening. They end a start and stand in doctor's report.
var (
	ErrNoKey  = errors.New("the key that it was sealed with is not among those of TOLLGATE_SECRET_KEY")
	ErrBroken = errors.New("it does not open: it was changed, or belongs to another place")
)

// Place is where a sealed text belongs. One that was copied to another place
// does not open there.
type Place struct{ Cloud, Name string }

// bound is the place as it is bound into a sealed text. The length in front
// keeps two places from reading the same.
func (p Place) bound() []byte {
	return fmt.Appendf(nil, "tollgate secret 1\n%d\n%s\n%s", len(p.Cloud), p.Cloud, p.Name)
}

// Sealed is a text that only its key opens.
type Sealed struct {
	Key string // names the key
	Box []byte // the nonce, and what AES-256-GCM made of the text
}

// key is one of a ring.
type key struct {
	id     string
	cipher cipher.AEAD
}

// Ring is the keys of an installation: the first one seals, each of them opens.
// The zero ring has none.
type Ring struct{ keys []key }

// NewKey is a fresh key as Parse reads it.
func NewKey() string {
	raw := make([]byte, Size)
	_, _ = rand.Read(raw) // it never fails
	return base64.StdEncoding.EncodeToString(raw)
}

// Parse reads a ring: a key on each line, 32 bytes in base64, the one that
// seals first. Empty lines and those that begin with # are passed over; without
// a key the ring is empty. Its errors do not repeat what they refuse.
func Parse(text string) (Ring, error) {
	var r Ring
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(line)
		if err != nil || len(raw) != Size {
			return Ring{}, fmt.Errorf("line %d of the secret key is not %d bytes in base64; tollgate marketplace new-key makes one", n+1, Size)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return Ring{}, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return Ring{}, err
		}
		sum := sha256.Sum256(append([]byte("tollgate key id\n"), raw...))
		r.keys = append(r.keys, key{id: hex.EncodeToString(sum[:4]), cipher: aead})
	}
	return r, nil
}

// Empty reports whether there is no key.
func (r Ring) Empty() bool { return len(r.keys) == 0 }

// Current names the key that seals; empty where there is none.
func (r Ring) Current() string {
	if r.Empty() {
		return ""
	}
	return r.keys[0].id
}

// Seal closes a text for a place.
func (r Ring) Seal(p Place, text string) (Sealed, error) {
	if r.Empty() {
		return Sealed{}, ErrNoKey
	}
	return Sealed{r.keys[0].id, r.keys[0].cipher.Seal(nil, nil, []byte(text), p.bound())}, nil
}

// Open gives the text that was sealed for the place.
func (r Ring) Open(p Place, s Sealed) (string, error) {
	for _, k := range r.keys {
		if k.id != s.Key {
			continue
		}
		text, err := k.cipher.Open(nil, nil, s.Box, p.bound())
		if err != nil {
			return "", ErrBroken // the cipher's own words say no more
		}
		return string(text), nil
	}
	return "", fmt.Errorf("%w (key %s)", ErrNoKey, s.Key)
}

// String keeps keys out of whatever prints a ring.
func (r Ring) String() string { return fmt.Sprintf("a ring of %d keys", len(r.keys)) }

// GoString keeps them out of %#v, too.
func (r Ring) GoString() string { return r.String() }

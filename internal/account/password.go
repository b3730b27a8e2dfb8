package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Argon2id with the second recommended option of RFC 9106 section 4, halved in
// memory so that a burst of logins fits a small machine (OWASP's minimum is 19 MiB).
const (
	argonTime    = 3
	argonMemory  = 32 * 1024 // KiB
	argonThreads = 2
	argonKey     = 32
	argonSalt    = 16
)

// hashing bounds the passwords hashed at once, each of which takes argonMemory.
var hashing = make(chan struct{}, 4)

// HashPassword checks the form of a new password and gives its Argon2id hash
// in the PHC string format.
func HashPassword(password string) (string, error) {
	if err := passwordForm(password); err != nil {
		return "", err
	}
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("salt of a password: %w", err)
	}
	key := derive(password, salt)
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, encode(salt), encode(key)), nil
}

func passwordForm(password string) error {
	n := utf8.RuneCountInString(password)
	if n < 8 || n > maxText || !strings.ContainsFunc(password, unicode.IsLetter) || !strings.ContainsFunc(password, unicode.IsDigit) {
		return ErrPasswordForm
	}
	return nil
}

// PasswordMatches reports whether the password is the one that was hashed. An
// empty or foreign hash matches nothing but takes the same time.
func PasswordMatches(hash, password string) bool {
	parts := strings.Split(hash, "$")
	salt, want := make([]byte, argonSalt), make([]byte, argonKey)
	known := len(parts) == 6 && parts[1] == "argon2id"
	if known {
		s, err1 := base64.RawStdEncoding.DecodeString(parts[4])
		k, err2 := base64.RawStdEncoding.DecodeString(parts[5])
		known = err1 == nil && err2 == nil && len(k) == argonKey
		if known {
			salt, want = s, k
		}
	}
	if len(password) > 4*maxText {
		return false
	}
	same := subtle.ConstantTimeCompare(derive(password, salt), want) == 1
	return same && known
}

func derive(password string, salt []byte) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
}

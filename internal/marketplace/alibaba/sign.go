package alibaba

import (
	"crypto/md5" //nolint:gosec // the marketplace's own scheme
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// tokenParameter carries the signature of a call.
const tokenParameter = "token"

// sign is the token of a call: the lower-case MD5 of all its parameters but
// the token itself, decoded and sorted by name, with the key behind them. It
// signs whatever came, because the marketplace adds parameters of its own and
// of the listing (reference 2.1).
func sign(params url.Values, key string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if name == tokenParameter {
			continue
		}
		text.WriteString(name + "=" + params.Get(name) + "&")
	}
	text.WriteString("key=" + key)
	sum := md5.Sum([]byte(text.String())) //nolint:gosec // as above
	return hex.EncodeToString(sum[:])
}

// signed reports whether the token of a call holds. A parameter that stands
// there twice has no one reading, so that its call is not signed.
func signed(params url.Values, key string) bool {
	for _, values := range params {
		if len(values) != 1 {
			return false
		}
	}
	return subtle.ConstantTimeCompare([]byte(sign(params, key)), []byte(strings.ToLower(params.Get(tokenParameter)))) == 1
}

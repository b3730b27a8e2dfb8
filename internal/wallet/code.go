package wallet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"

	"tollgate.dev/internal/id"
)

// codeLetters are the characters of activation codes, Crockford's 32: without
// I, L and O, which look like 1 and 0, and without U, so that no word comes of
// them.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// An activation code is 15 random characters, which are 75 bits, and one that
// checks them, shown in groups of four.
const (
	codeLength = 16
	codeGroup  = 4
)

// longestTyped bounds what is typed as a code, spaces and hyphens included.
const longestTyped = 64

// newCode is a fresh activation code in its normal form.
func newCode() string {
	text := id.Text(codeLetters, codeLength-1)
	sum := byte(0)
	for i := range len(text) {
		sum = shifted(sum) ^ byte(strings.IndexByte(codeLetters, text[i]))
	}
	return text + codeLetters[shifted(sum):][:1]
}

// shifted multiplies by x in the field of 32 elements, modulo x^5 + x^2 + 1.
// Each place of a code so weighs another element: one wrong character never
// adds up, nor do two that changed places.
func shifted(b byte) byte {
	b <<= 1
	if b&32 != 0 {
		b ^= 0b100101
	}
	return b
}

// typed gives what somebody typed the normal form of a code: in capitals,
// without spaces and hyphens, with 0 and 1 for the letters that look like
// them. Whoever writes Chinese may type full-width letters. ok is false when
// it cannot be a code, so that a slip is told from a code that does not exist.
func typed(text string) (code string, ok bool) {
	if len(text) > longestTyped {
		return "", false
	}
	var b strings.Builder
	sum := byte(0)
	for _, r := range text {
		if r >= '！' && r <= '～' { // the full-width forms of ASCII
			r -= '！' - '!'
		}
		r = unicode.ToUpper(r)
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r):
			continue
		case r == 'O':
			r = '0'
		case r == 'I', r == 'L':
			r = '1'
		}
		place := strings.IndexRune(codeLetters, r)
		if place < 0 {
			return "", false
		}
		sum = shifted(sum) ^ byte(place)
		b.WriteRune(r)
	}
	return b.String(), b.Len() == codeLength && sum == 0
}

// shown is a code as people read it: 7K3M-9Q2X-4V8B-1N6C.
func shown(code string) string {
	var groups []string
	for ; len(code) > codeGroup; code = code[codeGroup:] {
		groups = append(groups, code[:codeGroup])
	}
	return strings.Join(append(groups, code), "-")
}

// tail is the end of a code, by which a person tells it from others.
func tail(code string) string { return code[len(code)-codeGroup:] }

// hashed is what is kept of a code: whoever reads the store cannot activate
// what is in it.
func hashed(secret []byte, code string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(code))
	return hex.EncodeToString(mac.Sum(nil))
}

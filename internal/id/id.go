// Package id makes the names of things: a short prefix that says what the
// thing is, then random characters that nobody can guess.
package id

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// The prefixes in use.
const (
	Workspace      = "wksp"
	StudioAccount  = "acnt"
	BillingAccount = "bcac"
	Operator       = "oper"
	Token          = "tkn" // the shape that DataKit's installer checks: tkn_ and 32 characters
	Code           = "code"
	Ticket         = "tckt"
	Bill           = "bill"
	LedgerEntry    = "ltxn"
	Mail           = "mail"
	Notice         = "ntce"
	Transfer       = "trsf"
	Payment        = "pmnt"
	Refund         = "rfnd"
	ChannelNotice  = "cntc"
	Voucher        = "vchr"
	Card           = "card"
	Package        = "pkge"
	TrafficPackage = "trfp"
	Agreement      = "agrm"
	Gateway        = "gate"
	APIKey         = "tgak" // a secret: of a sign-in to the API, or of a key that reads
	Key            = "akey" // the name of such a key
	Reference      = "ref"
	Attachment     = "attc"
	Certification  = "cert"
	Subscription   = "subs" // what was bought on a marketplace
	Record         = "mrec" // usage for a marketplace
	Batch          = "btch" // of activation codes
	SignIn         = "sess" // the name of a sign-in, which opens nothing
	Invitation     = "invt"
	Promotion      = "prmo"
	Message        = "mssg"
	Adjustment     = "adjm" // of a balance, by two operators
	Invoice        = "invc" // a request for one
	InvoiceProfile = "invp"
	InvoiceAddress = "inva"
)

// length is the number of random characters: 32 of 36 is more than 160 bits.
const length = 32

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"

// fair is the largest multiple of the alphabet's length that a byte can count
// to: bytes from it on are thrown away, so that every character is as likely.
const fair = 256 / len(alphabet) * len(alphabet)

// New is a fresh name such as wksp_4f0q….
func New(prefix string) string {
	name := make([]byte, 0, len(prefix)+1+length)
	name = append(append(name, prefix...), '_')
	var pool [length + 8]byte
	for len(name) < cap(name) {
		if _, err := rand.Read(pool[:]); err != nil {
			panic("id: the system has no randomness: " + err.Error())
		}
		for _, b := range pool {
			if int(b) < fair && len(name) < cap(name) {
				name = append(name, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(name)
}

// Digits is a code of n random decimal digits, leading zeros included.
func Digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + random(10))
	}
	return string(b)
}

// Text is n random characters of the given ones.
func Text(characters string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = characters[random(len(characters))]
	}
	return string(b)
}

// Short is a reference of ten characters for people to read aloud.
func Short() string {
	return Text(alphabet, 10)
}

// Valid reports whether s has the shape that New gives for the prefix.
func Valid(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix+"_")
	if !ok || len(rest) != length {
		return false
	}
	for i := range len(rest) {
		if strings.IndexByte(alphabet, rest[i]) < 0 {
			return false
		}
	}
	return true
}

func random(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic("id: the system has no randomness: " + err.Error())
	}
	return int(v.Int64())
}

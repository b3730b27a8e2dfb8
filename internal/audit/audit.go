// Package audit holds the record of who did what. Entries are append only and
// hash-chained, so that a change to history is detectable (promise P10).
package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Entry is one thing that somebody did, or tried.
type Entry struct {
	At      time.Time         `json:"at"`      // occurred
	Actor   string            `json:"actor"`   // account ID, or "system"
	Address string            `json:"address"` // remote IP address, empty for the system
	Action  string            `json:"action"`  // a verb of the business: workspace.upgraded
	Subject string            `json:"subject"` // the ID of what it was done to
	Detail  map[string]string `json:"detail,omitempty"`
}

// Hash links the entry to the hash of the one before: SHA-256 over that hash
// and the entry's JSON, in hexadecimal.
func (e Entry) Hash(previous string) string {
	sum := sha256.New()
	sum.Write([]byte(previous))
	sum.Write([]byte{'\n'})
	sum.Write(e.Text())
	return hex.EncodeToString(sum.Sum(nil))
}

// Text is the JSON of the entry that is hashed, behind the hash before it and a
// line feed.
func (e Entry) Text() []byte {
	e.At = e.At.UTC().Truncate(time.Microsecond)
	text, err := json.Marshal(e)
	if err != nil {
		panic("audit: an entry of strings must encode: " + err.Error())
	}
	return text
}

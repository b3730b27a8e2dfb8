package audit

import "time"

// Verdict is what a verification of the books found.
type Verdict struct {
	At       time.Time // by the installation's clock; zero: there was none yet
	Findings []Finding
}

// Holds reports whether every invariant held.
func (v Verdict) Holds() bool { return len(v.Findings) == 0 }

// MostKept bounds the findings that are kept of a verdict; the first ones name
// the trouble.
const MostKept = 500

// checkHour is when the books are verified each night, in UTC: the days of
// every site that end around the turn of the UTC day are closed by then, or
// have a day to go.
const checkHour = 19

// NextCheck is when the books are verified next, given the last verdict. The
// first check of an installation is due at once.
func NextCheck(last Verdict) time.Time {
	if last.At.IsZero() {
		return time.Unix(0, 0)
	}
	at := last.At.UTC()
	next := time.Date(at.Year(), at.Month(), at.Day(), checkHour, 0, 0, 0, time.UTC)
	if !next.After(at) {
		next = next.AddDate(0, 0, 1)
	}
	return next
}

// CheckBooks is the job that verifies the books of a night.
type CheckBooks struct {
	Due time.Time `json:"due"`
}

// Kind names the job for the queue.
func (CheckBooks) Kind() string { return "audit.check_books" }

// UniqueByArgs keeps one job of a night.
func (CheckBooks) UniqueByArgs() bool { return true }

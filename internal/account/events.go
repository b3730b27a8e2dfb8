package account

import (
	"time"

	"tollgate.dev/internal/site"
)

// CodeSent happens when a code is made: its digits are mailed to the address
// and kept nowhere else in the clear.
type CodeSent struct {
	Purpose   Purpose
	Email     string
	Language  string // of the one who reads it: "en" or "zh"
	Digits    string
	ExpiresAt time.Time
	Site      site.ID // where the account or the workspace is; empty when none is concerned
	For       string  // what the code confirms, as its reader knows it: the workspace's name; may be empty
}

// Registered happens when an account exists from now on. For a Billing Center
// account the mail repeats the user name, which an upgrade asks for.
type Registered struct {
	Site         site.ID // of a Studio account; empty for a Billing Center account
	UserName     string
	Email        string
	Language     string
	RegisteredAt time.Time
}

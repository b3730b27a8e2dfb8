// Package sim plays scenarios: files that say who there is, what happens and
// what should come of it. It owns the format of the files, how each step is
// done through the nouns that the consoles use, and what is told of the end.
// It does not own any rule of billing: those are the nouns', and a scenario
// runs on the same store, jobs and calendar as an installation.
//
// Always true: the same file gives the same outcome, whatever the machine, the
// engine of the store and the hour of the day; a step that the rules refuse
// changes nothing and does not end the run.
package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Scenario is what a file says, checked: everything that it names exists.
type Scenario struct {
	Name       string
	Start      time.Time // in the offset that the file gives
	Catalog    *catalog.Catalog
	Profile    site.Profile
	clouds     map[site.Method]terms
	accounts   []payer
	workspaces []shop
	steps      []step
	expect     ast.Node // nil when nothing is expected
}

// payer is a Billing Center account of the file.
type payer struct {
	name       string
	currency   money.Currency
	enterprise account.Enterprise // that it is certified for, from the start
	arbitrary  bool
	clouds     []purchase // that are bound to it from the start
	line       int
}

// shop is a workspace of the file.
type shop struct {
	name       string
	site       site.Site
	commercial bool
	account    string            // who pays from the start; empty in Experience
	retention  map[string]string // class by data type, from the start
	settlement purchase          // that settles it from the start; none: the Billing Center does
	line       int
}

// step is one line of the story.
type step struct {
	verb   string
	line   int
	at     time.Time // the clock moves there first; zero when it stays
	action action
}

// action is what a step does. A fault of the rules is the step's; any other
// error ends the run.
type action interface {
	play(ctx context.Context, p *play) error
}

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line int // from 1
	Text string
}

// Problems is everything that is wrong with a file.
type Problems []Problem

// Error names them all, one a line, in the order of the file.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = fmt.Sprintf("line %d: %s", problem.Line, problem.Text)
	}
	return strings.Join(lines, "\n")
}

// sorted puts them in the order of the file.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int { return a.Line - b.Line })
	return p
}

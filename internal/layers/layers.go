// Package layers holds the order of the house: which package may import which.
// Its test reads the whole tree and fails the build when an import points down
// the list. It is the one place where the order is written; a new package gets
// its row here first.
package layers

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the module's path.
const Module = "tollgate.dev"

// Order lists the packages of internal/, in rows from the words to the wiring.
// A package imports only packages of rows above its own; packages of one row
// do not know each other. A package below another one (store/sqlite) has the
// row of its parent.
var Order = [][]string{
	// words
	{"fault", "failpoint", "secret"},
	{"id", "quantity", "period", "audit"},
	{"money", "attachment"},
	// nouns
	{"site"},
	{"account"},
	{"message"},
	{"workspace"},
	{"catalog"},
	{"meter"},
	{"usage"},
	{"quota"},
	{"usageevent"},
	{"retention"},
	{"logindex", "logcount"},
	{"upgrade"},
	{"rate"},
	{"preview"},
	{"wallet"},
	{"prepaid"},
	{"arrears"},
	{"topup"},
	{"bill"},
	{"statement"},
	{"export"},
	{"invoice"},
	{"analysis"},
	{"alert"},
	{"settle"},
	{"rebind"},
	{"marketplace"},
	{"notify"},
	// what holds and moves them
	{"store"},
	{"till"},
	{"job"},
	{"bus"},
	{"sink"},
	// doors
	{"gateway", "api"},
	{"web"},
	{"holder", "hooks"},
	{"mailbox", "studio", "billingcenter", "operator"},
	{"demo", "paysim", "marketsim"},
	{"app"},
	{"sim"},
	{"fire"},
}

// The nouns are the rows from the first to the last of these. They and the
// words above them know no SQL and no HTTP.
const firstNoun, lastNoun = "site", "marketplace"

// forbidden is what a noun or a word must not import: protocols and engines.
var forbidden = []string{
	"net/http", "database/sql",
	"github.com/jackc/pgx", "modernc.org/sqlite", "github.com/riverqueue/river",
	"github.com/a-h/templ", "github.com/danielgtaylor/huma",
}

// exceptions are the imports that a rule forbids and that have their reason.
var exceptions = map[[2]string]string{
	{"fault", "net/http"}:        "the one table from kinds to statuses; only its constants are used",
	{"topup/stripe", "net/http"}: "an adapter speaks its channel's protocol; the noun above it does not",
	{"topup/alipay", "net/http"}: "an adapter speaks its channel's protocol; the noun above it does not",

	{"marketplace/alibaba", "net/http"}: "an adapter speaks its cloud's protocol; the noun above it does not",
	{"marketplace/huawei", "net/http"}:  "an adapter speaks its cloud's protocol; the noun above it does not",
}

// machinery is for tests: it may import anything, and no product code imports it.
var machinery = []string{"layers", "tidy", "testkit", "store/storetest", "web/gallery", "e2e"}

// parted are the packages whose folders do not know each other.
var parted = []string{"marketplace", "store", "topup"}

// Violation is an import that breaks the order.
type Violation struct {
	File   string
	Line   int
	Import string // empty when it is the package itself that has no place
	Reason string
}

// String is file:line: import: reason.
func (v Violation) String() string {
	if v.Import == "" {
		return fmt.Sprintf("%s:%d: %s", v.File, v.Line, v.Reason)
	}
	return fmt.Sprintf("%s:%d: import of %s: %s", v.File, v.Line, v.Import, v.Reason)
}

// Check reads every Go file of the tree and lists what breaks the order. Tests
// may import what they like: the compiler keeps them out of the binary.
func Check(tree fs.FS) ([]Violation, error) {
	var found []Violation
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(entry.Name()):
			return fs.SkipDir
		case entry.IsDir(), !strings.HasSuffix(file, ".go"), strings.HasSuffix(file, "_test.go"):
			return nil
		}
		violations, err := checkFile(tree, file)
		found = append(found, violations...)
		return err
	})
	return found, err
}

func skipped(folder string) bool {
	return folder == "testdata" || folder == "node_modules" || len(folder) > 1 && strings.HasPrefix(folder, ".")
}

func checkFile(tree fs.FS, file string) ([]Violation, error) {
	source, err := fs.ReadFile(tree, file)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("reading imports: %w", err)
	}
	if from, internal := strings.CutPrefix(path.Dir(file), "internal/"); internal && !isMachinery(from) && rowOf(from) < 0 {
		return []Violation{{file, set.Position(parsed.Package).Line, "", noPlace(from)}}, nil
	}
	var found []Violation
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", file, spec.Path.Value, err)
		}
		if reason := breaks(path.Dir(file), imported); reason != "" {
			found = append(found, Violation{file, set.Position(spec.Pos()).Line, imported, reason})
		}
	}
	return found, nil
}

// breaks says which rule the import breaks, if any. folder is relative to the
// module's root.
func breaks(folder, imported string) string {
	from, internal := strings.CutPrefix(folder, "internal/")
	to, ours := strings.CutPrefix(imported, Module+"/internal/")
	switch {
	case internal && isMachinery(from):
		return ""
	case ours && isMachinery(to):
		return "this is test machinery, which product code does not know"
	case !internal:
		return breaksOutside(folder, imported)
	case !ours:
		return breaksForeign(from, imported)
	}
	return breaksOrder(from, to)
}

// breaksOutside holds the rules of folders beside internal/.
func breaksOutside(folder, imported string) string {
	public := folder == "client" || strings.HasPrefix(folder, "client/")
	if public && strings.HasPrefix(imported, Module+"/internal/") {
		return "the public client is used by others, who cannot see internal packages"
	}
	return ""
}

func breaksForeign(from, imported string) string {
	if strings.HasPrefix(imported, Module+"/") {
		return "internal packages do not import commands or the public client"
	}
	row := rowOf(from)
	if row > rowOf(lastNoun) {
		return ""
	}
	for _, f := range forbidden {
		if (imported == f || strings.HasPrefix(imported, f+"/")) && exceptions[[2]string{from, imported}] == "" {
			if row < rowOf(firstNoun) {
				return "a word knows no protocol and no engine"
			}
			return "a noun knows no protocol and no engine"
		}
	}
	return ""
}

func breaksOrder(from, to string) string {
	fromRow, toRow := rowOf(from), rowOf(to)
	switch {
	case toRow < 0:
		return noPlace(to)
	case top(from) == top(to):
		if slices.Contains(parted, top(from)) && from != to && from != top(from) && to != top(to) {
			return "the folders of " + top(from) + " do not know each other"
		}
		return ""
	case fromRow == toRow:
		return top(from) + " and " + top(to) + " are of one row and do not know each other"
	case fromRow < toRow:
		return top(to) + " stands below " + top(from) + " in the order; imports point up"
	}
	return ""
}

func noPlace(folder string) string {
	return "internal/" + top(folder) + " has no place in the order; give it one in internal/layers"
}

func top(folder string) string {
	name, _, _ := strings.Cut(folder, "/")
	return name
}

func rowOf(folder string) int {
	return slices.IndexFunc(Order, func(row []string) bool { return slices.Contains(row, top(folder)) })
}

func isMachinery(folder string) bool {
	return slices.ContainsFunc(machinery, func(m string) bool {
		return folder == m || strings.HasPrefix(folder, m+"/")
	})
}

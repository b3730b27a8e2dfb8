// Package tidy holds the rules of style that a machine can check: sizes, exact
// numbers, clocks, names and comments. Its test reads the whole tree and fails
// the build when one is broken. Each rule stands in one function below, with
// its reason in the message.
//
// It does not own the order of imports, which is package layers.
package tidy

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Limits of size (generated files have none).
const (
	maxFunction = 69
	maxFile     = 499
)

// exact are the packages where money and quantities are counted: no float.
var exact = []string{
	"fault", "quantity", "money", "period", "catalog", "usage", "quota", "retention",
	"upgrade", "rate", "preview", "wallet", "topup", "bill", "analysis", "alert", "settle",
}

// clocks are the folders that may ask what time it is; all others are told.
var clocks = []string{"internal/app", "internal/job", "internal/testkit", "cmd"}

// banned are package names that say nothing.
var banned = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "types", "models", "interfaces"}

// Violation is a place that breaks a rule.
type Violation struct {
	File   string
	Line   int
	Reason string
}

// String is file:line: reason.
func (v Violation) String() string { return fmt.Sprintf("%s:%d: %s", v.File, v.Line, v.Reason) }

// Check reads the files of the tree and lists what breaks a rule.
func Check(tree fs.FS) ([]Violation, error) {
	var found []Violation
	documented := map[string]bool{} // folder: has a package comment
	first := map[string]string{}    // folder: its first Go file that is no test
	err := fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(file):
			return fs.SkipDir
		case entry.IsDir(), !entry.Type().IsRegular(), file == ".git": // a file in a second worktree, which says where the first one is
			return nil
		}
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		found = append(found, checkText(file, text)...)
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		s, err := parse(file, text)
		if err != nil {
			return err
		}
		found = append(found, s.check()...)
		if folder := path.Dir(file); !s.test && !s.generated {
			if first[folder] == "" {
				first[folder] = file
			}
			documented[folder] = documented[folder] || s.file.Doc != nil
		}
		return nil
	})
	for _, folder := range slices.Sorted(maps.Keys(first)) {
		if !documented[folder] {
			found = append(found, Violation{first[folder], 1, "the package has no comment that says what it owns"})
		}
	}
	return found, err
}

// skipped are folders that are not ours or not kept.
func skipped(folder string) bool {
	name := path.Base(folder)
	return folder == "bin" || folder == "out" || name == "testdata" || name == "node_modules" ||
		len(name) > 1 && strings.HasPrefix(name, ".") && name != ".ci"
}

// source is one parsed Go file.
type source struct {
	path      string
	set       *token.FileSet
	file      *ast.File
	lines     int
	test      bool
	generated bool
	found     []Violation
}

func parse(file string, text []byte) (*source, error) {
	s := &source{path: file, set: token.NewFileSet(), test: strings.HasSuffix(file, "_test.go")}
	parsed, err := parser.ParseFile(s.set, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("reading the source: %w", err)
	}
	s.file = parsed
	s.generated = ast.IsGenerated(parsed)
	s.lines = strings.Count(string(text), "\n")
	return s, nil
}

func (s *source) check() []Violation {
	if s.generated {
		return nil
	}
	s.sizes()
	s.names()
	s.clock()
	s.unfinished()
	if s.test {
		s.tests()
		return s.found
	}
	s.floats()
	s.comments()
	return s.found
}

func (s *source) report(at token.Pos, format string, args ...any) {
	s.found = append(s.found, Violation{s.path, s.set.Position(at).Line, fmt.Sprintf(format, args...)})
}

func (s *source) under(folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(s.path, f+"/") })
}

func (s *source) sizes() {
	if s.lines > maxFile {
		s.report(s.file.Package, "the file has %d lines, more than %d; part it by what it is about", s.lines, maxFile)
	}
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > maxFunction {
			s.report(f.Pos(), "%s has %d lines, more than %d; let it decide and put the work into leaves", f.Name.Name, n, maxFunction)
		}
	}
}

func (s *source) names() {
	if name := strings.TrimSuffix(s.file.Name.Name, "_test"); slices.Contains(banned, name) {
		s.report(s.file.Name.Pos(), "package %s: name the package after a thing of the business", name)
	}
}

func (s *source) floats() {
	folder, ok := strings.CutPrefix(path.Dir(s.path), "internal/")
	noun, _, _ := strings.Cut(folder, "/")
	if !ok || !slices.Contains(exact, noun) {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name == "float32" || n.Name == "float64" {
				s.report(n.Pos(), "%s where money or quantities are counted; use quantity.Decimal or money.Amount", n.Name)
			}
		case *ast.BasicLit:
			if n.Kind == token.FLOAT {
				s.report(n.Pos(), "the float %s where money or quantities are counted; write quantity.MustParse", n.Value)
			}
		}
		return true
	})
}

func (s *source) clock() {
	if s.test || s.under(clocks) {
		return
	}
	s.calls("time", []string{"Now", "Since", "Until"}, "time.%s asks the machine's clock; take the instant, or a Now function from the wiring")
}

// tests holds what a test may not do.
func (s *source) tests() {
	s.calls("time", []string{"Sleep"}, "time.%s makes a test slow or flaky; use testing/synctest, or testkit.Eventually for a real process")
	ast.Inspect(s.file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		receiver, ok := selector.X.(*ast.Ident)
		if ok && slices.Contains([]string{"t", "b", "f", "tb"}, receiver.Name) && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, selector.Sel.Name) {
			s.report(n.Pos(), "%s.%s: a test that does not run proves nothing; let what is missing fail", receiver.Name, selector.Sel.Name)
		}
		return true
	})
}

// calls reports each mention of one of the functions of a package of the
// standard library, under whatever name the file imports it.
func (s *source) calls(importPath string, functions []string, format string) {
	local := ""
	for _, i := range s.file.Imports {
		if i.Path.Value == `"`+importPath+`"` {
			local = path.Base(importPath)
			if i.Name != nil {
				local = i.Name.Name
			}
		}
	}
	if local == "" {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := selector.X.(*ast.Ident)
		if ok && x.Name == local && slices.Contains(functions, selector.Sel.Name) {
			s.report(n.Pos(), format, selector.Sel.Name)
		}
		return true
	})
}

func (s *source) unfinished() {
	for _, group := range s.file.Comments {
		for _, c := range group.List {
			if mark := unfinishedIn(c.Text); mark != "" {
				s.report(c.Pos(), "%s: finish it, or file an issue", mark)
			}
		}
	}
}

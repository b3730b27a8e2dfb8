package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// reader walks the tree of a file and collects what is wrong with it.
type reader struct{ problems Problems }

func (r *reader) wrong(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
}

// parse gives the tree of the one document in the text.
func (r *reader) parse(text []byte) ast.Node {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		line, message := 1, strings.TrimSpace(yaml.FormatError(err, false, false))
		var column int
		if n, _ := fmt.Sscanf(message, "[%d:%d]", &line, &column); n == 2 {
			_, message, _ = strings.Cut(message, "] ")
		}
		r.wrong(line, "%s", message)
		return nil
	}
	var body ast.Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case body != nil:
			r.wrong(lineOf(d.Body), "a file holds one scenario; this is the second one")
		default:
			body = d.Body
		}
	}
	if body == nil && len(r.problems) == 0 {
		r.wrong(1, "the file is empty")
	}
	return body
}

// lineOf is where a node begins.
func lineOf(n ast.Node) int {
	switch v := n.(type) {
	case *ast.MappingNode:
		if len(v.Values) > 0 && !v.IsFlowStyle {
			return lineOf(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return lineOf(v.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 1
}

// plain is the text of a scalar as it was written; ok is false for anything else.
func plain(n ast.Node) (text string, ok bool) {
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return v.GetToken().Value, true
	}
	return "", false
}

// fields are the keys of a mapping, with the values that were not read yet.
type fields struct {
	*reader
	what   string // what the mapping is, for the problems: steps[3].usage
	line   int
	order  []string
	values map[string]ast.Node
	read   map[string]bool
}

// mapping reads a node that must be a mapping; of anything else it is empty
// and says so.
func (r *reader) mapping(n ast.Node, what string) *fields {
	f := &fields{reader: r, what: what, line: lineOf(n), values: map[string]ast.Node{}, read: map[string]bool{}}
	var pairs []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		pairs = v.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{v}
	default:
		r.wrong(f.line, "%s must hold keys and values", what)
		return f
	}
	for _, pair := range pairs {
		key, ok := plain(pair.Key)
		if !ok {
			r.wrong(lineOf(pair.Key), "%s has a key that is no plain word", what)
			continue
		}
		f.order = append(f.order, key)
		f.values[key] = pair.Value
	}
	return f
}

// node gives the value of a key; ok is false when it is missing or empty.
func (f *fields) node(key string) (n ast.Node, ok bool) {
	f.read[key] = true
	n, ok = f.values[key]
	if _, null := n.(*ast.NullNode); null {
		return nil, false
	}
	return n, ok
}

// has reports whether the key has a value, and does not count as reading it.
func (f *fields) has(key string) bool {
	n, ok := f.values[key]
	_, null := n.(*ast.NullNode)
	return ok && !null
}

// optional gives the text of a key, and the line where it stands.
func (f *fields) optional(key string) (text string, line int, ok bool) {
	n, ok := f.node(key)
	if !ok {
		return "", f.line, false
	}
	text, ok = plain(n)
	if !ok {
		f.wrong(lineOf(n), "%s.%s must be a single value", f.what, key)
	}
	return text, lineOf(n), ok
}

// required is optional for a key that must be there.
func (f *fields) required(key string) (text string, line int, ok bool) {
	if !f.has(key) {
		f.read[key] = true
		f.wrong(f.line, "%s lacks %s", f.what, key)
		return "", f.line, false
	}
	return f.optional(key)
}

// list gives the entries of a key; a missing one has none.
func (f *fields) list(key string) []ast.Node {
	n, ok := f.node(key)
	if !ok {
		return nil
	}
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		f.wrong(lineOf(n), "%s must be a list", strings.TrimPrefix(f.what+"."+key, "file."))
		return nil
	}
	return s.Values
}

// truth reads a key that is true or false; missing is what it means then.
func (f *fields) truth(key string, missing bool) bool {
	text, line, ok := f.optional(key)
	switch {
	case !ok:
		return missing
	case text != "true" && text != "false":
		f.wrong(line, "%s.%s: %q is neither true nor false", f.what, key, text)
	}
	return text == "true"
}

// choice reads a key that must be one of a few words.
func (f *fields) choice(key string, words ...string) string {
	text, line, ok := f.required(key)
	if ok && !slices.Contains(words, text) {
		f.wrong(line, "%s.%s: %q is none of %s", f.what, key, text, strings.Join(words, ", "))
	}
	return text
}

// rest names the keys that nobody read.
func (f *fields) rest() {
	var known []string
	for key := range f.read {
		known = append(known, key)
	}
	slices.Sort(known)
	for _, key := range f.order {
		if !f.read[key] {
			f.wrong(lineOfKey(f.values[key], f.line), "%s has no key %s; it takes %s", f.what, key, strings.Join(known, ", "))
		}
	}
}

func lineOfKey(n ast.Node, otherwise int) int {
	if n == nil {
		return otherwise
	}
	return lineOf(n)
}

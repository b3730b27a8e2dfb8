package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/quantity"
)

// Difference is a place where the outcome is not what the file expects.
type Difference struct {
	Line int    // of the file; 0 for what nobody expected
	Path string // bills[0].lines[0].amount
	Want string
	Got  string
}

// Expects reports whether the file says what should come of it.
func (s *Scenario) Expects() bool { return s.expect != nil }

// Compare holds the outcome against what the file expects. A mapping expects
// the keys that it names; a list expects each of its entries, in any order,
// and an empty one expects none. Whole lists expect nothing beside their
// entries either.
func (s *Scenario) Compare(o Outcome, whole bool) ([]Difference, error) {
	if s.expect == nil {
		return nil, nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var got any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&got); err != nil {
		return nil, err
	}
	return comparing{whole}.differences(s.expect, got, ""), nil
}

// expectation checks that the block names nothing that no outcome has.
func (r *reader) expectation(n ast.Node) ast.Node {
	f := r.mapping(n, "expect")
	text, err := json.Marshal(Outcome{})
	var known map[string]any
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	if err != nil {
		panic("sim: an outcome must encode: " + err.Error())
	}
	for _, key := range f.order {
		if _, ok := known[key]; !ok {
			r.wrong(lineOf(f.values[key]), "expect: an outcome has no %s; it has %s", key, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
	}
	return n
}

type comparing struct{ whole bool }

func (c comparing) differences(want ast.Node, got any, path string) []Difference {
	switch v := want.(type) {
	case *ast.MappingNode:
		return c.mapping(v.Values, got, path, lineOf(want))
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{v}, got, path, lineOf(want))
	case *ast.SequenceNode:
		return c.list(v, got, path)
	}
	text, ok := plain(want)
	told, isText := told(got)
	if ok && isText && same(text, told) {
		return nil
	}
	return []Difference{{lineOf(want), path, show(want), showGot(got)}}
}

func (c comparing) mapping(pairs []*ast.MappingValueNode, got any, path string, line int) []Difference {
	has, ok := got.(map[string]any)
	if !ok {
		return []Difference{{line, path, "keys and values", showGot(got)}}
	}
	var all []Difference
	for _, pair := range pairs {
		key, _ := plain(pair.Key)
		at := strings.TrimPrefix(path+"."+key, ".")
		value, ok := has[key]
		if !ok {
			all = append(all, Difference{lineOf(pair.Value), at, show(pair.Value), "nothing"})
			continue
		}
		all = append(all, c.differences(pair.Value, value, at)...)
	}
	return all
}

// list finds for each expected entry one of the outcome: an equal one if there
// is any, else the one that differs least.
func (c comparing) list(want *ast.SequenceNode, got any, path string) []Difference {
	has, ok := got.([]any)
	if !ok {
		return []Difference{{lineOf(want), path, show(want), showGot(got)}}
	}
	free := make([]int, len(has))
	for i := range has {
		free[i] = i
	}
	take := func(n ast.Node, most int) ([]Difference, bool) {
		best, differs := -1, []Difference(nil)
		for at, i := range free {
			d := c.differences(n, has[i], fmt.Sprintf("%s[%d]", path, i))
			if len(d) <= most && (best < 0 || len(d) < len(differs)) {
				best, differs = at, d
			}
		}
		if best >= 0 {
			free = slices.Delete(free, best, best+1)
		}
		return differs, best >= 0
	}
	var all []Difference
	var left []ast.Node
	for _, n := range want.Values {
		if _, found := take(n, 0); !found {
			left = append(left, n)
		}
	}
	for _, n := range left {
		differs, found := take(n, mostDifferences)
		if !found {
			differs = []Difference{{lineOf(n), path, show(n), "nothing"}}
		}
		all = append(all, differs...)
	}
	if c.whole || len(want.Values) == 0 {
		for _, i := range free {
			all = append(all, Difference{lineOf(want), fmt.Sprintf("%s[%d]", path, i), "nothing", showGot(has[i])})
		}
	}
	return all
}

// mostDifferences bounds how little two entries may be alike and still be
// taken for one another.
const mostDifferences = 1 << 20

// told is the text of a single value of the outcome.
func told(got any) (string, bool) {
	switch v := got.(type) {
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// same compares two values as what they mean: 0.5 and 0.50 are one number, an
// instant is one in every offset.
func same(a, b string) bool {
	if a == b {
		return true
	}
	m, err1 := quantity.Parse(a)
	n, err2 := quantity.Parse(b)
	if err1 == nil && err2 == nil {
		return m.Cmp(n) == 0
	}
	s, err1 := time.Parse(time.RFC3339, a)
	t, err2 := time.Parse(time.RFC3339, b)
	return err1 == nil && err2 == nil && s.Equal(t)
}

// longestShown bounds a value in a difference.
const longestShown = 160

func show(n ast.Node) string {
	text, ok := plain(n)
	if !ok {
		text = n.String()
	}
	return short(text)
}

func showGot(got any) string {
	if text, ok := told(got); ok {
		return short(text)
	}
	text, err := json.Marshal(got)
	if err != nil {
		return err.Error()
	}
	return short(string(text))
}

func short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > longestShown {
		return string(runes[:longestShown-1]) + "…"
	}
	return text
}

// PrintDifferences writes what was expected and what came, side by side.
func PrintDifferences(w io.Writer, file string, all []Difference) error {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintln(t, "line\twhere\texpected\tcame")
	for _, d := range all {
		fmt.Fprintf(t, "%s:%d\t%s\t%s\t%s\n", file, d.Line, d.Path, d.Want, d.Got)
	}
	return t.Flush()
}

package operator

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/web"
)

// sentencesOfTheCatalogue are the sentences that internal/catalog says of a
// file, read from its source.
func sentencesOfTheCatalogue(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testkit.Root(t), "internal", "catalog", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "wrong" {
				return true
			}
			literal, ok := call.Args[1].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a sentence that is put together cannot be translated", filepath.Base(file))
				return true
			}
			sentence, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[sentence] = true
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?([a-z])`)

// verbs lists the verbs by the place of their argument.
func verbs(sentence string) string {
	var all []string
	for i, m := range verb.FindAllStringSubmatch(sentence, -1) {
		place := m[1]
		if place == "" {
			place = fmt.Sprint(i + 1)
		}
		all = append(all, place+m[2])
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestWhatIsWrongWithACatalogueIsSaidInChineseToo(t *testing.T) {
	t.Parallel()
	sentences := sentencesOfTheCatalogue(t)
	if len(sentences) < 50 {
		t.Fatalf("only %d sentences were found", len(sentences))
	}
	for _, sentence := range sentences {
		chinese, ok := chineseProblems[sentence]
		if !ok {
			t.Errorf("problem.zh.yaml lacks %q", sentence)
		} else if verbs(chinese) != verbs(sentence) {
			t.Errorf("%q has other verbs than %q", chinese, sentence)
		}
	}
	for sentence := range chineseProblems {
		if !slices.Contains(sentences, sentence) {
			t.Errorf("problem.zh.yaml has %q, which the catalogue never says", sentence)
		}
	}
}

func TestAProblemIsShownInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	_, err := catalog.Default().Shipped().With([]byte("versions:\n  - {id: early, from: 2024-01-01, amends: \"2024-11-06\", retention: {experience: 7d, types: [{type: x, allowed: [7d], default: 9d}]}}\n"))
	var list catalog.Problems
	if !errors.As(err, &list) {
		t.Fatal(err)
	}
	var texts []string
	for _, p := range list {
		texts = append(texts, problemText(web.WithLanguage(t.Context(), "zh", ""), p))
		if en := problemText(web.WithLanguage(t.Context(), "en", ""), p); en != p.Text() {
			t.Errorf("in English: %s", en)
		}
	}
	all := strings.Join(texts, "\n")
	for _, want := range []string{"2024-01-01 与版本 2024-11-06 的有效期重叠", `"9d" 不在允许的存储时长之内`} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not said:\n%s", want, all)
		}
	}
}

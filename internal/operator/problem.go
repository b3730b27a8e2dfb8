package operator

import (
	"context"
	_ "embed" // the sentences in Chinese
	"fmt"

	"github.com/goccy/go-yaml"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/web"
)

// problemsZh are the sentences on what is wrong with a catalogue, each under
// the English one that stands where it is found. A test holds them complete.
//
//go:embed problem.zh.yaml
var problemsZh []byte

var chineseProblems = readProblems(problemsZh)

func readProblems(text []byte) map[string]string {
	var sentences map[string]string
	if err := yaml.UnmarshalWithOptions(text, &sentences, yaml.Strict()); err != nil {
		panic("operator: problem.zh.yaml: " + err.Error())
	}
	return sentences
}

// problemText is what is wrong, in the language of the page.
func problemText(ctx context.Context, p catalog.Problem) string {
	if sentence, ok := chineseProblems[p.Sentence]; ok && web.Language(ctx) == "zh" {
		return fmt.Sprintf(sentence, p.Args...)
	}
	return p.Text()
}

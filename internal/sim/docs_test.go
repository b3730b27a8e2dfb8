package sim_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"tollgate.dev/internal/sim"
	"tollgate.dev/internal/testkit"
)

// TestTheExampleOfTheDocumentIsTrue plays the file that docs/scenarios.md shows.
func TestTheExampleOfTheDocumentIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("the document has no example")
	}
	s, err := sim.Read(example[1], "")
	if err != nil {
		t.Fatal(err)
	}
	o, err := sim.Play(t.Context(), s, scratch(t), testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	differences, err := s.Compare(o, false)
	if err != nil || len(differences) > 0 || !s.Expects() {
		t.Errorf("%v, %v", differences, err)
	}
}

func TestTheDocumentNamesEveryStep(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+): ").FindAllSubmatch(text, -1) {
		named = append(named, string(m[1]))
	}
	if verbs := sim.Verbs(); !slices.Equal(slices.Sorted(slices.Values(named)), verbs) {
		t.Errorf("the document has %v, the format %v", named, verbs)
	}
}

package paysim

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// A simulator that shared code with an adapter would share its mistakes.
func TestNothingOfTheHouseIsImported(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); strings.Contains(strings.SplitN(path, "/", 2)[0], ".") {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}

func TestAmountsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"1": 100, "1.5": 150, "12.34": 1234, "0.01": 1} {
		if got, ok := minorOf(text); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", ".", "1.", "1.234", "-1", "1e3", " 1", "1,000", "9999999999"} {
		if got, ok := minorOf(text); ok {
			t.Errorf("%q was read as %d", text, got)
		}
	}
}

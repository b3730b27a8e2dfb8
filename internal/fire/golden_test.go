package fire_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of points anew")

// golden holds the points that were passed against the list of those that
// there are, so that a path that is no longer taken is noticed.
func golden(t *testing.T, points []string) {
	t.Helper()
	path := filepath.Join("testdata", "points.txt")
	got := strings.Join(points, "\n") + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("the points are not those of %s (go test -run Point -update writes it): %v\n%s", path, err, differ(got, string(want)))
	}
}

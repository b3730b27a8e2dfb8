package store

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/usage"
)

// TestSamplesAreGatheredWhateverTheirOrder compares the gathering of samples
// with a map of lists, for samples that come together and for others.
func TestSamplesAreGatheredWhateverTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := make([]string, rapid.IntRange(1, 6).Draw(t, "workspaces"))
		g := gathering{of: map[string]int{}, ends: make([]span, len(ids)), last: -1}
		for i := range ids {
			ids[i] = fmt.Sprint("wksp_", i)
			g.of[ids[i]] = i
		}
		want := map[string][]usage.Sample{}
		order := rapid.SliceOfN(rapid.IntRange(0, len(ids)-1), 0, 40).Draw(t, "order")
		if rapid.Bool().Draw(t, "together") {
			slices.Sort(order)
		}
		for n, at := range order {
			s := usage.Sample{Key: usage.Key{WorkspaceID: ids[at]}, Quantity: int64(n)}
			want[ids[at]] = append(want[ids[at]], s)
			g.all = append(g.all, s)
			g.add(at)
		}
		got := g.byWorkspace(ids)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("gathered %v, want %v", got, want)
		}
	})
}

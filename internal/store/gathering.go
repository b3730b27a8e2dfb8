package store

import "tollgate.dev/internal/usage"

// span is the samples from one place to the one before another.
type span struct{ from, to int }

// gathering takes the samples of many workspaces as they come. Mostly those of
// one come together; where they do not, they are put so in the end.
type gathering struct {
	of    map[string]int // the places of the workspaces
	all   []usage.Sample
	ends  []span // by workspace
	last  int    // the place of the sample before
	apart bool
}

// add says that the last of all samples is of the workspace at the place.
func (g *gathering) add(at int) {
	n := len(g.all)
	if at != g.last {
		if g.ends[at].to > 0 {
			g.apart = true
		} else {
			g.ends[at].from = n - 1
		}
		g.last = at
	}
	g.ends[at].to = n
}

// byWorkspace gives the samples of each workspace.
func (g *gathering) byWorkspace(ids []string) map[string][]usage.Sample {
	if g.apart {
		g.together()
	}
	by := make(map[string][]usage.Sample, len(ids))
	for i, id := range ids {
		if s := g.ends[i]; s.to > s.from {
			by[id] = g.all[s.from:s.to:s.to]
		}
	}
	return by
}

// together puts the samples of each workspace side by side, in their order.
func (g *gathering) together() {
	counts := make([]int, len(g.ends))
	for i := range g.all {
		counts[g.of[g.all[i].WorkspaceID]]++
	}
	from := 0
	for i, n := range counts {
		g.ends[i] = span{from, from}
		from += n
	}
	sorted := make([]usage.Sample, len(g.all))
	for i := range g.all {
		s := &g.ends[g.of[g.all[i].WorkspaceID]]
		sorted[s.to] = g.all[i]
		s.to++
	}
	g.all = sorted
}

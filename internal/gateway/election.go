package gateway

import (
	"net/http"
	"sync"
	"time"

	"tollgate.dev/internal/fault"
)

// The bounds of elections: a leader that is silent for leaderTime is none any
// more, and nobody may fill the memory with namespaces.
const (
	electionInterval = 3 * time.Second
	leaderTime       = 10 * electionInterval
	maxLeaders       = 10_000
	longestCandidate = 256
)

// elections remember which DataKit of a workspace's namespace leads: the one
// that asked first, for as long as it goes on asking. They are this gateway's
// own, and begin anew with it.
type elections struct {
	mu      sync.Mutex
	leaders map[candidacy]leader
}

type candidacy struct{ workspaceID, namespace string }

type leader struct {
	id    string
	until time.Time
}

// stand says who leads after the candidate asked.
func (e *elections) stand(c candidacy, id string, at time.Time) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.leaders == nil || len(e.leaders) >= maxLeaders {
		e.leaders = map[candidacy]leader{}
	}
	if l, led := e.leaders[c]; led && l.id != id && at.Before(l.until) {
		return l.id
	}
	e.leaders[c] = leader{id, at.Add(leaderTime)}
	return id
}

// election answers a DataKit that wants to lead, or that says it still does.
// An answer of success without an interval would stop its elections for good.
func (g *Gateway) election(w http.ResponseWriter, r *http.Request) {
	t, err := g.tenant(r.Context(), tokenOf(r))
	q := r.URL.Query()
	id, namespace := q.Get("id"), q.Get("namespace")
	if err == nil && (id == "" || len(id) > longestCandidate || len(namespace) > longestCandidate) {
		err = errCandidate
	}
	if err != nil {
		g.refuse(w, r, dataway, fault.From(err))
		return
	}
	leads := g.elections.stand(candidacy{t.Workspace.ID, namespace}, id, g.Now())
	status := "fail"
	if leads == id {
		status = "success"
	}
	writeJSON(w, http.StatusOK, map[string]any{"content": map[string]any{
		"status": status, "namespace": namespace, "id": id, "incumbency_id": leads, "interval": int(electionInterval / time.Second),
	}})
}

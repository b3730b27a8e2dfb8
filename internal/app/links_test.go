package app

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/operator"
	"tollgate.dev/internal/studio"
	"tollgate.dev/internal/web"
)

// TestEveryLinkOfAMailIsAPageOfAConsole reads the golden mails and asks the
// route tables of the consoles for each address in them.
func TestEveryLinkOfAMailIsAPageOfAConsole(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, routes := range [][]web.Route{
		billingcenter.New(billingcenter.Config{}).Routes(), studio.New(studio.Options{}).Routes(),
		operator.New(operator.Config{Clock: operator.Clock{Now: time.Now}}).Routes(),
	} {
		for _, r := range routes {
			if r.Method == http.MethodGet {
				mux.Handle(r.Method+" "+r.Pattern, http.NotFoundHandler())
			}
		}
	}
	files, err := filepath.Glob("../notify/testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden mails: %v", err)
	}
	links := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`https://tollgate\.example(/\S*)`).FindAllSubmatch(text, -1) {
			links[string(m[1])] = true
		}
	}
	if len(links) < 15 {
		t.Fatalf("only %d links: the mails or their address changed", len(links))
	}
	for link := range links {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := mux.Handler(r); pattern == "" {
			t.Errorf("no console has the page %s", link)
		}
	}
}

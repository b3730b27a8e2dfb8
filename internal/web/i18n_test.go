package web_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"tollgate.dev/internal/web"
)

func TestAllLanguagesHaveAllKeys(t *testing.T) {
	t.Parallel()
	first := web.Languages()[0]
	for _, other := range web.Languages()[1:] {
		for _, key := range web.Keys(first) {
			if !slices.Contains(web.Keys(other), key) {
				t.Errorf("%s has no %s", other, key)
			}
		}
		for _, key := range web.Keys(other) {
			// A fault says its own English sentence where none is written.
			if !slices.Contains(web.Keys(first), key) && !strings.HasPrefix(key, "fault.") {
				t.Errorf("%s has %s, which %s lacks", other, key, first)
			}
		}
	}
}

func TestEveryFaultIsTranslated(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`fault\.New\(\s*fault\.\w+,\s*"([a-z0-9_]+)"`)
	for path, text := range sources(t, "..", ".go") {
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(web.Keys("zh"), "fault."+m[1]) && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s declares %s, which has no Chinese sentence", path, m[1])
			}
		}
	}
}

func TestEveryReferencedKeyExists(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`\bT\([a-zA-Z.()]+, "([^"]+)"`)
	for path, text := range pages(t) {
		for _, m := range call.FindAllStringSubmatch(text, -1) {
			known := func(key string) bool {
				return key == m[1] || strings.HasSuffix(m[1], ".") && strings.HasPrefix(key, m[1])
			}
			if !slices.ContainsFunc(web.Keys("en"), known) {
				t.Errorf("%s refers to %s, which is not written", path, m[1])
			}
		}
	}
}

func TestNoKeyIsUnused(t *testing.T) {
	t.Parallel()
	literal := regexp.MustCompile(`"([a-z0-9_.]+)"`)
	used, prefixes := map[string]bool{}, []string{"fault."}
	for _, text := range pages(t) {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			used[m[1]] = true
			if strings.HasSuffix(m[1], ".") && strings.Contains(strings.TrimSuffix(m[1], "."), ".") {
				prefixes = append(prefixes, m[1])
			}
		}
	}
	names := named(t)
	for _, key := range web.Keys("en") {
		if used[key] || names[key] || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			continue
		}
		t.Errorf("nothing shows %s", key)
	}
}

// named are the names of things from fixed lists, all of which are there
// whether or not a page shows them yet.
func named(t *testing.T) map[string]bool {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("locales", "names.en.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list map[string]string
	if err := yaml.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for key := range list {
		names[key] = true
	}
	return names
}

// pages are the sources that show text to people.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, folder := range []string{".", "../studio", "../billingcenter", "../operator", "../holder", "../mailbox", "../app", "../demo"} {
		for _, ext := range []string{".go", ".templ"} {
			for path, text := range sources(t, folder, ext) {
				if !strings.HasSuffix(path, "_templ.go") && !strings.HasSuffix(path, "_test.go") {
					all[path] = text
				}
			}
		}
	}
	return all
}

func sources(t *testing.T, folder, ext string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	if _, err := os.Stat(folder); os.IsNotExist(err) {
		return texts
	}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ext {
			return err
		}
		body, err := os.ReadFile(path)
		texts[path] = string(body)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

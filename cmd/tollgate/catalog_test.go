package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
)

// TestCatalogueFromTheCommandLine runs the commands on a store of its own.
func TestCatalogueFromTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.yaml", "versions:\n  - {id: far, from: 2999-01-01, amends: \"2024-11-06\", rounding: {units: exact, lines: half_up}}\n")
	late := file("late.yaml", "versions:\n  - {id: late, from: 2025-01-01, amends: \"2020-01-01\", until: 2026-01-01}\n")
	installed(t, filepath.Join(dir, "tollgate.db"), func(*store.Tx) error { return nil })
	for _, c := range []struct {
		args []string
		code int
		out  string
		err  []string
	}{
		{[]string{"list"}, 0, "the program", nil},
		{[]string{"check", good}, 0, "changed section rounding", nil},
		{[]string{"check", late}, 2, "", []string{"versions[late].amends: must name", "versions[late].until: must be left out", "versions[late].from: 2025-01-01 is not after"}},
		{[]string{"add", late}, 2, "", []string{"versions[late].from"}},
		{[]string{"add", good}, 0, "version far holds from 2999-01-01, after 2024-11-06", nil},
		{[]string{"add", good}, 2, "", []string{"versions[far].id: is used twice"}},
		{[]string{"list"}, 0, "command line", nil},
		{[]string{"remove", "2024-11-06"}, 2, "", []string{"came with the program"}},
		{[]string{"remove", "far"}, 0, "version far is removed", nil},
		{[]string{"what-if", good, "--month", "2026-02"}, 0, "0 bills of 0 workspaces", nil},
		{[]string{"what-if", good, "--month", "winter"}, 2, "", []string{`"winter" is no month`}},
		{[]string{"what-if", late}, 2, "", []string{"versions[late].amends"}},
	} {
		code, out, wrong := called(t, append([]string{"catalog"}, append(c.args, "--store", "sqlite:"+filepath.Join(dir, "tollgate.db"))...)...)
		if code != c.code || !strings.Contains(out, c.out) {
			t.Errorf("%v: code %d, %q, %q", c.args, code, out, wrong)
		}
		for _, text := range c.err {
			if !strings.Contains(wrong, text) {
				t.Errorf("%v does not say %q: %s", c.args, text, wrong)
			}
		}
	}
	code, out, _ := called(t, "catalog", "what-if", good, "--month", "2026-02", "-o", "json", "--store", "sqlite:"+filepath.Join(dir, "tollgate.db"))
	var printed map[string]any
	if err := json.Unmarshal([]byte(out), &printed); code != 0 || err != nil || printed["version"] != "far" {
		t.Errorf("code %d, %s, %v", code, out, err)
	}
}

// installed makes a store in the file and writes what it is to hold.
func installed(t *testing.T, path string, write func(tx *store.Tx) error) {
	t.Helper()
	e, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e)
	if err := errors.Join(s.Write(t.Context(), write), s.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAMistypedStoreIsNoEmptyInstallation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	for _, args := range [][]string{{"verify"}, {"catalog", "list"}, {"bill", "explain", "cn1-2026-000001"}} {
		code, out, wrong := called(t, append(args, "--store", "sqlite:"+path)...)
		if _, err := os.Stat(path); code != 1 || !strings.Contains(wrong, "there is no installation") || err == nil {
			t.Errorf("%v: code %d, %q, %q, a file: %v", args, code, out, wrong, err == nil)
		}
	}
}

// called runs the command line and gives what it wrote.
func called(t *testing.T, args ...string) (code int, out, wrong string) {
	t.Helper()
	dir := t.TempDir()
	outs, errs := os.Stdout, os.Stderr
	defer func() { os.Stdout, os.Stderr = outs, errs }()
	var files [2]*os.File
	for i, name := range []string{"out", "err"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		files[i] = f
	}
	os.Stdout, os.Stderr = files[0], files[1]
	code = run(t.Context(), args)
	read := func(f *os.File) string {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return code, read(files[0]), read(files[1])
}

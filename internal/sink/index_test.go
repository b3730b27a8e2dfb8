package sink

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"tollgate.dev/internal/meter"
)

// indexes lists what is found as class/index of each record.
func indexes(t *testing.T, l *Local, at time.Time) map[string]int {
	t.Helper()
	page, err := l.Query(context.Background(), Query{WorkspaceID: "w1", Generation: 1, Type: meter.Logging, At: at, Limit: MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, r := range page.Records {
		found[r.Class+"/"+r.Index]++
	}
	return found
}

// TestEachIndexOfAReportLivesAsLongAsItsClass writes one report of several
// indexes, twice: it is stored once, and its parts go one after the other.
func TestEachIndexOfAReportLivesAsLongAsItsClass(t *testing.T) {
	t.Parallel()
	l := fresh(t)
	r := report(1, noon, line("a", noon), line("b", noon))
	r.Indexed = []Indexed{{Index: "web", Class: "3d", Points: []meter.Point{line("c", noon)}}, {Index: "audit", Class: "60d", Points: []meter.Point{line("d", noon)}}}
	only := report(2, noon)
	only.Class, only.Indexed = "1d", []Indexed{{Index: "web", Class: "3d", Points: []meter.Point{line("e", noon)}}}
	write(t, l, r, r, only)
	write(t, l, r)
	day := 24 * time.Hour
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "map[3d/web:2 60d/audit:1 7d/:2]"}, {3 * day, "map[60d/audit:1 7d/:2]"}, {8 * day, "map[60d/audit:1]"}, {60 * day, "map[]"},
	} {
		if err := l.Expire(context.Background(), noon.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(indexes(t, l, noon.Add(c.after))); got != c.want {
			t.Errorf("after %v: %s, want %s", c.after, got, c.want)
		}
	}
}

// TestADayOfBeforeThereWereIndexesGoesOn opens a file whose table lacks them.
func TestADayOfBeforeThereWereIndexesGoesOn(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	l := open(t, folder)
	write(t, l, report(1, noon, line("a", noon)))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, "2026-03-01"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`ALTER TABLE record DROP COLUMN log_index`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, folder)
	t.Cleanup(func() { l.Close() })
	r := report(2, noon)
	r.Indexed = []Indexed{{Index: "web", Class: "3d", Points: []meter.Point{line("b", noon)}}}
	write(t, l, r)
	if got := fmt.Sprint(indexes(t, l, noon)); got != "map[3d/web:1 7d/:1]" {
		t.Errorf("found %s", got)
	}
}

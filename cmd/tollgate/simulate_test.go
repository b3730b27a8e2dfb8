package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// simulated plays a scenario and gives how the command ended and what it said.
func simulated(t *testing.T, c simulateCommand) (code int, out, said string) {
	t.Helper()
	var o, s bytes.Buffer
	if c.Output == "" {
		c.Output = "text"
	}
	err := c.play(t.Context(), &o, &s)
	var end *exit
	switch {
	case err == nil:
	case errors.As(err, &end):
		code = end.code
	default:
		t.Fatalf("%s: %v", c.File, err)
	}
	return code, o.String(), s.String()
}

func scenario(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

const report = `name: a report
start: 2026-03-01T00:00:00+08:00
billing_accounts:
  - {name: acme, currency: CNY}
workspaces:
  - {name: shop, site: cn1, plan: commercial, account: acme}
steps:
  - usage: {workspace: shop, item: scheduled_report, hour: 2026-03-01T09:00:00+08:00, quantity: 2}
  - close: 2026-03-01
`

func TestASimulationEndsWithWhatCameOfIt(t *testing.T) {
	t.Parallel()
	code, out, said := simulated(t, simulateCommand{File: scenario(t, report), Output: "json"})
	var o struct {
		Bills []struct {
			Total string
			Lines []map[string]any
		}
		Balances map[string]map[string]string
		Verify   struct{ OK bool }
	}
	if err := json.Unmarshal([]byte(out), &o); err != nil || code != 0 || said != "" {
		t.Fatalf("exit %d, %v, %q\n%s", code, err, said, out)
	}
	if len(o.Bills) != 1 || o.Bills[0].Total != "2.00" || o.Balances["acme"]["owed"] != "2.00" || !o.Verify.OK {
		t.Errorf("%+v", o)
	}
	if code, out, _ := simulated(t, simulateCommand{File: scenario(t, report)}); code != 0 || !strings.Contains(out, "the books are whole") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestADifferenceStandsBesideWhatWasExpected(t *testing.T) {
	t.Parallel()
	file := scenario(t, report+"expect:\n  bills:\n    - total: \"3.00\"\n")
	code, out, said := simulated(t, simulateCommand{File: file, Output: "json"})
	if code != 1 || !json.Valid([]byte(out)) {
		t.Errorf("exit %d\n%s", code, out)
	}
	if lines := strings.Split(said, "\n"); len(lines) < 2 || strings.Join(strings.Fields(lines[1]), " ") != file+":12 bills[0].total 3.00 2.00" {
		t.Errorf("%s", said)
	}
	if code, _, said := simulated(t, simulateCommand{File: scenario(t, report+"expect:\n  bills:\n    - total: \"2.00\"\n")}); code != 0 || said != "" {
		t.Errorf("exit %d\n%s", code, said)
	}
}

func TestAFileThatCannotBePlayedEndsWithTwo(t *testing.T) {
	t.Parallel()
	taken := scenario(t, "")
	for name, c := range map[string]struct {
		command simulateCommand
		want    string
	}{
		"no file":        {simulateCommand{File: "no-such-file.yaml"}, "no such file"},
		"wrong lines":    {simulateCommand{File: scenario(t, report+"  - dance: {}\n")}, ":10: steps[2]: there is no step \"dance\""},
		"lacking":        {simulateCommand{File: scenario(t, report+"  - cloud_event: {}\n")}, ":10: steps[2].cloud_event lacks cloud"},
		"no such output": {simulateCommand{File: scenario(t, report), Output: "xml"}, `--output: "xml"`},
		"a store in use": {simulateCommand{File: scenario(t, report), Store: "sqlite:" + taken}, "there is something in this store already"},
	} {
		if code, out, said := simulated(t, c.command); code != 2 || out != "" || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit %d, %q", name, code, said)
		}
	}
}

func TestASimulationMayKeepItsBooks(t *testing.T) {
	t.Parallel()
	kept := filepath.Join(t.TempDir(), "books.db")
	if code, _, said := simulated(t, simulateCommand{File: scenario(t, report), Store: "sqlite:" + kept}); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}

package layers_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"tollgate.dev/internal/layers"
	"tollgate.dev/internal/testkit"
)

func TestImportsPointUp(t *testing.T) {
	t.Parallel()
	violations, err := layers.Check(os.DirFS(testkit.Root(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations {
		t.Error(v)
	}
}

func TestPlantedImportIsCaught(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		file, imported string
		reason         string // empty: allowed
	}{
		"a noun may know one above":            {"internal/bill/bill.go", "tollgate.dev/internal/wallet", ""},
		"a noun may not know one below":        {"internal/wallet/wallet.go", "tollgate.dev/internal/bill", "bill stands below wallet"},
		"a word may know one above":            {"internal/money/money.go", "tollgate.dev/internal/quantity", ""},
		"a word may not know a noun":           {"internal/money/money.go", "tollgate.dev/internal/site", "site stands below money"},
		"a noun may not know the store":        {"internal/upgrade/upgrade.go", "tollgate.dev/internal/store", "store stands below upgrade"},
		"a noun may not speak HTTP":            {"internal/upgrade/upgrade.go", "net/http", "a noun knows no protocol"},
		"a noun may not speak HTTP in parts":   {"internal/upgrade/upgrade.go", "net/http/httputil", "a noun knows no protocol"},
		"a noun may not speak SQL":             {"internal/usage/rows.go", "database/sql", "a noun knows no protocol"},
		"a noun may not know a driver":         {"internal/usage/rows.go", "github.com/jackc/pgx/v5", "a noun knows no protocol"},
		"a word may not speak HTTP":            {"internal/id/id.go", "net/http", "a word knows no protocol"},
		"fault has its exception":              {"internal/fault/fault.go", "net/http", ""},
		"but not for more":                     {"internal/fault/fault.go", "database/sql", "a word knows no protocol"},
		"the store may speak SQL":              {"internal/store/store.go", "database/sql", ""},
		"the store may know every noun":        {"internal/store/store.go", "tollgate.dev/internal/notify", ""},
		"the store may know its engines":       {"internal/store/open.go", "tollgate.dev/internal/store/sqlite", ""},
		"an engine may know the store":         {"internal/store/sqlite/open.go", "tollgate.dev/internal/store", ""},
		"engines may not know each other":      {"internal/store/sqlite/open.go", "tollgate.dev/internal/store/postgres", "do not know each other"},
		"marketplaces may know their seam":     {"internal/marketplace/aws/aws.go", "tollgate.dev/internal/marketplace", ""},
		"marketplaces may not know each other": {"internal/marketplace/aws/aws.go", "tollgate.dev/internal/marketplace/huawei", "do not know each other"},
		"doors may not know each other":        {"internal/studio/page.go", "tollgate.dev/internal/billingcenter", "of one row"},
		"doors share web":                      {"internal/studio/page.go", "tollgate.dev/internal/web", ""},
		"web may not know a door":              {"internal/web/page.go", "tollgate.dev/internal/studio", "studio stands below web"},
		"nobody may know the wiring":           {"internal/job/job.go", "tollgate.dev/internal/app", "app stands below job"},
		"nobody may know a command":            {"internal/app/app.go", "tollgate.dev/cmd/tollgate", "do not import commands"},
		"a command may know all":               {"cmd/tollgate/main.go", "tollgate.dev/internal/app", ""},
		"product code may not know testkit":    {"internal/app/app.go", "tollgate.dev/internal/testkit", "test machinery"},
		"nor may a command":                    {"cmd/tollgate/main.go", "tollgate.dev/internal/testkit", "test machinery"},
		"the contract of stores may":           {"internal/store/storetest/contract.go", "tollgate.dev/internal/testkit", ""},
		"a test may know all":                  {"internal/money/money_test.go", "tollgate.dev/internal/app", ""},
		"the client may not see the inside":    {"client/client.go", "tollgate.dev/internal/money", "the public client"},
		"a newcomer needs a place":             {"internal/loyalty/points.go", "tollgate.dev/internal/money", "no place in the order"},
		"also to be imported":                  {"internal/bill/bill.go", "tollgate.dev/internal/loyalty", "no place in the order"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := "package planted\n\nimport (\n\t_ \"strings\"\n\t_ \"" + c.imported + "\"\n)\n"
			violations, err := layers.Check(fstest.MapFS{c.file: {Data: []byte(source)}})
			if err != nil {
				t.Fatal(err)
			}
			if c.reason == "" {
				for _, v := range violations {
					if v.Import == c.imported {
						t.Errorf("refused: %v", v)
					}
				}
				return
			}
			for _, v := range violations {
				atImport := v.Import == c.imported && v.Line == 5
				atPackage := v.Import == "" && v.Line == 1
				if (atImport || atPackage) && v.File == c.file && strings.Contains(v.Reason, c.reason) {
					return
				}
			}
			t.Errorf("not caught; found %v", violations)
		})
	}
}

func TestOrderNamesEachPackageOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range layers.Order {
		for _, name := range row {
			if seen[name] {
				t.Errorf("%s stands in the order twice", name)
			}
			seen[name] = true
		}
	}
}

func TestFileThatDoesNotParseIsNotPassedOver(t *testing.T) {
	t.Parallel()
	if _, err := layers.Check(fstest.MapFS{"internal/money/money.go": {Data: []byte("not Go")}}); err == nil {
		t.Error("accepted")
	}
}

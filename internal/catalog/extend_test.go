package catalog

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

var march12 = time.Date(2026, 3, 12, 4, 0, 0, 0, time.UTC) // the 12th at every site

// dearer is a version file that raises the price of network hosts.
func dearer(id, from, amends, price string) string {
	return fmt.Sprintf(`versions:
  - id: %q
    from: %s
    amends: %q
    items:
      - id: network_host
        name: {en: Network hosts, zh: 网络主机}
        counted: distinct hosts that sent eBPF network data that day
        unit: {size: "1", en: hosts, zh: 台}
        sampling: day_to_date
        rule: max24
        prices:
          CNY/china: {none: %q}
          CNY/international: {none: "4"}
          USD/china: {none: "0.29"}
          USD/international: {none: "0.6"}
`, id, from, amends, price)
}

func price(t *testing.T, c *Catalog, day string) string {
	t.Helper()
	v, err := c.At(period.MustParseDay(day))
	if err != nil {
		t.Fatal(err)
	}
	item, err := v.Item("network_host")
	if err != nil {
		t.Fatal(err)
	}
	p, err := item.Price(money.CNY, site.China, NoClass)
	if err != nil {
		t.Fatal(err)
	}
	return p.String()
}

func TestAnAddedVersionHoldsFromItsDay(t *testing.T) {
	t.Parallel()
	base := Default().Shipped()
	whole, err := base.Check([]byte(dearer("2026-04", "2026-04-01", "2024-11-06", "2.5")), march12)
	if err != nil {
		t.Fatal(err)
	}
	if got := price(t, whole, "2026-03-31") + " " + price(t, whole, "2026-04-01"); got != "2 2.5" {
		t.Errorf("prices are %s", got)
	}
	if got := price(t, base, "2026-04-01"); got != "2" {
		t.Errorf("the catalogue that was asked costs %s now", got)
	}
	if last := base.Versions()[2]; !last.Until.IsZero() {
		t.Errorf("the version before was changed: it ends at %s", last.Until)
	}
	holder := base.Shipped()
	holder.Adopt(whole)
	if got := price(t, holder, "2026-04-01"); got != "2.5" {
		t.Errorf("who holds the catalogue sees %s", got)
	}
	if got := len(holder.Shipped().Versions()); got != 3 {
		t.Errorf("%d versions came with the program", got)
	}
}

func TestAVersionThatDoesNotFitIsRefused(t *testing.T) {
	t.Parallel()
	good := dearer("2026-04", "2026-04-01", "2024-11-06", "2.5")
	for name, c := range map[string]struct{ old, new, path, text string }{
		"backdated":            {"from: 2026-04-01", "from: 2026-03-01", "versions[2026-04].from", "2026-03-01 is not after 2026-03-12"},
		"today":                {"from: 2026-04-01", "from: 2026-03-12", "versions[2026-04].from", "is not after 2026-03-12"},
		"before the last":      {"from: 2026-04-01", "from: 2024-11-06", "versions[2026-04].from", "overlaps with version 2024-11-06"},
		"name taken":           {`id: "2026-04"`, `id: "2024-11-06"`, "versions[2024-11-06].id", "used twice"},
		"name unfit":           {`id: "2026-04"`, `id: "a/b c"`, "versions[a/b c].id", "letters, digits"},
		"amends another":       {`amends: "2024-11-06"`, `amends: "2023-04-20"`, "versions[2026-04].amends", "directly before"},
		"an end":               {"amends:", "until: 2027-01-01\n    amends:", "versions[2026-04].until", "must be left out"},
		"counted another":      {"sampling: day_to_date\n        rule: max24", "sampling: new_in_hour\n        rule: sum24", "items[network_host].sampling", "cannot change"},
		"no longer sold":       {"USD/china: {none: \"0.29\"}", "", "items[network_host].prices[USD/china]", "is missing"},
		"not sold in a market": {"          USD/china: {none: \"0.29\"}\n", "", "items[network_host].prices[USD/china]", "is missing"},
		"a digit too many":     {`"2.5"`, `"2.5000001"`, "items[network_host].prices[CNY/china].none", "more than 6 decimals"},
		"complete":             {`amends: "2024-11-06"`, "", "items[logs]", "is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c.old, c.new, 1)
			_, err := Default().Check([]byte(text), march12)
			var list Problems
			if !errors.Is(err, ErrInvalid) || !errors.As(err, &list) {
				t.Fatalf("%v", err)
			}
			for _, p := range list {
				if strings.HasSuffix(p.Path, c.path) && strings.Contains(p.Text(), c.text) {
					return
				}
			}
			t.Errorf("want %q at %q, got:\n%v", c.text, c.path, list)
		})
	}
	if _, err := Default().Check(shipped, march12); err == nil || !strings.Contains(err.Error()+errors.Unwrap(err).Error(), "one is added at a time") {
		t.Errorf("a whole catalogue: %v", err)
	}
	if _, err := Default().Check([]byte("versions: ["), march12); !errors.Is(err, ErrInvalid) {
		t.Errorf("no YAML: %v", err)
	}
}

func TestTheDayMustNotHaveBegunAnywhere(t *testing.T) {
	t.Parallel()
	// At 16:00 UTC the 13th has begun in Hangzhou, but not in Oregon.
	at := time.Date(2026, 3, 12, 16, 0, 0, 0, time.UTC)
	if _, err := Default().Check([]byte(dearer("x", "2026-03-13", "2024-11-06", "3")), at.Add(-time.Second)); err != nil {
		t.Errorf("a second before: %v", err)
	}
	if _, err := Default().Check([]byte(dearer("x", "2026-03-13", "2024-11-06", "3")), at); !errors.Is(err, ErrInvalid) {
		t.Errorf("at midnight in Hangzhou: %v", err)
	}
}

func TestDifferenceNamesEveryChange(t *testing.T) {
	t.Parallel()
	versions := Default().Versions()
	d := DifferenceOf(versions[1], versions[2])
	found := false
	for _, c := range d.Prices {
		found = found || c == PriceChange{"apm_trace", Market{money.CNY, site.China}, "60d", "60", "19.44"}
	}
	if !found || len(d.New) != 0 {
		t.Errorf("%+v", d)
	}
	text := dearer("2026-04", "2026-04-01", "2024-11-06", "2.50") + "    rounding: {units: exact, lines: half_up}\n"
	whole, err := Default().With([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	d = DifferenceOf(versions[2], whole.Versions()[3])
	if len(d.Prices) != 1 || d.Prices[0].After != "2.5" || fmt.Sprint(d.Sections) != "[rounding]" || len(d.Items) != 0 {
		t.Errorf("%+v", d)
	}
	if d := DifferenceOf(versions[2], versions[2]); !d.Empty() {
		t.Errorf("a version differs from itself: %+v", d)
	}
}

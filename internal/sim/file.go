package sim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/site"
)

// Bounds of a file.
const (
	maxFile       = 1 << 20
	maxNames      = 1000   // accounts, and workspaces
	maxSteps      = 10_000 // of one scenario
	maxName       = 256
	longestListed = 100_000 // records of one report
)

// ReadFile reads and checks the scenario in a file. The error is Problems when
// something is wrong with what the file says.
func ReadFile(path string) (*Scenario, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, Problems{{1, fmt.Sprintf("the file is larger than %d bytes", maxFile)}}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Read(text, filepath.Dir(path))
}

// Read reads and checks a scenario. Catalogue files are looked for in the
// folder.
func Read(text []byte, folder string) (*Scenario, error) {
	r := &reader{}
	if len(text) > maxFile {
		return nil, Problems{{1, fmt.Sprintf("the file is larger than %d bytes", maxFile)}}
	}
	root := r.parse(text)
	if root == nil {
		return nil, r.problems.sorted()
	}
	s := r.scenario(r.mapping(root, "the file"), folder)
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return s, nil
}

func (r *reader) scenario(f *fields, folder string) *Scenario {
	s := &Scenario{Profile: site.Seed}
	s.Name, _, _ = f.required("name")
	if text, line, ok := f.required("start"); ok {
		s.Start = r.instant(text, line, "start")
	}
	s.Catalog = r.catalog(f, folder)
	if f.has("profile") {
		s.Profile = site.Profile(f.choice("profile", string(site.Seed), string(site.Newer)))
	}
	s.clouds = r.clouds(f)
	f.what = "file"
	for i, n := range r.named(f, "billing_accounts") {
		r.account(s, r.mapping(n, fmt.Sprintf("billing_accounts[%d]", i)))
	}
	for i, n := range r.named(f, "workspaces") {
		r.workspace(s, r.mapping(n, fmt.Sprintf("workspaces[%d]", i)))
	}
	steps := f.list("steps")
	if len(steps) > maxSteps {
		r.wrong(lineOf(steps[maxSteps]), "a scenario has at most %d steps", maxSteps)
		steps = nil
	}
	for i, n := range steps {
		r.step(s, r.mapping(n, fmt.Sprintf("steps[%d]", i)))
	}
	if n, ok := f.node("expect"); ok {
		s.expect = r.expectation(n)
	}
	f.what = "the file"
	f.rest()
	return s
}

// named is a list of accounts or workspaces.
func (r *reader) named(f *fields, key string) []ast.Node {
	list := f.list(key)
	if len(list) > maxNames {
		r.wrong(lineOf(list[maxNames]), "%s has more than %d entries", key, maxNames)
		return nil
	}
	return list
}

func (r *reader) catalog(f *fields, folder string) *catalog.Catalog {
	path, line, ok := f.optional("catalog")
	if !ok || path == "default" {
		return catalog.Default()
	}
	text, err := os.ReadFile(filepath.Join(folder, path))
	if filepath.IsAbs(path) {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		r.wrong(line, "catalog: %v", err)
		return catalog.Default()
	}
	c, err := catalog.Load(text)
	if err != nil {
		for _, part := range strings.Split(err.Error(), "\n") {
			r.wrong(line, "catalog: %s", part)
		}
		return catalog.Default()
	}
	return c
}

func (r *reader) instant(text string, line int, what string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 2000 || at.Year() > 2200 {
		r.wrong(line, "%s: %q is no instant such as 2026-03-01T00:00:00+08:00", what, text)
		return time.Time{}
	}
	return at.Truncate(time.Microsecond)
}

func (r *reader) day(text string, line int, what string) period.Day {
	d, err := period.ParseDay(text)
	if err != nil {
		r.wrong(line, "%s: %q is no date such as 2026-03-01", what, text)
	}
	return d
}

// name reads a name that nothing else of the list has.
func (r *reader) name(f *fields, taken func(name string) bool) string {
	name, line, ok := f.required("name")
	switch {
	case !ok:
	case strings.TrimSpace(name) != name || name == "" || utf8.RuneCountInString(name) > maxName:
		r.wrong(line, "%s.name has 1 to %d characters and no space around them", f.what, maxName)
	case taken(name):
		r.wrong(line, "%s.name: %q is taken already", f.what, name)
	}
	return name
}

func (r *reader) account(s *Scenario, f *fields) {
	a := payer{arbitrary: f.truth("arbitrary_settlement", false)}
	a.name = r.name(f, func(name string) bool { return s.account(name) != nil })
	a.currency = money.Currency(f.choice("currency", string(money.CNY), string(money.USD)))
	if n, ok := f.node("certified"); ok {
		certified := r.mapping(n, f.what+".certified")
		company, line, named := certified.required("company")
		taxpayerID, _, numbered := certified.required("taxpayer_id")
		certified.rest()
		if named && numbered {
			var err error
			if a.enterprise, err = account.NormalEnterprise(company, taxpayerID); err != nil {
				r.wrong(line, "%s.certified: %s", f.what, fault.From(err).Message)
			}
		}
	}
	a.line, a.clouds = f.line, r.cloudAccounts(f)
	f.rest()
	s.accounts = append(s.accounts, a)
}

func (s *Scenario) account(name string) *payer {
	i := slices.IndexFunc(s.accounts, func(a payer) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &s.accounts[i]
}

func (s *Scenario) workspace(name string) *shop {
	i := slices.IndexFunc(s.workspaces, func(w shop) bool { return w.name == name })
	if i < 0 {
		return nil
	}
	return &s.workspaces[i]
}

func (r *reader) workspace(s *Scenario, f *fields) {
	w := shop{line: f.line}
	w.name = r.name(f, func(name string) bool { return s.workspace(name) != nil })
	if id, line, ok := f.required("site"); ok {
		var err error
		if w.site, err = site.Find(site.ID(id)); err != nil {
			r.wrong(line, "%s.site: there is no site %q; there are %s", f.what, id, siteNames())
		}
	}
	if f.has("plan") {
		w.commercial = f.choice("plan", "experience", "commercial") == "commercial"
	}
	switch {
	case w.commercial:
		w.account = r.accountOf(s, f)
	case f.has("account"):
		_, line, _ := f.optional("account")
		r.wrong(line, "%s.account: a workspace of the Experience plan is bound to none", f.what)
	}
	w.settlement = r.settlementAtStart(f, w)
	w.retention = r.retention(s, f, w)
	f.rest()
	s.workspaces = append(s.workspaces, w)
}

func siteNames() string {
	var ids []string
	for _, s := range site.All() {
		ids = append(ids, string(s.ID))
	}
	return strings.Join(ids, ", ")
}

// accountOf reads the name of an account of the file.
func (r *reader) accountOf(s *Scenario, f *fields) string {
	name, line, ok := f.required("account")
	if ok && s.account(name) == nil {
		r.wrong(line, "%s.account: there is no billing account %q", f.what, name)
	}
	return name
}

// workspaceOf reads the name of a workspace of the file; nil when it has none.
func (r *reader) workspaceOf(s *Scenario, f *fields) *shop {
	name, line, ok := f.required("workspace")
	if !ok {
		return nil
	}
	w := s.workspace(name)
	if w == nil {
		r.wrong(line, "%s.workspace: there is no workspace %q", f.what, name)
	}
	return w
}

// settlementAtStart is the purchase that settles a workspace from the start;
// none when the Billing Center does.
func (r *reader) settlementAtStart(f *fields, w shop) (by purchase) {
	n, ok := f.node("settlement")
	if !ok {
		return by
	}
	text, isText := plain(n)
	switch {
	case !w.commercial:
		r.wrong(lineOf(n), "%s.settlement: a workspace of the Experience plan is not settled", f.what)
	case !isText:
		of := r.mapping(n, f.what+".settlement")
		by = of.purchase(connected())
		of.rest()
	case text != string(site.BillingCenter):
		r.wrong(lineOf(n), "%s.settlement: %q is neither billing_center nor a cloud with id and instance", f.what, text)
	}
	return by
}

func (r *reader) retention(s *Scenario, f *fields, w shop) map[string]string {
	n, ok := f.node("retention")
	if !ok {
		return nil
	}
	if !w.commercial {
		r.wrong(lineOf(n), "%s.retention: on the Experience plan nobody chooses how long data is kept", f.what)
	}
	chosen := map[string]string{}
	m := r.mapping(n, f.what+".retention")
	for _, dataType := range m.order {
		class, line, _ := m.optional(dataType)
		r.class(s, dataType, class, line, m.what)
		chosen[dataType] = class
	}
	return chosen
}

// class checks a data type and a class that is allowed for it.
func (r *reader) class(s *Scenario, dataType, class string, line int, what string) {
	t, ok := r.dataType(s, dataType, line, what)
	if ok && !slices.Contains(t.Allowed, class) {
		r.wrong(line, "%s: %s has no class %q; it has %s", what, dataType, class, strings.Join(t.Allowed, ", "))
	}
}

func (r *reader) dataType(s *Scenario, name string, line int, what string) (catalog.RetentionType, bool) {
	v, err := s.Catalog.At(period.DayOf(s.Start, time.UTC))
	if err != nil || s.Start.IsZero() {
		return catalog.RetentionType{}, false // said elsewhere
	}
	t, ok := v.Retention.Type(name)
	if !ok {
		r.wrong(line, "%s: there is no data type %q; there are %s", what, name, strings.Join(retention.Of("", v).Types(), ", "))
	}
	return t, ok
}

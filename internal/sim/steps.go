package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// verbs are the steps that a scenario may take. Each reads what stands behind
// its verb.
var verbs = map[string]func(r *reader, s *Scenario, n ast.Node, what string) action{
	"deposit":    (*reader).deposit,
	"voucher":    (*reader).voucher,
	"card":       (*reader).card,
	"code":       (*reader).codeStep,
	"debt":       (*reader).debt,
	"usage":      (*reader).usage,
	"report":     (*reader).report,
	"close":      (*reader).close,
	"advance":    (*reader).advance,
	"upgrade":    (*reader).upgrade,
	"rebind":     (*reader).rebind,
	"settlement": (*reader).settlement,
	"retention":  (*reader).retentionStep,
	"log_count":  (*reader).logCountStep,
	"unlock":     (*reader).unlock,
	"dissolve":   (*reader).dissolve,

	"cloud_event":  (*reader).cloudEvent,
	"cloud_answer": (*reader).cloudAnswer,

	"package":            (*reader).packageStep,
	"package_workspaces": (*reader).arrangeStep,
	"package_upgrade":    (*reader).upgradeStep,
	"traffic_package":    (*reader).trafficStep,
}

// Verbs lists the steps by name.
func Verbs() []string { return slices.Sorted(maps.Keys(verbs)) }

func (r *reader) step(s *Scenario, f *fields) {
	st := step{line: f.line}
	if text, line, ok := f.optional("at"); ok {
		st.at = r.instant(text, line, f.what+".at")
	}
	for _, key := range f.order {
		switch {
		case key == "at":
			continue
		case st.verb != "":
			r.wrong(f.line, "%s has two verbs, %s and %s; a step has one", f.what, st.verb, key)
			continue
		case verbs[key] == nil:
			r.wrong(f.line, "%s: there is no step %q; there are %s", f.what, key, strings.Join(Verbs(), ", "))
		default:
			st.action = verbs[key](r, s, f.values[key], f.what+"."+key)
		}
		st.verb = key
	}
	if st.verb == "" {
		r.wrong(f.line, "%s has no verb", f.what)
	}
	s.steps = append(s.steps, st)
}

// amount reads a sum of money of an account of the file. Its sign and size are
// for the rules to judge.
func (r *reader) amount(s *Scenario, f *fields, key, account string) money.Amount {
	text, line, ok := f.required(key)
	a := s.account(account)
	if !ok || a == nil {
		return money.Amount{}
	}
	amount, err := money.Parse(text, a.currency)
	if err != nil {
		r.wrong(line, "%s.%s: %q is no amount such as 100.00, with at most two decimals", f.what, key, text)
	}
	return amount
}

func (r *reader) deposit(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	d := deposit{account: r.accountOf(s, f)}
	d.amount = r.amount(s, f, "cash", d.account)
	f.rest()
	return d
}

func (r *reader) voucher(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	v := voucher{account: r.accountOf(s, f), kind: wallet.ByVoucher}
	if f.choice("kind", "ordinary", "full_reduction") == "full_reduction" {
		v.kind = wallet.ByFullReduction
	}
	v.amount = r.amount(s, f, "amount", v.account)
	if text, line, ok := f.required("expires"); ok {
		v.expires = r.expiry(s, v.account, text, line, what+".expires")
	}
	f.rest()
	return v
}

func (r *reader) card(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	c := card{account: r.accountOf(s, f)}
	c.amount = r.amount(s, f, "amount", c.account)
	c.bought = f.choice("paid_by", "cash", "grant") == "cash"
	if text, line, ok := f.optional("expires"); ok {
		c.expires = r.expiry(s, c.account, text, line, what+".expires")
	}
	f.rest()
	return c
}

// expiry reads the last day of use, or the instant from which it is over.
func (r *reader) expiry(s *Scenario, account, text string, line int, what string) time.Time {
	if strings.Contains(text, "T") {
		return r.instant(text, line, what)
	}
	zone := s.Start.Location()
	if a := s.account(account); a != nil {
		zone = statement.Zone(a.currency)
	}
	return r.day(text, line, what).End(zone)
}

func (r *reader) debt(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	d := debt{account: r.accountOf(s, f)}
	d.amount = r.amount(s, f, "amount", d.account)
	f.rest()
	return d
}

func (r *reader) close(_ *Scenario, n ast.Node, what string) action {
	text, ok := plain(n)
	if !ok {
		r.wrong(lineOf(n), "%s names a day such as 2026-03-01", what)
		return nil
	}
	return closing{day: r.day(text, lineOf(n), what)}
}

func (r *reader) advance(s *Scenario, n ast.Node, what string) action {
	text, _ := plain(n)
	by, err := job.ParseStep(text, s.Start)
	switch {
	case err != nil:
		r.wrong(lineOf(n), "%s: %q is no span such as 36h, 14d or 1mo", what, text)
	case by > mostAdvance:
		r.wrong(lineOf(n), "%s: a step moves the clock by at most ten years", what)
	}
	return advance{text}
}

// mostAdvance bounds one move of the clock.
const mostAdvance = 3660 * 24 * time.Hour

func (r *reader) upgrade(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	u := upgrading{account: r.accountOf(s, f)}
	if w := r.workspaceOf(s, f); w != nil {
		u.workspace = w.name
	}
	f.rest()
	return u
}

func (r *reader) retentionStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	k := keeping{confirmed: f.truth("confirmed", true)}
	if w := r.workspaceOf(s, f); w != nil {
		k.workspace = w.name
	}
	if text, line, ok := f.required("type"); ok {
		k.target.Type = text
		r.dataType(s, text, line, what+".type")
	}
	k.target.Index, _, _ = f.optional("index")
	k.class, _, _ = f.required("class")
	f.rest()
	return k
}

func (r *reader) logCountStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	c := counting{byVolume: f.choice("by", "records", "volume") == "volume"}
	if w := r.workspaceOf(s, f); w != nil {
		c.workspace = w.name
	}
	f.rest()
	return c
}

// describe is how a step is named in what is printed.
func (st step) describe(i int) string {
	return fmt.Sprintf("step %d (%s, line %d)", i, st.verb, st.line)
}

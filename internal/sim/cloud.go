package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// purchase is an instance that an account of a cloud has bought.
type purchase struct {
	cloud        site.Method
	id, instance string
}

// said are the words of each cloud for what happens to a purchase, and what
// its adapter makes of them. A renewal at AWS is a new agreement with a new
// license; Huawei Cloud freezes what runs out, and knows no cancellation but
// the release.
var said = map[site.Method]map[string]marketplace.Event{
	site.Alibaba:     ofAlibaba,
	site.AlibabaIntl: ofAlibaba,
	site.AWS: {
		"subscribed": {Kind: marketplace.Purchased},
		"renewed":    {Kind: marketplace.Purchased},
		"cancelled":  {Kind: marketplace.Released, FinalFor: aws.LastHour},
		"expired":    {Kind: marketplace.Released, FinalFor: aws.LastHour},
		"released":   {Kind: marketplace.Released, FinalFor: aws.LastHour},
	},
	site.Huawei: {
		"subscribed": {Kind: marketplace.Purchased},
		"renewed":    {Kind: marketplace.Renewed},
		"frozen":     {Kind: marketplace.Froze},
		"unfrozen":   {Kind: marketplace.Thawed},
		"expired":    {Kind: marketplace.Froze},
		"cancelled":  {Kind: marketplace.Released, Refunded: true},
		"released":   {Kind: marketplace.Released},
	},
}

var ofAlibaba = map[string]marketplace.Event{
	"subscribed": {Kind: marketplace.Purchased},
	"renewed":    {Kind: marketplace.Renewed},
	"frozen":     {Kind: marketplace.Expired}, // what runs out is kept
	"expired":    {Kind: marketplace.Expired},
	"cancelled":  {Kind: marketplace.Cancelled, Refunded: true},
	"released":   {Kind: marketplace.Released},
}

// hear is what a cloud says of a purchase.
func (p *play) hear(ctx context.Context, b purchase, e marketplace.Event) error {
	p.heard++
	e.ID, e.Cloud = fmt.Sprintf("simulation:%d", p.heard), b.cloud
	e.Account, e.Instance, e.Reference, e.Product, e.Plan = b.id, b.instance, b.instance, product, p.markets[b.cloud].plan
	switch e.Kind {
	case marketplace.Purchased:
		p.markets[b.cloud].buy(b.id, b.instance)
	case marketplace.Released, marketplace.Cancelled:
		p.markets[b.cloud].end(b.instance, e.At, e.FinalFor)
	}
	if _, err := p.engine.Clouds().Receive(ctx, e, p.clock.Now()); err != nil {
		return err
	}
	return p.engine.Work(ctx)
}

// bind binds a purchase as the payer does who comes from the marketplace. One
// that nobody has heard of is bought first.
func (p *play) bind(ctx context.Context, b purchase, payer account.Billing) (s marketplace.Subscription, err error) {
	at := p.clock.Now()
	if m := p.markets[b.cloud]; m == nil {
		return s, settle.ErrNotEnabled.With("method", string(b.cloud))
	} else if m.buy(b.id, b.instance) {
		if err := p.hear(ctx, b, marketplace.Event{Kind: marketplace.Purchased, At: at}); err != nil {
			return s, err
		}
	}
	claim := marketplace.Claim{Account: b.id, Instance: b.instance}
	if s, err = p.engine.Clouds().Claim(ctx, b.cloud, claim, payer, workspace.Actor{AccountID: payer.ID}, at); err != nil {
		return s, err
	}
	return s, p.engine.Work(ctx)
}

// change is a wish for another settlement method; of a cloud, with the
// purchase that is to settle.
type change struct {
	workspace string
	to        site.Method
	by        purchase
}

func (c change) play(ctx context.Context, p *play) error {
	w, to := p.shops[c.workspace], settle.Choice{Method: c.to}
	rules := settle.Rules{Profile: p.scenario.Profile, Enabled: p.engine.Clouds().Methods()}
	if c.to != site.BillingCenter { // the dialog offers no other one
		payer, err := c.allowed(ctx, p, rules)
		if err != nil {
			return err
		}
		s, err := p.bind(ctx, c.by, payer)
		if err != nil {
			return err
		}
		to.Subscription = s.ID
	}
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := rules.Choose(ctx, tx, w.id, to, w.owner, p.clock.Now())
		return err
	})
}

// allowed asks the rules before anything is bound, and gives the payer.
func (c change) allowed(ctx context.Context, p *play, rules settle.Rules) (payer account.Billing, err error) {
	err = p.store.Read(ctx, func(tx *store.Tx) error {
		w, err := tx.Workspace(ctx, p.shops[c.workspace].id)
		if err != nil {
			return err
		}
		st, err := settle.Look(ctx, tx, w, p.clock.Now())
		if err != nil {
			return err
		}
		if _, err := rules.Change(st, c.to, p.clock.Now()); err != nil {
			return err
		}
		payer, err = tx.BillingByID(ctx, w.Payer)
		return err
	})
	return payer, err
}

// cloudEvent is what a cloud says.
type cloudEvent struct {
	purchase
	event    marketplace.Event
	happened time.Time // zero: now
}

func (c cloudEvent) play(ctx context.Context, p *play) error {
	e := c.event
	if e.At = c.happened; e.At.IsZero() {
		e.At = p.clock.Now()
	}
	return p.hear(ctx, c.purchase, e)
}

// cloudAnswer is what the next requests to a cloud come to.
type cloudAnswer struct {
	cloud  site.Method
	answer answer
	times  int
}

func (c cloudAnswer) play(_ context.Context, p *play) error {
	p.markets[c.cloud].answer(c.answer, c.times)
	return nil
}

func (r *reader) settlement(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	var c change
	if w := r.workspaceOf(s, f); w != nil {
		c.workspace = w.name
	}
	if f.has("cloud") {
		c.by = f.purchase(site.Methods()[1:])
		c.to = c.by.cloud
	} else {
		c.to = site.Method(f.choice("to", string(site.BillingCenter)))
	}
	f.rest()
	return c
}

// purchase reads which instance of which cloud is meant.
func (f *fields) purchase(of []site.Method) purchase {
	p := purchase{cloud: f.cloud("cloud", of)}
	p.id, _, _ = f.required("id")
	p.instance, _, _ = f.required("instance")
	return p
}

func (f *fields) cloud(key string, of []site.Method) site.Method {
	return site.Method(f.choice(key, words(of)...))
}

func words(of []site.Method) []string {
	var list []string
	for _, m := range of {
		list = append(list, string(m))
	}
	return list
}

// cloudAccounts reads the purchases that an account has bound from the start.
func (r *reader) cloudAccounts(f *fields) (list []purchase) {
	for i, n := range f.list("cloud_accounts") {
		one := r.mapping(n, fmt.Sprintf("%s.cloud_accounts[%d]", f.what, i))
		list = append(list, one.purchase(connected()))
		one.rest()
	}
	return list
}

func (r *reader) cloudEvent(_ *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	c := cloudEvent{purchase: f.purchase(connected())}
	if known := said[c.cloud]; known != nil {
		c.event = known[f.choice("event", slices.Sorted(maps.Keys(known))...)]
	}
	if text, line, ok := f.optional("expires"); ok {
		c.event.ExpiresAt = r.instant(text, line, what+".expires")
	}
	if text, line, ok := f.optional("happened"); ok {
		c.happened = r.instant(text, line, what+".happened")
	}
	f.rest()
	return c
}

// mostAnswers bounds the requests that one step is about.
const mostAnswers = 10_000

func (r *reader) cloudAnswer(_ *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	c := cloudAnswer{cloud: f.cloud("cloud", connected()), answer: answer(f.choice("answer", answers()...)), times: 1}
	if text, line, ok := f.optional("times"); ok {
		times := r.quantity(text, line, what+".times")
		if times < 1 || times > mostAnswers {
			r.wrong(line, "%s.times is from 1 to %d", what, mostAnswers)
			times = 1
		}
		c.times = int(times)
	}
	f.rest()
	return c
}

// clouds reads in what usage of each cloud is sent.
func (r *reader) clouds(f *fields) map[site.Method]terms {
	n, ok := f.node("clouds")
	if !ok {
		return nil
	}
	all, list := map[site.Method]terms{}, r.mapping(n, "clouds")
	for _, name := range list.order {
		at, ok := list.node(name)
		if !ok {
			continue
		}
		if m := site.Method(name); slices.Contains(connected(), m) {
			all[m] = r.terms(r.mapping(at, "clouds."+name), m)
		} else {
			r.wrong(lineOf(at), "clouds: there is no marketplace of %q; there are %s", name, strings.Join(words(connected()), ", "))
		}
	}
	return all
}

func (r *reader) terms(f *fields, m site.Method) (t terms) {
	if f.has("plan") {
		t.plan = marketplace.Plan(f.choice("plan", string(marketplace.Hourly), string(marketplace.Daily)))
		if m == site.AWS && t.plan == marketplace.Daily {
			r.wrong(f.line, "%s.plan: AWS takes usage by the hour", f.what)
		}
	}
	if text, line, ok := f.optional("price"); ok {
		price, err := money.Parse(text, money.CNY) // both currencies have two decimals
		if err != nil || price.Sign() <= 0 {
			r.wrong(line, "%s.price: %q is no amount such as 0.01, above zero and with at most two decimals", f.what, text)
		}
		t.price = price.Minor()
	}
	f.rest()
	return t
}

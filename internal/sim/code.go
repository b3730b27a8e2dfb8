package sim

import (
	"context"
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// codeKinds are what a code of a scenario may activate.
var codeKinds = map[string]wallet.Payment{"voucher": wallet.ByVoucher, "full_reduction": wallet.ByFullReduction, "card": wallet.ByCard}

// activation is a payer who activates a code. The first step that names a code has
// the operator make it; a later one tries the same code again.
type activation struct {
	account  string
	name     string
	kind     wallet.Payment // empty where the code was made before
	currency money.Currency // of the code
	amount   money.Amount
	days     int
	redeemBy period.Day
}

func (r *reader) codeStep(s *Scenario, n ast.Node, what string) action {
	f := r.mapping(n, what)
	c := activation{account: r.accountOf(s, f)}
	c.name, _, _ = f.required("name")
	if kind, line, ok := f.optional("kind"); ok {
		if c.kind, ok = codeKinds[kind]; !ok {
			r.wrong(line, "%s.kind is voucher, full_reduction or card, not %s", what, kind)
		}
		c.amount = r.amount(s, f, "amount", c.account)
		r.validity(f, what, &c)
	}
	if text, line, ok := f.optional("currency"); ok {
		currency, err := money.ParseCurrency(text)
		if err != nil {
			r.wrong(line, "%s.currency is CNY or USD, not %s", what, text)
		}
		c.currency = currency
	}
	f.rest()
	return c
}

// validity reads for how many days what is activated holds, and the last day
// on which the code can be activated.
func (r *reader) validity(f *fields, what string, c *activation) {
	if text, line, ok := f.optional("days"); ok {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 {
			r.wrong(line, "%s.days is a number of days from 1, not %s", what, text)
		}
		c.days = days
	}
	if text, line, ok := f.optional("redeem_by"); ok {
		c.redeemBy = r.day(text, line, what+".redeem_by")
	}
}

func (c activation) play(ctx context.Context, p *play) error {
	text, made := p.codes[c.name]
	if !made {
		var err error
		if text, err = c.make(ctx, p); err != nil {
			return err
		}
		p.codes[c.name] = text
	}
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := wallet.Activate(ctx, tx, wallet.Attempt{Payer: p.payers[c.account], Text: text, Address: "192.0.2.1"}, p.clock.Now())
		if wallet.Counted(err) {
			return store.Keep(err)
		}
		return err
	})
}

// make has the operator make a batch of one code. A code that nobody made is
// a code of the right form that does not exist.
func (c activation) make(ctx context.Context, p *play) (text string, err error) {
	if c.kind == "" {
		return c.name, nil
	}
	by, at := wallet.By{Operator: "scenario"}, p.clock.Now()
	face := c.amount
	if c.currency != "" {
		face = money.Of(face.Minor(), c.currency)
	}
	return text, p.write(ctx, func(tx *store.Tx) error {
		b := wallet.Batch{Payment: c.kind, Face: face, Size: 1, RedeemBy: c.redeemBy, Holds: wallet.Validity{Days: c.validDays()}}
		if b, err = wallet.MakeBatch(ctx, tx, b, by, at); err != nil {
			return err
		}
		_, texts, err := wallet.Export(ctx, tx, b.ID, by, at)
		if err == nil && len(texts) != 1 {
			err = fmt.Errorf("a batch of one has %d codes", len(texts))
		}
		if err == nil {
			text = texts[0]
		}
		return err
	})
}

// validDays is how long it holds: a year where the file says nothing; a card
// may hold without end.
func (c activation) validDays() int {
	const year = 365
	if c.days == 0 && c.kind != wallet.ByCard {
		return year
	}
	return c.days
}

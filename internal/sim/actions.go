package sim

import (
	"context"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// operator is who credits transfers and issues vouchers in a simulation.
const operator = "oper_simulation"

// write runs one write and then the jobs that it caused.
func (p *play) write(ctx context.Context, f func(tx *store.Tx) error) error {
	if err := p.store.Write(ctx, f); err != nil {
		return err
	}
	return p.engine.Work(ctx)
}

// deposit is a bank transfer that the payer declares and the operator credits.
type deposit struct {
	account string
	amount  money.Amount
}

func (d deposit) play(ctx context.Context, p *play) error {
	t, err := wallet.Declare(p.payers[d.account], d.amount, "Simulation", p.clock.Now())
	if err != nil {
		return err
	}
	return p.write(ctx, func(tx *store.Tx) error {
		if err := tx.InsertTransfer(ctx, t); err != nil {
			return err
		}
		_, err := wallet.CreditTransfer(ctx, tx, t.ID, wallet.Arrival{}, nil, wallet.By{Operator: operator}, p.clock.Now())
		return err
	})
}

// voucher is a voucher that the operator gives.
type voucher struct {
	account string
	kind    wallet.Payment
	amount  money.Amount
	expires time.Time
}

func (v voucher) play(ctx context.Context, p *play) error {
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := wallet.GiveVoucher(ctx, tx, p.payers[v.account], v.kind, v.amount, v.expires, p.clock.Now())
		return err
	})
}

// card is a stored-value card, bought with cash or given.
type card struct {
	account string
	amount  money.Amount
	bought  bool
	expires time.Time
}

func (c card) play(ctx context.Context, p *play) error {
	payer, at := p.payers[c.account], p.clock.Now()
	v, err := p.scenario.Catalog.At(period.DayOf(at, statement.Zone(payer.Currency)))
	if err != nil {
		return err
	}
	return p.write(ctx, func(tx *store.Tx) (err error) {
		if c.bought {
			ends := c.expires
			if ends.IsZero() {
				ends = wallet.CardEnds(at, payer.Currency)
			}
			_, err = wallet.BuyCard(ctx, tx, payer, v.Cards, c.amount, ends, at)
		} else {
			_, err = wallet.GiveCard(ctx, tx, payer, c.amount, c.expires, at)
		}
		return err
	})
}

// debt is what a payer owed before the scenario began.
type debt struct {
	account string
	amount  money.Amount
}

func (d debt) play(ctx context.Context, p *play) error {
	return p.write(ctx, func(tx *store.Tx) error {
		_, err := wallet.OpenDebt(ctx, tx, p.payers[d.account], d.amount, p.clock.Now())
		return err
	})
}

// closing moves the clock behind the end of a day at every site of the
// scenario, so that it is closed everywhere.
type closing struct{ day period.Day }

func (c closing) play(ctx context.Context, p *play) error {
	end := p.clock.Now()
	for _, w := range p.scenario.workspaces {
		end = latest(end, c.day.End(w.site.Zone))
	}
	return p.moveTo(ctx, end)
}

// advance moves the clock on.
type advance struct{ by string }

func (a advance) play(ctx context.Context, p *play) error {
	from := p.clock.Now().In(p.scenario.Start.Location()) // a month is one of the file's calendar
	by, err := job.ParseStep(a.by, from)
	if err != nil {
		return err
	}
	return p.moveTo(ctx, from.Add(by))
}

// keeping is the Owner's wish to keep data for longer or shorter.
type keeping struct {
	workspace string
	target    retention.Target
	class     string
	confirmed bool
}

func (k keeping) play(ctx context.Context, p *play) error {
	w := p.shops[k.workspace]
	v, err := retention.Version(p.scenario.Catalog, w.site.ID, p.clock.Now())
	if err != nil {
		return err
	}
	return p.write(ctx, func(tx *store.Tx) error {
		wish := retention.Wish{Target: k.target, Class: k.class, Confirmed: k.confirmed}
		_, err := retention.Change(ctx, tx, v, w.id, wish, w.owner, p.clock.Now())
		return err
	})
}

// counting is the operator's choice of how logs are counted.
type counting struct {
	workspace string
	byVolume  bool
}

func (c counting) play(ctx context.Context, p *play) error {
	w := p.shops[c.workspace]
	return p.write(ctx, func(tx *store.Tx) error {
		way := logcount.Way{ByVolume: c.byVolume}
		_, err := logcount.Choose(ctx, tx, w.id, way, "scenario", workspace.Actor{AccountID: operator}, p.clock.Now())
		return err
	})
}

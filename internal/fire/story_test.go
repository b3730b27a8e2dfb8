package fire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// story is what a process does, step after step. A step may be begun again
// after a death anywhere in it, and must then come to the same end.
type story struct {
	bare  bool // it opens no installation
	open  func(ctx context.Context, l *life) error
	steps int
	step  func(ctx context.Context, l *life, i int) error
}

// stories are those that the processes of these tests know.
var stories = map[string]story{
	"bill run":    {open: openShops, steps: 12, step: billDay},
	"month close": {open: openShops, steps: months, step: closeMonth},
	"top-up":      {open: openShops, steps: 10, step: topUp},
	"redemption":  {open: openCodes, steps: 10, step: redeem},
	"upgrade":     {steps: 8, step: upgradeOne},
	"migration":   {bare: true, steps: 4, step: migrate},
	"reports":     {open: openDoor, steps: reports + 1, step: report},
	"clouds":      {open: openShops, steps: len(cloudSteps), step: func(ctx context.Context, l *life, i int) error { return cloudSteps[i](ctx, l) }},
	"everything":  {open: openCodes, steps: len(everything), step: func(ctx context.Context, l *life, i int) error { return everything[i](ctx, l) }},
}

// shops are three payers with five Commercial workspaces: one has enough, one
// runs out of money, one has none.
var shops = []struct {
	payer   string
	deposit string
	count   int
}{{"rich", "10000", 2}, {"short", "20", 2}, {"poor", "", 1}}

func payerOf(name string) account.Billing {
	return account.Billing{ID: "bcac_" + name, UserName: name, Email: name + "@pay.example", Currency: money.CNY, Language: "en", CreatedAt: start}
}

func openShops(ctx context.Context, l *life) error {
	return l.write(ctx, func(tx *store.Tx) error {
		for _, s := range shops {
			payer := payerOf(s.payer)
			if err := tx.InsertBilling(ctx, payer); err != nil {
				return err
			}
			if s.deposit != "" {
				if err := deposit(ctx, tx, payer, s.deposit); err != nil {
					return err
				}
			}
			for n := range s.count {
				if err := found(ctx, tx, fmt.Sprintf("%s-%d", s.payer, n), payer.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func deposit(ctx context.Context, tx *store.Tx, payer account.Billing, amount string) error {
	t, err := wallet.Declare(payer, money.MustParse(amount, money.CNY), "INV", start)
	if err != nil {
		return err
	}
	if err := tx.InsertTransfer(ctx, t); err != nil {
		return err
	}
	_, err = wallet.CreditTransfer(ctx, tx, t.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, start)
	return err
}

// found makes a workspace with its Owner, Commercial when somebody pays.
func found(ctx context.Context, tx *store.Tx, name, payer string) error {
	owner := account.Studio{ID: "acnt_" + name, Site: "cn1", UserName: name, Email: name + "@shop.example", Language: "en", CreatedAt: start}
	if err := tx.InsertStudio(ctx, owner); err != nil {
		return err
	}
	w, err := workspace.New("cn1", name, "en", owner.ID, start.AddDate(0, 0, -1))
	if err != nil {
		return err
	}
	w.ID = "wksp_" + name
	if err := workspace.Found(ctx, tx, w, workspace.Actor{AccountID: owner.ID}, start); err != nil || payer == "" {
		return err
	}
	if w, err = tx.WorkspaceForUpdate(ctx, w.ID); err != nil {
		return err
	}
	if w, err = w.Upgrade(payer, start.AddDate(0, 0, -1)); err != nil {
		return err
	}
	return tx.UpdateWorkspace(ctx, w)
}

// use reports a day's usage of every workspace, at the hour of the clock.
func use(ctx context.Context, l *life, n int64) error {
	var deltas []usage.Delta
	for i, s := range shops {
		for k := range s.count {
			key := usage.Key{WorkspaceID: fmt.Sprintf("wksp_%s-%d", s.payer, k), Generation: 2, Item: "logs", Class: "14d"}
			deltas = append(deltas, usage.Delta{Key: key, Hour: period.HourOf(l.clock.Now()), Add: int64(i+k+1) * (1_234_567 + n)})
		}
	}
	return l.report(ctx, deltas)
}

func zone() *time.Location {
	s, err := site.Find("cn1")
	if err != nil {
		panic(err)
	}
	return s.Zone
}

// billDay lets a day end on which everybody used something.
func billDay(ctx context.Context, l *life, i int) error {
	day := period.DayOf(start, zone()).Add(i)
	if l.clock.Now().Before(day.End(zone())) {
		if err := l.to(ctx, day.Start(zone()).Add(10*time.Hour)); err != nil {
			return err
		}
		if err := use(ctx, l, int64(i)); err != nil {
			return err
		}
	}
	return l.to(ctx, day.End(zone()).Add(10*time.Minute))
}

// months are as many as the story of months has.
const months = 3

// closeMonth lets a month pass on whose second day everybody used something,
// until its statements are made.
func closeMonth(ctx context.Context, l *life, i int) error {
	first := start.AddDate(0, i, 0)
	if !l.clock.Now().After(first) {
		if err := l.to(ctx, first); err != nil {
			return err
		}
		if err := use(ctx, l, int64(i)); err != nil {
			return err
		}
	}
	next := start.AddDate(0, i+1, 0)
	if i == months-1 {
		next = next.AddDate(0, 0, 3)
	}
	return l.to(ctx, next)
}

// topUp pays, hears of it, and gives some of it back.
func topUp(ctx context.Context, l *life, i int) error {
	at, desk := l.clock.Now(), l.engine.Desk()
	wish := topup.Wish{Payer: payerOf("poor"), Channel: topup.Alipay, Amount: money.Of(int64(10_000+i), money.CNY), Key: fmt.Sprint("wish", i)}
	p, _, err := desk.Begin(ctx, wish, at)
	if err != nil {
		return err
	}
	hear := func(event string, o topup.Outcome, amount money.Amount) error {
		body, err := json.Marshal(word{Event: event + p.ID, Payment: p.ID, Outcome: o, Minor: amount.Minor()})
		if err != nil {
			return err
		}
		if err := desk.Receive(ctx, topup.Alipay, topup.Message{Body: body}, at); err != nil {
			return err
		}
		return l.engine.Work(ctx)
	}
	if err := hear("paid", topup.WasPaid, p.Amount); err != nil {
		return err
	}
	back := money.Of(1_000, money.CNY)
	if err := l.write(ctx, func(tx *store.Tx) error {
		_, err := topup.AskRefund(ctx, tx, topup.RefundWish{PaymentID: p.ID, Amount: back, Reason: "too much", Key: fmt.Sprint("back", i), Operator: "oper_1"}, at)
		return err
	}); err != nil {
		return err
	}
	return hear("back", topup.WasRefunded, back)
}

// openCodes are the shops, and codes whose texts the diary keeps.
func openCodes(ctx context.Context, l *life) error {
	if err := openShops(ctx, l); err != nil {
		return err
	}
	var texts []string
	err := l.store.Write(ctx, func(tx *store.Tx) error {
		by := wallet.By{Operator: "oper_1"}
		b := wallet.Batch{Payment: wallet.ByVoucher, Face: money.MustParse("50", money.CNY), Size: 10, RedeemBy: period.DayOf(start, zone()).Add(30), Holds: wallet.Validity{Days: 30}}
		b, err := wallet.MakeBatch(ctx, tx, b, by, start)
		if err != nil {
			return err
		}
		_, texts, err = wallet.Export(ctx, tx, b.ID, by, start)
		return err
	})
	for _, text := range texts {
		l.diary.note("code " + text)
	}
	return err
}

// redeem activates a code.
func redeem(ctx context.Context, l *life, i int) error {
	err := l.store.Write(ctx, func(tx *store.Tx) error {
		var used int64
		if err := tx.QueryRow(ctx, `
			SELECT COUNT(*)
			FROM activation_code
			WHERE number = $1
				AND used_at > 0`, int64(i+1)).Scan(&used); err != nil || used > 0 {
			return err
		}
		_, err := wallet.Activate(ctx, tx, wallet.Attempt{Payer: payerOf("poor"), Text: l.diary.after("code")[i], Address: "192.0.2.1"}, l.clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	return l.engine.Work(ctx)
}

var code = regexp.MustCompile(fmt.Sprintf(`\b\d{%d}\b`, account.CodeDigits))

// upgradeOne makes a team and takes it to the Commercial plan, one transaction
// after the other.
func upgradeOne(ctx context.Context, l *life, i int) error {
	name := fmt.Sprint("team", i)
	payer, id, at := payerOf(name), "wksp_"+name, l.clock.Now()
	actor := workspace.Actor{AccountID: "acnt_" + name}
	var d upgrade.Draft
	steps := []struct {
		done func() bool
		do   func(tx *store.Tx) error
	}{
		{func() bool { return !d.NamedAt.IsZero() }, func(tx *store.Tx) error {
			_, err := upgrade.Name(ctx, tx, id, payer.UserName, actor, at)
			return err
		}},
		{func() bool { return !d.SentAt.IsZero() }, func(tx *store.Tx) error {
			_, err := upgrade.Mail(ctx, tx, id, payer.Email, actor, at)
			return err
		}},
		{func() bool { return !d.VerifiedAt.IsZero() }, func(tx *store.Tx) error {
			digits := l.diary.after("code-to-" + payer.Email)
			_, err := upgrade.Prove(ctx, tx, id, digits[len(digits)-1], actor, at)
			return err
		}},
		{func() bool { return !d.AgreedAt.IsZero() }, func(tx *store.Tx) error {
			_, err := upgrade.Agree(ctx, tx, id, upgrade.AgreementVersion, "en", true, actor, at)
			return err
		}},
		{func() bool { return false }, func(tx *store.Tx) error { // may be repeated
			_, err := upgrade.Confirm(ctx, tx, id, name, actor, at)
			return err
		}},
	}
	if err := l.write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Workspace(ctx, id); !errors.Is(err, workspace.ErrUnknown) {
			return err
		}
		if err := tx.InsertBilling(ctx, payer); err != nil {
			return err
		}
		return found(ctx, tx, name, "")
	}); err != nil {
		return err
	}
	for _, s := range steps {
		if err := l.write(ctx, func(tx *store.Tx) (err error) {
			if d, err = tx.UpgradeDraft(ctx, id, actor.AccountID); err != nil && !errors.Is(err, upgrade.ErrNotBegun) || s.done() {
				return err
			}
			return s.do(tx)
		}); err != nil {
			return err
		}
	}
	return nil
}

// migrate makes a database of nothing.
func migrate(ctx context.Context, l *life, i int) error {
	e, err := sqlite.OpenScratch(ctx, filepath.Join(l.folder, fmt.Sprintf("made%d.db", i)))
	if err != nil {
		return err
	}
	return e.Close()
}

// everything is a bit of each, with a debt that locks and clears and a
// workspace that is dissolved, for a death at every named point.
var everything = []func(ctx context.Context, l *life) error{
	func(ctx context.Context, l *life) error {
		return l.sink.Write(ctx, []sink.Report{{
			Key: sink.Key{1}, WorkspaceID: "wksp_rich-0", Generation: 2, Type: meter.Logging, Class: "14d", Received: l.clock.Now(),
			Points: []meter.Point{{Name: "nginx", Time: l.clock.Now()}},
		}})
	},
	func(ctx context.Context, l *life) error { return redeem(ctx, l, 0) },
	func(ctx context.Context, l *life) error { return topUp(ctx, l, 0) },
	func(ctx context.Context, l *life) error { return upgradeOne(ctx, l, 0) },
	func(ctx context.Context, l *life) error { return billDay(ctx, l, 0) },
	func(ctx context.Context, l *life) error {
		return l.write(ctx, func(tx *store.Tx) error {
			w, err := tx.Workspace(ctx, "wksp_rich-0")
			if err != nil || w.State == workspace.Dissolved {
				return err
			}
			_, err = arrears.DissolveBy(ctx, tx, w.ID, "rich-0", workspace.Actor{AccountID: "acnt_rich-0"}, l.clock.Now())
			return err
		})
	},
	func(ctx context.Context, l *life) error { // a payment that is never made: the channel is asked
		_, _, err := l.engine.Desk().Begin(ctx, topup.Wish{Payer: payerOf("rich"), Channel: topup.Alipay, Amount: money.Of(500, money.CNY), Key: "left"}, start)
		return err
	},
	func(ctx context.Context, l *life) error { return l.to(ctx, start.AddDate(0, 0, 26)) }, // locked, cleared, deleted
	func(ctx context.Context, l *life) error { return l.to(ctx, start.AddDate(0, 1, 3)) },  // statements
}

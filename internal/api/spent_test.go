package api_test

import (
	"context"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// paidFor makes another workspace that the payer pays for.
func (x *team) paidFor(name string) workspace.Workspace {
	x.t.Helper()
	w := x.workspace(x.owner, name)
	x.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if w, err = w.Upgrade(x.payer.ID, x.clock.Now()); err != nil {
			return err
		}
		return tx.UpdateWorkspace(ctx, w)
	})
	w.Generation = 2
	return w
}

// uses adds usage of a Commercial workspace, now: pairs of item and class.
func (x *team) uses(seq int64, w workspace.Workspace, records int64, items ...string) {
	x.t.Helper()
	batch := usage.Batch{Gateway: "test-" + w.ID, Epoch: 1, Seq: seq, Through: x.clock.Now()}
	for i := 0; i < len(items); i += 2 {
		key := usage.Key{WorkspaceID: w.ID, Generation: 2, Item: items[i], Class: items[i+1]}
		batch.Deltas = append(batch.Deltas, usage.Delta{Key: key, Hour: period.HourOf(x.clock.Now()), Add: records})
	}
	x.write(func(ctx context.Context, tx *store.Tx) error { return tx.AddUsage(ctx, batch) })
}

var march = client.Spending{Days: client.Days{From: "2026-03-01", To: "2026-03-31"}}

// spent bills three days of two workspaces, partly from cash, and gives the
// second workspace.
func (x *team) spent() workspace.Workspace {
	x.t.Helper()
	x.upgraded()
	second := x.paidFor("second")
	ctx, operator := x.t.Context(), x.asOperator(x.operator())
	declared, err := x.center.DeclareTransfer(ctx, client.NewKey(), client.Declaration{Amount: "7.77"})
	must(x.t, declared, err)
	_, err = operator.CreditTransfer(ctx, client.NewKey(), declared.ID, client.Received{})
	must(x.t, 0, err)
	for day := range int64(3) {
		x.uses(day+1, x.shop, 1_234_567+day, "logs", "14d", "logs", "30d", "apm_trace", "14d")
		x.uses(day+1, second, 2_000_003*(day+1), "logs", "14d", "rum_pv", "14d")
		x.closes()
	}
	return second
}

func (x *team) reader(of account.KeyHolder, maker string) *client.Reader {
	return x.client.Reader(x.key(of, maker).Token)
}

// sums reads all lines and adds them up by item and by what paid.
func (x *team) sums(r *client.Reader, what client.Spending) (items map[string]money.Amount, total money.Amount, paid client.Paid) {
	x.t.Helper()
	items, total = map[string]money.Amount{}, money.Of(0, money.CNY)
	parts := map[*string]money.Amount{}
	seen := map[string]bool{}
	for row, err := range client.All(func(p client.Page) (client.List[client.BillRow], error) {
		p.Limit = 2
		return r.BillLines(x.t.Context(), what, p)
	}) {
		must(x.t, row, err)
		if name := row.BillID + row.Item + row.Class; seen[name] {
			x.t.Fatalf("%s of %s came twice", row.Item, row.BillNumber)
		} else {
			seen[name] = true
		}
		payable := x.cny(row.Payable)
		items[row.Item] = x.plus(items[row.Item], payable)
		total = x.plus(total, payable)
		deducted := money.Of(0, money.CNY)
		for to, text := range map[*string]string{&paid.Voucher: row.Voucher, &paid.FullReduction: row.FullReduction, &paid.Card: row.Card, &paid.Cash: row.Cash, &paid.Cloud: row.Cloud} {
			parts[to] = x.plus(parts[to], x.cny(text))
			deducted = x.plus(deducted, x.cny(text))
		}
		parts[&paid.Owed] = x.plus(parts[&paid.Owed], x.cny(row.Owed))
		if deducted != x.cny(row.Deducted) || x.plus(deducted, x.cny(row.Owed)) != payable || row.Original != row.Payable {
			x.t.Errorf("a line that does not sum: %+v", row)
		}
		if row.Currency != "CNY" || row.BillingCycle != "day" || row.Category != "pay_as_you_go" || row.Settlement != "billing_center" || row.IssuedAt.IsZero() || row.Name == row.Item || row.WorkspaceName == "" {
			x.t.Errorf("line %+v", row)
		}
	}
	for to, amount := range parts {
		*to = amount.String()
	}
	return items, total, paid
}

func (x *team) cny(text string) money.Amount {
	x.t.Helper()
	a, err := money.Parse(text, money.CNY)
	return must(x.t, a, err)
}

func (x *team) plus(a, b money.Amount) money.Amount {
	x.t.Helper()
	sum, err := a.Add(b)
	return must(x.t, sum, err)
}

// billed keeps bills that no close made, of so many days from the given one
// on: each has a line of 2.00 at a price agreed with the payer.
func (x *team) billed(w workspace.Workspace, first string, days int, m catalog.Market) {
	x.t.Helper()
	amount := money.MustParse("2.00", m.Currency)
	line := rate.Line{
		Item: "logs", Class: "14d", Quantity: quantity.MustParse("2000000"), Units: quantity.MustParse("2"),
		UnitPrice: quantity.MustParse("1"), Exact: quantity.MustParse("2"), Amount: amount,
	}
	w.Settlement, w.Payer = site.BillingCenter, x.payer.ID
	x.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range days {
			day := period.MustParseDay(first).Add(i)
			n, err := tx.NextNumber(ctx, bill.Series(w.Site, day))
			if err != nil {
				return err
			}
			b, err := bill.Compose(bill.Draft{
				Workspace: w, Day: day, Number: n, IssuedAt: x.clock.Now(),
				Rated: rate.Rated{Version: catalog.Default().Versions()[0].ID, Market: m, Lines: []rate.Line{line}, Total: amount},
				Parts: [][]wallet.Part{{{Payment: wallet.Owed, Amount: amount}}},
			})
			if err != nil {
				return err
			}
			if err := tx.InsertBills(ctx, []bill.Issued{{Bill: b, Document: b.Document()}}); err != nil {
				return err
			}
		}
		return nil
	})
}

package invoice

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// Kind is a sort of thing that can be invoiced.
type Kind string

// The kinds.
const (
	Month   Kind = "statement" // a monthly statement
	Card    Kind = "card"      // a stored-value card that was bought
	Package Kind = "package"   // an annual package that was bought or upgraded
)

// Why a part of an item is not invoiced. The kinds of payment are the others.
const (
	StillOwed   = "still_owed"       // it became arrears and was not repaid yet
	RepaidOther = "repaid_otherwise" // it became arrears and was filled by something else than money
)

// Item is a thing that can be invoiced, with what was paid of it in cash.
type Item struct {
	Kind   Kind
	ID     string
	Label  string       // its document's number
	Month  string       // of a statement: 2026-03
	At     time.Time    // when it was made or bought
	Total  money.Amount // what it came to
	Cash   money.Amount // of it, paid in cash at once
	Repaid money.Amount // of it, owed at first and repaid in cash since
	Rest   []Rest       // the rest, and why it is not invoiced
	Holder Holder       // the live request that it is on
}

// Rest is a part of an item that is not invoiced, and why.
type Rest struct {
	Why    string
	Amount money.Amount
}

// Holder is the live request that an item is on; zero while it is on none.
type Holder struct {
	RequestID string
	Number    string
}

// Amount is what of the item goes on an invoice.
func (i Item) Amount() (money.Amount, error) { return i.Cash.Add(i.Repaid) }

// Free reports that the item can be requested: it is on no live request and
// something of it was paid in cash.
func (i Item) Free() bool {
	amount, err := i.Amount()
	return err == nil && i.Holder == Holder{} && amount.Sign() > 0
}

// Ref names an item.
type Ref struct {
	Kind Kind
	ID   string
}

// Purchase is something bought, with what of its price was paid in cash.
type Purchase struct {
	ID    string
	Label string
	At    time.Time
	Price money.Amount
	Cash  money.Amount
}

// Debt is one change of a payer's arrears: below zero they grew by a charge,
// above zero they were filled.
type Debt struct {
	StatementID string // that the charge is on; empty when it is on none
	InCash      bool   // filled by money that came in
	Amount      money.Amount
}

// ItemTx is what the list of items needs of a transaction.
type ItemTx interface {
	// StatementsOf lists the account's statements, the newest month first.
	StatementsOf(ctx context.Context, payer, before string, limit int) ([]statement.Statement, error)
	// DebtsOf lists the changes of the account's arrears, the oldest first.
	DebtsOf(ctx context.Context, payer string, c money.Currency) ([]Debt, error)
	// CardsBought lists the cards that the account bought with cash.
	CardsBought(ctx context.Context, payer string, c money.Currency, limit int) ([]Purchase, error)
	// PackagesBought lists the purchases and upgrades of annual packages that
	// the account paid in cash, at least in part.
	PackagesBought(ctx context.Context, payer string, c money.Currency, limit int) ([]Purchase, error)
	// InvoiceHolders gives the live request of each item that is on one.
	InvoiceHolders(ctx context.Context, accountID string) (map[Ref]Holder, error)
}

// mostItems bounds the items of a kind: twenty years of months.
const mostItems = 240

// kinds is every sort of thing that can be invoiced: a new one is a line here.
var kinds = []func(ctx context.Context, tx ItemTx, a account.Billing) ([]Item, error){months, cards, packages}

// Items lists what an account could ever invoice, the newest of each kind
// first, whether it is free or not.
func Items(ctx context.Context, tx ItemTx, a account.Billing) ([]Item, error) {
	holders, err := tx.InvoiceHolders(ctx, a.ID)
	if err != nil {
		return nil, fmt.Errorf("requested items of %s: %w", a.ID, err)
	}
	var all []Item
	for _, list := range kinds {
		items, err := list(ctx, tx, a)
		if err != nil {
			return nil, err
		}
		for _, i := range items {
			i.Holder = holders[Ref{i.Kind, i.ID}]
			all = append(all, i)
		}
	}
	return all, nil
}

// months are the account's statements. Vouchers, cards and clouds pay without
// an invoice from here; what became arrears is invoiced once it was repaid in
// cash (our choice: the sources name the cash part only, and money that fills
// arrears is cash).
func months(ctx context.Context, tx ItemTx, a account.Billing) ([]Item, error) {
	statements, err := tx.StatementsOf(ctx, a.ID, "", mostItems)
	if err != nil {
		return nil, fmt.Errorf("statements of %s: %w", a.ID, err)
	}
	debts, err := tx.DebtsOf(ctx, a.ID, a.Currency)
	if err != nil {
		return nil, fmt.Errorf("arrears of %s: %w", a.ID, err)
	}
	repaid, err := Repay(debts)
	if err != nil {
		return nil, err
	}
	var items []Item
	for _, s := range statements {
		i := Item{Kind: Month, ID: s.ID, Label: s.Number, Month: s.Month.String(), At: s.IssuedAt, Total: s.Total, Cash: s.Paid.Cash, Repaid: money.Of(0, s.Currency)}
		i.rest(s.Paid)
		if err := i.debt(s.Paid.Owed, repaid[s.ID]); err != nil {
			return nil, err
		}
		items = append(items, i)
	}
	return items, nil
}

// rest adds what neither cash nor arrears paid.
func (i *Item) rest(p bill.Paid) {
	for _, kind := range wallet.Payments() {
		if a := p.By(kind); kind != wallet.ByCash && kind != wallet.Owed && !a.IsZero() {
			i.Rest = append(i.Rest, Rest{string(kind), a})
		}
	}
}

// debt adds what became arrears, by what was repaid of it.
func (i *Item) debt(owed money.Amount, r Repayment) error {
	if owed.IsZero() {
		return nil
	}
	left := owed
	for _, part := range []money.Amount{r.InCash, r.Otherwise} {
		if part.Currency() == "" {
			continue
		}
		var err error
		if left, err = left.Sub(part); err != nil {
			return err
		}
	}
	if left.Sign() < 0 { // more was repaid than the statement says was owed: then its bills are not what the ledger charged
		return ErrUnsummed.With("statement", i.ID)
	}
	if r.InCash.Sign() > 0 {
		i.Repaid = r.InCash
	}
	if r.Otherwise.Sign() > 0 {
		i.Rest = append(i.Rest, Rest{RepaidOther, r.Otherwise})
	}
	if left.Sign() > 0 {
		i.Rest = append(i.Rest, Rest{StillOwed, left})
	}
	return nil
}

// Repayment is what of a statement's arrears was repaid: in cash, and by a
// card that filled them.
type Repayment struct {
	InCash    money.Amount
	Otherwise money.Amount
}

// Repay finds out which arrears were repaid: what came first is filled first.
func Repay(debts []Debt) (map[string]Repayment, error) {
	repaid := map[string]Repayment{}
	var open []Debt // with what is left of them, above zero
	for _, d := range debts {
		if d.Amount.Sign() < 0 {
			open = append(open, Debt{StatementID: d.StatementID, Amount: d.Amount.Neg()})
			continue
		}
		left := d.Amount
		for len(open) > 0 && left.Sign() > 0 {
			part := left
			order, err := open[0].Amount.Cmp(left)
			if err != nil {
				return nil, err
			}
			if order < 0 {
				part = open[0].Amount
			}
			if err := repaid1(repaid, open[0].StatementID, d.InCash, part); err != nil {
				return nil, err
			}
			if left, err = left.Sub(part); err != nil {
				return nil, err
			}
			if open[0].Amount, err = open[0].Amount.Sub(part); err != nil {
				return nil, err
			}
			if open[0].Amount.IsZero() {
				open = open[1:]
			}
		}
	}
	return repaid, nil
}

// repaid1 adds a part to what was repaid of a statement.
func repaid1(repaid map[string]Repayment, statementID string, inCash bool, part money.Amount) (err error) {
	if statementID == "" {
		return nil // a debt of before the books, or of a day that is on no statement yet
	}
	r, known := repaid[statementID]
	if !known {
		zero := money.Of(0, part.Currency())
		r = Repayment{zero, zero}
	}
	if inCash {
		r.InCash, err = r.InCash.Add(part)
	} else {
		r.Otherwise, err = r.Otherwise.Add(part)
	}
	repaid[statementID] = r
	return err
}

// cards are the stored-value cards that the account bought. A card that was
// given or redeemed was not bought.
func cards(ctx context.Context, tx ItemTx, a account.Billing) ([]Item, error) {
	bought, err := tx.CardsBought(ctx, a.ID, a.Currency, mostItems)
	if err != nil {
		return nil, fmt.Errorf("cards of %s: %w", a.ID, err)
	}
	return purchases(Card, bought)
}

// packages are the annual packages that the account bought or upgraded. What
// their traffic packages cost a day is no purchase of them.
func packages(ctx context.Context, tx ItemTx, a account.Billing) ([]Item, error) {
	bought, err := tx.PackagesBought(ctx, a.ID, a.Currency, mostItems)
	if err != nil {
		return nil, fmt.Errorf("packages of %s: %w", a.ID, err)
	}
	return purchases(Package, bought)
}

// purchases are items of things bought.
func purchases(kind Kind, bought []Purchase) ([]Item, error) {
	var items []Item
	for _, p := range bought {
		i := Item{Kind: kind, ID: p.ID, Label: p.Label, At: p.At, Total: p.Price, Cash: p.Cash, Repaid: money.Of(0, p.Price.Currency())}
		other, err := p.Price.Sub(p.Cash)
		if err != nil {
			return nil, err
		}
		if other.Sign() > 0 {
			i.Rest = []Rest{{"not_cash", other}}
		}
		items = append(items, i)
	}
	return items, nil
}

// line is the item as it goes on a request.
func (i Item) line() (Line, error) {
	amount, err := i.Amount()
	return Line{
		Kind: i.Kind, ItemID: i.ID, Label: i.Label, Month: i.Month, Day: period.DayOf(i.At, statement.Zone(i.Total.Currency())),
		Total: i.Total, Cash: i.Cash, Repaid: i.Repaid, Amount: amount,
	}, err
}

package till_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/till"
	"tollgate.dev/internal/wallet"
)

func TestMain(m *testing.M) { testkit.Main(m) }

var noon = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

func cny(minor int64) money.Amount { return money.Of(minor, money.CNY) }

// counter is a till with a service's key.
type counter struct {
	*till.Till
	store *store.Store
	key   account.Key
}

func open(t *testing.T, s *store.Store) *counter {
	t.Helper()
	c := &counter{Till: till.Open(s, func() time.Time { return noon }), store: s}
	t.Cleanup(c.Close)
	h, err := account.DeductingService("shop")
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, func(ctx context.Context, tx *store.Tx) (err error) {
		c.key, _, err = account.MakeKey(ctx, tx, account.KeyDraft{Holder: h, Name: "k", MadeBy: "oper_1"}, noon)
		return err
	})
	return c
}

// fataler is a test, or one try of a property.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func (c *counter) write(t fataler, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := c.store.Write(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// payer is a new account with cash.
func (c *counter) payer(t fataler, cash int64) account.Billing {
	t.Helper()
	a := account.Billing{ID: id.New(id.BillingAccount), Currency: money.CNY, Language: "en", CreatedAt: noon}
	a.UserName, a.Email = a.ID, a.ID+"@pay.example"
	c.write(t, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.InsertBilling(ctx, a); err != nil || cash == 0 {
			return err
		}
		transfer, err := wallet.Declare(a, cny(cash), "TG-1", noon)
		if err != nil {
			return err
		}
		if err := tx.InsertTransfer(ctx, transfer); err != nil {
			return err
		}
		_, err = wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
	return a
}

func (c *counter) debit(payer, key string, minor int64) wallet.Debit {
	return wallet.Debit{Service: "shop", Key: key, Payer: payer, Amount: cny(minor), Cause: "a fee", By: c.key.ID, Address: "192.0.2.1"}
}

func (c *counter) balances(t fataler, payer string) (b wallet.Balances) {
	t.Helper()
	ctx := context.Background()
	if err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
		b, err = wallet.BalancesOf(ctx, tx, payer, money.CNY)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// sound checks the books.
func (c *counter) sound(t fataler) {
	t.Helper()
	ctx := context.Background()
	if err := c.store.Read(ctx, func(tx *store.Tx) error {
		found, err := tx.Verify(ctx, catalog.Default())
		for _, f := range found {
			t.Errorf("%v", f)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// wish is a debit of the property with the payer's place among all.
type wish struct {
	payer   int
	key     int
	minor   int64
	covered bool
}

func drawWishes(t *rapid.T, payers int) []wish {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wish {
		return wish{
			payer: rapid.IntRange(0, payers-1).Draw(t, "payer"), key: rapid.IntRange(0, 24).Draw(t, "key"),
			minor: rapid.Int64Range(1, 400).Draw(t, "amount"), covered: rapid.Bool().Draw(t, "covered"),
		}
	}), 1, 30).Draw(t, "debits")
}

// TestConcurrentDebitsComeToASerialOrder lets debits come at once, some of
// them with the key of another one, and holds what comes of them against one
// after the other in the order of each payer's ledger.
func TestConcurrentDebitsComeToASerialOrder(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c, round := open(t, s), 0
		rapid.Check(t, func(t *rapid.T) {
			if round++; round > 25 && !t.Failed() {
				return // the engines are slow; shrinking still tries what it likes
			}
			cash := rapid.SliceOfN(rapid.Int64Range(0, 1000), 1, 3).Draw(t, "cash")
			payers := make([]string, len(cash))
			for i, minor := range cash {
				payers[i] = c.payer(t, minor).ID
			}
			debits := make([]wallet.Debit, 0, 30)
			for _, w := range drawWishes(t, len(payers)) {
				d := c.debit(payers[w.payer], fmt.Sprintf("%s-%d", payers[0], w.key), w.minor)
				d.Covered = w.covered
				debits = append(debits, d)
			}
			first := c.atOnce(t, debits, rapid.IntRange(1, 5).Draw(t, "of an order"))
			c.serial(t, payers, cash, debits, first)
			before := make([]wallet.Balances, len(payers))
			for i, p := range payers {
				before[i] = c.balances(t, p)
			}
			for i, again := range c.atOnce(t, debits, 3) {
				if first[i].Err == nil && (!again.Before || again.Entry.ID != first[i].Entry.ID) {
					t.Fatalf("%+v gave %+v, and again %+v", debits[i], first[i], again)
				}
			}
			for i, p := range payers {
				if got := c.balances(t, p); got != before[i] {
					t.Fatalf("sent again, the debits left %+v of %+v", got, before[i])
				}
			}
		})
		c.sound(t)
	})
}

// atOnce has debits taken side by side, so many in an order.
func (c *counter) atOnce(t fataler, debits []wallet.Debit, together int) []wallet.Taken {
	t.Helper()
	taken := make([]wallet.Taken, len(debits))
	var all sync.WaitGroup
	for from := 0; from < len(debits); from += together {
		part := debits[from:min(from+together, len(debits))]
		all.Go(func() {
			got, err := c.Take(context.Background(), part)
			if err != nil {
				t.Errorf("take: %v", err)
			}
			copy(taken[from:], got)
		})
	}
	all.Wait()
	return taken
}

// serial holds what came of debits against a model that takes them one after
// the other, in the order of the payers' ledgers.
func (c *counter) serial(t fataler, payers []string, cash []int64, debits []wallet.Debit, taken []wallet.Taken) {
	t.Helper()
	posted := map[string]wallet.Debit{} // by entry
	keys := map[string]wallet.Debit{}
	for i, d := range debits {
		got := taken[i]
		if got.Err == nil {
			keys[d.Key] = d
		}
		if got.Err == nil && !got.Before { // one that came again may differ in whether it had to be covered
			posted[got.Entry.ID] = d
		}
	}
	ctx := context.Background()
	for i, payer := range payers {
		var entries []wallet.Entry
		if err := c.store.Read(ctx, func(tx *store.Tx) (err error) {
			entries, err = tx.LedgerEntries(ctx, payer, 0, 100)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		has, owed, seen := cash[i], int64(0), 0
		for k := len(entries) - 1; k >= 0; k-- {
			if entries[k].Kind != wallet.Deducted {
				continue
			}
			d, ok := posted[entries[k].ID]
			if !ok {
				t.Fatalf("entry %+v was told to nobody", entries[k])
			}
			paid := min(has, d.Amount.Minor())
			has, owed, seen = has-paid, owed+d.Amount.Minor()-paid, seen+1
			if d.Covered && paid < d.Amount.Minor() {
				t.Fatalf("%+v was posted, and had only %d", d, paid)
			}
		}
		for _, d := range posted {
			if d.Payer == payer {
				seen--
			}
		}
		if b := c.balances(t, payer); seen != 0 || b.Cash != cny(has) || b.Owed != cny(owed) {
			t.Fatalf("%d entries too many; left are %v and owed %v, one after the other %d and %d", seen, b.Cash, b.Owed, has, owed)
		}
		for k, d := range debits {
			switch err := taken[k].Err; {
			case d.Payer != payer || err == nil:
			case errors.Is(err, wallet.ErrDebitShort):
				if !d.Covered || d.Amount.Minor() <= has {
					t.Fatalf("%+v was refused as not covered, and %d are left", d, has)
				}
			case errors.Is(err, wallet.ErrDebitReused):
				if other := keys[d.Key]; other.Payer == d.Payer && other.Amount == d.Amount {
					t.Fatalf("%+v was refused for the key of its like", d)
				}
			default:
				t.Fatalf("%+v was refused: %v", d, err)
			}
		}
	}
}

func TestAThousandDebitsOfOneKeyMoveMoneyOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := open(t, s)
		p := c.payer(t, 1000)
		debits := make([]wallet.Debit, 1000)
		for i := range debits {
			debits[i] = c.debit(p.ID, "one", 7)
		}
		moved := 0
		for _, got := range c.atOnce(t, debits, 50) {
			if got.Err != nil {
				t.Fatal(got.Err)
			}
			if !got.Before && got.Entry.Number == 2 {
				moved++
			}
		}
		if b := c.balances(t, p.ID); b.Cash != cny(993) || moved == 0 {
			t.Errorf("left: %v", b.Cash)
		}
		c.sound(t)
	})
}

func TestOneDebitThatTheBooksRefuseLeavesTheOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := open(t, s)
		var debits []wallet.Debit
		for i := range 9 {
			debits = append(debits, c.debit(c.payer(t, 100).ID, fmt.Sprint(i), 40))
		}
		bad := debits[5].Payer // whose stored arrears are as deep as can be, by somebody's hand
		c.write(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `
				INSERT INTO ledger_balance (payer, account, currency, minor)
				VALUES ($1, $2, 'CNY', $3)`, bad, string(wallet.Arrears(bad)), int64(-(1 << 60)))
			return err
		})
		debits[5].Amount = cny(110)
		taken, err := c.Take(t.Context(), debits)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range taken {
			if i == 5 && !errors.Is(got.Err, wallet.ErrFloor) {
				t.Errorf("the books took %+v: %v", debits[i], got.Err)
			}
			if i != 5 && got.Err != nil {
				t.Errorf("%+v bears what is wrong with another: %v", debits[i], got.Err)
			}
		}
	})
}

func TestAClosedTillAnswersWhatItTookAndTakesNoMore(t *testing.T) {
	t.Parallel()
	c := open(t, storetest.SQLite(t))
	p := c.payer(t, 1000)
	answers := make(chan wallet.Taken, 20)
	var all sync.WaitGroup
	for i := range cap(answers) {
		all.Go(func() {
			got, err := c.Take(context.Background(), []wallet.Debit{c.debit(p.ID, fmt.Sprint(i), 1)})
			if err != nil {
				t.Error(err)
				return
			}
			answers <- got[0]
		})
	}
	c.Close()
	all.Wait()
	close(answers)
	posted := int64(0)
	for got := range answers {
		switch {
		case got.Err == nil:
			posted++
		case fault.From(got.Err).Code != till.ErrClosed.Code:
			t.Error(got.Err)
		}
	}
	if b := c.balances(t, p.ID); b.Cash != cny(1000-posted) {
		t.Errorf("%d were answered as posted, and %v is left of 10.00", posted, b.Cash)
	}
}

// rowsOfBefore gives the deduction of 10 the postings that it would have had
// before such entries were one row.
func rowsOfBefore(ctx context.Context, tx *store.Tx) error {
	for _, sql := range []string{`
		INSERT INTO ledger_posting (payer, number, position, account, currency, minor)
		SELECT payer, number, 0, 'cash:' || payer, currency, -cash FROM ledger_entry WHERE cash = 10`, `
		INSERT INTO ledger_posting (payer, number, position, account, currency, minor)
		SELECT payer, number, 1, 'revenue:' || currency, currency, cash FROM ledger_entry WHERE cash = 10`, `
		UPDATE ledger_entry SET cash = 0, currency = '' WHERE cash = 10`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// TestADeductionThatCashPaysAloneIsOneRow holds the books sound with such
// entries as rows of before, whose postings stand beside them, too, and finds
// what is changed in either.
func TestADeductionThatCashPaysAloneIsOneRow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := open(t, s)
		payer := c.payer(t, 1000).ID
		taken, err := c.Take(t.Context(), []wallet.Debit{c.debit(payer, "a", 10), c.debit(payer, "b", 20), c.debit(payer, "c", 1000)})
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		count := func(sql string) (n int64) {
			t.Helper()
			if err := s.Read(ctx, func(tx *store.Tx) error { return tx.QueryRow(ctx, sql, payer).Scan(&n) }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(`SELECT COUNT(*) FROM ledger_posting WHERE payer = $1`); n != 2+3 { // the deposit, and what left a debt
			t.Errorf("%d postings have rows", n)
		}
		c.sound(t)
		after := func() (texts []string) {
			if err := s.Read(ctx, func(tx *store.Tx) error {
				list, err := tx.LedgerEntries(ctx, payer, 0, 10)
				for _, e := range list {
					b, err := tx.BalancesAfter(ctx, payer, money.CNY, e.Number)
					if err != nil {
						return err
					}
					texts = append(texts, fmt.Sprint(e, b))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return texts
		}
		inOneRow := after()
		c.write(t, rowsOfBefore)
		c.sound(t)
		if mixed := after(); !slices.Equal(mixed, inOneRow) || len(mixed) != 4 {
			t.Errorf("with rows of before: %q\nwithout: %q", mixed, inOneRow)
		}
		again, err := c.Take(ctx, []wallet.Debit{c.debit(payer, "a", 10), c.debit(payer, "b", 20)})
		if err != nil || !again[0].Before || !again[1].Before || again[0].Entry.Hash != taken[0].Entry.Hash {
			t.Errorf("again: %+v, %v", again, err)
		}
		c.plant(t)
	})
}

// plant changes what entries and purses say, and expects it to be found.
func (c *counter) plant(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	for _, sql := range []string{
		`UPDATE ledger_entry SET cash = cash + 1 WHERE cash = 20`, `UPDATE ledger_entry SET currency = 'USD' WHERE cash = 20`,
		`UPDATE ledger_entry SET cash = 0, currency = '' WHERE cash = 20`, `UPDATE ledger_entry SET currency = 'CNY' WHERE number = 2`,
		`UPDATE purse SET cash = cash + 1`, `UPDATE purse SET currency = 'USD'`, `UPDATE purse SET n = n + 1`, `DELETE FROM purse`,
	} {
		undone := errors.New("undone")
		if err := c.store.Write(ctx, func(tx *store.Tx) error {
			if n, err := tx.Exec(ctx, sql); err != nil || n == 0 {
				t.Errorf("%s: %d rows, %v", sql, n, err)
			}
			found, err := tx.Verify(ctx, catalog.Default())
			if err != nil || len(found) == 0 {
				t.Errorf("%s: found %v, %v", sql, found, err)
			}
			return undone
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
	}
}

func TestVerifyFindsADeductionThatNobodyWroteDown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := open(t, s)
		p := c.payer(t, 1000)
		if _, err := c.Take(t.Context(), []wallet.Debit{c.debit(p.ID, "a", 5)}); err != nil {
			t.Fatal(err)
		}
		c.write(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.Post(ctx, tx, wallet.Movement{Key: "deduction:shop:b", Kind: wallet.Deducted, Cause: "a fee", Payer: p.ID, Postings: []wallet.Posting{
				{Account: wallet.Cash(p.ID), Amount: cny(-5)}, {Account: wallet.Revenue(money.CNY), Amount: cny(5)},
			}}, noon)
			return err
		})
		var found []string
		if err := s.Read(t.Context(), func(tx *store.Tx) error {
			all, err := tx.Verify(t.Context(), catalog.Default())
			for _, f := range all {
				found = append(found, f.String())
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		want := "[I4 shop: the ledger has 1 deductions more than the audit log I4 shop: the ledger has deductions of 0.05 CNY more than the audit log]"
		if fmt.Sprint(found) != want {
			t.Errorf("found %v", found)
		}
	})
}

package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
)

// What a store transaction must be able to do for invoices.
var (
	_ invoice.Tx        = (*store.Tx)(nil)
	_ invoice.ProfileTx = (*store.Tx)(nil)
)

// april is after the statements of March.
var april = noon.AddDate(0, 1, 10)

// invoicing is an account with a statement of March, certified, with a profile
// and an address.
type invoicing struct {
	shopOf
	profile invoice.Profile
	to      invoice.Address
}

// invoiced is March of a shop that paid 5.00 in cash and owes the rest of
// 12.00; a voucher paid 1.00.
func invoiced(t *testing.T, s *store.Store, name string) invoicing {
	t.Helper()
	x := invoicing{shopOf: newShop(t, s, name)}
	x.recharge(t, "5")
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.GiveVoucher(ctx, tx, x.payer, wallet.ByVoucher, cny("1"), time.Time{}, noon)
		return err
	})
	x.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 8_000_000)
	closeDays(t, s, march1, "2026-04-02")
	issueMonth(t, s, "2026-03")
	x.certified(t)
	return x
}

func (x *invoicing) certified(t *testing.T) {
	t.Helper()
	c := submit(t, x.s, x.payer.ID, acme)
	if err := decide(x.s, t.Context(), c.ID, account.CertificationCertified, ""); err != nil {
		t.Fatal(err)
	}
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		x.profile, err = invoice.SaveProfile(ctx, tx, invoice.Profile{AccountID: x.payer.ID, Type: invoice.Electronic, Title: acme.Company, TaxNumber: acme.TaxpayerID}, "192.0.2.7", april)
		if err != nil {
			return err
		}
		x.to, err = invoice.SaveAddress(ctx, tx, invoice.Address{AccountID: x.payer.ID, Recipient: "Mei", Email: "mei@acme.example"}, "192.0.2.7", april)
		return err
	})
}

func (x invoicing) items(t *testing.T) (items []invoice.Item) {
	t.Helper()
	if err := x.s.Read(t.Context(), func(tx *store.Tx) (err error) {
		items, err = invoice.Items(t.Context(), tx, x.payer)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return items
}

func refs(items []invoice.Item) (all []invoice.Ref) {
	for _, i := range items {
		all = append(all, invoice.Ref{Kind: i.Kind, ID: i.ID})
	}
	return all
}

func (x invoicing) ask(ctx context.Context, items ...invoice.Ref) (r invoice.Request, err error) {
	err = x.s.Write(ctx, func(tx *store.Tx) (err error) {
		r, err = invoice.Ask(ctx, tx, invoice.Asking{AccountID: x.payer.ID, ProfileID: x.profile.ID, AddressID: x.to.ID, Items: items, From: "192.0.2.7"}, april)
		return err
	})
	return r, err
}

func (x invoicing) moved(t *testing.T, want error, f func(ctx context.Context, tx *store.Tx) (invoice.Request, error)) (r invoice.Request) {
	t.Helper()
	err := x.s.Write(t.Context(), func(tx *store.Tx) (err error) {
		r, err = f(t.Context(), tx)
		return err
	})
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	return r
}

// told is what an item says: amount, and the rest by reason.
func told(i invoice.Item) string {
	amount, _ := i.Amount()
	parts := []string{string(i.Kind), amount.String(), "of", i.Total.String()}
	for _, r := range i.Rest {
		parts = append(parts, r.Why, r.Amount.String())
	}
	return strings.Join(parts, " ")
}

func TestAMonthIsInvoicedAsFarAsItWasPaidInCash(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := invoiced(t, s, "shop")
		if got := told(x.items(t)[0]); got != "statement 5.00 of 12.00 voucher 1.00 still_owed 6.00" {
			t.Errorf("in arrears: %s", got)
		}
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.GiveCard(ctx, tx, x.payer, cny("2"), time.Time{}, april)
			return err
		})
		if got := told(x.items(t)[0]); got != "statement 5.00 of 12.00 voucher 1.00 repaid_otherwise 2.00 still_owed 4.00" {
			t.Errorf("filled by a card: %s", got)
		}
		x.recharge(t, "3")
		if got := told(x.items(t)[0]); got != "statement 8.00 of 12.00 voucher 1.00 repaid_otherwise 2.00 still_owed 1.00" {
			t.Errorf("repaid in part: %s", got)
		}
		if _, err := x.ask(t.Context(), refs(x.items(t))...); !errors.Is(err, invoice.ErrNoCash) {
			t.Errorf("without cash: %v", err)
		}
		x.recharge(t, "400")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.BuyCard(ctx, tx, x.payer, terms(t), cny("300"), time.Time{}, april)
			return err
		})
		items := x.items(t)
		if len(items) != 2 || told(items[0]) != "statement 9.00 of 12.00 voucher 1.00 repaid_otherwise 2.00" || told(items[1]) != "card 300.00 of 300.00" {
			t.Fatalf("items %v", items)
		}
		r, err := x.ask(t.Context(), refs(items)...)
		if err != nil || r.Number != "IR-CNY-2026-000001" || r.Total.String() != "309.00" || len(r.Lines) != 2 || r.Waived {
			t.Fatalf("%+v, %v", r, err)
		}
		sound(t, s)
		x.profile.Bank = "Another Bank"
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if _, err := invoice.SaveProfile(ctx, tx, x.profile, "", april); err != nil {
				return err
			}
			if err := invoice.DeleteAddress(ctx, tx, x.payer.ID, x.to.ID, "", april); err != nil {
				return err
			}
			kept, err := tx.InvoiceOf(ctx, x.payer.ID, r.ID)
			if err != nil || kept.Profile.Bank != "" || kept.Address.Email != "mei@acme.example" || kept.Lines[1] != r.Lines[1] || kept.RequestedAt != r.RequestedAt {
				t.Errorf("kept as %+v, %v", kept, err)
			}
			if _, err := tx.InvoiceOf(ctx, "bcac_other", r.ID); !errors.Is(err, invoice.ErrUnknown) {
				t.Errorf("of another account: %v", err)
			}
			return nil
		})
		sound(t, s)
	})
}

func TestAPackageIsInvoicedAtTheCashThatItCost(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := invoicing{shopOf: newShop(t, s, "shop")}
		x.recharge(t, "41000")
		x.certified(t)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.GiveVoucher(ctx, tx, x.payer, wallet.ByVoucher, cny("2000"), time.Time{}, noon)
			return err
		})
		order := x.order(1, x.shopOf)
		order.Mix = wallet.Mix{wallet.ByVoucher: cny("2000"), wallet.ByCash: cny("40000")}
		x.buy(t, order)
		items := x.items(t)
		if len(items) != 1 || told(items[0]) != "package 40000.00 of 42000.00 not_cash 2000.00" {
			t.Fatalf("items %v", items)
		}
		r, err := x.ask(t.Context(), refs(items)...)
		if err != nil || r.Total.String() != "40000.00" {
			t.Errorf("%+v, %v", r, err)
		}
		sound(t, s)
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE invoice_line SET cash = cash + 1, amount = amount + 1`)
			return err
		})
		if found := fmt.Sprint(findings(t, s)); !strings.Contains(found, "another sum than was paid for it in cash") {
			t.Errorf("a changed price is not found: %s", found)
		}
	})
}

func TestAnItemIsOnOneLiveRequest(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := invoiced(t, s, "shop")
		x.recharge(t, "20")
		all := refs(x.items(t))
		var made atomic.Int64
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				switch _, err := x.ask(t.Context(), all...); {
				case err == nil:
					made.Add(1)
				case !errors.Is(err, invoice.ErrItemTaken):
					t.Errorf("asked at once: %v", err)
				}
			})
		}
		group.Wait()
		if made.Load() != 1 {
			t.Fatalf("%d requests were made", made.Load())
		}
		holder := x.items(t)[0].Holder
		if holder.Number != "IR-CNY-2026-000001" {
			t.Errorf("held by %+v", holder)
		}
		x.moved(t, invoice.ErrUnknown, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Withdraw(ctx, tx, "bcac_other", holder.RequestID, "", april)
		})
		for range 2 { // a double click
			x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
				return invoice.Withdraw(ctx, tx, x.payer.ID, holder.RequestID, "", april)
			})
		}
		second, err := x.ask(t.Context(), all...)
		if err != nil || second.Number != "IR-CNY-2026-000002" {
			t.Fatalf("asked again: %s, %v", second.Number, err)
		}
		x.moved(t, invoice.ErrReason, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Reject(ctx, tx, second.ID, " ", "oper_1", "", april)
		})
		x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Reject(ctx, tx, second.ID, "the bank is unknown", "oper_1", "", april)
		})
		third, err := x.ask(t.Context(), all...)
		if err != nil || third.Number != "IR-CNY-2026-000003" {
			t.Fatalf("asked a third time: %s, %v", third.Number, err)
		}
		logOf(t, s, second.ID, "invoice.requested", "invoice.rejected")
		sound(t, s)
	})
}

func TestTheOperatorIssuesAndSends(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x, y := invoiced(t, s, "shop"), invoicing{shopOf: newShop(t, s, "other")}
		x.recharge(t, "20")
		y.certified(t)
		y.recharge(t, "500")
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			_, err := wallet.BuyCard(ctx, tx, y.payer, terms(t), cny("100"), time.Time{}, april)
			return err
		})
		first, err := x.ask(t.Context(), refs(x.items(t))...)
		if err != nil {
			t.Fatal(err)
		}
		second, err := y.ask(t.Context(), refs(y.items(t))...)
		if err != nil {
			t.Fatal(err)
		}
		issue := func(id string, file attachment.Sent) func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
				return invoice.Issue(ctx, tx, invoice.Issuing{RequestID: id, TaxNumber: "26332000000012345678", TaxDay: day("2026-04-10"), File: file, Operator: "oper_1"}, april)
			}
		}
		x.moved(t, invoice.ErrState, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Send(ctx, tx, first.ID, "", "oper_1", "", april)
		})
		x.moved(t, attachment.ErrType, issue(first.ID, attachment.Sent{Name: "a.exe", Content: []byte("MZ")}))
		for range 2 {
			r := x.moved(t, nil, issue(first.ID, attachment.Sent{Name: "a.pdf", Content: []byte("%PDF-1")}))
			if r.State != invoice.Issued || r.FileName != "a.pdf" {
				t.Errorf("issued %+v", r)
			}
		}
		x.moved(t, invoice.ErrTaxTaken, issue(second.ID, attachment.Sent{}))
		x.moved(t, invoice.ErrState, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Reject(ctx, tx, first.ID, "too late", "oper_1", "", april)
		})
		x.moved(t, invoice.ErrState, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Withdraw(ctx, tx, x.payer.ID, first.ID, "", april)
		})
		r := x.moved(t, nil, func(ctx context.Context, tx *store.Tx) (invoice.Request, error) {
			return invoice.Send(ctx, tx, first.ID, "", "oper_1", "", april)
		})
		if r.Delivery != "mei@acme.example" || r.TaxDay != day("2026-04-10") {
			t.Errorf("sent %+v", r)
		}
		logOf(t, s, first.ID, "invoice.requested", "invoice.issued", "invoice.sent")
		lists(t, s, x.payer.ID, first, second)
		sound(t, s)
	})
}

// lists looks up two requests, one sent and one waiting, in every way.
func lists(t *testing.T, s *store.Store, accountID string, sent, waiting invoice.Request) {
	t.Helper()
	for name, c := range map[string]struct {
		query store.InvoiceQuery
		want  string
	}{
		"all":             {store.InvoiceQuery{}, sent.ID + waiting.ID},
		"open":            {store.InvoiceQuery{Open: true}, waiting.ID},
		"of one":          {store.InvoiceQuery{AccountID: accountID}, sent.ID},
		"sent":            {store.InvoiceQuery{State: invoice.Sent}, sent.ID},
		"by number":       {store.InvoiceQuery{Text: "ir-cny-2026-000002"}, waiting.ID},
		"by tax number":   {store.InvoiceQuery{Text: "2633"}, sent.ID},
		"by company":      {store.InvoiceQuery{Text: "ACME"}, sent.ID + waiting.ID},
		"by user name":    {store.InvoiceQuery{Text: "other"}, waiting.ID},
		"by nothing such": {store.InvoiceQuery{Text: "%"}, ""},
	} {
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			got := map[string]bool{}
			for {
				page, err := tx.Invoices(ctx, c.query, 1)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				if c.query.After = page[0].ID; got[page[0].ID] {
					t.Fatalf("%s: %s comes twice", name, page[0].ID)
				}
				got[page[0].ID] = true
			}
			for _, r := range []invoice.Request{sent, waiting} {
				if got[r.ID] != strings.Contains(c.want, r.ID) {
					t.Errorf("%s: %s listed: %v", name, r.Number, got[r.ID])
				}
			}
			counts, err := tx.InvoiceCounts(ctx)
			if err != nil || counts[invoice.Sent] != 1 || counts[invoice.Requested] != 1 {
				t.Errorf("counts %v, %v", counts, err)
			}
			return nil
		})
	}
}

func TestARequestIsRefusedForWhatItLacks(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := invoiced(t, s, "shop")
	all := refs(x.items(t))
	bare := invoicing{shopOf: newShop(t, s, "bare")}
	post := invoice.Profile{AccountID: x.payer.ID, Type: invoice.Ordinary, Title: acme.Company, TaxNumber: acme.TaxpayerID}
	write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
		post, err = invoice.SaveProfile(ctx, tx, post, "", april)
		return err
	})
	other, paper, nobody, nowhere := x, x, x, x
	paper.profile, nobody.profile.ID, nowhere.to.ID = post, "invp_none", "inva_none"
	for name, c := range map[string]struct {
		by    invoicing
		items []invoice.Ref
		want  error
	}{
		"not certified":      {bare, all, account.ErrNotCertified},
		"no such profile":    {nobody, all, invoice.ErrProfileUnknown},
		"no such address":    {nowhere, all, invoice.ErrAddressUnknown},
		"paper by mail":      {paper, all, invoice.ErrAddressPost},
		"nothing chosen":     {x, nil, invoice.ErrNoItems},
		"too much chosen":    {x, make([]invoice.Ref, 101), invoice.ErrManyItems},
		"nothing such":       {x, []invoice.Ref{{Kind: invoice.Month, ID: "stmt_none"}}, invoice.ErrItemUnknown},
		"one such, one not":  {x, append([]invoice.Ref{{Kind: "boat", ID: all[0].ID}}, all...), invoice.ErrItemUnknown},
		"no cash":            {x, all, invoice.ErrNoCash},
		"chosen twice, also": {other, append(all, all...), invoice.ErrNoCash},
	} {
		if _, err := c.by.ask(t.Context(), c.items...); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	refused(t, s, invoice.ErrWaiverReason, func(ctx context.Context, tx *store.Tx) error {
		return invoice.Waive(ctx, tx, invoice.Waiver{AccountID: x.payer.ID, On: true, By: "oper_1", At: april}, "")
	})
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		return invoice.Waive(ctx, tx, invoice.Waiver{AccountID: x.payer.ID, On: true, Reason: "pays by contract", By: "oper_1", At: april}, "")
	})
	if r, err := x.ask(t.Context(), all...); err != nil || !r.Waived || r.Total.String() != "5.00" || r.Number != "IR-CNY-2026-000001" {
		t.Errorf("waived: %+v, %v", r, err)
	}
	sound(t, s)
}

func TestATitleThatIsNoLongerCertifiedIsRefused(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := invoiced(t, s, "shop")
	x.recharge(t, "20")
	c := submit(t, s, x.payer.ID, account.Enterprise{Company: "Acme Group", TaxpayerID: acme.TaxpayerID})
	if err := decide(s, t.Context(), c.ID, account.CertificationCertified, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := x.ask(t.Context(), refs(x.items(t))...); !errors.Is(err, invoice.ErrTitle) {
		t.Errorf("with the old title: %v", err)
	}
	x.profile.Title = "Acme Group"
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := invoice.SaveProfile(ctx, tx, x.profile, "", april)
		return err
	})
	if r, err := x.ask(t.Context(), refs(x.items(t))...); err != nil || r.Enterprise.Company != "Acme Group" {
		t.Errorf("with the new one: %+v, %v", r, err)
	}
}

func TestAnAccountHasABoundOfProfilesAndAddresses(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := invoicing{shopOf: newShop(t, s, "shop")}
	x.certified(t)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		for range 49 {
			p, a := x.profile, x.to
			p.ID, a.ID = "", ""
			if _, err := invoice.SaveProfile(ctx, tx, p, "", april); err != nil {
				return err
			}
			if _, err := invoice.SaveAddress(ctx, tx, a, "", april); err != nil {
				return err
			}
		}
		p, a := x.profile, x.to
		p.ID, a.ID = "", ""
		if _, err := invoice.SaveProfile(ctx, tx, p, "", april); !errors.Is(err, invoice.ErrManyProfiles) {
			t.Errorf("one profile more: %v", err)
		}
		if _, err := invoice.SaveAddress(ctx, tx, a, "", april); !errors.Is(err, invoice.ErrManyAddresses) {
			t.Errorf("one address more: %v", err)
		}
		stolen := x.profile
		stolen.AccountID = "bcac_other"
		if err := tx.InsertBilling(ctx, account.Billing{ID: "bcac_other", UserName: "other", Email: "o@x.example", Currency: money.CNY, Enterprise: acme, CreatedAt: noon}); err != nil {
			return err
		}
		if _, err := invoice.SaveProfile(ctx, tx, stolen, "", april); !errors.Is(err, invoice.ErrProfileUnknown) {
			t.Errorf("another account's profile: %v", err)
		}
		if err := invoice.DeleteProfile(ctx, tx, "bcac_other", x.profile.ID, "", april); !errors.Is(err, invoice.ErrProfileUnknown) {
			t.Errorf("another account's profile: %v", err)
		}
		return nil
	})
}

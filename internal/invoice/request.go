package invoice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// mostLines bounds the items of one request.
const mostLines = 100

// Tx is what requests need of a transaction.
type Tx interface {
	ItemTx
	BillingByID(ctx context.Context, id string) (account.Billing, error)
	// LedgerHead keeps the account's money and requests from other writers.
	LedgerHead(ctx context.Context, payer string) (wallet.Head, error)
	StoredBalances(ctx context.Context, payer string, c money.Currency) (map[wallet.Account]money.Amount, error)
	InvoiceProfile(ctx context.Context, accountID, id string) (Profile, error)
	InvoiceAddress(ctx context.Context, accountID, id string) (Address, error)
	// InvoiceWaiver finds out whether the cash balance is not asked for.
	InvoiceWaiver(ctx context.Context, accountID string) (Waiver, error)
	SaveInvoiceWaiver(ctx context.Context, w Waiver) error
	// NextNumber takes the next number of a series.
	NextNumber(ctx context.Context, series string) (int64, error)
	// InsertInvoice keeps a new request and takes its items, else ErrItemTaken.
	InsertInvoice(ctx context.Context, r Request) error
	// InvoiceForUpdate finds a request, kept from other writers, or ErrUnknown.
	InvoiceForUpdate(ctx context.Context, id string) (Request, error)
	// MoveInvoice keeps the next state of a request that is still in the given
	// one, else ErrState, and frees its items when it is no longer live.
	MoveInvoice(ctx context.Context, r Request, from State) error
	InsertAttachment(ctx context.Context, f attachment.File) error
	Audit(ctx context.Context, e audit.Entry) error
	Announce(ctx context.Context, event any) error
}

// Asking is what a payer chooses for a request.
type Asking struct {
	AccountID string
	ProfileID string
	AddressID string
	Items     []Ref
	From      string // the remote address
}

// Ask makes a request. Everything is checked now, against what is so now:
// certification, the title, the cash balance (domain C-17), and that each item
// is free and has a part that was paid in cash.
func Ask(ctx context.Context, tx Tx, asked Asking, at time.Time) (Request, error) {
	if _, err := tx.LedgerHead(ctx, asked.AccountID); err != nil { // nobody else asks for this account until we are done
		return Request{}, fmt.Errorf("chain of %s: %w", asked.AccountID, err)
	}
	a, err := tx.BillingByID(ctx, asked.AccountID)
	if err != nil {
		return Request{}, err
	}
	if a.Enterprise.IsZero() {
		return Request{}, account.ErrNotCertified
	}
	today := period.DayOf(at, statement.Zone(a.Currency))
	r := Request{
		ID: id.New(id.Invoice), AccountID: a.ID, UserName: a.UserName, Enterprise: a.Enterprise,
		State: Requested, RequestedAt: period.FromMicros(period.Micros(at)), Total: money.Of(0, a.Currency),
	}
	if r.Profile, r.Address, err = chosen(ctx, tx, a, asked); err != nil {
		return Request{}, err
	}
	if err := r.take(ctx, tx, a, asked.Items); err != nil {
		return Request{}, err
	}
	if r.Waived, err = admitted(ctx, tx, a); err != nil {
		return Request{}, err
	}
	if err := r.Sums(); err != nil {
		return Request{}, err
	}
	n, err := tx.NextNumber(ctx, series(a.Currency, today))
	if err != nil {
		return Request{}, fmt.Errorf("number of an invoice request: %w", err)
	}
	r.Number = bill.Number(series(a.Currency, today), n)
	if err := tx.InsertInvoice(ctx, r); err != nil {
		return Request{}, err
	}
	return r, r.told(ctx, tx, a, audit.Entry{At: at, Actor: a.ID, Address: asked.From, Detail: map[string]string{
		"number": r.Number, "total": r.Total.String(), "currency": string(a.Currency), "items": fmt.Sprint(len(r.Lines)), "state": " -> " + string(Requested),
	}})
}

// chosen finds the profile and the address and checks that they suit each
// other and the certification.
func chosen(ctx context.Context, tx Tx, a account.Billing, asked Asking) (Profile, Address, error) {
	var list fault.Fields
	p, err := tx.InvoiceProfile(ctx, a.ID, asked.ProfileID)
	switch {
	case errors.Is(err, ErrProfileUnknown):
		list = append(list, ErrProfileUnknown.On("profile"))
	case err != nil:
		return p, Address{}, err
	case p.Title != a.Enterprise.Company:
		list = append(list, ErrTitle.On("profile"))
	}
	to, err := tx.InvoiceAddress(ctx, a.ID, asked.AddressID)
	switch {
	case errors.Is(err, ErrAddressUnknown):
		list = append(list, ErrAddressUnknown.On("address"))
	case err != nil:
		return p, to, err
	case p.ID != "":
		if err := to.Takes(p.Type); err != nil {
			list = append(list, fault.From(err))
		}
	}
	return p, to, list.OrNil()
}

// take puts the chosen items on the request.
func (r *Request) take(ctx context.Context, tx Tx, a account.Billing, refs []Ref) error {
	switch {
	case len(refs) == 0:
		return ErrNoItems.On("item")
	case len(refs) > mostLines:
		return ErrManyItems.On("item")
	}
	items, err := Items(ctx, tx, a)
	if err != nil {
		return err
	}
	wanted := map[Ref]bool{}
	for _, ref := range refs {
		wanted[ref] = true
	}
	found := 0
	for _, i := range items { // in the order of the list, whatever the order in which they were chosen
		if !wanted[Ref{i.Kind, i.ID}] {
			continue
		}
		found++
		switch {
		case i.Holder != Holder{}:
			return ErrItemTaken.On("item").With("item", i.Label).With("number", i.Holder.Number)
		case !i.Free():
			return ErrItemEmpty.On("item").With("item", i.Label)
		}
		l, err := i.line()
		if err != nil {
			return err
		}
		if r.Total, err = r.Total.Add(l.Amount); err != nil {
			return err
		}
		r.Lines = append(r.Lines, l)
	}
	if found < len(wanted) {
		return ErrItemUnknown.On("item")
	}
	return nil
}

// admitted checks the precondition of the cash balance, which the operator may
// waive (domain C-17).
func admitted(ctx context.Context, tx Tx, a account.Billing) (waived bool, err error) {
	stored, err := tx.StoredBalances(ctx, a.ID, a.Currency)
	if err != nil {
		return false, fmt.Errorf("balances of %s: %w", a.ID, err)
	}
	b, err := wallet.NewBalances(a.Currency, stored)
	if err != nil || b.Cash.Sign() > 0 {
		return false, err
	}
	w, err := tx.InvoiceWaiver(ctx, a.ID)
	if err == nil && !w.On {
		err = ErrNoCash
	}
	return true, err
}

// Waiver is the operator's word that an account needs no cash balance to
// request an invoice.
type Waiver struct {
	AccountID string
	On        bool
	Reason    string
	By        string
	At        time.Time
}

// Waive gives or takes back a waiver. What is so already changes nothing.
func Waive(ctx context.Context, tx Tx, w Waiver, address string) error {
	w.Reason = strings.TrimSpace(w.Reason)
	if n := utf8.RuneCountInString(w.Reason); w.On && (n == 0 || n > maxReason || !utf8.ValidString(w.Reason)) {
		return ErrWaiverReason.On("reason")
	}
	if _, err := tx.BillingByID(ctx, w.AccountID); err != nil {
		return err
	}
	before, err := tx.InvoiceWaiver(ctx, w.AccountID)
	if err != nil || before.On == w.On {
		return err
	}
	if err := tx.SaveInvoiceWaiver(ctx, w); err != nil {
		return err
	}
	return tx.Audit(ctx, audit.Entry{At: w.At, Actor: w.By, Address: address, Action: "invoice_waiver.changed", Subject: w.AccountID,
		Detail: map[string]string{"waived": fmt.Sprint(before.On, " -> ", w.On), "reason": w.Reason}})
}

// Issue gives a request its tax invoice.
func Issue(ctx context.Context, tx Tx, is Issuing, at time.Time) (Request, error) {
	return move(ctx, tx, is.RequestID, Issued, audit.Entry{At: at, Actor: is.Operator, Address: is.Address}, func(r Request) (Request, error) {
		var file attachment.File
		if !is.File.None() {
			var err error
			if file, err = is.File.Take(at); err != nil {
				return r, fault.From(err).On("file")
			}
		}
		r, err := r.issue(is, file, at, period.DayOf(at, statement.Zone(r.Total.Currency())))
		if err != nil || file.ID == "" {
			return r, err
		}
		return r, tx.InsertAttachment(ctx, file)
	})
}

// Send says that an issued invoice went out.
func Send(ctx context.Context, tx Tx, requestID, delivery, operator, address string, at time.Time) (Request, error) {
	return move(ctx, tx, requestID, Sent, audit.Entry{At: at, Actor: operator, Address: address}, func(r Request) (Request, error) {
		return r.send(delivery, operator, at)
	})
}

// Reject ends a request with a reason and frees its items.
func Reject(ctx context.Context, tx Tx, requestID, reason, operator, address string, at time.Time) (Request, error) {
	return move(ctx, tx, requestID, Rejected, audit.Entry{At: at, Actor: operator, Address: address}, func(r Request) (Request, error) {
		return r.closed(Rejected, operator, reason, at)
	})
}

// Withdraw ends a request by its payer and frees its items. Another account's
// request is as unknown as none.
func Withdraw(ctx context.Context, tx Tx, accountID, requestID, address string, at time.Time) (Request, error) {
	return move(ctx, tx, requestID, Withdrawn, audit.Entry{At: at, Actor: accountID, Address: address}, func(r Request) (Request, error) {
		if r.AccountID != accountID {
			return r, ErrUnknown
		}
		return r.closed(Withdrawn, accountID, "", at)
	})
}

// move brings a request to a state, once: what is there already stays.
func move(ctx context.Context, tx Tx, requestID string, to State, by audit.Entry, next func(Request) (Request, error)) (Request, error) {
	before, err := tx.InvoiceForUpdate(ctx, requestID)
	if err != nil {
		return before, err
	}
	if before.State == to && (to != Withdrawn || before.AccountID == by.Actor) {
		return before, nil
	}
	r, err := next(before)
	if err != nil {
		return before, err
	}
	if err := tx.MoveInvoice(ctx, r, before.State); err != nil {
		return before, err
	}
	a, err := tx.BillingByID(ctx, r.AccountID)
	if err != nil {
		return r, err
	}
	by.Detail = map[string]string{"number": r.Number, "state": string(before.State) + " -> " + string(r.State)}
	for name, text := range map[string]string{"tax_number": r.TaxNumber, "delivery": r.Delivery, "reason": r.Reason, "file": r.FileID, "red_number": r.Red.Number, "red_tax_number": r.Red.TaxNumber} {
		if text != "" {
			by.Detail[name] = text
		}
	}
	return r, r.told(ctx, tx, a, by)
}

// told writes to the audit log and to the payer where the request is now.
func (r Request) told(ctx context.Context, tx Tx, a account.Billing, e audit.Entry) error {
	e.Action, e.Subject = "invoice."+string(r.State), r.ID
	if err := tx.Audit(ctx, e); err != nil {
		return err
	}
	return tx.Announce(ctx, Moved{Request: r, Email: a.Email, Language: a.Language, At: e.At})
}

package api

import (
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// PaidWorkspace is a workspace that a Billing Center account pays for.
type PaidWorkspace struct {
	ID         string     `json:"id"`
	Site       string     `json:"site"`
	Name       string     `json:"name"`
	State      string     `json:"state" enum:"normal,grace,locked,cleared,dissolved"`
	Settlement string     `json:"settlement" example:"billing_center"`
	UpgradedAt *time.Time `json:"upgraded_at,omitempty"`
}

func listPaidWorkspaces(c *call, in *struct{ Paged }) (*Page[PaidWorkspace], error) {
	all, err := c.tx.WorkspacesPaidBy(c, c.AccountID)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paged, "paid_workspaces", all, func(w workspace.Workspace) string { return w.ID }, func(w workspace.Workspace) PaidWorkspace {
		return PaidWorkspace{w.ID, string(w.Site), w.Name, string(w.State), string(w.Settlement), instant(w.UpgradedAt, w.Site)}
	})
}

// Entry is one movement of a payer's money: income or expense.
type Entry struct {
	Number  int64         `json:"number" doc:"Its place in the account's ledger, from 1."`
	Kind    string        `json:"kind" example:"charge"`
	Cause   string        `json:"cause" doc:"What is behind it: a transfer, a voucher, a card or a bill; close:SITE:DAY for the bills of a day, which name the entry." example:"close:cn1:2026-03-01"`
	At      time.Time     `json:"at"`
	Changes []EntryChange `json:"changes" nullable:"false"`
}

// EntryChange is what a movement did to one balance of the account.
type EntryChange struct {
	Balance string `json:"balance" doc:"cash, voucher, full_reduction, card or arrears." example:"cash"`
	Source  string `json:"source,omitempty" doc:"Which voucher or card."`
	Change  Amount `json:"change" doc:"Below zero: less than before."`
}

// entryOf shows the account's side of a movement.
func entryOf(e wallet.Entry) Entry {
	shown := Entry{Number: e.Number, Kind: string(e.Kind), Cause: e.Cause, At: e.At.UTC(), Changes: []EntryChange{}}
	for _, p := range e.Postings {
		if p.Account.Payer() != e.Payer {
			continue
		}
		kind, rest, _ := strings.Cut(string(p.Account), ":")
		_, source, _ := strings.Cut(rest, ":")
		shown.Changes = append(shown.Changes, EntryChange{kind, source, amountOf(p.Amount)})
	}
	return shown
}

// within asks for movements of a time.
type within struct {
	Paged
	From time.Time `query:"from" doc:"The first instant."`
	To   time.Time `query:"to" doc:"The instant behind the last."`
	Kind string    `query:"kind" maxLength:"32" doc:"Only entries of this kind." example:"charge"`
}

func listEntries(c *call, in *within) (*Page[Entry], error) {
	place, err := in.after("entries")
	if err != nil {
		return nil, err
	}
	before := int64(0)
	if place != "" {
		if before, err = strconv.ParseInt(place, 10, 64); err != nil || before < 1 {
			return nil, ErrCursor.On("cursor")
		}
	}
	entries, err := c.tx.LedgerEntriesIn(c, c.AccountID, store.Range{From: in.From, To: in.To, Kind: wallet.Kind(in.Kind)}, before, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "entries", entries, func(e wallet.Entry) string { return strconv.FormatInt(e.Number, 10) }, entryOf), nil
}

// Transfer is money sent by a bank.
type Transfer struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id" doc:"The payer."`
	Amount     Amount     `json:"amount"`
	Reference  string     `json:"reference" doc:"What the bank must be told."`
	State      string     `json:"state" enum:"declared,credited,rejected"`
	DeclaredAt time.Time  `json:"declared_at"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	Reason     string     `json:"reason,omitempty" doc:"Of a rejection."`
}

func transferOf(t wallet.Transfer) Transfer {
	shown := Transfer{
		ID: t.ID, AccountID: t.AccountID, Amount: amountOf(t.Amount), Reference: t.Reference, State: string(t.State),
		DeclaredAt: t.DeclaredAt.UTC(), Reason: t.Reason,
	}
	if !t.DecidedAt.IsZero() {
		at := t.DecidedAt.UTC()
		shown.DecidedAt = &at
	}
	return shown
}

// declaration is a payer's word that money is on its way.
type declaration struct {
	Keyed
	Body struct {
		Amount    string `json:"amount" maxLength:"32" doc:"A decimal, in the account's currency." example:"1000.00"`
		Reference string `json:"reference,omitempty" maxLength:"512" doc:"As the bank will show it; one is made where none is given."`
	}
}

func declareTransfer(c *call, in *declaration) (*Transfer, error) {
	amount, err := money.Parse(in.Body.Amount, c.Billing.Currency)
	if err != nil {
		return nil, fault.From(err).On("amount")
	}
	reference := in.Body.Reference
	if reference == "" {
		reference = "TG-" + strings.ToUpper(id.Short())
	}
	t, err := wallet.Declare(c.Billing, amount, reference, c.at)
	if err != nil {
		return nil, err
	}
	if err := c.tx.InsertTransfer(c, t); err != nil {
		return nil, err
	}
	shown := transferOf(t)
	return &shown, c.note("transfer.declared", t)
}

// note writes to the audit log what became of a transfer.
func (c *call) note(action string, t wallet.Transfer) error {
	return c.tx.Audit(c, audit.Entry{
		At: c.at, Actor: c.AccountID, Address: c.Address, Action: action, Subject: t.ID,
		Detail: map[string]string{"amount": t.Amount.String(), "currency": string(t.Amount.Currency()), "reference": t.Reference},
	})
}

// transferring lists transfers.
type transferring struct {
	Paged
	State string `query:"state" enum:"declared,credited,rejected"`
}

func (c *call) transfers(in *transferring, accountID string) (*Page[Transfer], error) {
	place, err := in.after("transfers")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.TransfersAfter(c, accountID, wallet.TransferState(in.State), place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "transfers", all, func(t wallet.Transfer) string { return t.ID }, transferOf), nil
}

func listOwnTransfers(c *call, in *transferring) (*Page[Transfer], error) {
	return c.transfers(in, c.AccountID)
}

func listTransfers(c *call, in *transferring) (*Page[Transfer], error) { return c.transfers(in, "") }

// deciding names a transfer.
type deciding struct {
	Keyed
	TransferID string `path:"transfer_id" maxLength:"64"`
}

// creditTransfer is the operator's word that the money arrived. Crediting a
// credited one changes nothing and is no error.
func creditTransfer(c *call, in *deciding) (*Transfer, error) {
	before, err := c.tx.TransferForUpdate(c, in.TransferID)
	if err != nil {
		return nil, err
	}
	t, err := wallet.CreditTransfer(c, c.tx, in.TransferID, c.AccountID, c.at)
	if err != nil {
		return nil, err
	}
	shown := transferOf(t)
	if before.State == t.State {
		return &shown, nil
	}
	return &shown, c.note("transfer.credited", t)
}

package api

import (
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// transferring are the calls of bank transfers.
func (s *server) transferring() []route {
	const own, all = "/billing-center/transfers", "/operator/transfers"
	const one, any = own + "/{transfer_id}", all + "/{transfer_id}"
	return []route{
		reads(line(get, own, BillingCenter, "", "list-own-transfers", "Bank transfers, the newest first"), listOwnTransfers),
		wide(once(line(post, own, BillingCenter, "", "declare-transfer", "Say that money is on its way; the slip of the bank may come with it or later"), created, declareTransfer)),
		reads(line(get, one, BillingCenter, "", "show-own-transfer", "A bank transfer with its slips"), showOwnTransfer),
		wide(writes(line(post, one+"/slips", BillingCenter, "", "add-transfer-slip", "Send a slip of the bank, five at most, before the operator looked at the transfer"), created, addSlip)),
		reads(line(get, one+"/slips/{slip_id}", BillingCenter, "", "show-own-transfer-slip", "A slip, as it was sent"), showOwnSlip),

		reads(onDuty(get, all, account.Look, "list-transfers", "Bank transfers of all payers, the newest first"), listTransfers),
		reads(onDuty(get, any, account.Look, "show-transfer", "A bank transfer with its slips"), showTransfer),
		reads(onDuty(get, any+"/slips/{slip_id}", account.CreditMoney, "show-transfer-slip", "A slip that the payer sent"), showSlip),
		once(onDuty(post, any+"/credit", account.CreditMoney, "credit-transfer", "Enter what arrived: it is credited, or above the limit waits for another operator"), ok, s.creditTransfer),
		once(onDuty(post, any+"/approve", account.CreditMoney, "approve-transfer", "Credit what another operator entered"), ok, approveTransfer),
		once(onDuty(post, any+"/return", account.CreditMoney, "return-transfer", "Send back what an operator entered, so that it can be entered anew"), ok, returnTransfer),
		once(onDuty(post, any+"/reject", account.CreditMoney, "reject-transfer", "Reject a transfer with a reason, which the payer reads"), ok, rejectTransfer),
	}
}

// Transfer is money sent by a bank.
type Transfer struct {
	ID         string     `json:"id"`
	AccountID  string     `json:"account_id" doc:"The payer."`
	Amount     Amount     `json:"amount" doc:"As declared."`
	Reference  string     `json:"reference" doc:"What the bank must be told."`
	State      string     `json:"state" enum:"declared,proposed,credited,rejected" doc:"proposed: one operator entered what arrived, another one credits it."`
	DeclaredAt time.Time  `json:"declared_at"`
	Arrived    *Amount    `json:"arrived,omitempty" doc:"What arrived, and is credited."`
	Difference string     `json:"difference,omitempty" doc:"Why that is another amount than declared."`
	Slips      []Slip     `json:"slips,omitempty" doc:"Only where one transfer is shown."`
	SlipCount  int        `json:"slip_count"`
	ProposedBy string     `json:"proposed_by,omitempty" doc:"The operator who entered it, where two are needed. Operators see it."`
	DecidedBy  string     `json:"decided_by,omitempty" doc:"The operator who credited or rejected it. Operators see it."`
	Returned   string     `json:"returned,omitempty" doc:"Why it was sent back to be entered anew. Operators see it."`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	Reason     string     `json:"reason,omitempty" doc:"Of a rejection."`
}

// Slip is a file of the bank that a payer sent along.
type Slip struct {
	ID     string    `json:"id"`
	Name   string    `json:"name" example:"slip.pdf"`
	Type   string    `json:"type" example:"application/pdf"`
	SentAt time.Time `json:"sent_at"`
}

// transferOf is a transfer as its payer sees it.
func transferOf(t wallet.Transfer) Transfer {
	shown := Transfer{
		ID: t.ID, AccountID: t.AccountID, Amount: amountOf(t.Amount), Reference: t.Reference, State: string(t.State), SlipCount: t.Slips,
		DeclaredAt: t.DeclaredAt.UTC(), DecidedAt: utc(t.DecidedAt), Reason: t.Reason,
	}
	if t.State == wallet.Credited {
		arrived := amountOf(t.Arrived)
		shown.Arrived, shown.Difference = &arrived, t.Difference
	}
	return shown
}

// operatedTransfer is a transfer as operators see it.
func operatedTransfer(t wallet.Transfer) Transfer {
	shown := transferOf(t)
	shown.ProposedBy, shown.DecidedBy, shown.Returned = t.ProposedBy, t.DecidedBy, t.Returned
	if t.State == wallet.Proposed {
		arrived := amountOf(t.Arrived)
		shown.Arrived, shown.Difference = &arrived, t.Difference
	}
	return shown
}

// withSlips adds the list of the files.
func (c *call) withSlips(shown Transfer) (*Transfer, error) {
	files, err := c.tx.Slips(c, shown.ID)
	for _, f := range files {
		shown.Slips = append(shown.Slips, Slip{f.ID, f.Name, string(f.Type), f.SentAt.UTC()})
	}
	return &shown, err
}

// declaration is a payer's word that money is on its way.
type declaration struct {
	Keyed
	Body struct {
		Amount    string `json:"amount" maxLength:"32" doc:"A decimal, in the account's currency." example:"1000.00"`
		Reference string `json:"reference,omitempty" maxLength:"512" doc:"As the bank will show it; one is made where none is given."`
		Slip      *File  `json:"slip,omitempty" doc:"Of the bank; it may come later."`
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
	t, err := wallet.DeclareTransfer(c, c.tx, c.Billing, wallet.Declaration{Amount: amount, Reference: reference, Slip: in.Body.Slip.sent()}, c.Address, c.at)
	if err != nil {
		return nil, err
	}
	return c.withSlips(transferOf(t))
}

// OfTransfer names a transfer.
type OfTransfer struct {
	TransferID string `path:"transfer_id" maxLength:"64"`
}

func showOwnTransfer(c *call, in *OfTransfer) (*Transfer, error) {
	t, err := c.tx.TransferOf(c, c.AccountID, in.TransferID)
	if err != nil {
		return nil, err
	}
	return c.withSlips(transferOf(t))
}

func showTransfer(c *call, in *OfTransfer) (*Transfer, error) {
	t, err := c.tx.TransferForUpdate(c, in.TransferID)
	if err != nil {
		return nil, err
	}
	return c.withSlips(operatedTransfer(t))
}

// slipSent is a slip that comes after its transfer was declared.
type slipSent struct {
	OfTransfer
	Body struct {
		Slip File `json:"slip"`
	}
}

func addSlip(c *call, in *slipSent) (*Transfer, error) {
	t, err := wallet.AddSlip(c, c.tx, c.AccountID, in.TransferID, in.Body.Slip.sent(), c.Address, c.at)
	if err != nil {
		return nil, err
	}
	return c.withSlips(transferOf(t))
}

// slipIn names a slip of a transfer.
type slipIn struct {
	OfTransfer
	SlipID string `path:"slip_id" maxLength:"64"`
}

func showOwnSlip(c *call, in *slipIn) (*File, error) {
	t, err := c.tx.TransferOf(c, c.AccountID, in.TransferID)
	if err != nil {
		return nil, err
	}
	return fileFrom(c.tx.Slip(c, t.ID, in.SlipID))
}

func showSlip(c *call, in *slipIn) (*File, error) {
	return fileFrom(c.tx.Slip(c, in.TransferID, in.SlipID))
}

func fileFrom(f attachment.File, err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	return fileOf(f), nil
}

// transferList lists transfers.
type transferList struct {
	Paged
	State string `query:"state" enum:"declared,proposed,credited,rejected"`
}

func (c *call) transfers(in *transferList, accountID string, show func(wallet.Transfer) Transfer) (*Page[Transfer], error) {
	place, err := in.after("transfers")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.TransfersAfter(c, accountID, wallet.TransferState(in.State), place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "transfers", all, func(t wallet.Transfer) string { return t.ID }, show), nil
}

func listOwnTransfers(c *call, in *transferList) (*Page[Transfer], error) {
	return c.transfers(in, c.AccountID, transferOf)
}

func listTransfers(c *call, in *transferList) (*Page[Transfer], error) {
	return c.transfers(in, "", operatedTransfer)
}

// deciding is a decision that has one effect however often it is sent.
type deciding struct {
	Keyed
	OfTransfer
}

// crediting is the operator's word on what arrived.
type crediting struct {
	Keyed
	OfTransfer
	Body struct {
		Amount     string `json:"amount,omitempty" maxLength:"32" doc:"What arrived; as declared where it is missing." example:"998.50"`
		Difference string `json:"difference,omitempty" maxLength:"1024" doc:"Why it is another amount than declared. The payer reads it."`
	}
}

// creditTransfer is the operator's word that the money arrived. The same word
// again changes nothing and is no error.
func (s *server) creditTransfer(c *call, in *crediting) (*Transfer, error) {
	var arrived wallet.Arrival
	if in.Body.Amount != "" {
		t, err := c.tx.TransferForUpdate(c, in.TransferID)
		if err != nil {
			return nil, err
		}
		if arrived.Amount, err = money.Parse(in.Body.Amount, t.Amount.Currency()); err != nil {
			return nil, fault.From(err).On("amount")
		}
	}
	arrived.Why = in.Body.Difference
	return decided(wallet.CreditTransfer(c, c.tx, in.TransferID, arrived, s.Limits, c.by(), c.at))
}

func decided(t wallet.Transfer, err error) (*Transfer, error) {
	shown := operatedTransfer(t)
	return &shown, err
}

func approveTransfer(c *call, in *deciding) (*Transfer, error) {
	return decided(wallet.ApproveTransfer(c, c.tx, in.TransferID, c.by(), c.at))
}

// because is a decision with its reason.
type because struct {
	Keyed
	OfTransfer
	Body struct {
		Reason string `json:"reason" maxLength:"1024"`
	}
}

func returnTransfer(c *call, in *because) (*Transfer, error) {
	return decided(wallet.ReturnTransfer(c, c.tx, in.TransferID, in.Body.Reason, c.by(), c.at))
}

func rejectTransfer(c *call, in *because) (*Transfer, error) {
	return decided(wallet.RejectTransfer(c, c.tx, in.TransferID, in.Body.Reason, c.by(), c.at))
}

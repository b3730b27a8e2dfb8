package api

import (
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/wallet"
)

// adjustments are the operator's calls of adjustments.
func (s *server) adjustments() []route {
	const all = "/operator/adjustments"
	const one = all + "/{adjustment_id}"
	return []route{
		reads(onDuty(get, all, account.Look, "list-adjustments", "Adjustments of all payers, the newest first"), listAdjustments),
		reads(onDuty(get, one, account.Look, "show-adjustment", "An adjustment, and what it would leave where it waits"), showAdjustment),
		once(onDuty(post, "/operator/accounts/{account_id}/adjustments", account.AdjustBalances, "propose-adjustment", "Propose to correct what a payer has; another operator approves it"), created, proposeAdjustment),
		once(onDuty(post, one+"/approve", account.AdjustBalances, "approve-adjustment", "Book an adjustment that another operator proposed"), ok, approveAdjustment),
		once(onDuty(post, one+"/reject", account.AdjustBalances, "reject-adjustment", "Reject a proposed adjustment; no money moves"), ok, rejectAdjustment),
	}
}

// Adjustment corrects what a payer has by a line of its own.
type Adjustment struct {
	ID         string            `json:"id"`
	AccountID  string            `json:"account_id" doc:"The payer."`
	Amount     Amount            `json:"amount" doc:"Above zero in the payer's favour."`
	Reason     string            `json:"reason" doc:"The payer reads it."`
	Bill       string            `json:"bill,omitempty" doc:"The number of the bill that it corrects." example:"cn1-2026-000041"`
	State      string            `json:"state" enum:"proposed,approved,rejected"`
	ProposedBy string            `json:"proposed_by"`
	ProposedAt time.Time         `json:"proposed_at"`
	DecidedBy  string            `json:"decided_by,omitempty"`
	DecidedAt  *time.Time        `json:"decided_at,omitempty"`
	Refusal    string            `json:"refusal,omitempty" doc:"Why it was rejected; the payer does not read it."`
	Effect     *AdjustmentEffect `json:"effect,omitempty" doc:"With the balances of now. Only where one adjustment that waits is shown."`
}

// AdjustmentEffect is what an adjustment would leave.
type AdjustmentEffect struct {
	Cash Amount `json:"cash"`
	Owed Amount `json:"owed"`
}

func adjustmentOf(a wallet.Adjustment) Adjustment {
	return Adjustment{
		ID: a.ID, AccountID: a.AccountID, Amount: amountOf(a.Amount), Reason: a.Reason, Bill: a.BillNumber, State: string(a.State),
		ProposedBy: a.ProposedBy, ProposedAt: a.ProposedAt.UTC(), DecidedBy: a.DecidedBy, DecidedAt: utc(a.DecidedAt), Refusal: a.Refusal,
	}
}

// adjusting lists adjustments.
type adjusting struct {
	Paged
	State string `query:"state" enum:"proposed,approved,rejected"`
}

func listAdjustments(c *call, in *adjusting) (*Page[Adjustment], error) {
	place, err := in.after("adjustments")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.AdjustmentsAfter(c, wallet.AdjustmentState(in.State), place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "adjustments", all, func(a wallet.Adjustment) string { return a.ID }, adjustmentOf), nil
}

// OfAdjustment names an adjustment.
type OfAdjustment struct {
	AdjustmentID string `path:"adjustment_id" maxLength:"64"`
}

func showAdjustment(c *call, in *OfAdjustment) (*Adjustment, error) {
	a, err := c.tx.AdjustmentForUpdate(c, in.AdjustmentID)
	if err != nil {
		return nil, err
	}
	shown := adjustmentOf(a)
	if a.State != wallet.AdjustmentProposed {
		return &shown, nil
	}
	b, err := wallet.BalancesOf(c, c.tx, a.AccountID, a.Amount.Currency())
	if err != nil {
		return nil, err
	}
	cash, owed, err := a.Effect(b)
	shown.Effect = &AdjustmentEffect{amountOf(cash), amountOf(owed)}
	return &shown, err
}

// proposing is an adjustment that somebody wants.
type proposing struct {
	Keyed
	AccountID string `path:"account_id" maxLength:"64"`
	Body      struct {
		Amount string `json:"amount" maxLength:"32" doc:"A decimal in the account's currency: above zero in the payer's favour, below zero against." example:"-12.50"`
		Reason string `json:"reason" maxLength:"1024" doc:"The payer reads it."`
		Bill   string `json:"bill,omitempty" maxLength:"64" doc:"The number of the bill that it corrects." example:"cn1-2026-000041"`
	}
}

func proposeAdjustment(c *call, in *proposing) (*Adjustment, error) {
	payer, err := c.tx.BillingByID(c, in.AccountID)
	if err != nil {
		return nil, err
	}
	amount, err := money.Parse(in.Body.Amount, payer.Currency)
	if err != nil {
		return nil, fault.From(err).On("amount")
	}
	a, err := wallet.Propose(c, c.tx, payer.ID, wallet.AdjustmentDraft{Amount: amount, Reason: in.Body.Reason, Bill: in.Body.Bill}, c.by(), c.at)
	return adjustmentShown(a, err)
}

// booking names an adjustment to be booked.
type booking struct {
	Keyed
	OfAdjustment
}

func approveAdjustment(c *call, in *booking) (*Adjustment, error) {
	return adjustmentShown(wallet.ApproveAdjustment(c, c.tx, in.AdjustmentID, c.by(), c.at))
}

// refusing is an adjustment that is wrong.
type refusing struct {
	Keyed
	OfAdjustment
	Body struct {
		Reason string `json:"reason" maxLength:"1024" doc:"Operators read it, the payer does not."`
	}
}

func rejectAdjustment(c *call, in *refusing) (*Adjustment, error) {
	return adjustmentShown(wallet.RejectAdjustment(c, c.tx, in.AdjustmentID, in.Body.Reason, c.by(), c.at))
}

func adjustmentShown(a wallet.Adjustment, err error) (*Adjustment, error) {
	shown := adjustmentOf(a)
	return &shown, err
}

// Correction is a booked adjustment as its payer reads it.
type Correction struct {
	ID       string    `json:"id"`
	Amount   string    `json:"amount" doc:"A decimal: above zero in the payer's favour."`
	Reason   string    `json:"reason"`
	Bill     string    `json:"bill,omitempty" doc:"The number of the bill that it corrects."`
	BookedAt time.Time `json:"booked_at"`
}

func corrections(list []statement.Adjustment) []Correction {
	var shown []Correction
	for _, a := range list {
		shown = append(shown, Correction{a.ID, a.Amount.String(), a.Reason, a.Bill, a.BookedAt.UTC()})
	}
	return shown
}

// correctionsOf are the adjustments of a bill.
func correctionsOf(list []wallet.Adjustment) []Correction {
	var shown []Correction
	for _, a := range list {
		shown = append(shown, Correction{a.ID, a.Amount.String(), a.Reason, a.BillNumber, a.DecidedAt.UTC()})
	}
	return shown
}

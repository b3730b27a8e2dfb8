package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// mostDeductions bounds the entries of one call.
const mostDeductions = 1_000

// deductions are what services of the platform take from payers. They are
// posted at the till, which opens its own transactions.
func (s *server) deductions() []route {
	const all = "/deductions"
	one := line(post, all, Deducting, "", "deduct", "Take an amount from what an account has, once for each key")
	one.Once = true
	many := line(post, all+"/batch", Deducting, "", "deduct-many", "Take up to 1,000 amounts, each by itself: one that is refused leaves the others as they are")
	return []route{
		{one, func(s *server, door huma.API, r Route) { register(s, door, r, created, s.deduct) }},
		wide(outside(many, ok, s.deductMany)),
	}
}

// Deduction is an amount that was taken from what an account has, as an entry
// of its ledger.
type Deduction struct {
	EntryID   string    `json:"entry_id"`
	Number    int64     `json:"number" doc:"The entry's place in the account's ledger, from 1."`
	AccountID string    `json:"account_id" doc:"The payer."`
	Amount    Amount    `json:"amount"`
	Cause     string    `json:"cause"`
	Paid      Paid      `json:"paid" doc:"What it was taken from."`
	At        time.Time `json:"at"`
}

func deductionOf(e wallet.Entry) Deduction {
	sums := map[wallet.Payment]money.Amount{}
	var amount money.Amount
	for _, p := range e.Postings {
		if p.Account.Payer() == "" {
			amount = p.Amount
			continue
		}
		kind := p.Account.Payment()
		before, ok := sums[kind]
		if !ok {
			before = money.Of(0, p.Amount.Currency())
		}
		sums[kind], _ = before.Sub(p.Amount) // they come to the amount
	}
	text := func(kind wallet.Payment) string {
		if sum, ok := sums[kind]; ok {
			return sum.String()
		}
		return "0.00"
	}
	return Deduction{
		EntryID: e.ID, Number: e.Number, AccountID: e.Payer, Amount: amountOf(amount), Cause: e.Cause, At: e.At.UTC(),
		Paid: Paid{
			Voucher: text(wallet.ByVoucher), FullReduction: text(wallet.ByFullReduction), Card: text(wallet.ByCard),
			Cash: text(wallet.ByCash), Cloud: "0.00", Owed: text(wallet.Owed),
		},
	}
}

// DeductionDraft is a deduction that a service asks for.
type DeductionDraft struct {
	AccountID string `json:"account_id" maxLength:"64" doc:"The Billing Center account that pays."`
	Amount    string `json:"amount" maxLength:"32" doc:"A decimal above zero." example:"12.50"`
	Currency  string `json:"currency" maxLength:"8" doc:"The account's." example:"CNY"`
	Cause     string `json:"cause" maxLength:"256" doc:"What it is for. The payer reads it under income and expense." example:"Onboarding, order 4711"`
	Covered   bool   `json:"covered,omitempty" doc:"Refuse it where something would have to be owed. Otherwise that becomes arrears, as with a bill."`
}

// debit reads what is wanted under a key.
func (c *caller) debit(w *DeductionDraft, key string) (wallet.Debit, error) {
	d := wallet.Debit{
		Service: c.Key.Holder.ID, Key: key, Payer: w.AccountID, Cause: w.Cause, Covered: w.Covered, By: c.Key.ID, Address: c.Address,
	}
	currency, err := money.ParseCurrency(w.Currency)
	if err != nil {
		return d, fault.From(err).On("currency")
	}
	if d.Amount, err = money.Parse(w.Amount, currency); err != nil {
		return d, fault.From(err).On("amount")
	}
	return d, d.Check()
}

// deduct takes one amount.
func (s *server) deduct(ctx context.Context, in *struct {
	Keyed
	Body DeductionDraft
}) (*reply[Deduction], error) {
	d, err := callerOf(ctx).debit(&in.Body, in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	taken, err := s.Till.Take(ctx, []wallet.Debit{d})
	if err != nil {
		return nil, err
	}
	if err := taken[0].Err; err != nil {
		return nil, err
	}
	out := &reply[Deduction]{Status: created, Body: deductionOf(taken[0].Entry)}
	if taken[0].Before {
		out.Replayed = "true"
	}
	return out, nil
}

// Deductions tells what came of each deduction of a call, in their order.
type Deductions struct {
	Results []DeductionResult `json:"results" nullable:"false"`
}

// DeductionResult is what came of one.
type DeductionResult struct {
	Key       string     `json:"key"`
	State     string     `json:"state" enum:"posted,replayed,refused" doc:"replayed: posted when the key came before."`
	Deduction *Deduction `json:"deduction,omitempty" doc:"Unless it was refused."`
	Problem   *Problem   `json:"problem,omitempty" doc:"Why it was refused. Nothing was moved then."`
}

// deducting are deductions that a service asks for together.
type deducting struct {
	Body struct {
		Deductions []KeyedDeductionDraft `json:"deductions" minItems:"1" maxItems:"1000" nullable:"false"`
	}
}

// KeyedDeductionDraft is one of many, with the key of its intention.
type KeyedDeductionDraft struct {
	Key string `json:"key" maxLength:"128" doc:"As an Idempotency-Key: new for each new intention. The same one as of a call for a single deduction is the same intention."`
	DeductionDraft
}

// deductMany takes each of many amounts by itself.
func (s *server) deductMany(c *call, in *deducting) (*Deductions, error) {
	all := in.Body.Deductions
	if len(all) > mostDeductions {
		return nil, fmt.Errorf("%d deductions passed the schema", len(all))
	}
	out := &Deductions{Results: make([]DeductionResult, len(all))}
	debits, places := make([]wallet.Debit, 0, len(all)), make([]int, 0, len(all))
	request := receivedOf(c).Request
	for i := range all {
		d, err := c.debit(&all[i].DeductionDraft, all[i].Key)
		if err != nil {
			out.Results[i] = s.refusedDeduction(all[i].Key, err, request)
			continue
		}
		debits, places = append(debits, d), append(places, i)
	}
	taken, err := s.Till.Take(c, debits)
	if err != nil {
		return nil, err
	}
	shown := make([]Deduction, len(taken))
	for k, t := range taken {
		result := DeductionResult{Key: debits[k].Key, State: "posted", Deduction: &shown[k]}
		switch {
		case t.Err != nil:
			result = s.refusedDeduction(debits[k].Key, t.Err, request)
		case t.Before:
			result.State = "replayed"
			fallthrough
		default:
			shown[k] = deductionOf(t.Entry)
		}
		out.Results[places[k]] = result
	}
	return out, nil
}

func (s *server) refusedDeduction(key string, err error, r *http.Request) DeductionResult {
	return DeductionResult{Key: key, State: "refused", Problem: s.problem(err, r)}
}

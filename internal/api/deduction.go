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

// deductionsPath is that of deductions.
const deductionsPath = "/deductions"

// mostDeductions bounds the entries of one call.
const mostDeductions = 1_000

// deductions are what services of the platform take from payers. They are
// posted at the till, which opens its own transactions.
func (s *server) deductions() []route {
	one := line(post, deductionsPath, Deducting, "", "deduct", "Take an amount from what an account has, once for each key")
	one.Once = true
	many := line(post, deductionsPath+"/batch", Deducting, "", "deduct-many", "Take up to 1,000 amounts, each by itself: one that is refused leaves the others as they are")
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
	d := Deduction{EntryID: e.ID, Number: e.Number, AccountID: e.Payer, Cause: e.Cause, At: e.At.UTC(), Paid: nothingPaid}
	if amount, ok := e.InCash(); ok {
		d.Amount = amountOf(amount)
		d.Paid.Cash = d.Amount.Amount
		return d
	}
	sums := map[wallet.Payment]money.Amount{}
	for _, p := range e.Postings {
		if p.Account.Payer() == "" {
			d.Amount = amountOf(p.Amount)
			continue
		}
		kind := p.Account.Payment()
		before, ok := sums[kind]
		if !ok {
			before = money.Of(0, p.Amount.Currency())
		}
		sums[kind], _ = before.Sub(p.Amount) // they come to the amount
	}
	for kind, to := range map[wallet.Payment]*string{
		wallet.ByVoucher: &d.Paid.Voucher, wallet.ByFullReduction: &d.Paid.FullReduction, wallet.ByCard: &d.Paid.Card,
		wallet.ByCash: &d.Paid.Cash, wallet.Owed: &d.Paid.Owed,
	} {
		if sum, ok := sums[kind]; ok {
			*to = sum.String()
		}
	}
	return d
}

// nothingPaid is where a deduction's payment begins.
var nothingPaid = Paid{Voucher: "0.00", FullReduction: "0.00", Card: "0.00", Cash: "0.00", Cloud: "0.00", Owed: "0.00"}

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
	taken, err := s.takeOne(ctx, callerOf(ctx), &in.Body, in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	out := &reply[Deduction]{Status: created, Body: deductionOf(taken.Entry)}
	if taken.Before {
		out.Replayed = "true"
	}
	return out, nil
}

// takeOne has one amount taken. What is refused is an error.
func (s *server) takeOne(ctx context.Context, who *caller, draft *DeductionDraft, key string) (wallet.Taken, error) {
	d, err := who.debit(draft, key)
	if err != nil {
		return wallet.Taken{}, err
	}
	taken, err := s.Till.Take(ctx, []wallet.Debit{d})
	if err != nil {
		return wallet.Taken{}, err
	}
	return taken[0], taken[0].Err
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

// deductMany takes many amounts.
func (s *server) deductMany(c *call, in *deducting) (*Deductions, error) {
	return s.takeMany(c, c.caller, in.Body.Deductions, receivedOf(c).Request)
}

// takeMany has each of many amounts taken by itself.
func (s *server) takeMany(ctx context.Context, who *caller, all []KeyedDeductionDraft, request *http.Request) (*Deductions, error) {
	if len(all) > mostDeductions {
		return nil, fmt.Errorf("%d deductions passed the schema", len(all))
	}
	out := &Deductions{Results: make([]DeductionResult, len(all))}
	debits, places := make([]wallet.Debit, 0, len(all)), make([]int, 0, len(all))
	for i := range all {
		d, err := who.debit(&all[i].DeductionDraft, all[i].Key)
		if err != nil {
			out.Results[i] = s.refusedDeduction(all[i].Key, err, request)
			continue
		}
		debits, places = append(debits, d), append(places, i)
	}
	taken, err := s.Till.Take(ctx, debits)
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

package api

import (
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// purse is what a payer has besides cash: vouchers, cards, and codes that
// become either.
func (s *server) purse() []route {
	const sources, cards = "/billing-center/sources", "/billing-center/cards"
	return []route{
		reads(line(get, sources, BillingCenter, "", "list-sources", "Vouchers and stored-value cards, the newest first"), listSources),
		reads(line(get, sources+"/{source_id}", BillingCenter, "", "show-source", "A voucher or card"), showSource),
		reads(line(get, "/billing-center/deduction-order", BillingCenter, "", "show-deduction-order", "What pays the next bills, first to last"), s.showOrder),
		once(line(post, "/billing-center/activations", BillingCenter, "", "activate-code", "Activate a code; one that does not work costs a try"), created, activateCode),
		reads(line(get, cards+"/quote", BillingCenter, "", "quote-card", "What buying a card would cost and bring"), s.quoteCard),
		once(line(post, cards, BillingCenter, "", "buy-card", "Buy a stored-value card from cash; it is not refunded"), created, s.buyCard),
	}
}

// Source is a voucher or a stored-value card.
type Source struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" enum:"voucher,full_reduction,card" doc:"voucher is an ordinary one."`
	Face      Amount     `json:"face"`
	Balance   Amount     `json:"balance" doc:"What is left."`
	State     string     `json:"state" enum:"usable,used_up,expired,ended"`
	Origin    string     `json:"origin" enum:"given,bought,earned,activated,redeemed" doc:"How it came about."`
	EarnedBy  string     `json:"earned_by,omitempty" doc:"The card whose purchase earned it."`
	CodeTail  string     `json:"code_tail,omitempty" doc:"The end of the code that was activated."`
	Reason    string     `json:"reason,omitempty" doc:"Why the operator gave it."`
	Since     time.Time  `json:"since" doc:"When it was issued or activated."`
	ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"From this instant on it pays nothing; missing where it never ends."`
}

func sourceOf(s wallet.Source, at time.Time) Source {
	shown := Source{
		ID: s.ID, Kind: string(s.Payment), Face: amountOf(s.Face), Balance: amountOf(s.Balance), State: string(s.State(at)),
		Origin: string(s.Origin), CodeTail: s.Tail, Reason: s.Reason, Since: s.Since.UTC(),
	}
	if s.Origin == wallet.Earned {
		shown.EarnedBy = s.From
	}
	if !s.ExpiresAt.IsZero() {
		ends := s.ExpiresAt.UTC()
		shown.ExpiresAt = &ends
	}
	return shown
}

func (c *call) sources(in Paged, payerID string) (*Page[Source], error) {
	place, err := in.after("sources")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.SourcesOf(c, payerID, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in, "sources", all, func(s wallet.Source) string { return s.ID }, func(s wallet.Source) Source { return sourceOf(s, c.at) }), nil
}

func listSources(c *call, in *struct{ Paged }) (*Page[Source], error) {
	return c.sources(in.Paged, c.AccountID)
}

func showSource(c *call, in *struct {
	SourceID string `path:"source_id" maxLength:"64"`
}) (*Source, error) {
	s, err := c.tx.SourceOf(c, c.AccountID, in.SourceID)
	if err != nil {
		return nil, err
	}
	shown := sourceOf(s, c.at)
	return &shown, nil
}

// DeductionOrder is what pays bills, first to last, if they were made now.
type DeductionOrder struct {
	At     time.Time     `json:"at"`
	Orders []MethodOrder `json:"orders" nullable:"false"`
}

// MethodOrder is the order for bills that one method settles.
type MethodOrder struct {
	Settlement  string   `json:"settlement" example:"billing_center"`
	Usual       []Turn   `json:"usual" nullable:"false" doc:"For all items but the exceptions."`
	Except      []Turn   `json:"except" nullable:"false" doc:"For the items that vouchers do not pay."`
	ExceptItems []string `json:"except_items" nullable:"false" example:"sms"`
}

// Turn is one source in the order. The last one takes whatever is left.
type Turn struct {
	Payment string `json:"payment" enum:"voucher,full_reduction,card,cash,cloud,owed"`
	Source  string `json:"source,omitempty" doc:"Which voucher or card."`
	Balance string `json:"balance,omitempty" doc:"A decimal; missing for a cloud and for arrears, which take the rest."`
}

func turnsOf(turns []wallet.Turn) []Turn {
	list := make([]Turn, len(turns))
	for i, t := range turns {
		list[i] = Turn{Payment: string(t.Payment), Source: t.Source.ID}
		if t.Payment != wallet.ByCloud && t.Payment != wallet.Owed {
			list[i].Balance = t.Source.Balance.String()
		}
	}
	return list
}

func (s *server) showOrder(c *call, _ *struct{}) (*DeductionOrder, error) {
	today, err := s.todays(c)
	if err != nil {
		return nil, err
	}
	means, _, err := wallet.Means(c, c.tx, c.AccountID, c.Billing.Currency, c.at)
	if err != nil {
		return nil, err
	}
	shown := &DeductionOrder{At: c.at.UTC()}
	for _, m := range site.Methods() {
		order := MethodOrder{Settlement: string(m), ExceptItems: []string{}}
		means.Settlement = m
		for payable, to := range map[bool]*[]Turn{true: &order.Usual, false: &order.Except} {
			turns, err := means.Order(payable)
			if err != nil {
				return nil, err
			}
			*to = turnsOf(turns)
		}
		for _, item := range today.Items {
			if !item.VoucherPayable {
				order.ExceptItems = append(order.ExceptItems, item.ID)
			}
		}
		shown.Orders = append(shown.Orders, order)
	}
	return shown, nil
}

// todays is the catalogue that holds today where the payer's days are counted.
func (s *server) todays(c *call) (*catalog.Version, error) {
	return s.Catalog.At(period.DayOf(c.at, wallet.Zone(c.Billing.Currency)))
}

type activation struct {
	Keyed
	Body struct {
		Code string `json:"code" maxLength:"256" doc:"As it was handed out; spaces, hyphens and case do not matter." example:"7K3M-9Q2X-4V8B-1N6C"`
	}
}

func activateCode(c *call, in *activation) (*Source, error) {
	made, err := wallet.Activate(c, c.tx, wallet.Attempt{Payer: c.Billing, Text: in.Body.Code, Address: c.Address}, c.at)
	if wallet.Counted(err) {
		return nil, store.Keep(err)
	}
	if err != nil {
		return nil, err
	}
	shown := sourceOf(made, c.at)
	return &shown, nil
}

// CardQuote is what buying a card comes to.
type CardQuote struct {
	Face          Amount     `json:"face" doc:"What is paid from cash."`
	CashAfter     Amount     `json:"cash_after"`
	FillsDebt     Amount     `json:"fills_debt" doc:"The part of the face that goes into arrears first."`
	Card          Amount     `json:"card" doc:"What the card then holds."`
	ExpiresAt     time.Time  `json:"expires_at"`
	Earned        Amount     `json:"earned" doc:"The full-reduction voucher that the purchase earns; zero: none."`
	EarnedExpires *time.Time `json:"earned_expires,omitempty"`
}

func (s *server) quote(c *call, text string) (wallet.Quote, catalog.Cards, error) {
	today, err := s.todays(c)
	if err != nil {
		return wallet.Quote{}, catalog.Cards{}, err
	}
	face, err := money.Parse(text, c.Billing.Currency)
	if err != nil {
		return wallet.Quote{}, today.Cards, fault.From(err).On("amount")
	}
	has, err := wallet.BalancesOf(c, c.tx, c.AccountID, c.Billing.Currency)
	if err != nil {
		return wallet.Quote{}, today.Cards, err
	}
	q, err := wallet.QuoteCard(c.Billing, today.Cards, has, face, c.at)
	return q, today.Cards, err
}

func (s *server) quoteCard(c *call, in *struct {
	Amount string `query:"amount" required:"true" maxLength:"32" doc:"A decimal, in the account's currency." example:"1000"`
}) (*CardQuote, error) {
	q, _, err := s.quote(c, in.Amount)
	if err != nil {
		return nil, err
	}
	shown := &CardQuote{
		Face: amountOf(q.Face), CashAfter: amountOf(q.CashAfter), FillsDebt: amountOf(q.FillsDebt), Card: amountOf(q.Card),
		ExpiresAt: q.ExpiresAt.UTC(), Earned: amountOf(q.Earned),
	}
	if !q.EarnedExpires.IsZero() {
		ends := q.EarnedExpires.UTC()
		shown.EarnedExpires = &ends
	}
	return shown, nil
}

type purchase struct {
	Keyed
	Body struct {
		Amount string `json:"amount" maxLength:"32" doc:"The face: a decimal, in the account's currency: a multiple of 100." example:"1000"`
	}
}

func (s *server) buyCard(c *call, in *purchase) (*Source, error) {
	if _, err := c.tx.LedgerHead(c, c.AccountID); err != nil { // the quote and the purchase see one balance
		return nil, err
	}
	q, terms, err := s.quote(c, in.Body.Amount)
	if err != nil {
		return nil, err
	}
	card, err := wallet.BuyCard(c, c.tx, c.Billing, terms, q.Face, q.ExpiresAt, c.at)
	if err != nil {
		return nil, err
	}
	shown := sourceOf(card, c.at)
	return &shown, c.tx.Audit(c, audit.Entry{
		At: c.at, Actor: c.AccountID, Address: c.Address, Action: "card.bought", Subject: card.ID,
		Detail: map[string]string{"face": card.Face.String(), "currency": string(card.Face.Currency()), "earned": q.Earned.String()},
	})
}

package wallet

import (
	"cmp"
	"slices"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Payment is a kind of source that a charge is taken from.
type Payment string

// The kinds of payment.
const (
	ByVoucher       Payment = "voucher"
	ByFullReduction Payment = "full_reduction"
	ByCard          Payment = "card"
	ByCash          Payment = "cash"
	ByCloud         Payment = "cloud"
	Owed            Payment = "owed" // nobody: it becomes arrears
)

// Payments lists the kinds in the order of deduction.
func Payments() []Payment {
	return []Payment{ByVoucher, ByFullReduction, ByCard, ByCash, ByCloud, Owed}
}

// Policy is the order in which sources pay for a line. The last one pays all
// that is left.
type Policy []Payment

// The order of deduction (domain section 10.2). Vouchers pay all items but SMS
// and synthetic tests; a cloud never touches cash and never leaves arrears.
var (
	billingCenter = map[bool]Policy{
		true:  {ByVoucher, ByFullReduction, ByCard, ByCash, Owed},
		false: {ByCard, ByCash, Owed},
	}
	cloud = map[bool]Policy{
		true:  {ByVoucher, ByFullReduction, ByCard, ByCloud},
		false: {ByCard, ByCloud},
	}
	policies = map[site.Method]map[bool]Policy{
		site.BillingCenter: billingCenter,
		site.Alibaba:       cloud, site.AlibabaIntl: cloud, site.AWS: cloud, site.Huawei: cloud, site.Azure: cloud,
	}
)

// PolicyFor is the order for a settlement method and an item.
func PolicyFor(m site.Method, voucherPayable bool) (Policy, error) {
	p, ok := policies[m]
	if !ok {
		return nil, ErrMethodOfItem.With("method", string(m))
	}
	return p[voucherPayable], nil
}

// Source is one thing that can pay: a voucher, a card, the cash.
type Source struct {
	ID        string // of a voucher or card; empty for the cash
	Payer     string
	Payment   Payment
	Face      money.Amount // of a voucher or card, when it was issued
	Account   Account
	Balance   money.Amount
	ExpiresAt time.Time // zero: never
	Since     time.Time // when it was issued, bought or activated
	Origin    Origin    // of a voucher or card: how it came about
	From      string    // the card that earned it, or the batch of its code
	Tail      string    // the end of its code
	Reason    string    // why the operator gave it
	EndedAt   time.Time // zero: not yet
}

// Due is one line to be paid.
type Due struct {
	Amount         money.Amount
	VoucherPayable bool
	Before         []Part // what was paid of it before: by a cloud, in advance
}

// Part is what one source pays of a line.
type Part struct {
	Payment Payment
	Account Account
	Amount  money.Amount // positive
}

// Deduction says what is to be paid, by whom, and when.
type Deduction struct {
	Settlement site.Method
	Payer      string
	Currency   money.Currency
	Sources    []Source
	At         time.Time
}

// Deduct takes each line, in order, from the sources by policy: within a kind
// of payment the earliest expiry first, then the oldest. What was paid before
// stays its part. The parts of a line always sum to it; a line of zero has
// none. The sources are not changed.
func Deduct(d Deduction, lines []Due) ([][]Part, error) {
	return d.from(new(Room), usable(d.Sources, d.At), lines)
}

// Room is memory for what many bills are paid by. What was made in it holds
// until it is emptied.
type Room struct {
	parts []Part
	lines [][]Part // pieces of them
}

// Empty makes room again.
func (r *Room) Empty() { r.parts, r.lines = r.parts[:0], r.lines[:0] }

// from is Deduct from sources in the order of their use, and changes them.
func (d Deduction) from(room *Room, sources []Source, lines []Due) ([][]Part, error) {
	all := slices.Grow(room.parts, len(lines)+len(sources))
	room.lines = slices.Grow(room.lines, len(lines))
	start := len(room.lines)
	parts := room.lines[start : start+len(lines) : start+len(lines)]
	clear(parts)
	byVoucher, err := PolicyFor(d.Settlement, true)
	if err != nil {
		return nil, err
	}
	otherwise, err := PolicyFor(d.Settlement, false)
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		first, policy := len(all), otherwise
		if line.VoucherPayable {
			policy = byVoucher
		}
		if line.Amount.Sign() < 0 {
			return nil, ErrNothingDue
		}
		left := line.Amount
		for _, before := range line.Before {
			if left, err = left.Sub(before.Amount); err != nil {
				return nil, err
			}
			all = append(all, before)
		}
		if left.Sign() < 0 {
			return nil, ErrNothingDue
		}
		for _, payment := range policy[:len(policy)-1] {
			if all, left, err = take(all, left, payment, sources); err != nil {
				return nil, err
			}
		}
		if !left.IsZero() {
			last := policy[len(policy)-1]
			all = append(all, Part{last, d.lastAccount(last), left})
		}
		if first < len(all) {
			parts[i] = all[first:len(all):len(all)]
		}
	}
	room.parts, room.lines = all, room.lines[:start+len(lines)]
	return parts, nil
}

// lastAccount is where the rest of a line goes: to the cloud, or into arrears.
func (d Deduction) lastAccount(p Payment) Account {
	if p == ByCloud {
		return Cloud(d.Settlement, d.Currency)
	}
	return Arrears(d.Payer)
}

// take lets the sources of one kind pay what they can.
func take(parts []Part, left money.Amount, payment Payment, sources []Source) ([]Part, money.Amount, error) {
	for i := range sources {
		s := &sources[i]
		if s.Payment != payment || left.IsZero() || s.Balance.Sign() <= 0 {
			continue
		}
		paid := left
		over, err := s.Balance.Cmp(left)
		if err != nil {
			return nil, left, err
		}
		if over < 0 {
			paid = s.Balance
		}
		if left, err = left.Sub(paid); err != nil {
			return nil, left, err
		}
		if s.Balance, err = s.Balance.Sub(paid); err != nil {
			return nil, left, err
		}
		parts = append(parts, Part{payment, s.Account, paid})
	}
	return parts, left, nil
}

// usable gives the sources that have not expired, in the order of their use.
func (d Deduction) usable() []Source { return usable(d.Sources, d.At) }

func usable(all []Source, at time.Time) []Source {
	sources := slices.DeleteFunc(slices.Clone(all), func(s Source) bool {
		return !s.ExpiresAt.IsZero() && !at.Before(s.ExpiresAt)
	})
	slices.SortStableFunc(sources, func(a, b Source) int {
		return cmp.Or(compareExpiry(a.ExpiresAt, b.ExpiresAt), a.Since.Compare(b.Since), cmp.Compare(a.Account, b.Account))
	})
	return sources
}

// compareExpiry puts what never expires last.
func compareExpiry(a, b time.Time) int {
	switch {
	case a.IsZero() == b.IsZero():
		return a.Compare(b)
	case a.IsZero():
		return 1
	}
	return -1
}

// Postings turns the parts of all lines into the postings of one charge: each
// source pays into revenue. Without anything to pay there are none.
func Postings(parts [][]Part, c money.Currency) ([]Posting, error) {
	var order []Account
	sums := map[Account]money.Amount{}
	total := money.Of(0, c)
	for _, line := range parts {
		for _, p := range line {
			if _, known := sums[p.Account]; !known {
				order = append(order, p.Account)
			}
			var err error
			if sums[p.Account], err = sums[p.Account].Sub(p.Amount); err != nil {
				return nil, err
			}
			if total, err = total.Add(p.Amount); err != nil {
				return nil, err
			}
		}
	}
	if total.IsZero() {
		return nil, nil
	}
	slices.Sort(order)
	postings := make([]Posting, 0, len(order)+1)
	for _, account := range order {
		postings = append(postings, Posting{account, sums[account]})
	}
	return append(postings, Posting{Revenue(c), total}), nil
}

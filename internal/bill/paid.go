package bill

import (
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

// NoPaid is the split of zero.
func NoPaid(c money.Currency) Paid { return nothing(c) }

// Add adds to the part of a kind of payment.
func (p *Paid) Add(kind wallet.Payment, a money.Amount) error { return p.add(kind, a) }

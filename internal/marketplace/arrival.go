package marketplace

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"tollgate.dev/internal/fault"
)

// ErrArrival is a link from a marketplace that leads nowhere any more.
var ErrArrival = fault.New(fault.Gone, "arrival_over", "This link from the marketplace has been used or is too old. Open the product on the marketplace again.")

// Arrival is a buyer whom a marketplace sent here: the marketplace has vouched
// for the purchase, and nobody has said yet whose it is. The ticket that the
// browser carries is kept as a hash only.
type Arrival struct {
	Ticket         string // its hash
	SubscriptionID string
	SignsIn        bool // the marketplace vouches for the person, too: the payer is signed in
	ExpiresAt      time.Time
}

// Lives of an arrival: how long its link may be followed, and how long the
// browser that followed it may take to sign in, or to register, and to bind.
const (
	TicketLife  = 5 * time.Minute
	ArrivalLife = 2 * time.Hour
)

// Arrive makes an arrival and its ticket.
func Arrive(subscriptionID string, signsIn bool, at time.Time) (a Arrival, ticket string) {
	ticket = rand.Text()
	return Arrival{Ticket: TicketHash(ticket), SubscriptionID: subscriptionID, SignsIn: signsIn, ExpiresAt: at.Add(TicketLife)}, ticket
}

// TicketHash is what is kept of a ticket.
func TicketHash(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return hex.EncodeToString(sum[:])
}

// Bought is the purchase as the cloud has told it, for a payer who arrived with it.
func (s Subscription) Bought() Purchase {
	return Purchase{
		Account: s.Account, Instance: s.Instance, Reference: s.Reference, Product: s.Product, Order: s.Order, Plan: s.Plan,
		Active: s.State == Active, BoughtAt: s.BoughtAt, ExpiresAt: s.ExpiresAt,
	}
}

package marketplace

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

// SealTx is what sealing needs of a transaction.
type SealTx interface {
	SubscriptionKept(ctx context.Context, id string) (Subscription, error)
	// OpenCharges lists the charges of a subscription that are in no record
	// yet, the oldest first.
	OpenCharges(ctx context.Context, subscriptionID string, limit int) ([]Charge, error)
	// CarriedOf is what the records of a subscription have left so far.
	CarriedOf(ctx context.Context, subscriptionID string, c money.Currency) (money.Amount, error)
	// SlotsTaken lists the slots, from one on, that have a record.
	SlotsTaken(ctx context.Context, cloud site.Method, instance, dimension string, from time.Time) ([]time.Time, error)
	// InsertRecord keeps a record and notes that the charges are in it.
	InsertRecord(ctx context.Context, r Record, charges []Charge) error
	// CarryCharges notes that charges are in no record, and what they come to
	// is carried.
	CarryCharges(ctx context.Context, subscriptionID string, charges []Charge) error
	// SetCarried keeps what is carried from now on.
	SetCarried(ctx context.Context, subscriptionID string, left money.Amount) error
	// Strand takes charges from a subscription that can no longer send them.
	Strand(ctx context.Context, charges []Charge) error
	// SealAgain says when the charges that are still open are looked at next.
	SealAgain(ctx context.Context, subscriptionID string, at time.Time) error
}

// SealAtMost bounds the charges that one sealing takes; the others go into the
// next window.
const SealAtMost = 20_000

// SealUsage is the job that seals the charges of a subscription. The first
// charge and when it is due tell one need from the next, also while a movable
// clock stands still.
type SealUsage struct {
	SubscriptionID string    `json:"subscription_id"`
	ChargeID       string    `json:"charge_id"`
	Due            time.Time `json:"due"`
}

// Kind names the job for the queue.
func (SealUsage) Kind() string { return "marketplace.seal" }

// UniqueByArgs keeps one of an instant.
func (SealUsage) UniqueByArgs() bool { return true }

// Seal makes records of the charges of a subscription whose windows are closed,
// once: what is sealed never changes. A subscription that is over seals all of
// them at once.
func Seal(ctx context.Context, tx SealTx, cloud Cloud, subscriptionID string, at time.Time) ([]Record, error) {
	s, err := tx.SubscriptionKept(ctx, subscriptionID)
	if err != nil {
		return nil, err
	}
	s.Plan = cmp.Or(s.Plan, Hourly)
	charges, err := tx.OpenCharges(ctx, s.ID, SealAtMost)
	if err != nil {
		return nil, fmt.Errorf("charges of %s: %w", s.ID, err)
	}
	byCurrency := map[money.Currency][]Charge{}
	for _, c := range charges {
		byCurrency[c.Amount.Currency()] = append(byCurrency[c.Amount.Currency()], c)
	}
	var made []Record
	for _, currency := range money.Currencies() {
		if len(byCurrency[currency]) == 0 {
			continue
		}
		records, err := sealOf(ctx, tx, cloud, s, byCurrency[currency], at)
		if err != nil {
			return nil, err
		}
		made = append(made, records...)
	}
	return made, tx.SealAgain(ctx, s.ID, NextHour(at))
}

func sealOf(ctx context.Context, tx SealTx, cloud Cloud, s Subscription, charges []Charge, at time.Time) ([]Record, error) {
	unit, err := cloud.Unit(s.Product, charges[0].Amount.Currency())
	if err != nil {
		return nil, fmt.Errorf("unit of %s: %w", s.ID, err)
	}
	carried, err := tx.CarriedOf(ctx, s.ID, charges[0].Amount.Currency())
	if err != nil {
		return nil, err
	}
	z := sealer{cloud: cloud, sub: s, unit: unit, carried: carried, at: at, taken: map[int64]bool{}}
	slots, err := tx.SlotsTaken(ctx, s.Cloud, s.Instance, unit.Dimension, at.Add(-lookBack))
	if err != nil {
		return nil, err
	}
	for _, slot := range slots {
		z.taken[slot.UnixMicro()] = true
	}
	if err := z.seal(charges); err != nil {
		return nil, err
	}
	for i, r := range z.records {
		if err := tx.InsertRecord(ctx, r, z.sealed[i]); err != nil {
			return nil, fmt.Errorf("keep a record of %s: %w", s.ID, err)
		}
	}
	if err := z.close(ctx, tx); err != nil {
		return nil, err
	}
	return z.records, tx.SetCarried(ctx, s.ID, z.carried)
}

// close leaves no charge of a subscription that is over open.
func (z *sealer) close(ctx context.Context, tx SealTx) error {
	switch {
	case !z.sub.Over() || len(z.left) == 0:
		return nil
	case !z.tooSmall:
		return tx.Strand(ctx, z.left)
	}
	var err error
	for _, c := range z.left {
		if z.carried, err = z.carried.Add(c.Amount); err != nil {
			return err
		}
	}
	return tx.CarryCharges(ctx, z.sub.ID, z.left)
}

// lookBack is how far back a slot for a record is looked for.
const lookBack = 40 * 24 * time.Hour

// sealer makes records of charges of one currency.
type sealer struct {
	cloud   Cloud
	sub     Subscription
	unit    Unit
	carried money.Amount
	at      time.Time
	taken   map[int64]bool // slots that have a record, by microseconds

	records  []Record
	sealed   [][]Charge // by record
	left     []Charge
	tooSmall bool // what is left comes to less than the cloud can be told
}

// seal puts each charge into the record of its own window. Where that has one
// already, is not the subscription's own yet, or comes too late, the charge
// goes into the next one that is closed, so that nothing that was sealed is
// sent with another value. What is over is sealed into one record at once.
func (z *sealer) seal(charges []Charge) error {
	if z.sub.Over() {
		z.left = charges
		return z.into(z.last(), true)
	}
	groups, order := map[int64][]Charge{}, []Window{}
	for _, c := range charges {
		w := z.cloud.Window(z.sub.Plan, c.At)
		if groups[w.From.UnixMicro()] == nil {
			order = append(order, w)
		}
		groups[w.From.UnixMicro()] = append(groups[w.From.UnixMicro()], c)
	}
	slices.SortFunc(order, func(a, b Window) int { return a.From.Compare(b.From) })
	for _, w := range order {
		if w.To.After(z.at) {
			continue // it is open
		}
		z.left = append(z.left, groups[w.From.UnixMicro()]...)
		if err := z.into(slot{w.From, w}, false); err != nil {
			return err
		}
	}
	if len(z.left) == 0 {
		return nil
	}
	now := z.cloud.Window(z.sub.Plan, z.at)
	before := z.cloud.Window(z.sub.Plan, now.From.Add(-time.Microsecond))
	return z.into(slot{before.From, before}, false)
}

// slot is a window of the plan, and what of it a record is for.
type slot struct {
	begins time.Time
	window Window
}

// last is the slot of a subscription's last record: the latest free one of its
// life, cut where it ended. The zero one when there is none.
func (z *sealer) last() slot {
	end := z.sub.EndedAt
	for w := z.cloud.Window(z.sub.Plan, end.Add(-time.Microsecond)); w.To.After(z.sub.ActiveAt) && w.From.After(z.at.Add(-lookBack)); w = z.cloud.Window(z.sub.Plan, w.From.Add(-time.Microsecond)) {
		if z.taken[w.From.UnixMicro()] {
			continue
		}
		cut := w
		if cut.To.After(end) {
			cut.To = end
		}
		if cut.From.Before(z.sub.ActiveAt) {
			cut.From = z.sub.ActiveAt
		}
		return slot{w.From, cut}
	}
	return slot{}
}

// into seals what is left into a slot, if it can be: whether it could is to be
// seen from what is left then.
func (z *sealer) into(s slot, final bool) error {
	deadline := z.cloud.Deadline(z.sub.Plan, Window{s.begins, s.window.To})
	if final && z.sub.EndsAt.Before(deadline) {
		deadline = z.sub.EndsAt
	}
	switch {
	case s.begins.IsZero(), z.taken[s.begins.UnixMicro()], !deadline.After(z.at), !final && s.begins.Before(z.sub.ActiveAt):
		return nil
	}
	total := z.carried
	for _, c := range z.left {
		var err error
		if total, err = total.Add(c.Amount); err != nil {
			return err
		}
	}
	q, left, err := FitMost(total, z.unit)
	if err != nil {
		return err
	}
	if z.tooSmall = q.IsZero(); z.tooSmall {
		return nil
	}
	amount, err := total.Sub(left)
	if err != nil {
		return err
	}
	shares, err := shares(z.left, q, z.unit.Decimals, amount)
	if err != nil {
		return err
	}
	zero := money.Of(0, amount.Currency())
	z.records = append(z.records, Record{
		ID: id.New(id.Record), SubscriptionID: z.sub.ID, Cloud: z.sub.Cloud, Account: z.sub.Account, Instance: z.sub.Instance, Reference: z.sub.Reference,
		Product: z.sub.Product, Plan: z.sub.Plan, Dimension: z.unit.Dimension, Slot: s.begins, Window: s.window, Quantity: q, Amount: amount, Carried: left,
		Shares: shares, State: Waiting, SealedAt: z.at, NextAt: z.at, Deadline: deadline, AlertAt: z.at.Add(deadline.Sub(z.at) / 2),
		Taken: zero, Returned: zero,
	})
	z.sealed = append(z.sealed, z.left)
	z.left, z.carried, z.taken[s.begins.UnixMicro()] = nil, left, true
	return nil
}

// FitMost is Fit into one record of the unit.
func FitMost(total money.Amount, u Unit) (q quantity.Decimal, left money.Amount, err error) {
	if q, left, err = Fit(total, u.Price, u.Decimals); err != nil || u.Most == 0 || q.Cmp(quantity.Of(u.Most)) <= 0 {
		return q, left, err
	}
	q = quantity.Of(u.Most)
	worth, err := q.Mul(quantity.Of(u.Price.Minor()))
	if err != nil {
		return q, left, err
	}
	minor, whole := worth.Int()
	if !whole {
		return q, left, money.ErrOverflow
	}
	left, err = total.Sub(money.Of(minor, total.Currency()))
	return q, left, err
}

// shares splits a quantity, and the amount that it stands for, among the
// workspaces of charges, as their amounts are.
func shares(charges []Charge, q quantity.Decimal, decimals int, amount money.Amount) ([]Share, error) {
	sums, total := map[string]int64{}, int64(0)
	for _, c := range charges {
		sums[c.WorkspaceID] += c.Amount.Minor()
		total += c.Amount.Minor()
	}
	parts, ok := q.Scaled(decimals)
	if !ok || total <= 0 || parts < 0 || amount.Sign() < 0 {
		return nil, money.ErrOverflow
	}
	ids := slices.Sorted(maps.Keys(sums))
	weights := make([]int64, len(ids))
	for i, id := range ids {
		weights[i] = sums[id]
	}
	given, told := apportion(parts, weights, total), apportion(amount.Minor(), weights, total)
	list, currency := make([]Share, len(ids)), charges[0].Amount.Currency()
	for i, id := range ids {
		list[i] = Share{id, quantity.Scaled(given[i], decimals), money.Of(sums[id], currency), money.Of(told[i], currency)}
	}
	return list, nil
}

// apportion splits parts by weights that sum to the total, to the last part:
// the largest remainders get what is over.
func apportion(parts int64, weights []int64, total int64) []int64 {
	given, rest, order, over := make([]int64, len(weights)), make([]uint64, len(weights)), make([]int, len(weights)), parts
	for i, weight := range weights {
		hi, lo := bits.Mul64(uint64(weight), uint64(parts)) //nolint:gosec // both are not negative
		whole, left := bits.Div64(hi, lo, uint64(total))    //nolint:gosec // positive
		given[i], rest[i], order[i] = int64(whole), left, i //nolint:gosec // at most parts
		over -= given[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:over] {
		given[i]++
	}
	return given
}

package prepaid

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
)

// ChargeKind is what was charged for a package.
type ChargeKind string

// The kinds of charge.
const (
	Bought   ChargeKind = "package"
	Upgraded ChargeKind = "upgrade"
	Daily    ChargeKind = "traffic_package" // all traffic packages of a day
)

// Charge is what was charged for a package at once. It never changes.
type Charge struct {
	ID      string
	Kind    ChargeKind
	Payer   string
	Package string
	Site    site.ID
	Day     period.Day // of the site
	Lines   []ChargeLine
	Total   money.Amount
	Hash    string // of the document
	At      time.Time
}

// ChargeLine is one part of a charge, with what it was calculated from.
type ChargeLine struct {
	Item      string           // the size of the package, or the item of the traffic package
	Traffic   string           // the traffic package
	Capacity  int64            // of the traffic package
	Units     quantity.Decimal // of traffic: capacity by the unit
	UnitPrice quantity.Decimal
	Discount  quantity.Decimal
	Exact     quantity.Decimal
	From      string       // of an upgrade: the size before
	Before    money.Amount // the price of the size before
	After     money.Amount // and of the new one
	DaysLeft  int          // with the new size, of
	Days      int
	Amount    money.Amount
	Paid      []wallet.Part
}

// ChargeIDOf is the ID of a charge: whoever makes it, a package's day has one,
// and so has its purchase and its upgrade to a size.
func ChargeIDOf(packageID string, kind ChargeKind, what string) string {
	sum := sha256.Sum256([]byte(packageID + "\n" + string(kind) + "\n" + what))
	return "pkch_" + hex.EncodeToString(sum[:16])
}

// Key is the idempotency key of the charge's entry in the ledger.
func (c Charge) Key() string { return "package:" + c.ID }

// EntryKind is the kind of that entry.
func (k ChargeKind) EntryKind() wallet.Kind {
	if k == Daily {
		return wallet.PackageDay
	}
	return wallet.PackageBought
}

// chargeDocument is the stored form of a charge. It is public and only grows.
type chargeDocument struct {
	ID       string         `json:"id"`
	Kind     ChargeKind     `json:"kind"`
	Payer    string         `json:"payer"`
	Package  string         `json:"package"`
	Site     site.ID        `json:"site"`
	Day      period.Day     `json:"day"`
	Currency money.Currency `json:"currency"`
	Lines    []documentLine `json:"lines"`
	Total    string         `json:"total"`
}

type documentLine struct {
	Item      string         `json:"item"`
	Traffic   string         `json:"traffic,omitempty"`
	Capacity  int64          `json:"capacity,omitempty"`
	Units     string         `json:"units,omitempty"`
	UnitPrice string         `json:"unit_price,omitempty"`
	Discount  string         `json:"discount,omitempty"`
	Exact     string         `json:"exact,omitempty"`
	From      string         `json:"from,omitempty"`
	Before    string         `json:"before,omitempty"`
	After     string         `json:"after,omitempty"`
	DaysLeft  int            `json:"days_left,omitempty"`
	Days      int            `json:"days,omitempty"`
	Amount    string         `json:"amount"`
	Paid      []documentPart `json:"paid"`
}

type documentPart struct {
	By      wallet.Payment `json:"by"`
	Account wallet.Account `json:"account"`
	Amount  string         `json:"amount"`
}

// Document is the charge as it is stored and hashed.
func (c Charge) Document() []byte {
	d := chargeDocument{c.ID, c.Kind, c.Payer, c.Package, c.Site, c.Day, c.Total.Currency(), nil, c.Total.String()}
	for _, l := range c.Lines {
		line := documentLine{Item: l.Item, Traffic: l.Traffic, Capacity: l.Capacity, From: l.From, DaysLeft: l.DaysLeft, Days: l.Days, Amount: l.Amount.String()}
		if l.Traffic != "" {
			line.Units, line.UnitPrice, line.Discount, line.Exact = l.Units.String(), l.UnitPrice.String(), l.Discount.String(), l.Exact.String()
		}
		if l.From != "" {
			line.Before, line.After = l.Before.String(), l.After.String()
		}
		for _, p := range l.Paid {
			line.Paid = append(line.Paid, documentPart{p.Payment, p.Account, p.Amount.String()})
		}
		d.Lines = append(d.Lines, line)
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic("prepaid: a document of texts must encode: " + err.Error())
	}
	return text
}

// sealed is the charge with its hash.
func (c Charge) sealed() Charge {
	sum := sha256.Sum256(c.Document())
	c.Hash = hex.EncodeToString(sum[:])
	return c
}

// ReadCharge is the charge of a document.
func ReadCharge(text []byte) (Charge, error) {
	var d chargeDocument
	if err := json.Unmarshal(text, &d); err != nil {
		return Charge{}, ErrChargeUnread.Because(err)
	}
	r := reading{currency: d.Currency}
	c := Charge{ID: d.ID, Kind: d.Kind, Payer: d.Payer, Package: d.Package, Site: d.Site, Day: d.Day, Total: r.amount(d.Total)}
	for _, l := range d.Lines {
		line := ChargeLine{
			Item: l.Item, Traffic: l.Traffic, Capacity: l.Capacity, From: l.From, DaysLeft: l.DaysLeft, Days: l.Days, Amount: r.amount(l.Amount),
			Units: r.decimal(l.Units), UnitPrice: r.decimal(l.UnitPrice), Discount: r.decimal(l.Discount), Exact: r.decimal(l.Exact),
			Before: r.amount(l.Before), After: r.amount(l.After),
		}
		for _, p := range l.Paid {
			line.Paid = append(line.Paid, wallet.Part{Payment: p.By, Account: p.Account, Amount: r.amount(p.Amount)})
		}
		c.Lines = append(c.Lines, line)
	}
	if r.err != nil {
		return Charge{}, ErrChargeUnread.Because(r.err)
	}
	sum := sha256.Sum256(text)
	c.Hash = hex.EncodeToString(sum[:])
	return c, c.sums()
}

// reading turns texts back and keeps the first that cannot be.
type reading struct {
	currency money.Currency
	err      error
}

func (r *reading) amount(text string) money.Amount {
	if text == "" {
		return money.Amount{}
	}
	a, err := money.Parse(text, r.currency)
	if err != nil && r.err == nil {
		r.err = err
	}
	return a
}

func (r *reading) decimal(text string) quantity.Decimal {
	if text == "" {
		return quantity.Zero
	}
	d, err := quantity.Parse(text)
	if err != nil && r.err == nil {
		r.err = err
	}
	return d
}

// sums checks that the parts of each line sum to it, and the lines to the total.
func (c Charge) sums() error {
	total := money.Of(0, c.Total.Currency())
	for _, l := range c.Lines {
		paid := money.Of(0, c.Total.Currency())
		var err error
		for _, p := range l.Paid {
			if paid, err = paid.Add(p.Amount); err != nil {
				return err
			}
		}
		if paid != l.Amount {
			return ErrChargeUnread.With("charge", c.ID).With("line", l.Item)
		}
		if total, err = total.Add(l.Amount); err != nil {
			return err
		}
	}
	if total != c.Total {
		return ErrChargeUnread.With("charge", c.ID)
	}
	return nil
}

// ChargeTx is what charging the traffic packages of a day needs of a
// transaction.
type ChargeTx interface {
	wallet.Tx
	Package(ctx context.Context, id string) (Package, error)
	// PackageCharge finds a charge, or ErrChargeUnknown.
	PackageCharge(ctx context.Context, id string) (Charge, error)
	// InsertPackageCharge keeps a charge for ever.
	InsertPackageCharge(ctx context.Context, c Charge) error
}

// VoucherPayable says whether vouchers may pay for an item.
type VoucherPayable func(item string) bool

// ChargeDay charges the traffic packages of one day, once: what the Billing
// Center's order of deduction does not find becomes arrears. A day without
// traffic packages has no charge; its ID is then empty.
func ChargeDay(ctx context.Context, tx ChargeTx, packageID string, day period.Day, payable VoucherPayable, at time.Time) (Charge, error) {
	p, err := tx.Package(ctx, packageID)
	if err != nil {
		return Charge{}, err
	}
	c := Charge{ID: ChargeIDOf(p.ID, Daily, day.String()), Kind: Daily, Payer: p.Payer, Package: p.ID, Site: p.Site, Day: day, At: at}
	if _, err := tx.LedgerHead(ctx, p.Payer); err != nil { // two runs come after each other
		return Charge{}, err
	}
	before, err := tx.PackageCharge(ctx, c.ID)
	if err == nil || !isUnknown(err) {
		return before, err
	}
	var due []wallet.Due
	for _, t := range p.TrafficOn(day) {
		if c.Total, err = c.Total.Add(t.Price); err != nil {
			return Charge{}, err
		}
		due = append(due, wallet.Due{Amount: t.Price, VoucherPayable: payable(t.Item)})
		c.Lines = append(c.Lines, ChargeLine{
			Item: t.Item, Traffic: t.ID, Capacity: t.Capacity, Units: t.Units, UnitPrice: t.UnitPrice, Discount: t.Discount, Exact: t.Exact, Amount: t.Price,
		})
	}
	if len(due) == 0 {
		return Charge{}, nil
	}
	paid, err := wallet.Pay(ctx, tx, wallet.Charging{
		Key: c.Key(), Kind: wallet.PackageDay, Cause: c.ID, Payer: p.Payer, Currency: c.Total.Currency(), Settlement: site.BillingCenter, Lines: due,
	}, at)
	if err != nil {
		return Charge{}, err
	}
	for i := range c.Lines {
		c.Lines[i].Paid = paid.Parts[i]
	}
	c = c.sealed()
	if err := tx.InsertPackageCharge(ctx, c); err != nil {
		return Charge{}, fmt.Errorf("keep the charge of %s on %s: %w", p.ID, day, err)
	}
	return c, nil
}

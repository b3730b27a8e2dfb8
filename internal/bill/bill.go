// Package bill makes the daily bill: one document per workspace and service
// day that holds what was used, what it costs and how it was paid. It owns the
// document, its number and its chain, the close of a site's day, and when a
// day falls due. It does not own prices, which are the catalogue's, nor money,
// which is the ledger's.
//
// Always true: a workspace has at most one bill a day, and it never changes;
// it holds usage of the workspace's present generation from the hour of its
// upgrade on, and nothing else; its lines sum to its total, and the parts of a
// line to its amount; its number follows the one before without a gap; the
// chain of its series holds its hash from the instant on at which it is kept.
package bill

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// Faults of bills.
var (
	ErrUnknown    = fault.New(fault.NotFound, "bill_unknown", "There is no such bill.")
	ErrNotFlushed = fault.New(fault.Unavailable, "usage_not_flushed", "A gateway has not yet handed over the usage of this day.")
	ErrNotDue     = fault.New(fault.Conflict, "day_not_due", "This day has not ended yet at the site.")
	ErrOutOfOrder = fault.New(fault.Conflict, "day_out_of_order", "The day before this one has not been closed yet.")
	ErrBound      = fault.New(fault.Internal, "bill_beyond_bound", "This bill is larger than any that can be real. A person must look at it.")
	ErrClosing    = fault.New(fault.Conflict, "day_being_closed", "A day of this site is being closed. Try again when it is done.")
	ErrMoved      = fault.New(fault.Conflict, "numbers_taken", "Another bill took this number. Try again.")
	ErrUnsummed   = fault.New(fault.Internal, "bill_does_not_sum", "The parts of this bill do not sum to it.")
)

// Bill is what one workspace used on one service day.
type Bill struct {
	Form        Form // of the document
	ID          string
	Number      string // cn1-2026-000123: site, year, and a count without gaps
	WorkspaceID string
	Site        site.ID
	Day         period.Day
	Generation  workspace.Generation
	Payer       string // the Billing Center account
	Settlement  site.Method
	Market      catalog.Market
	Catalog     string // the version of the catalogue
	Lines       []Line
	Total       money.Amount
	Paid        Paid   // of all lines
	Hash        string // of the document
	Entry       int64  // the number of the payer's ledger entry that paid it; zero when there was nothing to pay
	IssuedAt    time.Time
}

// Line is one charge and how it was paid.
type Line struct {
	rate.Line
	Paid    Paid
	Sources []SourcePart // the vouchers and cards behind it, in the order in which they paid
}

// SourcePart is what one voucher or card paid of a line.
type SourcePart struct {
	Payment wallet.Payment
	ID      string
	Amount  money.Amount
}

// Paid is an amount by the kind of what paid it.
type Paid struct {
	Voucher       money.Amount
	FullReduction money.Amount
	Card          money.Amount
	Cash          money.Amount
	Cloud         money.Amount
	Owed          money.Amount
}

// of gives the place of a kind of payment.
func (p *Paid) of(kind wallet.Payment) *money.Amount {
	return place(kind, &p.Voucher, &p.FullReduction, &p.Card, &p.Cash, &p.Cloud, &p.Owed)
}

// place is that of the places which a kind of payment has.
func place[T any](kind wallet.Payment, voucher, fullReduction, card, cash, cloud, owed *T) *T {
	switch kind {
	case wallet.ByVoucher:
		return voucher
	case wallet.ByFullReduction:
		return fullReduction
	case wallet.ByCard:
		return card
	case wallet.ByCash:
		return cash
	case wallet.ByCloud:
		return cloud
	default:
		return owed
	}
}

// add adds to the place of a kind.
func (p *Paid) add(kind wallet.Payment, a money.Amount) error {
	to := p.of(kind)
	sum, err := to.Add(a)
	*to = sum
	return err
}

// plus adds all parts of another.
func (p *Paid) plus(o *Paid) error {
	for _, part := range [...]struct{ to, add *money.Amount }{
		{&p.Voucher, &o.Voucher}, {&p.FullReduction, &o.FullReduction}, {&p.Card, &o.Card},
		{&p.Cash, &o.Cash}, {&p.Cloud, &o.Cloud}, {&p.Owed, &o.Owed},
	} {
		if part.add.IsZero() {
			continue
		}
		var err error
		if *part.to, err = part.to.Add(*part.add); err != nil {
			return err
		}
	}
	return nil
}

// By is the part that a kind of payment has.
func (p Paid) By(kind wallet.Payment) money.Amount { return *p.of(kind) }

// Sum is the whole.
func (p Paid) Sum() (money.Amount, error) {
	sum := p.Voucher
	for _, part := range [...]*money.Amount{&p.FullReduction, &p.Card, &p.Cash, &p.Cloud, &p.Owed} {
		if part.IsZero() {
			continue
		}
		var err error
		if sum, err = sum.Add(*part); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// nothing is the split of zero.
func nothing(c money.Currency) Paid {
	zero := money.Of(0, c)
	return Paid{zero, zero, zero, zero, zero, zero}
}

// IDOf is the bill's ID, made of its workspace's and the day: a workspace's day
// has one, whoever makes it, and nobody has to look it up.
func IDOf(workspaceID string, day period.Day) string {
	return id.Bill + "_" + strings.TrimPrefix(workspaceID, id.Workspace+"_") + "_" + strings.ReplaceAll(day.String(), "-", "")
}

// SplitID is the workspace and the day of a bill's ID; ok is false for what is none.
func SplitID(billID string) (workspaceID string, day period.Day, ok bool) {
	cut := strings.LastIndexByte(billID, '_')
	rest, known := strings.CutPrefix(billID[:max(cut, 0)], id.Bill+"_")
	date := billID[cut+1:]
	if !known || rest == "" || len(date) != len("20260301") {
		return "", day, false
	}
	day, err := period.ParseDay(date[:4] + "-" + date[4:6] + "-" + date[6:])
	return id.Workspace + "_" + rest, day, err == nil
}

// CauseOf names the close of a site's day as the cause of what its bills took:
// a payer has one entry of it, or one of each lot.
func CauseOf(s site.ID, day period.Day) string { return "close:" + string(s) + ":" + day.String() }

// Caused reads the site and the day of such a cause; ok is false for another.
func Caused(cause string) (s site.ID, day period.Day, ok bool) {
	rest, known := strings.CutPrefix(cause, "close:")
	id, date, _ := strings.Cut(rest, ":")
	day, err := period.ParseDay(date)
	return site.ID(id), day, known && err == nil
}

// Series is the series of numbers that a bill's number is from: site and year.
func Series(s site.ID, day period.Day) string {
	return string(s) + "-" + day.String()[:4]
}

// Number is the text of a number in a series.
func Number(series string, n int64) string {
	digits := strconv.FormatInt(n, 10)
	return series + "-" + "000000"[:max(0, 6-len(digits))] + digits
}

// Draft is everything that a bill is made of.
type Draft struct {
	Workspace workspace.Workspace
	Day       period.Day
	Rated     rate.Rated
	Parts     [][]wallet.Part // how each line was paid
	Number    int64           // in the series
	Entry     int64           // in the payer's ledger
	IssuedAt  time.Time
}

// Compose makes the bill. The same draft gives the same document to the byte;
// the instant of issue is not part of it.
func Compose(d Draft) (Bill, error) {
	b, _, err := compose(d)
	return b, err
}

// compose is Compose, and gives the document, too.
func compose(d Draft) (Bill, []byte, error) { return new(press).compose(d) }

// Sums checks that parts sum to lines and lines to the total.
func (b Bill) Sums() error {
	total, paid := money.Of(0, b.Market.Currency), nothing(b.Market.Currency)
	for i := range b.Lines {
		l := &b.Lines[i]
		sum, err := l.Paid.Sum()
		if err != nil || sum != l.Amount {
			return ErrUnsummed.With("bill", b.ID).With("item", l.Item).Because(err)
		}
		if err := l.named(); err != nil {
			return ErrUnsummed.With("bill", b.ID).With("item", l.Item).Because(err)
		}
		if total, err = total.Add(l.Amount); err != nil {
			return err
		}
		if err := paid.plus(&l.Paid); err != nil {
			return err
		}
	}
	if total != b.Total || paid != b.Paid {
		return ErrUnsummed.With("bill", b.ID)
	}
	return nil
}

// Sum is the hash of a document.
func Sum(document []byte) string {
	return hexOf(sha256.Sum256(document))
}

// hexOf writes a hash as the text that is stored.
func hexOf(sum [sha256.Size]byte) string {
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

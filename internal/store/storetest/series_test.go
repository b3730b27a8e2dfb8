package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// entryOf is the entry that paid a bill.
func entryOf(t *testing.T, s *store.Store, b bill.Bill) wallet.Entry {
	t.Helper()
	var e wallet.Entry
	if err := s.Read(t.Context(), func(tx *store.Tx) error {
		explained, err := bill.Explain(t.Context(), tx, catalog.Default(), b)
		e = explained.Entry
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// mend makes the usage of a busy day's parked workspace one that can be billed.
func mend(t *testing.T, s *store.Store) {
	t.Helper()
	storetest.ChangeUsage(t, s, func(sample *usage.Sample) {
		if sample.Class == "nonsense" {
			sample.Class = "14d"
		}
	})
}

// TestBillsOfALotShareAnEntry lets one payer's bills of a day be paid by one
// movement, and a bill that is made alone by its own.
func TestBillsOfALotShareAnEntry(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shops := busyDay(t, s)
		late := shops[1].sister(t, "dd") // its payer's only other workspace is parked
		closeBy(t, books(s))
		d, e, f := shops[3].bill(t, march1), shops[4].bill(t, march1), shops[5].bill(t, march1)
		if d.Entry == 0 || d.Entry != e.Entry || d.Entry != f.Entry {
			t.Errorf("one payer's bills were paid by entries %d, %d and %d", d.Entry, e.Entry, f.Entry)
		}
		entry, sum := entryOf(t, s, f), int64(0)
		for _, p := range entry.Postings {
			if p.Account == wallet.Revenue("CNY") {
				sum = p.Amount.Minor()
			}
		}
		if want := d.Total.Minor() + e.Total.Minor() + f.Total.Minor(); sum != want || entry.Cause != "close:cn1:"+march1 {
			t.Errorf("entry %d of %s earned %d, its bills come to %d", entry.Number, entry.Cause, sum, want)
		}
		var together store.Together
		write(t, s, func(ctx context.Context, tx *store.Tx) (err error) {
			together, err = tx.PaidTogether(ctx, d.Payer, d.Day, d.Entry)
			return err
		})
		if want := (store.Together{Bills: 3, First: d.Number, Last: f.Number, ID: d.ID}); together != want {
			t.Errorf("together %+v, want %+v", together, want)
		}
		mend(t, s)
		alone, err := books(s).Retry(t.Context(), shops[1].shop.ID, day(march1), noon.AddDate(0, 0, 2))
		if err != nil || entryOf(t, s, alone).Cause != alone.ID || late.billed(t, march1) {
			t.Errorf("a bill that was made alone: %+v, %v", alone, err)
		}
		sound(t, s)
	})
}

// billed reports whether the workspace has a bill of the day.
func (x shopOf) billed(t *testing.T, d string) bool {
	t.Helper()
	var billed map[string]bool
	write(t, x.s, func(ctx context.Context, tx *store.Tx) (err error) {
		billed, err = tx.Billed(ctx, []string{x.shop.ID}, day(d))
		return err
	})
	return billed[x.shop.ID]
}

// TestNobodyTakesNumbersFromARunningClose asks for the bill of a parked
// workspace between two lots: it has to wait, and then gets the next number.
func TestNobodyTakesNumbersFromARunningClose(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shops := busyDay(t, s)
		closeBy(t, books(s))
		mend(t, s)
		cn1, _ := site.Find("cn1")
		for i, x := range shops {
			x.use(t, "logs", "14d", day("2026-03-02").Start(cn1.Zone), int64(i+1)*2_000_000)
		}
		b := books(s)
		b.Lot, b.Workers, b.OneWrite = 2, 3, s.OneWriter()
		b.Read = func(ctx context.Context, f func(bill.Tx) error) error {
			return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		}
		retry := func(ctx context.Context) (bill.Bill, error) {
			return b.Retry(ctx, shops[1].shop.ID, day(march1), noon.AddDate(0, 0, 2))
		}
		asked := false
		b.Progress = func(d bill.SiteDay) {
			if d.Done == 2 && !s.OneWriter() { // SQLite's lots exclude everybody else
				asked = true
				if _, err := retry(t.Context()); !errors.Is(err, bill.ErrClosing) {
					t.Errorf("between two lots: %v", err)
				}
			}
		}
		closed, err := b.CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: day("2026-03-02")}, noon.AddDate(0, 0, 2))
		if err != nil || closed.Bills != 7 || closed.Through != 13 || asked == s.OneWriter() {
			t.Errorf("closed %+v, asked %v, %v", closed, asked, err)
		}
		late, err := retry(t.Context())
		if err != nil || late.Number != "cn1-2026-000014" {
			t.Errorf("after the close: %s, %v", late.Number, err)
		}
		sound(t, s)
		if next := closeDay(t, s, "2026-03-03"); next.Bills != 1 || next.Through != 14 {
			t.Errorf("the next day holds %+v", next)
		}
		sound(t, s)
	})
}

// TestCloseWaitsForABillThatIsBeingMade holds the bill of a parked workspace
// open while the next day's close begins: the close takes the numbers behind it.
func TestCloseWaitsForABillThatIsBeingMade(t *testing.T) {
	t.Parallel()
	s := storetest.Postgres(t)
	shops := busyDay(t, s)
	closeBy(t, books(s))
	mend(t, s)
	cn1, _ := site.Find("cn1")
	shops[0].use(t, "logs", "14d", day("2026-03-02").Start(cn1.Zone), 2_000_000)
	slow, done := books(s), make(chan error, 1)
	slow.Write = func(ctx context.Context, f func(bill.Tx) error) error {
		return s.Write(ctx, func(tx *store.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			go func() {
				_, err := books(s).CloseDay(ctx, bill.CloseDay{Site: "cn1", Day: day("2026-03-02")}, noon.AddDate(0, 0, 2))
				done <- err
			}()
			return waiting(ctx, s)
		})
	}
	late, err := slow.Retry(t.Context(), shops[1].shop.ID, day(march1), noon.AddDate(0, 0, 2))
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if n := shops[0].bill(t, "2026-03-02").Number; late.Number != "cn1-2026-000007" || n != "cn1-2026-000008" {
		t.Errorf("numbers %s and %s", late.Number, n)
	}
	sound(t, s)
}

// TestBillsOfBothFormsStandInOneChain has a day whose bills were issued before
// they were texts, and one behind it: all are verified, explained and made again
// to the same bytes.
func TestBillsOfBothFormsStandInOneChain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		shops := busyDay(t, s)
		before := books(s)
		before.Progress = func(bill.SiteDay) { // all but the close itself
			for _, x := range slices.Concat(shops[:1], shops[2:]) { // the second one is parked
				b := x.bill(t, march1)
				b.Form = bill.JSON
				replace(t, s, b, string(b.Document()), true)
			}
		}
		closeBy(t, before)
		sound(t, s)
		shops[0].use(t, "logs", "14d", noon.AddDate(0, 0, 1), 5_000_000)
		closeDay(t, s, "2026-03-02")
		sound(t, s)
		for d, form := range map[string]bill.Form{march1: bill.JSON, "2026-03-02": bill.Text} {
			b := shops[0].bill(t, d)
			if b.Form != form {
				t.Errorf("the bill of %s has the form %d", d, b.Form)
			}
			entryOf(t, s, b)
			if err := s.Read(t.Context(), func(tx *store.Tx) error {
				document, err := bill.Again(t.Context(), tx, catalog.Default(), b)
				if bill.Sum(document) != b.Hash {
					t.Errorf("the bill of %s is made again as %s", d, document)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// rewrite changes a bill and its hash, as somebody would who can write to the
// database; links says to make the chain of its series fit it, too.
func rewrite(t *testing.T, s *store.Store, b bill.Bill, links bool) {
	t.Helper()
	replace(t, s, b, strings.Replace(string(b.Document()), " billing_center ", " aws ", 1), links)
}

// replace gives a bill another document.
func replace(t *testing.T, s *store.Store, b bill.Bill, text string, links bool) {
	t.Helper()
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE bill SET document = $1, hash = $2 WHERE workspace_id = $3 AND day = $4`, text, bill.Sum([]byte(text)), b.WorkspaceID, b.Day.String())
		if err != nil || n != 1 || !links {
			return err
		}
		series := bill.Series(b.Site, b.Day)
		rows, err := tx.Query(ctx, `SELECT hash FROM bill WHERE series = $1 ORDER BY seq`, series)
		if err != nil {
			return err
		}
		var l bill.Link
		for rows.Next() {
			var hash string
			if err := rows.Scan(&hash); err != nil {
				return err
			}
			l = l.Next(hash)
		}
		if err := rows.Close(); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE document_number SET link = $1 WHERE series = $2`, l.Hash, series)
		return err
	})
}

// TestRewrittenBillIsFound changes bills with their hashes: those of a close,
// one that was made after it, and one of last year that was made this year.
func TestRewrittenBillIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		closes int  // days that were closed after the bill was made
		links  bool // whether the chain was made to fit, too
	}{
		"as it was made":        {0, false},
		"after a close":         {1, false},
		"with the series' link": {1, true},
	} {
		for shop, late := range map[int]bool{0: false, 1: true} {
			t.Run(fmt.Sprint(name, " late ", late), func(t *testing.T) {
				t.Parallel()
				s := storetest.SQLite(t)
				shops := busyDay(t, s)
				closeYearsEnd(t, s, shops)
				if late {
					mend(t, s)
					if _, err := books(s).Retry(t.Context(), shops[shop].shop.ID, day("2026-12-31"), noon.AddDate(1, 0, 0)); err != nil {
						t.Fatal(err)
					}
				}
				if c.closes > 0 {
					closeDay(t, s, "2027-01-01")
				}
				sound(t, s)
				rewrite(t, s, shops[shop].bill(t, "2026-12-31"), c.links)
				for _, f := range findings(t, s) {
					if f.Invariant == "I6" {
						return
					}
				}
				t.Errorf("the bill was rewritten, and found is only %v", findings(t, s))
			})
		}
	}
}

// closeYearsEnd closes the last day of a year with usage of all shops, one of
// which is parked.
func closeYearsEnd(t *testing.T, s *store.Store, shops []shopOf) {
	t.Helper()
	cn1, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range shops {
		class := "14d"
		if i == 1 {
			class = "nonsense"
		}
		x.use(t, "logs", class, day("2026-12-31").Start(cn1.Zone).Add(time.Hour), int64(i+1)*2_000_000)
	}
	if closed := closeDay(t, s, "2026-12-31"); closed.Bills != 6 || closed.Parked != 1 {
		t.Fatalf("closed %+v", closed)
	}
}

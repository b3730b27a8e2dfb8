package bill

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

var update = flag.Bool("update", false, "write the golden bills anew")

var upgradedAt = time.Date(2026, 3, 1, 2, 20, 0, 0, time.UTC)

func shop(s site.ID, m site.Method) workspace.Workspace {
	return workspace.Workspace{
		ID: "wksp_shop", Site: s, Plan: workspace.Commercial, Generation: 2, Payer: "bcac_acme", Settlement: m, UpgradedAt: upgradedAt,
	}
}

func version(t testing.TB) *catalog.Version {
	t.Helper()
	v, err := catalog.Default().At(period.MustParseDay("2026-03-01"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// draft rates the quantities ("logs@14d=4000000") and pays for them.
func draft(t testing.TB, v *catalog.Version, w workspace.Workspace, c money.Currency, sources []wallet.Source, used ...string) Draft {
	t.Helper()
	s, err := site.Find(w.Site)
	if err != nil {
		t.Fatal(err)
	}
	var quantities []usage.Quantity
	for _, text := range used {
		what, n, _ := strings.Cut(text, "=")
		item, class, _ := strings.Cut(what, "@")
		class, index, _ := strings.Cut(class, "@")
		quantities = append(quantities, usage.Quantity{Item: item, Class: class, Index: index, Quantity: quantity.MustParse(n)})
	}
	rated, err := rate.NewTariff(v, catalog.Market{Currency: c, Group: s.Group}).Rate(quantities)
	if err != nil {
		t.Fatal(err)
	}
	var due []wallet.Due
	for _, l := range rated.Lines {
		item, _ := v.Item(l.Item)
		due = append(due, wallet.Due{Amount: l.Amount, VoucherPayable: item.VoucherPayable})
	}
	parts, err := wallet.Deduct(wallet.Deduction{Settlement: w.Settlement, Payer: w.Payer, Currency: c, Sources: sources, At: upgradedAt}, due)
	if err != nil {
		t.Fatal(err)
	}
	return Draft{Workspace: w, Day: period.MustParseDay("2026-03-01"), Rated: rated, Parts: parts, Number: 123, Entry: 7, IssuedAt: upgradedAt.AddDate(0, 0, 1)}
}

func source(kind wallet.Payment, a wallet.Account, amount money.Amount) wallet.Source {
	return wallet.Source{Payment: kind, Account: a, Balance: amount}
}

func drafts(t testing.TB) map[string]Draft {
	t.Helper()
	cny := func(s string) money.Amount { return money.MustParse(s, money.CNY) }
	exact := *version(t)
	exact.Rounding.TruncateUnits = false
	agreed := draft(t, version(t), shop("cn1", site.BillingCenter), money.CNY, nil, "logs@14d=4000000", "network_host@none=1")
	agreed.Rated.Lines[0].Override = "prce_0123456789abcdefghijklmnopqrstuv"
	return map[string]Draft{
		"ten-hosts": draft(t, version(t), shop("cn1", site.BillingCenter), money.CNY,
			[]wallet.Source{source(wallet.ByCash, wallet.Cash("bcac_acme"), cny("100"))},
			"timeseries@3d=6000", "logs@7d=2000000", "apm_trace@3d=2000000", "rum_pv@3d=20000", "task_call@none=20000"),
		"every-source": draft(t, version(t), shop("cn1", site.BillingCenter), money.CNY,
			[]wallet.Source{
				source(wallet.ByVoucher, wallet.Voucher("bcac_acme", "v"), cny("3")),
				source(wallet.ByFullReduction, wallet.FullReduction("bcac_acme", "f"), cny("2")),
				source(wallet.ByCard, wallet.Card("bcac_acme", "c"), cny("2.5")),
				source(wallet.ByCash, wallet.Cash("bcac_acme"), cny("1")),
			},
			"logs@14d=4000000", "sms@none=37", "apm_trace@14d=800500.5"),
		"cloud":       draft(t, version(t), shop("us1", site.AWS), money.USD, nil, "timeseries@7d=8123", "network_host@none=7"),
		"exact-units": draft(t, &exact, shop("cn6", site.BillingCenter), money.USD, nil, "logs@60d=1234567", "logs@14d=4999"),
		"nothing-due": draft(t, version(t), shop("cn1", site.BillingCenter), money.CNY, nil, "logs@14d=4999"),
		"agreed":      agreed,
	}
}

// TestGoldenBills holds the stored form to the byte: it is hashed and public.
func TestGoldenBills(t *testing.T) {
	t.Parallel()
	all := drafts(t)
	all["log-indexes"] = draft(t, version(t), shop("cn1", site.BillingCenter), money.CNY, []wallet.Source{source(wallet.ByCash, wallet.Cash("bcac_acme"), money.MustParse("5", money.CNY))},
		"logs@3d@nginx-access=2000000", "logs@14d=1000000", "logs@14d@审计=1000000")
	for name, d := range all {
		b, err := Compose(d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := string(b.Document()) + "\n" + b.Hash + "\n"
		path := filepath.Join("testdata", name+".bill")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%swant\n%s", name, got, want)
		}
	}
}

func TestBillComesBackFromItsDocument(t *testing.T) {
	t.Parallel()
	for name, d := range drafts(t) {
		b, err := Compose(d)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Read(b.Document())
		back.IssuedAt, back.Entry = b.IssuedAt, b.Entry
		if err != nil || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", b) || string(back.Document()) != string(b.Document()) {
			t.Errorf("%s came back as\n%+v, %v, want\n%+v", name, back, err, b)
		}
	}
}

func TestSameDraftSameBytes(t *testing.T) {
	t.Parallel()
	first, again := drafts(t), drafts(t)
	for name := range first {
		a, err := Compose(first[name])
		later := again[name]
		later.IssuedAt = later.IssuedAt.AddDate(1, 0, 0)
		b, err2 := Compose(later)
		if err != nil || err2 != nil || a.Hash != b.Hash || a.ID != b.ID {
			t.Errorf("%s: %s and %s, %v, %v", name, a.Hash, b.Hash, err, err2)
		}
	}
}

func TestBillThatDoesNotSumIsRefused(t *testing.T) {
	t.Parallel()
	good := drafts(t)["every-source"]
	missing := good
	missing.Parts = good.Parts[1:]
	if _, err := Compose(missing); !errors.Is(err, ErrUnsummed) {
		t.Errorf("a line without its parts: %v", err)
	}
	unpaid := good
	unpaid.Parts = append([][]wallet.Part{nil}, good.Parts[1:]...)
	if _, err := Compose(unpaid); !errors.Is(err, ErrUnsummed) {
		t.Errorf("a line that nobody pays: %v", err)
	}
	total := good
	total.Rated.Total = money.Of(1, money.CNY)
	if _, err := Compose(total); !errors.Is(err, ErrUnsummed) {
		t.Errorf("another total: %v", err)
	}
	b, err := Compose(good)
	if err != nil {
		t.Fatal(err)
	}
	before := b
	before.Form = JSON
	for _, change := range []struct {
		bill     Bill
		old, new string
	}{
		{b, ` 6.00 `, ` 5.00 `}, {b, `voucher:v=3.00`, `voucher:v=2.99`}, {b, `2024-11-06 `, `2024-11-06 1`}, {b, `bill/2`, `bill/3`},
		{b, `voucher:v=3.00`, `voucher:v`}, {b, `voucher:v`, `cash:v`}, {b, `voucher:v`, `voucher:`}, {b, ` voucher:v=3.00`, ``},
		{b, ` cash=1.00`, ` gift=1.00`}, {b, ` cash=1.00`, ` cash`}, {b, ` cash=1.00`, ` cash=`}, {b, "\nsms", "\ns%ms"}, {b, ` 2 `, ` two `},
		{b, `2026-03-01`, `2026-02-29`}, {b, ` cash=1.00`, ` cash=1.00 `}, {b, "\nsms none ", "\nsms "}, {b, "\nsms", "\n\nsms"}, {b, " 37 ", " 3,7 "},
		{b, " cash=1.00", " package=p,1,2,3 cash=1.00"},
		{before, `"amount":"6.00"`, `"amount":"5.00"`}, {before, `"voucher":"3.00"`, `"voucher":"2.99"`}, {before, `"total":"`, `"total":"1`},
		{before, `"total"`, `"sum"`}, {before, `{`, ``}, {before, `"id":"v","amount":"3.00"`, `"id":"v","amount":"2.99"`},
		{before, `"payment":"voucher","id"`, `"payment":"cash","id"`}, {before, `"id":"v"`, `"id":""`},
		{before, `,"sources":[{"payment":"voucher","id":"v","amount":"3.00"},`, `,"sources":[`},
	} {
		text := strings.Replace(string(change.bill.Document()), change.old, change.new, 1)
		if text == string(change.bill.Document()) {
			t.Fatalf("the document has no %s", change.old)
		}
		if _, err := Read([]byte(text)); err == nil {
			t.Errorf("a document with %q was read", change.new)
		}
	}
	text := string(b.Document())
	for n := range text {
		if cut, err := Read([]byte(text[:n])); err == nil {
			t.Errorf("the first %d bytes were read as %+v", n, cut)
		}
	}
}

func TestNumbersAndNames(t *testing.T) {
	t.Parallel()
	d := period.MustParseDay("2026-12-31")
	if got := Number(Series("us1", d), 7); got != "us1-2026-000007" {
		t.Errorf("number %s", got)
	}
	if got := Number("cn1-2026", 12345678); got != "cn1-2026-12345678" {
		t.Errorf("number %s", got)
	}
	a, b := IDOf("wksp_a", d), IDOf("wksp_a", d.Add(1))
	if a == b || a == IDOf("wksp_b", d) || a != "bill_a_20261231" {
		t.Errorf("IDs %s and %s", a, b)
	}
	if w, back, ok := SplitID(a); !ok || w != "wksp_a" || back != d {
		t.Errorf("%s is that of %s on %s, %v", a, w, back, ok)
	}
	for _, wrong := range []string{"", "bill_", "bill_a", "bill_20261231", "wksp_a_20261231", "bill_a_20261331", "bill_a_2026-12-31", "bill_a_é0261231"} {
		if w, day, ok := SplitID(wrong); ok {
			t.Errorf("%q is the ID of %s on %s", wrong, w, day)
		}
	}
	if s, back, ok := Caused(CauseOf("us1", d)); !ok || s != "us1" || back != d {
		t.Errorf("the cause is the close of %s of %s, %v", back, s, ok)
	}
	if _, _, ok := Caused(a); ok {
		t.Errorf("%s is the cause of a close", a)
	}
}

func TestDayIsDueAtItsMidnight(t *testing.T) {
	t.Parallel()
	sites := site.All()
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(sites).Draw(t, "site").Zone
		last := period.MustParseDay("2026-01-01").Add(rapid.IntRange(0, 400).Draw(t, "days"))
		at := DueAt(zone, last)
		if day, due := Due(zone, last, at.Add(-1)); due || day != last.Add(1) {
			t.Fatalf("%s is due before its end", day)
		}
		if day, due := Due(zone, last, at); !due || day != last.Add(1) || period.DayOf(at, zone) != last.Add(2) {
			t.Fatalf("%s is not due at %s", day, at)
		}
		if day, due := Due(zone, last, at.AddDate(0, 1, 0)); !due || day != last.Add(1) {
			t.Fatalf("after a month's pause %s comes first, not %s", last.Add(1), day)
		}
		first := FirstClosed(zone, at)
		if day, _ := Due(zone, first, at); day != period.DayOf(at, zone) {
			t.Fatalf("after an upgrade at %s the first day is %s", at, day)
		}
	})
}

func TestUnflushedGatewayHoldsTheDay(t *testing.T) {
	t.Parallel()
	end := upgradedAt
	for name, c := range map[string]struct {
		through time.Time
		known   bool
		want    error
	}{
		"no gateway": {time.Time{}, false, nil},
		"behind":     {end.Add(-time.Microsecond), true, ErrNotFlushed},
		"exactly":    {end, true, nil},
		"past":       {end.Add(time.Hour), true, nil},
	} {
		if err := Flushed(c.through, c.known, end); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestItemsOfPackagesMakeNoLineAndSwitchedOnesDo(t *testing.T) {
	t.Parallel()
	key := func(item, class string) usage.Key { return usage.Key{Item: item, Class: class} }
	r, err := Rate(version(t), catalog.Market{Currency: money.CNY, Group: site.China}, []usage.Sample{
		{Key: key("datakit_host", "none"), Quantity: 9}, {Key: key("logs_ingested", "14d"), Quantity: 9e9}, {Key: key("logs", "14d"), Quantity: 2e6},
	})
	if err != nil || len(r.Lines) != 2 || r.Lines[0].Item != "logs" || r.Lines[1].Item != "logs_ingested" || r.Total.String() != "12.00" {
		t.Errorf("%+v, %v", r, err)
	}
}

// anyLine is a charge of any content that sums.
func anyLine(t *rapid.T, text *rapid.Generator[string]) Line {
	decimal := rapid.Custom(func(t *rapid.T) quantity.Decimal {
		return quantity.Scaled(rapid.Int64().Draw(t, "coefficient"), rapid.IntRange(0, 19).Draw(t, "scale"))
	})
	l := Line{Paid: nothing(money.CNY), Line: rate.Line{
		Item: text.Draw(t, "item"), Class: text.Draw(t, "class"), Quantity: decimal.Draw(t, "quantity").Trimmed(), Units: decimal.Draw(t, "units"),
		UnitPrice: decimal.Draw(t, "price"), Exact: decimal.Draw(t, "exact"), Amount: money.Of(0, money.CNY),
		Override: rapid.SampledFrom([]string{"", "prce_1", "a=b,c:d e\n"}).Draw(t, "override"),
	}}
	if rapid.Bool().Draw(t, "packaged") {
		l.Package = &rate.Cover{
			Package: text.Draw(t, "package"), Factor: decimal.Draw(t, "factor"), Converted: decimal.Draw(t, "converted"),
			Covered: decimal.Draw(t, "covered"), Excess: decimal.Draw(t, "excess"),
		}
	}
	named := rapid.Bool().Draw(t, "named")
	for _, kind := range wallet.Payments() {
		for n := range rapid.IntRange(0, 2).Draw(t, "parts") {
			part := money.Of(rapid.SampledFrom([]int64{1, 99, 100, 12345, 1 << 50}).Draw(t, "minor"), money.CNY)
			if err := errors.Join(l.Paid.add(kind, part), add(&l.Amount, part)); err != nil {
				t.Fatal(err)
			}
			if named && slices.Contains(fromSources, kind) {
				l.Sources = append(l.Sources, SourcePart{kind, fmt.Sprint(n, text.Draw(t, "source")), part})
			}
		}
	}
	return l
}

func add(to *money.Amount, a money.Amount) (err error) {
	*to, err = to.Add(a)
	return err
}

// TestAnyBillComesBackFromItsDocument writes and reads bills of any content, in
// both forms.
func TestAnyBillComesBackFromItsDocument(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[a-z0-9_-]{0,20}`), rapid.String())
		b := Bill{
			Form:   rapid.SampledFrom([]Form{Text, JSON}).Draw(t, "form"),
			Number: text.Draw(t, "number"), WorkspaceID: text.Draw(t, "workspace"), Site: "cn1", Day: period.MustParseDay("2026-03-01"), Generation: 2,
			Payer: text.Draw(t, "payer"), Settlement: site.BillingCenter, Market: catalog.Market{Currency: money.CNY, Group: site.China},
			Catalog: text.Draw(t, "catalog"), Total: money.Of(0, money.CNY), Paid: nothing(money.CNY),
		}
		for range rapid.IntRange(0, 3).Draw(t, "lines") {
			l := anyLine(t, text)
			if b.Form == Text { // there were no log indexes before
				l.Index = rapid.OneOf(rapid.Just(""), text).Draw(t, "index")
			}
			b.Lines = append(b.Lines, l)
			if err := errors.Join(b.Paid.plus(&l.Paid), add(&b.Total, l.Amount)); err != nil {
				t.Fatal(err)
			}
		}
		document := b.Document()
		b.ID, b.Hash = IDOf(b.WorkspaceID, b.Day), Sum(document)
		back, err := Read(document)
		if err != nil || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", b) || string(back.Document()) != string(document) {
			t.Fatalf("%s came back as\n%+v, %v, want\n%+v", document, back, err, b)
		}
	})
}

// TestBillKeepsItsForm reads bills that were issued before they were texts: they
// say what they said, and are written to the same bytes.
func TestBillKeepsItsForm(t *testing.T) {
	t.Parallel()
	for name, d := range drafts(t) {
		golden, err := os.ReadFile(filepath.Join("testdata", "json", name+".bill"))
		if err != nil {
			t.Fatal(err)
		}
		document, hash, _ := strings.Cut(strings.TrimSpace(string(golden)), "\n")
		before, err := Read([]byte(document))
		if err != nil || before.Form != JSON || before.Hash != hash || string(before.Document()) != document {
			t.Errorf("%s is %+v, %v, written\n%s", name, before, err, before.Document())
		}
		now, err := Compose(d)
		now.Form, now.Hash, now.IssuedAt, now.Entry = JSON, hash, before.IssuedAt, before.Entry
		if err != nil || fmt.Sprintf("%+v", before) != fmt.Sprintf("%+v", now) {
			t.Errorf("%s was\n%+v, and is\n%+v, %v", name, before, now, err)
		}
	}
}

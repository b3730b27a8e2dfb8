//go:build bench

// The speed of the ledger, for `make bench-ledger`. It is not part of the
// tests: it takes minutes, and what it measures depends on the machine.

package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/app"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/testkit/load"
	"tollgate.dev/internal/wallet"
)

// What is measured.
const (
	payersBilled = 10_000 // accounts with enough cash
	inBatch      = 1_000  // deductions of one call
	single       = 8      // connections of single deductions
	crowd        = 32     // clients of pgbench beside batches
	batchers     = 8      // connections that send batches
	scale        = 32     // of pgbench: as many branches as clients
)

// wish is a number from the environment.
func wish(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s is no number", name, text)
	}
	return n
}

// TestLedgerSpeed measures, in turn and on one server: pgbench, deductions one
// by one and a thousand at a time, spread over many accounts and all of one;
// then the same deductions on SQLite, beside bare inserts of their rows.
func TestLedgerSpeed(t *testing.T) {
	rounds, each := wish(t, "ROUNDS", 5), time.Duration(wish(t, "EACH", 3))*time.Second
	t.Logf("%d processors, %s, load %s; %d rounds of %v each", runtime.NumCPU(), runtime.Version(), loadOf(), rounds, each)
	only := os.Getenv("ENGINE")
	if only != "sqlite" {
		onPostgres(t, rounds, each)
	}
	if only != "postgres" {
		onSQLite(t, rounds, each)
	}
	t.Logf("load %s", loadOf())
}

func loadOf() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

// figures are what one variant came to in each round.
type figures struct {
	rates  []int64 // tenths of an entry a second
	slow   []time.Duration
	middle []time.Duration
}

func (f *figures) add(r load.Result, entries int64) {
	f.rates, f.slow, f.middle = append(f.rates, r.Rate()*entries), append(f.slow, r.Wait(990)), append(f.middle, r.Wait(500))
}

func median[T cmp.Ordered](of []T) T {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func (f *figures) rate() int64 { return median(f.rates) }

func (f *figures) text() string {
	s := fmt.Sprintf("%d a second (%d to %d)", f.rate()/10, slices.Min(f.rates)/10, slices.Max(f.rates)/10)
	if len(f.slow) > 0 {
		s += fmt.Sprintf("; median %v, p99 %v", median(f.middle).Round(10*time.Microsecond), median(f.slow).Round(10*time.Microsecond))
	}
	return s
}

// ratio is the median of the ratios within each round, in hundredths.
func ratio(of, to *figures) int64 {
	var all []int64
	for i := range of.rates {
		all = append(all, of.rates[i]*100/max(1, to.rates[i]))
	}
	return median(all)
}

// judged prints a ratio beside its goal, both in hundredths.
func judged(t *testing.T, what string, got, goal int64) {
	t.Helper()
	word := "reached"
	if got < goal {
		word = "MISSED"
	}
	t.Logf("%s: %d.%02d times, goal %d.%02d: %s", what, got/100, got%100, goal/100, goal%100, word)
}

func onPostgres(t *testing.T, rounds int, each time.Duration) {
	yardstick, url := testkit.Postgres(t), testkit.Postgres(t)
	durable(t, url)
	pgbench(t, yardstick, "-i", "-q", "-s", strconv.Itoa(scale))
	bank := fillBank(t, url)
	server := bank.serve(t)
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	var pg8, pg32, one, oneHot, many, manyHot figures
	run := func(clients int) int64 {
		return tps(t, pgbench(t, yardstick, "-n", "-c", strconv.Itoa(clients), "-j", "2", "-T", strconv.Itoa(int(each.Seconds()))))
	}
	server.deduct(t, time.Second, 1, single, bank.payers) // warm
	for round := range rounds {
		for _, sql := range []string{"CHECKPOINT"} {
			if _, err := c.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
		pg8.rates = append(pg8.rates, run(single))
		one.add(server.deduct(t, each, 1, single, bank.payers), 1)
		oneHot.add(server.deduct(t, each, 1, single, bank.payers[:1]), 1)
		pg32.rates = append(pg32.rates, run(crowd))
		many.add(server.deduct(t, each, inBatch, batchers, bank.payers), inBatch)
		manyHot.add(server.deduct(t, each, inBatch, batchers, bank.payers[:1]), inBatch)
		t.Logf("round %d: pgbench %d and %d; one by one %d, one account %d; batches %d, one account %d; load %s", round+1,
			pg8.rates[round]/10, pg32.rates[round]/10, one.rates[round]/10, oneHot.rates[round]/10, many.rates[round]/10, manyHot.rates[round]/10, loadOf())
	}
	t.Logf("pgbench, %d clients: %s", single, pg8.text())
	t.Logf("deductions one by one, %d connections: %s", single, one.text())
	t.Logf("  all of one account: %s", oneHot.text())
	t.Logf("pgbench, %d clients: %s", crowd, pg32.text())
	t.Logf("deductions by %d, %d connections: %s", inBatch, batchers, many.text())
	t.Logf("  all of one account: %s", manyHot.text())
	judged(t, "one by one, to pgbench", ratio(&one, &pg8), 120)
	judged(t, "by the thousand, to pgbench", ratio(&many, &pg32), 1000)
	judged(t, "one account to many, one by one", ratio(&oneHot, &one), 50)
	judged(t, "one account to many, by the thousand", ratio(&manyHot, &many), 50)
	if p99 := median(one.slow); p99 > 10*time.Millisecond {
		t.Logf("p99 of one by one: %v, goal 10ms: MISSED", p99)
	} else {
		t.Logf("p99 of one by one: %v, goal 10ms: reached", p99)
	}
	server.verified(t)
}

// durable refuses to measure on a server that may lose what it acknowledged.
func durable(t *testing.T, url string) {
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := c.QueryRow(t.Context(), "SHOW "+setting).Scan(&value); err != nil || value != "on" {
			t.Fatalf("%s is %q: %v", setting, value, err)
		}
	}
}

// pgbench runs the pgbench of the newest PostgreSQL installed.
func pgbench(t *testing.T, url string, args ...string) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(found) == 0 {
		t.Fatal("there is no pgbench: install the package postgresql-contrib")
	}
	out, err := exec.CommandContext(t.Context(), found[len(found)-1], append(args, url)...).CombinedOutput()
	if err != nil {
		t.Fatalf("pgbench %v: %v\n%s", args, err, out)
	}
	return string(out)
}

var tpsLine = regexp.MustCompile(`tps = ([0-9]+)\.([0-9])`)

// tps is the rate that pgbench printed, in tenths.
func tps(t *testing.T, out string) int64 {
	t.Helper()
	found := tpsLine.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("pgbench says no rate:\n%s", out)
	}
	n, err := strconv.ParseInt(found[1]+found[2], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bank is an installation's store with payers who have enough, and a service
// that may take it.
type bank struct {
	url    string
	folder string
	payers []string
	secret string
}

func fillBank(t *testing.T, url string) *bank {
	t.Helper()
	b := &bank{url: url, folder: t.TempDir()}
	s, err := app.OpenStore(t.Context(), url, b.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	at, holder := time.Now(), account.KeyHolder{Scope: account.DeductionKeys, ID: "load"}
	cash := money.MustParse("5000000", money.CNY)
	for i := range payersBilled {
		b.payers = append(b.payers, fmt.Sprintf("bcac_%032x", mathrand.Uint64()|uint64(i)<<50))
	}
	slices.Sort(b.payers)
	b.payers = slices.Compact(b.payers)
	for chunk := range slices.Chunk(b.payers, 500) {
		err := s.Write(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.LedgerHeads(t.Context(), chunk); err != nil {
				return err
			}
			entries := make([]wallet.Entry, len(chunk))
			for i, payer := range chunk {
				transfer := id.New(id.Transfer)
				e := wallet.Entry{ID: id.New(id.LedgerEntry), At: at.Truncate(time.Microsecond), Number: 1, Movement: wallet.Movement{
					Key: "transfer:" + transfer, Kind: wallet.Deposit, Cause: transfer, Payer: payer,
					Postings: []wallet.Posting{{Account: wallet.Cash(payer), Amount: cash}, {Account: wallet.Bank(money.CNY), Amount: cash.Neg()}},
				}}
				e.Hash = e.Sum()
				entries[i] = e
			}
			return tx.AppendEntries(t.Context(), entries)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
		for _, sql := range []string{`
			INSERT INTO billing_account (id, user_name, email, phone, password, currency, profile, language, disabled, arbitrary_settlement, created_at)
			SELECT payer, payer, payer || '@pay.example', '', '', 'CNY', '{}', 'en', 0, 0, at
			FROM ledger_entry`, `
			INSERT INTO transfer (id, account_id, currency, minor, reference, state, declared_at, decided_by, decided_at, reason, arrived_minor)
			SELECT cause, payer, 'CNY', 500000000, 'load', 'credited', at, 'system', at, '', 500000000
			FROM ledger_entry`,
		} {
			if _, err := tx.Exec(t.Context(), sql); err != nil {
				return err
			}
		}
		_, b.secret, err = account.MakeKey(t.Context(), tx, account.KeyDraft{Holder: holder, Name: "load", MadeBy: "system"}, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// teller is the product as a real process on the bank's store.
type teller struct {
	*bank
	base string
	runs int
}

func (b *bank) serve(t *testing.T) *teller {
	t.Helper()
	args := []string{"serve", "--smtp-address", "127.0.0.1:9", "--data", b.folder, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"}
	if b.url != "" {
		args = append(args, "--store", b.url)
	}
	return &teller{bank: b, base: testkit.Start(t, testkit.Command{Path: testkit.Build(t), Args: args, Ready: readyLog}).Match(1)}
}

// deduct has amounts taken over so many connections, one or many a call.
func (s *teller) deduct(t *testing.T, lasting time.Duration, many, connections int, payers []string) load.Result {
	t.Helper()
	s.runs++
	path, accept := "/api/v1/deductions", 201
	if many > 1 {
		path, accept = path+"/batch", 200
	}
	r, err := load.Run(t.Context(), load.Load{
		Target: s.base, Path: path, Headers: []string{"Authorization: Bearer " + s.secret}, Connections: connections, For: lasting, Accept: accept,
		Compose: func(to []byte, connection, n int) ([]byte, string) {
			key := fmt.Sprintf("run%d-%d-%d", s.runs, connection, n)
			one := func(to []byte) []byte {
				to = append(append(to, `"account_id":"`...), payers[mathrand.IntN(len(payers))]...)
				return append(to, `","amount":"0.01","currency":"CNY","cause":"load test, order 4711"}`...)
			}
			if many == 1 {
				return one(append(to, '{')), "Idempotency-Key: " + key
			}
			to = append(to, `{"deductions":[`...)
			for i := range many {
				if i > 0 {
					to = append(to, ',')
				}
				to = strconv.AppendInt(append(append(append(to, `{"key":"`...), key...), '-'), int64(i), 10)
				to = one(append(to, `",`...))
			}
			return append(to, `]}`...), ""
		},
		Check: func(body []byte) error {
			if posted := bytes.Count(body, []byte(`"posted"`)); many > 1 && posted != many {
				return fmt.Errorf("%d of %d were posted: %.300s", posted, many, body)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// verifyWithin bounds the verification: a fast machine makes millions of rows.
const verifyWithin = time.Minute

// verified proves the books, if that is done in time.
func (s *teller) verified(t *testing.T) {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), verifyWithin)
	defer cancel()
	args := []string{"verify", "--data", s.folder}
	if s.url != "" {
		args = append(args, "--store", s.url)
	}
	out, err := exec.CommandContext(ctx, testkit.Build(t), args...).CombinedOutput()
	switch {
	case ctx.Err() != nil:
		t.Logf("the books were not verified: that takes longer than %v", verifyWithin)
		return
	case err != nil:
		t.Errorf("verify: %v\n%.2000s", err, out)
	}
	t.Logf("the books were verified in %v", time.Since(begun).Round(time.Millisecond))
}

func onSQLite(t *testing.T, rounds int, each time.Duration) {
	bank := fillBank(t, "")
	server := bank.serve(t)
	var bare, many figures
	server.deduct(t, time.Second, inBatch, batchers, bank.payers) // warm
	for round := range rounds {
		bare.rates = append(bare.rates, bareInserts(t, bank.payers, each))
		many.add(server.deduct(t, each, inBatch, batchers, bank.payers), inBatch)
		t.Logf("round %d: SQLite bare %d, batches %d; load %s", round+1, bare.rates[round]/10, many.rates[round]/10, loadOf())
	}
	t.Logf("SQLite, bare inserts of the rows of deductions, %d a transaction: %s", inBatch, bare.text())
	t.Logf("SQLite, deductions by %d, %d connections: %s", inBatch, batchers, many.text())
	judged(t, "SQLite, by the thousand, to bare inserts", ratio(&many, &bare), 50)
	server.verified(t)
}

// bareInserts is how many deductions' rows a second go into a file of the same
// table and settings when nobody reads, checks or adds up anything: an entry
// each, which is all that a deduction from cash adds, a thousand a transaction.
func bareInserts(t *testing.T, payers []string, lasting time.Duration) int64 {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	for _, ddl := range []string{
		`CREATE TABLE ledger_entry (payer TEXT NOT NULL, number BIGINT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, cause TEXT NOT NULL,
			at BIGINT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL, currency TEXT NOT NULL, cash BIGINT NOT NULL, PRIMARY KEY (payer, number)) WITHOUT ROWID`,
		`CREATE UNIQUE INDEX ledger_entry_key ON ledger_entry (key)`,
	} {
		if _, err := db.ExecContext(t.Context(), ddl); err != nil {
			t.Fatal(err)
		}
	}
	const atOnce = 50
	values := func(columns int) string {
		row := "(" + strings.TrimSuffix(strings.Repeat("?,", columns), ",") + ")"
		return strings.TrimSuffix(strings.Repeat(row+",", atOnce), ",")
	}
	numbers, hash, total, begun := map[string]int64{}, strings.Repeat("0123456789abcdef", 4), int64(0), time.Now()
	for time.Since(begun) < lasting {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for range inBatch / atOnce {
			var entries []any
			for i := range atOnce {
				payer := payers[mathrand.IntN(len(payers))]
				numbers[payer]++
				n := numbers[payer]
				entries = append(entries, payer, n, fmt.Sprintf("ltxn_%032x", total+int64(i)), fmt.Sprintf("deduction:load:run1-0-%d-%d", total, i), "deduction", "load test, order 4711", begun.UnixMicro(), hash, hash, "CNY", int64(1))
			}
			if _, err := tx.ExecContext(t.Context(), "INSERT INTO ledger_entry VALUES "+values(11), entries...); err != nil {
				t.Fatal(err)
			}
			total += atOnce
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	return total * 10 * int64(time.Second) / int64(time.Since(begun))
}

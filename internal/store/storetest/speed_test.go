//go:build bench

// The speed of billing, for `make bench-billing`. It is not part of the tests:
// it takes minutes, and what it measures depends on the machine.

package storetest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/rate"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/postgres"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/wallet"
)

// What is measured.
const (
	itemsEach = 13 // of a workspace
	perPayer  = 10 // workspaces
	few       = 10_000
)

func number(t *testing.T, name string, otherwise int) int {
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

func TestBillingSpeed(t *testing.T) {
	many, rounds := number(t, "WORKSPACES", 1_000_000), number(t, "ROUNDS", 3)
	t.Logf("%d processors, %s", runtime.NumCPU(), load(t))
	rating(t)
	small := measure(t, few, rounds)
	large := measure(t, many, number(t, "LARGE_ROUNDS", 1))
	t.Logf("a workspace takes %v at %d, %v at %d: %.2f times", large.each, many, small.each, few, large.each.Seconds()/small.each.Seconds())
	t.Logf("in processor time %v and %v: %.2f times", large.cpu, small.cpu, large.cpu.Seconds()/small.cpu.Seconds())
	t.Logf("%s", load(t))
}

// rating measures lines rated in a second of processor time.
func rating(t *testing.T) {
	v, err := catalog.Default().At(day(march1))
	if err != nil {
		t.Fatal(err)
	}
	tariff := rate.NewTariff(v, catalog.Market{Currency: money.CNY, Group: site.China})
	var used []usage.Quantity
	for i, item := range sold(t)[:itemsEach] {
		used = append(used, usage.Quantity{Item: item.ID, Class: item.Classes[0], Quantity: quantity.Of(int64(i+1) * 1_234_567)})
	}
	held := make([]byte, 32<<20) // as much as a close holds
	defer runtime.KeepAlive(held)
	before, lines := spent(t), 0
	for spent(t)-before < 2*time.Second {
		for range 10_000 {
			rated, err := tariff.Rate(used)
			if err != nil {
				t.Fatal(err)
			}
			lines += len(rated.Lines)
		}
	}
	t.Logf("rating: %.1f million lines a second a core", float64(lines)/(spent(t)-before).Seconds()/1e6)
}

// sold are the items that make lines.
func sold(t *testing.T) []catalog.Item {
	v, err := catalog.Default().At(day(march1))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(slices.Clone(v.Items), func(it catalog.Item) bool { return !it.PayAsYouGo || it.OperatorSwitch })
}

// measured is what a number of workspaces came to.
type measured struct{ each, cpu time.Duration } // medians for a workspace

// measure closes days of so many workspaces, each beside a bare COPY of the
// same lines into a table without index, on one server.
func measure(t *testing.T, workspaces, rounds int) measured {
	url := testkit.Postgres(t)
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
	e, err := postgres.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(e)
	defer func() { _ = s.Close() }()
	began := time.Now()
	fill(t, s, c, workspaces, rounds)
	t.Logf("%d workspaces of %d items, %d a payer: filled in %v", workspaces, itemsEach, perPayer, time.Since(began).Round(time.Second))
	var ratios, closes, cpus []float64
	for round := range rounds {
		d := day(march1).Add(round)
		copied, copyCPU := copyLines(t, c, workspaces, d)
		run(t, c, `CHECKPOINT`)
		forgetPeak()
		here, there, start := spent(t), served(t, c), time.Now()
		b := books(s)
		b.Workers = number(t, "WORKERS", 5) // as the product has it
		b.Lot = number(t, "LOT", bill.LotOf)
		b.Read = func(ctx context.Context, f func(bill.Tx) error) error {
			return s.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		}
		closed, err := b.CloseDay(t.Context(), bill.CloseDay{Site: "cn1", Day: d}, noon.AddDate(0, 6, 0))
		took := time.Since(start)
		if err != nil || closed.Bills != int64(workspaces) || closed.Parked != 0 {
			t.Fatalf("closed %+v, %v", closed, err)
		}
		ratios, closes = append(ratios, took.Seconds()/copied.Seconds()), append(closes, took.Seconds())
		here, there = spent(t)-here, served(t, c)-there
		cpus = append(cpus, (here + there).Seconds())
		t.Logf("round %d: COPY of %d lines %.2f s, close %.2f s, %.2f times; peak memory %s", round+1, workspaces*itemsEach,
			copied.Seconds(), took.Seconds(), took.Seconds()/copied.Seconds(), peak(t))
		t.Logf("         processor time of a workspace: COPY %v; close %v here and %v at the server",
			copyCPU/time.Duration(workspaces), here/time.Duration(workspaces), there/time.Duration(workspaces))
	}
	each := func(all []float64) time.Duration {
		slices.Sort(all)
		return time.Duration(all[len(all)/2] / float64(workspaces) * float64(time.Second)).Round(100 * time.Nanosecond)
	}
	slices.Sort(ratios)
	m := measured{each(closes), each(cpus)}
	t.Logf("%d workspaces: %.2f times the COPY (median of %d), %v a workspace, %.0f workspaces a second",
		workspaces, ratios[len(ratios)/2], rounds, m.each, float64(time.Second)/float64(m.each))
	return m
}

func run(t *testing.T, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// fill makes the workspaces, their payers with enough cash, and usage of every
// item in every hour of each day.
func fill(t *testing.T, s *store.Store, c *pgx.Conn, workspaces, days int) {
	payers := (workspaces + perPayer - 1) / perPayer
	run(t, c, `
		INSERT INTO billing_account (id, user_name, email, phone, password, currency, profile, language, disabled, arbitrary_settlement, created_at)
		SELECT 'bcac_' || MD5('payer' || i), 'payer' || i, 'payer' || i || '@pay.example', '', '', 'CNY', '{}', 'en', 0, 0, 0
		FROM GENERATE_SERIES(1, $1::BIGINT) AS i`, payers)
	run(t, c, `
		INSERT INTO workspace (id, site, name, language, owner_id, plan, generation, state, payer, settlement, created_at, upgraded_at, revision)
		SELECT 'wksp_' || MD5('workspace' || i), 'cn1', 'shop', 'en', 'acnt_1', 'commercial', 2, 'normal',
			'bcac_' || MD5('payer' || (i % $2 + 1)), 'billing_center', 0, $3, 1
		FROM GENERATE_SERIES(1, $1::BIGINT) AS i`, workspaces, payers, period.Micros(upgraded.AddDate(0, 0, -10)))
	recharge(t, s, c)
	run(t, c, `ALTER TABLE usage_day DROP CONSTRAINT usage_day_pkey`)
	for d := range days {
		use(t, c, workspaces, day(march1).Add(d))
	}
	run(t, c, `ALTER TABLE usage_day ADD PRIMARY KEY (day, workspace_id, generation)`)
	run(t, c, `VACUUM ANALYZE`)
}

// use keeps a day of usage: every workspace has a sample of each item in each
// of the 24 hours, no two quantities alike.
func use(t *testing.T, c *pgx.Conn, workspaces int, d period.Day) {
	cn1, err := site.Find("cn1")
	if err != nil {
		t.Fatal(err)
	}
	hours, items := d.Hours(cn1.Zone), sold(t)[:itemsEach]
	changes := make([]usage.Change, 0, len(hours)*len(items))
	units := make([]int64, len(items))
	for i, item := range items {
		units[i], _ = item.Unit.Size.Int()
	}
	run(t, c, `CREATE TEMPORARY TABLE used (n BIGINT, record BYTEA)`)
	_, err = c.CopyFrom(t.Context(), pgx.Identifier{"used"}, []string{"n", "record"}, pgx.CopyFromSlice(workspaces, func(n int) ([]any, error) {
		changes = changes[:0]
		for i, item := range items {
			whole := units[i] * int64(1000+(n*7919+i*104729)%9000) / 1000
			for h, hour := range hours {
				q := whole/24 + int64(h) + 1
				if item.Rule == catalog.Max24 {
					q = whole - int64(h)%whole
				}
				changes = append(changes, usage.Change{Item: item.ID, Class: item.Classes[0], Hour: hour, Quantity: q})
			}
		}
		record, err := usage.NewRecord(d, cn1.Zone).With(changes)
		return []any{n + 1, []byte(record)}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	run(t, c, `
		INSERT INTO usage_day (day, workspace_id, generation, record)
		SELECT $1, 'wksp_' || MD5('workspace' || n), 2, record
		FROM used`, d.String())
	run(t, c, `DROP TABLE used`)
}

// recharge gives every payer cash, by entries as a bank transfer makes them.
func recharge(t *testing.T, s *store.Store, c *pgx.Conn) {
	rows, err := c.Query(t.Context(), `SELECT id FROM billing_account ORDER BY id`)
	payers, err2 := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	cash := money.MustParse("5000000", money.CNY)
	for chunk := range slices.Chunk(payers, 1000) {
		write(t, s, func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.LedgerHeads(ctx, chunk); err != nil {
				return err
			}
			entries := make([]wallet.Entry, len(chunk))
			for i, payer := range chunk {
				e := wallet.Entry{ID: "lent_" + payer, At: noon, Number: 1, Movement: wallet.Movement{
					Key: "transfer:" + payer, Kind: wallet.Deposit, Cause: payer, Payer: payer,
					Postings: []wallet.Posting{{Account: wallet.Cash(payer), Amount: cash}, {Account: wallet.Bank(money.CNY), Amount: cash.Neg()}},
				}}
				e.Hash = e.Sum()
				entries[i] = e
			}
			return tx.AppendEntries(ctx, entries)
		})
	}
}

// copyLines is what the close is compared with: the same lines, a row each
// with what it cost and how it was paid, by one COPY into a table without index.
func copyLines(t *testing.T, c *pgx.Conn, workspaces int, d period.Day) (took, cpu time.Duration) {
	run(t, c, `DROP TABLE IF EXISTS line`)
	run(t, c, `
		CREATE TABLE line (
			workspace_id TEXT NOT NULL, day TEXT NOT NULL, item TEXT NOT NULL, class TEXT NOT NULL,
			quantity TEXT NOT NULL, units TEXT NOT NULL, unit_price TEXT NOT NULL, exact TEXT NOT NULL, amount BIGINT NOT NULL,
			voucher BIGINT NOT NULL, full_reduction BIGINT NOT NULL, card BIGINT NOT NULL, cash BIGINT NOT NULL, cloud BIGINT NOT NULL, owed BIGINT NOT NULL
		)`)
	run(t, c, `CHECKPOINT`)
	tails := make([]string, 0, itemsEach)
	for _, item := range sold(t)[:itemsEach] {
		tails = append(tails, "\t"+d.String()+"\t"+item.ID+"\t"+item.Classes[0]+"\t5123456\t5.12\t1.5\t7.68\t768\t0\t0\t0\t768\t0\t0\n")
	}
	from, to := io.Pipe()
	go func() {
		buffer := make([]byte, 0, 1<<16)
		for i := range workspaces {
			for _, tail := range tails {
				buffer = append(fmt.Appendf(buffer, "wksp_%032x", i), tail...)
			}
			if len(buffer) > 1<<15 {
				_, _ = to.Write(buffer)
				buffer = buffer[:0]
			}
		}
		_, _ = to.Write(buffer)
		_ = to.Close()
	}()
	cpu = spent(t) + served(t, c)
	start := time.Now()
	tag, err := c.PgConn().CopyFrom(t.Context(), from, `COPY line FROM STDIN`)
	took = time.Since(start)
	if err != nil || tag.RowsAffected() != int64(workspaces*itemsEach) {
		t.Fatalf("copied %d: %v", tag.RowsAffected(), err)
	}
	cpu = spent(t) + served(t, c) - cpu
	run(t, c, `DROP TABLE line`)
	return took, cpu
}

// spent is the processor time of this process.
func spent(t *testing.T) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// served is the processor time of the server's processes: the kernel counts it
// in hundredths of a second.
func served(t *testing.T, c *pgx.Conn) time.Duration {
	rows, err := c.Query(t.Context(), `SELECT pid::BIGINT FROM pg_stat_activity`)
	pids, err2 := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var ticks int64
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it ended meanwhile
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		ticks += user + system
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

func load(t *testing.T) string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load unknown"
	}
	return "load " + strings.Join(strings.Fields(string(text))[:3], " ")
}

// forgetPeak lets the kernel measure the peak of memory anew.
func forgetPeak() {
	runtime.GC()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // without it the peak is that of the whole run
}

func peak(t *testing.T) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "unknown"
}

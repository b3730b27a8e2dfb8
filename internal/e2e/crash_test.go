package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/testkit"
)

// kills is how often a process is killed; TOLLGATE_KILLS makes it more.
func kills(t *testing.T) int {
	text, set := os.LookupEnv("TOLLGATE_KILLS")
	if !set {
		return 8
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TOLLGATE_KILLS=%s is no number of kills", text)
	}
	return n
}

// Promises P1 and P2 at the whole of the product.
func TestKillNineLosesNothingAcknowledgedAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"SQLite": embedded, "PostgreSQL": testkit.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := demo(t, engine(t)).newcomer("crash")
			x.upgrade()
			writers := newWriters(logsAsProtobuf, influx, prometheus)
			for n := range kills(t) {
				f := x.write(writers...)
				reached(t, writers, 3+rand.Int64N(40))
				x.daemon.Kill()
				f.halt()
				x.start()
				if n%2 == 0 { // a collector that has had no answer sends again, or it does not
					x.sendAgain(writers)
				}
				x.accounted(sentBy(writers))
			}
			x.sendAgain(writers)
			x.settled(writers)
			x.verified()
		})
	}
}

// reached waits until the writers together have been acknowledged so often more.
func reached(t *testing.T, writers []*writer, more int64) {
	t.Helper()
	total := func() (n int64) {
		for _, w := range writers {
			n += w.acked.Load()
		}
		return n
	}
	before := total()
	testkit.Eventually(t, time.Minute, func() error {
		if got := total() - before; got < more {
			return fmt.Errorf("%d acknowledgements of %d", got, more)
		}
		return nil
	})
}

// sendAgain sends, byte for byte, what has not been acknowledged.
func (x *team) sendAgain(writers []*writer) {
	x.t.Helper()
	c := sending()
	defer c.CloseIdleConnections()
	for _, w := range writers {
		w.mu.Lock()
		for n := range w.reports {
			r := &w.reports[n]
			if r.acknowledged() {
				continue
			}
			if r.deliver(x.t, c, x.gateway, x.token); !r.acknowledged() {
				x.t.Errorf("%s was sent again and answered %d %s", r.wire.name, r.status, r.answer)
			}
		}
		w.mu.Unlock()
	}
}

// accounted holds the sink and the usage against what was acknowledged: all of
// it, once, and of the rest whole reports at most once.
func (x *team) accounted(reports []report) {
	x.t.Helper()
	found := x.inSink()
	sure, possible := map[int64]kept{}, map[int64]kept{}
	for _, r := range reports {
		there := 0
		for _, id := range r.ids {
			list := found[id]
			if len(list) > 1 {
				x.t.Errorf("record %d of %s is in the sink %d times", id, r.wire.name, len(list))
			}
			if len(list) == 0 {
				continue
			}
			there++
			possible[id] = list[0]
			if r.acknowledged() {
				sure[id] = list[0]
			}
		}
		if r.acknowledged() && there != len(r.ids) || there != 0 && there != len(r.ids) {
			x.t.Errorf("%s was answered %d, and %d of its %d records are in the sink", r.wire.name, r.status, there, len(r.ids))
		}
	}
	leastLogs, leastSeries := counted(sure)
	mostLogs, mostSeries := counted(possible)
	testkit.Eventually(x.t, 15*time.Second, func() error {
		got, err := x.used()
		if err != nil {
			return err
		}
		if n := got[meter.Logs]; n < leastLogs || n > mostLogs {
			return fmt.Errorf("%d logs are counted, not %d to %d", n, leastLogs, mostLogs)
		}
		if n := got[meter.Series]; n < leastSeries || n > mostSeries {
			return fmt.Errorf("%d series are counted, not %d to %d", n, leastSeries, mostSeries)
		}
		return nil
	})
}

// settled holds that everything sent is stored once, counted exactly, and
// billed so when the day is over.
func (x *team) settled(writers []*writer) {
	x.t.Helper()
	stored := map[int64]kept{}
	found := x.inSink()
	for _, r := range sentBy(writers) {
		for _, id := range r.ids {
			if len(found[id]) != 1 {
				x.t.Errorf("record %d of %s is in the sink %d times", id, r.wire.name, len(found[id]))
				continue
			}
			stored[id] = found[id][0]
		}
	}
	if len(found) != len(stored) {
		x.t.Errorf("the sink has %d records, and %d were sent", len(found), len(stored))
	}
	x.billedExactly(stored)
}

// An upgrade that dies in the middle is done, with all that belongs to it, or
// not begun; and going on from there gives one.
func TestAnUpgradeThatIsKilledIsDoneOrNotBegun(t *testing.T) {
	t.Parallel()
	i := serve(t)
	var teams []*team
	for n := range 6 {
		x := i.newcomer(fmt.Sprintf("half%d", n))
		x.prepare()
		teams = append(teams, x)
	}
	for n, x := range teams {
		began := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			close(began)
			_, _ = x.studio().Upgrade(t.Context(), "once", x.id, x.name) // it dies with the process, or was quicker
		}()
		<-began
		<-time.After(time.Duration(n*n) * 200 * time.Microsecond)
		i.daemon.Kill()
		<-ended
		i.start()

		before, err := x.studio().UpgradeState(t.Context(), x.id)
		must(t, before, err)
		w, err := x.studio().Workspace(t.Context(), x.id)
		must(t, w, err)
		if done := before.Next == "done"; done != (w.Plan == "commercial") || done != (w.UpgradedAt != nil) || !done && before.Next != "confirm" {
			t.Errorf("killed in the middle: next step %q of a workspace that is %+v", before.Next, w)
		}
		u, err := x.studio().Upgrade(t.Context(), "once", x.id, x.name)
		must(t, u, err)
		if w.UpgradedAt != nil && !w.UpgradedAt.Equal(u.UpgradedAt) {
			t.Errorf("upgraded at %v and then at %v", w.UpgradedAt, u.UpgradedAt)
		}
		x.reminded()
		t.Logf("killed after %d µs, the next step is: %s", n*n*200, before.Next)
	}
	i.verified()
}

// reminded waits for the opening reminder: it is kept with the upgrade and does
// not die with the process.
func (x *team) reminded() {
	x.t.Helper()
	testkit.Eventually(x.t, 20*time.Second, func() error {
		list, err := x.mails(x.email)
		if err != nil {
			return err
		}
		for _, m := range list {
			if m.Kind == "opening_reminder" {
				return nil
			}
		}
		return fmt.Errorf("no opening reminder has come")
	})
}

func TestSIGTERMUnderLoadLosesNothingAcknowledgedAndEndsCleanly(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("term")
	x.upgrade()
	writers := newWriters(logsAsProtobuf, metricsAsLines, prometheus)
	for range 3 {
		f := x.write(writers...)
		flowing(t, writers)
		if err := x.daemon.Stop(); err != nil {
			t.Errorf("exit after SIGTERM: %v", err)
		}
		f.halt()
		for _, r := range sentBy(writers) {
			if !r.acknowledged() && r.status != 0 && r.status != 503 {
				t.Errorf("%s was answered %d %s while the process stopped", r.wire.name, r.status, r.answer)
			}
		}
		x.start()
		x.accounted(sentBy(writers))
		x.sendAgain(writers)
	}
	x.settled(writers)
	x.verified()
}

// Promise P8: killed anywhere in the close of a day, run again, the same bill.
func TestACloseThatIsKilledEndsInTheSameBill(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"SQLite": embedded, "PostgreSQL": testkit.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := demo(t, engine(t)).newcomer("close")
			x.upgrade()
			writers := newWriters(logsAsLines, influx)
			x.dayBilled(writers, nil)
			whole := x.dayBilled(writers, nil)
			const parts = 7
			for n := range parts {
				after := whole * time.Duration(n) / (parts - 1)
				x.dayBilled(writers, func() { // the move of the clock is under way
					<-time.After(after)
					x.daemon.Kill()
				})
			}
			x.verified()
		})
	}
}

// dayBilled reports, lets the day end, perhaps killed meanwhile, and holds the
// day's bill against what was reported, and the earlier bills against what
// they were. It gives the time that the move of the clock took.
func (x *team) dayBilled(writers []*writer, killed func()) time.Duration {
	x.t.Helper()
	day, earlier := x.today(), x.bills()
	logs, series := x.aDaysReports(writers)
	began := time.Now()
	if killed == nil {
		x.advance("1d")
	} else {
		x.advanceKilled(killed)
		now, bills := x.today(), x.bills()
		x.t.Logf("killed when the clock had moved from %s to %s; %d more bills were there soon after", day, now, len(bills)-len(earlier))
		if now == day {
			x.advance("1d")
		}
	}
	took := time.Since(began)
	var list []client.Bill
	testkit.Eventually(x.t, 30*time.Second, func() error {
		if list = x.bills(); len(list) <= len(earlier) {
			return fmt.Errorf("no bill of %s yet", day)
		}
		return nil
	})
	last := list[len(list)-1]
	switch {
	case len(list) != len(earlier)+1 || last.Day != day:
		x.t.Fatalf("%d bills and then %d, the last of %s, want one more of %s", len(earlier), len(list), last.Day, day)
	case len(earlier) > 0 && !reflect.DeepEqual(list[:len(earlier)], earlier):
		x.t.Errorf("earlier bills have changed:\n%+v\n%+v", earlier, list)
	case billed(last, meter.Logs) != fmt.Sprint(logs) || billed(last, meter.Series) != fmt.Sprint(series):
		x.t.Errorf("the bill of %s charges %s logs and %s series, want %d and %d", day, billed(last, meter.Logs), billed(last, meter.Series), logs, series)
	}
	return took
}

// aDaysReports sends some, and gives what they count as in a day.
func (x *team) aDaysReports(writers []*writer) (logs, series int64) {
	x.t.Helper()
	c := sending()
	defer c.CloseIdleConnections()
	fresh := map[int64]kept{}
	for range 10 {
		for _, w := range writers {
			r := w.send(x.t, c, x.gateway, x.token)
			if !r.acknowledged() {
				x.t.Fatalf("%s was answered %d %s", r.wire.name, r.status, r.answer)
			}
			for _, id := range r.ids {
				fresh[id] = kept{}
			}
		}
	}
	for id, list := range x.inSink() {
		if _, ours := fresh[id]; ours {
			fresh[id] = list[0]
		}
	}
	return counted(fresh)
}

// advanceKilled moves the clock by a day, kills the process meanwhile, and
// starts it again.
func (x *team) advanceKilled(killed func()) {
	x.t.Helper()
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		_, _ = x.tool("clock", "advance", "1d", "--data", x.folder) // it dies with the process, or was quicker
	}()
	killed()
	<-moved
	x.start()
}

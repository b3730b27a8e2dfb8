package fire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/gateway"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/usage"
)

// What tells the test binary to be the process that is killed.
const (
	childFolder = "TOLLGATE_TEST_FIRE"
	childStory  = "TOLLGATE_TEST_FIRE_STORY"
	childUpTo   = "TOLLGATE_TEST_FIRE_UPTO"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := live(context.Background(), folder, os.Getenv(childStory), os.Getenv(childUpTo)); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		return
	}
	testkit.Main(m)
}

// start is where the clock of every story stands at its beginning: 10:00 of a
// day in Hangzhou.
var start = time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)

// books is the file of the store, in the folder of a life.
const books = "tollgate.db"

// life is one life of the process: what is in memory dies with it.
type life struct {
	folder string
	store  *store.Store
	clock  *job.Clock
	engine *app.Engine
	sink   sink.Sink
	diary  *diary

	gateway *gateway.Gateway // none until a report is to come
	listens *httptest.Server
}

// live goes on with a story where the life before was killed. "opened" ends it
// behind the story's opening.
func live(ctx context.Context, folder, name, upTo string) error {
	s, known := stories[name]
	if !known {
		return fmt.Errorf("no story %q", name)
	}
	d, err := openDiary(filepath.Join(folder, "diary"))
	if err != nil {
		return err
	}
	l := &life{folder: folder, diary: d}
	if !s.bare {
		if err := l.open(ctx); err != nil {
			return err
		}
		defer func() { _ = l.store.Close() }()
	}
	if s.open != nil && !d.has("opened") {
		if err := s.open(ctx, l); err != nil {
			return fmt.Errorf("open: %w", err)
		}
		d.note("opened")
	}
	if upTo == "opened" {
		return nil
	}
	fmt.Println("ready")
	for i := range s.steps {
		done := fmt.Sprint("done ", i)
		if d.has(done) {
			continue
		}
		if err := s.step(ctx, l, i); err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		d.note(done)
	}
	return nil
}

// open opens the installation: what commits is in the file when the process
// dies, whether or not the disk has it, so that no commit waits for the disk.
func (l *life) open(ctx context.Context) error {
	e, err := sqlite.OpenScratch(ctx, filepath.Join(l.folder, books))
	if err != nil {
		return err
	}
	l.store = store.New(e)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if l.clock, err = job.Kept(ctx, l.store, start); err != nil {
		return err
	}
	if l.sink, err = sink.OpenLocal(filepath.Join(l.folder, "records"), log); err != nil {
		return err
	}
	l.engine, err = app.NewEngine(ctx, app.Bench{
		Store: l.store, Clock: l.clock, Catalog: catalog.Default(), Log: log, Sink: l.sink, Flush: l.flush,
		Channels: []topup.Channel{till{l.diary}}, Clouds: []marketplace.Cloud{bazaar{l.diary}},
		Send: func(_ context.Context, m notify.Mail) error {
			if m.Kind == notify.Code {
				l.diary.note("code-to-" + m.To + " " + code.FindString(m.Text))
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	return l.flush(ctx) // as a gateway does when it starts
}

// write is a transaction and the jobs that it causes.
func (l *life) write(ctx context.Context, f func(tx *store.Tx) error) error {
	if err := l.store.Write(ctx, f); err != nil {
		return err
	}
	return l.engine.Work(ctx)
}

// to moves the clock to an instant, unless it is there already.
func (l *life) to(ctx context.Context, at time.Time) error {
	if by := at.Sub(l.clock.Now()); by > 0 {
		return l.engine.Advance(ctx, by)
	}
	return l.engine.Work(ctx)
}

// flush says that no usage is left behind. The number of a batch follows from
// the clock, so that it is the same in every life.
func (l *life) flush(ctx context.Context) error {
	now := l.clock.Now()
	if l.gateway != nil {
		if err := l.gateway.Flush(ctx); err != nil {
			return err
		}
	}
	return l.hand(ctx, usage.Batch{Seq: 2 * now.UnixMicro(), Through: now})
}

// report hands usage over, once for each instant of the clock.
func (l *life) report(ctx context.Context, deltas []usage.Delta) error {
	now := l.clock.Now()
	return l.hand(ctx, usage.Batch{Seq: 2*now.UnixMicro() + 1, Through: now, Deltas: deltas})
}

func (l *life) hand(ctx context.Context, b usage.Batch) error {
	b.Gateway, b.Epoch = "fire", 1
	return l.store.Write(ctx, func(tx *store.Tx) error { return tx.AddUsage(ctx, b) })
}

// diary is what outlives the process besides its store: what the world outside
// saw, and how far the story has come.
type diary struct {
	file  *os.File
	lines map[string]bool
	order []string
}

func openDiary(path string) (*diary, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	d := &diary{file: f, lines: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		d.lines[strings.TrimSuffix(line, "\n")] = true
		d.order = append(d.order, strings.TrimSuffix(line, "\n"))
	}
	return d, nil
}

func (d *diary) has(line string) bool { return d.lines[line] }

// note adds a line by one write, which a death leaves whole or out.
func (d *diary) note(line string) {
	if _, err := d.file.WriteString(line + "\n"); err != nil {
		panic(err)
	}
	d.lines[line] = true
	d.order = append(d.order, line)
}

// after lists what follows a word, in order.
func (d *diary) after(word string) (rest []string) {
	for _, line := range d.order {
		if text, ok := strings.CutPrefix(line, word+" "); ok {
			rest = append(rest, text)
		}
	}
	return rest
}

// till is a payment channel that remembers in the diary.
type till struct{ diary *diary }

func (c till) Name() topup.Name                   { return topup.Alipay }
func (c till) Takes(currency money.Currency) bool { return currency == money.CNY }
func (c till) Reply(bool) topup.Reply             { return topup.Reply{} }

func (c till) Open(_ context.Context, p topup.Payment) (topup.Opened, error) {
	return topup.Opened{Session: "s-" + p.ID, URL: "https://pay.example/" + p.ID}, nil
}

func (c till) Ask(context.Context, topup.Payment) ([]topup.Report, error) {
	return []topup.Report{{Outcome: topup.IsOpen}}, nil
}

// Refund pays back once per refund, as a real channel does.
func (c till) Refund(_ context.Context, p topup.Payment, r topup.Refund) (topup.Report, error) {
	if line := "refunded " + r.ID; !c.diary.has(line) {
		c.diary.note(line)
	}
	return topup.Report{Event: "refund:" + r.ID, PaymentID: p.ID, Reference: p.Reference, Outcome: topup.WasRefunded, Amount: r.Amount}, nil
}

func (c till) Read(m topup.Message) ([]topup.Report, error) {
	var w word
	err := json.Unmarshal(m.Body, &w)
	return []topup.Report{{Event: w.Event, PaymentID: w.Payment, Reference: "trade-" + w.Payment, Outcome: w.Outcome, Amount: money.Of(w.Minor, money.CNY)}}, err
}

// word is what the channel says in a notice.
type word struct {
	Event, Payment string
	Outcome        topup.Outcome
	Minor          int64
}

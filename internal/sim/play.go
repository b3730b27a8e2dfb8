package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/app"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/retention"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usage"
	"tollgate.dev/internal/workspace"
)

// play is a scenario under way.
type play struct {
	scenario *Scenario
	store    *store.Store
	clock    *job.Clock
	engine   *app.Engine
	payers   map[string]account.Billing // by name
	shops    map[string]opened          // by name
	mails    []notify.Mail              // as they left
	readers  map[string]reading         // by address
	batches  int64                      // of usage, handed over so far
	packages []boughtPackage            // as they were bought
	codes    map[string]string          // activation codes by their names in the file
	markets  map[site.Method]*market    // of the clouds
	heard    int64                      // events of clouds
	refused  []Refusal
}

// opened is a workspace of the file in the store.
type opened struct {
	shop
	id    string
	owner workspace.Actor
	email string // of the Owner
}

// reading is who reads the mails to an address.
type reading struct {
	name string         // as the scenario says it
	zone *time.Location // of the site
}

// errStart is an error at the start, with the line that it belongs to.
type errStart struct {
	line int
	err  error
}

func (e errStart) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }

// Play plays a scenario on a fresh store and tells what came of it. A start
// that the rules refuse is Problems: then the file asks for what cannot be.
func Play(ctx context.Context, s *Scenario, st *store.Store, log *slog.Logger) (Outcome, error) {
	p := &play{
		scenario: s, store: st, clock: job.Still(s.Start),
		payers: map[string]account.Billing{}, shops: map[string]opened{}, readers: map[string]reading{}, codes: map[string]string{},
	}
	var err error
	if p.markets, err = openMarkets(s.clouds, p.clock.Now); err != nil {
		return Outcome{}, err
	}
	p.engine, err = app.NewEngine(ctx, app.Bench{
		Store: st, Clock: p.clock, Catalog: s.Catalog, Log: log, Flush: p.flush, Clouds: p.clouds(),
		Send: func(_ context.Context, m notify.Mail) error {
			p.mails = append(p.mails, m)
			return nil
		},
	})
	if err != nil {
		return Outcome{}, err
	}
	if err := p.open(ctx); err != nil {
		var start errStart
		if errors.As(err, &start) && isRefusal(start.err) {
			return Outcome{}, Problems{{start.line, "the start is refused: " + start.err.Error()}}
		}
		return Outcome{}, err
	}
	for i, step := range s.steps {
		if err := p.step(ctx, i, step); err != nil {
			return Outcome{}, fmt.Errorf("%s: %w", step.describe(i), err)
		}
	}
	if err := p.engine.Work(ctx); err != nil {
		return Outcome{}, err
	}
	return p.outcome(ctx)
}

// clouds are the marketplaces in their order.
func (p *play) clouds() []marketplace.Cloud {
	var list []marketplace.Cloud
	for _, m := range connected() {
		list = append(list, p.markets[m])
	}
	return list
}

// step plays one step; what the rules refuse is kept and changes nothing.
func (p *play) step(ctx context.Context, i int, st step) error {
	err := p.moveTo(ctx, st.at)
	if err == nil {
		err = st.action.play(ctx, p)
	}
	if isRefusal(err) {
		f := fault.From(err)
		p.refused = append(p.refused, Refusal{Step: i, Code: f.Code, Message: f.Message})
		return nil
	}
	return err
}

// isRefusal tells what the rules refuse from what went wrong.
func isRefusal(err error) bool {
	return err != nil && fault.From(err).Kind != fault.Internal
}

// moveTo moves the clock to the instant; the zero time leaves it.
func (p *play) moveTo(ctx context.Context, at time.Time) error {
	if at.IsZero() || at.Equal(p.clock.Now()) {
		return nil
	}
	if at.Before(p.clock.Now()) {
		return job.ErrBackwards
	}
	for p.clock.Now().Before(at) {
		if err := p.engine.Advance(ctx, min(at.Sub(p.clock.Now()), job.MostAdvance)); err != nil {
			return err
		}
	}
	return nil
}

// flush tells the store that no usage is left behind: what a step reports is
// handed over at once.
func (p *play) flush(ctx context.Context) error { return p.handOver(ctx, nil) }

func (p *play) handOver(ctx context.Context, deltas []usage.Delta) error {
	p.batches++
	b := usage.Batch{Gateway: "simulation", Epoch: 1, Seq: p.batches, Deltas: deltas, Through: p.clock.Now()}
	return p.store.Write(ctx, func(tx *store.Tx) error { return tx.AddUsage(ctx, b) })
}

// mailed is the code of the newest mail to an address.
func (p *play) mailed(to string) (string, error) {
	for i := len(p.mails) - 1; i >= 0; i-- {
		if m := p.mails[i]; m.To == to && m.Kind == notify.Code {
			if digits := code.FindString(m.Text); digits != "" {
				return digits, nil
			}
		}
	}
	return "", fmt.Errorf("no code was mailed to %s", to)
}

var code = regexp.MustCompile(fmt.Sprintf(`\b\d{%d}\b`, account.CodeDigits))

// settings are the classes of a workspace at an instant.
func (p *play) settings(ctx context.Context, tx *store.Tx, w workspace.Workspace, at time.Time) (retention.Settings, error) {
	v, err := retention.Version(p.scenario.Catalog, w.Site, at)
	if err != nil {
		return retention.Settings{}, err
	}
	chosen, err := tx.RetentionSettings(ctx, w.ID)
	return retention.Of(w.Plan, v).With(chosen, at), err
}

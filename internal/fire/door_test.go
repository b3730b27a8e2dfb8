package fire_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// door is a real gateway of this life, behind a real listener.
func (l *life) door(ctx context.Context) (address string, err error) {
	if l.listens != nil {
		return l.listens.URL, nil
	}
	if l.gateway, err = l.engine.Gateway(ctx, l.folder); err != nil {
		return "", err
	}
	if err := l.gateway.Start(ctx); err != nil {
		return "", err
	}
	l.listens = httptest.NewServer(l.gateway.Handler())
	return l.listens.URL, nil
}

// openDoor are the shops, and the installation's key of series: members of sets
// are told apart by it, so that every run begins with the same one.
func openDoor(ctx context.Context, l *life) error {
	if err := openShops(ctx, l); err != nil {
		return err
	}
	_, err := l.engine.Gateway(ctx, l.folder)
	return err
}

// reports is how many steps the story of reports has before its day closes.
const reports = 6

// report sends what a collector has, again and again until it is acknowledged,
// and then lets it be handed over. The collector remembers in the diary what
// was acknowledged, and sends all else anew when it begins again.
func report(ctx context.Context, l *life, i int) error {
	address, err := l.door(ctx)
	if err != nil {
		return err
	}
	if i == reports {
		return l.to(ctx, period.DayOf(start, zone()).End(zone()).Add(10*time.Minute))
	}
	var token workspace.Token
	if err := l.store.Read(ctx, func(tx *store.Tx) (err error) {
		token, err = tx.CurrentToken(ctx, "wksp_rich-0")
		return err
	}); err != nil {
		return err
	}
	for category, body := range bodies(i) {
		known := fmt.Sprint("acknowledged ", category, " ", i)
		if l.diary.has(known) {
			continue
		}
		if err := insist(ctx, address+"/v1/write/"+category+"?token="+token.Secret, body); err != nil {
			return err
		}
		l.diary.note(known)
	}
	return l.flush(ctx)
}

// bodies are what is reported in a step, all of it with its own time. A series
// that was reported before counts no more.
func bodies(i int) map[string][]byte {
	at := start.Add(time.Duration(i-reports) * time.Minute)
	var logs, metrics, spans bytes.Buffer
	for k := range 3 {
		ns := at.Add(time.Duration(k) * time.Second).UnixNano()
		fmt.Fprintf(&logs, "nginx,host=h%d message=\"step %d line %d\" %d\n", k, i, k, ns)
		fmt.Fprintf(&metrics, "cpu,host=h%d,step=%d usage=%di %d\n", k, i/2, k, ns)
		fmt.Fprintf(&spans, "ddtrace,service=shop trace_id=\"t%d\",span_id=\"s%d-%d\",resource=\"GET /\",operation=\"http\",duration=12i %d\n", i/2, i, k, ns)
	}
	return map[string][]byte{"logging": logs.Bytes(), "metric": metrics.Bytes(), "tracing": spans.Bytes()}
}

// mostTries bounds how often a collector insists: the gateway says no only
// while it begins.
const mostTries = 1000

func insist(ctx context.Context, address string, body []byte) error {
	for range mostTries {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		if err := answer.Body.Close(); err != nil {
			return err
		}
		switch {
		case answer.StatusCode == http.StatusOK:
			return nil
		case answer.StatusCode != http.StatusServiceUnavailable:
			return fmt.Errorf("answered %d", answer.StatusCode)
		}
	}
	return errors.New("the gateway never begins")
}

// bazaar is a cloud's marketplace that remembers in the diary: what it took it
// has, whatever becomes of who told it.
type bazaar struct{ diary *diary }

func (b bazaar) Method() site.Method         { return site.Alibaba }
func (b bazaar) Way() marketplace.Way        { return marketplace.ByInstance }
func (b bazaar) Storefront() string          { return "https://market.example/tollgate" }
func (b bazaar) Size(marketplace.Record) int { return 100 }

func (b bazaar) Limits() marketplace.Limits {
	return marketplace.Limits{Records: 25, Resends: marketplace.Unlimited}
}

func (b bazaar) Unit(_ string, c money.Currency) (marketplace.Unit, error) {
	return marketplace.Unit{Dimension: "amount", Price: money.Of(1, c), Most: 1 << 30}, nil
}

func (b bazaar) Window(_ marketplace.Plan, at time.Time) marketplace.Window {
	from := at.UTC().Truncate(time.Hour)
	return marketplace.Window{From: from, To: from.Add(time.Hour)}
}

func (b bazaar) Deadline(_ marketplace.Plan, w marketplace.Window) time.Time {
	return w.From.Add(24 * time.Hour)
}

func (b bazaar) Verify(_ context.Context, c marketplace.Claim) (marketplace.Purchase, error) {
	return marketplace.Purchase{Account: c.Account, Instance: c.Instance, Product: "tollgate", Plan: marketplace.Hourly, Active: true, BoughtAt: start}, nil
}

// Send takes a slot of an instance once, whoever names the record how, and may
// die between taking it and saying so.
func (b bazaar) Send(_ context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	var outcomes []marketplace.Outcome
	for _, r := range records {
		slot := fmt.Sprint("took ", r.Instance, " ", r.Dimension, " ", r.Slot.UTC().Format(time.RFC3339), " ")
		o := marketplace.Outcome{RecordID: r.ID, State: marketplace.Accepted}
		switch before := b.diary.after(strings.TrimSpace(slot)); {
		case len(before) == 0:
			b.diary.note(slot + r.Quantity.String())
		case before[0] == r.Quantity.String():
			o.State = marketplace.DuplicateSame
		default:
			o.State = marketplace.DuplicateDiff
		}
		outcomes = append(outcomes, o)
	}
	failpoint.Here("cloud.send.taken")
	return outcomes, nil
}

// cloudSteps take a workspace from a purchase through two days that its cloud
// settles to the end of the subscription in the middle of a third.
var cloudSteps = []func(ctx context.Context, l *life) error{
	func(ctx context.Context, l *life) error {
		payer := payerOf("rich")
		_, err := l.engine.Clouds().Claim(ctx, site.Alibaba, marketplace.Claim{Account: "1001", Instance: "i-1"}, payer, workspace.Actor{AccountID: payer.ID}, l.clock.Now())
		if err != nil {
			return err
		}
		return l.engine.Work(ctx)
	},
	func(ctx context.Context, l *life) error {
		return l.write(ctx, func(tx *store.Tx) error {
			s, err := tx.SubscriptionByInstance(ctx, site.Alibaba, "i-1")
			if err != nil {
				return err
			}
			rules := settle.Rules{Profile: site.Seed, Enabled: []site.Method{site.Alibaba}}
			_, err = rules.Choose(ctx, tx, "wksp_rich-0", settle.Choice{Method: site.Alibaba, Subscription: s.ID}, workspace.Actor{AccountID: s.Payer}, l.clock.Now())
			if errors.Is(err, settle.ErrSame) {
				return nil // it was chosen before the death
			}
			return err
		})
	},
	func(ctx context.Context, l *life) error { return billDay(ctx, l, 0) },
	func(ctx context.Context, l *life) error { return billDay(ctx, l, 1) },
	func(ctx context.Context, l *life) error {
		noon := period.DayOf(start, zone()).Add(2).Start(zone()).Add(12 * time.Hour)
		if !l.clock.Now().After(noon) { // at noon a death may have come before the report, which counts once anyway
			if err := l.to(ctx, noon); err != nil {
				return err
			}
			if err := use(ctx, l, 7); err != nil {
				return err
			}
		}
		_, err := l.engine.Clouds().Receive(ctx, marketplace.Event{
			ID: "end", Cloud: site.Alibaba, Kind: marketplace.Cancelled, Instance: "i-1", Account: "1001", At: noon, FinalFor: time.Hour, Raw: []byte("end"),
		}, noon)
		if err != nil {
			return err
		}
		return l.engine.Work(ctx)
	},
	func(ctx context.Context, l *life) error { return l.to(ctx, start.AddDate(0, 0, 4)) },
}

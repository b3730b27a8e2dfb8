package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
)

// fair is the doors and the adapters of the demo between its simulators, which
// were written from the clouds' documents alone.
type fair struct {
	*App
	t *testing.T
}

func openFair(t *testing.T) *fair {
	t.Helper()
	a := &App{config: Config{Demo: true, Data: t.TempDir()}, log: testkit.Logger(t), store: storetest.SQLite(t), clock: job.Real()}
	var door http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { door.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	a.baseURL = server.URL
	if err := a.openClouds(t.Context()); err != nil {
		t.Fatal(err)
	}
	door = hooks.New(hooks.Config{Clouds: a.doors, Now: a.clock.Now, Log: a.log})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a.markets.start(ctx)
	a.followEvents(ctx)
	t.Cleanup(func() {
		a.follow()
		cancel()
		if err := a.markets.stop(); err != nil {
			t.Error(err)
		}
	})
	return &fair{a, t}
}

// becomes waits until a subscription stands so.
func (f *fair) becomes(m site.Method, instance string, want marketplace.State) (s marketplace.Subscription) {
	f.t.Helper()
	testkit.Eventually(f.t, 30*time.Second, func() error {
		return f.store.Read(f.t.Context(), func(tx *store.Tx) (err error) {
			if s, err = tx.SubscriptionByInstance(f.t.Context(), m, instance); err == nil && s.State != want {
				err = fmt.Errorf("it is %s", s.State)
			}
			return err
		})
	})
	return s
}

// sends pushes usage of the hour that is over, two hours after the purchase,
// and again after a lost answer: it ends accepted, and counts once.
func (f *fair) sends(s marketplace.Subscription) {
	f.t.Helper()
	cloud, err := f.clouds.Cloud(s.Cloud)
	if err != nil {
		f.t.Fatal(err)
	}
	f.markets.sim.Stage.SetClock(2*time.Hour, 0)
	w := cloud.Window(marketplace.Hourly, f.clock.Now().Add(time.Hour))
	currency := map[site.Method]string{site.AWS: "USD"}[s.Cloud]
	if currency == "" {
		currency = "CNY"
	}
	r := marketplace.Record{
		ID: "mrec_0123456789abcdefghijklmnopqrstuv", Cloud: s.Cloud, Account: s.Account, Instance: s.Instance, Reference: s.Reference, Product: s.Product,
		Plan: marketplace.Hourly, Window: w, Quantity: quantity.Of(42), Attempts: 1,
		Shares: []marketplace.Share{{WorkspaceID: "wksp_0123456789abcdefghijklmnopqrstuv", Quantity: quantity.Of(42)}},
	}
	u, err := cloud.Unit(s.Product, "CNY")
	if err != nil {
		f.t.Fatal(err)
	}
	r.Dimension = u.Dimension
	outcomes, err := cloud.Send(f.t.Context(), []marketplace.Record{r})
	if err != nil || len(outcomes) != 1 || outcomes[0].State != marketplace.Accepted {
		f.t.Fatalf("%s: %+v, %v", s.Cloud, outcomes, err)
	}
	if s.Cloud == site.Alibaba { // a pause of a minute between two pushes of an instance
		return
	}
	r.Attempts = 2
	if outcomes, err = cloud.Send(f.t.Context(), []marketplace.Record{r}); err != nil || outcomes[0].State != marketplace.Accepted && outcomes[0].State != marketplace.DuplicateSame {
		f.t.Errorf("%s again: %+v, %v", s.Cloud, outcomes, err)
	}
}

func (f *fair) act(of func(string, map[string]string) (map[string]string, error), action string, pairs ...string) map[string]string {
	f.t.Helper()
	args := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		args[pairs[i]] = pairs[i+1]
	}
	got, err := of(action, args)
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func TestTheAlibabaAdapterSpeaksWithItsSimulator(t *testing.T) {
	t.Parallel()
	f := openFair(t)
	got := f.act(f.markets.sim.Alibaba.Act, "open", "ali_uid", "1234567890123456")
	s := f.becomes(site.Alibaba, got["instance"], marketplace.Active)
	cloud, err := f.clouds.Cloud(site.Alibaba)
	if err != nil {
		t.Fatal(err)
	}
	p, err := cloud.Verify(t.Context(), marketplace.Claim{Account: "1234567890123456", Instance: got["instance"]})
	if err != nil || !p.Active || p.Order != s.Order {
		t.Errorf("%+v, %v", p, err)
	}
	for _, c := range []marketplace.Claim{{Account: "1234567890123457", Instance: got["instance"]}, {Account: "1234567890123456", Instance: "1"}} {
		if _, err := cloud.Verify(t.Context(), c); !errors.Is(err, marketplace.ErrClaim) {
			t.Errorf("%v: %v", c, err)
		}
	}
	f.sends(s)
	f.act(f.markets.sim.Alibaba.Act, "unsubscribe", "instance", got["instance"])
	if s := f.becomes(site.Alibaba, got["instance"], marketplace.Ending); s.Effect() != marketplace.FallBack {
		t.Errorf("%+v", s)
	}
}

func TestTheAWSAdapterSpeaksWithItsSimulator(t *testing.T) {
	t.Parallel()
	f := openFair(t)
	got := f.act(f.markets.sim.AWS.Act, "subscribe", "account", "123456789012")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.baseURL+hooks.PathOf(site.AWS), strings.NewReader(url.Values{"x-amzn-marketplace-token": {got["token"]}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || !strings.Contains(to, "/clouds/enter?ticket=") || strings.Contains(to, got["token"]) {
		t.Errorf("%d, %s", answer.StatusCode, to)
	}
	license := got["license"][strings.LastIndexAny(got["license"], ":/")+1:]
	f.sends(f.becomes(site.AWS, license, marketplace.Active))
	f.act(f.markets.sim.AWS.Act, "cancel", "license", got["license"])
	if s := f.becomes(site.AWS, license, marketplace.Ending); s.Effect() != marketplace.Lock {
		t.Errorf("%+v", s)
	}
}

func TestTheHuaweiAdapterSpeaksWithItsSimulator(t *testing.T) {
	t.Parallel()
	f := openFair(t)
	const customer = "0123456789abcdef0123456789abcdef"
	got := f.act(f.markets.sim.Huawei.Act, "buy", "customer", customer)
	instance := got["order_line"]
	s := f.becomes(site.Huawei, instance, marketplace.Active)
	cloud, err := f.clouds.Cloud(site.Huawei)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := cloud.Verify(t.Context(), marketplace.Claim{Account: customer, Instance: instance}); err != nil || p.Order != got["order"] {
		t.Errorf("%+v, %v", p, err)
	}
	f.sends(s)
	f.act(f.markets.sim.Huawei.Act, "freeze", "instance", instance)
	f.becomes(site.Huawei, instance, marketplace.Frozen)
	f.act(f.markets.sim.Huawei.Act, "unfreeze", "instance", instance)
	f.becomes(site.Huawei, instance, marketplace.Active)
	f.act(f.markets.sim.Huawei.Act, "unsubscribe", "instance", instance)
	f.becomes(site.Huawei, instance, marketplace.Ending)

	card := f.act(f.markets.sim.Huawei.Act, "buy", "customer", customer, "product", simHuaweiCard, "quantity", "3")
	lines, err := f.doors.Huawei.Cards(t.Context(), customer, card["order"])
	if err != nil || len(lines) != 1 || lines[0].Worth.String() != "300.00" {
		t.Errorf("%+v, %v", lines, err)
	}
}

package hooks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// Of the calls of a test, as many as the issue names.
const (
	shuffledCalls = 10_000
	copies        = 4
)

// lives makes the calls of instances: each true when it was taken. What was
// not is called again, as the marketplaces do.
type lives func(g *gate, instance int) []func() bool

func aliLives(g *gate, n int) []func() bool {
	id := fmt.Sprint("i", n)
	call := func(pairs ...string) func() bool {
		return func() bool { return g.ali(pairs...).Code == http.StatusOK }
	}
	create := call("action", "createInstance", "aliUid", fmt.Sprint(1000+n), "orderBizId", id, "orderId", "o"+id, "productCode", "cmapi1", "expiredOn", "2026-04-01 12:00:00")
	renew := func(order, until string) func() bool {
		return call("action", "renewInstance", "instanceId", id, "orderId", order+id, "expiredOn", until)
	}
	switch n % 3 {
	case 0:
		return []func() bool{create, renew("r1", "2026-05-01 12:00:00"), renew("q2", "2026-06-01 12:00:00")}
	case 1:
		return []func() bool{create, call("action", "releaseInstance", "instanceId", id, "isRefund", "true", "orderId", "f"+id)}
	}
	return []func() bool{create, renew("r1", "2026-05-01 12:00:00"), call("action", "expiredInstance", "instanceId", id), call("action", "releaseInstance", "instanceId", id, "isRefund", "false")}
}

func awsLives(g *gate, n int) []func() bool {
	license := fmt.Sprintf("l-%08x", n)
	event := func(kind string, at time.Duration) func() bool {
		body := fmt.Sprintf(`{"id":"%s-%s","detail-type":"%s - Manufacturer","source":"aws.agreement-marketplace","time":"%s",`+
			`"detail":{"agreement":{"id":"agmt%d"},"product":{"code":"prod1"},"license":{"arn":"aws:license-manager:us-east-1:1:%s"},"acceptor":{"accountId":"9%011d"}}}`,
			license, kind, kind, noon.Add(at).Format(time.RFC3339), n, license, 100+n)
		return func() bool { return g.doors.keepAWS(context.WithoutCancel(g.t.Context()), []byte(body), "m") == nil }
	}
	all := []func() bool{event("Purchase Agreement Created", 0), event("License Updated", time.Second), event("Purchase Agreement Amended", 2*time.Second)}
	if n%2 == 0 {
		all = append(all, event("Purchase Agreement Ended", 3*time.Second), event("License Deprovisioned", 4*time.Second))
	}
	return all
}

func huaweiLives(g *gate, n int) []func() bool {
	order := fmt.Sprint("CS", n)
	line := order + "-000001"
	g.orders[order] = fmt.Sprintf(`{"resultCode":"MKT.0000","orderInfo":{"orderId":"%s","orderType":"NEW","createTime":"20260301030000","orderLine":[{"orderLineId":"%s","chargingMode":"ON_DEMAND",`+
		`"productInfo":[{"productId":"prod-usage","skuCode":"x"}]}],"buyerInfo":{"customerId":"c%d"}}}`, order, line, n)
	call := func(body string) func() bool {
		return func() bool {
			code, _ := g.hw(fmt.Sprint("n", rand.Int64()), body)
			return code == "000000"
		}
	}
	all := []func() bool{call(fmt.Sprintf(`{"activity":"newInstance","businessId":"b%d","orderId":"%s","orderLineId":"%s"}`, n, order, line))}
	if n%2 == 0 {
		all = append(all, call(fmt.Sprintf(`{"activity":"releaseInstance","instanceId":"%s","orderId":"R%d"}`, line, n)))
	}
	return all
}

// end is how a marketplace's subscriptions stand.
func (g *gate) end(m site.Method) map[string]string {
	g.t.Helper()
	all := map[string]string{}
	g.write(func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT instance FROM marketplace_subscription WHERE cloud = $1`, string(m))
		if err != nil {
			return err
		}
		var instances []string
		for rows.Next() {
			var instance string
			if err := rows.Scan(&instance); err != nil {
				return err
			}
			instances = append(instances, instance)
		}
		if err := rows.Close(); err != nil {
			return err
		}
		for _, instance := range instances {
			s, err := tx.SubscriptionByInstance(ctx, m, instance)
			if err != nil {
				return err
			}
			end := fmt.Sprint(s.State, s.Account, s.Product, s.Plan, s.Effect())
			if s.Over() { // what it would have expired on says nothing any more
				end += string(s.Why)
			} else {
				end += s.ExpiresAt.String()
			}
			all[instance] = end
		}
		return nil
	})
	return all
}

// play calls everything that is to be called, and again what was not taken.
func (g *gate) play(calls []func() bool) {
	g.t.Helper()
	for round := 0; len(calls) > 0; round++ {
		if round > 20 {
			g.t.Fatalf("%d calls are never taken", len(calls))
		}
		var refused []func() bool
		for _, call := range calls {
			g.clock.Advance(100 * time.Microsecond) // all within the minute that a signature holds
			if !call() {
				refused = append(refused, call)
			}
		}
		g.seen = g.seen[:0]
		calls = refused
	}
}

func TestTenThousandShuffledCallsAtTheDoorsEndAsOrderedOnes(t *testing.T) {
	t.Parallel()
	for m, of := range map[site.Method]struct {
		lives lives
		calls int // of an instance, on average, times two
	}{site.Alibaba: {aliLives, 6}, site.AWS: {awsLives, 8}, site.Huawei: {huaweiLives, 3}} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			instances := shuffledCalls*2/of.calls/copies + 1
			ordered, shuffled := openGate(t), openGate(t)
			for _, g := range []*gate{ordered, shuffled} {
				g.doors.Most = 1 << 30
				g.http = New(Config{Clouds: g.doors, Now: g.clock.Now, Log: g.doors.Log})
			}
			var once, many []func() bool
			for n := range instances {
				once = append(once, of.lives(ordered, n)...)
				life := of.lives(shuffled, n)
				for range copies {
					many = append(many, life...)
				}
			}
			if len(many) < shuffledCalls {
				t.Fatalf("%d calls", len(many))
			}
			rand.Shuffle(len(many), func(i, j int) { many[i], many[j] = many[j], many[i] })
			ordered.play(once)
			shuffled.play(many)
			want, got := ordered.end(m), shuffled.end(m)
			if len(want) != instances || len(got) != instances {
				t.Fatalf("%d and %d of %d instances", len(want), len(got), instances)
			}
			for instance, end := range want {
				if got[instance] != end {
					t.Errorf("%s ends as %s, in order %s", instance, got[instance], end)
				}
			}
		})
	}
}

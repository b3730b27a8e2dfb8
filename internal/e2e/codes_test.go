package e2e_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"tollgate.dev/client"
	people "tollgate.dev/internal/demo"
	"tollgate.dev/internal/testkit"
)

// redemption is somebody's wish to activate a code, sent until it is answered.
type redemption struct {
	code string
	key  client.Key
	made string // the voucher that the answer named; empty: no answer yet
}

// redeemers send redemptions side by side until the process is gone.
type redeemers struct {
	t    *testing.T
	mu   sync.Mutex
	list []*redemption
	done int
}

// next takes a redemption that has no answer.
func (r *redeemers) next() *redemption {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, wish := range r.list {
		if wish.made == "" {
			r.list = append(append(r.list[:i:i], r.list[i+1:]...), wish) // the others first
			return wish
		}
	}
	return nil
}

// send redeems, four at a time, until nothing is left or the process is gone.
// After so many answers it is killed, while other redemptions are under way.
func (r *redeemers) send(c *client.BillingCenter, answers int, kill func()) {
	var all sync.WaitGroup
	var once sync.Once
	for range 4 {
		all.Go(func() {
			for wish := r.next(); wish != nil; wish = r.next() {
				made, err := c.Activate(context.Background(), wish.key, wish.code)
				var refusal *client.Problem
				if errors.As(err, &refusal) {
					r.t.Errorf("code %s was refused: %v", wish.code, err)
				}
				if err != nil {
					return // no answer: the process is gone
				}
				if r.answered(wish, made.ID) >= answers {
					once.Do(kill)
				}
			}
		})
	}
	all.Wait()
}

// answered keeps an answer and gives how many there are since the last kill.
func (r *redeemers) answered(wish *redemption, made string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if wish.made != "" && wish.made != made {
		r.t.Errorf("one wish made %s and %s", wish.made, made)
	}
	wish.made = made
	r.done++
	return r.done
}

// handedOut are fresh codes of vouchers of one yuan.
func (i *installation) handedOut(n int) []string {
	i.t.Helper()
	ctx := i.t.Context()
	o, err := i.api().SignInOperator(ctx, people.OperatorEmail, people.Password)
	if err != nil {
		i.t.Fatal(err)
	}
	b, err := o.MakeCodeBatch(ctx, client.NewKey(), client.NewCodeBatch{Kind: "voucher", Amount: "1", Currency: "CNY", Size: n, Days: 90})
	if err != nil {
		i.t.Fatal(err)
	}
	out, err := o.ExportCodes(ctx, b.ID)
	if err != nil {
		i.t.Fatal(err)
	}
	return out.Codes
}

// demoPayer signs the demo's payer in.
func (i *installation) demoPayer() *client.BillingCenter {
	i.t.Helper()
	c, err := i.api().SignInBillingCenter(i.t.Context(), people.PayerName, people.Password)
	if err != nil {
		i.t.Fatal(err)
	}
	return c
}

// redeemed holds that each code made one voucher, and all of them are there.
func (i *installation) redeemed(r *redeemers) {
	i.t.Helper()
	c := i.demoPayer()
	found := map[string]bool{}
	for s, err := range client.All(func(p client.Page) (client.List[client.Source], error) { return c.Sources(i.t.Context(), p) }) {
		if err != nil {
			i.t.Fatal(err)
		}
		if s.Origin == "activated" {
			found[s.ID] = true
		}
	}
	if len(found) != len(r.list) {
		i.t.Errorf("%d codes made %d vouchers", len(r.list), len(found))
	}
	for _, wish := range r.list {
		if !found[wish.made] {
			i.t.Errorf("code %s was answered with %q, which is not there", wish.code, wish.made)
		}
	}
}

// TestKillNineLosesNoRedemptionAndDoublesNone holds promises P1 and P2 for
// activation codes.
func TestKillNineLosesNoRedemptionAndDoublesNone(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"SQLite": embedded, "PostgreSQL": testkit.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := demo(t, engine(t))
			r := &redeemers{t: t}
			for _, code := range x.handedOut(200) {
				r.list = append(r.list, &redemption{code: code, key: client.NewKey()})
			}
			for range min(kills(t), 20) {
				r.done = 0
				r.send(x.demoPayer(), 3+rand.IntN(15), x.daemon.Kill)
				x.daemon.Kill() // when nothing was left to send
				x.start()
			}
			r.send(x.demoPayer(), len(r.list)+1, func() {})
			x.redeemed(r)
			x.verified()
		})
	}
}

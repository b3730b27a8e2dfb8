package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/testkit"
)

// declarer declares bank transfers over the API, some each second, each under a
// key of its own that it sends until it is answered.
type declarer struct {
	center *client.BillingCenter
	mu     sync.Mutex
	acked  []string // the references that were acknowledged
}

// mostDeclared bounds what is declared in a test.
const mostDeclared = 90

func (d *declarer) run(ctx context.Context) {
	for n := 0; n < mostDeclared && ctx.Err() == nil; n++ {
		key, reference := client.NewKey(), fmt.Sprintf("under-load-%03d", n)
		for ctx.Err() == nil {
			_, err := d.center.DeclareTransfer(ctx, key, client.Declaration{Amount: "1.00", Reference: reference})
			if err == nil {
				d.mu.Lock()
				d.acked = append(d.acked, reference)
				d.mu.Unlock()
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			if err == nil {
				break
			}
		}
	}
}

func (d *declarer) declared() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.acked)
}

// TestPostgresDiesUnderLoadAndComesBack kills the database under reports and
// API calls: the process goes on by itself when it is back, what was
// acknowledged is there once, and the days are billed.
func TestPostgresDiesUnderLoadAndComesBack(t *testing.T) {
	t.Parallel()
	server := testkit.NewPostgresServer(t)
	x := demo(t, server.URL()).newcomer("dies")
	x.upgrade()
	center, err := x.api().SignInBillingCenter(t.Context(), x.payer, password)
	d := &declarer{center: must(t, center, err)}
	ctx, stop := context.WithCancel(t.Context())
	var declaring sync.WaitGroup
	declaring.Go(func() { d.run(ctx) })
	defer declaring.Wait()
	defer stop()
	writers := newWriters(logsAsProtobuf, influx, prometheus)
	f := x.write(writers...)
	for _, by := range []syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT, syscall.SIGKILL} {
		reached(t, writers, 10)
		server.Kill(by)
		server.Restart()
		before := d.declared()
		reached(t, writers, 10)
		testkit.Eventually(t, time.Minute, func() error {
			if n := d.declared(); n == before && n < mostDeclared {
				return fmt.Errorf("%d transfers, none since the database came back", n)
			}
			return nil
		})
	}
	f.halt()
	stop()
	declaring.Wait()
	x.accounted(sentBy(writers))
	x.sendAgain(writers)
	x.settled(writers)
	list, err := center.Transfers(t.Context(), "", client.Page{Limit: 100})
	found := map[string]int{}
	for _, transfer := range must(t, list, err).Items {
		found[transfer.Reference]++
	}
	for _, reference := range d.acked {
		if found[reference] != 1 {
			t.Errorf("%s was acknowledged and is there %d times", reference, found[reference])
		}
	}
	for reference, n := range found {
		if n != 1 {
			t.Errorf("%s is there %d times", reference, n)
		}
	}
	x.verified()
}

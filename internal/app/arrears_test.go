package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/workspace"
)

// door is a collector at the gateway's real door.
type door struct {
	*house
	url string
}

func (h *house) open() door {
	server := httptest.NewServer(h.gateway.Handler())
	h.t.Cleanup(server.Close)
	return door{h, server.URL}
}

// ask reports a log line by DataWay, or a point by Influx v2.
func (d door) ask(path string) (status int, said string) {
	d.t.Helper()
	body := d.lines(1, "nginx message=\"line %d\"")
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+d.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// answers expects both protocols to answer so, within a second.
func (d door) answers(dataway, influx int, code string) {
	d.t.Helper()
	deadline := time.Now().Add(time.Second)
	for path, want := range map[string]int{"/v1/write/logging?token=" + d.token: dataway, "/api/v2/write?bucket=b&org=o": influx} {
		for {
			status, said := d.ask(path)
			if status == want && strings.Contains(said, code) {
				break
			}
			if time.Now().After(deadline) {
				d.t.Errorf("%s: %d %s a second later, want %d %s", path, status, said, want, code)
				break
			}
		}
	}
}

func (h *house) write(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	if err := h.store.Write(h.t.Context(), func(tx *store.Tx) error { return f(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) payer(ctx context.Context, tx *store.Tx) account.Billing {
	a, err := tx.BillingByID(ctx, h.shop.Payer)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

func (h *house) owe() {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.OpenDebt(ctx, tx, h.payer(ctx, tx), money.MustParse("15", money.CNY), h.clock.Now())
		return err
	})
}

func (h *house) pay(amount string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		transfer, err := wallet.Declare(h.payer(ctx, tx), money.MustParse(amount, money.CNY), "INV", h.clock.Now())
		if err != nil {
			return err
		}
		if err := tx.InsertTransfer(ctx, transfer); err != nil {
			return err
		}
		_, err = wallet.CreditTransfer(ctx, tx, transfer.ID, wallet.Arrival{}, nil, wallet.By{Operator: "oper_1"}, h.clock.Now())
		return err
	})
}

func (h *house) pass(by time.Duration) {
	h.t.Helper()
	if _, err := h.calendar.Advance(h.t.Context(), by); err != nil {
		h.t.Fatal(err)
	}
}

// kept counts the records of every generation.
func (h *house) kept() (n int) {
	h.t.Helper()
	for g := workspace.Generation(1); g <= h.shop.Generation; g++ {
		page, err := h.sink.Query(h.t.Context(), sink.Query{WorkspaceID: h.shop.ID, Generation: g, At: h.clock.Now(), Limit: sink.MaxPage})
		if err != nil {
			h.t.Fatal(err)
		}
		n += len(page.Records)
	}
	return n
}

const daily = 24 * time.Hour

func TestTheGatewayFollowsTheLockWithinASecond(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		d := h.open()
		d.answers(http.StatusOK, http.StatusNoContent, "")
		h.owe()
		h.pass(14*daily - time.Microsecond)
		d.answers(http.StatusOK, http.StatusNoContent, "") // in grace data comes in
		h.pass(time.Microsecond)
		d.answers(http.StatusForbidden, http.StatusConflict, "workspace_locked")
		h.pay("14.99")
		d.answers(http.StatusForbidden, http.StatusConflict, "workspace_locked")
		h.pay("0.01")
		d.answers(http.StatusOK, http.StatusNoContent, "")
		h.owe()
		h.pass(21 * daily)
		d.answers(http.StatusForbidden, http.StatusConflict, "workspace_locked") // what is cleared takes nothing for ever
		h.pay("15")
		d.answers(http.StatusForbidden, http.StatusConflict, "workspace_locked")
		if report, err := Verify(t.Context(), s); err != nil || !report.OK() {
			t.Errorf("%s %v", report, err)
		}
	})
}

// stubborn is a sink that refuses to forget for a while.
type stubborn struct {
	sink.Sink
	refuses atomic.Bool
}

func (s *stubborn) Forget(ctx context.Context, f sink.Forgetting) error {
	if s.refuses.Load() {
		return errors.New("the disk is gone")
	}
	return s.Sink.Forget(ctx, f)
}

func TestDissolvedDataLeavesTheSinkAndTheAuditLogSaysSo(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h := newHouse(t, s)
		keeper := &stubborn{Sink: h.sink}
		keeper.refuses.Store(true)
		h.sink = keeper
		d := h.open()
		h.logs(3)
		h.series("a", "b")
		h.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := arrears.DissolveBy(ctx, tx, h.shop.ID, "shop", workspace.Actor{AccountID: h.shop.OwnerID}, h.clock.Now())
			return err
		})
		d.answers(http.StatusForbidden, http.StatusConflict, "workspace_dissolved")
		if n := h.kept(); n != 5 {
			t.Fatalf("%d records in the sink", n)
		}
		h.pass(arrears.Hold)
		var failed []arrears.Clearing
		h.write(func(ctx context.Context, tx *store.Tx) (err error) {
			failed, err = tx.ClearingsFailed(ctx, 10)
			return err
		})
		if len(failed) != 1 || !strings.Contains(failed[0].Failure, "the disk is gone") {
			t.Errorf("the operator sees %+v", failed)
		}
		keeper.refuses.Store(false)
		h.pass(time.Hour)
		if n := h.kept(); n != 0 {
			t.Errorf("%d records are left", n)
		}
		h.write(func(ctx context.Context, tx *store.Tx) error {
			w, err := tx.Workspace(ctx, h.shop.ID)
			if err != nil || w.Payer != "" || w.State != workspace.Dissolved {
				t.Errorf("it is %s and paid by %q: %v", w.State, w.Payer, err)
			}
			lines, err := tx.AuditLog(ctx, h.shop.ID, 0, 100)
			var said bytes.Buffer
			for _, l := range lines {
				said.WriteString(l.Action + " ")
			}
			if !strings.Contains(said.String(), arrears.Deleted) {
				t.Errorf("the audit log says %s", said.String())
			}
			return err
		})
		if report, err := Verify(t.Context(), s); err != nil || !report.OK() {
			t.Errorf("%s %v", report, err)
		}
	})
}

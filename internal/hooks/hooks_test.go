package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/sqlite"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/topup"
)

// signed is a channel whose notices begin with a signature: a body that does
// not is a forgery, and one that says nothing concerns no payment.
type signed struct{}

func (signed) Name() topup.Name          { return topup.Alipay }
func (signed) Takes(money.Currency) bool { return true }

func (signed) Open(context.Context, topup.Payment) (topup.Opened, error) {
	return topup.Opened{}, errors.New("no payment is opened here")
}

func (signed) Ask(context.Context, topup.Payment) ([]topup.Report, error) { return nil, nil }

func (signed) Refund(context.Context, topup.Payment, topup.Refund) (topup.Report, error) {
	return topup.Report{}, errors.New("nothing is paid back here")
}

func (signed) Read(m topup.Message) ([]topup.Report, error) {
	text, ok := strings.CutPrefix(string(m.Body), http.Header(m.Header).Get("X-Signature")+":")
	switch {
	case !ok || http.Header(m.Header).Get("X-Signature") == "":
		return nil, topup.ErrForged.Because(errors.New("canary: the key that was expected"))
	case text == "garbage":
		return nil, topup.ErrUnreadable.Because(errors.New("canary: a parser's position"))
	case text == "nothing":
		return nil, nil
	}
	return []topup.Report{{Event: text, PaymentID: "pmnt_none", Reference: "r", Outcome: topup.WasPaid, Amount: money.Of(100, money.CNY)}}, nil
}

func (signed) Reply(kept bool) topup.Reply {
	if kept {
		return topup.Reply{Status: http.StatusOK, Body: "success"}
	}
	return topup.Reply{Status: http.StatusBadRequest, Body: "failure"}
}

// counter is the door of a payment channel over a store.
type counter struct {
	store  *store.Store
	door   http.Handler
	log    *bytes.Buffer
	broken error // what keeping a notice fails with
}

func openCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{log: &bytes.Buffer{}}
	e, err := sqlite.OpenScratch(t.Context(), filepath.Join(t.TempDir(), "tollgate.db"))
	if err != nil {
		t.Fatal(err)
	}
	c.store = store.New(e)
	t.Cleanup(func() { _ = c.store.Close() })
	desk := &topup.Desk{
		Channels: []topup.Channel{signed{}},
		Write: func(ctx context.Context, f func(topup.Tx) error) error {
			return c.store.Write(ctx, func(tx *store.Tx) error {
				if err := f(tx); err != nil {
					return err
				}
				return c.broken // the engine refuses the commit
			})
		},
	}
	c.door = New(Config{Desk: desk, Now: testkit.NewClock(noon).Now, Log: slog.New(slog.NewTextHandler(c.log, nil))})
	return c
}

func (c *counter) send(method, path string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("X-Signature", "sig")
	w := httptest.NewRecorder()
	c.door.ServeHTTP(w, r)
	return w
}

// kept counts the notices in the store, by what became of them.
func (c *counter) kept(t *testing.T) (waiting, parked int64) {
	t.Helper()
	if err := c.store.Read(t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(t.Context(), `
			SELECT COUNT(*) - COUNT(CASE WHEN state = 'parked' THEN 1 END), COUNT(CASE WHEN state = 'parked' THEN 1 END)
			FROM payment_notice`).Scan(&waiting, &parked)
	}); err != nil {
		t.Fatal(err)
	}
	return waiting, parked
}

// TestANoticeIsAnsweredAsItsChannelExpects goes through what may come to the
// door; the answer never says why.
func TestANoticeIsAnsweredAsItsChannelExpects(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		method, path, body string
		status             int
		answer             string
		waiting, parked    int64
		logged             string
	}{
		"kept":                {"POST", "/hooks/alipay", "sig:e1", http.StatusOK, "success", 1, 0, ""},
		"of no concern":       {"POST", "/hooks/alipay", "sig:nothing", http.StatusOK, "success", 0, 0, ""},
		"forged":              {"POST", "/hooks/alipay", "other:e1", http.StatusBadRequest, "failure", 0, 1, "notice_forged"},
		"empty":               {"POST", "/hooks/alipay", "", http.StatusBadRequest, "failure", 0, 1, "notice_forged"},
		"unreadable":          {"POST", "/hooks/alipay", "sig:garbage", http.StatusBadRequest, "failure", 0, 1, "notice_unreadable"},
		"of no channel":       {"POST", "/hooks/cowries", "sig:e1", http.StatusNotFound, "404 page not found\n", 0, 0, ""},
		"asked for":           {"GET", "/hooks/alipay", "", http.StatusMethodNotAllowed, "Method Not Allowed\n", 0, 0, ""},
		"of a cloud not here": {"GET", "/hooks/huawei", "", http.StatusMethodNotAllowed, "Method Not Allowed\n", 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openCounter(t)
			for range 2 { // sent again, it is answered the same and kept once
				w := c.send(x.method, x.path, strings.NewReader(x.body))
				if w.Code != x.status || w.Body.String() != x.answer {
					t.Errorf("answered %d %q, want %d %q", w.Code, w.Body, x.status, x.answer)
				}
			}
			if waiting, parked := c.kept(t); waiting != x.waiting || parked != x.parked {
				t.Errorf("%d wait and %d are parked, want %d and %d", waiting, parked, x.waiting, x.parked)
			}
			if log := c.log.String(); !strings.Contains(log, x.logged) || x.logged == "" && log != "" {
				t.Errorf("the log says %q, want %q in it", log, x.logged)
			}
		})
	}
}

// TestANoticeThatIsNotKeptIsNotAnsweredAsTaken lets the store fail at the end
// of the transaction: the channel must send the notice again, and then it is
// kept once.
func TestANoticeThatIsNotKeptIsNotAnsweredAsTaken(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.broken = errors.New("canary: disk full at /var/lib/books")
	for _, body := range []string{"sig:e1", "forged"} {
		w := c.send("POST", "/hooks/alipay", strings.NewReader(body))
		if w.Code < 400 || w.Body.String() != "failure" {
			t.Errorf("%s: answered %d %q", body, w.Code, w.Body)
		}
	}
	if !strings.Contains(c.log.String(), "canary: disk full") {
		t.Errorf("the log does not say why: %s", c.log)
	}
	c.broken = nil
	if w := c.send("POST", "/hooks/alipay", strings.NewReader("sig:e1")); w.Code != http.StatusOK {
		t.Errorf("sent again: %d", w.Code)
	}
	if waiting, parked := c.kept(t); waiting != 1 || parked != 0 {
		t.Errorf("%d wait and %d are parked", waiting, parked)
	}
}

// TestABodyBeyondTheBoundIsNotRead sends one byte too many, and the most.
func TestABodyBeyondTheBoundIsNotRead(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	long := "sig:" + strings.Repeat("x", longestNotice-len("sig:"))
	if w := c.send("POST", "/hooks/alipay", strings.NewReader(long+"x")); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a byte too many: %d", w.Code)
	}
	if waiting, parked := c.kept(t); waiting+parked != 0 {
		t.Errorf("%d notices of it are kept", waiting+parked)
	}
	if w := c.send("POST", "/hooks/alipay", strings.NewReader(long)); w.Code != http.StatusOK {
		t.Errorf("the longest: %d", w.Code)
	}
}

// TestAnswersAreNeitherKeptNorSniffed looks at the heads of every answer.
func TestAnswersAreNeitherKeptNorSniffed(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	for _, body := range []string{"sig:e1", "forged"} {
		h := c.send("POST", "/hooks/alipay", strings.NewReader(body)).Header()
		got := fmt.Sprint(h.Get("Content-Type"), "|", h.Get("X-Content-Type-Options"), "|", h.Get("Cache-Control"))
		if got != "text/plain; charset=utf-8|nosniff|no-store" {
			t.Errorf("%s: %s", body, got)
		}
	}
}

// TestACloudHearsNoSuccessOfWhatCouldNotBeKept closes the store under the
// doors of the marketplaces: no call of theirs is answered as done.
func TestACloudHearsNoSuccessOfWhatCouldNotBeKept(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	if err := g.store.Close(); err != nil {
		t.Fatal(err)
	}
	w := g.ali("action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1", "expiredOn", "2026-04-01 12:00:00", "mobile", "x")
	if w.Code != http.StatusInternalServerError && w.Code != http.StatusServiceUnavailable {
		t.Errorf("Alibaba: %d %s", w.Code, w.Body)
	}
	if code, instance := g.hw("n1", `{"activity":"refreshInstance","instanceId":"i-1","expireTime":"20270301000000"}`); code == "000000" || instance != "" {
		t.Errorf("KooGallery: %s %s", code, instance)
	}
	if !strings.Contains(g.log.String(), "level=ERROR") {
		t.Errorf("the log has no error: %s", g.log)
	}
}

package stripe_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/topup/stripe"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// mock starts stripe-mock, which Stripe makes: it holds every call against
// Stripe's own description of the API. It keeps no state.
func mock(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "stripe-mock")
	build := exec.Command("go", "build", "-C", filepath.Join(testkit.Root(t), "scripts", "stripe-mock"), "-o", program, "github.com/stripe/stripe-mock")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building stripe-mock: %v\n%s", err, out)
	}
	d := testkit.Start(t, testkit.Command{Path: program, Args: []string{"-http-addr", "127.0.0.1:0"}, Ready: `Listening for HTTP at address: (127\.0\.0\.1:\d+)`})
	return "http://" + d.Match(1)
}

// TestStripesOwnMockTakesWhatWeSend checks the shape of each call against
// Stripe's description; what the answers mean, the simulator checks.
func TestStripesOwnMockTakesWhatWeSend(t *testing.T) {
	t.Parallel()
	address := mock(t)
	c, err := stripe.New(settings(address))
	if err != nil {
		t.Fatal(err)
	}
	p := payment("pmnt_1", "10")
	if o, err := c.Open(t.Context(), p); err != nil || o.Session == "" || o.URL == "" {
		t.Errorf("a session is opened as %+v, %v", o, err)
	}
	p.Session, p.Reference = "cs_test_1", "pi_1"
	if _, err := c.Ask(t.Context(), p); err == nil || !strings.Contains(err.Error(), "channel_unavailable") { // a session of somebody else
		t.Errorf("a session that is not ours: %v", err)
	}
	_, err = c.Refund(t.Context(), p, topup.Refund{ID: "rfnd_1", Amount: money.MustParse("1", money.USD)})
	if err == nil || !strings.Contains(err.Error(), "came without its charge") { // the call is taken, and its fixture refunded nothing
		t.Errorf("a refund: %v", err)
	}
	answer, err := http.Post(address+"/v1/checkout/sessions", "application/x-www-form-urlencoded", strings.NewReader("mode=barter"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode < 400 {
		t.Errorf("the mock takes nonsense: %s", answer.Status)
	}
}

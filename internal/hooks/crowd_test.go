package hooks

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/site"
)

// from is a call of a source.
func (g *gate) from(source, method, path, body string) *httptest.ResponseRecorder {
	g.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.RemoteAddr = source + ":4711"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return g.do(r)
}

func TestASourceThatGuessesSignaturesIsTurnedAwayAndNobodyElse(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	const guess = "/hooks/alibaba?action=createInstance&aliUid=1&orderBizId=78&productCode=cmapi1&token=x"
	for range mostRefusals {
		if w := g.from("198.51.100.7", http.MethodGet, guess, ""); w.Code != http.StatusUnauthorized {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	w := g.from("198.51.100.7", http.MethodGet, guess, "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), `"instanceId":"0","code":"calls_many"`) {
		t.Errorf("Alibaba: %d %s", w.Code, w.Body)
	}
	// each marketplace is answered in its own words
	if w := g.from("198.51.100.7", http.MethodPost, "/hooks/huawei?signature=x&timestamp=1&nonce=n", "{}"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"resultCode":"000005"`) {
		t.Errorf("Huawei: %d %s", w.Code, w.Body)
	}
	if path, why := led(t, g.from("198.51.100.7", http.MethodGet, "/hooks/alibaba?action=verify", "")); path != "/refused" || why != "calls_many" {
		t.Errorf("a browser: %s, %s", path, why)
	}
	if path, why := led(t, g.from("198.51.100.7", http.MethodPost, "/hooks/aws", "x-amzn-marketplace-token=canary-registration-token")); path != "/refused" || why != "calls_many" {
		t.Errorf("AWS: %s, %s", path, why)
	}
	if w := g.ali("action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1"); w.Code != http.StatusOK {
		t.Errorf("the marketplace itself: %d %s", w.Code, w.Body)
	}
	g.stands(site.Alibaba, "77", marketplace.Active)
	g.clock.Advance(crowdWindow)
	if w := g.from("198.51.100.7", http.MethodGet, guess, ""); w.Code != http.StatusUnauthorized {
		t.Errorf("a minute later: %d", w.Code)
	}
}

func TestRegistrationsOfOneSourceAreBounded(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	post := func(source string) (path, what string) {
		return led(t, g.from(source, http.MethodPost, "/hooks/aws", "x-amzn-marketplace-token=canary-registration-token"))
	}
	for range mostRegistrations {
		if path, _ := post("198.51.100.7"); path != "/arrive" {
			t.Fatalf("led to %s", path)
		}
	}
	if path, why := post("198.51.100.7"); path != "/refused" || why != "calls_many" {
		t.Errorf("one more: %s, %s", path, why)
	}
	if path, _ := post("198.51.100.8"); path != "/arrive" {
		t.Errorf("another source is led to %s", path)
	}
	g.clock.Advance(time.Minute)
	if path, _ := post("198.51.100.7"); path != "/arrive" {
		t.Errorf("a minute later: %s", path)
	}
}

func TestCallsOfOneSourceAreBoundedInAll(t *testing.T) {
	t.Parallel()
	g := openGate(t)
	g.doors.Most = 3
	g.http = New(Config{Clouds: g.doors, Now: g.clock.Now, Log: g.doors.Log})
	create := []string{"action", "createInstance", "aliUid", "1001", "orderBizId", "77", "orderId", "o1", "productCode", "cmapi1"}
	for range 3 {
		if w := g.ali(create...); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if w := g.ali(create...); w.Code != http.StatusTooManyRequests {
		t.Errorf("the fourth: %d", w.Code)
	}
}

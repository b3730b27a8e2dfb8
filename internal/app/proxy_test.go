package app

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestForwardedAddressIsBelievedFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	proxies, err := parseProxies([]string{"127.0.0.1", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, remote, forwarded, want string }{
		{"no proxy", "192.0.2.1:5", "", "192.0.2.1:5"},
		{"a stranger who claims", "192.0.2.1:5", "198.51.100.9", "192.0.2.1:5"},
		{"one proxy", "127.0.0.1:5", "198.51.100.9", "198.51.100.9:5"},
		{"two proxies", "127.0.0.1:5", "198.51.100.9, 10.1.2.3", "198.51.100.9:5"},
		{"a client who claims through a proxy", "127.0.0.1:5", "10.9.9.9, 198.51.100.9", "198.51.100.9:5"},
		{"nonsense", "127.0.0.1:5", "who knows", "127.0.0.1:5"},
		{"a proxy that says nothing", "127.0.0.1:5", "", "127.0.0.1:5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got string
			h := behind(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr }))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.remote
			if c.forwarded != "" {
				r.Header.Set("X-Forwarded-For", c.forwarded)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if _, err := parseProxies([]string{"example"}); err == nil {
		t.Error("a name is taken for an address")
	}
}

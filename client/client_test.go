package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate.dev/client"
)

// answers serves one fixed answer and keeps the last request.
func answers(t *testing.T, status int, header map[string]string, body string) (*client.Client, *http.Request) {
	t.Helper()
	seen := &http.Request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*seen = *r
		for name, value := range header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return client.New(server.URL + "/"), seen
}

func TestARefusalIsAProblem(t *testing.T) {
	t.Parallel()
	c, _ := answers(t, 429, map[string]string{"Retry-After": "7"}, `{"status":429,"code":"too_many_logins","detail":"Wait."}`)
	_, err := c.SignInStudio(t.Context(), "cn1", "a@b.example", "x")
	var p *client.Problem
	if !errors.As(err, &p) || p.Code != "too_many_logins" || p.RetryAfter != 7*time.Second || !client.Refused(err, "too_many_logins") {
		t.Errorf("got %v", err)
	}
}

func TestAProxysPageIsARefusalToo(t *testing.T) {
	t.Parallel()
	c, _ := answers(t, 502, nil, `<html>Bad Gateway</html>`)
	_, err := c.Sites(t.Context())
	if !client.Refused(err, "http_502") {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	c, _ := answers(t, 200, nil, `<html>`)
	if _, err := c.Sites(t.Context()); err == nil {
		t.Error("a page was taken for sites")
	}
}

func TestTheKeyAndTheTokenGoAlong(t *testing.T) {
	t.Parallel()
	c, seen := answers(t, 200, nil, `{}`)
	k := client.NewKey()
	_, err := c.Studio(client.Session{Token: "secret"}).Upgrade(t.Context(), k, "a/b", "shop")
	if err != nil || seen.Header.Get("Idempotency-Key") != string(k) || seen.Header.Get("Authorization") != "Bearer secret" {
		t.Errorf("sent %v, %v", seen.Header, err)
	}
	if seen.URL.EscapedPath() != "/api/v1/workspaces/a%2Fb/upgrade" {
		t.Errorf("path %s", seen.URL.EscapedPath())
	}
}

func TestAllStopsWhereTheReaderDoesAndSaysWhatWentWrong(t *testing.T) {
	t.Parallel()
	asked := 0
	endless := func(client.Page) (client.List[int], error) {
		asked++
		return client.List[int]{Items: []int{1, 2}, NextCursor: "more"}, nil
	}
	for n, err := range client.All(endless) {
		if err != nil || n == 2 {
			break
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	broken := errors.New("broken")
	for _, err := range client.All(func(client.Page) (client.List[int], error) { return client.List[int]{}, broken }) {
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

func ExampleAll() {
	ctx := context.Background()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			_, _ = w.Write([]byte(`{"items":[{"name":"shop"}],"next_cursor":"2"}`))
			return
		}
		_, _ = w.Write([]byte(`{"items":[{"name":"stock"}]}`))
	}))
	defer server.Close()
	studio := client.New(server.URL).Studio(client.Session{Token: "kept from the sign-in"})
	for w, err := range client.All(func(p client.Page) (client.List[client.Workspace], error) { return studio.Workspaces(ctx, p) }) {
		fmt.Println(w.Name, err)
	}
	// Output:
	// shop <nil>
	// stock <nil>
}

package marketsim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go/parser"
	"go/token"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering"

	"tollgate.dev/internal/marketsim/alibaba"
	"tollgate.dev/internal/marketsim/aws"
	"tollgate.dev/internal/marketsim/stage"
)

// A simulator that shared code with an adapter would share its mistakes.
func TestNothingOfTheHouseIsImported(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		seen++
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if strings.Contains(strings.SplitN(path, "/", 2)[0], ".") && !strings.HasPrefix(path, "tollgate.dev/internal/marketsim/") {
				t.Errorf("%s imports %s", file, path)
			}
		}
		return nil
	})
	if err != nil || seen < 10 {
		t.Fatalf("%d files, %v", seen, err)
	}
}

// A word that no page uses is a page that was changed by half. Those of states
// and kinds are looked up by their value.
func TestEveryTextIsUsedAndInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{".", "aws", "alibaba", "huawei"} {
		var pages bytes.Buffer
		err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || folder == "." && entry.IsDir() && file != "." {
				return fs.SkipDir
			}
			if strings.HasSuffix(file, ".html") || strings.HasSuffix(file, ".go") {
				text, err := os.ReadFile(file)
				pages.Write(text)
				return err
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		declared := regexp.MustCompile(`(?m)^\t"([a-zA-Z_]+)":\s+\{("[^"]+"), ("[^"]+")\},$`).FindAllStringSubmatch(pages.String(), -1)
		if len(declared) < 5 {
			t.Errorf("%s: %d texts were found", folder, len(declared))
		}
		for _, d := range declared {
			if n := strings.Count(pages.String(), `"`+d[1]+`"`); n < 2 {
				t.Errorf("%s: the text %s is not used", folder, d[1])
			}
			if d[2] == d[3] {
				t.Errorf("%s: the text %s is the same in both languages", folder, d[1])
			}
		}
	}
}

func simulation(t *testing.T, file string) (*Sim, *httptest.Server) {
	t.Helper()
	at := time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)
	s, err := New(Config{
		Base: "http://sim.example", File: file, Stage: stage.Options{Now: func() time.Time { return at }, RealNow: time.Now, Seed: 3},
		AWS: aws.Config{Regions: []string{"us-east-1"}, Account: "111122223333", Products: []aws.Product{{ID: "p", Code: "code", Title: "Product", Dimensions: []string{"d"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	return s, server
}

// ask calls the control interface.
func ask(t *testing.T, server *httptest.Server, method, path, body string, to any) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && to != nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatalf("%s %s: %v: %s", method, path, err, text)
	}
	return response.StatusCode
}

func TestTestsMoveTheClock(t *testing.T) {
	t.Parallel()
	s, server := simulation(t, "")
	var clock struct {
		Now          time.Time
		Offset, Skew string
	}
	ask(t, server, http.MethodPost, "/control/clock", `{"offset": "3h", "skew": "90s"}`, &clock)
	if want := time.Date(2026, 11, 20, 13, 20, 0, 0, time.UTC); !clock.Now.Equal(want) || clock.Skew != "1m30s" || !s.Stage.Now().Equal(want) {
		t.Errorf("%+v", clock)
	}
	ask(t, server, http.MethodPost, "/control/clock", `{"at": "2026-12-01T05:59:00Z"}`, &clock)
	if want := time.Date(2026, 12, 1, 5, 59, 0, 0, time.UTC); !clock.Now.Equal(want) || s.Stage.SignedOut().Sub(s.Stage.Signed()) < time.Minute {
		t.Errorf("%+v", clock)
	}
	for _, wrong := range []string{`{"at": "2026-12-01T05:59:00Z", "offset": "1h"}`, `{"offset": "soon"}`, `{"hour": 3}`} {
		if got := ask(t, server, http.MethodPost, "/control/clock", wrong, nil); got != http.StatusBadRequest {
			t.Errorf("%s: %d", wrong, got)
		}
	}
}

func TestFaultsAndSwitchesAreSetAndShown(t *testing.T) {
	t.Parallel()
	_, server := simulation(t, "")
	var faults []stage.Fault
	ask(t, server, http.MethodPost, "/control/faults", `{"cloud": "aws", "kind": "lost", "times": 2}`, &faults)
	if len(faults) != 1 || faults[0].Times != 2 {
		t.Errorf("%+v", faults)
	}
	ask(t, server, http.MethodDelete, "/control/faults", "", &faults)
	if len(faults) != 0 {
		t.Errorf("%+v", faults)
	}
	var switches map[string]map[string]any
	ask(t, server, http.MethodPost, "/control/switches", `{"aws": {"lateness_hours": 6}}`, &switches)
	if switches["aws"]["lateness_hours"] != 6.0 || switches["aws"]["identical_repeat"] != "success" {
		t.Errorf("%+v", switches)
	}
	for path, wrong := range map[string]string{"/control/faults": `{"cloud": "moon", "kind": "lost"}`, "/control/switches": `{"moon": {}}`, "/control/act/moon/x": `{}`} {
		if got := ask(t, server, http.MethodPost, path, wrong, nil); got != http.StatusBadRequest {
			t.Errorf("%s %s: %d", path, wrong, got)
		}
	}
}

func TestASimulationGoesOnWhereItsFileEnded(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "markets.json")
	_, server := simulation(t, file)
	var bought map[string]string
	ask(t, server, http.MethodPost, "/control/act/aws/subscribe", `{"account": "210987654321"}`, &bought)
	ask(t, server, http.MethodPost, "/control/clock", `{"offset": "2h"}`, nil)
	s, again := simulation(t, file)
	var token map[string]string
	if got := ask(t, again, http.MethodPost, "/control/act/aws/token", `{"license": "`+bought["license"]+`"}`, &token); got != http.StatusOK || token["token"] == bought["token"] {
		t.Errorf("%d %v", got, token)
	}
	if offset, _ := s.Stage.Clock(); offset != 2*time.Hour {
		t.Error(offset)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{File: file}); err == nil {
		t.Error("half a file was read")
	}
}

func TestTheSameSeedMakesTheSameNames(t *testing.T) {
	t.Parallel()
	_, one := simulation(t, "")
	_, two := simulation(t, "")
	names := func(server *httptest.Server) (first map[string]string) {
		ask(t, server, http.MethodPost, "/control/act/aws/subscribe", `{"account": "210987654321"}`, &first)
		return first
	}
	a, b := names(one), names(two)
	if a["license"] != b["license"] || a["token"] != b["token"] {
		t.Errorf("%v %v", a, b)
	}
	if other := names(one); other["license"] == a["license"] {
		t.Error("two purchases have one license")
	}
	ask(t, one, http.MethodPost, "/control/reset", `{"seed": 3}`, nil)
	if again := names(one); again["license"] != a["license"] {
		t.Error("after a reset the names are others")
	}
	if TestKeys(1) == TestKeys(2) || TestKeys(1) != TestKeys(1) {
		t.Error("keys are made of the seed")
	}
}

func TestPagesOfOtherSitesPressNoButtons(t *testing.T) {
	t.Parallel()
	_, server := simulation(t, "")
	for _, path := range []string{"/aws/do", "/control/reset", "/control/act/aws/subscribe"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

func TestTheFirstPageListsTheMarkets(t *testing.T) {
	t.Parallel()
	_, server := simulation(t, "")
	for language, want := range map[string]string{"en": "Simulated cloud markets", "zh": "模拟云市场"} {
		response, err := http.Get(server.URL + "/?lang=" + language)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(text), want) || !strings.Contains(string(text), "http://sim.example/aws/") {
			t.Errorf("%s: %v", language, err)
		}
	}
}

// The clients of the clouds call the paths that the clouds have, which are told
// apart at one address, and below the names of the clouds.
func TestEachAPIAnswersAtItsOwnPathToo(t *testing.T) {
	t.Parallel()
	_, server := simulation(t, "")
	for _, c := range []struct{ method, path, header, value, want string }{
		{http.MethodPost, "/", "X-Amz-Target", "AWSMPMeteringService.BatchMeterUsage", "MissingAuthenticationTokenException"},
		{http.MethodPost, "/aws", "X-Amz-Target", "AmazonSQS.ReceiveMessage", "MissingAuthenticationTokenException"},
		{http.MethodPost, "/?Metering=x", "X-Acs-Action", "PushMeteringData", "IncompleteSignature"},
		{http.MethodPost, "/alibaba/", "X-Acs-Action", "PushMeteringData", "IncompleteSignature"},
		{http.MethodGet, "/?Action=DescribeOrderForIsv&Version=2015-11-01", "Accept", "*/*", "IncompleteSignature"},
		{http.MethodGet, "/api/mkp-openapi-public/global/v1/order/query?orderId=1", "Accept", "*/*", "MKT.0154"},
		{http.MethodPost, "/huawei/api/mkp-openapi-public/global/v1/isv/usage-data", "Accept", "*/*", "MKT.0154"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, server.URL+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(c.header, c.value)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(text), c.want) {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, text, c.want)
		}
	}
}

func TestCallbacksAreHeldAndReleasedInAnyOrder(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heard []string
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r.URL.Query().Get("aliUid"))
		_, _ = io.WriteString(w, `{"instanceId":"`+r.URL.Query().Get("orderBizId")+`"}`)
	}))
	t.Cleanup(vendor.Close)
	s, err := New(Config{
		Stage:   stage.Options{Now: time.Now, RealNow: time.Now, Seed: 3},
		Alibaba: alibaba.Config{SPI: vendor.URL, Products: []alibaba.Product{{Code: "code", Plan: "hourly"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start(t.Context())
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	ask(t, server, http.MethodPost, "/control/callbacks/hold", "", nil)
	for i := range 5 {
		ask(t, server, http.MethodPost, "/control/act/alibaba/open", fmt.Sprintf(`{"ali_uid": "100000000%d"}`, i), nil)
	}
	var released map[string]int
	ask(t, server, http.MethodPost, "/control/callbacks/release", `{"order": "reversed", "copies": 2}`, &released)
	want := "1000000004 1000000004 1000000003 1000000003 1000000002 1000000002 1000000001 1000000001 1000000000 1000000000"
	mu.Lock()
	got := strings.Join(heard, " ")
	mu.Unlock()
	if got != want || released["taken"] != 10 {
		t.Errorf("%s, %v", got, released)
	}
	var callbacks []stage.Callback
	ask(t, server, http.MethodGet, "/control/callbacks?cloud=alibaba", "", &callbacks)
	if len(callbacks) != 5 || !callbacks[0].Done || len(callbacks[0].Attempts) != 2 {
		t.Errorf("%+v", callbacks)
	}
	ask(t, server, http.MethodPost, "/control/callbacks/"+callbacks[0].ID+"/send", "", nil)
	var journal []stage.Entry
	if ask(t, server, http.MethodGet, "/control/journal?cloud=alibaba", "", &journal); len(journal) != 11 || journal[0].Direction != stage.Out {
		t.Errorf("%d entries", len(journal))
	}
}

func TestASimulationMayStandBelowAPrefix(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s, err := New(Standard{Base: server.URL + "/markets", Vendor: "https://vendor.example", Stage: stage.Options{Now: time.Now, RealNow: time.Now, Seed: 1}}.Config())
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/markets", http.StripPrefix("/markets", s.Handler()))
	mux.Handle("/markets/", http.StripPrefix("/markets", s.Handler()))
	keys, base := TestKeys(1), server.URL+"/markets"
	client := marketplacemetering.New(marketplacemetering.Options{
		Region: "us-east-1", BaseEndpoint: &base, RetryMaxAttempts: 1,
		Credentials: sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
			return sdk.Credentials{AccessKeyID: keys.AWSAccessKey, SecretAccessKey: keys.AWSSecretKey}, nil
		}),
	})
	bought, err := s.AWS.Act("subscribe", map[string]string{"account": "210987654321"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := client.ResolveCustomer(t.Context(), &marketplacemetering.ResolveCustomerInput{RegistrationToken: sdk.String(bought["token"])})
	if err != nil || *got.LicenseArn != bought["license"] {
		t.Fatalf("%v", err)
	}
	for _, path := range []string{"/markets/", "/markets/aws", "/markets/aws/", "/markets/alibaba/", "/markets/huawei/products/tollgate-card-100", "/markets/control/clock"} {
		response, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

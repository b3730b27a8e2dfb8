package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const arn = "arn:aws:license-manager::294406891311:license:l-0123abcd"

func config() Config {
	return Config{
		AccessKey: "AKIACANARY", Secret: "secret-canary", Region: "us-east-1", Products: []string{"prod1"}, Dimension: "usage_cents",
		Prices: []money.Amount{money.Of(1, money.USD)}, Listing: "https://aws.amazon.com/marketplace/pp/prodview-1",
	}
}

func market(t *testing.T, change func(*Config), api http.HandlerFunc) *Market {
	t.Helper()
	c := config()
	if api != nil {
		s := httptest.NewServer(api)
		t.Cleanup(s.Close)
		c.Metering, c.SQS, c.Queue = s.URL, s.URL, s.URL+"/123/events"
	}
	if change != nil {
		change(&c)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answering is an API that gives one answer, and keeps the last question.
func answering(question *string, status int, answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil && question != nil {
			*question = r.Header.Get("X-Amz-Target") + " " + string(body)
		}
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}
}

func TestARegistrationIsResolved(t *testing.T) {
	t.Parallel()
	var asked string
	m := market(t, nil, answering(&asked, 200, `{"CustomerAWSAccountId":"123456789012","ProductCode":"prod1","LicenseArn":"`+arn+`"}`))
	p, err := m.Verify(t.Context(), marketplace.Claim{Token: "tok"})
	want := marketplace.Purchase{Account: "123456789012", Instance: "l-0123abcd", Reference: arn, Product: "prod1", Plan: marketplace.Hourly}
	if err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	if asked != `AWSMPMeteringService.ResolveCustomer {"RegistrationToken":"tok"}` {
		t.Errorf("asked %s", asked)
	}
}

func TestEachRegistrationThatDoesNotHoldHasItsCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		token  string
		want   error
	}{
		"no token":      {200, `{}`, "", marketplace.ErrRegistration},
		"expired":       {400, `{"__type":"ExpiredTokenException","message":"token tok-canary expired"}`, "tok-canary", marketplace.ErrRegistration},
		"forged":        {400, `{"__type":"InvalidTokenException","message":"tok-canary"}`, "tok-canary", marketplace.ErrRegistration},
		"other product": {200, `{"CustomerAWSAccountId":"1","ProductCode":"prod2","LicenseArn":"` + arn + `"}`, "tok-canary", marketplace.ErrOtherProduct},
		"no license":    {200, `{"CustomerAWSAccountId":"1","ProductCode":"prod1"}`, "tok-canary", marketplace.ErrUnreachable},
		"disabled":      {400, `{"__type":"DisabledApiException","message":"tok-canary"}`, "tok-canary", marketplace.ErrUnreachable},
	} {
		_, err := market(t, nil, answering(nil, c.status, c.answer)).Verify(t.Context(), marketplace.Claim{Token: c.token})
		if !errors.Is(err, c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func record(id, license string, quantity_ int64, attempts int) marketplace.Record {
	return marketplace.Record{
		ID: id, Account: "123456789012", Instance: License(license), Reference: license, Product: "prod1", Dimension: "usage_cents",
		Window: marketplace.Window{From: noon, To: noon.Add(time.Hour)}, Quantity: quantity.Of(quantity_), Attempts: attempts,
	}
}

// echo is the answer's record.
func echo(license, status string, n string) string {
	return `{"UsageRecord":{"Timestamp":1772366400,"CustomerAWSAccountId":"123456789012","LicenseArn":"` + license + `","Dimension":"usage_cents","Quantity":` + n +
		`},"MeteringRecordId":"m-` + status + `","Status":"` + status + `"}`
}

func TestUsageNamesLicensesAndNoProduct(t *testing.T) {
	t.Parallel()
	var asked string
	m := market(t, nil, answering(&asked, 200, `{"Results":[`+echo(arn, "Success", "5")+`],"UnprocessedRecords":[]}`))
	outcomes, err := m.Send(t.Context(), []marketplace.Record{record("r1", arn, 5, 1)})
	if err != nil || len(outcomes) != 1 || outcomes[0].State != marketplace.Accepted || outcomes[0].RemoteID != "m-Success" {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	const want = `AWSMPMeteringService.BatchMeterUsage {"UsageRecords":[{"CustomerAWSAccountId":"123456789012","Dimension":"usage_cents","LicenseArn":"` + arn + `","Quantity":5,"Timestamp":1772366400}]}`
	if asked != want {
		t.Errorf("asked %s\nwant %s", asked, want)
	}
}

func TestUsageOfOldProductsNamesProductAndCustomer(t *testing.T) {
	t.Parallel()
	var asked string
	m := market(t, func(c *Config) { c.Legacy = true }, answering(&asked, 200, `{"Results":[],"UnprocessedRecords":[]}`))
	outcomes, err := m.Send(t.Context(), []marketplace.Record{record("r1", "cust-1", 5, 1)})
	if err != nil || outcomes[0].State != marketplace.Sent {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	var body struct {
		ProductCode  string
		UsageRecords []map[string]any
	}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(asked, "AWSMPMeteringService.BatchMeterUsage ")), &body); err != nil {
		t.Fatal(err)
	}
	r := body.UsageRecords[0]
	if body.ProductCode != "prod1" || r["CustomerIdentifier"] != "cust-1" || r["LicenseArn"] != nil || r["CustomerAWSAccountId"] != nil {
		t.Errorf("asked %s", asked)
	}
}

// TestEachStatusEndsInItsState also shuffles the answers, leaves one out, and
// spells a license as the events do.
func TestEachStatusEndsInItsState(t *testing.T) {
	t.Parallel()
	name := func(n string) string { return "arn:aws:license-manager::294406891311:license:l-" + n }
	records := []marketplace.Record{
		record("taken", name("1"), 5, 1), record("twice", name("2"), 5, 2), record("other", name("3"), 5, 1), record("echoed", name("4"), 5, 2),
		record("gone", name("5"), 5, 1), record("left", name("6"), 5, 1),
	}
	answers := []string{
		echo("aws:license-manager:us-east-1:294406891311:l-1", "Success", "5"), echo(name("2"), "DuplicateRecord", "5"), echo(name("3"), "DuplicateRecord", "5"),
		echo(name("4"), "DuplicateRecord", "7"), echo(name("5"), "CustomerNotSubscribed", "5"),
	}
	slices.Reverse(answers)
	m := market(t, nil, answering(nil, 200, `{"Results":[`+strings.Join(answers, ",")+`]}`))
	outcomes, err := m.Send(t.Context(), records)
	if err != nil {
		t.Fatal(err)
	}
	want := []marketplace.RecordState{ // in the order of the records
		marketplace.Accepted, marketplace.DuplicateSame, marketplace.DuplicateDiff, marketplace.DuplicateDiff, marketplace.Rejected, marketplace.Sent,
	}
	for i, o := range outcomes {
		if o.RecordID != records[i].ID || o.State != want[i] {
			t.Errorf("%s: %s, want %s", records[i].ID, o.State, want[i])
		}
	}
}

func TestEachRefusalOfUsageIsSorted(t *testing.T) {
	t.Parallel()
	var poisoned *marketplace.Poisoned
	for name, c := range map[string]struct {
		status              int
		body                string
		throttled, poisoned bool
	}{
		"throttled":       {400, `{"__type":"ThrottlingException","message":"m"}`, true, false},
		"our key":         {400, `{"__type":"UnrecognizedClientException","message":"m"}`, false, false},
		"a wrong license": {400, `{"__type":"InvalidLicenseException","message":"m"}`, false, true},
		"too old":         {400, `{"__type":"TimestampOutOfBoundsException","message":"m"}`, false, true},
		"its own mistake": {500, `{"__type":"InternalServiceErrorException","message":"m"}`, false, false},
		"no answer":       {0, ``, false, false},
	} {
		_, err := market(t, nil, answering(nil, c.status, c.body)).Send(t.Context(), []marketplace.Record{record("r1", arn, 5, 1)})
		if err == nil || errors.Is(err, marketplace.ErrThrottled) != c.throttled || errors.As(err, &poisoned) != c.poisoned || errors.Is(err, marketplace.ErrUnreachable) != (name == "our key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWorkspacesAreToldWhereTheySum(t *testing.T) {
	t.Parallel()
	share := func(id string, n int64) marketplace.Share {
		return marketplace.Share{WorkspaceID: id, Quantity: quantity.Of(n)}
	}
	for name, c := range map[string]struct {
		shares []marketplace.Share
		want   int
	}{
		"two and a silent one": {[]marketplace.Share{share("a", 2), share("b", 3), share("c", 0)}, 2},
		"too little":           {[]marketplace.Share{share("a", 2)}, 0},
		"parts of one":         {[]marketplace.Share{{WorkspaceID: "a", Quantity: quantity.MustParse("5.5")}}, 0},
		"none":                 {nil, 0},
	} {
		r := record("r1", arn, 5, 1)
		r.Shares = c.shares
		if got := allocations(r); len(got) != c.want {
			t.Errorf("%s: %d", name, len(got))
		}
	}
}

func TestSizesAreUpperBounds(t *testing.T) {
	t.Parallel()
	var asked string
	m := market(t, nil, answering(&asked, 200, `{"Results":[]}`))
	r := record("r1", arn, 1000, 1)
	for i := range 1000 {
		r.Shares = append(r.Shares, marketplace.Share{WorkspaceID: fmt.Sprintf("wksp_%027d", i), Quantity: quantity.Of(1)})
	}
	if _, err := m.Send(t.Context(), []marketplace.Record{r}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(asked, "UsageAllocations") || len(asked) > m.Size(r) {
		t.Errorf("%d bytes, said to be %d at most", len(asked), m.Size(r))
	}
}

func TestAQuantityBeyondTheirNumbersIsNotCut(t *testing.T) {
	t.Parallel()
	var poisoned *marketplace.Poisoned
	_, err := market(t, nil, answering(nil, 200, `{}`)).Send(t.Context(), []marketplace.Record{record("r1", arn, MostQuantity+1, 1)})
	if !errors.As(err, &poisoned) {
		t.Errorf("%v", err)
	}
}

func TestUsageIsLateWhenItsHourIsOrTheMonthIsClosed(t *testing.T) {
	t.Parallel()
	m := market(t, nil, nil)
	for end, want := range map[string]string{ // of windows of an hour
		"2026-03-01T13:00:00Z": "2026-03-02T12:00:00Z",
		"2026-03-31T22:00:00Z": "2026-04-01T06:00:00Z",
		"2026-04-01T00:00:00Z": "2026-04-01T06:00:00Z",
		"2026-04-01T01:00:00Z": "2026-04-02T00:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, end)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Deadline(marketplace.Hourly, m.Window(marketplace.Hourly, at.Add(-time.Minute))).Format(time.RFC3339); got != want {
			t.Errorf("until %s: %s, want %s", end, got, want)
		}
	}
}

const updated = `{"version":"0","id":"e-1","detail-type":"License Updated - Manufacturer","source":"aws.agreement-marketplace","account":"9","time":"2026-03-01T11:00:00Z","region":"us-east-1","resources":[],` +
	`"detail":{"agreement":{"id":"agmt-1"},"product":{"id":"p","code":"prod1"},"license":{"arn":"aws:license-manager:us-east-1:294406891311:l-0123abcd"},"acceptor":{"accountId":"123456789012"},"new":"field"}}`

func TestEventsOfLicensesAreRead(t *testing.T) {
	t.Parallel()
	m := market(t, nil, nil)
	e, err := m.Read([]byte(updated), "m1", noon)
	if err != nil || e.Kind != marketplace.Purchased || e.Instance != "l-0123abcd" || e.Reference != arn || e.Account != "123456789012" || e.Order != "agmt-1" || e.ID != "e-1" || !e.At.Equal(noon.Add(-time.Hour)) {
		t.Errorf("%+v, %v", e, err)
	}
	e, err = m.Read([]byte(strings.Replace(updated, "License Updated", "License Deprovisioned", 1)), "m1", noon)
	if err != nil || e.Kind != marketplace.Released || e.FinalFor != time.Hour {
		t.Errorf("%+v, %v", e, err)
	}
	for _, quiet := range []string{"Purchase Agreement Created", "Purchase Agreement Amended", "Purchase Agreement Ended"} {
		e, err = m.Read([]byte(strings.Replace(updated, "License Updated - Manufacturer", quiet+" - Proposer", 1)), "m1", noon)
		if err != nil || e.Kind != "" {
			t.Errorf("%s: %+v, %v", quiet, e, err)
		}
	}
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"no JSON":           {"dance", marketplace.ErrFields},
		"another source":    {strings.Replace(updated, "aws.agreement-marketplace", "aws.ec2", 1), marketplace.ErrFields},
		"another kind":      {strings.Replace(updated, "License Updated", "License Danced", 1), marketplace.ErrAction},
		"another product":   {strings.Replace(updated, `"code":"prod1"`, `"code":"prod2"`, 1), marketplace.ErrOtherProduct},
		"no license":        {strings.Replace(updated, "aws:license-manager:us-east-1:294406891311:l-0123abcd", "", 1), marketplace.ErrFields},
		"of an old age":     {`{"action":"subscribe-success","customer-identifier":"c","product-code":"prod1"}`, marketplace.ErrFields},
		"nothing of a kind": {`{}`, marketplace.ErrFields},
	} {
		if _, err := m.Read([]byte(c.body), "m1", noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestNoticesOfOldProductsAreReadBareAndWrapped(t *testing.T) {
	t.Parallel()
	m := market(t, func(c *Config) { c.Legacy = true }, nil)
	for action, kind := range map[string]marketplace.EventKind{
		"subscribe-success": marketplace.Purchased, "unsubscribe-pending": marketplace.Cancelled, "unsubscribe-success": marketplace.Released, "subscribe-fail": "", "entitlement-updated": "",
	} {
		bare := `{"action":"` + action + `","customer-identifier":"cust-1","product-code":"prod1"}`
		wrapped, err := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m1", "Timestamp": "2026-03-01T12:00:00Z", "Message": bare})
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range []string{bare, string(wrapped)} {
			e, err := m.Read([]byte(body), "m1", noon)
			if err != nil || e.Kind != kind || e.Instance != "cust-1" || e.ID != "m1" || !e.At.Equal(noon) {
				t.Errorf("%s: %+v, %v", action, e, err)
			}
		}
	}
}

func TestAMessageLeavesTheQueueWhenItWasKept(t *testing.T) {
	t.Parallel()
	var deleted []string
	m := market(t, nil, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if r.Header.Get("X-Amz-Target") == "AmazonSQS.DeleteMessage" {
			var d struct{ ReceiptHandle string }
			if err := json.Unmarshal(body, &d); err != nil {
				t.Error(err)
			}
			deleted = append(deleted, d.ReceiptHandle)
			_, _ = io.WriteString(w, `{}`)
			return
		}
		// the MD5 of "a" and of "b", which the library checks
		_, _ = io.WriteString(w, `{"Messages":[{"MessageId":"1","ReceiptHandle":"h1","Body":"a","MD5OfBody":"0cc175b9c0f1b6a831c399e269772661"},`+
			`{"MessageId":"2","ReceiptHandle":"h2","Body":"b","MD5OfBody":"92eb5ffee6ae2fec3ad71c777531578f"}]}`)
	})
	lost := errors.New("the store is away")
	taken, err := m.Poll(t.Context(), func(body []byte, _ string) error {
		if string(body) == "a" {
			return lost
		}
		return nil
	})
	if !errors.Is(err, lost) || taken != 1 || !slices.Equal(deleted, []string{"h2"}) {
		t.Errorf("took %d, deleted %v, %v", taken, deleted, err)
	}
}

func TestSettingsAreCheckedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"key": func(c *Config) { c.AccessKey = "" }, "secret": func(c *Config) { c.Secret = "" }, "region": func(c *Config) { c.Region = "" },
		"products": func(c *Config) { c.Products = nil }, "dimension": func(c *Config) { c.Dimension = "" }, "price": func(c *Config) { c.Prices = nil },
		"listing": func(c *Config) { c.Listing = "" }, "late": func(c *Config) { c.Late = 25 * time.Hour }, "queue": func(c *Config) { c.Queue = "events" },
	} {
		c := config()
		change(&c)
		if err := c.Check(); err == nil || strings.Contains(strings.ToLower(err.Error()), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := config()
	if c.Simulated() {
		t.Error("AWS itself is called a simulator")
	}
	if c.SQS = "http://127.0.0.1:9"; !c.Simulated() {
		t.Error("a simulator is not told")
	}
}

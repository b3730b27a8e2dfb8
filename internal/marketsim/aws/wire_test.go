package aws_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering/types"
	"pgregory.net/rapid"
)

// raw posts bytes that AWS's own signer signed.
type raw struct {
	target, body, service, content string
	at                             time.Time
	spoil                          func(*http.Request)
}

func (w *world) post(r raw) (int, map[string]any) {
	w.t.Helper()
	if r.service == "" {
		r.service = "aws-marketplace"
	}
	if r.content == "" {
		r.content = "application/x-amz-json-1.1"
	}
	if r.at.IsZero() {
		r.at = time.Now()
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.server.URL+"/", strings.NewReader(r.body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", r.content)
	request.Header.Set("X-Amz-Target", r.target)
	sum := sha256.Sum256([]byte(r.body))
	who := sdk.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}
	if err := v4.NewSigner().SignHTTP(w.t.Context(), who, request, hex.EncodeToString(sum[:]), r.service, "us-east-1", r.at); err != nil {
		w.t.Fatal(err)
	}
	if r.spoil != nil {
		r.spoil(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got map[string]any
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, got
}

const batchTarget = "AWSMPMeteringService.BatchMeterUsage"

func TestOnlyARightSignatureIsServed(t *testing.T) {
	t.Parallel()
	w := open(t)
	edit := func(header, from, to string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(header, strings.Replace(r.Header.Get(header), from, to, 1)) }
	}
	for name, c := range map[string]struct {
		raw  raw
		want string
	}{
		"right":                 {raw{}, ""},
		"another key":           {raw{spoil: edit("Authorization", "AKIDEXAMPLE", "AKIDOTHER")}, "UnrecognizedClientException"},
		"no signature":          {raw{spoil: func(r *http.Request) { r.Header.Del("Authorization") }}, "MissingAuthenticationTokenException"},
		"half of one":           {raw{spoil: edit("Authorization", "Signature=", "Sig=")}, "IncompleteSignatureException"},
		"another service":       {raw{service: "execute-api"}, "InvalidSignatureException"},
		"an old one":            {raw{at: time.Now().Add(-6 * time.Minute)}, "InvalidSignatureException"},
		"one of the future":     {raw{at: time.Now().Add(6 * time.Minute)}, "InvalidSignatureException"},
		"another body":          {raw{spoil: func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"UsageRecords":{}}`)) }}, "InvalidSignatureException"},
		"a header not signed":   {raw{spoil: func(r *http.Request) { r.Header.Set("X-Amz-Meta", "x") }}, "InvalidSignatureException"},
		"a header that changed": {raw{spoil: edit("Authorization", "x-amz-target", "x-amz-targets")}, "InvalidSignatureException"},
	} {
		c.raw.target, c.raw.body = batchTarget, `{"UsageRecords":[]}`
		_, got := w.post(c.raw)
		if code, _ := got["__type"].(string); code != c.want {
			t.Errorf("%s: %v, want %q", name, got, c.want)
		}
	}
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	record := func(more string) string {
		return fmt.Sprintf(`{"UsageRecords":[{"Timestamp":%d,"CustomerAWSAccountId":%q,"LicenseArn":%q,"Dimension":"usage_cents"%s}]}`, begin.Unix(), buyer, license, more)
	}
	for name, c := range map[string]struct{ body, want string }{
		"fractions of seconds":     {strings.Replace(record(""), fmt.Sprint(begin.Unix()), fmt.Sprint(begin.Unix(), ".5"), 1), ""},
		"a timestamp in words":     {strings.Replace(record(""), fmt.Sprint(begin.Unix()), `"2026-11-20T10:00:00Z"`, 1), "SerializationException"},
		"a quantity with decimals": {record(`,"Quantity":1.0`), "SerializationException"},
		"a quantity in quotes":     {record(`,"Quantity":"1"`), "SerializationException"},
		"more than 32 bits":        {record(`,"Quantity":2147483648`), "SerializationException"},
		"an unknown member":        {record(`,"Price":1`), "SerializationException"},
		"two documents":            {record("") + "{}", "SerializationException"},
		"no records":               {`{}`, "ValidationException"},
		"a product beside":         {strings.Replace(record(""), "{", `{"ProductCode":"`+product+`",`, 1), "InvalidProductCodeException"},
		"a megabyte":               {record(`,"Quantity":1` + strings.Repeat(" ", 1_000_000)), "ValidationException"},
		"no JSON":                  {`UsageRecords=1`, "SerializationException"},
	} {
		_, got := w.post(raw{target: batchTarget, body: c.body})
		if code, _ := got["__type"].(string); code != c.want {
			t.Errorf("%s: %.200v, want %q", name, got, c.want)
		}
	}
	if _, got := w.post(raw{target: "AWSMPMeteringService.RegisterUsage", body: "{}"}); got["__type"] != "UnknownOperationException" {
		t.Errorf("%v", got)
	}
	w.flip(`{"unknown_members": "ignore", "product_code_beside": "ignore"}`)
	if _, got := w.post(raw{target: batchTarget, body: strings.Replace(record(`,"Price":1`), "{", `{"ProductCode":"`+product+`",`, 1)}); got["__type"] != nil {
		t.Errorf("switched off: %v", got)
	}
}

// AWS's SDK ships the requests that it expects itself to make. The simulator
// must read them: whatever it refuses about them is their values, not their
// shape.
func TestTheSnapshotsOfTheSDKAreRead(t *testing.T) {
	t.Parallel()
	w := open(t)
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/marketplacemetering").Output()
	if err != nil {
		t.Fatal(err)
	}
	for operation, want := range map[string]string{
		"BatchMeterUsage": "InvalidProductCodeException", // its records name customers in every way at once
		"ResolveCustomer": "InvalidTokenException",
	} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "serde_snapshot", operation+".request.snap"))
		if err != nil {
			t.Fatal(err)
		}
		head, body, found := bytes.Cut(text, []byte("\n\n{"))
		if !found || !bytes.Contains(head, []byte("X-Amz-Target: AWSMPMeteringService."+operation)) || !bytes.Contains(head, []byte("Content-Type: application/x-amz-json-1.1")) {
			t.Fatalf("%s: the snapshot has another form: %s", operation, head)
		}
		_, got := w.post(raw{target: "AWSMPMeteringService." + operation, body: "{" + string(body)})
		if got["__type"] != want {
			t.Errorf("%s: %v, want %s", operation, got, want)
		}
	}
}

// Whatever is sent in whatever order, what is billed of a key is the first
// value that was accepted, and each answer says so.
func TestWhatIsBilledIsAlwaysTheFirstValue(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.pass(5 * time.Hour)
	model := map[time.Time]int64{}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 25).Draw(t, "records")
		var batch []types.UsageRecord
		for range n {
			at := begin.Truncate(time.Hour).Add(time.Duration(rapid.IntRange(0, 5*60).Draw(t, "minute")) * time.Minute)
			batch = append(batch, usage(license, at, rapid.Int32Range(0, 3).Draw(t, "quantity")))
		}
		got, err := w.meter(3, batch...) // a retry changes nothing of what follows
		if err != nil || len(got.Results) != n {
			t.Fatalf("%v", err)
		}
		for _, r := range batch {
			if hour := r.Timestamp.Truncate(time.Hour); model[hour] == 0 {
				model[hour] = int64(*r.Quantity) + 1 // so that 0 is nothing
			}
		}
		accepted := w.sim.Accepted()
		if len(accepted) != len(model) {
			t.Fatalf("%d keys, want %d", len(accepted), len(model))
		}
		for _, rec := range accepted {
			if rec.Quantity+1 != model[rec.Hour] {
				t.Fatalf("%s: %d, want %d", rec.Hour, rec.Quantity, model[rec.Hour]-1)
			}
		}
		for _, r := range got.Results {
			same := int64(*r.UsageRecord.Quantity)+1 == model[r.UsageRecord.Timestamp.Truncate(time.Hour)]
			if same != (r.Status == types.UsageRecordResultStatusSuccess) {
				t.Fatalf("%v for an equal value: %v", r.Status, same)
			}
		}
	})
}

func FuzzBatchMeterUsage(f *testing.F) {
	f.Add(`{"UsageRecords":[{"Timestamp":1763634000,"CustomerAWSAccountId":"210987654321","LicenseArn":"x","Dimension":"usage_cents","Quantity":1}]}`)
	f.Add(`{"ProductCode":"old0code","UsageRecords":[{"Timestamp":1763634000.5,"CustomerIdentifier":"x","Dimension":"usage_cents","UsageAllocations":[{"AllocatedUsageQuantity":0,"Tags":[{"Key":"a","Value":"b"}]}]}]}`)
	f.Add(`{"UsageRecords":[null,1,"",{}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := open(t)
		w.act("subscribe", "account", buyer, "product", older)
		status, got := w.post(raw{target: batchTarget, body: body})
		if status != http.StatusOK && (status != http.StatusBadRequest || got["__type"] == nil) {
			t.Fatalf("%d %v", status, got)
		}
		for _, rec := range w.sim.Accepted() {
			if rec.Quantity < 0 || rec.Quantity > 1<<31-1 || rec.Hour.Truncate(time.Hour) != rec.Hour {
				t.Fatalf("%+v", rec)
			}
		}
	})
}

package aws_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering/types"
	"github.com/aws/smithy-go"

	"tollgate.dev/internal/marketsim/aws"
	"tollgate.dev/internal/marketsim/stage"
)

const (
	product = "prod0code"
	older   = "old0code"
	buyer   = "210987654321"
)

var begin = time.Date(2026, 11, 20, 10, 20, 0, 0, time.UTC)

// world is a marketplace that listens, with a clock that tests move.
type world struct {
	t      *testing.T
	sim    *aws.Sim
	stage  *stage.Stage
	server *httptest.Server
	clock  atomic.Int64
}

func open(t *testing.T) *world {
	t.Helper()
	w := &world{t: t}
	w.at(begin)
	w.stage = stage.New(stage.Options{Now: func() time.Time { return time.UnixMicro(w.clock.Load()) }, RealNow: time.Now, Seed: 7})
	mux := http.NewServeMux()
	w.server = httptest.NewServer(mux)
	t.Cleanup(w.server.Close)
	w.sim = aws.New(w.stage, aws.Config{
		Base: w.server.URL, Landing: "https://vendor.example/landing", AccessKey: "AKIDEXAMPLE", SecretKey: "secret", Account: "111122223333",
		Regions: []string{"us-east-1", "eu-west-1"}, Queue: "agreements",
		Products: []aws.Product{
			{ID: "prod-a", Code: product, Title: "Observability", Dimensions: []string{"usage_cents", "logs"}},
			{ID: "prod-b", Code: "other", Title: "Other", Dimensions: []string{"usage_cents"}},
			{ID: "prod-c", Code: older, Title: "Old", Dimensions: []string{"usage_cents"}, Legacy: true},
		},
	})
	mux.Handle("/", w.sim)
	w.flip(`{"calls_per_second": 0}`)
	return w
}

func (w *world) at(at time.Time)      { w.clock.Store(at.UnixMicro()) }
func (w *world) pass(d time.Duration) { w.clock.Add(d.Microseconds()) }

func (w *world) flip(switches string) {
	w.t.Helper()
	if err := w.sim.Switch([]byte(switches)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) fault(f stage.Fault) {
	w.t.Helper()
	f.Cloud = aws.Cloud
	if err := w.stage.Ask(f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) act(action string, args ...string) map[string]string {
	w.t.Helper()
	m := map[string]string{}
	for i := 0; i < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	got, err := w.sim.Act(action, m)
	if err != nil {
		w.t.Fatal(err)
	}
	return got
}

func (w *world) subscribe() map[string]string {
	return w.act("subscribe", "account", buyer, "product", product)
}

func credentials() sdk.CredentialsProviderFunc {
	return func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
	}
}

func (w *world) client(tries int) *marketplacemetering.Client {
	return marketplacemetering.New(marketplacemetering.Options{
		Region: "us-east-1", BaseEndpoint: &w.server.URL, Credentials: credentials(), RetryMaxAttempts: tries, HTTPClient: w.server.Client(),
	})
}

func (w *world) meter(tries int, records ...types.UsageRecord) (*marketplacemetering.BatchMeterUsageOutput, error) {
	return w.client(tries).BatchMeterUsage(w.t.Context(), &marketplacemetering.BatchMeterUsageInput{UsageRecords: records})
}

// one meters one record and gives its result.
func (w *world) one(record types.UsageRecord) types.UsageRecordResult {
	w.t.Helper()
	got, err := w.meter(1, record)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(got.Results) != 1 || len(got.UnprocessedRecords) != 0 {
		w.t.Fatalf("results %d, unprocessed %d", len(got.Results), len(got.UnprocessedRecords))
	}
	return got.Results[0]
}

func usage(license string, at time.Time, quantity int32) types.UsageRecord {
	return types.UsageRecord{
		CustomerAWSAccountId: sdk.String(buyer), LicenseArn: &license, Dimension: sdk.String("usage_cents"), Quantity: &quantity, Timestamp: &at,
	}
}

func code(t *testing.T, err error) string {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("no error of the API: %v", err)
	}
	return api.ErrorCode()
}

func TestTheSDKResolvesATokenUntilItExpires(t *testing.T) {
	t.Parallel()
	w := open(t)
	bought := w.subscribe()
	resolve := func(token string) (*marketplacemetering.ResolveCustomerOutput, error) {
		return w.client(1).ResolveCustomer(t.Context(), &marketplacemetering.ResolveCustomerInput{RegistrationToken: &token})
	}
	for range 2 {
		got, err := resolve(bought["token"])
		if err != nil {
			t.Fatal(err)
		}
		if *got.CustomerAWSAccountId != buyer || *got.LicenseArn != bought["license"] || *got.ProductCode != product || got.CustomerIdentifier != nil {
			t.Errorf("resolved to %v %v %v %v", *got.CustomerAWSAccountId, *got.LicenseArn, *got.ProductCode, got.CustomerIdentifier)
		}
	}
	_, err := resolve("forged")
	if got := code(t, err); got != "InvalidTokenException" {
		t.Error(got)
	}
	w.pass(4 * time.Hour)
	_, err = resolve(bought["token"])
	if got := code(t, err); got != "ExpiredTokenException" {
		t.Error(got)
	}
}

func TestTheFirstValueOfAnHourIsTheOneThatIsBilled(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	first := w.one(usage(license, begin, 5))
	if first.Status != types.UsageRecordResultStatusSuccess || first.MeteringRecordId == nil {
		t.Fatalf("first: %v", first.Status)
	}
	again := w.one(usage(license, begin.Add(3*time.Minute), 5)) // the hour is the same
	if again.Status != types.UsageRecordResultStatusSuccess || *again.MeteringRecordId != *first.MeteringRecordId {
		t.Errorf("again: %v %v", again.Status, *again.MeteringRecordId)
	}
	if other := w.one(usage(license, begin, 6)); other.Status != types.UsageRecordResultStatusDuplicateRecord {
		t.Errorf("other: %v", other.Status)
	}
	w.flip(`{"identical_repeat": "duplicate"}`)
	if third := w.one(usage(license, begin, 5)); third.Status != types.UsageRecordResultStatusDuplicateRecord {
		t.Errorf("third: %v", third.Status)
	}
	got := w.sim.Accepted()
	if len(got) != 1 || got[0].Quantity != 5 || got[0].Repeats != 2 || len(got[0].Conflicts) != 1 || !got[0].Hour.Equal(begin.Truncate(time.Hour)) {
		t.Errorf("accepted %+v", got)
	}
}

func TestAnotherRegionBillsTwice(t *testing.T) {
	t.Parallel()
	w := open(t)
	record := usage(w.subscribe()["license"], begin, 5)
	w.one(record)
	in := func(region string) error {
		client := marketplacemetering.New(marketplacemetering.Options{Region: region, BaseEndpoint: &w.server.URL, Credentials: credentials(), RetryMaxAttempts: 1})
		_, err := client.BatchMeterUsage(t.Context(), &marketplacemetering.BatchMeterUsageInput{UsageRecords: []types.UsageRecord{record}})
		return err
	}
	if err := in("eu-west-1"); err != nil {
		t.Fatal(err)
	}
	if got := len(w.sim.Accepted()); got != 2 {
		t.Errorf("%d records, one per region expected", got)
	}
	if got := code(t, in("sa-east-1")); got != "DisabledApiException" {
		t.Error(got)
	}
}

func TestALimitThatIsBrokenCountsNothing(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	good := usage(license, begin, 1)
	other := w.act("subscribe", "account", buyer, "product", "other")["license"]
	foreign := w.act("subscribe", "account", "333333333333", "product", product)["license"]
	many := make([]types.UsageRecord, 26)
	for i := range many {
		many[i] = good
	}
	changed := func(change func(*types.UsageRecord)) []types.UsageRecord {
		r := good
		change(&r)
		return []types.UsageRecord{good, r}
	}
	buckets := func(n int32, tags ...types.Tag) func(*types.UsageRecord) {
		return func(r *types.UsageRecord) {
			r.Dimension, r.UsageAllocations = sdk.String("logs"), []types.UsageAllocation{{AllocatedUsageQuantity: &n, Tags: tags}}
		}
	}
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	moved := func(by time.Duration) func(*types.UsageRecord) {
		return func(r *types.UsageRecord) { at := begin.Add(by); r.Timestamp = &at }
	}
	for name, c := range map[string]struct {
		records []types.UsageRecord
		want    string
	}{
		"26 records":              {many, "ValidationException"},
		"a dimension not listed":  {changed(func(r *types.UsageRecord) { r.Dimension = sdk.String("Logs") }), "InvalidUsageDimensionException"},
		"an empty dimension":      {changed(func(r *types.UsageRecord) { r.Dimension = sdk.String("") }), "ValidationException"},
		"a long dimension":        {changed(func(r *types.UsageRecord) { r.Dimension = sdk.String(strings.Repeat("x", 256)) }), "ValidationException"},
		"a negative quantity":     {changed(func(r *types.UsageRecord) { r.Quantity = sdk.Int32(-1) }), "SerializationException"},
		"the future":              {changed(moved(6 * time.Minute)), "TimestampOutOfBoundsException"},
		"before the activation":   {changed(moved(-time.Hour)), "InvalidLicenseException"},
		"a license of nobody":     {changed(func(r *types.UsageRecord) { r.LicenseArn = sdk.String("arn:aws:x:l-0") }), "InvalidLicenseException"},
		"somebody else's license": {changed(func(r *types.UsageRecord) { r.LicenseArn = &foreign }), "InvalidLicenseException"},
		"two products":            {changed(func(r *types.UsageRecord) { r.LicenseArn = &other }), "InvalidLicenseException"},
		"an identifier beside":    {changed(func(r *types.UsageRecord) { r.CustomerIdentifier = sdk.String("x") }), "InvalidCustomerIdentifierException"},
		"no license, no product":  {changed(func(r *types.UsageRecord) { r.LicenseArn = nil }), "InvalidProductCodeException"},
		"allocations that differ": {changed(buckets(2)), "InvalidUsageAllocationsException"},
		"a tag of other signs":    {changed(buckets(1, tag("team", "a!"))), "InvalidTagException"},
		"six tags":                {changed(buckets(1, tag("a", "1"), tag("b", "1"), tag("c", "1"), tag("d", "1"), tag("e", "1"), tag("f", "1"))), "InvalidTagException"},
		"half of an hour allocated": {changed(func(r *types.UsageRecord) {
			r.UsageAllocations = []types.UsageAllocation{{AllocatedUsageQuantity: sdk.Int32(1)}}
		}), "InvalidUsageAllocationsException"},
	} {
		_, err := w.meter(1, c.records...)
		if got := code(t, err); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := w.sim.Accepted(); len(got) != 0 {
		t.Errorf("%d records were counted", len(got))
	}
	if _, err := w.meter(3, many[:25]...); err != nil {
		t.Errorf("25 records: %v", err)
	}
}

func TestUsageIsTakenUntilItIsTooLate(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.pass(23*time.Hour + 59*time.Minute)
	w.one(usage(license, begin, 1))
	w.pass(time.Minute)
	_, err := w.meter(1, usage(license, begin, 1))
	if got := code(t, err); got != "TimestampOutOfBoundsException" {
		t.Error(got)
	}
	w.flip(`{"lateness_hours": 6}`)
	late := begin.Add(18 * time.Hour)
	_, err = w.meter(1, usage(license, late, 1))
	if got := code(t, err); got != "TimestampOutOfBoundsException" {
		t.Error(got)
	}
}

func TestAMonthClosesAtSixOnTheFirst(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.at(time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC))
	license := w.subscribe()["license"]
	last := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	w.at(time.Date(2026, 12, 1, 5, 59, 59, 0, time.UTC))
	w.one(usage(license, last, 1))
	w.pass(time.Second)
	_, err := w.meter(1, usage(license, last, 1))
	if got := code(t, err); got != "TimestampOutOfBoundsException" {
		t.Error(got)
	}
	w.flip(`{"month_end_rule": false}`)
	w.one(usage(license, last, 1))
}

func TestAnEndedAgreementTakesItsLastUsageForAnHour(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.pass(2 * time.Hour)
	w.act("cancel", "license", license)
	w.pass(59 * time.Minute)
	if got := w.one(usage(license, begin.Add(2*time.Hour), 3)).Status; got != types.UsageRecordResultStatusSuccess {
		t.Errorf("within the hour: %v", got)
	}
	_, err := w.meter(1, usage(license, begin.Add(2*time.Hour+50*time.Minute), 3)) // the hour after the end
	if got := code(t, err); got != "InvalidLicenseException" {
		t.Error(got)
	}
	w.pass(time.Minute)
	if got := w.one(usage(license, begin.Add(time.Hour), 3)).Status; got != types.UsageRecordResultStatusCustomerNotSubscribed {
		t.Errorf("after the hour: %v", got)
	}
	if _, err := w.sim.Act("renew", map[string]string{"license": license}); err == nil {
		t.Error("what has ended was renewed")
	}
}

func TestASuspendedAccountIsNotSubscribed(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.act("suspend", "account", buyer)
	if got := w.one(usage(license, begin, 3)).Status; got != types.UsageRecordResultStatusCustomerNotSubscribed {
		t.Error(got)
	}
	w.act("resume", "account", buyer)
	if got := w.one(usage(license, begin, 3)).Status; got != types.UsageRecordResultStatusSuccess {
		t.Error(got)
	}
}

func TestALegacyProductIsMeteredByItsCode(t *testing.T) {
	t.Parallel()
	w := open(t)
	bought := w.act("subscribe", "account", buyer, "product", older)
	got, err := w.client(1).ResolveCustomer(t.Context(), &marketplacemetering.ResolveCustomerInput{RegistrationToken: sdk.String(bought["token"])})
	if err != nil || got.CustomerIdentifier == nil || got.LicenseArn != nil {
		t.Fatalf("%v %+v", err, got)
	}
	meter := func(code string, change func(*types.UsageRecord)) (*marketplacemetering.BatchMeterUsageOutput, error) {
		r := types.UsageRecord{CustomerIdentifier: got.CustomerIdentifier, Dimension: sdk.String("usage_cents"), Quantity: sdk.Int32(4), Timestamp: sdk.Time(begin)}
		change(&r)
		return w.client(1).BatchMeterUsage(t.Context(), &marketplacemetering.BatchMeterUsageInput{ProductCode: &code, UsageRecords: []types.UsageRecord{r}})
	}
	out, err := meter(older, func(*types.UsageRecord) {})
	if err != nil || out.Results[0].Status != types.UsageRecordResultStatusSuccess {
		t.Fatal(err)
	}
	out, err = meter(older, func(r *types.UsageRecord) { r.CustomerIdentifier, r.CustomerAWSAccountId = nil, sdk.String(buyer) })
	if err != nil || out.Results[0].Status != types.UsageRecordResultStatusSuccess || len(w.sim.Accepted()) != 1 {
		t.Errorf("%v: the account names the same customer", err)
	}
	unknown := func(r *types.UsageRecord) { r.CustomerIdentifier = sdk.String("nobody") }
	if out, err = meter(older, unknown); err != nil || out.Results[0].Status != types.UsageRecordResultStatusCustomerNotSubscribed {
		t.Errorf("an unknown customer: %v", err)
	}
	w.flip(`{"unknown_customer": "exception"}`)
	if _, err = meter(older, unknown); code(t, err) != "InvalidCustomerIdentifierException" {
		t.Error(err)
	}
	if _, err = meter(product, func(*types.UsageRecord) {}); code(t, err) != "InvalidProductCodeException" {
		t.Error(err)
	}
	if _, err = meter(older, func(r *types.UsageRecord) { r.CustomerAWSAccountId = sdk.String(buyer) }); code(t, err) != "InvalidCustomerIdentifierException" {
		t.Error(err)
	}
}

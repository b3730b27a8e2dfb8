package aws

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// metering is JSON 1.1. A request must be smaller than 1 MB.
var metering = protocol{
	service: "aws-marketplace", content: "application/x-amz-json-1.1", longest: 1_000_000 - 1,
	operations: map[string]func(*Sim, call) answer{
		"BatchMeterUsage": (*Sim).batchMeterUsage,
		"ResolveCustomer": (*Sim).resolveCustomer,
	},
}

// mostRecords is the batch.
const mostRecords = 25

// mostKept bounds the memory of one simulation.
const mostKept = 500_000

type batchRequest struct {
	ProductCode  *string
	UsageRecords *[]json.RawMessage
}

type usageRecord struct {
	Timestamp            json.RawMessage
	CustomerAWSAccountId *string
	CustomerIdentifier   *string
	LicenseArn           *string
	Dimension            *string
	Quantity             json.RawMessage
	UsageAllocations     *[]allocation
}

type allocation struct {
	AllocatedUsageQuantity json.RawMessage
	Tags                   []tag
}

type tag struct{ Key, Value *string }

// Record is usage that was accepted.
type Record struct {
	ID         string          `json:"id"`
	Region     string          `json:"region"`
	Account    string          `json:"account"`
	License    string          `json:"license,omitempty"` // empty for a legacy product
	Product    string          `json:"product"`
	Dimension  string          `json:"dimension"`
	Hour       time.Time       `json:"hour"`
	Quantity   int64           `json:"quantity"`
	AcceptedAt time.Time       `json:"accepted_at"`
	Repeats    int             `json:"repeats"`            // identical ones that came later
	Conflicts  []int64         `json:"conflicts"`          // other quantities that came later, and are not billed
	Parts      int             `json:"parts,omitempty"`    // allocations
	Received   json.RawMessage `json:"received,omitempty"` // as it was sent
}

// row is a record that was read and found good, before the state is asked.
type row struct {
	raw       json.RawMessage
	key       string
	agreement *agreement // nil: the customer is unknown
	account   string
	dimension string
	product   string
	named     bool // by CustomerIdentifier
	hour      time.Time
	quantity  int64
	parts     int
}

// decode reads JSON strictly.
func (s *Sim) decode(text []byte, to any) answer {
	d := json.NewDecoder(bytes.NewReader(text))
	if s.market.Switches.UnknownMembers == "refuse" {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(to); err != nil {
		return refuse("SerializationException", "%v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse("SerializationException", "there is more than one document")
	}
	return answer{}
}

func (s *Sim) batchMeterUsage(c call) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick()
	if s.tooOften() {
		return refuse("ThrottlingException", "Rate exceeded")
	}
	if !slices.Contains(s.config.Regions, c.region) {
		return refuse("DisabledApiException", "The API is disabled in the Region %s.", c.region)
	}
	var request batchRequest
	if refusal := s.decode(c.body, &request); refusal.status != 0 {
		return refusal
	}
	switch {
	case request.UsageRecords == nil:
		return refuse("ValidationException", "UsageRecords is required")
	case len(*request.UsageRecords) > mostRecords:
		return refuse("ValidationException", "1 validation error detected: Value at 'usageRecords' failed to satisfy constraint: Member must have length less than or equal to %d", mostRecords)
	case len(s.market.Records) > mostKept:
		return fail(500, "InternalServiceErrorException", "this simulation has %d records; reset it", mostKept)
	}
	rows := make([]row, 0, mostRecords)
	for _, raw := range *request.UsageRecords {
		r, refusal := s.readRow(raw, request.ProductCode, c.region)
		if refusal.status != 0 {
			return refusal
		}
		rows = append(rows, r)
	}
	if refusal := together(rows); refusal.status != 0 {
		return refusal
	}
	return s.take(rows, c)
}

// tooOften counts calls within a second of the real clock.
func (s *Sim) tooOften() bool {
	most, now := s.market.Switches.Rate, s.stage.Signed()
	s.recent = slices.DeleteFunc(s.recent, func(at time.Time) bool { return now.Sub(at) >= time.Second })
	if most == 0 {
		return false
	}
	if len(s.recent) >= most {
		return true
	}
	s.recent = append(s.recent, now)
	return false
}

// readRow checks what stands in one record. Nothing is changed.
func (s *Sim) readRow(raw json.RawMessage, product *string, region string) (row, answer) {
	var u usageRecord
	if refusal := s.decode(raw, &u); refusal.status != 0 {
		return row{}, refusal
	}
	at, err := seconds(u.Timestamp)
	quantity, ok := int32Of(u.Quantity)
	switch {
	case err != nil:
		return row{}, refuse("SerializationException", "Timestamp: epoch seconds, a number")
	case u.Quantity != nil && !ok:
		return row{}, refuse("SerializationException", "Quantity: a whole number from 0 to %d", math.MaxInt32)
	case u.Dimension == nil || len(*u.Dimension) < 1 || len(*u.Dimension) > 255:
		return row{}, refuse("ValidationException", "Dimension: 1 to 255 characters")
	}
	r := row{raw: raw, dimension: *u.Dimension, hour: at.Truncate(time.Hour), quantity: quantity}
	if refusal := s.buyer(&r, u, product, region); refusal.status != 0 {
		return row{}, refusal
	}
	if listed := s.product(r.product); listed == nil || !slices.Contains(listed.Dimensions, r.dimension) {
		return row{}, refuse("InvalidUsageDimensionException", "The usage dimension does not match one of the UsageDimensions associated with products.")
	}
	if refusal := s.inTime(at, r); refusal.status != 0 {
		return row{}, refusal
	}
	if u.UsageAllocations != nil {
		r.parts = len(*u.UsageAllocations)
		if refusal := s.allocations(*u.UsageAllocations, quantity); refusal.status != 0 {
			return row{}, refusal
		}
	}
	return r, answer{}
}

// seconds reads a timestamp of JSON 1.1: seconds since 1970, perhaps with a
// fraction.
func seconds(raw json.RawMessage) (time.Time, error) {
	text := string(raw)
	whole, fraction, found := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > 253_402_300_799 || found && !digits.MatchString(fraction) {
		return time.Time{}, strconv.ErrSyntax
	}
	return time.Unix(n, 0).UTC(), nil
}

var digits = regexp.MustCompile(`^[0-9]{1,9}$`)

// int32Of reads a whole number that is not negative; nothing is 0.
func int32Of(raw json.RawMessage) (int64, bool) {
	if raw == nil {
		return 0, true
	}
	n, err := strconv.ParseInt(string(raw), 10, 32)
	return n, err == nil && n >= 0 && string(raw) == strconv.FormatInt(n, 10)
}

// buyer finds whose usage it is, for new and for legacy products.
func (s *Sim) buyer(r *row, u usageRecord, product *string, region string) answer {
	if u.LicenseArn != nil {
		return s.licensed(r, u, product, region)
	}
	switch {
	case product == nil:
		return refuse("InvalidProductCodeException", "without a LicenseArn the request has a ProductCode")
	case (u.CustomerIdentifier == nil) == (u.CustomerAWSAccountId == nil):
		return refuse("InvalidCustomerIdentifierException", "a record has either CustomerIdentifier or CustomerAWSAccountId")
	}
	p := s.product(*product)
	if p == nil || !p.Legacy {
		return refuse("InvalidProductCodeException", "The product code passed does not match the product code used for publishing the product.")
	}
	r.product, r.named = p.Code, u.CustomerIdentifier != nil
	for account, c := range s.market.Customers {
		if u.CustomerIdentifier != nil && c.Identifier == *u.CustomerIdentifier || u.CustomerAWSAccountId != nil && account == *u.CustomerAWSAccountId {
			r.account = account
		}
	}
	for _, a := range s.market.Agreements {
		if a.Legacy && a.Account == r.account && a.Product == p.Code {
			r.agreement = a // the latest
		}
	}
	if r.account == "" && s.market.Switches.UnknownCustomer == "exception" {
		return refuse("InvalidCustomerIdentifierException", "You have metered usage for a CustomerIdentifier that does not exist.")
	}
	r.key = strings.Join([]string{region, p.Code, r.account, r.dimension, r.hour.Format(time.RFC3339)}, "|")
	return answer{}
}

func (s *Sim) licensed(r *row, u usageRecord, product *string, region string) answer {
	switch {
	case product != nil && s.market.Switches.ProductBeside == "refuse":
		return refuse("InvalidProductCodeException", "a request whose records have a LicenseArn has no ProductCode")
	case u.CustomerIdentifier != nil:
		return refuse("InvalidCustomerIdentifierException", "a record with a LicenseArn has CustomerAWSAccountId and no CustomerIdentifier")
	case u.CustomerAWSAccountId == nil || !account.MatchString(*u.CustomerAWSAccountId):
		return refuse("InvalidCustomerIdentifierException", "CustomerAWSAccountId: digits")
	}
	a := s.license(*u.LicenseArn)
	if a == nil || a.Legacy || a.Account != *u.CustomerAWSAccountId {
		return refuse("InvalidLicenseException", "The license does not exist, or is not the customer's.")
	}
	if r.hour.Before(a.ActivatedAt.Truncate(time.Hour)) || !a.EndedAt.IsZero() && r.hour.After(a.EndedAt) {
		return refuse("InvalidLicenseException", "The usage is outside the license's activation period.")
	}
	r.agreement, r.account, r.product = a, a.Account, a.Product
	r.key = strings.Join([]string{region, a.Account, a.License, r.dimension, r.hour.Format(time.RFC3339)}, "|")
	return answer{}
}

// inTime holds the windows: neither too late, nor ahead of the clock, nor of a
// month that is closed.
func (s *Sim) inTime(at time.Time, r row) answer {
	w, now := s.market.Switches, s.stage.Now()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	switch {
	case at.After(now.Add(time.Duration(w.FutureMinutes) * time.Minute)):
		return refuse("TimestampOutOfBoundsException", "The timestamp is in the future.")
	case now.Sub(at) >= time.Duration(w.Lateness)*time.Hour:
		return refuse("TimestampOutOfBoundsException", "The timestamp is %d hours or more in the past.", w.Lateness)
	case w.MonthEnd && at.Before(month) && !now.Before(month.Add(6*time.Hour)):
		return refuse("TimestampOutOfBoundsException", "The month of the timestamp is closed since 06:00 UTC on the first.")
	case r.agreement != nil && r.hour.Before(r.agreement.ActivatedAt.Truncate(time.Hour)):
		return refuse("TimestampOutOfBoundsException", "The timestamp is before the subscription.")
	}
	return answer{}
}

var (
	account = regexp.MustCompile(`^[0-9]{1,255}$`)
	tagText = regexp.MustCompile(`^[a-zA-Z0-9+ \-=._:/@]+$`)
)

func (s *Sim) allocations(list []allocation, quantity int64) answer {
	if len(list) < 1 || len(list) > s.market.Switches.AllocationsAllowed {
		return refuse("ValidationException", "UsageAllocations: 1 to %d", s.market.Switches.AllocationsAllowed)
	}
	sum, seen := int64(0), map[string]bool{}
	for _, a := range list {
		n, ok := int32Of(a.AllocatedUsageQuantity)
		if !ok || a.AllocatedUsageQuantity == nil {
			return refuse("InvalidUsageAllocationsException", "AllocatedUsageQuantity: a whole number that is not negative")
		}
		if len(a.Tags) > 5 {
			return refuse("InvalidTagException", "a bucket has at most 5 tags")
		}
		var name []string
		for _, t := range a.Tags {
			if t.Key == nil || t.Value == nil || len(*t.Key) < 1 || len(*t.Key) > 100 || len(*t.Value) > 256 || !tagText.MatchString(*t.Key) || !tagText.MatchString(*t.Value) {
				return refuse("InvalidTagException", "a tag has a key of 1 to 100 and a value of 1 to 256 characters, letters, digits and + -=._:/@")
			}
			name = append(name, *t.Key+"\x00"+*t.Value)
		}
		slices.Sort(name)
		if bucket := strings.Join(name, "\x01"); seen[bucket] {
			return refuse("InvalidUsageAllocationsException", "two buckets have the same tags")
		} else {
			seen[bucket] = true
		}
		sum += n
	}
	if sum != quantity {
		return refuse("InvalidUsageAllocationsException", "The allocations sum to %d, the quantity is %d.", sum, quantity)
	}
	return answer{}
}

// together holds what is of the whole batch: one product, one way of naming
// customers, and within an hour all of a group allocated or none.
func together(rows []row) answer {
	allocated := map[string]bool{}
	for _, r := range rows {
		if r.product != rows[0].product {
			return refuse("InvalidLicenseException", "the records of one request are of one product")
		}
		if r.named != rows[0].named {
			return refuse("InvalidCustomerIdentifierException", "one request names customers in one way")
		}
		was, seen := allocated[r.key]
		if seen && was != (r.parts > 0) {
			return refuse("InvalidUsageAllocationsException", "within an hour either all usage is allocated or none")
		}
		allocated[r.key] = r.parts > 0
	}
	return answer{}
}

// take accepts what can be accepted. It is the only place that changes what is
// billed.
func (s *Sim) take(rows []row, c call) answer {
	results, unprocessed := []any{}, []json.RawMessage{}
	left := 0
	if c.fault.Kind == stage.Partial {
		left = c.fault.Rows
	}
	for i, r := range rows {
		if i >= len(rows)-left {
			unprocessed = append(unprocessed, r.raw)
			continue
		}
		status, id := s.accept(r, c.region)
		result := map[string]any{"UsageRecord": r.raw, "Status": status}
		if id != "" {
			result["MeteringRecordId"] = id
		}
		results = append(results, result)
	}
	if s.market.Switches.ShuffleResults {
		s.stage.Shuffle(len(results), func(i, j int) { results[i], results[j] = results[j], results[i] })
	}
	return done(map[string]any{"Results": results, "UnprocessedRecords": unprocessed})
}

func (s *Sim) accept(r row, region string) (status, id string) {
	now := s.stage.Now()
	if r.agreement == nil || s.market.Customers[r.account].Suspended || !r.agreement.takes(now) {
		return "CustomerNotSubscribed", ""
	}
	first := s.market.Records[r.key]
	switch {
	case first == nil:
		rec := &Record{
			ID: s.stage.UUID(), Region: region, Account: r.account, Product: r.product, Dimension: r.dimension, Hour: r.hour,
			Quantity: r.quantity, AcceptedAt: now, Parts: r.parts, Received: r.raw,
		}
		if !r.agreement.Legacy {
			rec.License = r.agreement.License
		}
		s.market.Records[r.key] = rec
		s.market.Order = append(s.market.Order, r.key)
		return "Success", rec.ID
	case first.Quantity == r.quantity:
		first.Repeats++
		if s.market.Switches.IdenticalRepeat == "duplicate" {
			return "DuplicateRecord", first.ID
		}
		return "Success", first.ID
	default:
		first.Conflicts = append(first.Conflicts, r.quantity)
		return "DuplicateRecord", first.ID
	}
}

// Accepted lists what is billed, in the order in which it was accepted.
func (s *Sim) Accepted() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := make([]Record, 0, len(s.market.Order))
	for _, key := range s.market.Order {
		found = append(found, *s.market.Records[key])
	}
	return found
}

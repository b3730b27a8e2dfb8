package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering/types"
	"github.com/aws/smithy-go"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Method is aws.
func (*Market) Method() site.Method { return site.AWS }

// Way is by the token of a registration.
func (*Market) Way() marketplace.Way { return marketplace.ByToken }

// Storefront is where a buyer subscribes.
func (m *Market) Storefront() string { return m.config.Listing }

// Limits are those of BatchMeterUsage (reference 1.3). A record that AWS has
// already is counted once.
func (*Market) Limits() marketplace.Limits {
	return marketplace.Limits{Records: 25, Bytes: mostBytes, PerSecond: 10, OneProduct: true, Resends: marketplace.Unlimited}
}

// mostBytes of a request, below AWS's million and what stands around records.
const mostBytes = 990_000

// Unit is one of the listing's dimension; quantities are whole.
func (m *Market) Unit(_ string, c money.Currency) (marketplace.Unit, error) {
	for _, price := range m.config.Prices {
		if price.Currency() == c {
			return marketplace.Unit{Dimension: m.config.Dimension, Price: price, Most: MostQuantity, Zero: m.config.Zero}, nil
		}
	}
	return marketplace.Unit{}, marketplace.ErrCurrency.With("currency", string(c))
}

// Zeros reports whether AWS is told of hours in which nothing was used.
func (m *Market) Zeros() bool { return m.config.Zero }

// Window is a UTC hour: AWS has one record per license, dimension and hour.
func (*Market) Window(_ marketplace.Plan, at time.Time) marketplace.Window {
	from := at.UTC().Truncate(time.Hour)
	return marketplace.Window{From: from, To: from.Add(time.Hour)}
}

// monthCut is until when the hours of the month before are taken.
const monthCut = 6 * time.Hour

// Deadline is when the hour's beginning, which is its timestamp, is too old,
// or the month is closed, whichever comes first.
func (m *Market) Deadline(_ marketplace.Plan, w marketplace.Window) time.Time {
	last := w.From.Add(m.config.Late)
	if cut := period.DayOf(w.From, time.UTC).Month().Next().First().Start(time.UTC).Add(monthCut); cut.Before(last) {
		return cut
	}
	return last
}

// Bounds of what records and their parts take beside their names.
const (
	longestRecord     = 240
	longestAllocation = 96
)

// Size is that of a record with its allocations.
func (*Market) Size(r marketplace.Record) int {
	n := longestRecord + len(r.Account) + len(r.Reference) + len(r.Instance) + len(r.Dimension)
	for _, s := range r.Shares {
		n += longestAllocation + len(s.WorkspaceID)
	}
	return n
}

// Verify resolves the registration that a buyer brings from the marketplace.
// What a person types proves nothing at AWS, and is not asked for.
func (m *Market) Verify(ctx context.Context, c marketplace.Claim) (p marketplace.Purchase, err error) {
	if c.Token == "" {
		return p, marketplace.ErrRegistration
	}
	answer, err := m.metering.ResolveCustomer(ctx, &marketplacemetering.ResolveCustomerInput{RegistrationToken: &c.Token})
	if err != nil {
		return p, unresolved(err)
	}
	p = marketplace.Purchase{
		Account: aws.ToString(answer.CustomerAWSAccountId), Instance: License(aws.ToString(answer.LicenseArn)), Reference: aws.ToString(answer.LicenseArn),
		Product: aws.ToString(answer.ProductCode), Plan: marketplace.Hourly,
	}
	if m.config.Legacy {
		p.Instance, p.Reference = aws.ToString(answer.CustomerIdentifier), ""
	}
	switch {
	case !slices.Contains(m.config.Products, p.Product):
		return p, marketplace.ErrOtherProduct
	case p.Instance == "":
		return p, marketplace.ErrUnreachable.Because(errors.New("the registration has no license; is the product one of before concurrent agreements?"))
	}
	return p, nil
}

// unresolved sorts the refusals of a registration.
func unresolved(err error) error {
	var expired *types.ExpiredTokenException
	var invalid *types.InvalidTokenException
	if errors.As(err, &expired) || errors.As(err, &invalid) {
		return marketplace.ErrRegistration.Because(errors.New(code(err)))
	}
	return marketplace.ErrUnreachable.Because(errors.New(code(err)))
}

// code is what AWS calls an error. The texts of errors can repeat what was
// sent, tokens with it.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "no answer"
}

// usage is a record as AWS takes it.
func (m *Market) usage(r marketplace.Record) (types.UsageRecord, error) {
	n, whole := r.Quantity.Int()
	if !whole || n < 0 || n > MostQuantity {
		return types.UsageRecord{}, fmt.Errorf("record %s: %s is no quantity of AWS", r.ID, r.Quantity)
	}
	quantity := int32(n) //nolint:gosec // bounded above
	u := types.UsageRecord{Dimension: aws.String(r.Dimension), Timestamp: aws.Time(r.Window.From.UTC().Truncate(time.Hour)), Quantity: &quantity}
	u.UsageAllocations = allocations(r)
	if m.config.Legacy {
		u.CustomerIdentifier = aws.String(r.Instance)
		return u, nil
	}
	u.CustomerAWSAccountId, u.LicenseArn = aws.String(r.Account), aws.String(ARN(cmp.Or(r.Reference, r.Instance)))
	return u, nil
}

// mostAllocations is how many parts a record may have.
const mostAllocations = 2500

// allocations tells AWS which workspace used what, where the parts can be told
// and sum to the whole; else nothing is told of the record.
func allocations(r marketplace.Record) []types.UsageAllocation {
	var list []types.UsageAllocation
	sum := int64(0)
	for _, s := range r.Shares {
		n, whole := s.Quantity.Int()
		if !whole || n < 0 || n > MostQuantity {
			return nil
		}
		if n == 0 {
			continue
		}
		part := int32(n) //nolint:gosec // bounded above
		list = append(list, types.UsageAllocation{AllocatedUsageQuantity: &part, Tags: []types.Tag{{Key: aws.String("workspace"), Value: aws.String(s.WorkspaceID)}}})
		sum += n
	}
	if n, _ := r.Quantity.Int(); sum != n || len(list) > mostAllocations {
		return nil
	}
	return list
}

// MostQuantity is the largest quantity of one record.
const MostQuantity = 1<<31 - 1

// Send pushes records. AWS answers for each of them, in any order.
func (m *Market) Send(ctx context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	input := &marketplacemetering.BatchMeterUsageInput{}
	if m.config.Legacy {
		input.ProductCode = aws.String(m.config.Products[0])
	}
	for _, r := range records {
		u, err := m.usage(r)
		if err != nil {
			return nil, &marketplace.Poisoned{Reason: err.Error()}
		}
		input.UsageRecords = append(input.UsageRecords, u)
	}
	answer, err := m.metering.BatchMeterUsage(ctx, input)
	if err != nil {
		return nil, unsent(err)
	}
	said := map[string]types.UsageRecordResult{}
	for _, result := range answer.Results {
		if result.UsageRecord != nil {
			said[key(*result.UsageRecord)] = result
		}
	}
	outcomes := make([]marketplace.Outcome, len(records))
	for i, r := range records {
		outcomes[i] = marketplace.Outcome{RecordID: r.ID, State: marketplace.Sent, Reason: "unprocessed"} // it goes out again
		if result, ok := said[key(input.UsageRecords[i])]; ok {
			outcomes[i] = outcome(r, result)
		}
	}
	return outcomes, nil
}

// key is what AWS tells records apart by.
func key(u types.UsageRecord) string {
	return strings.Join([]string{
		aws.ToString(u.CustomerAWSAccountId), aws.ToString(u.CustomerIdentifier), License(aws.ToString(u.LicenseArn)),
		aws.ToString(u.Dimension), aws.ToTime(u.Timestamp).UTC().Truncate(time.Hour).Format(time.RFC3339),
	}, "|")
}

// outcome reads the status of a record. A duplicate is ours when the record
// was sent before, for it is always sent with one value; AWS's texts differ on
// whether a repetition is told so. One that was never sent, or that AWS echoes
// with another quantity, is of somebody else's making.
func outcome(r marketplace.Record, result types.UsageRecordResult) marketplace.Outcome {
	o := marketplace.Outcome{RecordID: r.ID, RemoteID: aws.ToString(result.MeteringRecordId)}
	switch result.Status {
	case types.UsageRecordResultStatusSuccess:
		o.State = marketplace.Accepted
	case types.UsageRecordResultStatusDuplicateRecord:
		o.State, o.Reason = marketplace.DuplicateDiff, string(result.Status)
		if n, whole := r.Quantity.Int(); r.Attempts > 1 && whole && n == int64(aws.ToInt32(result.UsageRecord.Quantity)) {
			o.State, o.Reason = marketplace.DuplicateSame, ""
		}
	case types.UsageRecordResultStatusCustomerNotSubscribed:
		o.State, o.Reason = marketplace.Rejected, string(result.Status)
	default:
		o.State, o.Reason = marketplace.Sent, string(result.Status)
	}
	return o
}

// throttling are the codes that ask to come back.
var throttling = []string{"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"}

// ofAccount are the codes that refuse us rather than a record.
var ofAccount = []string{
	"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "InvalidClientTokenId",
	"SignatureDoesNotMatch", "MissingAuthenticationTokenException", "ExpiredTokenException", "DisabledApiException", "OptInRequired",
}

// unsent sorts what came instead of an answer.
func unsent(err error) error {
	var api smithy.APIError
	var dialing *net.OpError
	switch {
	case errors.As(err, &api) && slices.Contains(throttling, api.ErrorCode()):
		return fmt.Errorf("%w: %s", marketplace.ErrThrottled, api.ErrorCode())
	case errors.As(err, &api) && slices.Contains(ofAccount, api.ErrorCode()):
		return marketplace.ErrUnreachable.Because(errors.New(api.ErrorCode()))
	case errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer, errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "InternalService"):
		return errors.New(api.ErrorCode())
	case errors.As(err, &api):
		return &marketplace.Poisoned{Reason: api.ErrorCode()}
	case errors.As(err, &dialing) && dialing.Op == "dial":
		return marketplace.ErrUnreachable.Because(errors.New("no connection"))
	}
	return errors.New("the answer did not come")
}

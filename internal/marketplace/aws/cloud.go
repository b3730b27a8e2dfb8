package aws

import (
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

// Limits are those of BatchMeterUsage (reference 1.3).
func (*Market) Limits() marketplace.Limits {
	return marketplace.Limits{Records: 25, Bytes: 1 << 20, PerSecond: 10, OneProduct: true}
}

// Unit is one of the listing's dimension; quantities are whole.
func (m *Market) Unit(c money.Currency) (dimension string, price money.Amount, decimals int) {
	return m.config.Dimension, money.Of(m.config.Price.Minor(), c), 0
}

// Window is a UTC hour: AWS has one record per license, dimension and hour.
func (*Market) Window(_ marketplace.Plan, at time.Time) (from, to time.Time) {
	from = at.UTC().Truncate(time.Hour)
	return from, from.Add(time.Hour)
}

// monthCut is until when the hours of the month before are taken.
const monthCut = 6 * time.Hour

// Deadline is when the hour's beginning, which is its timestamp, is too old,
// or the month is closed, whichever comes first.
func (m *Market) Deadline(_ marketplace.Plan, windowEnd time.Time) time.Time {
	from := windowEnd.Add(-time.Hour)
	last := from.Add(m.config.Late)
	if cut := period.DayOf(from, time.UTC).Month().Next().First().Start(time.UTC).Add(monthCut); cut.Before(last) {
		return cut
	}
	return last
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
		Account: aws.ToString(answer.CustomerAWSAccountId), Instance: License(aws.ToString(answer.LicenseArn)),
		Product: aws.ToString(answer.ProductCode), Plan: marketplace.Hourly,
	}
	if m.config.Legacy {
		p.Instance = aws.ToString(answer.CustomerIdentifier)
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
	u := types.UsageRecord{Dimension: aws.String(r.Dimension), Timestamp: aws.Time(r.From.UTC().Truncate(time.Hour)), Quantity: &quantity}
	if m.config.Legacy {
		u.CustomerIdentifier = aws.String(r.Instance)
		return u, nil
	}
	u.CustomerAWSAccountId, u.LicenseArn = aws.String(r.Account), aws.String(r.Instance)
	return u, nil
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

// throttling are the codes that ask to come back, and those that refuse us
// rather than a record.
var throttling = []string{
	"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded",
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
	case errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer, errors.As(err, &api) && strings.HasPrefix(api.ErrorCode(), "InternalService"):
		return errors.New(api.ErrorCode())
	case errors.As(err, &api):
		return &marketplace.Poisoned{Reason: api.ErrorCode()}
	case errors.As(err, &dialing) && dialing.Op == "dial":
		return fmt.Errorf("%w: no connection", marketplace.ErrThrottled)
	}
	return errors.New("the answer did not come")
}

package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	sdk "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"tollgate.dev/internal/marketplace"
)

// Market is a seller's side of the marketplace.
type Market struct {
	config Config
	api    *sdk.Client
}

// answersWithin bounds one call of the API.
const answersWithin = 20 * time.Second

// New makes it.
func New(c Config) (*Market, error) {
	if c.Entity == "" {
		c.Entity = DefaultEntity
	}
	if c.Zone == nil {
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			return nil, err
		}
		c.Zone = zone
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	scheme, host, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	milliseconds := int(answersWithin / time.Millisecond)
	api, err := sdk.NewClient(&openapi.Config{
		AccessKeyId: &c.AccessKey, AccessKeySecret: &c.Secret, Endpoint: &host, Protocol: &scheme,
		ReadTimeout: &milliseconds, ConnectTimeout: &milliseconds, UserAgent: dara.String("tollgate"),
	})
	if err != nil {
		return nil, fmt.Errorf("%s marketplace: make the client: %w", c.Method, err)
	}
	return &Market{c, api}, nil
}

// Simulated reports whether the API is not Alibaba's own.
func (m *Market) Simulated() bool { return m.config.Simulated() }

// version is that of the Market API.
const version = "2015-11-01"

// call asks the API; the answer is read into to.
func (m *Market) call(ctx context.Context, action string, query map[string]string, to any) error {
	params := &openapi.Params{
		Action: &action, Version: dara.String(version), Protocol: dara.String("HTTPS"), Pathname: dara.String("/"), Method: dara.String("POST"),
		AuthType: dara.String("AK"), Style: dara.String("RPC"), ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
	request := &openapi.OpenApiRequest{Query: map[string]*string{}}
	for name, value := range query {
		request.Query[name] = &value
	}
	answer, err := m.api.CallApiWithCtx(ctx, params, request, &dara.RuntimeOptions{})
	if err != nil {
		return failure(action, err)
	}
	text, err := json.Marshal(answer["body"])
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", action, err)
	}
	return nil
}

// refused is an answer of the API that says no.
type refused struct {
	action, code string
	status       int
}

// Error names the code alone: messages of the API repeat what was sent.
func (r *refused) Error() string { return fmt.Sprintf("%s: %s (%d)", r.action, r.code, r.status) }

// ofAccount reports whether it is our own account that the API refuses: no
// fault of what was asked.
func (r *refused) ofAccount() bool {
	return r.status == 401 || r.status == 403 || strings.HasPrefix(r.code, "InvalidAccessKeyId") ||
		strings.HasPrefix(r.code, "SignatureDoesNotMatch") || strings.HasPrefix(r.code, "Forbidden") || strings.HasPrefix(r.code, "NoPermission")
}

// failure sorts what came instead of an answer.
func failure(action string, err error) error {
	var answered *tea.SDKError
	if !errors.As(err, &answered) || dara.IntValue(answered.StatusCode) == 0 {
		return fmt.Errorf("%s: %w", action, scrubbed(err))
	}
	r := &refused{action, dara.StringValue(answered.Code), dara.IntValue(answered.StatusCode)}
	switch {
	case strings.HasPrefix(r.code, "Throttling"), r.status == 429:
		return fmt.Errorf("%w: %s", marketplace.ErrThrottled, r)
	case r.status >= 500:
		return errors.New(r.Error()) // it may have been done
	}
	return r
}

var errNoConnection = errors.New("no connection")

// scrubbed is a failure of the network without the address, whose query holds
// usage and names.
func scrubbed(err error) error {
	var at *net.OpError
	switch {
	case errors.As(err, &at) && at.Op == "dial":
		return marketplace.ErrUnreachable.Because(errNoConnection) // nothing went out
	case errors.Is(err, context.Canceled):
		return context.Canceled
	}
	return errors.New("the answer did not come")
}

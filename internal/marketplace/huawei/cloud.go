package huawei

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Method is huawei.
func (*Market) Method() site.Method { return site.Huawei }

// Way is by the pair of account and instance.
func (*Market) Way() marketplace.Way { return marketplace.ByInstance }

// Storefront is where a buyer subscribes.
func (m *Market) Storefront() string { return m.config.Listing }

// Limits are those of the usage push (reference 3.5). Of two records of an
// instance and a window KooGallery takes the first.
func (*Market) Limits() marketplace.Limits {
	return marketplace.Limits{Records: 1000, PerSecond: 5, Resends: marketplace.Unlimited}
}

// decimals of a value.
const decimals = 4

// Unit is one unit of the product's usage, in parts of a ten-thousandth.
func (m *Market) Unit(_ string, c money.Currency) (marketplace.Unit, error) {
	if c != m.config.Price.Currency() {
		return marketplace.Unit{}, marketplace.ErrCurrency.With("currency", string(c))
	}
	return marketplace.Unit{Dimension: m.config.Dimension, Price: m.config.Price, Decimals: decimals}, nil
}

// beijing is where KooGallery's days begin.
var beijing = time.FixedZone("UTC+8", 8*60*60)

// Window is the hour of an hourly plan, and the day in Beijing of a daily one.
func (*Market) Window(p marketplace.Plan, at time.Time) marketplace.Window {
	if p == marketplace.Daily {
		day := at.In(beijing)
		from := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, beijing).UTC()
		return marketplace.Window{From: from, To: from.AddDate(0, 0, 1)}
	}
	from := at.UTC().Truncate(time.Hour)
	return marketplace.Window{From: from, To: from.Add(time.Hour)}
}

// oldest is how old the beginning of usage may be before it is refused.
const oldest = 21 * 24 * time.Hour

// Deadline is when usage is refused for its age. KooGallery asks for it within
// two hours; what comes between slips to a later bill, but is billed.
func (*Market) Deadline(_ marketplace.Plan, w marketplace.Window) time.Time {
	return w.From.Add(oldest)
}

// longestUsage bounds what a record takes beside its names.
const longestUsage = 220

// Size is that of a record.
func (*Market) Size(r marketplace.Record) int { return longestUsage + len(r.Instance) + len(r.ID) }

// Verify asks for the order that made the purchase which a payer claims: the
// account that bought it, and the instance, which is called by the order's line
// here, so that the buyer need not know the order.
func (m *Market) Verify(ctx context.Context, c marketplace.Claim) (p marketplace.Purchase, err error) {
	if i := strings.LastIndex(c.Instance, "-"); c.Order == "" && i > 0 {
		c.Order = c.Instance[:i]
	}
	if c.Account == "" || c.Order == "" || mock(c.Order) {
		return p, marketplace.ErrClaim
	}
	o, err := m.Order(ctx, c.Order)
	switch {
	case errors.Is(err, marketplace.ErrOrder):
		return p, marketplace.ErrClaim.Because(err)
	case err != nil:
		return p, err
	case o.Buyer.CustomerID != c.Account:
		return p, marketplace.ErrClaim
	}
	return m.PurchaseOf(o, c.Instance)
}

// PurchaseOf is the subscription that an order made; of an instance, where one
// is named. KooGallery's word that the instance lives is its call for it.
func (m *Market) PurchaseOf(o Order, instance string) (marketplace.Purchase, error) {
	if o.Type == "UNSUBSCRIBE" {
		return marketplace.Purchase{}, marketplace.ErrInactive
	}
	for _, l := range o.Lines {
		b, err := m.Bought(l)
		if err != nil {
			return marketplace.Purchase{}, err
		}
		name := InstanceOf(o.ID, l.ID)
		if b.Product == "" || instance != "" && name != instance {
			continue
		}
		bought, err := instant(o.Created)
		if err != nil {
			bought = m.config.Now()
		}
		return marketplace.Purchase{
			Account: o.Buyer.CustomerID, Instance: name, Product: b.Product, Order: o.ID, Plan: m.config.Plan, BoughtAt: bought, ExpiresAt: b.Expires,
		}, nil
	}
	return marketplace.Purchase{}, marketplace.ErrClaim
}

const usageTime = "20060102T150405Z"

// usage is a record as KooGallery takes it, its keys in natural order.
type usage struct {
	Begin    string `json:"begin_time"`
	End      string `json:"end_time"`
	Instance string `json:"instance_id"`
	Name     string `json:"metering_sn"`
	At       string `json:"record_time"`
	Value    string `json:"usage_value"`
}

func write(records []marketplace.Record) ([]byte, error) {
	list := make([]usage, len(records))
	for i, r := range records {
		end := r.Window.To.UTC().Format(usageTime)
		list[i] = usage{r.Window.From.UTC().Format(usageTime), end, r.Instance, r.ID, end, r.Quantity.Plain()}
	}
	return compact(map[string]any{"usage_records": list})
}

// push is the answer to usage.
type push struct {
	Code  string `json:"error_code"`
	Extra struct {
		Abnormal []struct {
			Name   string `json:"metering_sn"`
			Reason string `json:"error_code"`
		} `json:"abnormal_usage_data"`
	} `json:"extra_info"`
}

// Send pushes records.
func (m *Market) Send(ctx context.Context, records []marketplace.Record) ([]marketplace.Outcome, error) {
	body, err := write(records)
	if err != nil {
		return nil, fmt.Errorf("write usage: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, m.config.API+usagePath, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	timestamp, nonce := strconv.FormatInt(m.config.Now().UnixMilli(), 10), rand.Text()
	request.Header.Set("ts", timestamp)
	request.Header.Set("nonce", nonce)
	request.Header.Set("signature", signUsage(m.config.Key, timestamp, nonce, body))
	request.Header.Set("Content-Type", "application/json")
	if m.config.SignPush {
		authorize(request, body, m.config.AccessKey, m.config.Secret, m.config.Now())
	}
	status, text, err := m.do(request)
	if err != nil {
		return nil, err
	}
	var answer push
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("usage: an answer that cannot be read (%d)", status)
	}
	return answer.outcomes(status, records)
}

// outcomes sorts an answer. Records that it calls abnormal were not taken; of
// the others of such an answer nobody says so, and a repetition of the same
// window and name adds nothing: they go out again.
func (a push) outcomes(status int, records []marketplace.Record) ([]marketplace.Outcome, error) {
	done := status == http.StatusOK && strings.HasSuffix(a.Code, succeeded)
	reason := fmt.Sprintf("%s (%d)", a.Code, status)
	switch {
	case done || len(a.Extra.Abnormal) > 0:
	case status == http.StatusTooManyRequests, status == http.StatusNotAcceptable:
		return nil, fmt.Errorf("%w: %s", marketplace.ErrThrottled, reason)
	case status == http.StatusUnauthorized, status == http.StatusForbidden, strings.HasSuffix(a.Code, ".0102"):
		return nil, marketplace.ErrUnreachable.Because(errors.New(reason)) // it is us that are refused
	case status >= http.StatusInternalServerError && strings.HasSuffix(a.Code, ".0999"), !strings.HasPrefix(a.Code, "MKT."):
		return nil, errors.New(reason)
	default:
		return nil, &marketplace.Poisoned{Reason: reason}
	}
	outcomes := make([]marketplace.Outcome, len(records))
	for i, r := range records {
		o := marketplace.Outcome{RecordID: r.ID, State: marketplace.Accepted}
		if !done {
			o.State, o.Reason = marketplace.Sent, "others of the request were abnormal"
		}
		for _, x := range a.Extra.Abnormal {
			if x.Name == r.ID {
				o.State, o.Reason = marketplace.Rejected, keepCode(x.Reason)
			}
		}
		outcomes[i] = o
	}
	if !done && !slices.ContainsFunc(outcomes, func(o marketplace.Outcome) bool { return o.State == marketplace.Rejected }) {
		return nil, &marketplace.Poisoned{Reason: reason} // it names none of ours
	}
	return outcomes, nil
}

// keepCode is a reason, where one is given.
func keepCode(code string) string {
	if code == "" {
		return "abnormal"
	}
	return code
}

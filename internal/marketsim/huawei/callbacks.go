package huawei

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tollgate.dev/internal/marketsim/stage"
)

// compose signs a callback, anew at each attempt.
func (s *Sim) compose(ctx context.Context, c stage.Callback) (*http.Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := merge(c.Params, nil)
	first := said[generationKey] == "1"
	delete(said, generationKey)
	if c.Kind == "newInstance" { // another one at every call
		said["businessId"] = c.ID + "-" + strconv.Itoa(len(c.Attempts)+1)
	}
	if first {
		return s.composeV1(ctx, said)
	}
	if s.config.Callback == "" {
		return nil, errors.New("no address of the vendor is configured")
	}
	body, signed := s.body(said)
	at := strconv.FormatInt(s.stage.SignedOut().UnixMilli(), 10)
	if s.market.Switches.Timestamp == "s" {
		at = strconv.FormatInt(s.stage.SignedOut().Unix(), 10)
	}
	nonce := strings.ToUpper(s.stage.Name(16))
	signature := signatureV2(s.config.Key, nonce, at, signed)
	if s.market.Switches.Case == "lower" {
		signature = strings.ToLower(signature)
	}
	to, err := withQuery(s.config.Callback, url.Values{"signature": {signature}, "timestamp": {at}, "nonce": {nonce}})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err == nil {
		request.Header.Set("Content-Type", "application/json;charset=utf-8")
	}
	return request, err
}

func withQuery(address string, params url.Values) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	q := u.Query()
	for k, v := range params {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// body is what is sent, and what is signed.
func (s *Sim) body(said map[string]string) (sent, signed []byte) {
	sorted, err := json.Marshal(said)
	if err != nil {
		panic("marketsim/huawei: " + err.Error())
	}
	if s.market.Switches.Body == "sorted" {
		return sorted, sorted
	}
	var names []string
	for k := range said {
		names = append(names, k)
	}
	slices.Sort(names)
	slices.Reverse(names)
	var b strings.Builder
	for i, k := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(k) + ": " + strconv.Quote(said[k]))
	}
	unsorted := []byte("{" + b.String() + "}")
	if s.market.Switches.Body == "unsorted" {
		return unsorted, unsorted
	}
	return unsorted, sorted
}

// composeV1 is a call of the first generation: everything is in the query.
func (s *Sim) composeV1(ctx context.Context, said map[string]string) (*http.Request, error) {
	if s.config.CallbackV1 == "" {
		return nil, errors.New("no address of the vendor for the first generation is configured")
	}
	params := url.Values{}
	for k, v := range said {
		params.Set(k, v)
	}
	at := s.stage.SignedOut()
	params.Set("timeStamp", strings.Replace(at.Format("20060102150405.000"), ".", "", 1))
	params.Set("authToken", authToken(s.config.Key, params))
	to, err := withQuery(s.config.CallbackV1, params)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
}

type vendorAnswer struct {
	ResultCode  string  `json:"resultCode"`
	ResultMsg   string  `json:"resultMsg"`
	InstanceID  string  `json:"instanceId"`
	EncryptType string  `json:"encryptType"`
	AppInfo     appInfo `json:"appInfo"`
	Info        []struct {
		InstanceID string  `json:"instanceId"`
		AppInfo    appInfo `json:"appInfo"`
		UsageInfo  []struct {
			UsageValue      json.RawMessage `json:"usageValue"`
			StatisticalTime string          `json:"statisticalTime"`
		} `json:"usageInfo"`
	} `json:"info"`
}

type appInfo struct {
	FrontEndURL string `json:"frontEndUrl"`
	UserName    string `json:"userName"`
}

// answered says why an answer does not count, or nothing.
func (s *Sim) answered(c stage.Callback, status int, header http.Header, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := c.Params[generationKey] == "1"
	var a vendorAnswer
	switch err := json.Unmarshal(body, &a); {
	case status != http.StatusOK:
		return fmt.Sprintf("the answer is %d", status)
	case first && !rightBodySign(header.Get("Body-Sign"), s.config.Key, body):
		return "Body-Sign is missing or wrong"
	case err != nil:
		return "the answer is no JSON: " + err.Error()
	}
	i := s.instance(c.Subject)
	switch {
	case c.Params["testFlag"] == "1" || i == nil:
		return wantZero(a)
	case c.Kind == "newInstance":
		return s.made(i, a)
	case c.Kind == "queryInstance":
		return s.queried(i, a)
	}
	return wantZero(a)
}

func wantZero(a vendorAnswer) string {
	if a.ResultCode != "000000" {
		return fmt.Sprintf("resultCode is %q: %s", a.ResultCode, a.ResultMsg)
	}
	return ""
}

// made takes what newInstance was answered with. Each call about one order is
// answered with one instance.
func (s *Sim) made(i *instance, a vendorAnswer) string {
	switch {
	case a.ResultCode != "000000" && a.ResultCode != "000004":
		return wantZero(a)
	case a.InstanceID == "" && a.ResultCode == "000004":
		return "the instance is being made, and has no name yet"
	case a.InstanceID == "" || len(a.InstanceID) > 64:
		return "instanceId has 1 to 64 characters"
	case i.ID != "" && i.ID != a.InstanceID:
		return fmt.Sprintf("the same order was answered with %s before", i.ID)
	}
	if other := s.instance(a.InstanceID); other != nil && other != i {
		return "this instanceId is that of another order"
	}
	if i.First && a.AppInfo.UserName != "" {
		kind := s.market.Switches.Cipher
		if n, err := strconv.Atoi(a.EncryptType); err == nil {
			kind = n
		}
		user, err := decrypt(a.AppInfo.UserName, s.config.Key, kind)
		if err != nil {
			return "userName cannot be decrypted: " + err.Error()
		}
		i.User = user
	}
	before := i.ID
	i.ID, i.Site = a.InstanceID, web(a.AppInfo.FrontEndURL)
	switch {
	case i.Status != "WAITING":
	case a.ResultCode == "000004":
		i.Status = "PROVISIONING"
	default:
		i.Status = "ACTIVE"
	}
	if before == "" && i.Status == "PROVISIONING" && s.market.Switches.PollQuery {
		s.tell(i, "queryInstance", map[string]string{"instanceId": i.ID}, mostQueries)
	}
	return ""
}

func web(address string) string {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}

var statistical = regexp.MustCompile(`^[0-9]{17}$`)

// queried takes what queryInstance was answered with.
func (s *Sim) queried(i *instance, a vendorAnswer) string {
	if why := wantZero(a); why != "" {
		return why
	}
	for _, info := range a.Info {
		if info.InstanceID != i.ID {
			continue
		}
		if len(info.UsageInfo) == 0 && s.market.Switches.RequiresUsage && (i.Mode == "ON_DEMAND" || i.Mode == "ON_DEMAND_PKG") {
			return "usageInfo is mandatory for pay-per-use and packages"
		}
		for _, u := range info.UsageInfo {
			if !decimal.MatchString(strings.Trim(string(u.UsageValue), `"`)) || !statistical.MatchString(u.StatisticalTime) {
				return "usageInfo has a usageValue of at most 4 decimals and a statisticalTime yyyyMMddHHmmssSSS"
			}
		}
		if i.Site = orElse(web(info.AppInfo.FrontEndURL), i.Site); i.Status == "PROVISIONING" {
			i.Status = "ACTIVE"
		}
		return ""
	}
	return "info does not have the instance"
}

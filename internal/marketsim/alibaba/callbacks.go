package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/marketsim/stage"
)

// compose signs a callback, anew at each attempt.
func (s *Sim) compose(ctx context.Context, c stage.Callback) (*http.Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.config.SPI == "" {
		return nil, errors.New("no address of the vendor is configured")
	}
	params := url.Values{}
	for k, v := range c.Params {
		params.Set(k, v)
	}
	if c.Kind != "createInstance" && c.Kind != "orderPay" {
		i := s.instance(c.Subject)
		if i == nil {
			return nil, errors.New("the instance is gone")
		}
		params.Set("instanceId", orElse(i.VendorID, i.BizID))
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, s.address(s.config.SPI, params), nil)
}

// address is a URL of the vendor's with signed parameters; those that it has
// already are signed, too.
func (s *Sim) address(to string, params url.Values) string {
	u, err := url.Parse(to)
	if err != nil {
		return to
	}
	all := u.Query()
	for k, v := range params {
		all[k] = v
	}
	all.Set("token", token(all, s.config.Key, s.market.Switches.TokenValues == "encoded"))
	u.RawQuery = all.Encode()
	return u.String()
}

// entry is where a buyer goes who enters without signing in.
func (s *Sim) entry(i *instance) string {
	return s.address(orElse(i.AuthURL, s.config.SPI), url.Values{
		"action": {"verify"}, "instanceId": {orElse(i.VendorID, i.BizID)}, "timeStamp": {s.stage.SignedOut().In(s.zone()).Format("2006-01-02 15:04:05")},
	})
}

type createAnswer struct {
	InstanceID string `json:"instanceId"`
	AppInfo    struct {
		FrontEndURL string `json:"frontEndUrl"`
		AuthURL     string `json:"authUrl"`
	} `json:"appInfo"`
}

// answered says why an answer does not count, or nothing.
func (s *Sim) answered(c stage.Callback, status int, _ http.Header, body []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status != http.StatusOK {
		return fmt.Sprintf("the answer is %d", status)
	}
	if c.Kind != "createInstance" {
		return s.success(c, body)
	}
	var a createAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return "the answer is no JSON: " + err.Error()
	}
	i := s.instance(c.Subject)
	switch {
	case i == nil:
		return ""
	case a.InstanceID == "" || a.InstanceID == "0":
		return "the instance is not open yet"
	case i.VendorID != "" && i.VendorID != a.InstanceID:
		return fmt.Sprintf("the same order was answered with %s before", i.VendorID)
	}
	i.VendorID, i.AuthURL, i.Site = a.InstanceID, web(a.AppInfo.AuthURL), web(a.AppInfo.FrontEndURL)
	if i.Status == "OPENING" {
		i.Status = "OPENED"
	}
	return ""
}

// web is an address that a browser may be sent to.
func web(address string) string {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}

func (s *Sim) success(c stage.Callback, body []byte) string {
	var a struct {
		Success json.RawMessage `json:"success"`
	}
	if err := json.Unmarshal(body, &a); err != nil {
		return "the answer is no JSON: " + err.Error()
	}
	form := s.market.Switches.Success
	if c.Kind == "orderPay" {
		form = "boolean"
	}
	text, boolean := string(a.Success) == `"true"`, string(a.Success) == "true"
	if text && form != "boolean" || boolean && form != "text" {
		return ""
	}
	return fmt.Sprintf("success is %s", a.Success)
}

// Package alibaba speaks with the Alibaba Cloud Marketplace: the calls that it
// makes to us (create, renew, expire, release, verify), the questions that we
// ask it about a purchase, and usage. The domestic and the international
// marketplace are two settings of it. It owns the wire, and keeps nothing.
//
// Always true: a call is read only after its token holds; a row of usage that
// goes out again is the same row, byte for byte; nothing that it writes names
// a key.
package alibaba

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// Config is a seller's account at one of the two marketplaces.
type Config struct {
	Method    site.Method // Alibaba or AlibabaIntl
	AccessKey string      // of the main account: sub-accounts may not send usage
	Secret    string      // its secret
	Key       string      // the seller's secret key, by which calls to us are signed
	Products  []string    // codes of our products; the first is offered
	Plan      marketplace.Plan
	Entity    string       // what usage counts in: Frequency, Character, …
	Assist    string       // the price item's assist code, where the listing has one
	Price     money.Amount // of one of the entity, in the currency that the listing is sold in
	Listing   string       // where a buyer subscribes
	API       string       // host of the Market API, or the address of a simulator; empty: Alibaba's
	Zone      *time.Location
	SendAgain bool // once more after an answer was lost: the marketplace does not say whether that counts twice
}

// Defaults.
const (
	DefaultEntity = "Frequency"
	domesticAPI   = "market.aliyuncs.com"
	overseasAPI   = "market.ap-southeast-1.aliyuncs.com"
)

// Set reports whether anything of it is set.
func (c Config) Set() bool {
	return c.AccessKey != "" || c.Secret != "" || c.Key != "" || len(c.Products) > 0
}

// Check says what is wrong with the settings, if anything.
func (c Config) Check() error {
	wrong := func(what string) error { return fmt.Errorf("%s marketplace: %s", c.Method, what) }
	switch {
	case c.Method != site.Alibaba && c.Method != site.AlibabaIntl:
		return wrong("there are the domestic and the international one")
	case c.AccessKey == "" || c.Secret == "":
		return wrong("it needs the access key of the main account, and its secret")
	case c.Key == "":
		return wrong("it needs the seller's secret key, by which calls are signed")
	case len(c.Products) == 0 || slices.Contains(c.Products, ""):
		return wrong("name the product codes of the listing")
	case c.Plan != marketplace.Hourly && c.Plan != marketplace.Daily:
		return wrong("usage is billed hourly or daily")
	case c.Price.Sign() <= 0:
		return wrong("say what one of the metering entity costs")
	case c.Listing == "":
		return wrong("say where buyers subscribe")
	}
	if u, err := url.Parse(c.Listing); err != nil || u.Host == "" {
		return wrong("the address of the listing is no URL")
	}
	if _, _, err := c.endpoint(); err != nil {
		return wrong(err.Error())
	}
	return nil
}

// Simulated reports whether the API is not Alibaba's own.
func (c Config) Simulated() bool {
	_, host, err := c.endpoint()
	return err != nil || !strings.HasSuffix(host, ".aliyuncs.com")
}

var errAPI = errors.New("the address of the API is no host")

// endpoint is the protocol and the host of the API.
func (c Config) endpoint() (scheme, host string, err error) {
	switch {
	case c.API == "" && c.Method == site.AlibabaIntl:
		return "https", overseasAPI, nil
	case c.API == "":
		return "https", domesticAPI, nil
	case !strings.Contains(c.API, "://"):
		return "https", c.API, nil
	}
	u, err := url.Parse(c.API)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", "", errAPI
	}
	return u.Scheme, u.Host, nil
}

// ours refuses the product of somebody else.
func (m *Market) ours(product string) error {
	if !slices.Contains(m.config.Products, product) {
		return marketplace.ErrOtherProduct
	}
	return nil
}

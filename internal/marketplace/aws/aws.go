// Package aws speaks with AWS Marketplace through AWS's own library: it
// resolves the registration that a buyer brings, sends usage, and reads the
// events of agreements and licenses from a queue. It owns the wire, and keeps
// nothing.
//
// Always true: usage is sent from one region, because AWS tells repetitions
// apart per region; an event leaves the queue only after it was kept; what is
// written down never holds a registration token or a key.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tollgate.dev/internal/money"
)

// Config is a seller's account at AWS Marketplace.
type Config struct {
	AccessKey string // of the seller account that published the product
	Secret    string
	Region    string         // that usage is sent to, for ever the same
	Products  []string       // product codes of ours; the first is that of legacy records
	Dimension string         // of the listing
	Prices    []money.Amount // of one of the dimension, in each currency that the product is sold in
	Listing   string         // where a buyer subscribes
	Queue     string         // URL of the queue that the events go to; empty: none is read
	Metering  string         // address of the metering API, where it is not AWS's own
	SQS       string         // address of the queue's API, where it is not AWS's own
	Legacy    bool           // of a product from before concurrent agreements: product code and customer identifier
	Zero      bool           // send a record of 0 for each hour in which a purchase used nothing
	Late      time.Duration  // how old usage may be: 24 hours; 6 for older products
}

// DefaultLate is how old usage may be (reference 1.3).
const DefaultLate = 24 * time.Hour

// Set reports whether anything of it is set.
func (c Config) Set() bool {
	return c.AccessKey != "" || c.Secret != "" || len(c.Products) > 0
}

// Check says what is wrong with the settings, if anything.
func (c Config) Check() error {
	switch {
	case c.AccessKey == "" || c.Secret == "":
		return errors.New("AWS Marketplace: it needs an access key of the seller account, and its secret")
	case c.Region == "":
		return errors.New("AWS Marketplace: name the region that usage is sent to")
	case len(c.Products) == 0 || slices.Contains(c.Products, ""):
		return errors.New("AWS Marketplace: name the product codes of the listing")
	case c.Dimension == "" || len(c.Dimension) > longestDimension:
		return errors.New("AWS Marketplace: name the dimension of the listing, in at most 255 characters")
	case len(c.Prices) == 0 || slices.ContainsFunc(c.Prices, func(a money.Amount) bool { return a.Sign() <= 0 }):
		return errors.New("AWS Marketplace: say what one of the dimension costs")
	case c.Listing == "":
		return errors.New("AWS Marketplace: say where buyers subscribe")
	case c.Late != 0 && (c.Late < time.Hour || c.Late > DefaultLate):
		return errors.New("AWS Marketplace: usage is taken for between 1 and 24 hours")
	}
	for name, text := range map[string]string{"listing": c.Listing, "queue": c.Queue, "metering API": c.Metering, "queue's API": c.SQS} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "") {
			return fmt.Errorf("AWS Marketplace: the address of the %s is no URL", name)
		}
	}
	return nil
}

const longestDimension = 255

// Simulated reports whether the APIs are not AWS's own.
func (c Config) Simulated() bool {
	for _, text := range []string{c.Metering, c.SQS} {
		u, err := url.Parse(text)
		if text != "" && (err != nil || !strings.HasSuffix(u.Hostname(), ".amazonaws.com") && !strings.HasSuffix(u.Hostname(), ".amazonaws.com.cn")) {
			return true
		}
	}
	return false
}

// Market is a seller's side of the marketplace.
type Market struct {
	config   Config
	metering *marketplacemetering.Client
	queue    *sqs.Client
}

// New makes it.
func New(c Config) (*Market, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Late == 0 {
		c.Late = DefaultLate
	}
	m := &Market{config: c}
	m.metering = marketplacemetering.New(marketplacemetering.Options{
		Region: c.Region, Credentials: c.credentials(), BaseEndpoint: address(c.Metering), RetryMaxAttempts: attempts,
	})
	if c.Queue != "" {
		m.queue = sqs.New(sqs.Options{
			Region: queueRegion(c.Region), Credentials: c.credentials(), BaseEndpoint: address(c.SQS), RetryMaxAttempts: attempts,
		})
	}
	return m, nil
}

// attempts of one call; the outbox has its own patience.
const attempts = 2

func (c Config) credentials() aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: c.AccessKey, SecretAccessKey: c.Secret, Source: "settings"}, nil
	})
}

// queueRegion is where AWS emits the events of agreements: us-east-1, and in
// China the region itself.
func queueRegion(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return region
	}
	return "us-east-1"
}

func address(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Simulated reports whether the APIs are not AWS's own.
func (m *Market) Simulated() bool { return m.config.Simulated() }

package marketsim

import (
	"strings"

	"tollgate.dev/internal/marketsim/alibaba"
	"tollgate.dev/internal/marketsim/aws"
	"tollgate.dev/internal/marketsim/huawei"
	"tollgate.dev/internal/marketsim/stage"
)

// Standard is what is sold in the markets, and where their seller is, unless
// somebody says otherwise: one listing that is metered in each, and one of the
// older kind where there is one.
type Standard struct {
	Base   string // where the simulation is reached, without a slash at the end
	Vendor string // where the seller is
	Stage  stage.Options

	AWSLanding, AWSProduct, AWSLegacy, AWSQueue                 string
	AWSDimensions, AWSRegions                                   []string
	AlibabaSPI, AlibabaProduct                                  string
	AlibabaKeys                                                 []string
	HuaweiCallback, HuaweiCallbackV1, HuaweiProduct, HuaweiCard string
}

// sellerAccount is the seller's at AWS.
const sellerAccount = "111122223333"

// Config is the simulation of it, with the keys of the stage's seed.
func (o Standard) Config() Config {
	keys := TestKeys(o.Stage.Seed)
	at := func(address, path string) string {
		if address != "" {
			return address
		}
		return strings.TrimSuffix(o.Vendor, "/") + path
	}
	return Config{
		Base: strings.TrimSuffix(o.Base, "/"), Stage: o.Stage,
		AWS: aws.Config{
			Landing: at(o.AWSLanding, "/hooks/aws"), AccessKey: keys.AWSAccessKey, SecretKey: keys.AWSSecretKey, Account: sellerAccount,
			Regions: otherwise(o.AWSRegions, "us-east-1"), Queue: orElse(o.AWSQueue, "marketplace-events"),
			Products: []aws.Product{
				{ID: "prod-simulated1", Code: orElse(o.AWSProduct, "tollgate-saas"), Title: "Tollgate Observability", Dimensions: otherwise(o.AWSDimensions, "usage_cents")},
				{ID: "prod-simulated2", Code: orElse(o.AWSLegacy, "tollgate-legacy"), Title: "Tollgate Observability (2024)", Dimensions: otherwise(o.AWSDimensions, "usage_cents"), Legacy: true},
			},
		},
		Alibaba: o.alibaba(keys, at(o.AlibabaSPI, "/hooks/alibaba")),
		Huawei:  o.huawei(keys, at(o.HuaweiCallback, "/hooks/huawei"), at(o.HuaweiCallbackV1, "/hooks/huawei/v1")),
	}
}

func (o Standard) alibaba(keys Keys, spi string) alibaba.Config {
	product, units := orElse(o.AlibabaProduct, "cmgj00000001"), otherwise(o.AlibabaKeys, "Frequency")
	return alibaba.Config{
		SPI: spi, Key: keys.AlibabaKey, AccessKey: keys.AlibabaAccessKey, SecretKey: keys.AlibabaSecretKey,
		SubAccessKey: keys.AlibabaSubKey, SubSecretKey: keys.AlibabaSubSecret,
		Products: []alibaba.Product{
			{Code: product, SKU: product + "-prepay", Title: "Tollgate Observability", Plan: "hourly", Keys: units},
			{Code: product + "-daily", SKU: product + "-prepay", Title: "Tollgate Observability, by the day", Plan: "daily", Keys: units},
		},
	}
}

func (o Standard) huawei(keys Keys, second, first string) huawei.Config {
	product, card := orElse(o.HuaweiProduct, "00301-tollgate"), orElse(o.HuaweiCard, "tollgate-card-100")
	return huawei.Config{
		Callback: second, CallbackV1: first, Key: keys.HuaweiKey, AccessKey: keys.HuaweiAccessKey, SecretKey: keys.HuaweiSecretKey,
		Products: []huawei.Product{
			{ID: product, SKU: product + "-sku", Title: "Tollgate Observability", Mode: "ON_DEMAND"},
			{ID: card, SKU: card, Title: "Tollgate stored-value card", Mode: "ONE_TIME"},
			{ID: product + "-v1", SKU: product + "-v1-sku", Title: "Tollgate Observability (V1.0)", Mode: "ON_DEMAND", First: true},
		},
	}
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func otherwise(texts []string, one string) []string {
	if len(texts) == 0 {
		return []string{one}
	}
	return texts
}

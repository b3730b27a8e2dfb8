package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
)

// alibabaFlags are the settings of one of Alibaba's two marketplaces.
type alibabaFlags struct {
	AccessKey  string   `help:"ID of the main account's access key." env:"ACCESS_KEY"`
	Secret     string   `hidden:"" env:"SECRET"`
	SecretFile string   `help:"File of the access key's secret (or …_SECRET)." env:"SECRET_FILE" type:"path"`
	Key        string   `hidden:"" env:"KEY"`
	KeyFile    string   `help:"File of the seller's secret key, by which calls are signed (or …_KEY)." env:"KEY_FILE" type:"path"`
	Product    []string `help:"Product codes of the listing." env:"PRODUCT"`
	Plan       string   `help:"How the listing bills usage: hourly or daily." default:"hourly" enum:"hourly,daily" env:"PLAN"`
	Entity     string   `help:"Metering entity of the listing." default:"Frequency" env:"ENTITY"`
	Assist     string   `help:"Assist code of the price item, where the listing has one." env:"ASSIST"`
	Price      string   `help:"What one of the entity costs, in the listing's currency." default:"0.01" env:"PRICE"`
	Listing    string   `help:"Where buyers subscribe." env:"LISTING"`
	API        string   `help:"Address of the Market API, where it is not Alibaba's own." env:"API"`
	SendAgain  bool     `help:"Send usage once more when its answer was lost. Alibaba does not say whether that counts twice." env:"SEND_AGAIN"`
}

// marketFlags connect cloud marketplaces. Secrets come from the environment or
// from files: a command line can be read by everybody on the machine.
type marketFlags struct {
	Alibaba     alibabaFlags `embed:"" prefix:"alibaba-" envprefix:"TOLLGATE_ALIBABA_"`
	AlibabaIntl alibabaFlags `embed:"" prefix:"alibaba-intl-" envprefix:"TOLLGATE_ALIBABA_INTL_"`

	AWSAccessKey  string        `help:"Access key ID of the seller account at AWS Marketplace." env:"TOLLGATE_AWS_ACCESS_KEY"`
	AWSSecret     string        `hidden:"" env:"TOLLGATE_AWS_SECRET"`
	AWSSecretFile string        `help:"File of its secret (or TOLLGATE_AWS_SECRET)." env:"TOLLGATE_AWS_SECRET_FILE" type:"path"`
	AWSRegion     string        `help:"Region that usage is sent to; never change it while purchases live." default:"us-east-1" env:"TOLLGATE_AWS_REGION"`
	AWSProduct    []string      `help:"Product codes of the listing." env:"TOLLGATE_AWS_PRODUCT"`
	AWSDimension  string        `help:"Metering dimension of the listing." env:"TOLLGATE_AWS_DIMENSION"`
	AWSPrice      []string      `help:"What one of the dimension costs, per currency." default:"0.01 USD" env:"TOLLGATE_AWS_PRICE"`
	AWSListing    string        `help:"Where buyers subscribe." env:"TOLLGATE_AWS_LISTING"`
	AWSQueue      string        `help:"URL of the SQS queue that the agreements' events go to." env:"TOLLGATE_AWS_QUEUE"`
	AWSMetering   string        `help:"Address of the metering API, where it is not AWS's own." env:"TOLLGATE_AWS_METERING"`
	AWSSQS        string        `help:"Address of SQS, where it is not AWS's own." env:"TOLLGATE_AWS_SQS"`
	AWSLegacy     bool          `help:"The product is from before concurrent agreements: customer identifiers instead of licenses." env:"TOLLGATE_AWS_LEGACY"`
	AWSZero       bool          `help:"Send a record of 0 for each hour in which a purchase used nothing, where the listing asks for one." env:"TOLLGATE_AWS_ZERO"`
	AWSLate       time.Duration `help:"How old usage may be; 6h for older products." default:"24h" env:"TOLLGATE_AWS_LATE"`

	HuaweiKey         string   `hidden:"" env:"TOLLGATE_HUAWEI_KEY"`
	HuaweiKeyFile     string   `help:"File of the Key of KooGallery's seller console (or TOLLGATE_HUAWEI_KEY)." env:"TOLLGATE_HUAWEI_KEY_FILE" type:"path"`
	HuaweiAccessKey   string   `help:"Access key ID of Huawei Cloud, for the query of orders." env:"TOLLGATE_HUAWEI_ACCESS_KEY"`
	HuaweiSecret      string   `hidden:"" env:"TOLLGATE_HUAWEI_SECRET"`
	HuaweiSecretFile  string   `help:"File of its secret (or TOLLGATE_HUAWEI_SECRET)." env:"TOLLGATE_HUAWEI_SECRET_FILE" type:"path"`
	HuaweiProduct     []string `help:"IDs of the pay-per-use products." env:"TOLLGATE_HUAWEI_PRODUCT"`
	HuaweiCard        []string `help:"Stored-value cards: SKU=face=months." env:"TOLLGATE_HUAWEI_CARD"`
	HuaweiPlan        string   `help:"How the listing bills usage: hourly or daily." default:"hourly" enum:"hourly,daily" env:"TOLLGATE_HUAWEI_PLAN"`
	HuaweiPrice       string   `help:"What one unit of usage costs, with its currency." default:"1.00 CNY" env:"TOLLGATE_HUAWEI_PRICE"`
	HuaweiListing     string   `help:"Where buyers subscribe." env:"TOLLGATE_HUAWEI_LISTING"`
	HuaweiCardListing string   `help:"Where buyers buy a card." env:"TOLLGATE_HUAWEI_CARD_LISTING"`
	HuaweiAPI         string   `help:"Address of the API, where it is not Huawei's own." env:"TOLLGATE_HUAWEI_API"`
	HuaweiV1          bool     `help:"Take calls of the first generation, too." env:"TOLLGATE_HUAWEI_V1"`
	HuaweiSignPush    bool     `help:"Sign usage with the access key as well." default:"true" negatable:"" env:"TOLLGATE_HUAWEI_SIGN_PUSH"`
}

// secretKeyFlags give the keys that seal the credentials which operators enter.
type secretKeyFlags struct {
	SecretKey     string `hidden:"" env:"TOLLGATE_SECRET_KEY"`
	SecretKeyFile string `help:"File of the keys that seal entered credentials, one a line; the first one seals (or TOLLGATE_SECRET_KEY)." env:"TOLLGATE_SECRET_KEY_FILE" type:"path"`
}

// ring reads the keys.
func (f secretKeyFlags) ring() (secret.Ring, error) {
	text, err := secretOf(f.SecretKey, f.SecretKeyFile)
	if err != nil {
		return secret.Ring{}, fmt.Errorf("the secret key: %w", err)
	}
	return secret.Parse(text)
}

// markets reads the files, the prices and the cards.
func (f marketFlags) markets() (m app.Markets, err error) {
	if m.Alibaba, err = f.Alibaba.config(site.Alibaba, money.CNY); err != nil {
		return m, err
	}
	if m.AlibabaIntl, err = f.AlibabaIntl.config(site.AlibabaIntl, money.USD); err != nil {
		return m, err
	}
	if m.AWS, err = f.aws(); err != nil {
		return m, err
	}
	m.Huawei, err = f.huawei()
	return m, err
}

func (f alibabaFlags) config(method site.Method, c money.Currency) (alibaba.Config, error) {
	out := alibaba.Config{
		Method: method, AccessKey: f.AccessKey, Products: f.Product, Plan: marketplace.Plan(f.Plan), Entity: f.Entity, Assist: f.Assist,
		Listing: f.Listing, API: f.API, SendAgain: f.SendAgain,
	}
	var err error
	if out.Secret, err = secretOf(f.Secret, f.SecretFile); err != nil {
		return out, fmt.Errorf("the secret of %s's access key: %w", method, err)
	}
	if out.Key, err = secretOf(f.Key, f.KeyFile); err != nil {
		return out, fmt.Errorf("the seller's key at %s: %w", method, err)
	}
	if out.Price, err = money.Parse(f.Price, c); err != nil {
		return out, fmt.Errorf("price %q of %s: give an amount such as 0.01", f.Price, method)
	}
	return out, nil
}

func (f marketFlags) aws() (aws.Config, error) {
	out := aws.Config{
		AccessKey: f.AWSAccessKey, Region: f.AWSRegion, Products: f.AWSProduct, Dimension: f.AWSDimension, Listing: f.AWSListing,
		Queue: f.AWSQueue, Metering: f.AWSMetering, SQS: f.AWSSQS, Legacy: f.AWSLegacy, Zero: f.AWSZero, Late: f.AWSLate,
	}
	var err error
	if out.Secret, err = secretOf(f.AWSSecret, f.AWSSecretFile); err != nil {
		return out, fmt.Errorf("the secret of AWS's access key: %w", err)
	}
	for _, text := range f.AWSPrice {
		price, err := priceOf(text)
		if err != nil {
			return out, err
		}
		out.Prices = append(out.Prices, price)
	}
	return out, nil
}

func (f marketFlags) huawei() (huawei.Config, error) {
	out := huawei.Config{
		AccessKey: f.HuaweiAccessKey, Products: f.HuaweiProduct, Plan: marketplace.Plan(f.HuaweiPlan), Listing: f.HuaweiListing,
		CardList: f.HuaweiCardListing, API: f.HuaweiAPI, V1: f.HuaweiV1, SignPush: f.HuaweiSignPush,
	}
	var err error
	if out.Key, err = secretOf(f.HuaweiKey, f.HuaweiKeyFile); err != nil {
		return out, fmt.Errorf("the Key of KooGallery: %w", err)
	}
	if out.Secret, err = secretOf(f.HuaweiSecret, f.HuaweiSecretFile); err != nil {
		return out, fmt.Errorf("the secret of Huawei's access key: %w", err)
	}
	if out.Price, err = priceOf(f.HuaweiPrice); err != nil {
		return out, err
	}
	for _, text := range f.HuaweiCard {
		card, err := cardOf(text, out.Price.Currency())
		if err != nil {
			return out, err
		}
		out.Cards = append(out.Cards, card)
	}
	return out, nil
}

// priceOf reads an amount and its currency: 0.01 USD.
func priceOf(text string) (money.Amount, error) {
	amount, currency, _ := strings.Cut(strings.TrimSpace(text), " ")
	c, err := money.ParseCurrency(currency)
	if err == nil {
		var price money.Amount
		if price, err = money.Parse(amount, c); err == nil {
			return price, nil
		}
	}
	return money.Amount{}, fmt.Errorf("price %q of a marketplace: give an amount and its currency, such as 0.01 USD", text)
}

// cardOf reads a card: SKU=face=months.
func cardOf(text string, c money.Currency) (huawei.Card, error) {
	parts := strings.Split(text, "=")
	if len(parts) == 3 {
		face, err1 := money.Parse(parts[1], c)
		months, err2 := strconv.Atoi(parts[2])
		if err1 == nil && err2 == nil && months > 0 {
			return huawei.Card{SKU: parts[0], Face: face, Valid: months}, nil
		}
	}
	return huawei.Card{}, fmt.Errorf("card %q: give SKU=face=months, such as card-100=100.00=36", text)
}

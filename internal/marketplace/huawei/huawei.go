// Package huawei speaks with Huawei Cloud KooGallery: its signed calls about
// instances (the second generation; the first behind a setting), the query of
// an order, which is the source of truth on a purchase, and usage. It owns the
// wire, and keeps nothing.
//
// Always true: a call is read only after its signature over the raw body and
// its clock hold; what is told of a probe is told as of any call, and nothing
// is done; an order that Huawei serves for tests is never worth anything.
package huawei

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
)

// Card is a stored-value card of the listing.
type Card struct {
	SKU   string
	Face  money.Amount
	Valid int // months
}

// Config is a seller's account at KooGallery.
type Config struct {
	Key       string // of the seller's console: calls to us and usage are signed with it
	AccessKey string // of Huawei Cloud, for the query of orders
	Secret    string
	Products  []string // IDs of our pay-per-use products
	Cards     []Card   // what is sold as a stored-value card
	Plan      marketplace.Plan
	Dimension string // what our records are called here; Huawei names none
	Price     money.Amount
	Listing   string // where a buyer subscribes
	CardList  string // where a buyer buys a card
	API       string // address of the API, where it is not Huawei's own
	V1        bool   // calls of the first generation are taken, too
	SignPush  bool   // usage is signed with the access key as well
	Now       func() time.Time
}

const (
	defaultAPI       = "https://mkt.myhuaweicloud.com"
	defaultDimension = "usage"
)

// Set reports whether anything of it is set.
func (c Config) Set() bool { return c.Key != "" || c.AccessKey != "" || c.Secret != "" }

// Check says what is wrong with the settings, if anything.
func (c Config) Check() error {
	switch {
	case c.Key == "":
		return errors.New("KooGallery: it needs the key of the seller's console")
	case c.AccessKey == "" || c.Secret == "":
		return errors.New("KooGallery: it needs an access key of Huawei Cloud, and its secret")
	case len(c.Products) == 0 && len(c.Cards) == 0:
		return errors.New("KooGallery: name the products or the cards of the listing")
	case slices.Contains(c.Products, ""):
		return errors.New("KooGallery: a product has no ID")
	case c.Plan != marketplace.Hourly && c.Plan != marketplace.Daily:
		return errors.New("KooGallery: usage is billed hourly or daily")
	case c.Price.Sign() <= 0:
		return errors.New("KooGallery: say what one unit of usage costs")
	case c.Listing == "":
		return errors.New("KooGallery: say where buyers subscribe")
	}
	for _, card := range c.Cards {
		if card.SKU == "" || card.Face.Sign() <= 0 || card.Valid <= 0 {
			return fmt.Errorf("KooGallery: the card %q has no face value or no validity", card.SKU)
		}
	}
	for name, text := range map[string]string{"listing": c.Listing, "cards": c.CardList, "API": c.API} {
		if u, err := url.Parse(text); text != "" && (err != nil || u.Host == "" || name == "API" && strings.Trim(u.Path, "/") != "") {
			return fmt.Errorf("KooGallery: the address of the %s is no URL", name)
		}
	}
	return nil
}

// Simulated reports whether the API is not Huawei's own.
func (c Config) Simulated() bool {
	u, err := url.Parse(c.API)
	return c.API != "" && (err != nil || !strings.HasSuffix(u.Hostname(), ".myhuaweicloud.com") &&
		!strings.HasSuffix(u.Hostname(), ".myhuaweicloud.cn") && !strings.HasSuffix(u.Hostname(), ".myhuaweicloud.eu"))
}

// Market is a seller's side of KooGallery.
type Market struct {
	config Config
	http   *http.Client
}

// answersWithin bounds one call of the API.
const answersWithin = 20 * time.Second

// New makes it.
func New(c Config) (*Market, error) {
	if c.API == "" {
		c.API = defaultAPI
	}
	if c.Dimension == "" {
		c.Dimension = defaultDimension
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	c.API = strings.TrimSuffix(c.API, "/")
	return &Market{c, &http.Client{Timeout: answersWithin}}, nil
}

// Simulated reports whether the API is not Huawei's own.
func (m *Market) Simulated() bool { return m.config.Simulated() }

// CardListing is where a buyer buys a stored-value card; empty where none is sold.
func (m *Market) CardListing() string {
	if len(m.config.Cards) == 0 {
		return ""
	}
	return m.config.CardList
}

package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/marketsim"
	simalibaba "tollgate.dev/internal/marketsim/alibaba"
	simaws "tollgate.dev/internal/marketsim/aws"
	simhuawei "tollgate.dev/internal/marketsim/huawei"
	"tollgate.dev/internal/marketsim/stage"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// marketSims are the demo's stand-ins for the marketplaces of the clouds.
type marketSims struct {
	sim    *marketsim.Sim
	door   net.Listener
	server *http.Server
	url    string
}

// What the simulated marketplaces sell.
const (
	simAWSProduct     = "tollgate-saas"
	simAWSQueue       = "marketplace-events"
	simDimension      = "usage_cents"
	simAlibabaProduct = "cmgj00000001"
	simHuaweiProduct  = "00301-tollgate"
	simHuaweiCard     = "tollgate-card-100"
	simCardFace       = 100_00
	simCardMonths     = 36
	simSeed           = 1
)

// simulateMarkets makes the simulators and the settings by which they are
// reached. They go by the demo's clock; signatures age by the machine's.
func (a *App) simulateMarkets(ctx context.Context) (Markets, error) {
	var l net.ListenConfig
	door, err := l.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Markets{}, fmt.Errorf("listen for the simulated marketplaces: %w", err)
	}
	keys, base := marketsim.TestKeys(simSeed), "http://"+door.Addr().String()
	spi := func(m site.Method) string { return a.baseURL + hooks.PathOf(m) }
	sim, err := marketsim.New(marketsim.Config{
		Base: base, File: filepath.Join(a.config.Data, "markets.json"), Stage: stage.Options{Now: a.clock.Now, RealNow: time.Now, Seed: simSeed},
		AWS: simaws.Config{
			Landing: spi(site.AWS), AccessKey: keys.AWSAccessKey, SecretKey: keys.AWSSecretKey, Account: "111122223333", Regions: []string{"us-east-1"}, Queue: simAWSQueue,
			Products: []simaws.Product{{ID: "prod-simulated1", Code: simAWSProduct, Title: "Tollgate Observability", Dimensions: []string{simDimension}}},
		},
		Alibaba: simalibaba.Config{
			SPI: spi(site.Alibaba), Key: keys.AlibabaKey, AccessKey: keys.AlibabaAccessKey, SecretKey: keys.AlibabaSecretKey,
			Products: []simalibaba.Product{{Code: simAlibabaProduct, SKU: simAlibabaProduct + "-prepay", Title: "Tollgate Observability", Plan: "hourly", Keys: []string{alibaba.DefaultEntity}}},
		},
		Huawei: simhuawei.Config{
			Callback: spi(site.Huawei), Key: keys.HuaweiKey, AccessKey: keys.HuaweiAccessKey, SecretKey: keys.HuaweiSecretKey,
			Products: []simhuawei.Product{
				{ID: simHuaweiProduct, SKU: simHuaweiProduct + "-sku", Title: "Tollgate Observability", Mode: "ON_DEMAND"},
				{ID: simHuaweiCard, SKU: simHuaweiCard, Title: "Tollgate stored-value card", Mode: "ONE_TIME"},
			},
		},
	})
	if err != nil {
		_ = door.Close() // nobody has heard of it yet
		return Markets{}, fmt.Errorf("make the simulated marketplaces: %w", err)
	}
	a.markets = &marketSims{sim: sim, door: door, server: newServer(sim.Handler(), a.log), url: base}
	return simulatedMarkets(base, sim, keys), nil
}

// simulatedMarkets are the settings of adapters that talk to the simulators.
func simulatedMarkets(base string, sim *marketsim.Sim, keys marketsim.Keys) Markets {
	cent := func(c money.Currency) money.Amount { return money.Of(1, c) }
	return Markets{
		Alibaba: alibaba.Config{
			Method: site.Alibaba, AccessKey: keys.AlibabaAccessKey, Secret: keys.AlibabaSecretKey, Key: keys.AlibabaKey, Products: []string{simAlibabaProduct},
			Plan: marketplace.Hourly, Price: cent(money.CNY), Listing: base + "/alibaba/products/" + simAlibabaProduct, API: base,
		},
		AWS: aws.Config{
			AccessKey: keys.AWSAccessKey, Secret: keys.AWSSecretKey, Region: "us-east-1", Products: []string{simAWSProduct}, Dimension: simDimension,
			Prices: []money.Amount{cent(money.USD), cent(money.CNY)}, Listing: base + "/aws/products/" + simAWSProduct,
			Queue: sim.AWS.URL(), Metering: base, SQS: base,
		},
		Huawei: huawei.Config{
			Key: keys.HuaweiKey, AccessKey: keys.HuaweiAccessKey, Secret: keys.HuaweiSecretKey, Products: []string{simHuaweiProduct},
			Cards: []huawei.Card{{SKU: simHuaweiCard, Face: money.Of(simCardFace, money.CNY), Valid: simCardMonths}},
			Plan:  marketplace.Hourly, Price: money.Of(1_00, money.CNY), Listing: base + "/huawei/products/" + simHuaweiProduct,
			CardList: base + "/huawei/products/" + simHuaweiCard, API: base, SignPush: true,
		},
	}
}

func (s *marketSims) start(ctx context.Context) {
	if s != nil {
		s.sim.Start(ctx)
		go func() { _ = s.server.Serve(s.door) }() // it ends with the demo
	}
}

func (s *marketSims) stop() error {
	if s == nil {
		return nil
	}
	_ = s.server.Close() // nobody waits for a simulator
	return s.sim.Stop()
}

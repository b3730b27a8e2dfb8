package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"tollgate.dev/internal/marketsim"
	"tollgate.dev/internal/marketsim/stage"
)

// marketsimCommand runs the simulators of the clouds' marketplaces.
type marketsimCommand struct {
	Listen string `help:"Address to listen on." default:"127.0.0.1:8090"`
	Expose bool   `help:"Listen also where other machines reach it: everybody there can change everything."`
	Base   string `help:"Address at which browsers and Tollgate reach it, where it is not the one of --listen."`
	File   string `help:"File that keeps what was bought and metered between runs; without it, all is forgotten at the end." type:"path"`
	Seed   uint64 `help:"What the names and keys are made of: the same seed, the same names." default:"1"`
	Vendor string `help:"Address of Tollgate, which the addresses below begin with where they are not given." default:"http://127.0.0.1:8080"`

	AWSLanding   string   `help:"Registration URL of the product at AWS (VENDOR/hooks/aws)." name:"aws-landing"`
	AWSProduct   string   `help:"Product code at AWS." name:"aws-product" default:"tollgate-saas"`
	AWSLegacy    string   `help:"Product code of a product that was integrated before concurrent agreements." name:"aws-legacy-product" default:"tollgate-legacy"`
	AWSDimension []string `help:"Dimensions that both are metered in." name:"aws-dimension" default:"usage_cents"`
	AWSRegion    []string `help:"Regions that have the metering service." name:"aws-region" default:"us-east-1"`
	AWSQueue     string   `help:"Name of the queue that events arrive in." name:"aws-queue" default:"marketplace-events"`

	AlibabaSPI     string   `help:"Production URL of the product at Alibaba Cloud (VENDOR/hooks/alibaba)." name:"alibaba-spi"`
	AlibabaProduct string   `help:"Product code at Alibaba Cloud; one with -daily at its end is metered by the day." name:"alibaba-product" default:"cmgj00000001"`
	AlibabaKey     []string `help:"Units that both are metered in." name:"alibaba-key" default:"Frequency"`

	HuaweiCallback   string `help:"Production URL of the product at Huawei Cloud (VENDOR/hooks/huawei)." name:"huawei-callback"`
	HuaweiCallbackV1 string `help:"That of a listing of the first generation (VENDOR/hooks/huawei/v1)." name:"huawei-callback-v1"`
	HuaweiProduct    string `help:"Product ID at Huawei Cloud that is paid by use; one with -v1 at its end is of the first generation." name:"huawei-product" default:"00301-tollgate"`
	HuaweiCard       string `help:"SKU of a stored-value card." name:"huawei-card" default:"tollgate-card-100"`
}

// listen opens the port, to this machine alone unless it is said otherwise.
func (c *marketsimCommand) listen(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	if ip := net.ParseIP(host); !c.Expose && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--listen %s: other machines reach this address, and the simulator takes orders from everybody; add --expose if that is meant", c.Listen)
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
}

func (c *marketsimCommand) config(address net.Addr) (marketsim.Config, marketsim.Keys) {
	base := c.Base
	if base == "" {
		base = "http://" + address.String()
	}
	config := marketsim.Standard{
		Base: base, Vendor: c.Vendor, Stage: stage.Options{Now: time.Now, RealNow: time.Now, Seed: c.Seed},
		AWSLanding: c.AWSLanding, AWSProduct: c.AWSProduct, AWSLegacy: c.AWSLegacy, AWSQueue: c.AWSQueue, AWSDimensions: c.AWSDimension, AWSRegions: c.AWSRegion,
		AlibabaSPI: c.AlibabaSPI, AlibabaProduct: c.AlibabaProduct, AlibabaKeys: c.AlibabaKey,
		HuaweiCallback: c.HuaweiCallback, HuaweiCallbackV1: c.HuaweiCallbackV1, HuaweiProduct: c.HuaweiProduct, HuaweiCard: c.HuaweiCard,
	}.Config()
	config.File = c.File
	return config, marketsim.TestKeys(c.Seed)
}

// Run serves until the process is told to stop.
func (c *marketsimCommand) Run(ctx context.Context, log *slog.Logger) error {
	return c.serve(ctx, log, os.Stdout)
}

func (c *marketsimCommand) serve(ctx context.Context, log *slog.Logger, out io.Writer) error {
	listener, err := c.listen(ctx)
	if err != nil {
		return err
	}
	config, keys := c.config(listener.Addr())
	sim, err := marketsim.New(config)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	sim.Start(ctx)
	server := &http.Server{Handler: sim.Handler(), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(end) // long polls are cut off
	}()
	c.welcome(out, config, keys, sim)
	err = server.Serve(listener)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, sim.Stop())
}

// welcome says what the other side has to be told. The keys are those of a
// test: they open nothing.
func (c *marketsimCommand) welcome(w io.Writer, config marketsim.Config, keys marketsim.Keys, sim *marketsim.Sim) {
	fmt.Fprintf(w, `Simulated cloud markets on %[1]s/ (nothing here reaches a cloud; the keys are for tests and open nothing)

AWS
  subscribe              %[2]s
  calls the vendor at    %[3]s
  queue of events        %[4]s
  AWS_ENDPOINT_URL_MARKETPLACE_METERING=%[1]s
  AWS_ENDPOINT_URL_SQS=%[1]s
  AWS_ACCESS_KEY_ID=%[5]s
  AWS_SECRET_ACCESS_KEY=%[6]s
`, config.Base, sim.AWS.SubscribeURL(), config.AWS.Landing, sim.AWS.URL(), keys.AWSAccessKey, keys.AWSSecretKey)
	fmt.Fprintf(w, `
Alibaba Cloud
  open                   %s
  calls the vendor at    %s, signed with the key %s
  API                    %s
  AccessKey              %s %s
  of a sub-account       %s %s
`, sim.Alibaba.OpenURL(), config.Alibaba.SPI, keys.AlibabaKey, config.Base, keys.AlibabaAccessKey, keys.AlibabaSecretKey, keys.AlibabaSubKey, keys.AlibabaSubSecret)
	fmt.Fprintf(w, `
Huawei Cloud
  buy                    %s
  calls the vendor at    %s and (first generation) %s, signed with the key %s
  API                    %s
  AK, SK                 %s %s

For tests: %[5]s/control/ (docs/marketsim.md)
`, sim.Huawei.BuyURL(), config.Huawei.Callback, config.Huawei.CallbackV1, keys.HuaweiKey, config.Base, keys.HuaweiAccessKey, keys.HuaweiSecretKey)
}

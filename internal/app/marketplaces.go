package app

import (
	"context"
	"time"

	"tollgate.dev/internal/billingcenter"
	"tollgate.dev/internal/hooks"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/store"
)

// Markets are the cloud marketplaces of an installation. One of which nothing
// is set is not offered.
type Markets struct {
	Alibaba     alibaba.Config
	AlibabaIntl alibaba.Config
	AWS         aws.Config
	Huawei      huawei.Config
}

// openClouds connects the marketplaces that are configured, or ends the start
// with what is wrong with one.
func (a *App) openClouds(ctx context.Context) error {
	a.doors = &hooks.Clouds{
		Store: a.store, Now: a.clock.Now, Signed: time.Now, Log: a.log, BaseURL: a.baseURL, Entry: a.baseURL + billingcenter.Prefix + "/",
		Arrive: a.baseURL + billingcenter.ArrivePath, Refuse: a.baseURL + billingcenter.RefusedPath,
	}
	markets := a.config.Markets
	if a.config.Demo {
		var err error
		if markets, err = a.simulateMarkets(ctx); err != nil {
			return err
		}
	}
	if err := a.fillMarkets(ctx, &markets); err != nil {
		return err
	}
	clouds, err := a.connect(markets)
	if err != nil {
		return err
	}
	a.clouds = &marketplace.Desk{
		Clouds: append(clouds, a.config.Clouds...),
		Write: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return a.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
		},
		Read: func(ctx context.Context, f func(marketplace.Tx) error) error {
			return a.store.Read(ctx, func(tx *store.Tx) error { return f(tx) })
		},
	}
	for _, c := range a.clouds.Clouds {
		if s, ok := c.(marketplace.Simulated); ok && s.Simulated() {
			a.log.Warn("a marketplace is a simulator: nothing is really bought or collected there", "cloud", string(c.Method()))
		}
	}
	return nil
}

// connect makes the adapters, and gives the doors those that have one.
func (a *App) connect(m Markets) ([]marketplace.Cloud, error) {
	var clouds []marketplace.Cloud
	for _, c := range []alibaba.Config{m.Alibaba, m.AlibabaIntl} {
		if !c.Set() {
			continue
		}
		market, err := alibaba.New(c)
		if err != nil {
			return nil, err
		}
		a.doors.Alibaba = append(a.doors.Alibaba, market)
		clouds = append(clouds, market)
	}
	if m.AWS.Set() {
		market, err := aws.New(m.AWS)
		if err != nil {
			return nil, err
		}
		a.doors.AWS = market
		clouds = append(clouds, market)
	}
	if m.Huawei.Set() {
		m.Huawei.Now = time.Now
		market, err := huawei.New(m.Huawei)
		if err != nil {
			return nil, err
		}
		a.doors.Huawei = market
		clouds = append(clouds, market)
	}
	return clouds, nil
}

// followEvents reads the events of marketplaces that have a queue.
func (a *App) followEvents(ctx context.Context) {
	if a.doors.AWS == nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.doors.Follow(ctx)
	}()
	a.follow = func() {
		cancel()
		<-done
	}
}

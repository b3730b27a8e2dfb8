package main

import (
	"bytes"
	"strings"
	"testing"

	"tollgate.dev/internal/marketsim"
)

func TestTheSimulatorListensToThisMachineUnlessItIsExposed(t *testing.T) {
	t.Parallel()
	for listen, fine := range map[string]bool{"127.0.0.1:8090": true, "localhost:8090": true, "[::1]:8090": true, ":8090": false, "0.0.0.0:8090": false, "10.0.0.1:8090": false, "8090": false} {
		c := marketsimCommand{Listen: listen, Seed: 1}
		if _, _, err := c.config(); (err == nil) != fine {
			t.Errorf("%s: %v", listen, err)
		}
	}
	c := marketsimCommand{Listen: "0.0.0.0:8090", Expose: true}
	if _, _, err := c.config(); err != nil {
		t.Error(err)
	}
}

func TestTheSimulatorSaysWhatTheOtherSideHasToBeTold(t *testing.T) {
	t.Parallel()
	c := marketsimCommand{
		Listen: "127.0.0.1:8090", Seed: 1, Vendor: "http://vendor.example/", AWSProduct: "code", AWSQueue: "queue", AlibabaProduct: "cmgj1", HuaweiProduct: "p1", HuaweiCard: "card",
		HuaweiCallback: "http://other.example/v2",
	}
	config, keys, err := c.config()
	if err != nil {
		t.Fatal(err)
	}
	sim, err := marketsim.New(config)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c.welcome(&said, config, keys, sim)
	for _, want := range []string{
		"http://127.0.0.1:8090/aws/products/code", "http://vendor.example/hooks/aws\n", keys.AWSSecretKey, "http://127.0.0.1:8090/alibaba/products/cmgj1",
		"http://vendor.example/hooks/alibaba,", keys.AlibabaKey, "http://127.0.0.1:8090/huawei/products/p1", "http://other.example/v2", keys.HuaweiSecretKey,
		"http://127.0.0.1:8090/control/",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%s is not said", want)
		}
	}
	if strings.Contains(said.String(), "%!") {
		t.Error(said.String())
	}
}

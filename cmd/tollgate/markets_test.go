package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/testkit"
)

func TestTheMarketplacesThatAreSetAreThoseThatAreServed(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(keys, []byte(secret.NewKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := read[serveCommand](t, "--smtp-address=mail.example:25", "--secret-key-file="+keys,
		"--alibaba-product=cmapi1", "--alibaba-access-key=ak", "--alibaba-intl-product=intl1",
		"--aws-product=prod1", "--aws-dimension=cents", "--aws-price=0.01 USD", "--aws-queue=https://sqs.example/q", "--aws-zero",
		"--huawei-product=p1", "--huawei-card=card-100=100.00=36", "--huawei-v-1")
	if err != nil {
		t.Fatal(err)
	}
	config, err := c.config(testkit.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	m := config.Markets
	if m.Alibaba.Method != site.Alibaba || m.Alibaba.Products[0] != "cmapi1" || m.Alibaba.Plan != marketplace.Hourly || m.AlibabaIntl.Method != site.AlibabaIntl ||
		m.AWS.Products[0] != "prod1" || m.AWS.Prices[0].String() != "0.01" || !m.AWS.Zero || m.Huawei.Products[0] != "p1" || len(m.Huawei.Cards) != 1 || !m.Huawei.V1 {
		t.Errorf("%+v", m)
	}
	if config.Secrets.Empty() {
		t.Error("the key is not read")
	}
	if given := m.Given(); len(given) != 1 || !given[secret.Place{Cloud: "alibaba", Name: marketplace.AccessKey}] {
		t.Errorf("given: %v", given)
	}
}

func TestAKeyThatIsNoneEndsTheStartAndIsNotRepeated(t *testing.T) {
	t.Parallel()
	c, err := read[serveCommand](t, "--smtp-address=mail.example:25", "--secret-key=not-a-key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.config(testkit.Logger(t)); err == nil || strings.Contains(err.Error(), "not-a-key") {
		t.Errorf("%v", err)
	}
}

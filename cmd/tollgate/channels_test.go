package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tollgate.dev/internal/money"
)

// read parses the flags as a command line does, with what the environment holds.
func read[T any](t *testing.T, args ...string) (flags T, err error) {
	t.Helper()
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return flags, err
}

func TestTwoOperatorsCreditAboveTheDefaultLimits(t *testing.T) {
	t.Parallel()
	flags, err := read[approvalFlags](t)
	if err != nil {
		t.Fatal(err)
	}
	limits, err := flags.limits()
	if err != nil || limits[money.CNY].String() != "50000.00" || limits[money.USD].String() != "7000.00" {
		t.Errorf("%v, %v", limits, err)
	}
	if limits.NeedsTwo(money.MustParse("50000", money.CNY)) || !limits.NeedsTwo(money.MustParse("50000.01", money.CNY)) {
		t.Error("the limit itself needs one operator, a cent above it two")
	}
}

func TestLimitsOfApprovalAreChecked(t *testing.T) {
	t.Parallel()
	one, err := read[approvalFlags](t, "--second-approval", "CNY=0")
	if err != nil {
		t.Fatal(err)
	}
	limits, err := one.limits()
	if err != nil || !limits.NeedsTwo(money.MustParse("0.01", money.CNY)) || limits.NeedsTwo(money.MustParse("99999", money.USD)) {
		t.Errorf("%v, %v", limits, err)
	}
	for _, wrong := range []string{"CNY", "50000", "EUR=5", "CNY=1e3", "CNY=-1", "CNY=1.234", "CNY=1,CNY=2"} {
		flags, err := read[approvalFlags](t, "--second-approval", wrong)
		if err != nil {
			t.Fatal(err)
		}
		if limits, err := flags.limits(); err == nil {
			t.Errorf("%s gives %v", wrong, limits)
		}
	}
}

func TestSecretsOfChannelsComeFromFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flags, err := read[channelFlags](t,
		"--stripe-key-file", file("key", "sk_test_1\n"), "--stripe-secret-file", file("secrets", "whsec_new\nwhsec_old\n"), "--stripe-currency", "USD,CNY",
		"--alipay-app-id", "2021000000000000", "--alipay-seller-id", "2088000000000000", "--alipay-key-file", file("private", " KEY "), "--alipay-public-key-file", file("public", "PUB\n"),
		"--topup-least", "5", "--topup-most", "20000.50")
	if err != nil {
		t.Fatal(err)
	}
	got, err := flags.channels()
	if err != nil {
		t.Fatal(err)
	}
	if got.Stripe.Key != "sk_test_1" || strings.Join(got.Stripe.Secrets, " ") != "whsec_new whsec_old" || len(got.Stripe.Currencies) != 2 {
		t.Errorf("stripe %+v", got.Stripe)
	}
	if got.Alipay.Key != "KEY" || got.Alipay.AlipayKey != "PUB" || got.Alipay.AppID != "2021000000000000" {
		t.Errorf("alipay %+v", got.Alipay)
	}
	if got.Limits.Least != 500 || got.Limits.Most != 2000050 {
		t.Errorf("limits %+v", got.Limits)
	}
}

func TestSettingsOfChannelsThatCannotBeAreNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"a file that is not there": {[]string{"--stripe-key-file", "/nowhere/key"}, "Stripe's API key"},
		"no file of secrets":       {[]string{"--stripe-secret-file", "/nowhere/secret"}, "signing secrets"},
		"no file of Alipay's":      {[]string{"--alipay-public-key-file", "/nowhere/pub"}, "Alipay's public key"},
		"an unknown currency":      {[]string{"--stripe-currency", "EUR"}, `currency "EUR"`},
		"no amount":                {[]string{"--topup-least", "1e3"}, "one online payment"},
		"three decimals":           {[]string{"--topup-most", "1.234"}, "one online payment"},
		"nothing as the least":     {[]string{"--topup-least", "0"}, "one online payment"},
		"the least above the most": {[]string{"--topup-least", "10", "--topup-most", "9.99"}, "one online payment"},
	} {
		flags, err := read[channelFlags](t, c.args...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := flags.channels(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to name %s", name, err, c.says)
		}
	}
}

func TestASecretInTheEnvironmentGoesBeforeItsFile(t *testing.T) {
	t.Setenv("TOLLGATE_STRIPE_KEY", "sk_env")
	flags, err := read[channelFlags](t, "--stripe-key-file", "/nowhere/key")
	if err != nil {
		t.Fatal(err)
	}
	got, err := flags.channels()
	if err != nil || got.Stripe.Key != "sk_env" {
		t.Errorf("%q, %v", got.Stripe.Key, err)
	}
	if flags, err = read[channelFlags](t); err != nil {
		t.Fatal(err)
	}
	if got, err = flags.channels(); err != nil || len(got.Stripe.Secrets) != 0 || got.Limits.Least != 100 || got.Limits.Most != 10000000 {
		t.Errorf("without settings: %+v, %v", got, err)
	}
}

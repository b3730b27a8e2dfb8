package main

import (
	"fmt"
	"os"
	"strings"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
)

// channelFlags set up payment channels. Secrets come from the environment or
// from files: a command line can be read by everybody on the machine.
type channelFlags struct {
	StripeKey        string   `hidden:"" env:"TOLLGATE_STRIPE_KEY"`
	StripeKeyFile    string   `help:"File of Stripe's API key (or TOLLGATE_STRIPE_KEY)." env:"TOLLGATE_STRIPE_KEY_FILE" type:"path"`
	StripeSecret     []string `hidden:"" env:"TOLLGATE_STRIPE_WEBHOOK_SECRET"`
	StripeSecretFile string   `help:"File of the signing secrets of Stripe's webhook, one a line (or TOLLGATE_STRIPE_WEBHOOK_SECRET)." env:"TOLLGATE_STRIPE_WEBHOOK_SECRET_FILE" type:"path"`
	StripeCurrency   []string `help:"Currencies that are paid by Stripe." default:"USD" env:"TOLLGATE_STRIPE_CURRENCY"`
	StripeAPI        string   `help:"Address of Stripe's API, where it is not Stripe's own." env:"TOLLGATE_STRIPE_API"`

	AlipayAppID         string `help:"ID of the application at Alipay." env:"TOLLGATE_ALIPAY_APP_ID"`
	AlipaySellerID      string `help:"Alipay's user ID of the merchant, beginning with 2088." env:"TOLLGATE_ALIPAY_SELLER_ID"`
	AlipayKey           string `hidden:"" env:"TOLLGATE_ALIPAY_KEY"`
	AlipayKeyFile       string `help:"File of the application's private RSA key (or TOLLGATE_ALIPAY_KEY)." env:"TOLLGATE_ALIPAY_KEY_FILE" type:"path"`
	AlipayPublicKey     string `hidden:"" env:"TOLLGATE_ALIPAY_PUBLIC_KEY"`
	AlipayPublicKeyFile string `help:"File of Alipay's public RSA key (or TOLLGATE_ALIPAY_PUBLIC_KEY)." env:"TOLLGATE_ALIPAY_PUBLIC_KEY_FILE" type:"path"`
	AlipayGateway       string `help:"Address of Alipay's gateway, where it is not Alipay's own." env:"TOLLGATE_ALIPAY_GATEWAY"`

	TopupLeast string `help:"The least amount of one online payment." default:"1.00" env:"TOLLGATE_TOPUP_LEAST"`
	TopupMost  string `help:"The most of one." default:"100000.00" env:"TOLLGATE_TOPUP_MOST"`
}

// channels reads the files and the amounts.
func (c channelFlags) channels() (app.Channels, error) {
	var out app.Channels
	for _, secret := range []struct {
		name, text, file string
		to               *string
	}{
		{"Stripe's API key", c.StripeKey, c.StripeKeyFile, &out.Stripe.Key},
		{"the application's private key", c.AlipayKey, c.AlipayKeyFile, &out.Alipay.Key},
		{"Alipay's public key", c.AlipayPublicKey, c.AlipayPublicKeyFile, &out.Alipay.AlipayKey},
	} {
		text, err := secretOf(secret.text, secret.file)
		if err != nil {
			return out, fmt.Errorf("%s: %w", secret.name, err)
		}
		*secret.to = text
	}
	secrets, err := secretOf(strings.Join(c.StripeSecret, "\n"), c.StripeSecretFile)
	if err != nil {
		return out, fmt.Errorf("the signing secrets of Stripe's webhook: %w", err)
	}
	out.Stripe.Secrets, out.Stripe.API = strings.Fields(secrets), c.StripeAPI
	for _, text := range c.StripeCurrency {
		currency, err := money.ParseCurrency(text)
		if err != nil {
			return out, fmt.Errorf("currency %q of Stripe: choose of %v", text, money.Currencies())
		}
		out.Stripe.Currencies = append(out.Stripe.Currencies, currency)
	}
	out.Alipay.AppID, out.Alipay.SellerID, out.Alipay.Gateway = c.AlipayAppID, c.AlipaySellerID, c.AlipayGateway
	out.Limits, err = limitsOf(c.TopupLeast, c.TopupMost)
	return out, err
}

// secretOf is the text, or what the file holds.
func secretOf(text, file string) (string, error) {
	if file == "" || text != "" {
		return strings.TrimSpace(text), nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(raw)), nil
}

// limitsOf reads the bounds of one payment, which are of every currency.
func limitsOf(least, most string) (topup.Limits, error) {
	low, err1 := money.Parse(least, money.CNY)
	high, err2 := money.Parse(most, money.CNY)
	if err1 != nil || err2 != nil || low.Sign() <= 0 || high.Minor() < low.Minor() {
		return topup.Limits{}, fmt.Errorf("one online payment is between %q and %q: give two amounts such as 1.00 and 100000.00", least, most)
	}
	return topup.Limits{Least: low.Minor(), Most: high.Minor()}, nil
}

// approvalFlags say above which amount two operators credit a bank transfer.
type approvalFlags struct {
	SecondApproval []string `help:"Bank transfers above this amount are credited by two operators; one of each currency." default:"CNY=50000.00,USD=7000.00" env:"TOLLGATE_SECOND_APPROVAL"`
}

// limits reads the amounts. A currency that is not named needs one operator.
func (f approvalFlags) limits() (wallet.Limits, error) {
	limits := wallet.Limits{}
	for _, text := range f.SecondApproval {
		code, typed, ok := strings.Cut(text, "=")
		currency, err := money.ParseCurrency(strings.TrimSpace(code))
		if err != nil || !ok {
			return nil, fmt.Errorf("second approval %q: give a currency of %v and an amount, such as CNY=50000.00", text, money.Currencies())
		}
		amount, err := money.Parse(strings.TrimSpace(typed), currency)
		if err != nil || amount.Sign() < 0 {
			return nil, fmt.Errorf("second approval %q: %q is no amount such as 50000.00", text, typed)
		}
		if _, twice := limits[currency]; twice {
			return nil, fmt.Errorf("second approval: %s is named twice", currency)
		}
		limits[currency] = amount
	}
	return limits, nil
}

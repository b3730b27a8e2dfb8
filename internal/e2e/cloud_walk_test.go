package e2e

import (
	"errors"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tollgate.dev/internal/demo"
	"tollgate.dev/internal/testkit"
)

// store leads from a page of ours to the marketplace that it links to.
func (v *Visitor) store(link string) {
	v.t.Helper()
	v.run("open the marketplace", chromedp.Navigate(v.Attribute(link, "href")), chromedp.WaitReady(chromedp.CSS("main")))
}

// A payer buys on the pages of the three simulated marketplaces, and binds each
// purchase in its cloud's own way.
func TestAPayerBindsWhatWasBoughtOnThreeClouds(t *testing.T) {
	h := start(t)
	v := Visit(t, h.base, Look{Language: "en", Script: true, Width: 1440, Shots: filepath.Join(testkit.Root(t), "out", "screenshots")})
	v.Open("/billing-center/sign-in")
	v.Fill("/sign-in", "login", demo.PayerName)
	v.Fill("/sign-in", "password", demo.Password)
	v.Send("/sign-in")
	v.Open("/billing-center/clouds")
	v.Shot("clouds-empty")
	v.bindAlibaba(t)
	v.bindAWS(t)
	v.redeemHuawei()
	v.Open("/billing-center/clouds")
	v.Shot("clouds")
}

func (v *Visitor) bindAlibaba(t *testing.T) {
	t.Helper()
	const page = "/billing-center/clouds/add/alibaba"
	v.Open(page)
	v.Shot("bind-alibaba")
	v.store(`main a[target="_blank"]`)
	v.Press(`button[value="open"]`)
	at := v.URL()
	testkit.Eventually(t, 30*time.Second, func() error { // the marketplace calls us, and hears what the instance is called
		v.run("look again", chromedp.Navigate(at), chromedp.WaitReady(chromedp.CSS("main")))
		if !v.Has(`button[value="expire"]`) {
			return errors.New("the instance is not open yet")
		}
		return nil
	})
	v.Shot("simulator-alibaba-instance")
	v.Open(page)
	v.Tick("/add/alibaba", "opened")
	v.Fill("/add/alibaba", "account", "1234567890123456")
	v.Fill("/add/alibaba", "instance", path.Base(at))
	v.Send("/add/alibaba")
	v.Sees(path.Base(at), "active")
	v.Shot("bind-alibaba-done")
}

func (v *Visitor) bindAWS(t *testing.T) {
	t.Helper()
	v.Open("/billing-center/clouds/add/aws")
	v.Shot("bind-aws")
	v.store(`main a[rel="noreferrer"]`)
	v.Press(`button[value="subscribe"]`)
	v.Shot("simulator-aws-purchase")
	v.Press(`form[action$="/hooks/aws"] button`)
	v.At("/clouds/arrival")
	v.Sees("210987654321")
	v.Shot("bind-aws-arrival")
	v.Send("/clouds/arrival")
	testkit.Eventually(t, 30*time.Second, func() error {
		v.Open(v.Path())
		if !strings.Contains(v.Text(), "active") {
			return errors.New("AWS has not confirmed the purchase yet")
		}
		return nil
	})
	v.Shot("bind-aws-done")
}

func (v *Visitor) redeemHuawei() {
	v.t.Helper()
	const page = "/billing-center/clouds/cards/huawei"
	v.Open(page)
	v.store(`main a[target="_blank"]`)
	v.Press(`button[value="buy"]`)
	order := regexp.MustCompile(`CS[0-9a-zA-Z]{6,}`).FindString(v.Text())
	for range 2 { // the second time it is refused, and nothing moves
		v.Open(page)
		v.Fill("/cards/huawei", "account", "68cbc86abc2018ab880d92f36422fa0e")
		v.Fill("/cards/huawei", "order", order)
		v.Send("/cards/huawei")
		v.Sees(order, "100.00")
	}
	v.Sees("This order has been redeemed already.")
	v.Shot("redeem-huawei")
}

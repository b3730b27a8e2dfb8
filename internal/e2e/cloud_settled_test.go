package e2e_test

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	people "tollgate.dev/internal/demo"
	"tollgate.dev/internal/e2e"
	"tollgate.dev/internal/mailbox"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/testkit"
)

// customer is the buyer that the page of Huawei's simulator proposes.
const customer = "68cbc86abc2018ab880d92f36422fa0e"

// settled is a team whose bills a cloud settles, at a browser of its Owner.
type settled struct {
	*team
	*e2e.Visitor
	cloud    site.Method
	market   string // the page of the purchase at the simulated marketplace
	instance string // as the marketplace calls it
	reads    string // the language
	told     string // the quantity that the cloud is told of 1.10
	month    string // of the usage
}

// course is a cloud's way from the purchase to its end.
type course struct {
	cloud  site.Method
	site   string
	told   string // the quantity that 1.10 is
	look   e2e.Look
	bind   func(*settled)
	beside func(*settled) // what else its pages do
	ends   string         // the button at the marketplace
	state  string         // of the workspace then
	by     site.Method    // who settles it then
	mail   string
	last   string // the quantity of the last usage, where the cloud takes it
	sum    string // that the cloud collects
}

func courses(shots string) []course {
	return []course{
		{
			site.Alibaba, "cn1", "110", e2e.Look{Language: "en", Script: true, Width: 1440, Shots: shots}, (*settled).bindAlibaba, nil,
			"unsubscribe", "normal", site.BillingCenter, "settlement_moved", "", "1.10",
		},
		{
			site.AWS, "cn2", "110", e2e.Look{Language: "zh", Script: true, Dark: true, Width: 390, Shots: shots}, (*settled).bindAWS, nil,
			"cancel", "grace", site.AWS, "arrears_started", "70", "1.80",
		},
		{
			site.Huawei, "cn4", "1.1", e2e.Look{Language: "en", Script: false, Dark: true, Width: 1440, Shots: shots}, (*settled).bindHuawei, (*settled).redeem,
			"release", "grace", site.Huawei, "arrears_started", "", "1.10",
		},
	}
}

// Three Owners change the settlement to their sites' clouds and see it through:
// bound on the simulated marketplaces, paid by a voucher first and by the cloud
// for the rest, accepted there to the unit, and ended there.
func TestThreeCloudsSettleFromThePurchaseToItsEnd(t *testing.T) {
	t.Parallel()
	i := demo(t, "", "--profile", "newer")
	walks := courses(filepath.Join(testkit.Root(t), "out", "screenshots"))
	all := make([]*settled, len(walks))
	for n, c := range walks {
		x := &settled{team: i.newcomerAt(c.site, c.look.Language, string(c.cloud)), cloud: c.cloud, told: c.told, reads: c.look.Language}
		x.upgrade()
		x.endow(money.MustParse("1", money.CNY))
		x.Visitor = e2e.Visit(t, i.base, c.look)
		x.ask()
		c.bind(x)
		x.isSettledBy(c.cloud)
		x.takes(influx, 0, 3000) // 2.10 at the class of seven days
		x.uses(map[string]int64{meter.Series: 3000})
		x.month, all[n] = x.today()[:7], x
	}
	i.advance("1d")
	i.advance("2h")
	for n, c := range walks {
		all[n].paidInParts()
		all[n].agreed("1.10")
		if c.beside != nil {
			c.beside(all[n])
		}
	}
	for n, c := range walks {
		all[n].ended(c)
	}
	i.advance("1d")
	for n, c := range walks {
		all[n].reconciled(c.sum)
	}
	i.verified()
}

// ask signs the Owner in and asks for his site's cloud in the dialog, which
// leads into the Billing Center without signing in there.
func (x *settled) ask() {
	x.t.Helper()
	x.Open("/studio/sign-in")
	x.Choose("/sign-in", "site", x.site)
	x.Fill("/sign-in", "email", x.email)
	x.Fill("/sign-in", "password", password)
	x.Send("/sign-in")
	x.Open("/studio/workspaces/" + x.id + "/settlement")
	x.Shot("cloud-" + string(x.cloud) + "-dialog")
	x.Press(fmt.Sprintf(`form[action$="/billing-center"]:has(input[value$="/settlement/%s"]) button`, x.cloud))
	x.At("/settlement/" + string(x.cloud))
	x.Shot("cloud-" + string(x.cloud) + "-bind")
}

// opens follows the link to the marketplace, presses the button there, and
// waits until the marketplace has called us: something is on its page then.
func (x *settled) opens(button, then string) {
	x.t.Helper()
	x.Leave(`main a[href*="/products/"]`)
	x.Press(`button[value="` + button + `"]`)
	x.market, x.instance = x.URL(), path.Base(x.URL())
	testkit.Eventually(x.t, 30*time.Second, func() error {
		x.Go(x.market)
		if !x.Has(then) {
			return errors.New("the purchase is not open yet")
		}
		return nil
	})
	x.Shot("simulator-" + string(x.cloud) + "-bought")
}

// enters comes back and enters the account and the instance; a pair that is
// not so is refused first.
func (x *settled) enters(account string) {
	x.t.Helper()
	page := "/settlement/" + string(x.cloud)
	x.Open("/billing-center/workspaces/" + x.id + page)
	x.Fill(page, "account", account)
	x.Fill(page, "instance", x.instance+"9")
	x.Tick(page, "opened")
	x.Send(page)
	x.At(page)
	x.Shot("cloud-" + string(x.cloud) + "-refused")
	x.Fill(page, "instance", x.instance)
	x.Send(page)
	x.At("/billing-center/workspaces")
}

func (x *settled) bindAlibaba() {
	x.opens("open", `button[value="expire"]`)
	x.enters("1234567890123456")
}

func (x *settled) bindHuawei() {
	x.opens("buy", `button[value="freeze"]`)
	x.instance = x.Texts("dd.id")[2] // after the buyer and the order
	x.enters(customer)
}

// bindAWS follows AWS, which leads back with a token, and picks the workspace
// when the license is heard of.
func (x *settled) bindAWS() {
	x.t.Helper()
	x.opens("subscribe", `form[action$="/hooks/aws"] button`)
	x.Press(`form[action$="/hooks/aws"] button`)
	x.At("/clouds/arrival")
	box := `input[type=checkbox][name$="` + x.id + `"]`
	testkit.Eventually(x.t, 30*time.Second, func() error {
		x.Open("/billing-center/clouds/arrival")
		if !x.Has(box) {
			return errors.New("AWS has not confirmed the purchase yet")
		}
		return nil
	})
	x.Tick("/clouds/arrival", x.Attribute(box, "name"))
	x.Shot("cloud-aws-arrival")
	x.Send("/clouds/arrival")
	x.Shot("cloud-aws-account")
}

// isSettledBy asks as a program does, and looks at the list of workspaces.
func (x *settled) isSettledBy(m site.Method) {
	x.t.Helper()
	c, err := x.studio().Settlement(x.t.Context(), x.id)
	if err != nil || c.Current != string(m) {
		x.t.Fatalf("%s is settled by %q, %v; want %s\n%s", x.name, c.Current, err, m, x.Text())
	}
}

// paidInParts finds the bill: the voucher paid first, then the cloud.
func (x *settled) paidInParts() {
	x.t.Helper()
	all := x.bills()
	if b := all[0]; len(all) != 1 || b.Total.Amount != "2.10" || b.Paid != (client.Paid{Voucher: "1.00", FullReduction: "0.00", Card: "0.00", Cash: "0.00", Cloud: "1.10", Owed: "0.00"}) {
		x.t.Fatalf("the bills of %s are %+v", x.name, all)
	}
	x.Open("/billing-center/bills/" + all[0].ID)
	x.Sees("2.10", "1.00", "1.10")
	x.Shot("cloud-" + string(x.cloud) + "-bill")
}

// agreed holds the marketplace, and the operator's pages, against what the
// bills left to the cloud.
func (x *settled) agreed(amount string) {
	x.t.Helper()
	x.Go(x.market)
	if got := x.Texts("td.n"); !slices.Contains(got, x.told) {
		x.t.Errorf("%s shows %v, want %s\n%s", x.cloud, got, x.told, x.Text())
	}
	x.Shot("simulator-" + string(x.cloud) + "-usage")
	x.operates()
	x.Open("/operator/cloud-usage?state=accepted")
	x.Sees(x.instance, amount)
	x.Shot("operator-cloud-usage-" + string(x.cloud))
	x.Open("/operator/cloud-usage/reconciliation?cloud=" + string(x.cloud) + "&month=" + x.month)
	if got := strings.Join(x.Texts("tbody td.number"), " "); strings.Count(got, amount) != 3 {
		x.t.Errorf("billed, sent and accepted are %s, want %s each", got, amount)
	}
	x.Shot("operator-reconciliation-" + string(x.cloud))
}

// operates signs the operator in at the same browser.
func (x *settled) operates() {
	x.t.Helper()
	x.Open("/operator/sign-in")
	x.Press(fmt.Sprintf(`form[action="/preferences"] button[value=%q]`, x.reads))
	x.Fill("/operator/sign-in", "email", people.OperatorEmail)
	x.Fill("/operator/sign-in", "password", people.Password)
	x.Send("/operator/sign-in")
}

// redeem loads the stored-value card of an order into the wallet, once.
func (x *settled) redeem() {
	x.t.Helper()
	const page, form = "/billing-center/clouds/cards/huawei", "/cards/huawei"
	x.Open(page)
	x.Leave(`main a[target="_blank"]`)
	x.Press(`button[value="buy"]`)
	order := regexp.MustCompile(`CS[0-9a-zA-Z]{6,}`).FindString(x.Text())
	for range 2 { // the second time it is refused, and nothing moves
		x.Open(page)
		x.Fill(form, "account", customer)
		x.Fill(form, "order", order)
		x.Send(form)
		x.Sees(order, "100.00")
	}
	x.Shot("cloud-huawei-card")
	b, err := x.studio().Balance(x.t.Context(), x.id)
	if err != nil || b.Card.Amount != "100.00" {
		x.t.Errorf("the card is worth %+v, %v", b, err)
	}
}

// ended ends the purchase at the marketplace, and finds what follows.
func (x *settled) ended(c course) {
	x.t.Helper()
	x.takes(influx, 5000, 1000) // of the last day
	x.uses(map[string]int64{meter.Series: 1000})
	x.Go(x.market)
	x.Press(`button[value="` + c.ends + `"]`)
	testkit.Eventually(x.t, 30*time.Second, func() error {
		now, err := x.studio().Settlement(x.t.Context(), x.id)
		w, err2 := x.studio().Workspace(x.t.Context(), x.id)
		mails, err3 := x.mails(x.email)
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		told := slices.ContainsFunc(mails, func(m mailbox.Message) bool { return m.Kind == c.mail })
		if now.Current != string(c.by) || w.State != c.state || !told {
			return fmt.Errorf("%s is settled by %s and %s, %s mailed: %v", x.name, now.Current, w.State, c.mail, told)
		}
		return nil
	})
	x.Go(x.market)
	testkit.Eventually(x.t, 30*time.Second, func() error { // AWS takes the last usage for an hour
		if got := x.Texts("td.n"); c.last != "" && !slices.Contains(got, c.last) {
			x.Go(x.market)
			return fmt.Errorf("the last usage is %q, and %s shows %v", c.last, x.cloud, got)
		}
		return nil
	})
	x.Shot("simulator-" + string(x.cloud) + "-ended")
	x.Open("/studio/workspaces/" + x.id + "/billing")
	x.Shot("cloud-" + string(x.cloud) + "-ended-studio")
	x.Open("/billing-center/clouds")
	x.Sees(x.instance)
	x.Shot("cloud-" + string(x.cloud) + "-ended")
}

// reconciled asks the command, which must find no difference.
func (x *settled) reconciled(sum string) {
	x.t.Helper()
	out, err := x.tool("marketplace", "reconcile", string(x.cloud), "--month", x.month, "--data", x.folder, "-o", "csv")
	if err != nil || strings.Count(out, x.id) != 1 || !strings.Contains(out, ","+strings.Join([]string{sum, sum, sum}, ",")+",,") {
		x.t.Errorf("reconcile %s: %v\n%s", x.cloud, err, out)
	}
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/demo"
	"tollgate.dev/internal/testkit"
)

// house is a running demo.
type house struct {
	t       testing.TB
	base    string
	gateway string
	data    string
	binary  string
}

func start(t testing.TB, more ...string) house {
	t.Helper()
	h := house{t: t, data: filepath.Join(t.TempDir(), "demo"), binary: testkit.Build(t)}
	d := testkit.Start(t, testkit.Command{
		Path:   h.binary,
		Args:   append([]string{"demo", "--data", h.data, "--listen", "127.0.0.1:0", "--gateway-listen", "127.0.0.1:0"}, more...),
		Ready:  `(?s)Start here\s+(http://\S+?)/\n.*Gateway\s+(http://\S+)`,
		Within: time.Minute,
	})
	h.base, h.gateway = d.Match(1), d.Match(2)
	return h
}

// code is the newest code that was mailed to the address.
func (h house) code(to string) (code string) {
	h.t.Helper()
	testkit.Eventually(h.t, 20*time.Second, func() error {
		response, err := http.Get(h.base + "/mailbox.json?to=" + url.QueryEscape(to))
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		var mails []struct {
			Code string `json:"code"`
		}
		if err := json.NewDecoder(response.Body).Decode(&mails); err != nil {
			return err
		}
		for _, m := range mails {
			if m.Code != "" {
				code = m.Code
				return nil
			}
		}
		return fmt.Errorf("no code for %s", to)
	})
	return code
}

// subjects are those of the mails to an address.
func (h house) subjects(to string) string {
	response, err := http.Get(h.base + "/mailbox.json?to=" + url.QueryEscape(to))
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

// report sends line protocol as a team's collector does.
func (h house) report(token, category string, lines []string) {
	h.t.Helper()
	response, err := http.Post(h.gateway+"/v1/write/"+category+"?token="+token, "application/line-protocol", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		h.t.Fatalf("the gateway answers %s: %s", response.Status, text)
	}
}

func series(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("orders,shop=main,lane=%d total=%d", i, i)
	}
	return lines
}

func logs(n int, text string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf(`shop,host=web-%d message="%s %d"`, i%3, text, i)
	}
	return lines
}

func TestNewcomerWalksFromRegistrationToThePaidBill(t *testing.T) {
	shots := filepath.Join(testkit.Root(t), "out", "screenshots")
	walks := []struct {
		name     string
		postgres bool
		onTheWay bool // registers the Billing Center account during the upgrade
		look     Look
	}{
		{"in English", false, false, Look{Language: "en", Script: true, Width: 1440, Shots: shots}},
		{"in Chinese on PostgreSQL", true, false, Look{Language: "zh", Script: true, Dark: true, Width: 1440, Shots: shots}},
		{"without script on a phone", false, true, Look{Language: "en", Script: false, Width: 390, Shots: shots}},
		{"in Chinese on a dark phone", false, true, Look{Language: "zh", Script: true, Dark: true, Width: 390, Shots: shots}},
	}
	for _, walk := range walks {
		t.Run(walk.name, func(t *testing.T) {
			var more []string
			if walk.postgres {
				more = []string{"--store", testkit.Postgres(t)}
			}
			newcomer{house: start(t, more...), look: walk.look, onTheWay: walk.onTheWay}.walk(t)
		})
	}
}

// newcomer is somebody who has never seen Tollgate.
type newcomer struct {
	house
	look     Look
	onTheWay bool
}

const (
	mailOfMei = "mei@shop.example"
	password  = "quiet-river-7"
)

func (n newcomer) walk(t *testing.T) {
	v := Visit(t, n.base, n.look)
	v.Open("/demo")
	v.Shot("start")
	workspace := n.register(v)
	path := "/studio/workspaces/" + workspace
	token := n.firstData(v, path)
	n.upgrade(v, path)
	n.report(token, "metric", series(2500))
	n.report(token, "logging", logs(40_000, "paid"))
	n.commercial(v, path)
	n.tomorrow(v, path)
	n.recharge(v, path)
	n.report(token, "metric", series(2500))
	n.dayAfter(v, path)
	n.sound()
}

func (n newcomer) register(v *Visitor) (workspace string) {
	v.Open("/studio/sign-up")
	v.Shot("sign-up")
	v.Choose("/sign-up", "site", "cn1")
	v.Fill("/sign-up", "user_name", "mei")
	v.Fill("/sign-up", "email", mailOfMei)
	v.Fill("/sign-up", "password", password)
	v.Fill("/sign-up", "password_repeat", password)
	v.Send("/sign-up")
	v.At("/sign-up/verify")
	v.Fill("/sign-up/verify", "code", n.code(mailOfMei))
	v.Send("/sign-up/verify")
	v.At("/sign-up/company")
	v.Fill("/sign-up/company", "company", "Mei's Shop")
	v.Tick("/sign-up/company", "agreed")
	v.Shot("sign-up-company")
	v.Send("/sign-up/company")
	v.At("/workspaces/new")
	v.Fill("/studio/workspaces", "name", "shop")
	if v.Ticked("/studio/workspaces", "beside") == n.onTheWay {
		v.Toggle("/studio/workspaces", "beside")
	}
	v.Shot("workspace-new")
	v.Send("/studio/workspaces")
	found := regexp.MustCompile(`/workspaces/(wksp_\w+)`).FindStringSubmatch(v.URL())
	if found == nil {
		n.t.Fatalf("no workspace was made: %s\n%s", v.URL(), v.peek())
	}
	return found[1]
}

func (n newcomer) firstData(v *Visitor, path string) (token string) {
	v.Open(path + "/start")
	token = regexp.MustCompile(`tkn_[0-9a-z]{32}`).FindString(v.Text())
	if token == "" {
		n.t.Fatalf("the start page shows no token\n%s", v.Text())
	}
	n.report(token, "metric", series(30))
	n.report(token, "logging", logs(50, "free-of-charge"))
	testkit.Eventually(n.t, 20*time.Second, func() error {
		v.Open(path + "/billing")
		if text := v.Text(); !strings.Contains(text, "30") || !strings.Contains(text, "50") {
			return fmt.Errorf("the usage is not on the page yet:\n%s", text)
		}
		return nil
	})
	v.Shot("billing-experience")
	v.Open(path + "/start")
	v.Shot("get-started")
	v.Open(path + "/explorer?type=logging&q=free-of-charge")
	v.Sees("free-of-charge 7")
	v.Shot("explorer")
	return token
}

func (n newcomer) upgrade(v *Visitor, path string) {
	v.Open(path + "/billing")
	v.Follow("/upgrade")
	v.Shot("package-upgrade")
	v.Follow("/upgrade/bind")
	v.Shot("upgrade-1-bind")
	v.Fill("/upgrade/name", "user_name", "nobody-here")
	v.Send("/upgrade/name")
	v.Shot("upgrade-1-unknown")
	if n.onTheWay {
		n.registerPayer(v, path)
	}
	v.Fill("/upgrade/name", "user_name", "mei")
	v.Send("/upgrade/name")
	v.Fill("/upgrade/mail", "email", mailOfMei)
	v.Send("/upgrade/mail")
	v.Shot("upgrade-1-code")
	v.Fill("/upgrade/prove", "code", n.code(mailOfMei))
	v.Send("/upgrade/prove")
	if !strings.HasSuffix(v.Path(), "/upgrade/agreement") {
		v.Follow("/upgrade/agreement")
	}
	v.Send("/upgrade/agreement") // not agreed: nothing happens
	v.At("/upgrade/agreement")
	v.Tick("/upgrade/agreement", "agreed")
	v.Shot("upgrade-2-agreement")
	v.Send("/upgrade/agreement")
	v.At("/upgrade/confirm")
	v.Fill("/upgrade/confirm", "workspace_name", "shop")
	v.Shot("upgrade-3-confirm")
	v.Send("/upgrade/confirm")
	v.At("/upgrade/done")
	v.Shot("upgrade-4-done")
	v.Follow("/settlement")
	v.Shot("upgrade-5-settlement")
	v.Follow("/billing")
}

// registerPayer follows Register New Account and comes back to the upgrade.
func (n newcomer) registerPayer(v *Visitor, path string) {
	v.Press(`main a[href*="/billing-center/register"]`)
	v.Shot("billing-center-register")
	v.Choose("/register", "currency", "CNY")
	v.Fill("/register", "user_name", "mei")
	v.Fill("/register", "email", mailOfMei)
	v.Fill("/register", "password", password)
	v.Fill("/register", "password_repeat", password)
	v.Send("/register")
	v.Fill("/register/verify", "code", n.code(mailOfMei))
	v.Send("/register/verify")
	v.Fill("/register/company", "company", "Mei's Shop")
	v.Tick("/register/company", "agreed")
	v.Send("/register/company")
	if !strings.HasPrefix(v.Path(), path) {
		v.Press(`main a[href*="` + path + `/upgrade"]`)
	}
	v.At("/upgrade/bind")
}

func (n newcomer) commercial(v *Visitor, path string) {
	testkit.Eventually(n.t, 20*time.Second, func() error {
		v.Open(path + "/billing")
		if text := v.Text(); !strings.Contains(text, "2,500") {
			return fmt.Errorf("the usage is not on the page yet:\n%s", text)
		}
		return nil
	})
	v.Shot("billing-commercial")
	v.Open(path + "/explorer?type=logging&q=free-of-charge")
	if strings.Contains(v.Text(), "free-of-charge 7") {
		n.t.Fatal("data of the free period is viewable after the upgrade")
	}
	v.Open(path + "/upgrade")
	if v.Has(`form[action$="/upgrade/name"]`) {
		n.t.Fatal("a Commercial workspace is offered the upgrade again")
	}
	if mails := n.subjects(mailOfMei); !strings.Contains(mails, "opening_reminder") {
		n.t.Fatalf("no opening reminder was mailed:\n%s", mails)
	}
}

// tomorrow moves the clock past midnight; the bill finds an empty wallet.
func (n newcomer) tomorrow(v *Visitor, path string) {
	v.Open("/demo")
	v.Press(`form[action="/demo/clock"] button[value="1d"]`)
	v.Open(path + "/billing")
	v.Sees("1.81") // 2.50 units of series at 0.7 and 0.04 units of logs at 1.5
	v.Shot("billing-next-day")
	v.Press(`main a[href*="/bills/"]`)
	v.Sees("1.75", "0.06", "1.81")
	v.Shot("bill")
	v.Open(path + "/billing")
	v.Send("/billing-center")
	if !strings.HasPrefix(v.Path(), "/billing-center") {
		n.t.Fatalf("the jump to the Billing Center ends at %s", v.URL())
	}
	v.Sees("1.81")
	v.Shot("billing-center-arrears")
}

// recharge declares a transfer, has the operator credit it, and finds the debt
// paid and the rest in cash.
func (n newcomer) recharge(v *Visitor, path string) {
	v.Open("/billing-center/recharge")
	v.Fill("/recharge", "amount", "1.005")
	v.Choose("/recharge", "channel", "bank")
	v.Send("/recharge")
	v.Shot("recharge-refused")
	v.Fill("/recharge", "amount", "100")
	v.Send("/recharge")
	v.Shot("recharge")

	operator := n.operator()
	operator.Shot("operator-today")
	operator.Open("/operator/transfers")
	operator.Shot("operator-transfers")
	operator.Press(`main a[href*="/operator/transfers/"]`)
	operator.Send("/credit")
	operator.Shot("operator-credited")

	v.Open("/billing-center/")
	v.Sees("98.19")
	v.Shot("billing-center-paid")
	v.Open("/billing-center/movements")
	v.Sees("98.19")
	v.Shot("movements")
	v.Open("/billing-center/bills")
	v.Press(`main a[href*="/bills/bill_"], main a[href*="/bills/"]:not([href$=".csv"])`)
	v.Sees("1.81")
	v.Shot("billing-center-bill")
	v.Open(path + "/billing")
	v.Sees("98.19")
	v.Shot("billing-paid")
}

// dayAfter finds the second bill paid from cash.
func (n newcomer) dayAfter(v *Visitor, path string) {
	testkit.Eventually(n.t, 20*time.Second, func() error {
		v.Open(path + "/billing")
		if text := v.Text(); !strings.Contains(text, "2,500") {
			return fmt.Errorf("the usage is not on the page yet:\n%s", text)
		}
		return nil
	})
	v.Open("/demo")
	v.Press(`form[action="/demo/clock"] button[value="1d"]`)
	v.Open(path + "/billing")
	v.Sees("96.44") // 98.19 less 1.75
	v.Press(`main a[href*="/bills/"]`)
	v.Sees("1.75")
	v.Shot("bill-paid")
}

// operator is the operator, signed in, who reads the same language.
func (n newcomer) operator() *Visitor {
	v := Visit(n.t, n.base, n.look)
	v.Open("/operator/sign-in")
	v.Press(fmt.Sprintf(`form[action="/preferences"] button[value=%q]`, n.look.Language))
	v.Fill("/operator/sign-in", "email", demo.OperatorEmail)
	v.Fill("/operator/sign-in", "password", demo.Password)
	v.Send("/operator/sign-in")
	return v
}

// sound checks the books of the running installation.
func (n newcomer) sound() {
	v := n.operator()
	v.Send("/operator/verify")
	v.Shot("operator-verified")
}

func TestPayerBindsAWorkspaceByItsID(t *testing.T) {
	h := start(t)
	look := Look{Language: "en", Script: true, Width: 1440, Shots: filepath.Join(testkit.Root(t), "out", "screenshots")}
	owner := Visit(t, h.base, look)
	owner.Open("/studio/sign-in")
	owner.Choose("/sign-in", "site", string(demo.Site))
	owner.Fill("/sign-in", "email", demo.OwnerEmail)
	owner.Fill("/sign-in", "password", demo.Password)
	owner.Send("/sign-in")
	workspace := regexp.MustCompile(`wksp_[0-9a-z]{32}`).FindString(owner.URL())

	payer := Visit(t, h.base, look)
	payer.Open("/billing-center/sign-in")
	payer.Fill("/sign-in", "login", demo.PayerName)
	payer.Fill("/sign-in", "password", demo.Password)
	payer.Send("/sign-in")
	payer.Open("/billing-center/workspaces/bind")
	payer.Fill("/workspaces/bind", "workspace_id", "wksp_unknown")
	payer.Send("/workspaces/bind")
	payer.Shot("bind-unknown")
	payer.Fill("/workspaces/bind", "workspace_id", workspace)
	payer.Send("/workspaces/bind")
	payer.Shot("bind-code")
	payer.Fill(workspace+"/bind", "code", h.code(demo.OwnerEmail))
	payer.Send(workspace + "/bind")
	payer.Tick("/agreement", "agreed")
	payer.Send("/agreement")
	payer.Shot("bind-confirm")
	payer.Send("/confirm")
	payer.At("/opened")
	payer.Shot("bind-opened")
	payer.Open("/billing-center/workspaces")
	payer.Sees(demo.Workspace)
	payer.Shot("billing-center-workspaces")
	owner.Open("/studio/workspaces/" + workspace + "/billing")
	if owner.Has(`main a[href$="/upgrade"]`) {
		t.Fatalf("the workspace is still offered the upgrade\n%s", owner.Text())
	}
}

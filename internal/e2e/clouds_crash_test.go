package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/app"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/mailbox"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketsim"
	simalibaba "tollgate.dev/internal/marketsim/alibaba"
	simaws "tollgate.dev/internal/marketsim/aws"
	simhuawei "tollgate.dev/internal/marketsim/huawei"
	"tollgate.dev/internal/marketsim/stage"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

// bazaar is an installation as serve runs it, with its clouds in another
// process than its own: this one.
type bazaar struct {
	t        *testing.T
	sim      *marketsim.Sim
	daemon   *testkit.Daemon
	binary   string
	folder   string
	store    string
	base     string
	env      []string
	canaries []string
	said     strings.Builder // what the processes and commands wrote, and the pages showed
	licenses []string
	sealed   int64 // cents of all records
}

const bazaarPassword = "correct-horse-1"

func openBazaar(t *testing.T, storeURL string) *bazaar {
	t.Helper()
	b := &bazaar{t: t, binary: testkit.Build(t), folder: t.TempDir(), store: storeURL, base: "http://" + free(t)}
	keys := marketsim.TestKeys(7)
	door := httptest.NewUnstartedServer(nil)
	at := "http://" + door.Listener.Addr().String()
	sim, err := marketsim.New(marketsim.Config{
		Base: at, Stage: stage.Options{Now: time.Now, RealNow: time.Now, Seed: 7},
		AWS: simaws.Config{
			Landing: b.base + "/hooks/aws", AccessKey: keys.AWSAccessKey, SecretKey: keys.AWSSecretKey, Account: "111122223333", Regions: []string{"us-east-1"}, Queue: "q",
			Products: []simaws.Product{{ID: "prod-1", Code: "prod1", Title: "Tollgate", Dimensions: []string{"cents"}}},
		},
		Alibaba: simalibaba.Config{
			SPI: b.base + "/hooks/alibaba", Key: keys.AlibabaKey, AccessKey: keys.AlibabaAccessKey, SecretKey: keys.AlibabaSecretKey,
			Products: []simalibaba.Product{{Code: "cmapi1", SKU: "cmapi1-prepay", Title: "Tollgate", Plan: "hourly", Keys: []string{"Frequency"}}},
		},
		Huawei: simhuawei.Config{
			Callback: b.base + "/hooks/huawei", Key: keys.HuaweiKey, AccessKey: keys.HuaweiAccessKey, SecretKey: keys.HuaweiSecretKey,
			Products: []simhuawei.Product{{ID: "hw1", SKU: "hw1-sku", Title: "Tollgate", Mode: "ON_DEMAND"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.sim = sim
	door.Config.Handler = sim.Handler()
	door.Start()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	sim.Start(ctx)
	t.Cleanup(func() {
		cancel()
		_ = sim.Stop() // its callbacks end with the test
		door.Close()
	})
	ring := secret.NewKey()
	b.canaries = []string{keys.AWSSecretKey, keys.AlibabaKey, keys.AlibabaSecretKey, keys.HuaweiKey, keys.HuaweiSecretKey, ring}
	b.env = []string{
		"TOLLGATE_DATA=" + b.folder, "TOLLGATE_STORE=" + storeURL, "TOLLGATE_SECRET_KEY=" + ring, "TOLLGATE_SMTP_ADDRESS=" + mails(t), "TOLLGATE_SMTP_SECURITY=none",
		"TOLLGATE_LISTEN=" + strings.TrimPrefix(b.base, "http://"), "TOLLGATE_GATEWAY_LISTEN=127.0.0.1:0", "TOLLGATE_BASE_URL=" + b.base, "TOLLGATE_SANDBOX=true",
		"TOLLGATE_LOG_LEVEL=debug", "TOLLGATE_OPERATOR_EMAIL=ops@bazaar.example", "TOLLGATE_OPERATOR_PASSWORD=" + bazaarPassword,
		"TOLLGATE_AWS_PRODUCT=prod1", "TOLLGATE_AWS_DIMENSION=cents", "TOLLGATE_AWS_PRICE=0.01 CNY", "TOLLGATE_AWS_LISTING=" + at + "/aws/", "TOLLGATE_AWS_METERING=" + at, "TOLLGATE_AWS_SQS=" + at, "TOLLGATE_AWS_QUEUE=" + sim.AWS.URL(),
		"TOLLGATE_ALIBABA_PRODUCT=cmapi1", "TOLLGATE_ALIBABA_LISTING=" + at + "/alibaba/", "TOLLGATE_ALIBABA_API=" + at, "TOLLGATE_ALIBABA_KEY=" + keys.AlibabaKey, "TOLLGATE_ALIBABA_ACCESS_KEY=" + keys.AlibabaAccessKey,
		"TOLLGATE_HUAWEI_PRODUCT=hw1", "TOLLGATE_HUAWEI_LISTING=" + at + "/huawei/", "TOLLGATE_HUAWEI_API=" + at, "TOLLGATE_HUAWEI_KEY=" + keys.HuaweiKey, "TOLLGATE_HUAWEI_ACCESS_KEY=" + keys.HuaweiAccessKey,
	}
	b.prepare()
	for _, c := range [][3]string{{"aws", "access_key", keys.AWSAccessKey}, {"aws", "secret", keys.AWSSecretKey}, {"alibaba", "secret", keys.AlibabaSecretKey}, {"huawei", "secret", keys.HuaweiSecretKey}} {
		b.run(c[2], "marketplace", "configure", c[0], c[1])
	}
	return b
}

// free is an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func mails(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mailbox.New(mailbox.Config{Now: time.Now})
	go func() { _ = m.Serve(l) }() // it ends with the test
	t.Cleanup(func() { _ = m.Close() })
	return l.Addr().String()
}

// use opens the store while no process does.
func (b *bazaar) use(f func(s *store.Store)) {
	b.t.Helper()
	s, err := app.OpenStore(b.t.Context(), b.store, b.folder)
	if err != nil {
		b.t.Fatal(err)
	}
	f(s)
	if err := s.Close(); err != nil {
		b.t.Fatal(err)
	}
}

const (
	bazaarBuyers = 3
	bazaarHours  = 18
)

// prepare has three buyers on AWS whose hours of a day are sealed and not sent,
// an account of each console, and a wallet of nobody.
func (b *bazaar) prepare() {
	b.t.Helper()
	b.sim.Stage.SetClock(-20*time.Hour, 0)
	for n := range bazaarBuyers {
		got, err := b.sim.AWS.Act("subscribe", map[string]string{"account": fmt.Sprintf("21098765432%d", n), "product": "prod1"})
		if err != nil {
			b.t.Fatal(err)
		}
		b.licenses = append(b.licenses, got["license"])
	}
	b.sim.Stage.SetClock(0, 0)
	hash, err := account.HashPassword(bazaarPassword)
	if err != nil {
		b.t.Fatal(err)
	}
	b.use(func(s *store.Store) {
		err := s.Write(b.t.Context(), func(tx *store.Tx) error {
			ctx, now := b.t.Context(), time.Now()
			payer := account.Billing{ID: id.New(id.BillingAccount), UserName: "bazaar", Email: "pay@bazaar.example", Currency: money.CNY, Password: hash, Language: "en", CreatedAt: now}
			team := account.Studio{ID: id.New(id.StudioAccount), Site: "cn1", UserName: "dev", Email: "dev@bazaar.example", Password: hash, Language: "en", CreatedAt: now}
			if err := errors.Join(tx.InsertBilling(ctx, payer), tx.InsertStudio(ctx, team)); err != nil {
				return err
			}
			if _, err := workspace.Create(ctx, tx, "cn1", "stall", "en", workspace.Actor{AccountID: team.ID}, now); err != nil {
				return err
			}
			for n, license := range b.licenses {
				if err := b.seal(ctx, tx, payer, n, license, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.t.Fatal(err)
		}
	})
}

func (b *bazaar) seal(ctx context.Context, tx *store.Tx, payer account.Billing, n int, arn string, now time.Time) error {
	license := arn[strings.LastIndex(arn, ":")+1:]
	began, buyer := now.Add(-20*time.Hour), fmt.Sprintf("21098765432%d", n)
	s, err := marketplace.Take(ctx, tx, marketplace.Event{
		ID: "bought-" + license, Cloud: site.AWS, Kind: marketplace.Purchased, Instance: license, Account: buyer, Product: "prod1", Plan: marketplace.Hourly,
		Reference: arn, At: began,
	}, now)
	if err != nil {
		return err
	}
	for hour := range bazaarHours {
		from := now.UTC().Truncate(time.Hour).Add(-time.Duration(hour+1) * time.Hour)
		amount, nothing := money.Of(int64(100*n+hour+1), money.CNY), money.Of(0, money.CNY)
		c := marketplace.Charge{
			ID: fmt.Sprintf("advance:%s:%d", s.ID, hour), Kind: marketplace.Advance, WorkspaceID: "wksp_stall", Site: "cn2", Day: period.DayOf(from, time.UTC), Payer: payer.ID,
			Cloud: site.AWS, SubscriptionID: s.ID, Amount: amount, Taken: nothing, At: from, SealAt: from,
		}
		b.sealed += amount.Minor()
		deadline := from.Add(24 * time.Hour)
		r := marketplace.Record{
			ID: id.New(id.Record), SubscriptionID: s.ID, Cloud: site.AWS, Account: s.Account, Instance: s.Instance, Reference: s.Reference, Product: s.Product, Plan: s.Plan,
			Dimension: "cents", Slot: from, Window: marketplace.Window{From: from, To: from.Add(time.Hour)}, Quantity: quantity.Of(amount.Minor()), Amount: amount, Carried: nothing,
			Shares: []marketplace.Share{{WorkspaceID: "wksp_stall", Quantity: quantity.Of(amount.Minor()), Amount: amount, Told: amount}},
			State:  marketplace.Waiting, SealedAt: now, NextAt: now, Deadline: deadline, AlertAt: deadline, Taken: nothing, Returned: nothing,
		}
		if err := tx.InsertCharges(ctx, []marketplace.Charge{c}); err != nil {
			return err
		}
		if err := tx.InsertRecord(ctx, r, []marketplace.Charge{c}); err != nil {
			return err
		}
	}
	return nil
}

// run is a command of the binary, with what it reads.
func (b *bazaar) run(input string, args ...string) string {
	b.t.Helper()
	c := exec.CommandContext(b.t.Context(), b.binary, args...)
	c.Env, c.Stdin = append(os.Environ(), b.env...), strings.NewReader(input)
	out, err := c.CombinedOutput()
	b.said.Write(out)
	var failed *exec.ExitError
	if err != nil && !(errors.As(err, &failed) && args[0] == "doctor") { // it finds what a sandbox lacks
		b.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (b *bazaar) start() {
	b.t.Helper()
	b.daemon = testkit.Start(b.t, testkit.Command{Path: b.binary, Args: []string{"serve"}, Env: b.env, Dir: b.folder, Ready: `"msg":"ready"`, Within: time.Minute})
}

func (b *bazaar) dies() {
	b.daemon.Kill()
	b.said.WriteString(b.daemon.Output())
}

// billed counts the hours that AWS bills, and holds them against what was
// sealed: each once, and no other value ever came for it.
func (b *bazaar) billed() (hours int, cents int64) {
	b.t.Helper()
	seen := map[string]bool{}
	for _, r := range b.sim.AWS.Accepted() {
		key := fmt.Sprint(r.License, r.Dimension, r.Hour)
		if seen[key] || len(r.Conflicts) > 0 {
			b.t.Errorf("billed twice, or sent with other values: %+v", r)
		}
		seen[key] = true
		cents += r.Quantity
	}
	return len(seen), cents
}

func (b *bazaar) reaches(most int) {
	b.t.Helper()
	testkit.Eventually(b.t, time.Minute, func() error {
		if n, _ := b.billed(); n < most {
			return fmt.Errorf("%d of %d hours are billed", n, most)
		}
		return nil
	})
}

// states counts the records by state, while no process runs.
func (b *bazaar) states() map[marketplace.RecordState]int {
	b.t.Helper()
	count := map[marketplace.RecordState]int{}
	b.use(func(s *store.Store) {
		err := s.Read(b.t.Context(), func(tx *store.Tx) error {
			records, err := tx.UsageRecords(b.t.Context(), store.UsageFilter{}, "", 1000)
			for _, r := range records {
				count[r.State]++
			}
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	})
	return count
}

// A process that sends usage is killed between its requests, within them and
// after answers that were lost; and no credential of a cloud is seen anywhere.
func TestASenderThatIsKilledBillsEachHourOnceAndTellsNoCredential(t *testing.T) {
	t.Parallel()
	for name, engine := range map[string]func(testing.TB) string{"SQLite": embedded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openBazaar(t, engine(t))
			const all = bazaarBuyers * bazaarHours
			for _, f := range []stage.Fault{
				{Cloud: "aws", Operation: "BatchMeterUsage", Kind: stage.Lost, Times: 1}, {Cloud: "aws", Operation: "BatchMeterUsage", Kind: stage.Slow, Times: 40, Millis: 700},
			} {
				if err := b.sim.Stage.Ask(f); err != nil {
					t.Fatal(err)
				}
			}
			b.start()
			b.reaches(1) // the first request is done, and its answer lost
			b.dies()
			for range 6 {
				b.start()
				b.run("", "clock", "advance", "1h") // the lease of what was on its way is over
				hours, _ := b.billed()
				b.reaches(min(all, hours+1))
				b.dies()
				if b.states()[marketplace.Accepted]+b.states()[marketplace.DuplicateSame] == all {
					break
				}
			}
			hours, cents := b.billed()
			if got := b.states(); got[marketplace.Accepted]+got[marketplace.DuplicateSame] != all || hours != all || cents != b.sealed {
				t.Errorf("%v, and AWS bills %d of %d hours, %d of %d cents", got, hours, all, cents, b.sealed)
			}
			b.tellsNothing()
		})
	}
}

// tellsNothing lets marketplaces call, buyers come, and everything go wrong,
// visits every page, and looks for credentials in all that was ever written.
func (b *bazaar) tellsNothing() {
	t := b.t
	t.Helper()
	b.start()
	got, err := b.sim.Alibaba.Act("open", map[string]string{"ali_uid": "1234567890123456"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.sim.AWS.Act("token", map[string]string{"license": b.licenses[0]})
	if err != nil {
		t.Fatal(err)
	}
	b.canaries = append(b.canaries, token["token"])
	nobody := &visitor{b: b, client: &http.Client{Timeout: time.Minute}}
	nobody.post("/hooks/aws", "x-amzn-marketplace-token", token["token"])
	nobody.post("/hooks/aws", "x-amzn-marketplace-token", "forged")
	nobody.get("/hooks/alibaba?action=createInstance&token=forged")
	nobody.post("/hooks/huawei?signature=forged&timestamp=1&nonce=1")
	payer := b.visitor("/billing-center/sign-in", "login", "bazaar", "password", bazaarPassword)
	for _, f := range []stage.FaultKind{stage.Throttle, stage.Failure} { // a refusal that may repeat what was sent
		if err := b.sim.Stage.Ask(stage.Fault{Cloud: "alibaba", Kind: f, Times: 1}); err != nil {
			t.Fatal(err)
		}
		payer.post("/billing-center/clouds/add/alibaba", "opened", "yes", "account", "1", "instance", "2")
	}
	testkit.Eventually(t, 30*time.Second, func() error { // the marketplace has called, and the pair holds
		if text := payer.post("/billing-center/clouds/add/alibaba", "opened", "yes", "account", "1234567890123456", "instance", got["instance"]); !strings.Contains(text, got["instance"]) || strings.Contains(text, "data-code") {
			return errors.New("it is not bound yet")
		}
		return nil
	})
	pages := payer.crawl("/billing-center/")
	pages += b.visitor("/studio/sign-in", "site", "cn1", "email", "dev@bazaar.example", "password", bazaarPassword).crawl("/studio/")
	operator := b.visitor("/operator/sign-in", "email", "ops@bazaar.example", "password", bazaarPassword)
	if text := operator.get("/operator/cloud-credentials"); !strings.Contains(text, "the entered one") {
		t.Error("what was entered is not in use")
	}
	if pages += operator.crawl("/operator/"); pages < 40 {
		t.Errorf("only %d pages were seen", pages)
	}
	b.dies()
	if doctor := b.run("", "doctor"); !strings.Contains(doctor, "aws, secret: was entered on") || !strings.Contains(doctor, "alibaba, key: is from the settings") {
		t.Errorf("doctor:\n%s", doctor)
	}
	b.run("", "marketplace", "credentials")
	b.use(func(s *store.Store) { b.said.WriteString(storetest.Dump(t, s)) })
	files, err := filepath.Glob(filepath.Join(b.folder, "tollgate.db*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.said.Write(raw)
	}
	said := b.said.String()
	for n, canary := range b.canaries {
		if at := strings.Index(said, canary); canary == "" || at >= 0 {
			t.Errorf("credential %d is told: …%s", n, said[max(0, at-200):max(0, at)])
		}
	}
}

// visitor is a browser of somebody.
type visitor struct {
	b      *bazaar
	client *http.Client
}

func (b *bazaar) visitor(signIn string, pairs ...string) *visitor {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	v := &visitor{b, &http.Client{Jar: jar, Timeout: time.Minute}}
	v.post(signIn, pairs...)
	return v
}

func (v *visitor) do(method, path string, body io.Reader) string {
	v.b.t.Helper()
	r, err := http.NewRequestWithContext(v.b.t.Context(), method, v.b.base+path, body)
	if err != nil {
		v.b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := v.client.Do(r)
	if err != nil {
		v.b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.b.t.Fatal(err)
	}
	_, _ = fmt.Fprintf(&v.b.said, "%s %s %v\n%s\n", method, response.Request.URL, response.Header, text)
	return string(text)
}

func (v *visitor) get(path string) string { return v.do(http.MethodGet, path, http.NoBody) }

func (v *visitor) post(path string, pairs ...string) string {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.do(http.MethodPost, path, strings.NewReader(form.Encode()))
}

// mostPages bounds a crawl.
const mostPages = 150

// crawl visits every page below a path that pages lead to.
func (v *visitor) crawl(from string) int {
	v.b.t.Helper()
	seen, todo := map[string]bool{from: true}, []string{from}
	for n := 0; n < len(todo) && n < mostPages; n++ {
		page, err := goquery.NewDocumentFromReader(strings.NewReader(v.get(todo[n])))
		if err != nil {
			v.b.t.Fatal(err)
		}
		page.Find("a[href]").Each(func(_ int, a *goquery.Selection) {
			to, _, _ := strings.Cut(a.AttrOr("href", ""), "#")
			if strings.HasPrefix(to, from) && !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		})
	}
	return min(len(todo), mostPages)
}

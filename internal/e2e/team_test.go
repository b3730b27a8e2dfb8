package e2e_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"tollgate.dev/client"
)

const password = "correct-horse-7"

// team is a newcomer: an Owner with an Experience workspace, and the Billing
// Center account of the ticked box. Everything is done as a program does it.
type team struct {
	*installation
	site    string
	email   string
	payer   string
	id      string // of the workspace
	name    string
	token   string
	session client.Session
	center  *client.BillingCenter // the payer, where he signed in
}

// newcomer registers a team at cn1.
func (i *installation) newcomer(name string) *team { return i.newcomerAt("cn1", "en", name) }

// newcomerAt registers a team at a site, who read a language.
func (i *installation) newcomerAt(site, language, name string) *team {
	i.t.Helper()
	ctx, c := i.t.Context(), i.api()
	x := &team{installation: i, site: site, email: name + "@team.example", payer: name + "-pays", name: name + "-shop"}
	var r client.Registration
	code := i.code(x.email, func() (err error) {
		r, err = c.BeginStudio(ctx, client.StudioBasics{Site: site, UserName: name, Email: x.email, Password: password, Language: language})
		return err
	})
	_, err := c.Verify(ctx, client.StudioSystem, r.ID, code)
	must(i.t, 0, err)
	_, err = c.FinishStudio(ctx, r.ID, client.Profile{Company: "Team " + name}, true)
	must(i.t, 0, err)
	studio, err := c.SignInStudio(ctx, site, x.email, password)
	x.session = must(i.t, studio, err).Session()
	w, err := studio.CreateWorkspace(ctx, client.NewWorkspace{Name: x.name, Language: language, BillingUserName: x.payer})
	x.id = must(i.t, w, err).ID
	token, err := studio.Token(ctx, x.id)
	x.token = must(i.t, token, err).Token
	return x
}

// studio is the console, wherever the process listens now.
func (x *team) studio() *client.Studio { return x.api().Studio(x.session) }

// prepare walks the upgrade up to its last step.
func (x *team) prepare() {
	x.t.Helper()
	ctx, s := x.t.Context(), x.studio()
	_, err := s.NameBillingAccount(ctx, x.id, x.payer)
	must(x.t, 0, err)
	code := x.code(x.email, func() error {
		_, err := s.MailUpgradeCode(ctx, x.id, x.email)
		return err
	})
	_, err = s.ProveBillingAccount(ctx, x.id, code)
	must(x.t, 0, err)
	a, err := s.Agreement(ctx, x.id, "en")
	must(x.t, 0, err)
	_, err = s.Agree(ctx, x.id, client.Agreeing{Version: a.Version, Language: "en", Agreed: true})
	must(x.t, 0, err)
}

// confirm is the last step, clicked several times at once.
func (x *team) confirm() {
	x.t.Helper()
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() {
			if _, err := x.studio().Upgrade(x.t.Context(), client.NewKey(), x.id, x.name); err != nil {
				x.t.Errorf("confirming the upgrade: %v", err)
			}
		})
	}
	clicks.Wait()
}

// prepareBinding walks the payer's entry up to its last step.
func (x *team) prepareBinding() {
	x.t.Helper()
	ctx := x.t.Context()
	center, err := x.api().SignInBillingCenter(ctx, x.payer, password)
	must(x.t, 0, err)
	x.center = center
	code := x.code(x.email, func() error {
		_, err := center.Bind(ctx, x.id)
		return err
	})
	_, err = center.ProveBinding(ctx, x.id, code)
	must(x.t, 0, err)
	a, err := center.Agreement(ctx, "zh")
	must(x.t, 0, err)
	_, err = center.Agree(ctx, x.id, client.Agreeing{Version: a.Version, Language: "zh", Agreed: true})
	must(x.t, 0, err)
}

// confirmBinding is its last step.
func (x *team) confirmBinding() {
	x.t.Helper()
	_, err := x.center.ConfirmBinding(x.t.Context(), client.NewKey(), x.id)
	must(x.t, 0, err)
}

// upgrade walks the whole way to the Commercial plan.
func (x *team) upgrade() {
	x.t.Helper()
	x.prepare()
	x.confirm()
}

// bills are the workspace's with their lines, the oldest first.
func (x *team) bills() (list []client.Bill) {
	x.t.Helper()
	for b, err := range client.All(func(p client.Page) (client.List[client.Bill], error) {
		return x.studio().Bills(x.t.Context(), x.id, client.Days{}, p)
	}) {
		must(x.t, b, err)
		whole, err := x.studio().Bill(x.t.Context(), x.id, b.ID)
		list = append(list, must(x.t, whole, err))
	}
	slices.Reverse(list)
	return list
}

// billed is what a bill charges of an item.
func billed(b client.Bill, item string) string {
	var parts []string
	for _, l := range b.Lines {
		if l.Item == item {
			parts = append(parts, l.Quantity)
		}
	}
	return strings.Join(parts, "+")
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package api_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/account"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func TestWhatAKeyReadsSumsToTheBills(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		second := x.spent()
		all := x.reader(account.KeyHolder{Scope: account.AccountKeys, ID: x.payer.ID}, x.payer.ID)
		one := x.reader(workspace.KeyHolder(second.ID), x.owner.ID)
		billed := map[string]money.Amount{}
		for b, err := range client.All(func(p client.Page) (client.List[client.Bill], error) { return x.center.Bills(ctx, client.Days{}, p) }) {
			must(t, b, err)
			billed[b.WorkspaceID] = x.plus(billed[b.WorkspaceID], x.cny(b.Total.Amount))
		}
		ofSecond := march
		ofSecond.Workspace = second.ID
		for name, c := range map[string]struct {
			by    *client.Reader
			what  client.Spending
			want  money.Amount
			bills int
		}{
			"the account's key, all":                {all, march, x.plus(billed[x.shop.ID], billed[second.ID]), 6},
			"the account's key, one workspace":      {all, ofSecond, billed[second.ID], 3},
			"the workspace's key":                   {one, march, billed[second.ID], 3},
			"the workspace's key, by its own name":  {one, ofSecond, billed[second.ID], 3},
			"the account's key, before the upgrade": {all, client.Spending{Days: client.Days{From: "2026-02-01", To: "2026-02-28"}}, money.Of(0, money.CNY), 0},
		} {
			items, total, paid := x.sums(c.by, c.what)
			sum, err := c.by.Summary(ctx, c.what, "")
			must(t, sum, err)
			if total != c.want || sum.Total != c.want.String() || sum.Bills != c.bills || sum.Currency != "CNY" {
				t.Errorf("%s: lines sum to %s, the summary to %+v, bills to %s", name, total, sum, c.want)
			}
			if c.bills > 0 && sum.Paid != paid {
				t.Errorf("%s: paid by lines %+v, by the summary %+v", name, paid, sum.Paid)
			}
			for item, amount := range items {
				if got, ok := sum.Of(item); !ok || got.Amount != amount.String() || got.Name == item {
					t.Errorf("%s: %s is %+v, its lines sum to %s", name, item, got, amount)
				}
			}
			if len(sum.Items) != len(items) {
				t.Errorf("%s: %d items in the summary, %d in the lines", name, len(sum.Items), len(items))
			}
		}
		x.ordered(all)
		for _, r := range []*client.Reader{all, one} {
			b, err := r.Balance(ctx)
			if must(t, b, err).UserName != "acme" || b.Owed.Amount == "0.00" {
				t.Errorf("balance %+v", b)
			}
		}
	})
}

// ordered checks the order of lines and items.
func (x *team) ordered(r *client.Reader) {
	x.t.Helper()
	rows, err := r.BillLines(x.t.Context(), march, client.Page{})
	must(x.t, rows, err)
	if !slices.IsSortedFunc(rows.Items, func(a, b client.BillRow) int { return strings.Compare(b.Day, a.Day) }) || rows.Items[0].Day != "2026-03-03" {
		x.t.Error("the newest day does not come first")
	}
	sum, err := r.Summary(x.t.Context(), march, "CNY")
	must(x.t, sum, err)
	var items []string
	for _, i := range sum.Items {
		items = append(items, i.Item)
	}
	if !slices.Equal(items, []string{"logs", "apm_trace", "rum_pv"}) {
		x.t.Errorf("items are not in the order of the catalogue: %v", items)
	}
	if sum, err = r.Summary(x.t.Context(), march, "USD"); must(x.t, sum, err).Bills != 0 || sum.Total != "0.00" || sum.Currency != "USD" {
		x.t.Errorf("in another currency: %+v", sum)
	}
}

func TestAKeySeesNothingOfOthers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		second := x.spent()
		rival := x.billing("rival", money.CNY)
		elsewhere := x.workspace(x.studioHouse("other"), "elsewhere")
		foreign := x.reader(account.KeyHolder{Scope: account.AccountKeys, ID: rival.ID}, rival.ID)
		free := x.reader(workspace.KeyHolder(elsewhere.ID), elsewhere.OwnerID)
		one := x.reader(workspace.KeyHolder(x.shop.ID), x.owner.ID)
		for _, r := range []*client.Reader{foreign, free} {
			rows, err := r.BillLines(ctx, march, client.Page{})
			if len(must(t, rows, err).Items) != 0 {
				t.Errorf("somebody else sees %+v", rows.Items)
			}
			sum, err := r.Summary(ctx, march, "")
			if must(t, sum, err).Total != "0.00" || len(sum.Items) != 0 || sum.Currency != "CNY" {
				t.Errorf("somebody else sees %+v", sum)
			}
		}
		_, err := free.Balance(ctx)
		refused(t, err, "not_commercial")
		named := march
		named.Workspace = second.ID
		for _, r := range []*client.Reader{foreign, free, one} {
			_, err := r.BillLines(ctx, named, client.Page{})
			refused(t, err, "workspace_unknown")
			_, err = r.Summary(ctx, named, "")
			refused(t, err, "workspace_unknown")
		}
		page, err := x.reader(workspace.KeyHolder(second.ID), x.owner.ID).BillLines(ctx, march, client.Page{Limit: 1})
		must(t, page, err)
		for _, r := range []*client.Reader{foreign, free, one} {
			_, err = r.BillLines(ctx, march, client.Page{Cursor: page.NextCursor})
			refused(t, err, "cursor_invalid")
		}
	})
}

func (x *team) studioHouse(name string) account.Studio { return x.house.studio(name) }

func TestAWorkspacesKeyMayWhatItsMakerMay(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	x.spent()
	admin := x.studioHouse("noah")
	x.join(x.shop, admin, workspace.Administrator)
	made, err := x.asStudio(admin).MakeAPIKey(ctx, x.shop.ID, " nightly export ")
	if must(t, made, err).Name != "nightly export" || made.MadeBy != admin.ID {
		t.Errorf("made %+v", made)
	}
	key := x.client.Reader(made.Secret)
	_, err = key.Balance(ctx)
	refused(t, err, "owner_only")
	rows, err := key.BillLines(ctx, march, client.Page{})
	if len(must(t, rows, err).Items) != 9 {
		t.Errorf("an Administrator's key reads %d lines", len(rows.Items))
	}
	_, err = x.studio.ChangeRole(ctx, x.shop.ID, admin.ID, "standard")
	must(t, 0, err)
	_, err = key.BillLines(ctx, march, client.Page{})
	refused(t, err, "not_permitted")
	must(t, 0, x.studio.RemoveMember(ctx, x.shop.ID, admin.ID))
	_, err = key.Summary(ctx, march, "")
	refused(t, err, "key_orphan")
	x.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.SetBillingSwitches(ctx, x.payer.ID, true, false)
	})
	_, err = x.reader(account.KeyHolder{Scope: account.AccountKeys, ID: x.payer.ID}, x.payer.ID).Balance(ctx)
	refused(t, err, "account_disabled")
}

func TestKeysAreNamedListedAndRevoked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		x.spent()
		made, err := x.center.MakeAPIKey(ctx, "finance")
		must(t, made, err)
		_, err = x.center.MakeAPIKey(ctx, "finance")
		refused(t, err, "key_name_taken")
		for _, name := range []string{"", "  ", strings.Repeat("语", 65), "a\tb"} {
			_, err = x.center.MakeAPIKey(ctx, name)
			refused(t, err, "key_name")
		}
		key := x.client.Reader(made.Secret)
		used := func() client.APIKey {
			t.Helper()
			list, err := x.center.APIKeys(ctx, client.Page{})
			must(t, list, err)
			if len(list.Items) != 1 || list.Items[0].ID != made.ID || list.Items[0].Name != "finance" {
				t.Fatalf("keys %+v", list.Items)
			}
			return list.Items[0]
		}
		if k := used(); k.UsedOn != "" || k.RevokedAt != nil {
			t.Errorf("a new key is %+v", k)
		}
		for _, day := range []string{"2026-03-03", "2026-03-04"} { // after the close of 3 March in Hangzhou it is still the 3rd in UTC
			b, err := key.Balance(ctx)
			must(t, b, err)
			if k := used(); k.UsedOn != day {
				t.Errorf("used on %s, and it says %q", day, k.UsedOn)
			}
			x.clock.Advance(24 * time.Hour)
		}
		other := x.asBilling(x.billing("rival", money.CNY))
		refused(t, other.RevokeAPIKey(ctx, made.ID), "key_unknown")
		refused(t, x.studio.RevokeAPIKey(ctx, x.shop.ID, made.ID), "key_unknown")
		for range 2 { // clicked twice
			must(t, 0, x.center.RevokeAPIKey(ctx, made.ID))
		}
		_, err = key.Balance(ctx)
		refused(t, err, "key_invalid")
		if k := used(); k.RevokedAt == nil || !k.RevokedAt.Equal(x.clock.Now()) {
			t.Errorf("a revoked key is %+v", k)
		}
		again, err := x.center.MakeAPIKey(ctx, "finance") // the name is free again
		must(t, again, err)
	})
}

func TestTheListPriceStandsBesideAnAgreedOne(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	w := x.paidFor("second")
	x.billed(w, "2026-02-01", 1, catalog.Market{Currency: money.CNY, Group: site.China})
	february := client.Spending{Days: client.Days{From: "2026-02-01", To: "2026-02-28"}}
	r := x.reader(workspace.KeyHolder(w.ID), x.owner.ID)
	rows, err := r.BillLines(ctx, february, client.Page{})
	must(t, rows, err)
	if row := rows.Items[0]; row.Payable != "2.00" || row.UnitPrice != "1" || row.Original == "2.00" || row.Owed != "2.00" || row.Deducted != "0.00" {
		t.Errorf("line %+v", row)
	}
	x.billed(w, "2026-02-02", 1, catalog.Market{Currency: money.USD, Group: site.China})
	_, err = r.Summary(ctx, february, "")
	refused(t, err, "currencies_differ")
	for _, currency := range []string{"CNY", "USD"} {
		sum, err := r.Summary(ctx, february, currency)
		if must(t, sum, err).Total != "2.00" || sum.Currency != currency || sum.Bills != 1 {
			t.Errorf("in %s: %+v", currency, sum)
		}
	}
}

func TestMoreBillsThanAreReadAtOnceAreSummed(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		for _, name := range []string{"second", "third"} {
			x.billed(x.paidFor(name), "2025-01-01", 300, catalog.Market{Currency: money.CNY, Group: site.China})
		}
		r := x.reader(account.KeyHolder{Scope: account.AccountKeys, ID: x.payer.ID}, x.payer.ID)
		year := client.Spending{Days: client.Days{From: "2025-01-01", To: "2025-12-31"}}
		sum, err := r.Summary(ctx, year, "")
		if must(t, sum, err).Bills != 600 || sum.Total != "1200.00" || sum.Paid.Owed != "1200.00" {
			t.Errorf("summary %+v", sum)
		}
		lines := 0
		for row, err := range client.All(func(p client.Page) (client.List[client.BillRow], error) {
			p.Limit = 200
			return r.BillLines(ctx, year, p)
		}) {
			must(t, row, err)
			lines++
		}
		if lines != 600 {
			t.Errorf("%d lines of 600 were listed", lines)
		}
	})
}

func TestKeysAreBounded(t *testing.T) {
	t.Parallel()
	ctx, x := t.Context(), newTeam(t, storetest.SQLite(t))
	for i := range account.MostKeys {
		_, err := x.studio.MakeAPIKey(ctx, x.shop.ID, strings.Repeat("k", i+1))
		must(t, 0, err)
	}
	_, err := x.studio.MakeAPIKey(ctx, x.shop.ID, "one more")
	refused(t, err, "keys_many")
	names := walk(t, func(p client.Page) (client.List[client.APIKey], error) { return x.studio.APIKeys(ctx, x.shop.ID, p) }, func(k client.APIKey) string { return k.ID })
	if len(names) != account.MostKeys {
		t.Errorf("%d keys are listed", len(names))
	}
}

func TestAKeyGoesInEitherHeader(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	const lines = "/billing/lines?from=2026-03-01&to=2026-03-02"
	secret := x.in['k'].Token
	for _, c := range []struct {
		name   string
		header map[string]string
		status int
	}{
		{"in DF-API-KEY", map[string]string{"DF-API-KEY": secret}, 200},
		{"as Bearer", map[string]string{"Authorization": "Bearer " + secret}, 200},
		{"a sign-in for a key", map[string]string{"DF-API-KEY": x.in['o'].Token}, 401},
		{"an empty key", map[string]string{"DF-API-KEY": ""}, 401},
		{"an invented key", map[string]string{"DF-API-KEY": "tgak_" + strings.Repeat("a", 32)}, 401},
		{"a key's name", map[string]string{"DF-API-KEY": "akey_" + strings.Repeat("a", 32)}, 401},
		{"a key without end", map[string]string{"DF-API-KEY": strings.Repeat("a", 5000)}, 401},
		{"the hash of a key", map[string]string{"DF-API-KEY": account.KeyHash(secret)}, 401},
	} {
		if a := x.send(client.Session{}, raw{method: "GET", path: lines, header: c.header}); a.status != c.status {
			t.Errorf("%s: %d %s", c.name, a.status, a.problem.Code)
		}
	}
}

func TestARangeThatMakesNoSenseNamesItsField(t *testing.T) {
	t.Parallel()
	x := newCrowd(t, storetest.SQLite(t))
	for query, want := range map[string]string{
		"from=2026-03-02&to=2026-03-01":                           "range_reversed to",
		"from=2024-01-01&to=2025-02-04":                           "range_too_long from",
		"from=0001-01-01&to=9999-12-31":                           "range_too_long from",
		"to=2026-03-01":                                           "field_missing from",
		"from=2026-03-01":                                         "field_missing to",
		"from=&to=2026-03-01":                                     "field_missing from",
		"from=20260301&to=2026-03-01":                             "malformed_date from",
		"from=2026-02-30&to=2026-03-01":                           "malformed_date from",
		"from=2026-03-01&to=2026-03-32":                           "malformed_date to",
		"from=2026-03-01&to=2026-03-01T00:00:00Z":                 "field_invalid to",
		"from=2026-03-01&to=2026-03-02&workspace_id=wksp_none":    "workspace_unknown workspace_id",
		"from=2026-03-01&to=2026-03-02&start=1":                   "field_unknown start",
		"from=2026-03-01&to=2026-03-02&workspace_id=" + x.shop.ID: "",
		"from=2024-01-01&to=2025-02-03":                           "",
	} {
		for _, call := range []string{"/billing/lines?", "/billing/summary?"} {
			a := x.send(x.in['k'], raw{method: "GET", path: call + query})
			if got := strings.TrimSpace(a.problem.Code + " " + a.problem.Field); got != want {
				t.Errorf("%s%s: %d %q, want %q", call, query, a.status, got, want)
			}
		}
	}
	both := x.send(x.in['k'], raw{method: "GET", path: "/billing/lines?from=x&to=y"})
	if both.problem.Code != "fields_invalid" || len(both.problem.Errors) != 2 {
		t.Errorf("two wrong ends: %s", both.body)
	}
	for _, cursor := range []string{"x", "YmlsbF9saW5lczpiaWxsX25vbmUuMA", "YmlsbF9saW5lczpiaWxsX25vbmUueA", "YmlsbHM6MjAyNi0wMy0wMQ"} {
		a := x.send(x.in['k'], raw{method: "GET", path: "/billing/lines?from=2026-03-01&to=2026-03-02&cursor=" + url.QueryEscape(cursor)})
		if a.problem.Code != "cursor_invalid" || a.problem.Field != "cursor" {
			t.Errorf("cursor %s: %d %s", cursor, a.status, a.problem.Code)
		}
	}
}

func TestASecretIsNowhereAfterItWasShown(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		x.upgraded()
		var log bytes.Buffer
		door := api.New(api.Config{
			Store: s, Now: x.clock.Now, RealNow: x.real.Now, Catalog: catalog.Default(), Profile: site.Seed, Sink: x.sink,
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		server := httptest.NewServer(door)
		t.Cleanup(server.Close)
		at := client.New(server.URL)
		owner, center := at.Studio(x.studio.Session()), at.BillingCenter(x.center.Session())
		first, err := owner.MakeAPIKey(t.Context(), x.shop.ID, "export")
		must(t, first, err)
		second, err := center.MakeAPIKey(t.Context(), "export")
		must(t, second, err)
		var answers bytes.Buffer
		for _, secret := range []string{first.Secret, second.Secret} {
			for _, path := range []string{"/billing/balance", "/billing/lines?from=2026-03-01&to=2026-03-02", "/billing/summary?from=x&to=y", "/workspaces"} {
				answers.WriteString(ask(t, server.URL+api.Prefix+path, secret))
			}
		}
		answers.WriteString(ask(t, server.URL+api.Prefix+"/workspaces/"+x.shop.ID+"/api-keys", x.studio.Session().Token))
		answers.WriteString(ask(t, server.URL+api.Prefix+"/billing-center/api-keys", x.center.Session().Token))
		must(t, 0, owner.RevokeAPIKey(t.Context(), x.shop.ID, first.ID))
		dump := storetest.Dump(t, s)
		if !storetest.Holds(dump, account.KeyHash(first.Secret)) || !strings.Contains(answers.String(), first.ID) {
			t.Fatal("the test does not see the keys")
		}
		for _, action := range []string{"api_key.made", "api_key.revoked"} {
			if !strings.Contains(dump, action) {
				t.Errorf("the audit log has no %s", action)
			}
		}
		for _, secret := range []string{first.Secret, second.Secret} {
			part := secret[5:21] // half of it would be too much
			if storetest.Holds(dump, part) || strings.Contains(log.String(), part) || strings.Contains(answers.String(), part) {
				t.Error("the secret is in the database, the log or a later answer")
			}
		}
	})
}

func ask(t *testing.T, address, token string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(answer.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

var _ alert.WatchTx = (*store.Tx)(nil)

// staff gives the shop members: olivia is its Owner, noah an Administrator,
// mia a Standard member.
func (x shopOf) staff(t *testing.T) {
	t.Helper()
	write(t, x.s, func(ctx context.Context, tx *store.Tx) error {
		for name, role := range map[string]workspace.Role{"olivia": workspace.Owner, "noah": workspace.Administrator, "mia": workspace.Standard} {
			a := account.Studio{ID: id.StudioAccount + "_" + x.shop.Name + name, Site: "cn1", UserName: name, Email: x.shop.Name + name + "@example.com", Language: "en", CreatedAt: noon}
			if err := tx.InsertStudio(ctx, a); err != nil {
				return err
			}
			if err := tx.SaveMember(ctx, workspace.Member{WorkspaceID: x.shop.ID, AccountID: a.ID, Role: role, JoinedAt: noon}); err != nil {
				return err
			}
		}
		return nil
	})
}

// actor is a member of the shop.
func (x shopOf) actor(name string) workspace.Actor {
	return workspace.Actor{AccountID: id.StudioAccount + "_" + x.shop.Name + name, Address: "192.0.2.7"}
}

// set sets an alert and gives the code of its refusal.
func (x shopOf) set(t *testing.T, who string, typed alert.Typed) error {
	t.Helper()
	return x.s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := alert.Set(t.Context(), tx, catalog.Default(), x.shop.ID, typed, x.actor(who), noon)
		return err
	})
}

func watch(s *store.Store) alert.Watch {
	return alert.Watch{Catalog: catalog.Default(), Write: func(ctx context.Context, f func(alert.WatchTx) error) error {
		return s.Write(ctx, func(tx *store.Tx) error { return f(tx) })
	}}
}

// warned lists the recipients and subjects of the alerts in the outbox.
func warned(t *testing.T, s *store.Store) string {
	t.Helper()
	var lines []string
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		lines = nil
		rows, err := tx.Query(ctx, `SELECT id FROM mail WHERE kind = 'high_consumption' ORDER BY recipient, document`)
		if err != nil {
			return err
		}
		var ids []string
		for rows.Next() {
			var one string
			if err := rows.Scan(&one); err != nil {
				return err
			}
			ids = append(ids, one)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		for _, one := range ids {
			m, _, err := tx.Mail(ctx, one)
			if err != nil {
				return err
			}
			lines = append(lines, m.To+": "+m.Subject)
		}
		return nil
	})
	return strings.Join(lines, "\n")
}

func TestHighConsumptionIsMailedOncePerItemAndDay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.staff(t)
		for _, typed := range []alert.Typed{
			{Item: "logs", Threshold: "2.99", Administrators: true, Addresses: []string{"ops@outside.example"}},
			{Item: alert.Total, Threshold: "8.69"},
			{Item: "timeseries", Threshold: "5.69"}, // 8,123 series cost 5.68
		} {
			if err := x.set(t, "noah", typed); err != nil {
				t.Fatal(err)
			}
		}
		cn1, _ := site.Find("cn1")
		for _, d := range []string{march1, "2026-03-02"} {
			hour := day(d).Start(cn1.Zone).Add(12 * time.Hour)
			x.use(t, "logs", "14d", hour, 2_000_000) // 3.00
			x.use(t, "timeseries", "7d", hour, map[string]int64{march1: 8_123, "2026-03-02": 8_200}[d])
			closeDay(t, s, d)
			for range 3 { // a job may run again
				if _, err := watch(s).Check(t.Context(), alert.Check{Site: "cn1", Day: day(d)}, noon); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := strings.Join([]string{
			"ops@outside.example: “shop”: Logs of 2026-03-01 came to CNY 3.00",
			"ops@outside.example: “shop”: Logs of 2026-03-02 came to CNY 3.00",
			"shopnoah@example.com: “shop”: Logs of 2026-03-01 came to CNY 3.00",
			"shopnoah@example.com: “shop”: Logs of 2026-03-02 came to CNY 3.00",
			"shopolivia@example.com: “shop”: Logs of 2026-03-01 came to CNY 3.00",
			"shopolivia@example.com: “shop”: Logs of 2026-03-02 came to CNY 3.00",
			"shopolivia@example.com: “shop”: Time series of 2026-03-02 came to CNY 5.74",
			"shopolivia@example.com: “shop”: the bill of 2026-03-02 came to CNY 8.74",
		}, "\n")
		got := strings.Split(warned(t, s), "\n")
		if !sameLines(got, strings.Split(want, "\n")) {
			t.Errorf("mails:\n%s\nwant:\n%s", strings.Join(got, "\n"), want)
		}
		sound(t, s)
	})
}

// sameLines compares without regard to order.
func sameLines(a, b []string) bool {
	count := map[string]int{}
	for _, l := range a {
		count[l]++
	}
	for _, l := range b {
		count[l]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

func TestAlertThatFailsKeepsNobodyElseFromTheirs(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	a, b := newShop(t, s, "a"), newShop(t, s, "b")
	for _, x := range []shopOf{a, b} {
		x.staff(t)
		if err := x.set(t, "olivia", alert.Typed{Item: alert.Total, Threshold: "1"}); err != nil {
			t.Fatal(err)
		}
		x.use(t, "logs", "14d", upgraded.Truncate(time.Hour), 2_000_000)
	}
	closeDay(t, s, march1)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alert_rule SET recipients = '{' WHERE workspace_id = $1`, a.shop.ID)
		return err
	})
	check := alert.Check{Site: "cn1", Day: day(march1)}
	if sent, err := watch(s).Check(t.Context(), check, noon); err == nil || sent != 1 {
		t.Errorf("%d alerts, %v", sent, err)
	}
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE alert_rule SET recipients = '{}'`)
		return err
	})
	if sent, err := watch(s).Check(t.Context(), check, noon); err != nil || sent != 1 {
		t.Errorf("again: %d alerts, %v", sent, err)
	}
}

func TestAlertsAreSetByThoseWhoSeeBills(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newShop(t, s, "shop")
		x.staff(t)
		typed := alert.Typed{Item: "logs", Threshold: "10", Members: []string{x.actor("mia").AccountID}}
		if err := x.set(t, "mia", typed); !errors.Is(err, workspace.ErrNotPermitted) {
			t.Errorf("a Standard member: %v", err)
		}
		for _, who := range []string{"olivia", "noah"} {
			if err := x.set(t, who, typed); err != nil {
				t.Errorf("%s: %v", who, err)
			}
		}
		replace := func(list ...alert.Typed) (rules []alert.Rule, err error) {
			err = s.Write(t.Context(), func(tx *store.Tx) (err error) {
				rules, err = alert.Replace(t.Context(), tx, catalog.Default(), x.shop.ID, list, x.actor("olivia"), noon)
				return err
			})
			return rules, err
		}
		if _, err := replace(alert.Typed{Item: "sms", Threshold: "1"}, alert.Typed{Item: "sms", Threshold: "2"}); !errors.Is(err, alert.ErrTwice) {
			t.Errorf("an item twice: %v", err)
		}
		if _, err := replace(alert.Typed{Item: "sms", Threshold: "1"}, alert.Typed{Item: "logs", Threshold: "0"}); !errors.Is(err, alert.ErrThreshold) {
			t.Errorf("one of two wrong: %v", err)
		}
		rules, err := replace(alert.Typed{Item: "total", Threshold: "99.5", Addresses: []string{"ops@outside.example"}}, alert.Typed{Item: "sms", Threshold: "1"})
		if got := fmt.Sprint(rules); err != nil || got != "[{sms 1.00 false [] []} {total 99.50 false [] [ops@outside.example]}]" {
			t.Errorf("rules %s, %v", got, err)
		}
		remove := func(item string) error {
			return s.Write(t.Context(), func(tx *store.Tx) error {
				return alert.Remove(t.Context(), tx, catalog.Default(), x.shop.ID, item, x.actor("noah"), noon)
			})
		}
		if err := remove("logs"); !errors.Is(err, alert.ErrUnknown) {
			t.Errorf("removed twice: %v", err)
		}
		if err := remove("sms"); err != nil {
			t.Error(err)
		}
		sound(t, s)
	})
}

func TestExperienceWorkspaceHasNoAlerts(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	x := newShop(t, s, "shop")
	x.staff(t)
	write(t, s, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE workspace SET plan = 'experience', payer = '', settlement = ''`)
		return err
	})
	if err := x.set(t, "olivia", alert.Typed{Item: "logs", Threshold: "10"}); !errors.Is(err, alert.ErrExperience) {
		t.Errorf("set: %v", err)
	}
	if _, err := watch(s).Check(t.Context(), alert.Check{Site: "cn1", Day: day(march1)}, noon); err != nil {
		t.Error(err)
	}
}

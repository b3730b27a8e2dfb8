package api_test

import (
	"errors"
	"fmt"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/workspace"
)

func above(item, threshold string) client.Alert {
	return client.Alert{Item: item, Threshold: client.Amount{Amount: threshold}}
}

func TestAlertsAreReplacedAllOrNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		x := newTeam(t, s)
		_, err := x.studio.Alerts(t.Context(), x.shop.ID)
		refused(t, err, "not_commercial")
		_, err = x.studio.ReplaceAlerts(t.Context(), x.shop.ID, nil)
		refused(t, err, "not_commercial")
		x.upgraded()
		total := above("total", "200")
		total.Administrators, total.Addresses = true, []string{"Ops@outside.example", "ops@outside.example"}
		kept, err := x.studio.ReplaceAlerts(t.Context(), x.shop.ID, []client.Alert{total, above("logs", "10.5")})
		if got := fmt.Sprint(must(t, kept, err).Alerts); got != "[{logs 10.50 CNY false [] []} {total 200.00 CNY true [] [ops@outside.example]}]" {
			t.Errorf("kept %s", got)
		}
		for _, c := range []struct {
			list        []client.Alert
			code, field string
		}{
			{[]client.Alert{above("logs", "1"), above("total", "0")}, "alert_threshold", "alerts[1].threshold"},
			{[]client.Alert{above("logs", "1.005")}, "malformed_amount", "alerts[0].threshold"},
			{[]client.Alert{above("gold", "1")}, "alert_item", "alerts[0].item"},
			{[]client.Alert{above("logs", "1"), above("logs", "2")}, "alert_twice", "alerts[1].item"},
			{[]client.Alert{{Item: "logs", Threshold: client.Amount{Amount: "1"}, Members: []string{"acnt_x"}}}, "alert_member", "alerts[0].members"},
			{[]client.Alert{{Item: "logs", Threshold: client.Amount{Amount: "1"}, Addresses: []string{"x"}}}, "email_form", "alerts[0].addresses"},
			{[]client.Alert{above("gold", "-1")}, "fields_invalid", ""},
		} {
			_, err := x.studio.ReplaceAlerts(t.Context(), x.shop.ID, c.list)
			var p *client.Problem
			if !errors.As(err, &p) || p.Code != c.code || p.Field != c.field {
				t.Errorf("%v: %v, want %s on %s", c.list, err, c.code, c.field)
			}
		}
		admin := x.house.studio("noah")
		x.join(x.shop, admin, workspace.Administrator)
		now, err := x.asStudio(admin).Alerts(t.Context(), x.shop.ID)
		if got := must(t, now, err); fmt.Sprint(got) != fmt.Sprint(kept) {
			t.Errorf("a refused list changed the alerts to %v", got)
		}
		now, err = x.asStudio(admin).ReplaceAlerts(t.Context(), x.shop.ID, nil)
		if got := must(t, now, err); len(got.Alerts) != 0 {
			t.Errorf("an empty list left %v", got)
		}
	})
}

package e2e_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/testkit"
)

// A day's bill above a threshold is told to those who chose to know, after the
// close and once; what is not above it is told to nobody.
func TestHighConsumptionIsMailedAfterTheClose(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("alerted")
	x.upgrade()
	const outside = "oncall@outside.example"
	_, err := x.studio().ReplaceAlerts(t.Context(), x.id, []client.Alert{
		{Item: "total", Threshold: client.Amount{Amount: "0.13"}, Addresses: []string{outside}}, // 200 series come to 0.14
		{Item: "timeseries", Threshold: client.Amount{Amount: "0.14"}},
	})
	must(t, 0, err)
	var points []point
	for n := range int64(200) {
		points = append(points, point{id: n, label: fmt.Sprint("series-", n), at: x.now()})
	}
	answer, err := http.DefaultClient.Do(metricsAsLines.request(t, x.gateway, x.token, metricsAsLines.encode(points)))
	if must(t, answer, err).StatusCode != http.StatusOK {
		t.Fatalf("the report was answered %s", answer.Status)
	}
	_ = answer.Body.Close()
	day := x.today()
	x.advance("1d")
	if bills := x.bills(); len(bills) != 1 || bills[0].Total.Amount != "0.14" {
		t.Fatalf("bills %+v", bills)
	}
	told := func(to string) (subjects []string) {
		mails, err := x.mails(to)
		for _, m := range must(t, mails, err) {
			if m.Kind == "high_consumption" {
				subjects = append(subjects, m.Subject)
			}
		}
		return subjects
	}
	want := "[“" + x.name + "”: the bill of " + day + " came to CNY 0.14]"
	for _, to := range []string{x.email, outside} {
		testkit.Eventually(t, time.Minute, func() error {
			if got := fmt.Sprint(told(to)); got != want {
				return fmt.Errorf("%s was told %s, want %s", to, got, want)
			}
			return nil
		})
	}
	x.advance("1d")
	for _, to := range []string{x.email, outside} {
		if got := fmt.Sprint(told(to)); got != want {
			t.Errorf("after another day %s was told %s", to, got)
		}
	}
	x.verified()
}

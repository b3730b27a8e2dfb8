package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/demo"
	"tollgate.dev/internal/testkit"
)

// A payer recharges on the pages of both simulators, leaves one without paying
// and declines there, with script and without.
func TestAPayerRechargesOnline(t *testing.T) {
	shots := filepath.Join(testkit.Root(t), "out", "screenshots")
	for name, look := range map[string]Look{
		"in English":                 {Language: "en", Script: true, Width: 1440, Shots: shots},
		"in Chinese on a dark phone": {Language: "zh", Script: false, Dark: true, Width: 390, Shots: shots},
	} {
		t.Run(name, func(t *testing.T) {
			h := start(t)
			v := Visit(t, h.base, look)
			v.Open("/billing-center/sign-in")
			v.Fill("/sign-in", "login", demo.PayerName)
			v.Fill("/sign-in", "password", demo.Password)
			v.Send("/sign-in")
			for i, channel := range []string{"alipay", "stripe"} {
				v.Open("/billing-center/recharge")
				v.Shot("recharge-online")
				v.Fill("/recharge", "amount", "12.30")
				v.Choose("/recharge", "channel", channel)
				v.Send("/recharge")
				v.Shot("payment-pending-" + channel)
				payment := v.Path()

				v.Press(`main a.primary`)
				v.Sees("CNY 12.30")
				if !v.Has(".ribbon") {
					t.Fatal("the page does not say that it is a simulator's")
				}
				v.Shot("simulator-" + channel)
				v.Press(`button[value="decline"]`)
				if v.Path() != payment {
					t.Fatalf("declining leads to %s", v.URL())
				}
				v.Shot("payment-left-" + channel)
				v.Open(payment)
				v.Press(`main a.primary`)
				v.Press(`button[value="pay"]`)
				if v.Path() != payment {
					t.Fatalf("paying leads to %s", v.URL())
				}
				v.Shot("payment-returned-" + channel)
				credited := fmt.Sprintf("%.2f", 12.3*float64(i+1))
				testkit.Eventually(t, 30*time.Second, func() error {
					v.Open("/billing-center/")
					if text := v.Text(); !strings.Contains(text, credited) {
						return fmt.Errorf("%s is not on the page:\n%s", credited, text)
					}
					return nil
				})
				v.Open(payment)
				v.Shot("payment-credited-" + channel)
			}
			v.Open("/billing-center/recharge")
			v.Shot("recharge-list")
			v.Open("/billing-center/movements")
			v.Sees("24.60", "Stripe")
			v.Shot("movements-online")
			testkit.Eventually(t, 20*time.Second, func() error {
				if mails := h.subjects(demo.PayerEmail); strings.Count(mails, `"cash_credited"`) != 2 {
					return fmt.Errorf("the mails are %s", mails)
				}
				return nil
			})
		})
	}
}

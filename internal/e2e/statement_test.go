package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/wallet"
)

// A month goes by on the movable clock: its days are closed, its statement is
// made after the 3rd and mailed to the payer, and the command line explains
// the bill behind it.
func TestAMonthEndsWithAStatement(t *testing.T) {
	t.Parallel()
	x := demo(t, "").newcomer("stated")
	x.upgrade()
	x.endow(money.MustParse("10", money.CNY)) // else the debt would clear the workspace within the month
	var points []point
	for n := range int64(200) {
		points = append(points, point{id: n, label: fmt.Sprint("series-", n), at: x.now()})
	}
	answer, err := http.DefaultClient.Do(metricsAsLines.request(t, x.gateway, x.token, metricsAsLines.encode(points)))
	if must(t, answer, err).StatusCode != http.StatusOK {
		t.Fatalf("the report was answered %s", answer.Status)
	}
	_ = answer.Body.Close()
	month := x.today()[:7]
	x.advance("1mo")
	x.advance("4d")
	bills := x.bills()
	if len(bills) == 0 || bills[len(bills)-1].Total.Amount != "0.14" {
		t.Fatalf("bills %+v", bills)
	}
	testkit.Eventually(t, time.Minute, func() error {
		mails, err := x.mails(x.email)
		if err != nil {
			return err
		}
		for _, m := range mails {
			if m.Kind == "statement_issued" && m.Subject == "Your statement of "+month+": CNY 0.14" {
				return nil
			}
		}
		return fmt.Errorf("no statement among %d mails", len(mails))
	})
	out, err := x.tool("bill", "explain", bills[len(bills)-1].Number, "--data", x.folder)
	if err != nil || !strings.Contains(out, "the hours make this line again") {
		t.Errorf("explained: %v\n%s", err, out)
	}
	x.verified()
}

// endow gives the payer a voucher behind the product's back.
func (x *team) endow(face money.Amount) {
	x.t.Helper()
	at := x.now()
	x.behind(func(ctx context.Context, s *store.Store) error {
		return s.Write(ctx, func(tx *store.Tx) error {
			payer, err := tx.BillingByName(ctx, x.payer)
			if err != nil {
				return err
			}
			_, err = wallet.GiveVoucher(ctx, tx, payer, wallet.ByVoucher, face, at.AddDate(1, 0, 0), at)
			return err
		})
	})
}

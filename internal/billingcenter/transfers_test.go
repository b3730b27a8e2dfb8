package billingcenter

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

var pdf = []byte("%PDF-1.7 a slip")

// transferPath is where the one transfer of the page leads.
func transferPathOf(a answer) string { return strings.TrimPrefix(a.path, Prefix) }

func TestASlipComesWithTheTransferOrLater(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	page := v.upload(http.StatusOK, "/recharge", "slip", "first.pdf", pdf, "amount", "500")
	page.says("first.pdf")
	one := transferPathOf(page)
	for i := 2; i <= wallet.MostSlips; i++ {
		v.upload(http.StatusOK, one+"/slips", "slip", strconv.Itoa(i)+".pdf", pdf).says("The slip is with the operator.")
	}
	if v.get(http.StatusOK, one).Find("input[name=slip]").Length() != 0 {
		t.Error("a sixth slip is offered")
	}
	v.upload(http.StatusConflict, one+"/slips", "slip", "6.pdf", pdf).refused("transfer_slips_many", "")

	src, _ := v.get(http.StatusOK, one).Find("figure.slip a").First().Attr("href")
	slip := strings.TrimPrefix(src, Prefix)
	if got := v.get(http.StatusOK, slip).Text(); got != string(pdf) {
		t.Errorf("the slip is %q", got)
	}
	other := h.signedIn(h.payer("other", money.CNY))
	other.get(http.StatusNotFound, one).refused("transfer_unknown", "")
	other.get(http.StatusNotFound, slip).refused("transfer_unknown", "")
	other.upload(http.StatusNotFound, one+"/slips", "slip", "a.pdf", pdf).refused("transfer_unknown", "")
	mine := transferPathOf(other.post(http.StatusOK, "/recharge", "amount", "1"))
	other.get(http.StatusNotFound, mine+slip[strings.LastIndex(slip, "/slips/"):]).refused("file_unknown", "")
}

func TestASlipThatCannotBeIsRefusedBesideTheField(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	large := append([]byte("%PDF-"), bytes.Repeat([]byte{'x'}, attachment.MaxBytes)...)
	for name, c := range map[string]struct {
		content []byte
		code    string
		status  int
	}{
		"a page named .pdf": {[]byte("<html><script>alert(1)</script>"), "file_type", http.StatusUnprocessableEntity},
		"nothing":           {nil, "file_empty", http.StatusUnprocessableEntity},
		"too large":         {large, "file_too_large", http.StatusUnprocessableEntity},
	} {
		r := v.upload(c.status, "/recharge", "slip", "slip.pdf", c.content, "amount", "500")
		r.refused(c.code, "slip")
		if again, _ := r.Find("#amount").Attr("value"); again != "500" {
			t.Errorf("%s: the amount typed was lost", name)
		}
	}
	both := v.upload(http.StatusUnprocessableEntity, "/recharge", "slip", "slip.pdf", []byte("x"), "amount", "0")
	both.refused("amount_not_positive", "amount")
	both.refused("file_type", "slip")
	v.get(http.StatusOK, "/recharge").says("No transfer yet")
	one := transferPathOf(v.post(http.StatusOK, "/recharge", "amount", "500"))
	v.post(http.StatusUnprocessableEntity, one+"/slips").refused("file_empty", "slip")
}

func TestAPayerFollowsATransferToItsEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	limits := wallet.Limits{money.CNY: cny("1000")}
	one := transferPathOf(v.post(http.StatusOK, "/recharge", "amount", "5000"))
	id := one[strings.LastIndex(one, "/")+1:]
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.CreditTransfer(ctx, tx, id, wallet.Arrival{Amount: cny("4980"), Why: "The bank kept a fee."}, limits, wallet.By{Operator: "oper_1"}, noon)
		return err
	})
	page := v.get(http.StatusOK, one)
	page.says("The money has arrived and is being checked")
	if strings.Contains(page.Text(), "kept a fee") {
		t.Error("what nobody approved yet is shown")
	}
	v.upload(http.StatusConflict, one+"/slips", "slip", "late.pdf", pdf).refused("transfer_slip_late", "")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.ApproveTransfer(ctx, tx, id, wallet.By{Operator: "oper_2"}, noon)
		return err
	})
	v.get(http.StatusOK, one).says("4,980.00 CNY arrived instead of 5,000.00. The bank kept a fee.")
	v.get(http.StatusOK, "/recharge").says("5,000.00 4,980.00 Credited")
	v.get(http.StatusOK, "/movements").says("+4,980.00")
}

func TestTooManyTransfersAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	a := h.payer("acme", money.CNY)
	v := h.signedIn(a)
	h.write(func(ctx context.Context, tx *store.Tx) error {
		for i := range wallet.MostWaiting {
			if _, err := wallet.DeclareTransfer(ctx, tx, a, wallet.Declaration{Amount: cny("1"), Reference: strconv.Itoa(i)}, "", noon); err != nil {
				return err
			}
		}
		_, err := wallet.DeclareTransfer(ctx, tx, a, wallet.Declaration{Amount: cny("1"), Reference: "x"}, "", noon)
		if !errors.Is(err, wallet.ErrTransfersWaiting) {
			t.Errorf("one more: %v", err)
		}
		return nil
	})
	v.post(http.StatusConflict, "/recharge", "amount", "5").refused("transfers_waiting", "amount")
}

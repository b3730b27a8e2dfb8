package operator

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

func transfers() map[string]page {
	row := TransferRow{wallet.Transfer{ID: "trsf_1", AccountID: acme.ID, Amount: cny("5000"), Reference: "TG-7K3M9-Q2X4V", State: wallet.Declared, DeclaredAt: noon, Slips: 2}, acme, "", ""}
	entered, gone, done, back := row, row, row, row
	entered.State, entered.Arrived, entered.Difference, entered.Proposer, entered.ProposedAt = wallet.Proposed, cny("4980"), "The bank kept a fee of 20.00.", "Chen", noon.Add(time.Hour)
	gone.State, gone.DecidedAt, gone.Decider, gone.Reason = wallet.Rejected, noon.Add(time.Hour), "ops", "No such amount arrived."
	done.State, done.DecidedAt, done.Decider, done.Proposer, done.ProposedAt, done.Arrived = wallet.Credited, noon.Add(2*time.Hour), "ops", "Chen", noon, cny("5000")
	back.Returned = "The statement of the bank says 4,980.00."
	balances := wallet.Balances{Cash: cny("10"), Owed: cny("25.5")}
	limits := wallet.Limits{money.CNY: cny("1000"), money.USD: money.MustParse("7000", money.USD)}
	files := []attachment.File{{ID: "attc_1", Name: "slip-1.pdf", Type: attachment.PDF, SentAt: noon}, {ID: "attc_2", Name: "slip-2.png", Type: attachment.PNG, SentAt: noon}}
	view := func(row TransferRow, form *web.Form, own bool, files ...attachment.File) page {
		return func(ctx context.Context) templ.Component {
			return transferPage(TransferView{Frame: frame(ctx, "Transfer", "transfers"), Form: form, Row: row, Slips: files, Limits: limits, Own: own, Balances: balances, Cash: cny("4964.5"), Owed: cny("0")})
		}
	}
	return map[string]page{
		"transfers-empty": func(ctx context.Context) templ.Component {
			return transfersPage(Transfers{Frame: frame(ctx, "Transfers", "transfers")})
		},
		"transfers": func(ctx context.Context) templ.Component {
			return transfersPage(Transfers{Frame: frame(ctx, "Transfers", "transfers"), Limits: limits, Proposed: []TransferRow{entered}, Declared: []TransferRow{row, back}, Decided: []TransferRow{done, gone}})
		},
		"transfer-declared": view(row, web.Blank(), false, files...),
		"transfer-returned": view(back, web.Blank(), false),
		"transfer-entered":  view(entered, web.Blank(), false, files...),
		"transfer-own":      view(entered, web.Blank(), true, files...),
		"transfer-credited": view(done, web.Blank(), false, files[:1]...),
		"transfer":          view(row, refused(web.Blank("amount", "4980"), wallet.ErrTransferDifference.On("difference")), false),
		"transfer-rejected": view(gone, refused(web.Blank(), wallet.ErrTransferRejected), false),
	}
}

func TestATransferIsCreditedOnce(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	transfer := h.declared("500", "TG-AAAAA-AAAAA")
	h.get(http.StatusOK, "/").says("Credit 1 transfer")
	h.get(http.StatusOK, "/transfers").says("TG-AAAAA-AAAAA")
	h.get(http.StatusOK, "/transfers").says("Above 1,000.00 CNY a second operator approves.")
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() { h.post(http.StatusOK, "/transfers/"+transfer.ID+"/credit", "amount", "500").says("Credited") })
	}
	clicks.Wait()
	h.post(http.StatusConflict, "/transfers/"+transfer.ID+"/credit", "amount", "400", "difference", "less").refused("transfer_credited")
	h.post(http.StatusConflict, "/transfers/"+transfer.ID+"/reject", "reason", "too late").refused("transfer_credited")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Cash 500.00 CNY")
	if got := h.log(transfer.ID); len(got) != 1 || got[0] != "transfer.credited" {
		t.Errorf("the log says %v", got)
	}
	h.post(http.StatusNotFound, "/transfers/trsf_none/credit", "amount", "1").refused("transfer_unknown")
	h.get(http.StatusNotFound, "/transfers/trsf_none/slips/attc_none").refused("file_unknown")
}

func TestWhatArrivedIsTypedAndCheckedBesideItsField(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	one := "/transfers/" + h.declared("500", "TG-BBBBB-BBBBB").ID
	for typed, code := range map[string]string{
		"": "malformed_amount", "1e3": "malformed_amount", "1.234": "malformed_amount", "0": "amount_not_positive", "-1": "amount_not_positive",
		"10000000.01": "amount_absurd", "499.99": "transfer_difference", "99999999999999999999": "malformed_amount",
	} {
		page := h.post(http.StatusUnprocessableEntity, one+"/credit", "amount", typed)
		page.refused(code)
		if again, _ := page.Find("#amount").Attr("value"); typed != "" && again != typed {
			t.Errorf("%q was typed, %q is shown again", typed, again)
		}
	}
	page := h.post(http.StatusOK, one+"/credit", "amount", "480", "difference", "The bank kept a fee.")
	page.says("Arrived 480.00 CNY The bank kept a fee.")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Cash 480.00 CNY")
	h.mailed("cash_credited", "The bank kept a fee.")
}

func TestARejectionHasAReasonThatThePayerReads(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	transfer := h.declared("500", "TG-BBBBB-BBBBB")
	h.post(http.StatusUnprocessableEntity, "/transfers/"+transfer.ID+"/reject", "reason", " ").refused("reason_required")
	for range 2 {
		h.post(http.StatusOK, "/transfers/"+transfer.ID+"/reject", "reason", "No such amount arrived.").says("No such amount arrived.")
	}
	h.post(http.StatusConflict, "/transfers/"+transfer.ID+"/credit", "amount", "500").refused("transfer_rejected")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Cash 0.00 CNY")
	h.mailed("transfer_rejected", "No such amount arrived.")
}

// mailed finds the one mail of a kind and what it says.
func (h *house) mailed(kind, text string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *store.Tx) error {
		mails, err := tx.WaitingMails(ctx, h.clock.Now().Add(time.Hour), 100)
		var of []string
		for _, m := range mails {
			if string(m.Kind) == kind {
				of = append(of, m.Text)
			}
		}
		if len(of) != 1 || !strings.Contains(of[0], text) {
			h.t.Errorf("the mails %s are %q", kind, of)
		}
		return err
	})
}

func TestALargeTransferNeedsASecondOperator(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	_, first := h.hire(account.Finance)
	h.signIn()
	one := "/transfers/" + h.declared("1000.01", "TG-CCCCC-CCCCC").ID
	first.get(http.StatusOK, one).says("This amount needs two operators.")
	h.post(http.StatusConflict, one+"/approve").refused("transfer_unproposed")
	first.post(http.StatusOK, one+"/credit", "amount", "1000.01").says("You entered what arrived.")
	first.post(http.StatusConflict, one+"/approve").refused("transfer_own")
	h.get(http.StatusOK, "/").says("Transfers to approve 1")
	h.post(http.StatusConflict, one+"/credit", "amount", "1000.01").refused("transfer_proposed")
	h.post(http.StatusUnprocessableEntity, one+"/return", "why", "").refused("reason_required")
	h.post(http.StatusOK, one+"/return", "why", "The bank says 2,000.00.").says("The bank says 2,000.00.")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Cash 0.00 CNY")
	first.post(http.StatusOK, one+"/credit", "amount", "2000", "difference", "sent twice").says("0.00 → 2,000.00 CNY")
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() { h.post(http.StatusOK, one+"/approve").says("Credited by ops") })
	}
	clicks.Wait()
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Cash 2,000.00 CNY")
	want := []string{"transfer.credited", "transfer.proposed", "transfer.returned", "transfer.proposed"}
	if got := h.log(strings.TrimPrefix(one, "/transfers/")); !slices.Equal(got, want) {
		t.Errorf("the log says %v", got)
	}
	h.get(http.StatusOK, "/audit?subject="+strings.TrimPrefix(one, "/transfers/")).says("cash: 0.00 -> 2000.00")
}

func TestASlipIsShownBesideTheFormToThoseWhoCredit(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	picture := append([]byte("\x89PNG\r\n\x1a\n"), "not run"...)
	var made wallet.Transfer
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		d := wallet.Declaration{Amount: cny("500"), Reference: "TG-1", Slip: attachment.Sent{Name: `..\slip <b>.html`, Content: picture}}
		made, err = wallet.DeclareTransfer(ctx, tx, h.payer, d, "", noon)
		return err
	})
	page := h.get(http.StatusOK, "/transfers/"+made.ID)
	src, _ := page.Find("figure.slip img").Attr("src")
	if src == "" || page.Find("form[action$='/credit']").Length() != 1 {
		t.Fatalf("the slip is shown from %q", src)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+src, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != string(picture) {
		t.Errorf("the slip is %q, %v", body, err)
	}
	for header, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment; filename=slip-b.png",
		"Content-Security-Policy": "default-src 'none'; sandbox", "Cache-Control": "private, no-store",
	} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s is %q, want %q", header, got, want)
		}
	}
	_, viewer := h.hire(account.Viewer)
	if viewer.get(http.StatusOK, "/transfers/"+made.ID).Find("figure.slip").Length() != 0 {
		t.Error("who only looks is shown the slip")
	}
	viewer.get(http.StatusForbidden, strings.TrimPrefix(src, Prefix)).refused("operator_finance_only")
}

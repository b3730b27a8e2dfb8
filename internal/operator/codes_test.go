package operator

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

// table posts a form that answers with a table.
func (h *house) table(path string) [][]string {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.url+Prefix+path, strings.NewReader(""))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Cache-Control") != "no-store" {
		h.t.Fatalf("%s: %d %v, %v", path, response.StatusCode, response.Header, err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	return rows
}

func TestCodesAreMadeExportedOnceAndRevoked(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/codes").says("No codes yet")
	wrong := h.post(http.StatusUnprocessableEntity, "/codes", "kind", "card", "amount", "150", "currency", "CNY", "size", "many", "days", "-1", "redeem_by", "2026-02-30")
	wrong.refused("malformed_date")
	wrong.refused("batch_size")
	h.post(http.StatusUnprocessableEntity, "/codes", "kind", "card", "amount", "150", "currency", "CNY", "size", "2").refused("card_face")
	h.post(http.StatusUnprocessableEntity, "/codes", "kind", "voucher", "amount", "50", "currency", "EUR", "size", "2", "days", "1").refused("unknown_currency")
	page := h.post(http.StatusOK, "/codes", "kind", "voucher", "amount", "50", "currency", "CNY", "size", "3", "days", "30", "redeem_by", "2026-12-31", "note", "spring fair")
	page.says("Ordinary voucher of 50.00 CNY")
	page.says("30 days after its activation")
	path := strings.TrimPrefix(page.path, Prefix)
	rows := h.table(path + "/export")
	if len(rows) != 4 || len(rows[1][1]) != 19 || rows[1][3] != "50.00" {
		t.Fatalf("exported %v", rows)
	}
	h.post(http.StatusConflict, path+"/export").refused("batch_exported")
	h.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := wallet.Activate(ctx, tx, wallet.Attempt{Payer: h.payer, Text: rows[1][1], Address: "192.0.2.7"}, h.clock.Now())
		return err
	})
	page = h.get(http.StatusOK, path)
	page.says("Used 1")
	page.says("…" + rows[1][1][15:] + "Used")
	page.says("acme")
	if strings.Contains(page.text, squeezed(rows[2][1])) {
		t.Error("the page shows a code")
	}
	h.get(http.StatusOK, path+"?text="+strings.ToLower(rows[2][1][15:])).says("…" + rows[2][1][15:])
	h.post(http.StatusOK, path+"/revoke", "number", "2").says("1 code was revoked.")
	h.post(http.StatusConflict, path+"/revoke", "number", "1").refused("code_not_unused")
	h.post(http.StatusOK, path+"/revoke").says("1 code was revoked.")
	h.post(http.StatusOK, path+"/revoke").says("0 codes were revoked.")
	h.get(http.StatusOK, "/codes").says("spring fair")
	h.get(http.StatusNotFound, "/codes/btch_none").refused("batch_unknown")
	if got := h.log(strings.TrimPrefix(path, "/codes/")); len(got) != 4 || got[0] != "codes.revoked" || got[3] != "codes.batch_made" {
		t.Errorf("the log says %v", got)
	}
}

func TestAVoucherIsGivenOncePerFormAndTakenBack(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	path := "/accounts/" + h.payer.ID + "/vouchers"
	h.post(http.StatusUnprocessableEntity, path, "kind", "voucher", "amount", "30", "reason", " ").refused("through_required")
	h.post(http.StatusUnprocessableEntity, path, "kind", "voucher", "amount", "x", "through", "soon", "reason", "a gift").refused("malformed_date")
	reference, _ := h.get(http.StatusOK, path).Find("input[name=reference]").Attr("value")
	var clicks sync.WaitGroup
	for range 4 {
		clicks.Go(func() {
			h.post(http.StatusOK, path, "kind", "voucher", "amount", "30", "through", "2026-12-31", "reason", "a gift", "reference", reference)
		})
	}
	clicks.Wait()
	page := h.get(http.StatusOK, path)
	page.says("Ordinary voucher 30.00 CNY")
	page.says("given · a gift")
	h.post(http.StatusConflict, path, "kind", "voucher", "amount", "31", "through", "2026-12-31", "reason", "a gift", "reference", reference).refused("assigned_before")
	h.get(http.StatusOK, "/accounts/"+h.payer.ID).says("Vouchers and cards 30.00 CNY")
	form, _ := page.Find("form[action$='/withdraw']").Attr("action")
	form = strings.TrimPrefix(form, Prefix)
	h.post(http.StatusUnprocessableEntity, form, "reason", "").refused("reason_required")
	h.post(http.StatusOK, form, "reason", "another account").says("Taken back")
	h.post(http.StatusConflict, form, "reason", "another account").refused("source_over")
	h.get(http.StatusOK, path).says("Ordinary voucher 0.00 CNY")
	h.post(http.StatusNotFound, path+"/vchr_none/withdraw", "reason", "x").refused("source_unknown")
	h.get(http.StatusNotFound, "/accounts/bcac_none/vouchers").refused("account_unknown")
	if got := h.log(h.payer.ID); len(got) != 1 || got[0] != "source.assigned" {
		t.Errorf("the log says %v", got)
	}
}

// vouchers1 are the pages of codes, vouchers and cards.
func vouchers1() map[string]page {
	batch := store.BatchRow{Batch: wallet.Batch{
		ID: "btch_0123456789abcdefghijklmnopqrstuv", Payment: wallet.ByVoucher, Face: cny("50"), Size: 500, RedeemBy: period.MustParseDay("2026-12-31"),
		Holds: wallet.Validity{Days: 90}, Note: "Spring fair, hall 4", MadeBy: "oper_1", MadeAt: noon,
	}}
	handed := batch
	handed.ExportedAt, handed.Used, handed.Revoked = noon.Add(time.Minute), 132, 8
	code := func(number int, tail string) store.CodeRow {
		return store.CodeRow{Code: wallet.Code{BatchID: batch.ID, Number: number, Tail: tail}}
	}
	used, revoked := code(1, "7Q2X"), code(2, "0M4T")
	used.Payer, used.UserName, used.SourceID, used.UsedAt = acme.ID, acme.UserName, "vchr_1", noon.Add(time.Hour)
	revoked.RevokedAt = noon.Add(2 * time.Hour)
	source := wallet.Source{ID: "vchr_4f0q7k3m9q2x4v8b1n6c5z7a2s4d9g0h", Payment: wallet.ByVoucher, Face: cny("50"), Balance: cny("12.35"), Since: noon,
		ExpiresAt: period.MustParseDay("2026-06-10").End(wallet.Zone("CNY")), Origin: wallet.Activated, From: batch.ID, Tail: "7Q2X"}
	card := wallet.Source{ID: "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v", Payment: wallet.ByCard, Face: cny("10000"), Balance: cny("9000"), Since: noon, Origin: wallet.Bought}
	over := wallet.Source{ID: "vchr_2", Payment: wallet.ByFullReduction, Face: cny("10"), Balance: cny("0"), Since: noon, ExpiresAt: noon, Origin: wallet.Given, Reason: "sorry for 2026-03-02"}
	return map[string]page{
		"codes-empty": func(ctx context.Context) templ.Component {
			return batchesPage(Batches{Frame: frame(ctx, "Codes", "codes"), Form: web.Blank()})
		},
		"codes": func(ctx context.Context) templ.Component {
			form := refused(web.Blank("kind", "card", "amount", "150", "size", "20000"), wallet.ErrBatchSize.On("size"))
			return batchesPage(Batches{Frame: frame(ctx, "Codes", "codes"), Form: form, Rows: []store.BatchRow{handed, batch}, Pager: web.Pager{Older: codesPath + "?after=x"}})
		},
		"codes-batch-new": func(ctx context.Context) templ.Component {
			return batchPage(BatchView{Frame: frame(ctx, "Batch", "codes"), Form: web.Blank(), Refuse: web.Blank(), Batch: batch})
		},
		"codes-batch": func(ctx context.Context) templ.Component {
			return batchPage(BatchView{Frame: frame(ctx, "Batch", "codes"), Form: web.Blank(), Refuse: refused(web.Blank(), wallet.ErrBatchExported), Batch: handed, Rows: []store.CodeRow{used, revoked, code(3, "9ZK1")}})
		},
		"codes-batch-over": func(ctx context.Context) templ.Component {
			gone := handed
			gone.Used, gone.Revoked, gone.Holds = 500, 0, wallet.Validity{Until: period.MustParseDay("2026-12-31")}
			return batchPage(BatchView{Frame: frame(ctx, "Batch", "codes"), Form: web.Blank("text", "AAAA"), Refuse: web.Blank(), Batch: gone})
		},
		"account-vouchers": func(ctx context.Context) templ.Component {
			return vouchersPage(Vouchers{Frame: frame(ctx, acme.UserName, "accounts"), Form: refused(web.Blank("amount", "30"), wallet.ErrReason.On("reason")), Account: acme,
				Balances: wallet.Balances{Cash: cny("120.5"), Voucher: cny("12.35"), FullReduction: cny("0"), Card: cny("9000"), Owed: cny("0")},
				Rows:     []SourceRow{{source, wallet.Usable}, {card, wallet.Usable}, {over, wallet.Expired}}})
		},
		"account-vouchers-empty": func(ctx context.Context) templ.Component {
			return vouchersPage(Vouchers{Frame: frame(ctx, acme.UserName, "accounts"), Form: web.Blank(), Account: acme})
		},
	}
}

package operator

import (
	"context"
	"encoding/csv"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestSourcesGallery(t *testing.T) {
	t.Parallel()
	card := wallet.Source{ID: "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v", Payer: acme.ID, Payment: wallet.ByCard, Face: cny("10000"), Balance: cny("9000"), Since: noon, Origin: wallet.Bought}
	code := wallet.Source{ID: "vchr_1", Payer: acme.ID, Payment: wallet.ByVoucher, Face: cny("50"), Balance: cny("0"), Since: noon, Origin: wallet.Activated, From: "btch_1", Tail: "7Q2X",
		ExpiresAt: period.MustParseDay("2026-06-10").End(wallet.Zone("CNY"))}
	rows := []PayersSource{{SourceRow{card, wallet.Usable}, "acme-pay"}, {SourceRow{code, wallet.UsedUp}, "acme-pay"}}
	list := func(query string) web.Listing {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, sourcesPath+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		return sourceListing(r)
	}
	view := func(query string, err error, rows ...PayersSource) page {
		return func(ctx context.Context) templ.Component {
			l := list(query)
			p := Sources{Frame: frame(ctx, web.T(ctx, "sources.title"), "codes"), List: l, Form: l.Form(), Rows: rows, Count: int64(len(rows)), Pager: web.Pager{Older: sourcesPath + "?after=x"}}
			if err != nil {
				p.Form.Refused(err)
			}
			return sourcesPage(p)
		}
	}
	gallery.Check(t, []gallery.State{
		{Name: "operator/sources", Page: view("?state=usable", nil, rows...)},
		{Name: "operator/sources-empty", Page: view("", nil)},
		{Name: "operator/sources-wrong", Page: view("?from=2026-03-02&to=2026-03-01", period.ErrReversed.On("to"))},
		{Name: "operator/source", Page: func(ctx context.Context) templ.Component {
			return sourcePage(SourceView{Frame: frame(ctx, "Source", "codes"), PayersSource: rows[1], Moves: []SourceMove{
				{wallet.Entry{Movement: wallet.Movement{Kind: wallet.Charge, Cause: "cn1 2026-03-11"}, At: noon, Number: 17}, cny("-50")},
				{wallet.Entry{Movement: wallet.Movement{Kind: wallet.VoucherIssued, Cause: "vchr_1"}, At: noon, Number: 16}, cny("50")},
			}})
		}},
		{Name: "operator/source-unmoved", Page: func(ctx context.Context) templ.Component {
			return sourcePage(SourceView{Frame: frame(ctx, "Source", "codes"), PayersSource: rows[0]})
		}},
	})
}

func TestVouchersAndCardsOfAllPayersAreListed(t *testing.T) {
	t.Parallel()
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/sources").says("No voucher or card")
	var voucher, card, gone wallet.Source
	h.write(func(ctx context.Context, tx *store.Tx) (err error) {
		if voucher, err = wallet.GiveVoucher(ctx, tx, h.payer, wallet.ByVoucher, cny("30"), period.MustParseDay("2026-04-30").End(wallet.Zone("CNY")), noon); err != nil {
			return err
		}
		if card, err = wallet.GiveCard(ctx, tx, h.payer, cny("500"), time.Time{}, noon.Add(time.Minute)); err != nil {
			return err
		}
		gone, err = wallet.GiveVoucher(ctx, tx, h.payer, wallet.ByFullReduction, cny("7"), noon.Add(time.Hour), noon)
		return err
	})
	h.clock.Advance(2 * time.Hour)
	for query, want := range map[string][]string{
		"": {card.ID, gone.ID, voucher.ID}, "?payer=acme": {card.ID, gone.ID, voucher.ID}, "?payer=nobody": nil,
		"?kind=card": {card.ID}, "?state=usable": {card.ID, voucher.ID}, "?state=expired": {gone.ID}, "?state=used_up": nil, "?currency=USD": nil,
		"?from=2026-04-30": {voucher.ID}, "?from=2026-05-01": nil, "?to=2026-04-29": {gone.ID}, "?to=2026-04-30&state=usable": {voucher.ID}, "?kind=nonsense": nil,
	} {
		page := h.get(http.StatusOK, "/sources"+query)
		for _, id := range []string{voucher.ID, card.ID, gone.ID} {
			shown, wanted := page.Find("tr[data-source="+id+"]").Length() == 1, strings.Contains(strings.Join(want, " "), id)
			if shown != wanted {
				t.Errorf("%s: %s is shown: %v", query, id, shown)
			}
		}
	}
	for query, code := range map[string]string{"?from=2026-02-30": "from-error", "?from=2026-03-02&to=2026-03-01": "to-error", "?to=soon": "to-error"} {
		if page := h.get(http.StatusUnprocessableEntity, "/sources"+query); page.Find("#"+code).Text() == "" {
			t.Errorf("%s has no sentence beside its field", query)
		}
	}
	page := h.get(http.StatusOK, "/sources/"+voucher.ID)
	page.says("30.00")
	if to, _ := page.Find("a:contains('acme')").First().Attr("href"); !strings.Contains(to, h.payer.ID) {
		t.Errorf("it leads to %q", to)
	}
	if moves := page.Find("table tbody tr").Length(); moves != 1 {
		t.Errorf("%d movements are shown", moves)
	}
	h.get(http.StatusNotFound, "/sources/vchr_none").refused("source_unknown")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url+Prefix+"/sources.csv?state=usable&sort=expires", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	rows, err := csv.NewReader(response.Body).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][0] != voucher.ID || rows[2][0] != card.ID || rows[1][6] != "30.00" || rows[2][13] != "" {
		t.Errorf("the table is %v, %v", rows, err)
	}
}

package billingcenter

import (
	"context"

	"github.com/a-h/templ"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
)

var (
	gift = wallet.Source{
		ID: "vchr_4f0q7k3m9q2x4v8b1n6c5z7a2s4d9g0h", Payer: acme.ID, Payment: wallet.ByVoucher, Account: wallet.Voucher(acme.ID, "vchr_4f0q7k3m9q2x4v8b1n6c5z7a2s4d9g0h"),
		Face: cny("50"), Balance: cny("12.35"), Since: noon.AddDate(0, 0, -3), ExpiresAt: period.MustParseDay("2026-03-31").End(hangzhou),
		Origin: wallet.Activated, From: "btch_1", Tail: "7Q2X",
	}
	earnedVoucher = wallet.Source{
		ID: "vchr_9q2x4v8b1n6c5z7a2s4d9g0h4f0q7k3m", Payer: acme.ID, Payment: wallet.ByFullReduction, Account: wallet.FullReduction(acme.ID, "vchr_9q2x4v8b1n6c5z7a2s4d9g0h4f0q7k3m"),
		Face: cny("1000"), Balance: cny("1000"), Since: noon.AddDate(0, 0, -2), ExpiresAt: period.MustParseDay("2027-03-10").End(hangzhou),
		Origin: wallet.Earned, From: "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v",
	}
	boughtCard = wallet.Source{
		ID: "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v", Payer: acme.ID, Payment: wallet.ByCard, Account: wallet.Card(acme.ID, "card_8b1n6c5z7a2s4d9g0h4f0q7k3m9q2x4v"),
		Face: cny("10000"), Balance: cny("9988.5"), Since: noon.AddDate(0, 0, -2), ExpiresAt: period.MustParseDay("2029-03-10").End(hangzhou), Origin: wallet.Bought,
	}
	sorry = wallet.Source{
		ID: "vchr_1", Payer: acme.ID, Payment: wallet.ByVoucher, Account: wallet.Voucher(acme.ID, "vchr_1"), Face: cny("5"), Balance: cny("0"), Since: noon.AddDate(0, -1, 0),
		ExpiresAt: noon.AddDate(0, 0, -1), EndedAt: noon.AddDate(0, 0, -1), Origin: wallet.Given, Reason: "sorry for 2026-02-03",
	}
	emptied  = wallet.Source{ID: "card_2", Payer: acme.ID, Payment: wallet.ByCard, Face: cny("100"), Balance: cny("0"), Since: noon, Origin: wallet.Given}
	recalled = wallet.Source{ID: "vchr_2", Payer: acme.ID, Payment: wallet.ByVoucher, Face: cny("100"), Balance: cny("0"), Since: noon, EndedAt: noon, Origin: wallet.Given}
)

func cardsTerms() catalog.Cards {
	v, err := catalog.Default().At(period.MustParseDay("2026-03-12"))
	if err != nil {
		panic(err)
	}
	return v.Cards
}

// exampleWallet is a wallet with something of every kind.
func exampleWallet(ctx context.Context) Wallet {
	has := wallet.Balances{Cash: cny("240"), Voucher: cny("12.35"), FullReduction: cny("1000"), Card: cny("9988.5"), Owed: cny("0")}
	p := Wallet{
		Frame: frame(ctx, web.T(ctx, "bc.nav.wallet"), "wallet"), Form: web.Blank(), At: noon, Zone: hangzhou, Currency: money.CNY,
		CardsSold: true, Balances: has, PaidAt: period.MustParseDay("2026-03-12").End(hangzhou),
	}
	means := wallet.Deduction{Payer: acme.ID, Currency: money.CNY, At: p.PaidAt, Sources: []wallet.Source{
		boughtCard, earnedVoucher, gift, {Payment: wallet.ByCash, Account: wallet.Cash(acme.ID), Balance: has.Cash},
	}}
	v, err := catalog.Default().At(period.MustParseDay("2026-03-12"))
	if err != nil {
		panic(err)
	}
	if p.Orders, err = ordersOf(means, []site.Method{site.BillingCenter, site.Alibaba}, v); err != nil {
		panic(err)
	}
	return p
}

func wallet1() map[string]page {
	owing := wallet.Balances{Cash: cny("600"), Voucher: cny("0"), FullReduction: cny("0"), Card: cny("0"), Owed: cny("61.5")}
	return map[string]page{
		"wallet-empty": func(ctx context.Context) templ.Component {
			p := exampleWallet(ctx)
			p.Balances, p.Orders, p.CardsSold = wallet.Balances{Cash: cny("0"), Owed: cny("0")}, nil, false
			return walletPage(p)
		},
		"wallet": func(ctx context.Context) templ.Component {
			p := exampleWallet(ctx)
			p.Rows = []wallet.Source{gift, earnedVoucher, boughtCard}
			p.Next = &NextBills{Bills: 2, Total: cny("38.15"), Parts: []PaidPart{
				{wallet.ByVoucher, cny("12.35"), gift.ID}, {wallet.ByFullReduction, cny("24.70"), earnedVoucher.ID}, {wallet.ByCard, cny("1.10"), boughtCard.ID},
			}}
			return walletPage(p)
		},
		"wallet-all": func(ctx context.Context) templ.Component {
			p := exampleWallet(ctx)
			p.All, p.Rows = true, []wallet.Source{gift, earnedVoucher, boughtCard, sorry, emptied, recalled}
			p.Form = refused(web.Blank(activationField, "7K3M-9Q2X-4V8B-1N6D"), wallet.ErrActivationForm.On(activationField))
			p.Pager = web.Pager{Older: walletPath + "?show=all&after=vchr_1"}
			return walletPage(p)
		},
		"source": func(ctx context.Context) templ.Component {
			return sourcePage(SourceView{Frame: frame(ctx, "Voucher", "wallet"), At: noon, Zone: hangzhou, Source: gift, Rows: []MovementRow{
				{Number: 9, At: noon, Kind: wallet.Charge, Cause: "cn1-2026-000042", Href: Prefix + "/bills/bill_1", Amount: cny("-37.65")},
				{Number: 4, At: gift.Since, Kind: wallet.VoucherIssued, Cause: gift.ID, Amount: cny("50")},
			}})
		},
		"source-swallowed": func(ctx context.Context) templ.Component {
			return sourcePage(SourceView{Frame: frame(ctx, "Card", "wallet"), At: noon, Zone: hangzhou, Source: emptied})
		},
		"source-ended": func(ctx context.Context) templ.Component {
			return sourcePage(SourceView{Frame: frame(ctx, "Voucher", "wallet"), At: noon, Zone: hangzhou, Source: recalled})
		},
		"card-buy": func(ctx context.Context) templ.Component {
			return buyCardPage(BuyCard{Frame: frame(ctx, "Buy", "wallet"), Form: refused(web.Blank("amount", "150"), wallet.ErrCardFace.On("amount")), Currency: money.CNY, Balances: owing, Terms: cardsTerms()})
		},
		"card-confirm": func(ctx context.Context) templ.Component {
			big := wallet.Balances{Cash: cny("12000"), Owed: cny("61.5")}
			q, err := wallet.QuoteCard(acme, cardsTerms(), big, cny("10000"), noon)
			if err != nil {
				panic(err)
			}
			return confirmCardPage(ConfirmCard{Frame: frame(ctx, "Confirm", "wallet"), Form: web.Blank(), Quote: q, Balances: big, Reference: "ref_0123456789abcdefghijklmnopqrstuv"})
		},
		"card-confirm-changed": func(ctx context.Context) templ.Component {
			q, err := wallet.QuoteCard(acme, cardsTerms(), owing, cny("500"), noon)
			if err != nil {
				panic(err)
			}
			return confirmCardPage(ConfirmCard{Frame: frame(ctx, "Confirm", "wallet"), Form: refused(web.Blank(), ErrQuoteChanged), Quote: q, Balances: owing, Reference: "ref_0123456789abcdefghijklmnopqrstuv"})
		},
		"movements-wallet": func(ctx context.Context) templ.Component {
			return movementsPage(Movements{Frame: frame(ctx, "Movements", "movements"), Form: web.Blank("kind", "card"), Kind: "card", Currency: money.CNY, Zone: hangzhou, Rows: []MovementRow{
				{Number: 7, ID: "ltxn_7", At: noon, Kind: wallet.CardIssued, Cause: sourceTitle(ctx, wallet.ByCard, boughtCard.ID) + " · " + originText(ctx, boughtCard), Href: sourcePath(boughtCard.ID), Amount: cny("0"),
					Parts: []PaidPart{{wallet.ByCard, cny("9988.5"), boughtCard.ID}, {wallet.ByCash, cny("-10000"), ""}, {wallet.Owed, cny("11.5"), ""}}, Cash: cny("240"), Owed: cny("0")},
			}})
		},
	}
}

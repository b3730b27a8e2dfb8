package notify_test

import (
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/prepaid"
	"tollgate.dev/internal/wallet"
)

func packageOf(size string) prepaid.Package {
	first, last := period.MustParseDay("2026-03-01"), period.MustParseDay("2027-02-28")
	return prepaid.Package{ID: "pkge_0123456789", Site: "cn1", First: first, Last: last, Terms: []prepaid.Term{
		{First: first, Last: last, Size: size, Workspaces: []string{"wksp_1", "wksp_2"}},
	}}
}

// receiptOf is that of a package that cash and a voucher paid, or of an upgrade.
func receiptOf(language string, kind prepaid.ChargeKind) prepaid.Receipt {
	cash, voucher := money.MustParse("41000", money.CNY), money.MustParse("1000", money.CNY)
	p := packageOf("starter")
	r := prepaid.Receipt{
		UserName: "acme-billing", Email: "finance@example.com", Language: language, Package: p, Name: "starter", From: p.First,
		Charge: prepaid.Charge{Kind: kind, Total: money.MustParse("42000", money.CNY), At: at, Lines: []prepaid.ChargeLine{{
			Item: "starter", Amount: money.MustParse("42000", money.CNY), Paid: []wallet.Part{{Payment: wallet.ByVoucher, Amount: voucher}, {Payment: wallet.ByCash, Amount: cash}},
		}}},
	}
	if kind == prepaid.Upgraded {
		r.Name, r.From = "growth", p.First.Add(10)
	}
	return r
}

func expiringOf(language string, days int) prepaid.Expiring {
	return prepaid.Expiring{UserName: "acme-billing", Email: "finance@example.com", Language: language, Package: packageOf("enterprise"), Days: days, At: at}
}

package notify_test

import (
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/wallet"
)

func reader(language string) wallet.Reader {
	return wallet.Reader{Payer: "bcac_1", UserName: "acme-billing", Email: "finance@example.com", Language: language}
}

func sourceOf(id string, kind wallet.Payment, face, left string) wallet.Source {
	return wallet.Source{
		ID: id, Payment: kind, Face: money.MustParse(face, money.CNY), Balance: money.MustParse(left, money.CNY), Since: at,
		ExpiresAt: at.AddDate(1, 0, 0).Truncate(24 * 3600e9).Add(16 * 3600e9), // midnight in China
	}
}

func issued(language string, origin wallet.Origin, kind wallet.Payment) wallet.SourceIssued {
	e := wallet.SourceIssued{Reader: reader(language), IssuedAt: at, Source: sourceOf("vchr_0123456789", kind, "1000", "1000")}
	e.Source.Origin = origin
	switch origin {
	case wallet.Activated:
		e.Source.Tail = "7Q2X"
	case wallet.Given:
		e.Source.Reason = "Sorry for 2026-02-28"
		if kind == wallet.ByCard {
			e.Source.Balance = money.MustParse("940", money.CNY)
		}
	case wallet.Bought:
		e.Source = sourceOf("card_0123456789", kind, "10000", "9988.5")
		e.Source.Origin = origin
		e.Earned = sourceOf("vchr_9876543210", wallet.ByFullReduction, "1000", "1000")
	}
	return e
}

func ending() []wallet.Source {
	card := sourceOf("card_0123456789", wallet.ByCard, "100", "1.5")
	card.ExpiresAt = at.AddDate(0, 0, 6)
	first := sourceOf("vchr_0123456789", wallet.ByVoucher, "30", "12.5")
	return []wallet.Source{card, first}
}

func adjusted(language, amount, bill, cash, owed string) wallet.BalanceAdjusted {
	return wallet.BalanceAdjusted{
		Reader: reader(language), Cash: money.MustParse(cash, money.CNY), Owed: money.MustParse(owed, money.CNY),
		Adjustment: wallet.Adjustment{Amount: money.MustParse(amount, money.CNY), Reason: "Logs of 2026-02-28 were counted twice", BillNumber: bill, DecidedAt: at},
	}
}

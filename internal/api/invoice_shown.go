package api

import (
	"time"

	"tollgate.dev/internal/invoice"
)

// Invoice is a request for one.
type Invoice struct {
	ID          string         `json:"id"`
	Number      string         `json:"number" example:"IR-CNY-2026-000007"`
	AccountID   string         `json:"account_id"`
	State       string         `json:"state" enum:"requested,issued,sent,rejected,withdrawn,reversed"`
	Total       Amount         `json:"total"`
	Company     string         `json:"company" doc:"As it was certified when requested."`
	TaxpayerID  string         `json:"taxpayer_id"`
	Profile     InvoiceProfile `json:"profile" doc:"As it was when requested."`
	Address     InvoiceAddress `json:"address" doc:"As it was when requested."`
	Waived      bool           `json:"waived" doc:"Whether the cash balance was not asked for."`
	RequestedAt time.Time      `json:"requested_at"`
	TaxNumber   string         `json:"tax_number,omitempty" doc:"Of the tax invoice."`
	TaxDay      string         `json:"tax_day,omitempty" format:"date"`
	File        string         `json:"file,omitempty" doc:"The name of the invoice's file, where there is one."`
	IssuedAt    *time.Time     `json:"issued_at,omitempty"`
	Delivery    string         `json:"delivery,omitempty" doc:"The tracking number, or the address that it was mailed to."`
	SentAt      *time.Time     `json:"sent_at,omitempty"`
	ClosedAt    *time.Time     `json:"closed_at,omitempty" doc:"When it was rejected, withdrawn or reversed."`
	Reason      string         `json:"reason,omitempty" doc:"Of a rejection or reversal."`
	Reversal    string         `json:"reversal,omitempty" doc:"The number of the reversal, without gaps." example:"RL-CNY-2026-000001"`
	RedNumber   string         `json:"red_tax_number,omitempty" doc:"Of the red-letter invoice that reversed it."`
	RedDay      string         `json:"red_tax_day,omitempty" format:"date"`
	Lines       []InvoiceLine  `json:"lines,omitempty" doc:"Only where one request is asked for."`
}

// InvoiceLine is one month or purchase on a request.
type InvoiceLine struct {
	Kind   string `json:"kind"`
	ItemID string `json:"item_id"`
	Label  string `json:"label"`
	Month  string `json:"month,omitempty"`
	Day    string `json:"day" format:"date"`
	Total  Amount `json:"total" doc:"What the item came to."`
	Cash   Amount `json:"cash" doc:"Paid in cash at once."`
	Repaid Amount `json:"repaid" doc:"Arrears repaid in cash since."`
	Amount Amount `json:"amount" doc:"On the invoice."`
}

func invoiceOf(r invoice.Request) Invoice {
	shown := Invoice{
		ID: r.ID, Number: r.Number, AccountID: r.AccountID, State: string(r.State), Total: amountOf(r.Total), Company: r.Enterprise.Company, TaxpayerID: r.Enterprise.TaxpayerID,
		Profile: invoiceProfileOf(r.Profile), Address: invoiceAddressOf(r.Address), Waived: r.Waived, RequestedAt: r.RequestedAt.UTC(),
		TaxNumber: r.TaxNumber, File: r.FileName, IssuedAt: utc(r.IssuedAt), Delivery: r.Delivery, SentAt: utc(r.SentAt), ClosedAt: utc(r.ClosedAt), Reason: r.Reason,
	}
	if !r.TaxDay.IsZero() {
		shown.TaxDay = r.TaxDay.String()
	}
	if r.Red.Number != "" {
		shown.Reversal, shown.RedNumber, shown.RedDay = r.Red.Number, r.Red.TaxNumber, r.Red.TaxDay.String()
	}
	for _, l := range r.Lines {
		shown.Lines = append(shown.Lines, InvoiceLine{
			Kind: string(l.Kind), ItemID: l.ItemID, Label: l.Label, Month: l.Month, Day: l.Day.String(),
			Total: amountOf(l.Total), Cash: amountOf(l.Cash), Repaid: amountOf(l.Repaid), Amount: amountOf(l.Amount),
		})
	}
	return shown
}

func wholeInvoice(r invoice.Request, err error) (*Invoice, error) {
	if err != nil {
		return nil, err
	}
	shown := invoiceOf(r)
	return &shown, nil
}

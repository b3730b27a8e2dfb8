package api

import (
	"strconv"
	"time"
	"tollgate.dev/internal/account"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// vouchers is what the operator does with codes, vouchers and cards.
func (s *server) vouchers() []route {
	const batches, of = "/operator/code-batches", "/operator/accounts/{account_id}/sources"
	const batch = batches + "/{batch_id}"
	return []route{
		reads(onDuty(get, batches, account.Look, "list-code-batches", "Batches of activation codes, the newest first"), listBatches),
		once(onDuty(post, batches, account.IssueVouchers, "make-code-batch", "Say what codes there shall be"), created, makeBatch),
		reads(onDuty(get, batch, account.Look, "show-code-batch", "A batch and what became of its codes"), showBatch),
		writes(onDuty(post, batch+"/export", account.IssueVouchers, "export-codes", "Make the codes and hand them out, once"), created, exportCodes),
		reads(onDuty(get, batch+"/codes", account.Look, "list-codes", "The codes of a batch, by their ends"), listCodes),
		writes(onDuty(post, batch+"/revocation", account.IssueVouchers, "revoke-codes", "End the unused codes of a batch, or one of them"), ok, revokeCodes),
		reads(onDuty(get, of, account.Look, "list-account-sources", "An account's vouchers and cards, the newest first"), listAccountSources),
		once(onDuty(post, of, account.IssueVouchers, "assign-source", "Give an account a voucher or card"), created, assignSource),
		writes(onDuty(post, "/operator/sources/{source_id}/withdrawal", account.IssueVouchers, "take-back-source", "Take back what was given"), ok, takeBackSource),
	}
}

func (c *call) by() wallet.By { return wallet.By{Operator: c.AccountID, Address: c.Address} }

// CodeBatch is activation codes that were made together.
type CodeBatch struct {
	ID         string     `json:"id"`
	Kind       string     `json:"kind" enum:"voucher,full_reduction,card"`
	Face       Amount     `json:"face"`
	Size       int        `json:"size" doc:"How many codes."`
	Used       int        `json:"used"`
	Revoked    int        `json:"revoked"`
	RedeemBy   string     `json:"redeem_by,omitempty" format:"date" doc:"The last day on which they can be activated."`
	Days       int        `json:"days,omitempty" doc:"For so many days after it was activated, a voucher holds."`
	Until      string     `json:"until,omitempty" format:"date" doc:"Or through this day."`
	Note       string     `json:"note,omitempty"`
	MadeAt     time.Time  `json:"made_at"`
	ExportedAt *time.Time `json:"exported_at,omitempty" doc:"Missing: the codes have not been handed out."`
}

func batchOf(b store.BatchRow) CodeBatch {
	shown := CodeBatch{
		ID: b.ID, Kind: string(b.Payment), Face: amountOf(b.Face), Size: b.Size, Used: int(b.Used), Revoked: int(b.Revoked),
		RedeemBy: b.RedeemBy.String(), Days: b.Holds.Days, Until: b.Holds.Until.String(), Note: b.Note, MadeAt: b.MadeAt.UTC(),
	}
	if !b.ExportedAt.IsZero() {
		at := b.ExportedAt.UTC()
		shown.ExportedAt = &at
	}
	return shown
}

func listBatches(c *call, in *struct{ Paged }) (*Page[CodeBatch], error) {
	place, err := in.after("batches")
	if err != nil {
		return nil, err
	}
	all, err := c.tx.Batches(c, place, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "batches", all, func(b store.BatchRow) string { return b.ID }, batchOf), nil
}

// newBatch is what codes there shall be.
type newBatch struct {
	Keyed
	Body struct {
		Kind     string `json:"kind" enum:"voucher,full_reduction,card"`
		Amount   string `json:"amount" maxLength:"32" doc:"The face of each: a decimal." example:"50"`
		Currency string `json:"currency" enum:"CNY,USD"`
		Size     int    `json:"size" doc:"1 to 10,000." example:"100"`
		RedeemBy string `json:"redeem_by,omitempty" maxLength:"10" doc:"The last day on which they can be activated." example:"2026-12-31"`
		Days     int    `json:"days,omitempty" doc:"For how many days after its activation a voucher holds."`
		Until    string `json:"until,omitempty" maxLength:"10" doc:"Or through which day."`
		Note     string `json:"note,omitempty" maxLength:"1024"`
	}
}

// day reads an optional day.
func day(text, field string) (period.Day, error) {
	if text == "" {
		return period.Day{}, nil
	}
	d, err := period.ParseDay(text)
	if err != nil {
		return d, fault.From(err).On(field)
	}
	return d, nil
}

func makeBatch(c *call, in *newBatch) (*CodeBatch, error) {
	b := wallet.Batch{Payment: wallet.Payment(in.Body.Kind), Size: in.Body.Size, Note: in.Body.Note, Holds: wallet.Validity{Days: in.Body.Days}}
	var err error
	if b.Face, err = money.Parse(in.Body.Amount, money.Currency(in.Body.Currency)); err != nil {
		return nil, fault.From(err).On("amount")
	}
	if b.RedeemBy, err = day(in.Body.RedeemBy, "redeem_by"); err != nil {
		return nil, err
	}
	if b.Holds.Until, err = day(in.Body.Until, "until"); err != nil {
		return nil, err
	}
	if b, err = wallet.MakeBatch(c, c.tx, b, c.by(), c.at); err != nil {
		return nil, err
	}
	shown := batchOf(store.BatchRow{Batch: b})
	return &shown, nil
}

type oneBatch struct {
	BatchID string `path:"batch_id" maxLength:"64"`
}

func showBatch(c *call, in *oneBatch) (*CodeBatch, error) {
	b, err := c.tx.Batch(c, in.BatchID)
	if err != nil {
		return nil, err
	}
	shown := batchOf(b)
	return &shown, nil
}

// ExportedCodes is the codes of a batch, handed out this once.
type ExportedCodes struct {
	BatchID string   `json:"batch_id"`
	Codes   []string `json:"codes" nullable:"false" doc:"Kept nowhere: whoever loses them makes another batch."`
}

// exportCodes takes no Idempotency-Key: its answer must not be kept.
func exportCodes(c *call, in *oneBatch) (*ExportedCodes, error) {
	b, codes, err := wallet.Export(c, c.tx, in.BatchID, c.by(), c.at)
	if err != nil {
		return nil, err
	}
	return &ExportedCodes{b.ID, codes}, nil
}

// Code is an activation code, of which the end is known.
type Code struct {
	Number    int        `json:"number" doc:"In the batch, from 1."`
	Tail      string     `json:"tail" doc:"Its last four characters."`
	State     string     `json:"state" enum:"unused,used,revoked"`
	UserName  string     `json:"user_name,omitempty" doc:"Who activated it."`
	SourceID  string     `json:"source_id,omitempty" doc:"What came of it."`
	UsedAt    *time.Time `json:"used_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
}

func codeOf(c store.CodeRow) Code {
	shown := Code{Number: c.Number, Tail: c.Tail, State: "unused", UserName: c.UserName, SourceID: c.SourceID}
	if !c.UsedAt.IsZero() {
		at := c.UsedAt.UTC()
		shown.State, shown.UsedAt = "used", &at
	}
	if !c.RevokedAt.IsZero() {
		at := c.RevokedAt.UTC()
		shown.State, shown.RevokedAt = "revoked", &at
	}
	return shown
}

func listCodes(c *call, in *struct {
	Paged
	BatchID string `path:"batch_id" maxLength:"64"`
	Tail    string `query:"tail" maxLength:"4" doc:"Only codes that end so."`
}) (*Page[Code], error) {
	if _, err := c.tx.Batch(c, in.BatchID); err != nil {
		return nil, err
	}
	place, err := in.after("codes")
	if err != nil {
		return nil, err
	}
	after := 0
	if place != "" {
		if after, err = strconv.Atoi(place); err != nil {
			return nil, ErrCursor.On("cursor")
		}
	}
	all, err := c.tx.Codes(c, in.BatchID, in.Tail, after, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "codes", all, func(r store.CodeRow) string { return strconv.Itoa(r.Number) }, codeOf), nil
}

type revocation struct {
	BatchID string `path:"batch_id" maxLength:"64"`
	Body    struct {
		Number int `json:"number,omitempty" minimum:"0" doc:"The code of this number; all unused ones where nothing is said."`
	}
}

func revokeCodes(c *call, in *revocation) (*CodeBatch, error) {
	if _, err := wallet.Revoke(c, c.tx, in.BatchID, in.Body.Number, c.by(), c.at); err != nil {
		return nil, err
	}
	return showBatch(c, &oneBatch{in.BatchID})
}

func listAccountSources(c *call, in *struct {
	Paged
	AccountID string `path:"account_id" maxLength:"64"`
}) (*Page[Source], error) {
	if _, err := c.tx.BillingByID(c, in.AccountID); err != nil {
		return nil, err
	}
	return c.sources(in.Paged, in.AccountID)
}

type assignment struct {
	Keyed
	AccountID string `path:"account_id" maxLength:"64"`
	Body      struct {
		Kind    string `json:"kind" enum:"voucher,full_reduction,card"`
		Amount  string `json:"amount" maxLength:"32" doc:"The face: a decimal, in the account's currency." example:"50"`
		Through string `json:"through,omitempty" maxLength:"10" doc:"The last day on which it holds; a card may have none." example:"2026-12-31"`
		Reason  string `json:"reason" maxLength:"1024" doc:"The payer reads it, too."`
	}
}

func assignSource(c *call, in *assignment) (*Source, error) {
	payer, err := c.tx.BillingByID(c, in.AccountID)
	if err != nil {
		return nil, err
	}
	a := wallet.Assignment{Payment: wallet.Payment(in.Body.Kind), Reason: in.Body.Reason}
	if a.Amount, err = money.Parse(in.Body.Amount, payer.Currency); err != nil {
		return nil, fault.From(err).On("amount")
	}
	if a.Through, err = day(in.Body.Through, "through"); err != nil {
		return nil, err
	}
	made, err := wallet.Assign(c, c.tx, payer, a, c.by(), c.at)
	if err != nil {
		return nil, err
	}
	shown := sourceOf(made, c.at)
	return &shown, nil
}

func takeBackSource(c *call, in *struct {
	SourceID string `path:"source_id" maxLength:"64"`
	Body     struct {
		Reason string `json:"reason" maxLength:"1024"`
	}
}) (*Source, error) {
	s, err := wallet.TakeBack(c, c.tx, in.SourceID, in.Body.Reason, c.by(), c.at)
	if err != nil {
		return nil, err
	}
	if s, err = c.tx.SourceOf(c, s.Payer, s.ID); err != nil {
		return nil, err
	}
	shown := sourceOf(s, c.at)
	return &shown, nil
}

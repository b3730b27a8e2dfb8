package billingcenter

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tollgate.dev/internal/export"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// ErrLanguage is asking for a document in a language that it is not written in.
var ErrLanguage = fault.New(fault.Invalid, "language_unknown", "This document is written in en and zh.")

// Statements is the list of monthly bills.
type Statements struct {
	Frame    web.Frame
	Currency money.Currency
	Zone     *time.Location
	Rows     []statement.Statement
	Open     period.Month // the month that is going on
	ReadyAt  time.Time    // when its statement will be made
	Pager    web.Pager
}

// StatementView is the page of one.
type StatementView struct {
	Frame     web.Frame
	Statement statement.Statement
	Zone      *time.Location
	Issuer    string
}

// statementsPerPage is five years.
const statementsPerPage = 60

func (b *Console) statementsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Statements{Currency: a.Currency, Zone: zoneOf(a.Currency)}
	page.Open = period.DayOf(b.Now(), page.Zone).Month()
	page.ReadyAt = statement.DueAt(a.Currency, page.Open)
	before := r.URL.Query().Get("before")
	if before != "" {
		if _, err := period.ParseMonth(before); err != nil {
			return err
		}
		page.Pager.Newer = Prefix + "/statements"
	}
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		page.Rows, err = tx.StatementsOf(ctx, a.ID, before, statementsPerPage+1)
		return err
	})
	if err != nil {
		return err
	}
	if len(page.Rows) > statementsPerPage {
		page.Rows = page.Rows[:statementsPerPage]
		page.Pager.Older = Prefix + "/statements?before=" + page.Rows[statementsPerPage-1].Month.String()
	}
	page.Frame = b.frame(r, web.T(ctx, "statement.list"), "statements")
	return web.Render(w, r, http.StatusOK, statementsPage(page))
}

// statement is the one of the address, if it is this account's.
func (b *Console) statement(r *http.Request) (s statement.Statement, err error) {
	ctx := r.Context()
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		s, err = tx.Statement(ctx, payer(ctx).ID, r.PathValue("statement"))
		return err
	})
	return s, err
}

func (b *Console) statementPage(w http.ResponseWriter, r *http.Request) error {
	s, err := b.statement(r)
	if err != nil {
		return err
	}
	page := StatementView{Statement: s, Zone: zoneOf(s.Currency), Issuer: b.Beneficiary.Holder}
	page.Frame = b.frame(r, web.T(r.Context(), "statement.title", "month", s.Month.String()), "statements")
	return web.Render(w, r, http.StatusOK, statementPage(page))
}

// Document is a statement as a file.
type Document struct {
	Name  string
	Type  string // its media type
	Bytes []byte
}

// StatementDocument draws a statement: a PDF in en or zh, or a CSV with a row
// for each workspace and item.
func (b *Console) StatementDocument(ctx context.Context, s statement.Statement, format, language string) (Document, error) {
	if format == "csv" {
		text, err := export.CSV(export.StatementTable(s))
		return Document{s.Number + ".csv", export.Type, text}, err
	}
	if !slices.Contains(web.Languages(), language) {
		return Document{}, ErrLanguage.On("language")
	}
	text, err := drawStatement(web.WithLanguage(ctx, language, ""), StatementView{Statement: s, Zone: zoneOf(s.Currency), Issuer: b.Beneficiary.Holder})
	return Document{s.Number + "." + language + ".pdf", "application/pdf", text}, err
}

func (b *Console) statementCSV(w http.ResponseWriter, r *http.Request) error {
	s, err := b.statement(r)
	if err != nil {
		return err
	}
	return b.sendStatement(w, r, s, "csv", "")
}

// statementPDF is in the language that is asked for, else in that of the page.
func (b *Console) statementPDF(w http.ResponseWriter, r *http.Request) error {
	s, err := b.statement(r)
	if err != nil {
		return err
	}
	language := r.URL.Query().Get("language")
	if language == "" {
		language = web.Language(r.Context())
	}
	return b.sendStatement(w, r, s, "pdf", language)
}

func (b *Console) sendStatement(w http.ResponseWriter, r *http.Request, s statement.Statement, format, language string) error {
	d, err := b.StatementDocument(r.Context(), s, format, language)
	if err != nil {
		return err
	}
	web.Download(w, d.Name, d.Type, d.Bytes)
	return nil
}

// pdfPath is the statement's document in a language.
func pdfPath(s statement.Statement, language string) string {
	return statementPath(s) + "/statement.pdf?language=" + language
}

func statementPath(s statement.Statement) string { return Prefix + "/statements/" + s.ID }

// billsOfMonth are the daily bills of a month, those of a workspace or of all.
func billsOfMonth(workspaceID string, m period.Month) string {
	return Prefix + "/bills?" + BillFilter{WorkspaceID: workspaceID, From: m.First().String(), To: m.Last().String()}.query()
}

package api_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"tollgate.dev/client"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
)

// stated makes the statements of March.
func (x *team) stated() {
	x.t.Helper()
	x.clock.Set(time.Date(2026, 4, 3, 20, 0, 0, 0, time.UTC))
	desk := statement.Desk{Catalog: catalog.Default(), Write: func(ctx context.Context, f func(statement.Tx) error) error {
		return x.store.Write(ctx, func(tx *store.Tx) error { return f(tx) })
	}}
	run, err := desk.IssueMonth(x.t.Context(), statement.IssueMonth{Currency: money.CNY, Month: "2026-03"}, x.clock.Now())
	if must(x.t, run, err).Statements != 1 {
		x.t.Fatalf("made %+v", run)
	}
}

func TestAStatementIsReadByItsPayerAlone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, x := t.Context(), newTeam(t, s)
		none, err := x.center.Statements(ctx, client.Page{})
		if len(must(t, none, err).Items) != 0 {
			t.Errorf("before any: %+v", none)
		}
		x.spent()
		x.stated()
		list, err := x.center.Statements(ctx, client.Page{})
		if len(must(t, list, err).Items) != 1 || list.NextCursor != "" {
			t.Fatalf("listed %+v", list)
		}
		brief := list.Items[0]
		whole, err := x.center.Statement(ctx, brief.ID)
		must(t, whole, err)
		var bills int64
		for _, w := range whole.Workspaces {
			bills += w.Bills
		}
		if whole.Number != "ST-CNY-2026-000001" || whole.Month != "2026-03" || len(whole.Workspaces) != 2 || bills != whole.Bills || whole.Bills != 6 {
			t.Errorf("the statement is %+v", whole)
		}
		if brief.Total != whole.Total || len(brief.Workspaces) != 0 || whole.Paid.Cash != "7.77" || whole.DueBy == "" {
			t.Errorf("listed as %+v", brief)
		}
		csv, err := x.center.StatementFile(ctx, whole.ID, "csv", "")
		if !bytes.Contains(must(t, csv, err), []byte("\nST-CNY-2026-000001,2026-03,")) {
			t.Errorf("the table is %q", csv)
		}
		for _, language := range []string{"", "en", "zh"} {
			pdf, err := x.center.StatementFile(ctx, whole.ID, "pdf", language)
			if !bytes.HasPrefix(must(t, pdf, err), []byte("%PDF-")) {
				t.Errorf("in %q: %.20q", language, pdf)
			}
		}
		rival := x.asBilling(x.billing("rival", money.CNY))
		_, err = rival.Statement(ctx, whole.ID)
		refused(t, err, "statement_unknown")
		_, err = rival.StatementFile(ctx, whole.ID, "csv", "")
		refused(t, err, "statement_unknown")
		_, err = x.center.StatementFile(ctx, whole.ID, "docx", "")
		refused(t, err, "field_invalid")
		_, err = x.center.StatementFile(ctx, whole.ID, "pdf", "fr")
		refused(t, err, "language_unknown")
		_, err = x.center.Statements(ctx, client.Page{Cursor: "bm9uc2Vuc2U"})
		refused(t, err, "cursor_invalid")
	})
}

func TestTheFilesOfAStatementAreWhereItSays(t *testing.T) {
	t.Parallel()
	x := newTeam(t, storetest.SQLite(t))
	x.spent()
	x.stated()
	list, err := x.center.Statements(t.Context(), client.Page{})
	for _, d := range must(t, list, err).Items[0].Documents {
		a := x.send(x.center.Session(), raw{method: "GET", path: strings.TrimPrefix(d.Path, "/api/v1")})
		want := map[string]string{"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}[d.Format]
		if a.status != 200 || a.header.Get("Content-Type") != want || !strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="ST-CNY-2026-000001.`) {
			t.Errorf("%s: %d %v", d.Path, a.status, a.header)
		}
	}
}

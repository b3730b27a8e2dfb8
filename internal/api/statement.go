package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
)

// statements are the monthly documents of a Billing Center account.
func (s *server) statements() []route {
	const all, one = "/billing-center/statements", "/billing-center/statements/{statement_id}"
	return []route{
		reads(line(get, all, BillingCenter, "", "list-statements", "Monthly statements, the newest first"), listStatements),
		reads(line(get, one, BillingCenter, "", "show-statement", "A monthly statement, by workspace and item"), showStatement),
		files(line(get, one+"/document", BillingCenter, "", "download-statement", "A monthly statement as a PDF, or its parts as CSV"), s.downloadStatement),
	}
}

// Statement is what an account's workspaces cost in a month. It never changes.
type Statement struct {
	ID         string               `json:"id"`
	Number     string               `json:"number" example:"ST-CNY-2026-000123"`
	Month      string               `json:"month" example:"2026-03"`
	Currency   string               `json:"currency" doc:"Of all amounts."`
	Bills      int64                `json:"bills" doc:"How many daily bills it sums."`
	LateBills  int64                `json:"late_bills" doc:"How many of them are of earlier months."`
	LateTotal  string               `json:"late_total" doc:"A decimal: their part of the total."`
	Total      string               `json:"total" doc:"A decimal."`
	Paid       Paid                 `json:"paid" doc:"The total by what paid it."`
	Owed       string               `json:"owed" doc:"A decimal: by the account, over all, when the statement was made."`
	DueBy      string               `json:"due_by,omitempty" format:"date" doc:"By when that must be paid; missing where nothing is owed."`
	IssuedAt   time.Time            `json:"issued_at"`
	Adjusted   string               `json:"adjusted" doc:"A decimal: the sum of the adjustments, above zero in the account's favour. It is no part of the total."`
	Documents  []StatementDocument  `json:"documents" nullable:"false" doc:"The same as files."`
	Workspaces []StatementWorkspace `json:"workspaces,omitempty" doc:"Only where one statement is asked for."`
	Items      []StatementItem      `json:"items,omitempty" doc:"Of all workspaces. Only where one statement is asked for."`
	Packages   []StatementPackage   `json:"packages,omitempty" doc:"What annual packages cost besides. They are in the total, and in no workspace's. Only where one statement is asked for."`

	Adjustments []Correction `json:"adjustments,omitempty" doc:"Corrections of what the account has, booked in the month or before and on no earlier statement. Only where one statement is asked for."`
}

// StatementDocument is a statement as a file.
type StatementDocument struct {
	Format   string `json:"format" enum:"pdf,csv"`
	Language string `json:"language,omitempty" enum:"en,zh" doc:"A CSV has none."`
	Path     string `json:"path" doc:"Below the address of the installation; it needs the same sign-in."`
}

// StatementWorkspace is the part of one workspace.
type StatementWorkspace struct {
	WorkspaceID string          `json:"workspace_id"`
	Name        string          `json:"name" doc:"When the statement was made."`
	Site        string          `json:"site"`
	Bills       int64           `json:"bills"`
	Total       string          `json:"total" doc:"A decimal."`
	Paid        Paid            `json:"paid"`
	Items       []StatementItem `json:"items" nullable:"false"`
}

// StatementItem is the part of one billing item.
type StatementItem struct {
	Item  string `json:"item" example:"logs"`
	Lines int64  `json:"lines" doc:"On bills."`
	Total string `json:"total" doc:"A decimal."`
	Paid  Paid   `json:"paid"`
}

// StatementPackage is what a package cost in the month.
type StatementPackage struct {
	PackageID string `json:"package_id"`
	Kind      string `json:"kind" enum:"package,upgrade,traffic_package"`
	What      string `json:"what" doc:"The size, or the item of the traffic packages." example:"starter"`
	Charges   int64  `json:"charges" doc:"How many: one a day of a traffic package."`
	Total     string `json:"total" doc:"A decimal."`
	Paid      Paid   `json:"paid"`
}

// documents lists the files of a statement.
func documents(id string) []StatementDocument {
	path := Prefix + "/billing-center/statements/" + id + "/document?format="
	return []StatementDocument{{"pdf", "en", path + "pdf&language=en"}, {"pdf", "zh", path + "pdf&language=zh"}, {"csv", "", path + "csv"}}
}

// statementOf is a statement without its parts.
func statementOf(st statement.Statement) Statement {
	shown := Statement{
		ID: st.ID, Number: st.Number, Month: st.Month.String(), Currency: string(st.Currency), Bills: st.Bills,
		LateBills: st.Late.Bills, LateTotal: money.Of(st.Late.Total.Minor(), st.Currency).String(), Total: st.Total.String(), Paid: paidOf(st.Paid),
		Owed: st.Owed.String(), IssuedAt: st.IssuedAt.In(statement.Zone(st.Currency)), Documents: documents(st.ID),
	}
	if sum, err := st.Adjusted(); err == nil { // checked when it was read
		shown.Adjusted = sum.String()
	}
	if !st.DueBy.IsZero() {
		shown.DueBy = st.DueBy.String()
	}
	return shown
}

func statementItems(items []statement.Item) []StatementItem {
	list := make([]StatementItem, 0, len(items))
	for _, it := range items {
		list = append(list, StatementItem{it.ID, it.Lines, it.Total.String(), paidOf(it.Paid)})
	}
	return list
}

func listStatements(c *call, in *struct{ Paged }) (*Page[Statement], error) {
	before, err := in.after("statements")
	if err != nil {
		return nil, err
	}
	if _, err := period.ParseMonth(before); before != "" && err != nil {
		return nil, ErrCursor.On("cursor")
	}
	list, err := c.tx.StatementsOf(c, c.AccountID, before, in.limit()+1)
	if err != nil {
		return nil, err
	}
	return pageFrom(in.Paged, "statements", list, func(st statement.Statement) string { return st.Month.String() }, statementOf), nil
}

// OfStatement names a statement.
type OfStatement struct {
	StatementID string `path:"statement_id" maxLength:"64"`
}

func showStatement(c *call, in *OfStatement) (*Statement, error) {
	st, err := c.tx.Statement(c, c.AccountID, in.StatementID)
	if err != nil {
		return nil, err
	}
	shown := statementOf(st)
	shown.Items, shown.Adjustments = statementItems(st.Items), corrections(st.Adjustments)
	for _, p := range st.Packages {
		shown.Packages = append(shown.Packages, StatementPackage{p.ID, string(p.Kind), p.What, p.Charges, p.Total.String(), paidOf(p.Paid)})
	}
	for _, w := range st.Workspaces {
		shown.Workspaces = append(shown.Workspaces, StatementWorkspace{
			WorkspaceID: w.ID, Name: w.Name, Site: string(w.Site), Bills: w.Bills, Total: w.Total.String(), Paid: paidOf(w.Paid), Items: statementItems(w.Items),
		})
	}
	return &shown, nil
}

// Drawn is a document that is no JSON.
type Drawn struct {
	Name  string
	Type  string // its media type
	Bytes []byte
}

// wanted names a statement's file.
type wanted struct {
	OfStatement
	Format   string `query:"format" required:"true" enum:"pdf,csv"`
	Language string `query:"language" maxLength:"8" doc:"Of a PDF: en or zh; the account's where nothing is said."`
}

func (s *server) downloadStatement(c *call, in *wanted) (Drawn, error) {
	st, err := c.tx.Statement(c, c.AccountID, in.StatementID)
	if err != nil {
		return Drawn{}, err
	}
	language := in.Language
	if language == "" {
		language = c.Billing.Language
	}
	return s.Statement(c, st, in.Format, language)
}

// sent is a response with a file.
type sent struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

// files answers with a document from one consistent view.
func files[I any](r Route, work func(c *call, in *I) (Drawn, error)) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, http.StatusOK, func(ctx context.Context, in *I) (*sent, error) {
			c := s.call(ctx, nil)
			var f Drawn
			err := s.Store.Read(ctx, func(tx *store.Tx) (err error) {
				c.tx = tx
				f, err = work(c, in)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &sent{f.Type, `attachment; filename="` + f.Name + `"`, f.Bytes}, nil
		})
	}}
}

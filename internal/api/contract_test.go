package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tollgate.dev/client"
	"tollgate.dev/internal/api"
	"tollgate.dev/internal/store/storetest"
)

// pairs are the types of the API with those of the client.
var pairs = [][2]any{
	{api.Session{}, client.Session{}}, {api.Registration{}, client.Registration{}}, {api.StudioAccount{}, client.StudioAccount{}},
	{api.BillingAccount{}, client.BillingAccount{}}, {api.Profile{}, client.Profile{}}, {api.Site{}, client.Site{}},
	{api.Workspace{}, client.Workspace{}}, {api.CreatedWorkspace{}, client.CreatedWorkspace{}}, {api.Member{}, client.Member{}},
	{api.Token{}, client.Token{}}, {api.Notice{}, client.Notice{}}, {api.Upgrade{}, client.Upgrade{}}, {api.Agreement{}, client.Agreement{}},
	{api.Upgraded{}, client.Upgraded{}}, {api.SettlementChoice{}, client.SettlementChoice{}}, {api.SettlementMethod{}, client.SettlementMethod{}},
	{api.Binding{}, client.Binding{}}, {api.Usage{}, client.Usage{}}, {api.ItemUsage{}, client.ItemUsage{}}, {api.Record{}, client.Record{}},
	{api.Bill{}, client.Bill{}}, {api.BillLine{}, client.BillLine{}}, {api.Paid{}, client.Paid{}}, {api.SourcePart{}, client.SourcePart{}}, {api.Amount{}, client.Amount{}},
	{api.LineCover{}, client.LineCover{}}, {api.Package{}, client.Package{}}, {api.TrafficPackage{}, client.TrafficPackage{}}, {api.Mix{}, client.Mix{}},
	{api.PackageUse{}, client.PackageUse{}}, {api.PackageItemsUse{}, client.PackageItemsUse{}}, {api.TrafficDiscount{}, client.TrafficDiscount{}}, {api.StatementPackage{}, client.StatementPackage{}},
	{api.MonthToDate{}, client.MonthToDate{}}, {api.Balance{}, client.Balance{}}, {api.PaidWorkspace{}, client.PaidWorkspace{}},
	{api.Entry{}, client.Entry{}}, {api.EntryChange{}, client.EntryChange{}}, {api.Transfer{}, client.Transfer{}}, {api.Slip{}, client.Slip{}}, {api.Adjustment{}, client.Adjustment{}}, {api.AdjustmentEffect{}, client.AdjustmentEffect{}}, {api.Correction{}, client.Correction{}}, {api.TopUp{}, client.TopUp{}},
	{api.ClockNow{}, client.ClockNow{}}, {api.Verification{}, client.Verification{}}, {api.Finding{}, client.Finding{}},
	{api.CostPreview{}, client.CostPreview{}}, {api.PreviewItem{}, client.PreviewItem{}}, {api.Alerts{}, client.Alerts{}}, {api.Alert{}, client.Alert{}},
	{api.Retention{}, client.Retention{}}, {api.RetentionClass{}, client.RetentionClass{}}, {api.RetentionChanged{}, client.RetentionChanged{}},
	{api.UsageStatistics{}, client.UsageStatistics{}}, {api.ItemsStatistics{}, client.ItemsStatistics{}}, {api.Forecast{}, client.Forecast{}},
	{api.Analysis{}, client.Analysis{}}, {api.AnalysedItem{}, client.AnalysedItem{}}, {api.AnalysedDay{}, client.AnalysedDay{}}, {api.AnalysedLine{}, client.AnalysedLine{}},
	{api.LogRules{}, client.LogRules{}}, {api.LogRule{}, client.LogRule{}}, {api.Statement{}, client.Statement{}}, {api.StatementDocument{}, client.StatementDocument{}}, {api.StatementWorkspace{}, client.StatementWorkspace{}},
	{api.StatementItem{}, client.StatementItem{}}, {api.CatalogEntry{}, client.CatalogEntry{}}, {api.CatalogDetail{}, client.CatalogDetail{}},
	{api.CatalogItem{}, client.CatalogItem{}}, {api.ItemsPrice{}, client.ItemsPrice{}}, {api.PriceChange{}, client.PriceChange{}},
	{api.CatalogTrial{}, client.CatalogTrial{}}, {api.TrialRow{}, client.TrialRow{}}, {api.TrialItem{}, client.TrialItem{}}, {api.TrialCurrency{}, client.TrialCurrency{}},
	{api.UnratedBill{}, client.UnratedBill{}}, {api.AgreedPrice{}, client.AgreedPrice{}},
	{api.Deduction{}, client.Deduction{}}, {api.Deductions{}, client.Deductions{}}, {api.DeductionResult{}, client.DeductionResult{}},
	{api.APIKey{}, client.APIKey{}}, {api.MadeKey{}, client.MadeKey{}}, {api.BillRow{}, client.BillRow{}}, {api.PackageCharge{}, client.PackageCharge{}}, {api.PackageChargeLine{}, client.PackageChargeLine{}},
	{api.Summary{}, client.Summary{}}, {api.SummaryItem{}, client.SummaryItem{}},
	{api.Retention{}, client.Retention{}}, {api.RetentionClass{}, client.RetentionClass{}}, {api.RetentionChanged{}, client.RetentionChanged{}},
	{api.Enterprise{}, client.Enterprise{}}, {api.CertificationStanding{}, client.CertificationStanding{}}, {api.Certification{}, client.Certification{}},
	{api.Invitation{}, client.Invitation{}}, {api.Arrival{}, client.Arrival{}}, {api.Promotion{}, client.Promotion{}}, {api.Ownership{}, client.Ownership{}},
	{api.Message{}, client.Message{}}, {api.Rebinding{}, client.Rebinding{}},
	{api.File{}, client.File{}}, {api.InvoiceItem{}, client.InvoiceItem{}}, {api.InvoiceRest{}, client.InvoiceRest{}}, {api.InvoiceProfile{}, client.InvoiceProfile{}},
	{api.InvoiceAddress{}, client.InvoiceAddress{}}, {api.InvoiceWaiver{}, client.InvoiceWaiver{}}, {api.Invoice{}, client.Invoice{}}, {api.InvoiceLine{}, client.InvoiceLine{}},
	{api.Done{}, client.Done{}}, {api.Holder{}, client.Holder{}}, {api.ContactChange{}, client.ContactChange{}}, {api.SignIn{}, client.SignIn{}},
	{api.Source{}, client.Source{}}, {api.DeductionOrder{}, client.DeductionOrder{}}, {api.MethodOrder{}, client.MethodOrder{}}, {api.Turn{}, client.Turn{}},
	{api.CardQuote{}, client.CardQuote{}}, {api.CodeBatch{}, client.CodeBatch{}}, {api.ExportedCodes{}, client.ExportedCodes{}}, {api.Code{}, client.Code{}},
	{api.EventResults{}, client.EventResults{}}, {api.EventResult{}, client.EventResult{}},
	{api.Problem{}, client.Problem{}}, {api.FieldProblem{}, client.FieldProblem{}}, {api.Page[int]{}, client.List[int]{}},
}

// shape lists the JSON fields of a struct with their kinds.
func shape(t reflect.Type) []string {
	var fields []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous:
			fields = append(fields, shape(f.Type)...)
		case f.IsExported() && name != "-":
			fields = append(fields, name+" "+f.Type.Kind().String())
		}
	}
	slices.Sort(fields)
	return fields
}

func TestTheClientReadsWhatTheAPIWrites(t *testing.T) {
	t.Parallel()
	for _, p := range pairs {
		server, public := reflect.TypeOf(p[0]), reflect.TypeOf(p[1])
		if got, want := shape(public), shape(server); !slices.Equal(got, want) {
			t.Errorf("client.%s has %v, api.%s has %v", public.Name(), got, server.Name(), want)
		}
	}
}

// document is as much of OpenAPI as the tests look at.
type document struct {
	OpenAPI string `json:"openapi"`
	Servers []struct {
		URL string `json:"url"`
	} `json:"servers"`
	Paths map[string]map[string]struct {
		OperationID string                `json:"operationId"`
		Summary     string                `json:"summary"`
		Security    []map[string][]string `json:"security"`
		Responses   map[string]struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
		Parameters []struct {
			Name     string `json:"name"`
			In       string `json:"in"`
			Required bool   `json:"required"`
		} `json:"parameters"`
	} `json:"paths"`
	Components struct {
		Schemas         map[string]json.RawMessage `json:"schemas"`
		SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
	} `json:"components"`
}

// ways is in how many ways a caller can say who he is.
func ways(c api.Console) int {
	switch c {
	case "":
		return 0
	case api.Reader, api.AccountReader, api.Service, api.Deducting:
		return 2
	}
	return 1
}

func TestTheOpenAPIDocumentDescribesEveryCall(t *testing.T) {
	t.Parallel()
	h := open(t, storetest.SQLite(t))
	a := h.send(client.Session{}, raw{method: "GET", path: "/openapi.json"})
	var d document
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.header.Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("%s: %v", a.header.Get("Content-Type"), err)
	}
	if d.OpenAPI != "3.1.0" || len(d.Servers) != 1 || d.Servers[0].URL != api.Prefix || len(d.Components.SecuritySchemes) != 8 {
		t.Errorf("head: %s, servers %v", d.OpenAPI, d.Servers)
	}
	described := 0
	for _, methods := range d.Paths {
		described += len(methods)
	}
	ids := map[string]bool{}
	for _, r := range api.Routes() {
		op, ok := d.Paths[r.Path][strings.ToLower(r.Method)]
		if !ok || op.OperationID != r.ID || op.Summary == "" || ids[r.ID] {
			t.Errorf("%s %s is not described as %s", r.Method, r.Path, r.ID)
			continue
		}
		ids[r.ID] = true
		if len(op.Security) != ways(r.Console) {
			t.Errorf("%s: security %v", r.ID, op.Security)
		}
		if _, ok := op.Responses["default"].Content["application/problem+json"]; !ok {
			t.Errorf("%s does not describe its refusals", r.ID)
		}
		keyed := slices.ContainsFunc(op.Parameters, func(p struct {
			Name     string `json:"name"`
			In       string `json:"in"`
			Required bool   `json:"required"`
		}) bool {
			return p.Name == "Idempotency-Key" && p.Required
		})
		if keyed != r.Once {
			t.Errorf("%s: key in the document %v, in the table %v", r.ID, keyed, r.Once)
		}
	}
	if described != len(ids) {
		t.Errorf("%d calls are described, %d are in the table", described, len(ids))
	}
}

package billingcenter

import (
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/wallet"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// Overview is the first page: what there is, what is owed, what is spent, and
// when the next bills come.
type Overview struct {
	Frame     web.Frame
	At        time.Time // as of when
	Zone      *time.Location
	Balances  wallet.Balances
	Currency  money.Currency
	OwedSince time.Time // zero where nothing is owed
	Month     period.Month
	Spent     money.Amount // of the month, all workspaces
	Yesterday money.Amount
	Spend     []Spend
	Chart     *web.BarChart // nil without a bill this month
	Closes    []Closing
	Bills     []BillRow // the latest
	Declared  int       // bank transfers under way
}

// Spend is what a workspace has cost this month.
type Spend struct {
	Workspace workspace.Workspace
	Amount    money.Amount
	Days      int // billed
}

// Closing is when the day of a site ends and its bills are made.
type Closing struct {
	Site site.ID
	Day  period.Day // the day that will be billed
	At   time.Time
	Zone *time.Location
}

// BillRow is a daily bill in a list.
type BillRow struct {
	ID            string
	Number        string
	Day           period.Day
	WorkspaceID   string
	WorkspaceName string
	Site          site.ID
	Amount        money.Amount
	Owed          money.Amount // what no source covered when it was paid
	Method        site.Method
}

// Recharge is the page on which a bank transfer is declared.
type Recharge struct {
	Frame     web.Frame
	Form      *web.Form
	Currency  money.Currency
	Zone      *time.Location
	Balances  wallet.Balances
	Reference string
	Transfers []wallet.Transfer
	Payments  []topup.Payment
	Now       time.Time
	Offers    []topup.Name // beside the bank transfer
	Simulated bool
}

// TransferView is the page of one bank transfer.
type TransferView struct {
	Frame       web.Frame
	Form        *web.Form
	Transfer    wallet.Transfer
	Slips       []attachment.File
	Beneficiary Beneficiary
	Zone        *time.Location
}

// Workspaces is the list of what the account pays for.
type Workspaces struct {
	Frame    web.Frame
	Currency money.Currency
	Month    period.Month
	Rows     []WorkspaceRow
	List     web.Listing
	Count    int64
	Pager    web.Pager
	CSV      string // where the list is downloaded
}

// WorkspaceRow is one of them.
type WorkspaceRow struct {
	Workspace  workspace.Workspace
	Zone       *time.Location // of its site
	Spent      money.Amount   // this month
	Changeable bool           // the site offers more than one settlement method
	Standing   arrears.Standing
}

// Settlement is the dialog in which the settlement method is changed.
type Settlement struct {
	Frame     web.Frame
	Form      *web.Form
	Workspace workspace.Workspace
	Methods   []site.Method
	Selected  site.Method
	Arbitrary bool
	Held      error // why nothing can be chosen now, with the day on which it can; nil if it can
	Rules     settle.Rules
}

// BillFilter is what a list of bills is narrowed to; it lives in the address.
type BillFilter struct {
	WorkspaceID string
	From        string
	To          string
	Entry       int64 // of income and expense, which paid them; 0 for any
}

// Bills is the list of daily bills.
type Bills struct {
	Frame      web.Frame
	Form       *web.Form
	Filter     BillFilter
	Currency   money.Currency
	Workspaces []workspace.Workspace
	Rows       []BillRow
	Count      int64        // of all that the filter names, on every page
	Total      money.Amount // likewise
	Pager      web.Pager
}

// BillView is the page of one bill.
type BillView struct {
	Frame    web.Frame
	Row      BillRow
	Zone     *time.Location
	BilledAt time.Time
	Catalog  string
	Market   string
	Lines    []BillLine
	Exact    string     // the sum before rounding
	Rounding string     // what rounding the lines changed
	Paid     []PaidPart // by kind
	Sources  []PaidPart // by what paid
	Hash     string

	Adjustments []wallet.Adjustment // that corrected it since
}

// BillLine is a line as it is shown.
type BillLine struct {
	Item      string
	Class     string
	Index     string // of logs; empty for the default one
	Quantity  string
	Units     string
	UnitPrice string
	Exact     string
	Amount    money.Amount
	Paid      []PaidPart
}

// PaidPart is what one source paid.
type PaidPart struct {
	Payment wallet.Payment
	Amount  money.Amount
	Source  string // the voucher or card; empty for cash, a cloud and arrears
}

// Movements is income and expense: every change of the account's money.
type Movements struct {
	Frame    web.Frame
	Form     *web.Form
	From, To string
	Kind     string
	Currency money.Currency
	Zone     *time.Location
	Rows     []MovementRow
	Pager    web.Pager
}

// MovementRow is one of them.
type MovementRow struct {
	Number int64
	ID     string
	At     time.Time
	Kind   wallet.Kind
	Cause  string       // as a person knows it
	Href   string       // to what caused it
	Amount money.Amount // positive for income
	Parts  []PaidPart   // of which source
	Cash   money.Amount // afterwards
	Owed   money.Amount
}

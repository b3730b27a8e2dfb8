package account

import (
	"slices"
	"time"

	"tollgate.dev/internal/fault"
)

// Faults of operators.
var (
	ErrSupportOnly    = fault.New(fault.Forbidden, "operator_support_only", "Your role does not allow this. Operators of the role support or administrator may do it.")
	ErrFinanceOnly    = fault.New(fault.Forbidden, "operator_finance_only", "Your role does not allow this. Operators of the role finance or administrator may do it.")
	ErrWorkersOnly    = fault.New(fault.Forbidden, "operator_worker_only", "Your role does not allow this. Operators of the role support, finance or administrator may do it.")
	ErrAdminOnly      = fault.New(fault.Forbidden, "operator_admin_only", "Your role does not allow this. Operators of the role administrator may do it.")
	ErrOperatorRole   = fault.New(fault.Invalid, "operator_role_unknown", "Choose a role: viewer, support, finance or administrator.")
	ErrOperatorName   = fault.New(fault.Invalid, "operator_name_form", "Enter the operator's name, at most 64 characters.")
	ErrOperatorSelf   = fault.New(fault.Conflict, "operator_self", "Nobody changes his own role, disables himself or resets his own password here. Another administrator does it.")
	ErrOperatorLast   = fault.New(fault.Conflict, "operator_last_admin", "This is the last administrator who can sign in. Make another one first.")
	ErrOperatorTaken  = fault.New(fault.Conflict, "operator_email_taken", "An operator with this address exists already.")
	ErrOperatorClosed = fault.New(fault.Conflict, "operator_disabled", "This operator is disabled. Enable the account first.")
)

// Operator runs the platform.
type Operator struct {
	ID         string
	Email      string
	Name       string
	Role       OperatorRole
	Password   string // the Argon2id hash; empty while nobody can sign in with it
	Language   string
	CreatedAt  time.Time
	DisabledAt time.Time // zero while it can sign in
}

// Disabled reports whether it can sign in no more.
func (o Operator) Disabled() bool { return !o.DisabledAt.IsZero() }

// OperatorRole is what an operator is there for.
type OperatorRole string

// The roles.
const (
	Viewer  OperatorRole = "viewer"
	Support OperatorRole = "support"
	Finance OperatorRole = "finance"
	Admin   OperatorRole = "admin"
)

// OperatorRoles lists them from the least to the most powerful.
func OperatorRoles() []OperatorRole { return []OperatorRole{Viewer, Support, Finance, Admin} }

// Valid reports whether there is such a role.
func (r OperatorRole) Valid() bool { return slices.Contains(OperatorRoles(), r) }

// Duty is what an operator's page or call needs permission for.
type Duty string

// The duties.
const (
	Look             Duty = "look"              // see everything that is no secret
	SwitchAccounts   Duty = "switch_accounts"   // disable, arbitrary settlement, currency
	UnlockWorkspaces Duty = "unlock_workspaces" // lift a lock, give more time
	RetryWork        Duty = "retry_work"        // bills, statements, mails and jobs that failed
	VerifyBooks      Duty = "verify_books"      // read every entry and bill now
	CreditMoney      Duty = "credit_money"      // bank transfers, payments, refunds
	IssueVouchers    Duty = "issue_vouchers"    // vouchers, cards, batches of codes
	AdjustBalances   Duty = "adjust_balances"   // propose and approve adjustments
	IssueInvoices    Duty = "issue_invoices"
	CertifyAccounts  Duty = "certify_accounts"
	KeepPrices       Duty = "keep_prices" // the catalogue and prices of single accounts
	KeepOperators    Duty = "keep_operators"
	KeepCredentials  Duty = "keep_credentials" // by which clouds let us in
	MoveClock        Duty = "move_clock"       // of a sandbox
)

// duties is the matrix: who may do what, and the refusal that says so.
var duties = map[Duty]struct {
	roles   []OperatorRole
	refusal *fault.Error
}{
	Look:             {OperatorRoles(), ErrAdminOnly},
	SwitchAccounts:   {[]OperatorRole{Support, Admin}, ErrSupportOnly},
	UnlockWorkspaces: {[]OperatorRole{Support, Admin}, ErrSupportOnly},
	RetryWork:        {[]OperatorRole{Support, Admin}, ErrSupportOnly},
	VerifyBooks:      {[]OperatorRole{Support, Finance, Admin}, ErrWorkersOnly},
	CreditMoney:      {[]OperatorRole{Finance, Admin}, ErrFinanceOnly},
	IssueVouchers:    {[]OperatorRole{Finance, Admin}, ErrFinanceOnly},
	AdjustBalances:   {[]OperatorRole{Finance, Admin}, ErrFinanceOnly},
	IssueInvoices:    {[]OperatorRole{Finance, Admin}, ErrFinanceOnly},
	CertifyAccounts:  {[]OperatorRole{Finance, Admin}, ErrFinanceOnly},
	KeepPrices:       {[]OperatorRole{Admin}, ErrAdminOnly},
	KeepOperators:    {[]OperatorRole{Admin}, ErrAdminOnly},
	KeepCredentials:  {[]OperatorRole{Admin}, ErrAdminOnly},
	MoveClock:        {[]OperatorRole{Admin}, ErrAdminOnly},
}

// Duties lists every duty of the matrix.
func Duties() []Duty {
	return []Duty{
		Look, SwitchAccounts, UnlockWorkspaces, RetryWork, VerifyBooks, CreditMoney, IssueVouchers, AdjustBalances,
		IssueInvoices, CertifyAccounts, KeepPrices, KeepOperators, KeepCredentials, MoveClock,
	}
}

// May reports whether the role allows the duty. A role that does not exist
// allows none, and nobody has a duty that does not exist.
func (r OperatorRole) May(d Duty) bool { return slices.Contains(duties[d].roles, r) }

// Require says who may, if the role does not allow the duty.
func (r OperatorRole) Require(d Duty) error {
	if r.May(d) {
		return nil
	}
	if refusal := duties[d].refusal; refusal != nil {
		return refusal
	}
	return ErrAdminOnly
}

// WhoMay lists the roles that a refusal speaks of; none where it is no refusal
// of a role.
func WhoMay(refusal *fault.Error) []OperatorRole {
	for _, d := range Duties() {
		if d != Look && duties[d].refusal.Is(refusal) {
			return slices.Clone(duties[d].roles)
		}
	}
	return nil
}

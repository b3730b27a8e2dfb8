package sim

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/wallet"
)

// Outcome is what came of a scenario. Amounts and quantities are decimal
// texts; instants carry the offset of what they belong to.
type Outcome struct {
	Bills      []Bill             `json:"bills"`
	Statements []Statement        `json:"statements"`
	Packages   []PackageDay       `json:"packages"`
	Balances   map[string]Balance `json:"balances"` // by account
	States     []State            `json:"states"`
	Retention  []Kept             `json:"retention"`
	Cloud      []Record           `json:"cloud"`
	Reconciled []Reconciled       `json:"reconciliation"`
	Mails      []Mail             `json:"mails"`
	Notices    []Notice           `json:"notices"`
	Parked     []Parked           `json:"parked"`
	Errors     []Refusal          `json:"errors"`
	Verify     Verified           `json:"verify"`
}

// Bill is a daily bill.
type Bill struct {
	Workspace string     `json:"workspace"`
	Day       string     `json:"day"`
	Number    string     `json:"number"`
	Account   string     `json:"account"`
	Catalog   string     `json:"catalog"`
	Currency  string     `json:"currency"`
	Total     string     `json:"total"`
	Lines     []BillLine `json:"lines"`
}

// BillLine is a charge and how it was paid.
type BillLine struct {
	Item      string `json:"item"`
	Class     string `json:"class"`
	Index     string `json:"index,omitempty"` // of logs; absent for the default one
	Quantity  string `json:"quantity"`
	Units     string `json:"units"`
	UnitPrice string `json:"unit_price"`
	Exact     string `json:"exact"`
	Amount    string `json:"amount"`
	Package   *Cover `json:"package,omitempty"`
	Paid      Paid   `json:"paid"`
}

// Cover is what an annual package did for a line.
type Cover struct {
	Factor    string `json:"factor"`
	Converted string `json:"converted"`
	Covered   string `json:"covered"`
	Excess    string `json:"excess"`
}

// Paid is an amount by what paid it.
type Paid struct {
	Voucher       string `json:"voucher"`
	FullReduction string `json:"full_reduction"`
	Card          string `json:"card"`
	Cash          string `json:"cash"`
	Cloud         string `json:"cloud"`
	Owed          string `json:"owed"`
}

// Statement is a monthly bill.
type Statement struct {
	Account string `json:"account"`
	Month   string `json:"month"`
	Number  string `json:"number"`
	Bills   string `json:"bills"`
	Total   string `json:"total"`
	Paid    Paid   `json:"paid"`
	Owed    string `json:"owed"` // by the account, when it was made
}

// PackageDay is what packages cost on a day.
type PackageDay struct {
	Account string          `json:"account"`
	Day     string          `json:"day"`
	Charges []PackageCharge `json:"charges"`
}

// PackageCharge is one charge of a package.
type PackageCharge struct {
	Kind   string            `json:"kind"`
	Item   string            `json:"item"`
	Amount string            `json:"amount"`
	Paid   map[string]string `json:"paid"` // by what paid it
}

// Balance is what an account has at the end.
type Balance struct {
	Cash          string `json:"cash"`
	Voucher       string `json:"voucher"`
	FullReduction string `json:"full_reduction"`
	Card          string `json:"card"`
	Owed          string `json:"owed"`
}

// State is a change of a workspace's standing.
type State struct {
	Workspace string `json:"workspace"`
	At        string `json:"at"`
	State     string `json:"state"`
	Why       string `json:"why"`
}

// Kept is a class that began to hold.
type Kept struct {
	Workspace string `json:"workspace"`
	At        string `json:"at"`
	Type      string `json:"type"`
	Index     string `json:"index,omitempty"`
	Class     string `json:"class"`
}

// Mail is a mail that went out.
type Mail struct {
	To   string `json:"to"` // an account, or a workspace's Owner: shop/owner
	Kind string `json:"kind"`
	At   string `json:"at"`
}

// Notice is what the members of a workspace find in their console.
type Notice struct {
	Workspace string `json:"workspace"`
	At        string `json:"at"`
	Kind      string `json:"kind"`
	Item      string `json:"item"`
	Used      string `json:"used"`
	Limit     string `json:"limit"`
}

// Parked is a workspace's day that could not be billed.
type Parked struct {
	Workspace string `json:"workspace"`
	Day       string `json:"day"`
	Code      string `json:"code"`
}

// Refusal is a step that the rules refused.
type Refusal struct {
	Step    int    `json:"step"` // from 0
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Verified is what the check of the books says.
type Verified struct {
	OK     bool     `json:"ok"`
	Failed []string `json:"failed"`
}

// most bounds each list of the outcome; a scenario has no more.
const most = 1_000_000

// outcome reads what came of it from the store.
func (p *play) outcome(ctx context.Context) (Outcome, error) {
	o := Outcome{
		Bills: []Bill{}, Statements: []Statement{}, Packages: []PackageDay{}, Balances: map[string]Balance{}, States: []State{}, Retention: []Kept{},
		Cloud: []Record{}, Reconciled: []Reconciled{}, Mails: []Mail{}, Notices: []Notice{}, Parked: []Parked{}, Errors: []Refusal{}, Verify: Verified{Failed: []string{}},
	}
	o.Errors = append(o.Errors, p.refused...)
	for _, m := range p.mails {
		to := p.readers[m.To]
		o.Mails = append(o.Mails, Mail{To: to.name, Kind: string(m.Kind), At: instant(m.CreatedAt, to.zone)})
	}
	err := p.store.Read(ctx, func(tx *store.Tx) error {
		for _, a := range p.scenario.accounts {
			b := p.payers[a.name]
			has, err := wallet.BalancesOf(ctx, tx, b.ID, b.Currency)
			if err != nil {
				return err
			}
			o.Balances[a.name] = Balance{has.Cash.String(), has.Voucher.String(), has.FullReduction.String(), has.Card.String(), has.Owed.String()}
			if err := p.statements(ctx, tx, &o, a); err != nil {
				return err
			}
			if err := p.packageDays(ctx, tx, &o, a); err != nil {
				return err
			}
		}
		for _, w := range p.scenario.workspaces {
			if err := p.told(ctx, tx, &o, w); err != nil {
				return err
			}
		}
		if err := p.sentToClouds(ctx, tx, &o); err != nil {
			return err
		}
		return p.parked(ctx, tx, &o)
	})
	if err != nil {
		return o, err
	}
	slices.SortStableFunc(o.Bills, func(a, b Bill) int { return cmp.Compare(a.Day, b.Day) })
	report, err := app.VerifyBy(ctx, p.store, p.scenario.Catalog)
	for _, f := range report.Findings {
		o.Verify.Failed = append(o.Verify.Failed, f.String())
	}
	o.Verify.OK = err == nil && report.OK()
	return o, err
}

func instant(at time.Time, zone *time.Location) string { return at.In(zone).Format(time.RFC3339) }

// told gathers what there is to tell of a workspace.
func (p *play) told(ctx context.Context, tx *store.Tx, o *Outcome, w shop) error {
	id := p.shops[w.name].id
	bills, err := tx.BillsOf(ctx, id, period.MustParseDay("2000-01-01"), period.MustParseDay("2999-12-31"), most)
	if err != nil {
		return err
	}
	for i := len(bills) - 1; i >= 0; i-- {
		o.Bills = append(o.Bills, p.bill(w.name, bills[i]))
	}
	changes, err := tx.ClassChanges(ctx, id, time.Unix(0, 0), time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC), most)
	if err != nil {
		return err
	}
	for i := len(changes) - 1; i >= 0; i-- {
		c := changes[i]
		o.Retention = append(o.Retention, Kept{w.name, instant(c.At, w.site.Zone), c.Type, c.Index, c.Class})
	}
	if err := p.states(ctx, tx, o, w); err != nil {
		return err
	}
	notices, err := tx.Notices(ctx, id, time.Unix(0, 0), most)
	if err != nil {
		return err
	}
	for i := len(notices) - 1; i >= 0; i-- {
		n := notices[i]
		o.Notices = append(o.Notices, Notice{w.name, instant(n.CreatedAt, w.site.Zone), n.Kind, n.Args["item"], n.Args["used"], n.Args["limit"]})
	}
	return nil
}

func (p *play) statements(ctx context.Context, tx *store.Tx, o *Outcome, a payer) error {
	all, err := tx.StatementsOf(ctx, p.payers[a.name].ID, "", most)
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		o.Statements = append(o.Statements, Statement{
			Account: a.name, Month: s.Month.String(), Number: s.Number, Bills: strconv.FormatInt(s.Bills, 10),
			Total: s.Total.String(), Paid: paidOf(s.Paid, s.Currency), Owed: s.Owed.String(),
		})
	}
	return err
}

// paidOf is a split in the texts of the outcome.
func paidOf(p bill.Paid, c money.Currency) Paid {
	by := func(kind wallet.Payment) string { return money.Of(p.By(kind).Minor(), c).String() }
	return Paid{by(wallet.ByVoucher), by(wallet.ByFullReduction), by(wallet.ByCard), by(wallet.ByCash), by(wallet.ByCloud), by(wallet.Owed)}
}

func (p *play) bill(name string, b bill.Bill) Bill {
	told := Bill{
		Workspace: name, Day: b.Day.String(), Number: b.Number, Catalog: b.Catalog,
		Currency: string(b.Market.Currency), Total: b.Total.String(), Lines: []BillLine{},
	}
	for _, a := range p.scenario.accounts {
		if p.payers[a.name].ID == b.Payer {
			told.Account = a.name
		}
	}
	for _, l := range b.Lines {
		told.Lines = append(told.Lines, BillLine{
			Item: l.Item, Class: l.Class, Index: l.Index, Quantity: l.Quantity.Plain(), Units: l.Units.String(),
			UnitPrice: l.UnitPrice.String(), Exact: l.Exact.String(), Amount: l.Amount.String(),
			Package: coverOf(l.Package), Paid: paidOf(l.Paid, b.Market.Currency),
		})
	}
	return told
}

func (p *play) parked(ctx context.Context, tx *store.Tx, o *Outcome) error {
	waiting, err := tx.Parked(ctx, most)
	for _, x := range waiting {
		for _, w := range p.scenario.workspaces {
			if p.shops[w.name].id == x.WorkspaceID {
				o.Parked = append(o.Parked, Parked{w.name, x.Day.String(), x.Code})
			}
		}
	}
	return err
}

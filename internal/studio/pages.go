package studio

import (
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/settle"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/upgrade"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

// place is a workspace as its pages show it.
type place struct {
	Workspace workspace.Workspace
	Site      site.Site
	Role      workspace.Role
	Owner     person
	Standing  arrears.Standing
}

// person is somebody who can be asked.
type person struct {
	Name  string
	Email string
}

// path is the address of a page of the workspace.
func (p place) path(tail string) string {
	path := "/studio/workspaces/" + p.Workspace.ID
	if tail != "" {
		path += "/" + tail
	}
	return path
}

// signInPage asks for site, e-mail and password.
type signInPage struct {
	Frame  web.Frame
	Form   *web.Form
	Return string
}

// basicsPage is step 1 of the registration.
type basicsPage struct {
	Frame web.Frame
	Form  *web.Form
}

// verifyPage takes the mailed code of step 1.
type verifyPage struct {
	Frame web.Frame
	Form  *web.Form
	Email string
}

// companyPage is step 2.
type companyPage struct {
	Frame web.Frame
	Form  *web.Form
}

// createPage is step 3, and the page that creates a further workspace.
type createPage struct {
	Frame    web.Frame
	Form     *web.Form
	Site     site.Site
	First    bool // the registration's step 3
	Beside   bool // the box "also create a Billing Center account" is ticked
	UserName string
}

// startPage is the collectors' page.
type startPage struct {
	Frame   web.Frame
	Place   place
	Token   string    // empty for whoever may not see it
	Ends    time.Time // when the replaced token ends; zero if there is none
	Gateway string
	With    string // the collector whose snippet is shown
	Fresh   bool   // the workspace was created a moment ago
	Light   light
}

// light says whether anything has arrived.
type light struct {
	Path    string // of this part
	Page    string // of the page it is on
	Arrived bool
	At      time.Time // of the newest record
	Now     time.Time
	Zone    *time.Location
}

// explorerPage shows the latest records.
type explorerPage struct {
	Frame     web.Frame
	Place     place
	Type      string
	Range     string
	Query     string
	Records   []record
	Histogram web.BarChart
	Older     string
	Newer     string
	Found     string // how many were found, or that the search stopped early
	Fault     *fault.Error
}

// record is one record as the Explorer shows it.
type record struct {
	At     time.Time
	Name   string
	Index  string // of logs; empty for the default one
	Text   string
	Tags   []field
	Fields []field
}

type field struct{ Key, Value string }

// quotaLine is one item of the free plan.
type quotaLine struct {
	Item      string
	Used      int64
	Quota     int64
	Limited   bool
	Supported bool
}

func (l quotaLine) gauge(label string) web.Gauge {
	return web.Gauge{Label: label, Used: l.Used, Quota: l.Quota}
}

// experiencePage is Billing of an Experience workspace.
type experiencePage struct {
	Frame   web.Frame
	Place   place
	Lines   []quotaLine
	Events  int64 // counted into logs, never cut off
	ResetAt time.Time
	AsOf    time.Time
}

// plansPage is the Package Upgrade page.
type plansPage struct {
	Frame   web.Frame
	Place   place
	Lines   []quotaLine
	Storage []storageLine
	Preview previewTable
}

// storageLine is how long a type of data is kept on either plan.
type storageLine struct {
	Type       string
	Experience string // empty: the plan has none of it
	Default    string
	Allowed    []string
}

// bindPage is step 1 of the upgrade.
type bindPage struct {
	Frame    web.Frame
	Place    place
	Form     *web.Form
	Draft    upgrade.Draft
	Register string // where a new account is registered, and back
}

// agreementPage is step 2.
type agreementPage struct {
	Frame      web.Frame
	Place      place
	Form       *web.Form
	Title      string
	Paragraphs []string
}

// confirmPage is step 3.
type confirmPage struct {
	Frame web.Frame
	Place place
	Form  *web.Form
	Draft upgrade.Draft
}

// donePage is step 4.
type donePage struct {
	Frame   web.Frame
	Place   place
	Payer   account.Billing
	Offered bool // a settlement cloud account may be bound
}

// settlementPage is the Change Settlement Method dialog.
type settlementPage struct {
	Frame   web.Frame
	Place   place
	Payer   string
	Options []settle.Option // without the Billing Center
	Shown   *settle.Option  // nil where there is none
}

// billLine is one line of a bill.
type billLine struct {
	Item     string
	Class    string
	Quantity quantity.Decimal
	Units    quantity.Decimal
	UnitSize quantity.Decimal
	Price    quantity.Decimal
	Exact    quantity.Decimal
	Amount   money.Amount
	Paid     []paid
	Index    string // of logs; empty for the default one
}

// paid is a part of a line and what it was paid from.
type paid struct {
	Source string // a kind of payment: cash, owed
	Amount money.Amount
}

// billHead is a daily bill in a list.
type billHead struct {
	Day    string
	Number string
	Total  money.Amount
	Paid   []paid
}

// usageLine is what one item has used today on the Commercial plan.
type usageLine struct {
	Item     string
	Class    string
	Quantity quantity.Decimal
	Amount   money.Amount // as if the day ended now
	Index    string       // of logs; empty for the default one
}

// commercialPage is Billing of a Commercial workspace.
type commercialPage struct {
	Frame    web.Frame
	Place    place
	Payer    string
	Balances *balances // nil for whoever may not see them
	Month    string
	MonthSum money.Amount
	Latest   *billHead // the newest bill
	Today    []usageLine
	TodaySum money.Amount
	Bills    []billHead
	Older    string
	Package  *packageToday // that covers it; nil for none
	AsOf     time.Time
}

// balances of the account that pays.
type balances struct {
	Cash    money.Amount
	Arrears money.Amount
}

// billsPage lists the daily bills.
type billsPage struct {
	Frame web.Frame
	Place place
	Bills []billHead
	Newer string
	Older string
}

// billPage is one daily bill.
type billPage struct {
	Frame    web.Frame
	Place    place
	Head     billHead
	Lines    []billLine
	Exact    quantity.Decimal // the sum before rounding
	Rounding quantity.Decimal
	ClosedAt time.Time
	Catalog  string
}

// member is one of a workspace's team.
type member struct {
	AccountID string
	Name      string
	Email     string
	Role      workspace.Role
	JoinedAt  time.Time
	Self      bool
}

// settingsPage is the workspace's settings.
type settingsPage struct {
	Frame   web.Frame
	Place   place
	Form    *web.Form // of the name and language
	Invite  *web.Form
	Members []member
	Team    team
	Self    string // the account that looks
	Token   string
	Ends    time.Time
}

// notice is an in-app message.
type notice struct {
	At   time.Time
	Tone web.Tone
	Text string
	New  bool // this member has not read it
}

// noticesPage lists the messages to the members.
type noticesPage struct {
	Frame  web.Frame
	Place  place
	List   []notice
	Unread int
}

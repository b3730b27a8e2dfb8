// Package site says where a workspace lives: which cloud operates the region,
// which prices and currency hold there, when its day begins, and who may
// settle (domain section 3). Sites share no accounts and no data.
package site

import (
	"slices"
	"time"

	_ "time/tzdata" // a site's midnight must not depend on the machine

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/money"
)

// ErrUnknown is a site that this installation does not have.
var ErrUnknown = fault.New(fault.Invalid, "unknown_site", "Choose one of the sites in the list.")

// Method is who is charged for a workspace.
type Method string

// The settlement methods (domain C-30: five, and the two Alibaba markets apart).
const (
	BillingCenter Method = "billing_center"
	Alibaba       Method = "alibaba"
	AlibabaIntl   Method = "alibaba_intl"
	AWS           Method = "aws"
	Huawei        Method = "huawei"
	Azure         Method = "azure"
)

// Methods lists them in the order in which a dialog shows them.
func Methods() []Method {
	return []Method{BillingCenter, Alibaba, AlibabaIntl, AWS, Huawei, Azure}
}

// Group is the price group of a site.
type Group string

// The price groups of the catalogue.
const (
	China         Group = "china"
	International Group = "international"
)

// Profile chooses between the seed page's settlement table and the newer one (domain C-10).
type Profile string

// The profiles.
const (
	Seed  Profile = "seed"
	Newer Profile = "newer"
)

// ID names a site: cn1, us1, …
type ID string

// Site is one regional installation. Sites are fixed data.
type Site struct {
	ID       ID
	Name     string // English; the translation's key is site.<id>
	Operator string // the cloud that runs the region, as shown
	Group    Group
	Currency money.Currency // of the Billing Center that serves it
	Zone     *time.Location // a service day begins at midnight here
	Default  Method         // preselected in the change-settlement dialog; BillingCenter where no cloud is offered
	allowed  []Method       // besides the Billing Center
}

var (
	shanghai = zone("Asia/Shanghai")
	sites    = []Site{
		{"cn1", "China 1 (Hangzhou)", "Alibaba Cloud", China, money.CNY, shanghai, Alibaba, []Method{Alibaba}},
		{"cn2", "China 2 (Ningxia)", "AWS China", China, money.CNY, shanghai, AWS, []Method{AWS}},
		{"cn3", "China 3 (Zhangjiakou)", "Alibaba Cloud", China, money.CNY, shanghai, Alibaba, []Method{Alibaba}},
		{"cn4", "China 4 (Guangzhou)", "Huawei Cloud", China, money.CNY, shanghai, BillingCenter, nil},
		{"cn5", "China 5 (21Vianet)", "21Vianet", China, money.CNY, shanghai, BillingCenter, nil},
		{"cn6", "China 6 (Hong Kong)", "Alibaba Cloud International", International, money.USD, zone("Asia/Hong_Kong"), AlibabaIntl, []Method{AlibabaIntl, Azure}},
		{"us1", "Overseas 1 (Oregon)", "AWS", International, money.USD, zone("America/Los_Angeles"), AWS, []Method{AlibabaIntl, AWS, Azure}},
		{"eu1", "Europe 1 (Frankfurt)", "AWS", International, money.USD, zone("Europe/Berlin"), AWS, []Method{AlibabaIntl, AWS, Azure}},
		{"ap1", "Asia-Pacific 1 (Singapore)", "AWS", International, money.USD, zone("Asia/Singapore"), AWS, []Method{AlibabaIntl, AWS, Azure}},
		{"za1", "South Africa", "Huawei Cloud", International, money.USD, zone("Africa/Johannesburg"), Huawei, []Method{AlibabaIntl, Huawei, Azure}},
		{"id1", "Jakarta", "Tencent Cloud", International, money.USD, zone("Asia/Jakarta"), BillingCenter, []Method{AlibabaIntl, Azure}},
	}
)

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic("site: " + err.Error())
	}
	return z
}

// All lists the sites in the order of the pickers.
func All() []Site { return slices.Clone(sites) }

// Open lists the sites where a team may register: all but cn3, which serves
// the SLS edition alone.
func Open() []Site {
	return slices.DeleteFunc(All(), func(s Site) bool { return s.ID == "cn3" })
}

// Find gives the site of that ID.
func Find(id ID) (Site, error) {
	for _, s := range sites {
		if s.ID == id {
			return s, nil
		}
	}
	return Site{}, ErrUnknown.With("site", string(id))
}

// Allowed lists the settlement methods that a workspace here may choose, the
// Billing Center first. Arbitrary settlement, switched on by the operator for
// a Billing Center account, opens all of them.
func (s Site) Allowed(p Profile, arbitrary bool) []Method {
	if arbitrary {
		return Methods()
	}
	methods := append([]Method{BillingCenter}, s.allowed...)
	if s.ID == "cn4" && p == Newer {
		methods = append(methods, Huawei)
	}
	return methods
}

// Preselected is the method whose tab the change-settlement dialog opens on,
// and whether the dialog is offered after an upgrade at all: where nothing but
// the Billing Center may settle, the upgrade returns straight to Billing.
func (s Site) Preselected(p Profile, arbitrary bool) (m Method, offered bool) {
	allowed := s.Allowed(p, arbitrary)
	switch {
	case s.Default != BillingCenter:
		return s.Default, true
	case s.ID == "cn4" && (p == Newer || arbitrary):
		return Huawei, true
	case len(allowed) > 1:
		return allowed[1], true
	}
	return BillingCenter, false
}

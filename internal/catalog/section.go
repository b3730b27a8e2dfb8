package catalog

import (
	"slices"

	"tollgate.dev/internal/money"
	"tollgate.dev/internal/quantity"
)

// Quotas is what a free workspace may use in one service day.
type Quotas struct {
	WarnPercent      int
	ExhaustedPercent int
	Exempt           []string // kinds of data that are accepted when their group is full
	Items            []Quota  // in catalogue order
}

// Quota is the free allowance of one item.
type Quota struct {
	Item      string
	Supported bool  // false: not part of the free plan at all
	Limited   bool  // false: no limit
	Quota     int64 // in what is counted, not in units
}

// Of finds the quota of an item; an item that is not listed has no limit.
func (q Quotas) Of(item string) Quota {
	for _, quota := range q.Items {
		if quota.Item == item {
			return quota
		}
	}
	return Quota{Item: item, Supported: true}
}

// Retention is how long data may be kept.
type Retention struct {
	Experience string          // the fixed class of the free plan
	Types      []RetentionType // in the order of the settings page
}

// RetentionType is one data type with a class of its own.
type RetentionType struct {
	Type    string
	Allowed []string
	Default string
}

// Type finds a data type.
func (r Retention) Type(name string) (RetentionType, bool) {
	i := slices.IndexFunc(r.Types, func(t RetentionType) bool { return t.Type == name })
	if i < 0 {
		return RetentionType{}, false
	}
	return r.Types[i], true
}

// Split is the size from which one record counts as several (domain section 7.3).
type Split struct {
	Bytes        int64 `yaml:"bytes"`
	BytesSLS     int64 `yaml:"bytes_sls"`
	Milliseconds int64 `yaml:"milliseconds"`
}

// TaskCalls is what each kind of run counts (domain section 7.4).
type TaskCalls struct {
	Monitor            map[string]int64 `yaml:"monitor"` // by kind of detection; "other" for the rest
	MonitorFreeMinutes int64            `yaml:"monitor_free_minutes"`
	MonitorStepMinutes int64            `yaml:"monitor_step_minutes"`
	SmartMonitor       map[string]int64 `yaml:"smart_monitor"`
	SLOCheck           int64            `yaml:"slo_check"`
	Query              int64            `yaml:"query"`
	GeneratedMetric    int64            `yaml:"generated_metric"`
	CentralFunction    int64            `yaml:"central_function"`
	AlertNotification  int64            `yaml:"alert_notification"`
}

// AnnualPackages is the prepaid plans with daily quotas (domain section 10.3).
type AnnualPackages struct {
	Currency       money.Currency
	ListPriceDays  int64
	ValidYears     int                                    // how long a package holds, in calendar years
	DefaultClasses map[string]string                      // by item
	Conversion     map[string]map[string]quantity.Decimal // item, class: counts so many times against the quota
	Overage        map[string]Overage                     // by item
	Packages       []AnnualPackage
}

// Overage is the price beyond a package's quota.
type Overage struct {
	Unit     quantity.Decimal
	Exponent int // of the unit
	Price    quantity.Decimal
}

// AnnualPackage is one size.
type AnnualPackage struct {
	ID         string
	Price      money.Amount
	ListPrice  money.Amount
	UpgradesTo []string
	Quotas     map[string]int64 // a day, by item
}

// TrafficPackages adds daily capacity to an annual package.
type TrafficPackages struct {
	Currency money.Currency
	Packages []TrafficPackage
}

// TrafficPackage is the capacity of one item, sold in multiples of Base.
type TrafficPackage struct {
	Item         string
	Unit         quantity.Decimal
	Exponent     int // of the unit
	Base         int64
	Price        quantity.Decimal // of a unit and day
	DayPrice     money.Amount     // of the base
	Class        string
	Discontinued bool // its item is no longer counted
}

// Cards is the terms of stored-value cards.
type Cards struct {
	Currency     money.Currency
	FaceMin      money.Amount
	FaceStep     money.Amount
	Refundable   bool
	VoucherTiers []VoucherTier // ascending
}

// VoucherTier is the full-reduction voucher that a cash purchase of cards earns.
type VoucherTier struct {
	Card    money.Amount
	Voucher money.Amount
}

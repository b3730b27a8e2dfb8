package catalog

// The shape of a catalogue file. Pointers and slices tell a section that is
// missing from one that is empty; numbers with decimals are texts.

type fileCatalog struct {
	Versions []fileVersion `yaml:"versions"`
}

type fileVersion struct {
	ID              string           `yaml:"id"`
	From            string           `yaml:"from"`
	Until           string           `yaml:"until"`
	Amends          string           `yaml:"amends"`
	Rounding        *fileRounding    `yaml:"rounding"`
	Items           []fileItem       `yaml:"items"`
	Quotas          *fileQuotas      `yaml:"quotas"`
	Retention       *fileRetention   `yaml:"retention"`
	Splits          map[string]Split `yaml:"splits"`
	TaskCalls       *TaskCalls       `yaml:"task_calls"`
	AnnualPackages  *fileAnnual      `yaml:"annual_packages"`
	TrafficPackages *fileTraffic     `yaml:"traffic_packages"`
	Cards           *fileCards       `yaml:"cards"`
}

type fileRounding struct {
	Units        string `yaml:"units"`
	UnitDecimals int    `yaml:"unit_decimals"`
	Lines        string `yaml:"lines"`
}

type fileItem struct {
	ID             string                       `yaml:"id"`
	Name           Text                         `yaml:"name"`
	Counted        string                       `yaml:"counted"`
	Unit           fileUnit                     `yaml:"unit"`
	Sampling       string                       `yaml:"sampling"`
	Rule           string                       `yaml:"rule"`
	Alternative    *fileAlternative             `yaml:"alternative"`
	Retention      string                       `yaml:"retention"`
	VoucherPayable *bool                        `yaml:"voucher_payable"`
	PayAsYouGo     *bool                        `yaml:"pay_as_you_go"`
	Availability   string                       `yaml:"availability"`
	Replaces       string                       `yaml:"replaces"`
	Classes        []string                     `yaml:"classes"`
	Prices         map[string]map[string]string `yaml:"prices"`
	NotSold        []string                     `yaml:"not_sold"`
}

type fileUnit struct {
	Size string `yaml:"size"`
	En   string `yaml:"en"`
	Zh   string `yaml:"zh"`
}

type fileAlternative struct {
	Counter string `yaml:"counter"`
	Divisor string `yaml:"divisor"`
}

type fileQuotas struct {
	WarnPercent      int                  `yaml:"warn_percent"`
	ExhaustedPercent int                  `yaml:"exhausted_percent"`
	Exempt           []string             `yaml:"exempt"`
	Items            map[string]fileQuota `yaml:"items"`
}

type fileQuota struct {
	Quota     *int64 `yaml:"quota"`
	Supported *bool  `yaml:"supported"`
}

type fileRetention struct {
	Experience string              `yaml:"experience"`
	Types      []fileRetentionType `yaml:"types"`
}

type fileRetentionType struct {
	Type    string   `yaml:"type"`
	Allowed []string `yaml:"allowed"`
	Default string   `yaml:"default"`
}

type fileAnnual struct {
	Currency       string                       `yaml:"currency"`
	ListPriceDays  int64                        `yaml:"list_price_days"`
	ValidYears     *int                         `yaml:"valid_years"`
	DefaultClasses map[string]string            `yaml:"default_classes"`
	Conversion     map[string]map[string]string `yaml:"conversion"`
	Overage        map[string]fileOverage       `yaml:"overage"`
	Packages       []fileAnnualPackage          `yaml:"packages"`
}

type fileOverage struct {
	Unit  string `yaml:"unit"`
	Price string `yaml:"price"`
}

type fileAnnualPackage struct {
	ID         string           `yaml:"id"`
	Price      string           `yaml:"price"`
	ListPrice  string           `yaml:"list_price"`
	UpgradesTo []string         `yaml:"upgrades_to"`
	Quotas     map[string]int64 `yaml:"quotas"`
}

type fileTraffic struct {
	Currency string               `yaml:"currency"`
	Packages []fileTrafficPackage `yaml:"packages"`
}

type fileTrafficPackage struct {
	Item         string `yaml:"item"`
	Unit         string `yaml:"unit"`
	Base         int64  `yaml:"base"`
	Price        string `yaml:"price"`
	DayPrice     string `yaml:"day_price"`
	Class        string `yaml:"class"`
	Discontinued bool   `yaml:"discontinued"`
}

type fileCards struct {
	Currency     string     `yaml:"currency"`
	FaceMin      string     `yaml:"face_min"`
	FaceStep     string     `yaml:"face_step"`
	Refundable   bool       `yaml:"refundable"`
	VoucherTiers []fileTier `yaml:"voucher_tiers"`
}

type fileTier struct {
	Card    string `yaml:"card"`
	Voucher string `yaml:"voucher"`
}

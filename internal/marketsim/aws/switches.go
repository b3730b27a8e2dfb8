package aws

import (
	"cmp"
	"fmt"

	"tollgate.dev/internal/marketsim/stage"
)

// Switches choose where AWS's documents contradict each other, are old, or are
// silent. The values of the beginning are the strict ones.
type Switches struct {
	IdenticalRepeat    string `json:"identical_repeat"`     // success, or duplicate: what a record that is sent again unchanged is answered
	Lateness           int    `json:"lateness_hours"`       // 24 since July 2026; many pages still say 6
	MonthEnd           bool   `json:"month_end_rule"`       // the hours of a month are taken until 06:00 UTC on the first of the next
	UnknownCustomer    string `json:"unknown_customer"`     // status (CustomerNotSubscribed), or exception
	ProductBeside      string `json:"product_code_beside"`  // a ProductCode beside a LicenseArn: refuse, or ignore
	UnknownMembers     string `json:"unknown_members"`      // members that the model does not have: refuse, or ignore
	Rate               int    `json:"calls_per_second"`     // per seller and region; 0 is without limit
	ShuffleResults     bool   `json:"shuffle_results"`      // results come in another order than the records
	BothRoles          bool   `json:"both_roles"`           // a seller who sells directly gets each event as proposer and as manufacturer
	DuplicateEvents    bool   `json:"duplicate_events"`     // each message arrives twice
	ShuffleEvents      bool   `json:"shuffle_events"`       // messages arrive in any order
	HoldEvents         bool   `json:"hold_events"`          // messages wait until this is off: the buyer lands first
	BareLicenses       bool   `json:"bare_licenses"`        // events print licenses without the prefix arn:, as in AWS's samples
	RawNotifications   bool   `json:"raw_notifications"`    // legacy notices arrive without the envelope of SNS
	UnknownFormFields  bool   `json:"unknown_form_fields"`  // the registration form has fields that nobody documented
	AllocationsAllowed int    `json:"allocations_allowed"`  // per record: 2500; old texts say 500
	FutureMinutes      int    `json:"future_minutes"`       // how far ahead of the clock a record may be
	FinalMinutes       int    `json:"final_window_minutes"` // after the end of an agreement
}

func defaults() Switches {
	return Switches{
		IdenticalRepeat: "success", Lateness: 24, MonthEnd: true, UnknownCustomer: "status", ProductBeside: "refuse", UnknownMembers: "refuse",
		Rate: 10, ShuffleResults: true, BothRoles: true, BareLicenses: true, AllocationsAllowed: 2500, FutureMinutes: 5, FinalMinutes: 60,
	}
}

func (w Switches) check() error {
	if err := cmp.Or(
		stage.OneOf("identical_repeat", w.IdenticalRepeat, "success", "duplicate"),
		stage.OneOf("unknown_customer", w.UnknownCustomer, "status", "exception"),
		stage.OneOf("product_code_beside", w.ProductBeside, "refuse", "ignore"),
		stage.OneOf("unknown_members", w.UnknownMembers, "refuse", "ignore"),
	); err != nil {
		return err
	}
	if w.Lateness != 24 && w.Lateness != 6 {
		return fmt.Errorf("lateness_hours: 24 or 6")
	}
	if w.Rate < 0 || w.AllocationsAllowed < 1 || w.FutureMinutes < 0 || w.FinalMinutes < 0 {
		return fmt.Errorf("calls_per_second, allocations_allowed, future_minutes and final_window_minutes are not negative")
	}
	return nil
}

// Switches are as they stand.
func (s *Sim) Switches() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.market.Switches
}

// Switch changes those that the JSON object names.
func (s *Sim) Switch(text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := stage.Switched(s.market.Switches, text, Switches.check)
	if err != nil {
		return fmt.Errorf("switches of AWS: %w", err)
	}
	s.market.Switches = next
	if !next.HoldEvents {
		held := s.market.Held
		s.market.Held = nil
		for _, m := range held {
			s.enqueue(m)
		}
	}
	return nil
}

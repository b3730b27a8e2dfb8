package alibaba

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // the zones of switches

	"tollgate.dev/internal/marketsim/stage"
)

// Switches choose where the cloud's documents are silent or contradict each
// other.
type Switches struct {
	Signature     string `json:"signature"`        // v3, v1 or both: which signatures of calls are taken
	Identical     string `json:"identical_rows"`   // a row that comes again: ignore, count (it is billed twice), refuse
	Overlap       string `json:"overlapping_rows"` // a window that meets another: count, refuse
	Late          string `json:"late_rows"`        // usage after its deadline: unbilled (taken, and never billed), refuse
	RefusalCode   string `json:"refusal_code"`     // of refusals for which no code is documented
	Zone          string `json:"zone"`             // of times in callbacks, and of the days of daily plans
	TokenValues   string `json:"token_values"`     // what the token of a callback is made of: decoded, encoded
	Success       string `json:"success"`          // which answer counts to classic calls: both, text, boolean
	OrderPay      bool   `json:"order_pay"`        // orders are also told of by orderPay
	ExtraParams   bool   `json:"extra_parameters"` // callbacks have a parameter that nobody documented
	AliUidText    bool   `json:"ali_uid_text"`     // DescribeOrderForIsv gives AliUid as a text
	PushGap       int    `json:"push_gap_seconds"` // between two pushes of one instance
	FutureMinutes int    `json:"future_minutes"`   // how far ahead of the clock a window may end
}

func defaults() Switches {
	return Switches{
		Signature: "both", Identical: "ignore", Overlap: "count", Late: "unbilled", RefusalCode: "InvalidParameter", Zone: "Asia/Shanghai",
		TokenValues: "decoded", Success: "both", ExtraParams: true, PushGap: 60, FutureMinutes: 5,
	}
}

func (w Switches) check() error {
	if err := cmp.Or(
		stage.OneOf("signature", w.Signature, "v1", "v3", "both"),
		stage.OneOf("identical_rows", w.Identical, "ignore", "count", "refuse"),
		stage.OneOf("overlapping_rows", w.Overlap, "count", "refuse"),
		stage.OneOf("late_rows", w.Late, "unbilled", "refuse"),
		stage.OneOf("token_values", w.TokenValues, "decoded", "encoded"),
		stage.OneOf("success", w.Success, "both", "text", "boolean"),
	); err != nil {
		return err
	}
	if _, err := time.LoadLocation(w.Zone); err != nil {
		return err
	}
	if w.PushGap < 0 || w.FutureMinutes < 0 || w.RefusalCode == "" {
		return fmt.Errorf("push_gap_seconds and future_minutes are not negative, refusal_code is not empty")
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
		return fmt.Errorf("switches of Alibaba Cloud: %w", err)
	}
	s.market.Switches = next
	return nil
}

// zone is where the cloud's days begin.
func (s *Sim) zone() *time.Location {
	l, err := time.LoadLocation(s.market.Switches.Zone)
	if err != nil {
		panic("marketsim/alibaba: " + err.Error()) // it was checked when it was set
	}
	return l
}

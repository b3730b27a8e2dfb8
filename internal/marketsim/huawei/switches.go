package huawei

import (
	"cmp"
	"fmt"

	"tollgate.dev/internal/marketsim/stage"
)

// Switches choose where the cloud's documents contradict each other or are
// silent.
type Switches struct {
	SuccessCode   string `json:"success_code"`      // MKT.0000 as in samples, or CBC.0000 as in a table
	Body          string `json:"body"`              // sorted; unsorted (signed as sent); signed_sorted (sent unsorted, signed sorted)
	Case          string `json:"signature_case"`    // upper, lower
	Timestamp     string `json:"timestamp_unit"`    // ms; one page says s
	AKSK          bool   `json:"usage_ak_sk"`       // the usage push needs an Authorization beside its own signature
	Abnormal      string `json:"abnormal_rows"`     // refuse_all, or take_others
	UnknownOrder  string `json:"unknown_order"`     // refuse, or empty (success without an order)
	ExpireMillis  bool   `json:"expire_millis"`     // expireTime has milliseconds, as in a sample
	Cipher        int    `json:"encrypt_type"`      // of the first generation: 1 is AES-256, 2 is AES-128
	PushSkew      int    `json:"push_skew_seconds"` // how old the ts of a push may be
	PollQuery     bool   `json:"poll_query"`        // an instance that is being made is asked about by queryInstance
	RequiresUsage bool   `json:"requires_usage"`    // queryInstance of pay-per-use must be answered with usageInfo
}

func defaults() Switches {
	return Switches{
		SuccessCode: "MKT.0000", Body: "sorted", Case: "upper", Timestamp: "ms", AKSK: true, Abnormal: "refuse_all", UnknownOrder: "refuse",
		Cipher: 1, PushSkew: 300, PollQuery: true, RequiresUsage: true,
	}
}

func (w Switches) check() error {
	if err := cmp.Or(
		stage.OneOf("success_code", w.SuccessCode, "MKT.0000", "CBC.0000"),
		stage.OneOf("body", w.Body, "sorted", "unsorted", "signed_sorted"),
		stage.OneOf("signature_case", w.Case, "upper", "lower"),
		stage.OneOf("timestamp_unit", w.Timestamp, "ms", "s"),
		stage.OneOf("abnormal_rows", w.Abnormal, "refuse_all", "take_others"),
		stage.OneOf("unknown_order", w.UnknownOrder, "refuse", "empty"),
	); err != nil {
		return err
	}
	if w.Cipher != 1 && w.Cipher != 2 || w.PushSkew < 1 {
		return fmt.Errorf("encrypt_type is 1 or 2, push_skew_seconds is positive")
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
		return fmt.Errorf("switches of Huawei Cloud: %w", err)
	}
	s.market.Switches = next
	return nil
}

package huawei

import (
	"errors"
	"net/http"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
)

// App is where a buyer finds the product of an instance.
type App struct {
	FrontEndURL string `json:"frontEndUrl"`
	Memo        string `json:"memo,omitempty"`
}

// Usage is what an instance has used in all.
type Usage struct {
	Value string `json:"usageValue"`
	At    string `json:"statisticalTime"`
}

// State is an instance in the answer to a question.
type State struct {
	InstanceID string  `json:"instanceId"`
	App        App     `json:"appInfo"`
	Usage      []Usage `json:"usageInfo,omitempty"`
}

// UsageAt writes what an instance has used in all.
func UsageAt(value string, at time.Time) Usage {
	return Usage{value, at.UTC().Format("20060102150405") + "000"}
}

// Reply is the answer to a call: always 200, with the result in its body.
type Reply struct {
	Status int
	Body   []byte
	Sign   string // the header Body-Sign; empty for none
}

// answer is the body of an answer.
type answer struct {
	Code     string  `json:"resultCode"`
	Message  string  `json:"resultMsg"`
	Instance string  `json:"instanceId,omitempty"`
	States   []State `json:"info,omitempty"`
}

// codeOf is the result code of what stood in the way.
func codeOf(err error) string {
	switch {
	case err == nil:
		return codeDone
	case errors.Is(err, marketplace.ErrSignature), errors.Is(err, marketplace.ErrSkewed), errors.Is(err, marketplace.ErrReplayed):
		return codeAuth
	case errors.Is(err, marketplace.ErrUnknown):
		return codeUnknown
	case fault.From(err).Kind == fault.Invalid, fault.From(err).Kind == fault.Conflict:
		return codeParameters
	}
	return codeOther
}

// Answer is what the documents ask for. why is nil for a call that was taken.
func (m *Market) Answer(c Call, why error, states []State) Reply {
	a := answer{Code: codeOf(why), Message: "success", States: states}
	if why != nil {
		f := fault.From(why)
		a.Message = f.Code + ": " + f.Message
	}
	if why == nil && c.Activity == Create && len(c.Instances) == 1 {
		a.Instance = c.Instances[0]
	}
	body, err := compact(a)
	if err != nil {
		return Reply{Status: http.StatusInternalServerError}
	}
	return Reply{http.StatusOK, body, bodySign(m.config.Key, body)}
}

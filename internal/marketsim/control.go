package marketsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"tollgate.dev/internal/marketsim/stage"
)

// longestControl bounds what the control interface reads.
const longestControl = 1 << 20

// control is the interface of tests. It has no password: it listens where the
// simulator listens, and the simulator has nothing to protect.
func (s *Sim) control(mux *http.ServeMux) {
	for pattern, work := range map[string]func(r *http.Request, body []byte) (any, error){
		"GET /control/clock":                 s.clock,
		"POST /control/clock":                s.setClock,
		"GET /control/faults":                s.faults,
		"POST /control/faults":               s.ask,
		"DELETE /control/faults":             s.clear,
		"GET /control/switches":              s.switches,
		"POST /control/switches":             s.flip,
		"GET /control/journal":               s.journal,
		"GET /control/accepted":              s.accepted,
		"GET /control/callbacks":             s.callbacks,
		"POST /control/callbacks/hold":       s.hold,
		"POST /control/callbacks/release":    s.release,
		"POST /control/callbacks/{id}/send":  s.send,
		"POST /control/act/{cloud}/{action}": s.act,
		"POST /control/reset":                s.reset,
		"GET /control/state":                 s.state,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestControl))
			var result any
			if err == nil {
				result, err = work(r, body)
			}
			status := http.StatusOK
			if err != nil {
				status, result = http.StatusBadRequest, map[string]string{"error": err.Error()}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			e := json.NewEncoder(w)
			e.SetIndent("", "  ")
			_ = e.Encode(result)
		})
	}
}

// strict reads an object and refuses what it does not know.
func strict(body []byte, to any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

type clockBody struct {
	At     *time.Time `json:"at,omitempty"`     // business goes by this instant from now on
	Offset *string    `json:"offset,omitempty"` // or by the clock plus this
	Skew   *string    `json:"skew,omitempty"`   // added to what callbacks are signed with
}

func (s *Sim) clock(*http.Request, []byte) (any, error) {
	offset, skew := s.Stage.Clock()
	return map[string]any{"now": s.Stage.Now(), "offset": offset.String(), "skew": skew.String()}, nil
}

func (s *Sim) setClock(r *http.Request, body []byte) (any, error) {
	var b clockBody
	if err := strict(body, &b); err != nil {
		return nil, err
	}
	offset, skew := s.Stage.Clock()
	var err error
	switch {
	case b.At != nil && b.Offset != nil:
		return nil, fmt.Errorf("give at or offset")
	case b.At != nil:
		offset += b.At.Sub(s.Stage.Now())
	case b.Offset != nil:
		if offset, err = time.ParseDuration(*b.Offset); err != nil {
			return nil, err
		}
	}
	if b.Skew != nil {
		if skew, err = time.ParseDuration(*b.Skew); err != nil {
			return nil, err
		}
	}
	s.Stage.SetClock(offset, skew)
	return s.clock(r, nil)
}

func (s *Sim) faults(*http.Request, []byte) (any, error) { return s.Stage.Faults(), nil }

func (s *Sim) ask(r *http.Request, body []byte) (any, error) {
	var f stage.Fault
	if err := strict(body, &f); err != nil {
		return nil, err
	}
	if err := s.Stage.Ask(f); err != nil {
		return nil, err
	}
	return s.Stage.Faults(), nil
}

func (s *Sim) clear(*http.Request, []byte) (any, error) {
	s.Stage.Clear()
	return s.Stage.Faults(), nil
}

func (s *Sim) switches(*http.Request, []byte) (any, error) {
	all := map[string]any{}
	for name, m := range s.markets {
		all[name] = m.Switches()
	}
	return all, nil
}

func (s *Sim) flip(r *http.Request, body []byte) (any, error) {
	var by map[string]json.RawMessage
	if err := strict(body, &by); err != nil {
		return nil, err
	}
	for name := range by {
		if s.markets[name] == nil {
			return nil, fmt.Errorf("there is no cloud %q", name)
		}
	}
	for name, text := range by {
		if err := s.markets[name].Switch(text); err != nil {
			return nil, err
		}
	}
	return s.switches(r, nil)
}

func (s *Sim) journal(r *http.Request, _ []byte) (any, error) {
	return s.Stage.Journal(r.URL.Query().Get("cloud")), nil
}

func (s *Sim) accepted(*http.Request, []byte) (any, error) {
	return map[string]any{"aws": s.AWS.Accepted(), "alibaba": s.Alibaba.Accepted(), "huawei": s.Huawei.Accepted()}, nil
}

func (s *Sim) callbacks(r *http.Request, _ []byte) (any, error) {
	return s.Stage.Callbacks(r.URL.Query().Get("cloud")), nil
}

func (s *Sim) hold(*http.Request, []byte) (any, error) {
	s.Stage.Hold(true)
	return map[string]bool{"hold": true}, nil
}

func (s *Sim) release(r *http.Request, body []byte) (any, error) {
	b := struct {
		Order  stage.Order `json:"order"`
		Copies int         `json:"copies"`
	}{stage.AsMade, 1}
	if err := strict(body, &b); err != nil {
		return nil, err
	}
	taken, err := s.Stage.Release(r.Context(), b.Order, b.Copies)
	return map[string]int{"taken": taken}, err
}

func (s *Sim) send(r *http.Request, _ []byte) (any, error) {
	taken, err := s.Stage.Send(r.Context(), r.PathValue("id"))
	return map[string]bool{"taken": taken}, err
}

func (s *Sim) act(r *http.Request, body []byte) (any, error) {
	m := s.markets[r.PathValue("cloud")]
	if m == nil {
		return nil, fmt.Errorf("there is no cloud %q", r.PathValue("cloud"))
	}
	args := map[string]string{}
	if err := strict(body, &args); err != nil {
		return nil, err
	}
	return m.Act(r.PathValue("action"), args)
}

func (s *Sim) reset(_ *http.Request, body []byte) (any, error) {
	b := struct {
		Seed uint64 `json:"seed"`
	}{s.config.Stage.Seed}
	if err := strict(body, &b); err != nil {
		return nil, err
	}
	s.Stage.Reset(b.Seed)
	for _, m := range s.markets {
		m.Reset()
	}
	return map[string]uint64{"seed": b.Seed}, nil
}

func (s *Sim) state(*http.Request, []byte) (any, error) {
	text, err := s.snapshot()
	return json.RawMessage(text), err
}

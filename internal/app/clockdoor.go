package app

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/job"
)

// The door of `tollgate clock`: whoever may read the data folder of a sandbox
// may move its clock.
const (
	DoorFile  = "door.json"
	ClockPath = "/sandbox/clock"
)

// Door says where a running sandbox is and what opens it.
type Door struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

// ClockMove asks for a move of the clock: 36h, 14d or 1mo.
type ClockMove struct {
	Advance string `json:"advance"`
}

// clockNow is the answer: the clock of the sandbox.
type clockNow struct {
	Now time.Time `json:"now"`
}

// openDoor writes the file that `tollgate clock` reads, for the owner's eyes.
func (a *App) openDoor() error {
	if !a.clock.IsSandbox() {
		return nil
	}
	a.doorKey = id.New(id.APIKey)
	text, err := json.Marshal(Door{URL: a.baseURL, Key: a.doorKey})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(a.config.Data, DoorFile), text, 0o600); err != nil {
		return fmt.Errorf("write the sandbox's door: %w", err)
	}
	return nil
}

func (a *App) serveClock(w http.ResponseWriter, r *http.Request) {
	key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if a.doorKey == "" || subtle.ConstantTimeCompare([]byte(key), []byte(a.doorKey)) != 1 {
		http.Error(w, "this door opens with the key in the data folder", http.StatusUnauthorized)
		return
	}
	now := a.clock.Now()
	if r.Method == http.MethodPost {
		var move ClockMove
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&move); err != nil {
			http.Error(w, "the body is not {\"advance\": \"14d\"}", http.StatusBadRequest)
			return
		}
		by, err := job.ParseStep(move.Advance, now)
		if err == nil {
			now, err = a.calendar.Advance(r.Context(), by)
		}
		if err != nil {
			f := fault.From(err)
			a.log.Error("move the clock", "err", err)
			http.Error(w, f.Message, f.Kind.Status())
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(clockNow{now}) // the caller has gone if this fails
}

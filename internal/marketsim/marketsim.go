// Package marketsim runs simulators of three cloud marketplaces side by side:
// their APIs at one address, the pages of their buyers, and an interface by
// which tests move clocks, ask for faults and see what arrived and what was
// accepted.
//
// It owns the wiring alone; what a cloud says and checks is in the folders
// below. Always true: nothing here is imported by what talks to real clouds,
// and nothing of this house is imported here, so that one misreading of a
// cloud's documents cannot pass both sides.
package marketsim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"tollgate.dev/internal/marketsim/alibaba"
	"tollgate.dev/internal/marketsim/aws"
	"tollgate.dev/internal/marketsim/huawei"
	"tollgate.dev/internal/marketsim/stage"
)

// Config is what a simulation is built from.
type Config struct {
	Base    string // where it is reached, without a slash at the end
	File    string // keeps the state between runs; empty: in memory only
	Stage   stage.Options
	AWS     aws.Config
	Alibaba alibaba.Config
	Huawei  huawei.Config
}

// market is what all clouds have.
type market interface {
	http.Handler
	Act(action string, args map[string]string) (map[string]string, error)
	Switches() any
	Switch(text []byte) error
	Purchases() int
	Snapshot() (json.RawMessage, error)
	Restore(text json.RawMessage) error
	Reset()
}

// Sim is the simulation. Make it with New.
type Sim struct {
	Stage   *stage.Stage
	AWS     *aws.Sim
	Alibaba *alibaba.Sim
	Huawei  *huawei.Sim

	config  Config
	markets map[string]market
	names   []string // in the order of pages
	saving  sync.Mutex
}

// New builds it, with what the file keeps, if there is one.
func New(c Config) (*Sim, error) {
	s := &Sim{config: c, Stage: stage.New(c.Stage), markets: map[string]market{}}
	c.AWS.Base, c.AWS.Home = c.Base+"/aws", c.Base+"/"
	s.AWS = aws.New(s.Stage, c.AWS)
	s.add(aws.Cloud, s.AWS)
	c.Alibaba.Base, c.Alibaba.Home = c.Base+"/alibaba", c.Base+"/"
	s.Alibaba = alibaba.New(s.Stage, c.Alibaba)
	s.add(alibaba.Cloud, s.Alibaba)
	c.Huawei.Base, c.Huawei.Home = c.Base+"/huawei", c.Base+"/"
	s.Huawei = huawei.New(s.Stage, c.Huawei)
	s.add(huawei.Cloud, s.Huawei)
	return s, s.load()
}

func (s *Sim) add(name string, m market) {
	s.markets[name] = m
	s.names = append(s.names, name)
}

// Start lets callbacks go out.
func (s *Sim) Start(ctx context.Context) { s.Stage.Start(ctx) }

// Stop ends what is under way and writes the file.
func (s *Sim) Stop() error {
	s.Stage.Stop()
	return s.save()
}

// Handler is everything: each cloud below its name, their APIs also at the
// addresses that they have at the clouds, the control interface below /control,
// and the page of all markets. Pages of other sites cannot press its buttons.
// It may stand below a prefix that is stripped, with a slash and without, if
// Base has it.
func (s *Sim) Handler() http.Handler {
	mux := http.NewServeMux()
	for name, m := range s.markets {
		mux.Handle("/"+name+"/", http.StripPrefix("/"+name, m))
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost { // an API's client leaves the slash away
				r.URL.Path = "/"
				m.ServeHTTP(w, r)
				return
			}
			http.Redirect(w, r, s.config.Base+"/"+name+"/", http.StatusSeeOther)
		})
	}
	s.control(mux)
	mux.HandleFunc("/", s.root)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "tollgate-marketsim")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			defer s.saveAfter()
		}
		if r.URL.Path == "" { // below a prefix, of which an API's client leaves the slash away
			r.URL.Path = "/"
		}
		guarded.ServeHTTP(w, r)
	})
}

// root answers at the addresses that the clouds have themselves.
func (s *Sim) root(w http.ResponseWriter, r *http.Request) {
	switch {
	case aws.Speaks(r):
		s.AWS.ServeHTTP(w, r)
	case alibaba.Speaks(r):
		s.Alibaba.ServeHTTP(w, r)
	case huawei.Speaks(r):
		s.Huawei.ServeHTTP(w, r)
	case r.URL.Path == "/":
		s.index(w, r)
	default:
		http.NotFound(w, r)
	}
}

// file is what is kept between runs.
type file struct {
	Stage   json.RawMessage            `json:"stage"`
	Markets map[string]json.RawMessage `json:"markets"`
}

func (s *Sim) saveAfter() {
	if err := s.save(); err != nil {
		s.Stage.Note(stage.Entry{Operation: "save", Code: err.Error()})
	}
}

func (s *Sim) save() error {
	if s.config.File == "" {
		return nil
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	text, err := s.snapshot()
	if err != nil {
		return err
	}
	next := s.config.File + ".next"
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return fmt.Errorf("keeping the simulation: %w", err)
	}
	return os.Rename(next, s.config.File)
}

func (s *Sim) snapshot() ([]byte, error) {
	var err error
	f := file{Markets: map[string]json.RawMessage{}}
	for name, m := range s.markets {
		text, failed := m.Snapshot()
		f.Markets[name], err = text, errors.Join(err, failed)
	}
	text, failed := s.Stage.Snapshot()
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	f.Stage = text
	return json.Marshal(f)
}

func (s *Sim) load() error {
	if s.config.File == "" {
		return nil
	}
	text, err := os.ReadFile(filepath.Clean(s.config.File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var f file
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err == nil {
		err = s.Stage.Restore(f.Stage)
	}
	for name, kept := range f.Markets {
		if m := s.markets[name]; m != nil && err == nil {
			err = m.Restore(kept)
		}
	}
	if err != nil {
		return fmt.Errorf("the file of the simulation, %s: %w", s.config.File, err)
	}
	return nil
}

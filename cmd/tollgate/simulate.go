package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"tollgate.dev/internal/sim"
)

// simulateCommand plays a scenario through the engine on a store of its own.
type simulateCommand struct {
	File   string `arg:"" help:"The scenario." type:"path"`
	Output string `short:"o" help:"text or json." default:"text"`
	Store  string `help:"sqlite:PATH of a new file, or postgres://…, where the simulation gets a schema of its own; empty is SQLite in a temporary folder." env:"TOLLGATE_SIMULATION_STORE"`
}

// Run ends with 0 when the books are whole and the outcome is as expected,
// with 1 when not, and with 2 when the file cannot be played.
func (c *simulateCommand) Run(ctx context.Context) error { return c.play(ctx, os.Stdout, os.Stderr) }

func (c *simulateCommand) play(ctx context.Context, out, said io.Writer) (err error) {
	if c.Output != "text" && c.Output != "json" {
		fmt.Fprintf(said, "tollgate simulate: --output: %q is neither text nor json\n", c.Output)
		return &exit{2}
	}
	s, err := sim.ReadFile(c.File)
	if err != nil {
		return c.unplayable(said, err)
	}
	store, end, err := sim.Fresh(ctx, c.Store)
	if errors.Is(err, sim.ErrStoreInUse) {
		return c.unplayable(said, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	outcome, err := sim.Play(ctx, s, store, slog.New(slog.DiscardHandler))
	if err != nil {
		var problems sim.Problems
		if errors.As(err, &problems) {
			return c.unplayable(said, err)
		}
		return err
	}
	if err := c.print(out, outcome); err != nil {
		return err
	}
	differences, err := s.Compare(outcome, false)
	if err != nil {
		return err
	}
	if len(differences) > 0 {
		if err := sim.PrintDifferences(said, c.File, differences); err != nil {
			return err
		}
	}
	if len(differences) > 0 || !outcome.Verify.OK {
		return &exit{1}
	}
	return nil
}

// unplayable names what is wrong, with its line where it has one.
func (c *simulateCommand) unplayable(said io.Writer, err error) error {
	var problems sim.Problems
	if !errors.As(err, &problems) {
		fmt.Fprintf(said, "tollgate simulate: %v\n", err)
		return &exit{2}
	}
	for _, p := range problems {
		fmt.Fprintf(said, "%s:%d: %s\n", c.File, p.Line, p.Text)
	}
	return &exit{2}
}

func (c *simulateCommand) print(out io.Writer, o sim.Outcome) error {
	if c.Output == "text" {
		return o.Text(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(o)
}

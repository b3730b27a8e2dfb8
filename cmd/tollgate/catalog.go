package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"tollgate.dev/internal/app"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

// catalogCommand looks at what can be sold and adds versions to it.
type catalogCommand struct {
	List   catalogList   `cmd:"" help:"List the versions: from when they hold, and who added them."`
	Check  catalogCheck  `cmd:"" help:"Check the file of a version that is to be added, and say what it changes."`
	Add    catalogAdd    `cmd:"" help:"Add a version that begins on a day to come."`
	Remove catalogRemove `cmd:"" help:"Take back the last version, as long as it does not hold yet."`
	WhatIf catalogWhatIf `cmd:"" help:"Say what a version would have made of the bills of a month."`
}

// installation is the store that a command works on, running or not.
type installation struct {
	Data  string `help:"Data folder of the installation." default:"tollgate-demo" env:"TOLLGATE_DATA" type:"path"`
	Store string `help:"sqlite:PATH or postgres://…; empty is SQLite in the data folder." env:"TOLLGATE_STORE"`
}

// with opens the store and its clock for what is to be done.
func (i *installation) with(ctx context.Context, do func(s *store.Store, clock *job.Clock) error) (err error) {
	s, err := app.OpenExisting(ctx, i.Store, i.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	clock, err := job.Sandbox(ctx, s) // a real clock when the store has none of its own
	if err != nil {
		return err
	}
	return do(s, clock)
}

// atTerminal is who changes the catalogue here.
var atTerminal = catalog.Actor{ID: "command line"}

// refused says what is wrong, line by line, and ends with 2; other errors stay.
func refused(command string, err error) error {
	if err == nil {
		return nil
	}
	var problems catalog.Problems
	f := fault.From(err)
	switch {
	case errors.As(err, &problems):
		for _, p := range problems {
			fmt.Fprintf(os.Stderr, "tollgate catalog %s: %s: %s\n", command, p.Path, p.Text())
		}
	case f.Kind != fault.Internal:
		fmt.Fprintf(os.Stderr, "tollgate catalog %s: %s\n", command, f.Message)
	default:
		return err
	}
	return &exit{2}
}

type catalogList struct{ installation }

// Run prints a line per version.
func (c *catalogList) Run(ctx context.Context) error {
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		return s.Read(ctx, func(tx *store.Tx) error {
			whole, added, err := catalog.Default().Whole(ctx, tx)
			if err != nil {
				return err
			}
			by := map[string]catalog.Added{}
			for _, a := range added {
				by[a.ID] = a
			}
			t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "version\tfrom\tuntil\tadded by\tsha256")
			for _, v := range whole.Versions() {
				until, who := "", "the program"
				if !v.Until.IsZero() {
					until = v.Until.String()
				}
				if a, ok := by[v.ID]; ok {
					who = a.By
				}
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", v.ID, v.From, until, who, by[v.ID].SHA256)
			}
			for _, v := range catalog.Default().HeldBack(added) {
				fmt.Fprintf(t, "%s\t%s\t\t%s\t\n", v.ID, v.From, "the program; does not hold, for others were added before it came")
			}
			return t.Flush()
		})
	})
}

type catalogCheck struct {
	File string `arg:"" help:"The version's file." type:"existingfile"`
	installation
}

// Run prints what the version changes, or all that is wrong and ends with 2.
func (c *catalogCheck) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		var whole *catalog.Catalog
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			if whole, _, err = catalog.Default().Whole(ctx, tx); err != nil {
				return err
			}
			whole, err = whole.Check(text, clock.Now())
			return err
		})
		if err != nil {
			return refused("check", err)
		}
		return printDifference(os.Stdout, whole)
	})
}

// printDifference says what the last version changes of the one before.
func printDifference(w io.Writer, whole *catalog.Catalog) error {
	versions := whole.Versions()
	before, v := versions[len(versions)-2], versions[len(versions)-1]
	d := catalog.DifferenceOf(before, v)
	fmt.Fprintf(w, "version %s holds from %s, after %s\n", v.ID, v.From, before.ID)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, p := range d.Prices {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", p.Item, p.Market, p.Class, orNone(p.Before), orNone(p.After))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, list := range []struct {
		what string
		ids  []string
	}{{"new item", d.New}, {"other changes of", d.Items}, {"changed section", d.Sections}} {
		for _, id := range list.ids {
			fmt.Fprintf(w, "%s %s\n", list.what, id)
		}
	}
	if d.Empty() {
		fmt.Fprintln(w, "nothing changes")
	}
	return nil
}

func orNone(price string) string {
	if price == "" {
		return "none"
	}
	return price
}

type catalogAdd struct {
	File string `arg:"" help:"The version's file." type:"existingfile"`
	installation
}

// Run adds the version, or prints all that is wrong and ends with 2.
func (c *catalogAdd) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		var whole *catalog.Catalog
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			whole, _, err = catalog.Default().Add(ctx, tx, text, atTerminal, clock.Now())
			return err
		})
		if err != nil {
			return refused("add", err)
		}
		return printDifference(os.Stdout, whole)
	})
}

type catalogRemove struct {
	Version string `arg:"" help:"ID of the version."`
	installation
}

// Run removes the version, or says why it stays and ends with 2.
func (c *catalogRemove) Run(ctx context.Context) error {
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		err := s.Write(ctx, func(tx *store.Tx) error {
			_, err := catalog.Default().Remove(ctx, tx, c.Version, atTerminal, clock.Now())
			return err
		})
		if err == nil {
			fmt.Printf("version %s is removed\n", c.Version)
		}
		return refused("remove", err)
	})
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"tollgate.dev/internal/api"
	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/store"
)

// billCommand looks at bills of a store, running or not.
type billCommand struct {
	Explain billExplain `cmd:"" help:"Say how each line of a bill came about: its hours, the prices, the rounding, and what paid it."`
}

type billExplain struct {
	Bill   string `arg:"" help:"ID of the bill, or its number such as cn1-2026-000123."`
	Line   int    `help:"Only this line, from 1."`
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
	installation
}

// Run prints the explanation; it ends with 2 when there is no such bill or line.
func (c *billExplain) Run(ctx context.Context) error {
	var e *api.Explanation
	err := c.with(ctx, func(s *store.Store, _ *job.Clock) (err error) {
		e, err = c.explain(ctx, s)
		return err
	})
	if f := fault.From(err); err != nil && f.Kind == fault.NotFound {
		fmt.Fprintf(os.Stderr, "tollgate bill explain: %s: %s\n", c.Bill, f.Message)
		return &exit{2}
	}
	if err != nil {
		return err
	}
	return c.print(os.Stdout, e)
}

func (c *billExplain) explain(ctx context.Context, s *store.Store) (*api.Explanation, error) {
	var e bill.Explanation
	err := s.Read(ctx, func(tx *store.Tx) error {
		b, err := tx.Bill(ctx, c.Bill)
		if errors.Is(err, bill.ErrUnknown) {
			b, err = tx.BillByNumber(ctx, c.Bill)
		}
		if err != nil {
			return err
		}
		whole, _, err := catalog.Default().Whole(ctx, tx)
		if err != nil {
			return err
		}
		e, err = bill.Explain(ctx, tx, whole, b)
		return err
	})
	if err != nil {
		return nil, err
	}
	return api.ExplanationOf(e, c.Line)
}

func (c *billExplain) print(w io.Writer, e *api.Explanation) error {
	if c.Output == "json" {
		j := json.NewEncoder(w)
		j.SetIndent("", "  ")
		return j.Encode(e)
	}
	fmt.Fprintf(w, "bill       %s (%s)\n", e.Number, e.ID)
	fmt.Fprintf(w, "workspace  %s at %s\n", e.WorkspaceID, e.Site)
	fmt.Fprintf(w, "day        %s, %d hours in %s\n", e.Day, e.Hours, e.Zone)
	fmt.Fprintf(w, "prices     catalogue %s, in force from %s, market %s\n", e.Catalog.ID, e.Catalog.From, e.Market)
	fmt.Fprintf(w, "total      %s %s\n", e.Total.Amount, e.Total.Currency)
	if e.Entry != nil {
		fmt.Fprintf(w, "paid by    entry %d of the ledger (%s)\n", e.Entry.Number, e.Entry.ID)
	}
	for _, a := range e.Adjustments {
		fmt.Fprintf(w, "adjusted   %s %s on %s: %s\n", a.Amount, e.Total.Currency, a.BookedAt.Format("2006-01-02"), a.Reason)
	}
	for _, l := range e.Lines {
		if err := printLine(w, e, l); err != nil {
			return err
		}
	}
	return nil
}

// printLine is a line from its hours to what paid it.
func printLine(w io.Writer, e *api.Explanation, l api.ExplainedLine) error {
	class := l.Class
	if l.Index != "" {
		class += ", index " + l.Index
	}
	fmt.Fprintf(w, "\nline %d: %s, class %s\n", l.Line, l.Item, class)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	names := make([]string, len(l.Counters))
	for i, counter := range l.Counters {
		names[i] = counter.Name
	}
	fmt.Fprintf(t, "hour\t%s\t\n", strings.Join(names, "\t"))
	for _, h := range l.HourBy {
		fmt.Fprint(t, h.Start.Format("2006-01-02 15:04 -07:00"))
		for _, s := range h.Samples {
			text := "-"
			if s != nil {
				text = *s
			}
			fmt.Fprint(t, "\t"+text)
		}
		note := ""
		if !h.Billed {
			note = "  before the upgrade"
		}
		fmt.Fprintf(t, "\t%s\n", note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, c := range l.Counters {
		fmt.Fprintf(w, "  %-9s %s = %s\n", rules[l.Rule], c.Name, c.Day)
	}
	if l.Divisor != "" {
		fmt.Fprintf(w, "  %-9s the larger of the first and the second / %s\n", "quantity", l.Divisor)
	}
	fmt.Fprintf(w, "  %-9s %s %s\n", "quantity", l.Quantity, l.UnitName)
	divided := l.Quantity
	if c := l.Package; c != nil {
		divided = c.Excess
		fmt.Fprintf(w, "  %-9s %s x %s = %s\n", "converted", l.Quantity, c.Factor, c.Converted)
		fmt.Fprintf(w, "  %-9s %s by package %s\n", "covered", c.Covered, c.ID)
		fmt.Fprintf(w, "  %-9s %s\n", "excess", c.Excess)
	}
	fmt.Fprintf(w, "  %-9s %s / %s = %s%s\n", "units", divided, l.UnitSize, l.Units, cut(e.Catalog))
	agreed := ""
	if l.Override != "" {
		agreed = ", a price agreed with the payer: " + l.Override
	}
	fmt.Fprintf(w, "  %-9s %s x %s = %s%s\n", "exact", l.Units, l.UnitPrice, l.Exact, agreed)
	fmt.Fprintf(w, "  %-9s half up to the minor unit, %s\n", "rounding", l.Rounding)
	fmt.Fprintf(w, "  %-9s %s %s\n", "amount", l.Amount.Amount, l.Amount.Currency)
	for _, p := range l.Payments {
		fmt.Fprintf(w, "  %-9s %s from %s, entry %d of the ledger\n", "paid", p.Amount, p.Source, p.Entry)
	}
	agrees := "the hours make this line again"
	if !l.Agrees {
		agrees = "THE HOURS NO LONGER MAKE THIS LINE"
	}
	_, err := fmt.Fprintf(w, "  %-9s %s\n", "check", agrees)
	return err
}

var rules = map[string]string{
	string(catalog.Sum24): "sum of", string(catalog.Max24): "most of", string(catalog.MaxOfTwo): "sum of",
}

func cut(v api.CatalogVersion) string {
	if v.UnitDecimals == nil {
		return ", exact"
	}
	return fmt.Sprintf(", cut to %d decimals", *v.UnitDecimals)
}

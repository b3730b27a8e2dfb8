package sim

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Text writes the outcome for people.
func (o Outcome) Text(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, b := range o.Bills {
		fmt.Fprintf(t, "%s  %s  %s  %s %s, paid by %s\n", b.Day, b.Workspace, b.Number, b.Currency, b.Total, b.Account)
		for _, l := range b.Lines {
			fmt.Fprintf(t, "  %s\t%s\t%s\t%s x %s\t= %s\t%s\t%s\n", l.Item, strings.TrimSuffix(l.Class+"/"+l.Index, "/"), l.Quantity, l.Units, l.UnitPrice, l.Exact, l.Amount, l.Paid.text())
		}
	}
	section(t, "statements", o.Statements, func(s Statement) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s bills\t%s\t%s", s.Month, s.Account, s.Number, s.Bills, s.Total, s.Paid.text())
	})
	for _, x := range o.Parked {
		fmt.Fprintf(t, "%s  %s  parked: %s\n", x.Day, x.Workspace, x.Code)
	}
	section(t, "balances", slices.Sorted(maps.Keys(o.Balances)), func(name string) string {
		b := o.Balances[name]
		return fmt.Sprintf("%s\tcash %s\tvoucher %s\tfull reduction %s\tcard %s\towed %s", name, b.Cash, b.Voucher, b.FullReduction, b.Card, b.Owed)
	})
	section(t, "sent to clouds", o.Cloud, func(r Record) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t= %s %s\t%s", r.WindowStart, r.Cloud, r.Instance, r.Dimension, r.Quantity, r.Currency, r.Amount, r.State)
	})
	section(t, "reconciliation", o.Reconciled, func(r Reconciled) string {
		var apart strings.Builder
		for _, state := range slices.Sorted(maps.Keys(r.Apart)) {
			fmt.Fprintf(&apart, "  %s %s", state, r.Apart[state])
		}
		return fmt.Sprintf("%s\t%s\t%s\t%s\tbilled %s\tsent %s\taccepted %s\t%s", r.Month, r.Cloud, r.Workspace, r.Dimension, r.Billed, r.Sent, r.Accepted, apart.String())
	})
	section(t, "retention", o.Retention, func(k Kept) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s", k.At, k.Workspace, strings.TrimSuffix(k.Type+"/"+k.Index, "/"), k.Class)
	})
	section(t, "notices", o.Notices, func(n Notice) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s of %s", n.At, n.Workspace, n.Kind, n.Item, n.Used, n.Limit)
	})
	section(t, "mails", o.Mails, func(m Mail) string { return fmt.Sprintf("%s\t%s\t%s", m.At, m.To, m.Kind) })
	section(t, "refused", o.Errors, func(e Refusal) string { return fmt.Sprintf("step %d\t%s\t%s", e.Step, e.Code, e.Message) })
	if o.Verify.OK {
		fmt.Fprintln(t, "the books are whole")
	}
	section(t, "the books are NOT whole", o.Verify.Failed, func(f string) string { return f })
	return t.Flush()
}

// section writes a heading and its lines, or nothing when there are none.
func section[T any](w io.Writer, heading string, list []T, line func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, heading)
	for _, entry := range list {
		fmt.Fprintln(w, "  "+line(entry))
	}
}

func (p Paid) text() string {
	var parts []string
	for _, part := range [][2]string{
		{"voucher", p.Voucher}, {"full reduction", p.FullReduction}, {"card", p.Card}, {"cash", p.Cash}, {"cloud", p.Cloud}, {"owed", p.Owed},
	} {
		if strings.Trim(part[1], "0.") != "" {
			parts = append(parts, part[0]+" "+part[1])
		}
	}
	if len(parts) == 0 {
		return "nothing to pay"
	}
	return strings.Join(parts, ", ")
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"tollgate.dev/internal/bill"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
)

type catalogWhatIf struct {
	File   string `arg:"" help:"The version's file; the version is not added." type:"existingfile"`
	Month  string `help:"Whose bills, such as 2026-10; the last one that is over, if empty."`
	Output string `short:"o" help:"text or json." enum:"text,json" default:"text"`
	After  string `help:"Go on after this workspace."`
	Limit  int    `help:"Look at so many workspaces at most." default:"100000"`
	installation
}

// whatIfPage is how many workspaces are looked at in one transaction.
const whatIfPage = 200

// Run tries the version on the month's bills; nothing is kept. A file that is
// wrong ends it with 2.
func (c *catalogWhatIf) Run(ctx context.Context) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	if c.Limit < 1 {
		return errors.New("--limit must be positive")
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		var whole *catalog.Catalog
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			if whole, _, err = catalog.Default().Whole(ctx, tx); err != nil {
				return err
			}
			whole, err = whole.With(text)
			return err
		})
		if err != nil {
			return refused("what-if", err)
		}
		month := period.DayOf(clock.Now(), time.UTC).Month().First().Add(-1).Month()
		if c.Month != "" {
			if month, err = period.ParseMonth(c.Month); err != nil {
				fmt.Fprintf(os.Stderr, "tollgate catalog what-if: --month: %q is no month such as 2026-10\n", c.Month)
				return &exit{2}
			}
		}
		versions := whole.Versions()
		out := bufio.NewWriter(os.Stdout)
		p := whatIfPrinter{w: out, json: c.Output == "json", of: bill.NewWhatIf(whole, versions[len(versions)-1], month)}
		return errors.Join(p.print(ctx, s, c.After, c.Limit), out.Flush())
	})
}

// whatIfPrinter writes row by row, so that it holds a page at a time.
type whatIfPrinter struct {
	w    io.Writer
	json bool
	of   *bill.WhatIf
	rows int
}

// What is printed as JSON: decimal texts, as everywhere.
type (
	changeJSON struct {
		Before     string `json:"before"`
		After      string `json:"after"`
		Difference string `json:"difference"`
	}
	whatIfRowJSON struct {
		Workspace string         `json:"workspace"`
		Account   string         `json:"account"`
		Currency  money.Currency `json:"currency"`
		Bills     int            `json:"bills"`
		changeJSON
		Items []whatIfItemJSON `json:"items"`
	}
	whatIfItemJSON struct {
		Item     string         `json:"item"`
		Currency money.Currency `json:"currency,omitempty"`
		changeJSON
	}
	whatIfAccountJSON struct {
		Account  string         `json:"account"`
		Currency money.Currency `json:"currency"`
		changeJSON
	}
	whatIfTotalJSON struct {
		Currency money.Currency `json:"currency"`
		changeJSON
	}
	unratedJSON struct {
		Bill   string `json:"bill"`
		Code   string `json:"code"`
		Reason string `json:"reason"`
	}
	whatIfSumsJSON struct {
		Accounts   []whatIfAccountJSON `json:"accounts"`
		Items      []whatIfItemJSON    `json:"items"`
		Totals     []whatIfTotalJSON   `json:"totals"`
		Workspaces int                 `json:"workspace_count"`
		Bills      int                 `json:"bill_count"`
		Failed     int                 `json:"unrated_count"`
		Unrated    []unratedJSON       `json:"unrated"`
		Next       string              `json:"next"`
	}
)

func changeOf(c bill.Change) changeJSON {
	d, err := c.Difference()
	if err != nil {
		return changeJSON{c.Before.String(), c.After.String(), ""}
	}
	return changeJSON{c.Before.String(), c.After.String(), d.String()}
}

func (p *whatIfPrinter) print(ctx context.Context, s *store.Store, after string, limit int) error {
	if p.json {
		fmt.Fprintf(p.w, "{\"version\":%q,\"from\":%q,\"month\":%q,\"workspaces\":[", p.of.Version.ID, p.of.Version.From, p.of.Month)
	} else {
		fmt.Fprintf(p.w, "version %s, which holds from %s, on the bills of %s\n\n", p.of.Version.ID, p.of.Version.From, p.of.Month)
		fmt.Fprintf(p.w, "%-37s %-37s %5s %s %14s %14s %14s\n", "workspace", "account", "bills", "   ", "before", "after", "difference")
	}
	for left := limit; left > 0; {
		var rows []bill.WhatIfRow
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			rows, err = p.of.Walk(ctx, tx, after, min(whatIfPage, left))
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := p.row(r); err != nil {
				return err
			}
		}
		if after = p.of.Next; after == "" {
			break
		}
		left -= whatIfPage
	}
	if p.json {
		return p.sumsJSON()
	}
	return p.sums()
}

func (p *whatIfPrinter) row(r bill.WhatIfRow) error {
	c := changeOf(r.Change)
	if !p.json {
		_, err := fmt.Fprintf(p.w, "%-37s %-37s %5d %s %14s %14s %14s\n", r.WorkspaceID, r.Payer, r.Bills, r.Currency, c.Before, c.After, c.Difference)
		return err
	}
	row := whatIfRowJSON{Workspace: r.WorkspaceID, Account: r.Payer, Currency: r.Currency, Bills: r.Bills, changeJSON: c}
	for _, i := range r.Items {
		row.Items = append(row.Items, whatIfItemJSON{Item: i.Item, changeJSON: changeOf(i.Change)})
	}
	text, err := json.Marshal(row)
	if err != nil {
		return err
	}
	if p.rows++; p.rows > 1 {
		text = append([]byte{','}, text...)
	}
	_, err = p.w.Write(append([]byte{'\n'}, text...))
	return err
}

// all are the sums of what was looked at.
func (p *whatIfPrinter) all() whatIfSumsJSON {
	sums := whatIfSumsJSON{
		Accounts: []whatIfAccountJSON{}, Items: []whatIfItemJSON{}, Totals: []whatIfTotalJSON{}, Unrated: []unratedJSON{},
		Workspaces: p.of.Workspaces, Bills: p.of.Bills, Failed: p.of.Failed, Next: p.of.Next,
	}
	for _, payer := range slices.Sorted(maps.Keys(p.of.Accounts)) {
		c := p.of.Accounts[payer]
		sums.Accounts = append(sums.Accounts, whatIfAccountJSON{payer, c.Before.Currency(), changeOf(*c)})
	}
	for _, currency := range slices.Sorted(maps.Keys(p.of.Totals)) {
		for _, i := range p.of.Items[currency] {
			sums.Items = append(sums.Items, whatIfItemJSON{i.Item, currency, changeOf(i.Change)})
		}
		sums.Totals = append(sums.Totals, whatIfTotalJSON{currency, changeOf(*p.of.Totals[currency])})
	}
	for _, u := range p.of.Unrated {
		sums.Unrated = append(sums.Unrated, unratedJSON{u.Bill.Number, u.Reason.Code, u.Reason.Message})
	}
	return sums
}

func (p *whatIfPrinter) sumsJSON() error {
	text, err := json.Marshal(p.all())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.w, "],\n%s\n", text[1:])
	return err
}

func (p *whatIfPrinter) sums() error {
	all := p.all()
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\nby\tcurrency\tbefore\tafter\tdifference\t")
	for _, a := range all.Accounts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", a.Account, a.Currency, a.Before, a.After, a.Difference)
	}
	for _, i := range all.Items {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", i.Item, i.Currency, i.Before, i.After, i.Difference)
	}
	for _, total := range all.Totals {
		fmt.Fprintf(t, "total\t%s\t%s\t%s\t%s\t\n", total.Currency, total.Before, total.After, total.Difference)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(p.w, "\n%d bills of %d workspaces\n", all.Bills, all.Workspaces)
	for _, u := range all.Unrated {
		fmt.Fprintf(p.w, "not rated: %s: %s\n", u.Bill, u.Reason)
	}
	if all.Failed > 0 {
		fmt.Fprintf(p.w, "%d bills could not be made by this version and are in no sum\n", all.Failed)
	}
	if all.Next != "" {
		fmt.Fprintf(p.w, "there are more: go on with --after %s\n", all.Next)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// marketplaceCommand is about what clouds collect, and what they let us in by.
type marketplaceCommand struct {
	Reconcile   reconcileCommand   `cmd:"" help:"Compare what was billed here, sent, and accepted by a cloud in a month."`
	Configure   configureCommand   `cmd:"" help:"Enter a credential of a cloud. It is read from the standard input, and stored sealed."`
	Credentials credentialsCommand `cmd:"" help:"List the credentials that were entered, without what they are."`
	Forget      forgetCommand      `cmd:"" help:"Remove a credential that was entered."`
	NewKey      newKeyCommand      `cmd:"" help:"Print a fresh key that seals credentials, for the file of TOLLGATE_SECRET_KEY_FILE."`
	RotateKey   rotateKeyCommand   `cmd:"" help:"Seal all entered credentials with the first key, and say when the others are needed no longer."`
}

type reconcileCommand struct {
	Cloud  string `arg:"" help:"alibaba, alibaba_intl, aws or huawei."`
	Month  string `help:"Of the usage, such as 2026-10; the last one that is over, if empty."`
	Output string `short:"o" help:"text or csv." enum:"text,csv" default:"text"`
	installation
}

// Run prints a line per workspace and dimension. It ends with 1 when the cloud
// has not accepted all that was billed.
func (c *reconcileCommand) Run(ctx context.Context) error {
	cloud := site.Method(c.Cloud)
	if cloud == site.BillingCenter || !slices.Contains(site.Methods(), cloud) {
		return errors.New("there is no such cloud: choose alibaba, alibaba_intl, aws or huawei")
	}
	return c.with(ctx, func(s *store.Store, clock *job.Clock) error {
		month := period.DayOf(clock.Now(), time.UTC).Month().First().Add(-1).Month()
		if c.Month != "" {
			var err error
			if month, err = period.ParseMonth(c.Month); err != nil {
				return err
			}
		}
		var r marketplace.Reconciliation
		err := s.Read(ctx, func(tx *store.Tx) (err error) {
			r, err = tx.Reconciliation(ctx, cloud, month)
			return err
		})
		if err != nil {
			return err
		}
		if c.Output == "csv" {
			err = r.WriteCSV(os.Stdout)
		} else {
			err = printReconciliation(r)
		}
		if err == nil && !r.Agree() {
			return &exit{1}
		}
		return err
	})
}

func printReconciliation(r marketplace.Reconciliation) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(w, "%s %s\nWORKSPACE\tDIMENSION\tCURRENCY\tBILLED\tSENT\tACCEPTED\tAPART\n", r.Cloud, r.Month) // Flush says what went wrong
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t", row.WorkspaceID, row.Dimension, row.Billed.Currency(), row.Billed, row.Sent, row.Accepted)
		for _, a := range row.Apart {
			_, _ = fmt.Fprintf(w, "%s %s  ", a.State, a.Amount)
		}
		_, _ = fmt.Fprintln(w)
	}
	return w.Flush()
}

package marketplace

import (
	"encoding/csv"
	"io"
	"slices"

	"tollgate.dev/internal/export"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

// Where charges can be besides the states of their records.
const (
	AtOpen     RecordState = "open"     // the window is not closed, or all of it is less than one unit
	AtCarried  RecordState = "carried"  // less than one unit, or an operator's verdict: it goes with the next record, if there is one
	AtStranded RecordState = "stranded" // no subscription lives that could collect it
)

// Reconciliation compares, for a cloud and a month, what was billed here, what
// was sent, and what the cloud accepted, by workspace and dimension.
type Reconciliation struct {
	Cloud site.Method
	Month period.Month
	Rows  []Reconciled
}

// Reconciled is a workspace's row in one dimension and currency, in the month of
// the usage. What was billed is what the cloud has accepted and what explains
// the difference. What a record left for the next one is carried; in a month
// that took over more than it left, that is less than nothing.
type Reconciled struct {
	WorkspaceID string
	Workspace   string
	Dimension   string // empty while nothing is sealed
	Billed      money.Amount
	Sent        money.Amount
	Accepted    money.Amount
	Apart       []Apart // what explains the differences
}

// Apart is the part of a row that the cloud has not accepted, and why.
type Apart struct {
	State  RecordState
	Amount money.Amount
}

// Standing is what charges of a workspace come to, by where they are.
type Standing struct {
	WorkspaceID string
	Workspace   string
	Dimension   string
	State       RecordState // of their record, or one of AtOpen, AtCarried, AtStranded
	Attempted   bool        // their record went out at least once
	Amount      money.Amount
}

// Reconcile adds up what is given in the order of workspaces and dimensions.
func Reconcile(cloud site.Method, month period.Month, standings []Standing) (Reconciliation, error) {
	r := Reconciliation{Cloud: cloud, Month: month}
	for _, s := range standings {
		last := len(r.Rows) - 1
		if last < 0 || r.Rows[last].WorkspaceID != s.WorkspaceID || r.Rows[last].Dimension != s.Dimension || r.Rows[last].Billed.Currency() != s.Amount.Currency() {
			zero := money.Of(0, s.Amount.Currency())
			r.Rows = append(r.Rows, Reconciled{WorkspaceID: s.WorkspaceID, Workspace: s.Workspace, Dimension: s.Dimension, Billed: zero, Sent: zero, Accepted: zero})
			last++
		}
		if err := r.Rows[last].add(s); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *Reconciled) add(s Standing) (err error) {
	if r.Billed, err = r.Billed.Add(s.Amount); err != nil {
		return err
	}
	if s.State == Reissued { // its money goes out with another record
		s.State, s.Attempted = AtCarried, false
	}
	if s.Attempted {
		if r.Sent, err = r.Sent.Add(s.Amount); err != nil {
			return err
		}
	}
	if s.State == Accepted || s.State == DuplicateSame {
		r.Accepted, err = r.Accepted.Add(s.Amount)
		return err
	}
	defer func() { // what cancels out explains nothing
		r.Apart = slices.DeleteFunc(r.Apart, func(a Apart) bool { return a.Amount.IsZero() })
	}()
	at := slices.IndexFunc(r.Apart, func(a Apart) bool { return a.State == s.State })
	if at < 0 {
		r.Apart = append(r.Apart, Apart{s.State, s.Amount})
		return nil
	}
	r.Apart[at].Amount, err = r.Apart[at].Amount.Add(s.Amount)
	return err
}

// Agrees reports whether the cloud has accepted all that was billed.
func (r Reconciled) Agrees() bool { return len(r.Apart) == 0 }

// Agree reports whether all rows do.
func (r Reconciliation) Agree() bool {
	return !slices.ContainsFunc(r.Rows, func(row Reconciled) bool { return !row.Agrees() })
}

// WriteCSV writes a line per row, and one per part that explains a difference.
func (r Reconciliation) WriteCSV(to io.Writer) error {
	w := csv.NewWriter(to)
	lines := [][]string{{"cloud", "month", "workspace_id", "workspace", "dimension", "currency", "billed", "sent", "accepted", "apart_state", "apart"}}
	for _, row := range r.Rows {
		head := []string{string(r.Cloud), r.Month.String(), row.WorkspaceID, export.Inert(row.Workspace), row.Dimension, string(row.Billed.Currency()), row.Billed.String(), row.Sent.String(), row.Accepted.String()}
		if row.Agrees() {
			lines = append(lines, append(head, "", ""))
		}
		for i, a := range row.Apart {
			line := slices.Clone(head)
			if i > 0 { // sums of a column hold each amount once
				line[6], line[7], line[8] = "", "", ""
			}
			lines = append(lines, append(line, string(a.State), a.Amount.String()))
		}
	}
	return w.WriteAll(lines)
}

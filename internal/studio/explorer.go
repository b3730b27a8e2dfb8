package studio

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/sink"
	"tollgate.dev/internal/web"
)

// recordsPerPage is how many records a page of the Explorer shows.
const recordsPerPage = 50

// span is a time range and the step of its histogram.
type span struct{ length, step time.Duration }

var spans = map[string]span{
	"15m": {15 * time.Minute, 30 * time.Second},
	"1h":  {time.Hour, 2 * time.Minute},
	"6h":  {6 * time.Hour, 10 * time.Minute},
	"24h": {24 * time.Hour, 30 * time.Minute},
	"7d":  {7 * 24 * time.Hour, 4 * time.Hour},
}

// ahead is how far in the future a collector's clock may be for its records
// to be among the latest.
const ahead = time.Minute

func (c *Console) explorer(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	page := explorerPage{
		Frame: c.frame(r, web.T(r.Context(), "studio.explorer.title"), "explorer"), Place: visitOf(r).place,
		Type: form.Text("type"), Range: form.Text("range"), Query: strings.TrimSpace(form.Text("q")),
	}
	if !slices.Contains(recordTypes, page.Type) {
		if page.Type, err = c.newestType(r.Context(), page.Place); err != nil {
			return err
		}
	}
	if _, ok := spans[page.Range]; !ok {
		page.Range = "1h"
	}
	before := form.Text("before")
	err = c.search(r.Context(), &page, before)
	if f := fault.From(err); err != nil && f.Kind == fault.Internal {
		return err
	} else if err != nil {
		page.Fault = f
	}
	if before != "" {
		page.Newer = explorerPath(page)
	}
	return web.Render(w, r, http.StatusOK, explorerView(page))
}

// newestType is the type of the newest record, so that whoever opens the
// Explorer sees something if there is anything.
func (c *Console) newestType(ctx context.Context, p place) (string, error) {
	now := c.now()
	since, err := c.metricsFrom(ctx, p)
	if err != nil {
		return "", err
	}
	found, err := c.options.Records.Query(ctx, sink.Query{
		WorkspaceID: p.Workspace.ID, Generation: p.Workspace.Generation, From: now.Add(-spans["24h"].length), To: now.Add(ahead), At: now, MetricsFrom: since, Limit: 1,
	})
	if err != nil || len(found.Records) == 0 {
		return recordTypes[0], err
	}
	return string(found.Records[0].Type), nil
}

// search fills the page. The generation bounds what can be seen: nothing of
// the Experience plan is found after an upgrade (design D5), and no metrics
// from before a change of their class.
func (c *Console) search(ctx context.Context, page *explorerPage, before string) error {
	now, s := c.now(), spans[page.Range]
	since, err := c.metricsFrom(ctx, page.Place)
	if err != nil {
		return err
	}
	q := sink.Query{
		WorkspaceID: page.Place.Workspace.ID, Generation: page.Place.Workspace.Generation, Type: meter.Type(page.Type),
		Text: page.Query, From: now.Add(-s.length).Truncate(s.step), To: now.Add(ahead), At: now, MetricsFrom: since, Limit: recordsPerPage, Before: before,
	}
	found, err := c.options.Records.Query(ctx, q)
	if err != nil {
		return err
	}
	for _, r := range found.Records {
		page.Records = append(page.Records, shown(r))
	}
	page.Found = web.T(ctx, "studio.explorer.found", "count", len(page.Records))
	if found.Next != "" {
		page.Older = explorerPath(*page, "before", found.Next)
	}
	counts, err := c.options.Records.Histogram(ctx, q, s.step)
	if err != nil {
		return err
	}
	page.Histogram = histogram(ctx, counts, page.Place.Site.Zone, s)
	return nil
}

func histogram(ctx context.Context, counts []sink.Bucket, zone *time.Location, s span) web.BarChart {
	chart := web.BarChart{
		Label: web.T(ctx, "studio.explorer.histogram"), Head: web.T(ctx, "studio.explorer.time", "zone", web.Zone(counts[0].Start, zone)),
		Series: []string{web.T(ctx, "studio.explorer.histogram")},
	}
	layout := "15:04"
	if s.length > 24*time.Hour {
		layout = "01-02 15:04"
	} else if s.step < time.Minute {
		layout = "15:04:05"
	}
	var most int64
	for _, b := range counts {
		chart.Bars = append(chart.Bars, web.Bar{Label: b.Start.In(zone).Format(layout), Values: []int64{b.Count}})
		most = max(most, b.Count)
	}
	chart.Top = web.Count(most)
	return chart
}

// shown is a record with one line of text: its message, or its fields.
func shown(r sink.Record) record {
	out := record{At: r.Time, Name: r.Name, Index: r.Index, Text: r.Field("message")}
	for _, p := range r.Tags {
		out.Tags = append(out.Tags, field{p.Key, p.Value})
	}
	var parts []string
	for _, p := range r.Fields {
		out.Fields = append(out.Fields, field{p.Key, p.Value})
		parts = append(parts, p.Key+"="+p.Value)
	}
	if out.Text == "" {
		for _, p := range r.Tags {
			parts = append(parts, p.Key+"="+p.Value)
		}
		out.Text = strings.Join(parts, "  ")
	}
	if out.Text == "" {
		out.Text = r.Name
	}
	return out
}

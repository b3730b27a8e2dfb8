package logcount_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/logcount"
	"tollgate.dev/internal/meter"
	"tollgate.dev/internal/workspace"
)

// house is a workspace and how its logs are counted.
type house struct {
	shop    workspace.Workspace
	held    logcount.Way
	entries []audit.Entry
}

func (h *house) WorkspaceForUpdate(context.Context, string) (workspace.Workspace, error) {
	return h.shop, nil
}

func (h *house) Audit(_ context.Context, e audit.Entry) error {
	h.entries = append(h.entries, e)
	return nil
}

func (h *house) LogCount(context.Context, string) (logcount.Way, error) { return h.held, nil }

func (h *house) SaveLogCount(_ context.Context, _ string, w logcount.Way) error {
	if w.Revision != h.held.Revision {
		return workspace.ErrStale
	}
	w.Revision++
	h.held = w
	return nil
}

func choose(h *house, w logcount.Way, reason string) error {
	_, err := logcount.Choose(context.Background(), h, "wksp_1", w, reason, workspace.Actor{AccountID: "oper_1"}, time.Unix(0, 0))
	return err
}

func TestAWayIsChosenWithAReasonWithinBounds(t *testing.T) {
	t.Parallel()
	commercial := workspace.Workspace{ID: "wksp_1", Plan: workspace.Commercial, State: workspace.Normal}
	free, locked := commercial, commercial
	free.Plan, locked.State = workspace.Experience, workspace.Locked
	for name, c := range map[string]struct {
		shop   workspace.Workspace
		way    logcount.Way
		reason string
		want   error
	}{
		"free":       {free, logcount.Way{ByVolume: true}, "asked", logcount.ErrFree},
		"locked":     {locked, logcount.Way{ByVolume: true}, "asked", workspace.ErrLocked},
		"no reason":  {commercial, logcount.Way{ByVolume: true}, "  ", logcount.ErrWhy},
		"long one":   {commercial, logcount.Way{ByVolume: true}, strings.Repeat("长", 257), logcount.ErrWhy},
		"too small":  {commercial, logcount.Way{CutSize: 1023}, "asked", logcount.ErrCut},
		"too large":  {commercial, logcount.Way{CutSize: 1<<20 + 1}, "asked", logcount.ErrCut},
		"below zero": {commercial, logcount.Way{CutSize: -1}, "asked", logcount.ErrCut},
	} {
		h := &house{shop: c.shop}
		if err := choose(h, c.way, c.reason); !errors.Is(err, c.want) || h.held.Revision != 0 || len(h.entries) > 0 {
			t.Errorf("%s: %v, want %v and nothing changed", name, err, c.want)
		}
	}
	h := &house{shop: commercial}
	for i, w := range []logcount.Way{{CutSize: meter.LogSplitSLS}, {CutSize: meter.LogSplitSLS}, {ByVolume: true, CutSize: meter.LogSplit}, {CutSize: meter.LogSplit}} {
		if err := choose(h, w, "asked"); err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
	if h.held != (logcount.Way{Revision: 3}) || len(h.entries) != 3 || h.entries[1].Detail["after"] != "by volume" || h.entries[2].Detail["after"] != "by records of 10240 bytes" {
		t.Errorf("%+v, %v", h.held, h.entries)
	}
}

// TestRecordsAreCutAtTheChosenSize holds the sizes of domain section 7.3 for
// both storages, and the raw bytes of the ingest-billed variant.
func TestRecordsAreCutAtTheChosenSize(t *testing.T) {
	t.Parallel()
	usual, sls, volume := logcount.Way{}, logcount.Way{CutSize: meter.LogSplitSLS}, logcount.Way{ByVolume: true, CutSize: meter.LogSplitSLS}
	for size, want := range map[int][2]int64{
		10_240: {1, 5}, 10_241: {1, 5}, 15_360: {1, 7}, 20_480: {2, 10}, 30_720: {3, 15}, 2047: {1, 1}, 2048: {1, 1}, 4095: {1, 1}, 4096: {1, 2}, 8: {1, 1},
	} {
		points := []meter.Point{{Name: "a", Fields: []meter.Field{{Key: "message", Value: meter.Text(strings.Repeat("x", size-len("message")))}}}}
		for i, way := range []logcount.Way{usual, sls} {
			tally := meter.NewCounter([32]byte{}).Count(meter.Logging, points, way.Options())
			if len(tally) != 1 || tally[0].Item != meter.Logs || tally[0].Sum != want[i] {
				t.Errorf("%d bytes: %+v, want %d", size, tally, want[i])
			}
		}
		tally := meter.NewCounter([32]byte{}).Count(meter.Logging, points, volume.Options())
		if len(tally) != 1 || tally[0].Item != meter.LogBytes || tally[0].Sum != int64(size) {
			t.Errorf("%d raw bytes: %+v", size, tally)
		}
	}
	if !usual.Counts("logs") || usual.Counts("logs_ingested") || volume.Counts("logs") || !volume.Counts("logs_ingested") || !volume.Counts("sms") {
		t.Error("each log counts towards one of two items")
	}
}

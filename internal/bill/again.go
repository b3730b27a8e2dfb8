package bill

import (
	"context"
	"fmt"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/usage"
)

// Again makes the document of a bill anew from what it was made of: the stored
// hours, the catalogue version, and how each line was paid. The same inputs
// give the same bytes, so that its hash is the bill's, however long ago.
func Again(ctx context.Context, tx ExplainTx, c *catalog.Catalog, b Bill) ([]byte, error) {
	s, err := site.Find(b.Site)
	if err != nil {
		return nil, err
	}
	w, err := tx.Workspace(ctx, b.WorkspaceID)
	if err != nil {
		return nil, fmt.Errorf("workspace of bill %s: %w", b.Number, err)
	}
	v, err := c.Find(b.Catalog)
	if err != nil {
		return nil, err
	}
	window := usage.Of(b.Day, s.Zone).Since(w.UpgradedAt)
	samples, err := tx.UsageBetween(ctx, w.ID, b.Generation, window.From, window.To)
	if err != nil {
		return nil, fmt.Errorf("usage of bill %s: %w", b.Number, err)
	}
	share, err := ShareOf(ctx, tx, v, b.Market, s, w.ID, b.Day)
	if err != nil {
		return nil, err
	}
	rated, err := RateShared(v, b.Market, share, samples, b.Agreed()...)
	if err != nil {
		return nil, err
	}
	again := b
	again.Lines = make([]Line, len(rated.Lines))
	for i, l := range rated.Lines {
		again.Lines[i].Line = l
		if i < len(b.Lines) {
			again.Lines[i].Paid, again.Lines[i].Sources = b.Lines[i].Paid, b.Lines[i].Sources
		}
	}
	again.Total = rated.Total
	return again.Document(), nil
}

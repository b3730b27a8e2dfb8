package period

import (
	"errors"
	"testing"
)

func TestARangeIsNeitherReversedNorTooLong(t *testing.T) {
	t.Parallel()
	first := MustParseDay("2026-03-01")
	for _, c := range []struct {
		days  int
		want  error
		field string
	}{{-1, ErrReversed, "to"}, {0, nil, ""}, {399, nil, ""}, {400, ErrTooLong, "from"}, {1_000_000, ErrTooLong, "from"}} {
		wrong := Range(first, first.Add(c.days), 400)
		switch {
		case c.want == nil && wrong != nil:
			t.Errorf("%d days: %v", c.days, wrong)
		case c.want != nil && (!errors.Is(wrong, c.want) || wrong.Field != c.field):
			t.Errorf("%d days: %v on %v, want %v on %s", c.days, wrong, wrong, c.want, c.field)
		}
	}
}

package period

import "tollgate.dev/internal/fault"

// Faults of ranges of days.
var (
	ErrReversed = fault.New(fault.Invalid, "range_reversed", "This range ends before it begins.")
	ErrTooLong  = fault.New(fault.Invalid, "range_too_long", "This range is too long. Ask for a part of it.")
)

// Range says why the days from first to last are not a range of so many days
// at most, if they are none. It names the field, from or to.
func Range(first, last Day, most int) *fault.Error {
	switch {
	case last.Before(first):
		return ErrReversed.On("to")
	case last.Sub(first) >= most:
		return ErrTooLong.Says("This range is longer than %d days. Ask for a part of it.", most).With("most", most).On("from")
	}
	return nil
}

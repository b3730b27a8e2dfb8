package web

import (
	"context"
	"time"

	"tollgate.dev/internal/arrears"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/workspace"
)

// Stopped is the banner of a workspace that is warned or locked: how much,
// until when, and what happens then. The amount is for those who may see it.
func Stopped(ctx context.Context, s arrears.Standing, at time.Time, zone *time.Location, amount bool) Notice {
	c := s.Clock()
	lock := Instant(c.LockAt, zone) + " " + Zone(c.LockAt, zone)
	n := Notice{Tone: Warn}
	if s.State == workspace.Locked || s.DaysLeft(at) <= 3 {
		n.Tone = Bad
	}
	switch {
	case s.State == workspace.Locked:
		n.Title = T(ctx, "standing.locked_title", "at", lock)
		n.Text = T(ctx, "standing.locked_text", "at", Instant(s.ClearAt, zone)+" "+Zone(s.ClearAt, zone))
		return n
	case c.Cause == arrears.Cloud:
		n.Title = T(ctx, "standing.cloud_title", "at", lock)
	case amount:
		n.Title = T(ctx, "standing.debt_title", "amount", Money(s.Owed), "currency", string(s.Owed.Currency()), "at", lock)
	default:
		n.Title = T(ctx, "standing.title", "at", lock)
	}
	n.Text = T(ctx, "standing.text", "count", s.DaysLeft(at))
	return n
}

// Standing tells in pairs how a workspace stands, why, since when and until
// when.
func Standing(ctx context.Context, s arrears.Standing, zone *time.Location, amount bool) []Pair {
	instant := func(at time.Time) string { return Instant(at, zone) + " " + Zone(at, zone) }
	pairs := []Pair{{Term: T(ctx, "standing.state"), Part: Badge(standingTone(s.State), Name(ctx, "state", s.State))}}
	for _, c := range s.Clocks {
		p := Pair{Term: T(ctx, "standing.why"), Text: T(ctx, "standing.cause."+string(c.Cause)), Note: T(ctx, "standing.since", "at", instant(c.BeganAt))}
		pairs = append(pairs, p)
		term := "standing.locks"
		if c.Stage == arrears.RunOut {
			term = "standing.locked"
		}
		lock := Pair{Term: T(ctx, term), Text: instant(c.LockAt)}
		if !c.ExtendedAt.IsZero() {
			lock.Note = T(ctx, "standing.extended", "at", instant(c.ExtendedAt))
		}
		pairs = append(pairs, lock)
	}
	if amount && s.Owed != (money.Amount{}) {
		pairs = append(pairs, Pair{Term: T(ctx, "standing.owed"), Text: Money(s.Owed) + " " + string(s.Owed.Currency())})
	}
	switch {
	case !s.Deleted.IsZero():
		pairs = append(pairs, Pair{Term: T(ctx, "standing.deleted"), Text: instant(s.Deleted)})
	case !s.ClearAt.IsZero():
		pairs = append(pairs, Pair{Term: T(ctx, "standing.deletes"), Text: instant(s.ClearAt), Note: T(ctx, "standing.deletes_note")})
	}
	return pairs
}

func standingTone(s workspace.State) Tone {
	switch s {
	case workspace.Normal:
		return Good
	case workspace.Grace:
		return Warn
	case workspace.Locked, workspace.Cleared:
		return Bad
	}
	return Plain
}

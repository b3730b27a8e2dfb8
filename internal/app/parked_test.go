package app

import (
	"testing"

	"tollgate.dev/internal/alert"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/statement"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
)

// exec changes rows behind the back of the house.
func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	err := h.store.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(h.t.Context(), sql, args...)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// mailed counts the mails of a kind that were written.
func (h *house) mailed(kind notify.Kind) (n int64) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		return tx.QueryRow(h.t.Context(), `SELECT COUNT(*) FROM mail WHERE kind = $1`, string(kind)).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// spoil gives the hours of the day so far a class that no item has, so that
// the day cannot be rated; mend gives them theirs, and a quantity that costs.
func (h *house) spoil() {
	storetest.ChangeUsage(h.t, h.store, func(sample *usage.Sample) {
		if sample.Item == "logs" {
			sample.Class = "nonsense"
		}
	})
}

func (h *house) mend() {
	storetest.ChangeUsage(h.t, h.store, func(sample *usage.Sample) {
		if sample.Class == "nonsense" {
			sample.Class, sample.Quantity = "14d", 4_000_000
		}
	})
}

// TestAParkedDayThatIsRetriedAlertsAsAClosedOneDoes parks a day, has it billed
// again as the operator's page does, and looks for the mail of its alert: once,
// however often the day is retried.
func TestAParkedDayThatIsRetriedAlertsAsAClosedOneDoes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		h, next := newHouse(t, s), firstDay.Add(1)
		rule := alert.Rule{Item: "logs", Threshold: money.MustParse("5.00", money.CNY)}
		err := s.Write(t.Context(), func(tx *store.Tx) error { return tx.SaveAlertRule(t.Context(), h.shop.ID, rule, h.clock.Now()) })
		if err != nil {
			t.Fatal(err)
		}
		h.logs(3)
		h.to(firstDay, "20:00") // what was counted is in the store
		h.spoil()
		h.to(next, "01:00")
		if parked := h.parkedDays(); len(parked) != 1 || parked[0] != firstDay || h.mailed(notify.HighConsumption) != 0 {
			t.Fatalf("parked %v, %d alerts", parked, h.mailed(notify.HighConsumption))
		}
		if _, err := h.retry(t.Context(), h.shop.ID, firstDay); err == nil {
			t.Fatal("the day is billed although nothing was mended")
		}
		h.mend()
		made, err := h.retry(t.Context(), h.shop.ID, firstDay)
		if err != nil || made.Total.String() != "6.00" || len(h.parkedDays()) != 0 {
			t.Fatalf("%s costs %s, %v; parked %v", made.Number, made.Total, err, h.parkedDays())
		}
		again, err := h.retry(t.Context(), h.shop.ID, firstDay)
		if err != nil || again.Hash != made.Hash {
			t.Errorf("a second retry made %s: %v", again.Number, err)
		}
		h.to(next, "02:00")
		if n := h.mailed(notify.HighConsumption); n != 1 {
			t.Errorf("%d mails of the alert", n)
		}
		h.sound()
	})
}

// parkedDays are the days that could not be billed.
func (h *house) parkedDays() (days []period.Day) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) error {
		parked, err := tx.Parked(h.t.Context(), 10)
		for _, p := range parked {
			days = append(days, p.Day)
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return days
}

// TestAParkedStatementIsIssuedAgain parks a statement in the job of its month
// and makes it again as the operator's page does.
func TestAParkedStatementIsIssuedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, storetest.SQLite(t))
	h.logs(3)
	h.to(firstDay.Add(1), "01:00")
	h.exec(`UPDATE bill SET hash = hash || 'x'`)
	h.to(period.MustParseDay("2026-04-04"), "01:00")
	parked := h.unstated()
	if len(parked) != 1 || parked[0].Payer != h.shop.Payer || h.mailed(notify.StatementIssued) != 0 {
		t.Fatalf("parked %+v", parked)
	}
	if _, err := h.restate(t.Context(), h.shop.Payer, parked[0].Month); err == nil {
		t.Fatal("a statement sums a bill that is not what was issued")
	}
	h.exec(`UPDATE bill SET hash = SUBSTR(hash, 1, 64)`)
	made, err := h.restate(t.Context(), h.shop.Payer, parked[0].Month)
	if err != nil || made.Number != "ST-CNY-2026-000001" || len(h.unstated()) != 0 {
		t.Fatalf("%s: %v; parked %+v", made.Number, err, h.unstated())
	}
	if again, err := h.restate(t.Context(), h.shop.Payer, parked[0].Month); err != nil || again.ID != made.ID || h.mailed(notify.StatementIssued) != 1 {
		t.Errorf("made again: %s, %v, %d mails", again.Number, err, h.mailed(notify.StatementIssued))
	}
	h.sound()
}

func (h *house) unstated() (parked []statement.Parked) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(tx *store.Tx) (err error) {
		parked, err = tx.ParkedStatements(h.t.Context(), 10)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return parked
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/quantity"
	"tollgate.dev/internal/site"
)

const cloudChargeColumns = `c.id, c.kind, c.bill_id, c.workspace_id, c.site, c.day, c.payer, c.cloud, c.subscription_id, c.currency, c.minor, c.taken, c.at, c.record_id`

func scanCloudCharge(r Row) (marketplace.Charge, error) {
	var c marketplace.Charge
	var day, currency string
	var minor, taken, at int64
	err := r.Scan(&c.ID, &c.Kind, &c.BillID, &c.WorkspaceID, &c.Site, &day, &c.Payer, &c.Cloud, &c.SubscriptionID, &currency, &minor, &taken, &at, &c.RecordID)
	if err != nil {
		return c, err
	}
	c.Amount, c.Taken = money.Of(minor, money.Currency(currency)), money.Of(taken, money.Currency(currency))
	c.At = period.FromMicros(at)
	c.Day, err = period.ParseDay(day)
	return c, err
}

// InsertCharges keeps what clouds have to collect. One that is known stays as
// it is.
func (tx *Tx) InsertCharges(ctx context.Context, charges []marketplace.Charge) error {
	for _, c := range charges {
		_, err := tx.Exec(ctx, `
			INSERT INTO marketplace_charge (id, kind, bill_id, workspace_id, site, day, payer, cloud, subscription_id, currency, minor, taken, at, record_id, seal_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14)
			ON CONFLICT (id) DO NOTHING`,
			c.ID, string(c.Kind), c.BillID, c.WorkspaceID, string(c.Site), c.Day.String(), c.Payer, string(c.Cloud), c.SubscriptionID,
			string(c.Amount.Currency()), c.Amount.Minor(), c.Taken.Minor(), period.Micros(c.At), period.Micros(c.SealAt))
		if err != nil {
			return fmt.Errorf("keep charge %s: %w", c.ID, err)
		}
	}
	return nil
}

// OpenCharges lists the charges of a subscription that are in no record yet,
// the oldest first.
func (tx *Tx) OpenCharges(ctx context.Context, subscriptionID string, limit int) ([]marketplace.Charge, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+cloudChargeColumns+`
		FROM marketplace_charge c
		WHERE c.subscription_id = $1
			AND c.record_id = ''
		ORDER BY c.at, c.id
		LIMIT $2`+tx.lockWrites(), subscriptionID, int64(limit))
	return collect(rows, err, scanCloudCharge)
}

// CarriedOf is what the records of a subscription have left so far.
func (tx *Tx) CarriedOf(ctx context.Context, subscriptionID string, c money.Currency) (money.Amount, error) {
	var minor int64
	err := tx.QueryRow(ctx, `
		SELECT minor
		FROM marketplace_carried
		WHERE subscription_id = $1
			AND currency = $2`+tx.lockWrites(), subscriptionID, string(c)).Scan(&minor)
	if errors.Is(err, ErrNoRows) {
		err = nil
	}
	return money.Of(minor, c), err
}

// SetCarried keeps what is carried from now on.
func (tx *Tx) SetCarried(ctx context.Context, subscriptionID string, left money.Amount) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_carried (subscription_id, currency, minor)
		VALUES ($1, $2, $3)
		ON CONFLICT (subscription_id, currency) DO UPDATE SET minor = excluded.minor`,
		subscriptionID, string(left.Currency()), left.Minor())
	return err
}

// SlotsTaken lists the slots, from one on, that have a record.
func (tx *Tx) SlotsTaken(ctx context.Context, cloud site.Method, instance, dimension string, from time.Time) ([]time.Time, error) {
	rows, err := tx.Query(ctx, `
		SELECT slot
		FROM marketplace_record
		WHERE cloud = $1
			AND instance = $2
			AND dimension = $3
			AND slot >= $4`, string(cloud), instance, dimension, period.Micros(from))
	return collect(rows, err, func(r Row) (time.Time, error) {
		var slot int64
		err := r.Scan(&slot)
		return period.FromMicros(slot), err
	})
}

// InsertRecord keeps a record and notes that the charges are in it.
func (tx *Tx) InsertRecord(ctx context.Context, r marketplace.Record, charges []marketplace.Charge) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO marketplace_record (id, subscription_id, cloud, account, instance, reference, product, plan, dimension, slot, window_from, window_to,
			quantity, currency, minor, carried, state, attempts, answers, most, sealed_at, next_at, deadline_at, alert_at, alerted, decided_at, decided_by,
			taken, returned, remote_id, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, 0, 0, 0, $18, $19, $20, $21, 0, 0, '', 0, 0, '', '')`,
		r.ID, r.SubscriptionID, string(r.Cloud), r.Account, r.Instance, r.Reference, r.Product, string(r.Plan), r.Dimension,
		period.Micros(r.Slot), period.Micros(r.Window.From), period.Micros(r.Window.To), r.Quantity.String(),
		string(r.Amount.Currency()), r.Amount.Minor(), r.Carried.Minor(), string(r.State),
		period.Micros(r.SealedAt), period.Micros(r.NextAt), period.Micros(r.Deadline), period.Micros(r.AlertAt))
	if err != nil {
		return err
	}
	for _, s := range r.Shares {
		if _, err := tx.Exec(ctx, `
			INSERT INTO marketplace_share (record_id, workspace_id, quantity, minor, told)
			VALUES ($1, $2, $3, $4, $5)`, r.ID, s.WorkspaceID, s.Quantity.String(), s.Amount.Minor(), s.Told.Minor()); err != nil {
			return err
		}
	}
	return tx.sealIn(ctx, r.ID, charges)
}

// CarryCharges notes that charges are in no record, and what they come to is
// carried.
func (tx *Tx) CarryCharges(ctx context.Context, _ string, charges []marketplace.Charge) error {
	return tx.sealIn(ctx, marketplace.Carried, charges)
}

func (tx *Tx) sealIn(ctx context.Context, recordID string, charges []marketplace.Charge) error {
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_charge
		SET record_id = $2
		WHERE record_id = ''
			AND `+tx.among("id", 1), tx.list(idsOf(charges)), recordID)
	if err == nil && n != int64(len(charges)) {
		err = fmt.Errorf("%d of %d charges are sealed already", int64(len(charges))-n, len(charges))
	}
	return err
}

func idsOf(charges []marketplace.Charge) []string {
	ids := make([]string, len(charges))
	for i, c := range charges {
		ids[i] = c.ID
	}
	return ids
}

// Strand takes charges from a subscription that can no longer send them. They
// wait for another one of the workspace.
func (tx *Tx) Strand(ctx context.Context, charges []marketplace.Charge) error {
	_, err := tx.Exec(ctx, `
		UPDATE marketplace_charge
		SET subscription_id = ''
		WHERE record_id = ''
			AND `+tx.among("id", 1), tx.list(idsOf(charges)))
	return err
}

// SealAgain says when the charges that are still open are looked at next.
func (tx *Tx) SealAgain(ctx context.Context, subscriptionID string, at time.Time) error {
	_, err := tx.Exec(ctx, `
		UPDATE marketplace_charge
		SET seal_at = $2
		WHERE subscription_id = $1
			AND record_id = ''
			AND seal_at < $2`, subscriptionID, period.Micros(at))
	return err
}

// NextSealing is the earliest instant at which charges are to be sealed.
func (tx *Tx) NextSealing(ctx context.Context) (at time.Time, any bool, err error) {
	var micros *int64
	err = tx.QueryRow(ctx, `
		SELECT MIN(seal_at)
		FROM marketplace_charge
		WHERE record_id = ''
			AND subscription_id <> ''`).Scan(&micros)
	if err != nil || micros == nil {
		return at, false, err
	}
	return period.FromMicros(*micros), true, nil
}

// SealingsDue lists the subscriptions whose charges are to be sealed.
func (tx *Tx) SealingsDue(ctx context.Context, at time.Time, limit int) ([]marketplace.SealUsage, error) {
	rows, err := tx.Query(ctx, `
		SELECT subscription_id, MIN(id), MIN(seal_at)
		FROM marketplace_charge
		WHERE record_id = ''
			AND subscription_id <> ''
			AND seal_at <= $1
		GROUP BY subscription_id
		ORDER BY subscription_id
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, func(r Row) (j marketplace.SealUsage, err error) {
		var due int64
		err = r.Scan(&j.SubscriptionID, &j.ChargeID, &due)
		j.Due = period.FromMicros(due)
		return j, err
	})
}

const recordColumns = `r.id, r.subscription_id, r.cloud, r.account, r.instance, r.reference, r.product, r.plan, r.dimension, r.slot, r.window_from, r.window_to,
	r.quantity, r.currency, r.minor, r.carried, r.state, r.attempts, r.answers, r.most, r.sealed_at, r.next_at, r.deadline_at, r.alert_at, r.alerted,
	r.decided_at, r.decided_by, r.taken, r.returned, r.remote_id, r.reason`

func scanRecord(row Row) (marketplace.Record, error) {
	var r marketplace.Record
	var slot, from, to, minor, carried, attempts, answers, most, sealed, next, deadline, alert, alerted, decided, taken, returned int64
	var q, currency string
	err := row.Scan(&r.ID, &r.SubscriptionID, &r.Cloud, &r.Account, &r.Instance, &r.Reference, &r.Product, &r.Plan, &r.Dimension, &slot, &from, &to,
		&q, &currency, &minor, &carried, &r.State, &attempts, &answers, &most, &sealed, &next, &deadline, &alert, &alerted,
		&decided, &r.DecidedBy, &taken, &returned, &r.RemoteID, &r.Reason)
	if errors.Is(err, ErrNoRows) {
		return r, marketplace.ErrRecord
	}
	if err != nil {
		return r, err
	}
	c := money.Currency(currency)
	r.Slot, r.Window = period.FromMicros(slot), marketplace.Window{From: period.FromMicros(from), To: period.FromMicros(to)}
	r.Amount, r.Carried, r.Taken, r.Returned = money.Of(minor, c), money.Of(carried, c), money.Of(taken, c), money.Of(returned, c)
	r.Attempts, r.Answers, r.Most, r.Alerted = int(attempts), int(answers), int(most), alerted == 1
	r.SealedAt, r.NextAt, r.Deadline = period.FromMicros(sealed), period.FromMicros(next), period.FromMicros(deadline)
	r.AlertAt, r.DecidedAt = period.FromMicros(alert), period.FromMicros(decided)
	r.Quantity, err = quantity.Parse(q)
	return r, err
}

// RecordsDue lists the open records of a cloud that are due, the earliest
// deadline first, kept from other writers.
func (tx *Tx) RecordsDue(ctx context.Context, cloud site.Method, at time.Time, limit int) ([]marketplace.Record, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+recordColumns+`
		FROM marketplace_record r
		WHERE r.cloud = $1
			AND r.state IN ('pending', 'sent')
			AND r.next_at <= $2
		ORDER BY r.deadline_at, r.slot, r.id
		LIMIT $3`+tx.lockWrites(), string(cloud), period.Micros(at), int64(limit))
	records, err := collect(rows, err, scanRecord)
	if err != nil {
		return nil, err
	}
	return records, tx.withShares(ctx, records)
}

// withShares fills in whose the records are.
func (tx *Tx) withShares(ctx context.Context, records []marketplace.Record) error {
	place := make(map[string]int, len(records))
	ids := make([]string, len(records))
	for i, r := range records {
		place[r.ID], ids[i] = i, r.ID
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		SELECT record_id, workspace_id, quantity, minor, told
		FROM marketplace_share
		WHERE `+tx.among("record_id", 1)+`
		ORDER BY record_id, workspace_id`, tx.list(ids))
	_, err = collect(rows, err, func(r Row) (none struct{}, err error) {
		var id, q string
		var s marketplace.Share
		var minor, told int64
		if err := r.Scan(&id, &s.WorkspaceID, &q, &minor, &told); err != nil {
			return none, err
		}
		at := &records[place[id]]
		if s.Quantity, err = quantity.Parse(q); err != nil {
			return none, err
		}
		s.Amount, s.Told = money.Of(minor, at.Amount.Currency()), money.Of(told, at.Amount.Currency())
		at.Shares = append(at.Shares, s)
		return none, nil
	})
	return err
}

// RecordsToAlert lists the open records of a cloud of which a person is to be
// told and has not been, kept from other writers.
func (tx *Tx) RecordsToAlert(ctx context.Context, cloud site.Method, at time.Time, limit int) ([]marketplace.Record, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+recordColumns+`
		FROM marketplace_record r
		WHERE r.cloud = $1
			AND r.state IN ('pending', 'sent')
			AND r.alerted = 0
			AND r.alert_at <= $2
		ORDER BY r.deadline_at, r.slot, r.id
		LIMIT $3`+tx.lockWrites(), string(cloud), period.Micros(at), int64(limit))
	return collect(rows, err, scanRecord)
}

// KeepRecord keeps what became of a record, unless it is decided, or was sent
// again since it had that many attempts.
func (tx *Tx) KeepRecord(ctx context.Context, r marketplace.Record, attempts int) (kept bool, err error) {
	n, err := tx.Exec(ctx, `
		UPDATE marketplace_record
		SET state = $3, attempts = $4, answers = $5, most = $6, next_at = $7, alerted = $8, decided_at = $9, taken = $10, remote_id = $11, reason = $12
		WHERE id = $1
			AND attempts = $2
			AND state IN ('pending', 'sent')`,
		r.ID, int64(attempts), string(r.State), int64(r.Attempts), int64(r.Answers), int64(r.Most), period.Micros(r.NextAt), flag(r.Alerted),
		period.Micros(r.DecidedAt), r.Taken.Minor(), r.RemoteID, r.Reason)
	return n == 1, err
}

// PausedUntil tells until when a cloud, and which of its instances, are not to
// be called. The name of the cloud itself is empty.
func (tx *Tx) PausedUntil(ctx context.Context, cloud site.Method, at time.Time) (map[string]time.Time, error) {
	paused := map[string]time.Time{}
	rows, err := tx.Query(ctx, `
		SELECT instance, until
		FROM marketplace_pause
		WHERE cloud = $1
			AND until > $2`+tx.lockWrites(), string(cloud), period.Micros(at))
	_, err = collect(rows, err, func(r Row) (none struct{}, err error) {
		var instance string
		var until int64
		err = r.Scan(&instance, &until)
		paused[instance] = period.FromMicros(until)
		return none, err
	})
	return paused, err
}

// Pause keeps that a cloud's instances are not to be called until an instant.
func (tx *Tx) Pause(ctx context.Context, cloud site.Method, instances []string, until time.Time) error {
	for _, instance := range instances {
		if _, err := tx.Exec(ctx, `
			INSERT INTO marketplace_pause (cloud, instance, until)
			VALUES ($1, $2, $3)
			ON CONFLICT (cloud, instance) DO UPDATE SET until = excluded.until
			WHERE marketplace_pause.until < excluded.until`, string(cloud), instance, period.Micros(until)); err != nil {
			return err
		}
	}
	return nil
}

// NextSending is the earliest instant at which a record of one of the clouds is
// to go out, to be given up, or to be told of.
func (tx *Tx) NextSending(ctx context.Context, clouds []site.Method) (at time.Time, any bool, err error) {
	for _, cloud := range clouds {
		next, found, err := tx.FirstSending(ctx, cloud)
		if err != nil {
			return at, false, err
		}
		if found && (!any || next.Due.Before(at)) {
			at, any = next.Due, true
		}
	}
	return at, any, nil
}

// FirstSending is the need that comes first of those of a cloud.
func (tx *Tx) FirstSending(ctx context.Context, cloud site.Method) (j marketplace.SendUsage, found bool, err error) {
	var attempts, due int64
	err = tx.QueryRow(ctx, `
		SELECT id, attempts, due
		FROM (
			SELECT * FROM (
				SELECT id, attempts, next_at AS due
				FROM marketplace_record
				WHERE cloud = $1
					AND state IN ('pending', 'sent')
				ORDER BY next_at, id
				LIMIT 1
			) sending
			UNION ALL
			SELECT * FROM (
				SELECT id, attempts, alert_at AS due
				FROM marketplace_record
				WHERE cloud = $1
					AND state IN ('pending', 'sent')
					AND alerted = 0
				ORDER BY alert_at, id
				LIMIT 1
			) telling
		) needs
		ORDER BY due
		LIMIT 1`, string(cloud)).Scan(&j.RecordID, &attempts, &due)
	if errors.Is(err, ErrNoRows) {
		return j, false, nil
	}
	j.Cloud, j.Attempts, j.Due = cloud, int(attempts), period.FromMicros(due)
	return j, err == nil, err
}

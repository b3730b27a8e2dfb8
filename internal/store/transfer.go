package store

import (
	"context"
	"errors"
	"fmt"

	"tollgate.dev/internal/attachment"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/wallet"
)

const transferColumns = `id, account_id, currency, minor, reference, slips, state, declared_at,
	arrived_minor, difference, proposed_by, proposed_at, returned, decided_by, decided_at, reason`

func scanTransfer(r Row) (wallet.Transfer, error) {
	var t wallet.Transfer
	var currency string
	var minor, slips, arrived, declared, proposed, decided int64
	err := r.Scan(&t.ID, &t.AccountID, &currency, &minor, &t.Reference, &slips, &t.State, &declared,
		&arrived, &t.Difference, &t.ProposedBy, &proposed, &t.Returned, &t.DecidedBy, &decided, &t.Reason)
	if errors.Is(err, ErrNoRows) {
		return t, wallet.ErrTransferUnknown
	}
	t.Amount, t.Slips = money.Of(minor, money.Currency(currency)), int(slips)
	if arrived != 0 {
		t.Arrived = money.Of(arrived, money.Currency(currency))
	}
	t.DeclaredAt, t.ProposedAt, t.DecidedAt = period.FromMicros(declared), period.FromMicros(proposed), period.FromMicros(decided)
	return t, err
}

// InsertTransfer keeps a declared bank transfer.
func (tx *Tx) InsertTransfer(ctx context.Context, t wallet.Transfer) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO transfer (id, account_id, currency, minor, reference, state, declared_at, decided_by, decided_at, reason)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		t.ID, t.AccountID, string(t.Amount.Currency()), t.Amount.Minor(), t.Reference, string(t.State),
		period.Micros(t.DeclaredAt), t.DecidedBy, period.Micros(t.DecidedAt), t.Reason)
	return err
}

// TransfersWaiting counts a payer's bank transfers that are to be decided.
func (tx *Tx) TransfersWaiting(ctx context.Context, accountID string) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM transfer
		WHERE account_id = $1
			AND state IN ('declared', 'proposed')`, accountID).Scan(&n)
	return int(n), err
}

// TransferForUpdate finds a bank transfer, kept from other writers, or
// wallet.ErrTransferUnknown.
func (tx *Tx) TransferForUpdate(ctx context.Context, id string) (wallet.Transfer, error) {
	return scanTransfer(tx.QueryRow(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE id = $1`+tx.lockWrites(), id))
}

// TransferOf finds a bank transfer of a payer, or wallet.ErrTransferUnknown:
// another payer's is as unknown as none.
func (tx *Tx) TransferOf(ctx context.Context, accountID, id string) (wallet.Transfer, error) {
	return scanTransfer(tx.QueryRow(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// MoveTransfer keeps what became of a bank transfer that is still in the state
// it was in. Nobody credits what he proposed himself, whoever asks.
func (tx *Tx) MoveTransfer(ctx context.Context, t wallet.Transfer, was wallet.TransferState) error {
	n, err := tx.Exec(ctx, `
		UPDATE transfer
		SET state = $2, arrived_minor = $3, difference = $4, proposed_by = $5, proposed_at = $6, returned = $7,
			decided_by = $8, decided_at = $9, reason = $10
		WHERE id = $1
			AND state = $11
			AND ($2 <> 'credited' OR proposed_by <> $8)`,
		t.ID, string(t.State), t.Arrived.Minor(), t.Difference, t.ProposedBy, period.Micros(t.ProposedAt), t.Returned,
		t.DecidedBy, period.Micros(t.DecidedAt), t.Reason, string(was))
	return exactlyOne(n, err, fmt.Errorf("transfer %s was decided meanwhile", t.ID))
}

// InsertSlip keeps a file of a bank transfer that is still declared and has
// room, else wallet.ErrSlipLate.
func (tx *Tx) InsertSlip(ctx context.Context, transferID string, f attachment.File) error {
	n, err := tx.Exec(ctx, `
		UPDATE transfer
		SET slips = slips + 1
		WHERE id = $1
			AND state = 'declared'
			AND slips < $2`, transferID, int64(wallet.MostSlips))
	if err := exactlyOne(n, err, wallet.ErrSlipLate); err != nil {
		return err
	}
	if err := tx.InsertAttachment(ctx, f); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO transfer_slip (transfer_id, position, attachment_id)
		SELECT id, slips, $2
		FROM transfer
		WHERE id = $1`, transferID, f.ID)
	return err
}

// Slips lists the files of a bank transfer in the order in which they came,
// without their content.
func (tx *Tx) Slips(ctx context.Context, transferID string) ([]attachment.File, error) {
	rows, err := tx.Query(ctx, `
		SELECT a.id, a.name, a.type, a.hash, a.sent_at
		FROM transfer_slip s
		JOIN attachment a ON a.id = s.attachment_id
		WHERE s.transfer_id = $1
		ORDER BY s.position`, transferID)
	return collect(rows, err, func(r Row) (attachment.File, error) {
		var f attachment.File
		var sent int64
		err := r.Scan(&f.ID, &f.Name, &f.Type, &f.Hash, &sent)
		f.SentAt = period.FromMicros(sent)
		return f, err
	})
}

// Slip finds a file of a bank transfer, or attachment.ErrUnknown.
func (tx *Tx) Slip(ctx context.Context, transferID, attachmentID string) (attachment.File, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM transfer_slip
		WHERE transfer_id = $1
			AND attachment_id = $2`, transferID, attachmentID).Scan(&n)
	switch {
	case err != nil:
		return attachment.File{}, err
	case n == 0:
		return attachment.File{}, attachment.ErrUnknown
	}
	return tx.Attachment(ctx, attachmentID)
}

// TransfersOf lists a payer's bank transfers, the newest first.
func (tx *Tx) TransfersOf(ctx context.Context, accountID string, limit int) ([]wallet.Transfer, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE account_id = $1
		ORDER BY declared_at DESC, id
		LIMIT $2`, accountID, int64(limit))
	return collect(rows, err, scanTransfer)
}

// TransfersIn lists the bank transfers in a state, the oldest first.
func (tx *Tx) TransfersIn(ctx context.Context, state wallet.TransferState, limit int) ([]wallet.Transfer, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE state = $1
		ORDER BY declared_at, id
		LIMIT $2`, string(state), int64(limit))
	return collect(rows, err, scanTransfer)
}

// TransfersDecided lists the bank transfers that were credited or rejected,
// the latest first.
func (tx *Tx) TransfersDecided(ctx context.Context, limit int) ([]wallet.Transfer, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer
		WHERE state IN ('credited', 'rejected')
		ORDER BY decided_at DESC, id
		LIMIT $1`, int64(limit))
	return collect(rows, err, scanTransfer)
}

// TransfersAfter lists bank transfers, the newest first, from behind the one
// of the given ID on: of one payer, or of all where it is empty; in one state,
// or in any where it is empty.
func (tx *Tx) TransfersAfter(ctx context.Context, accountID string, state wallet.TransferState, after string, limit int) ([]wallet.Transfer, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+transferColumns+`
		FROM transfer t
		WHERE ($1 = '' OR account_id = $1)
			AND ($2 = '' OR state = $2)
			AND ($3 = '' OR EXISTS (
				SELECT 1
				FROM transfer a
				WHERE a.id = $3
					AND (t.declared_at < a.declared_at
						OR (t.declared_at = a.declared_at AND t.id > a.id))))
		ORDER BY declared_at DESC, id
		LIMIT $4`, accountID, string(state), after, int64(limit))
	return collect(rows, err, scanTransfer)
}

// verifyTransfers looks for a credited bank transfer without its entry, for
// one that a single operator proposed and credited, for another amount than
// declared without its reason, and for slips that are gone (I4).
func (tx *Tx) verifyTransfers(ctx context.Context, _ *catalog.Catalog) ([]audit.Finding, error) {
	var all []audit.Finding
	for _, sql := range []string{`
		SELECT t.id, 'the transfer was credited, and the ledger has no such deposit'
		FROM transfer t
		LEFT JOIN ledger_entry e ON e.key = 'transfer:' || t.id
		LEFT JOIN ledger_posting p ON p.payer = e.payer AND p.number = e.number AND p.account = 'channel:bank:' || t.currency
		WHERE t.state = 'credited'
			AND (p.minor IS NULL OR p.minor <> -t.arrived_minor OR e.payer <> t.account_id)`, `
		SELECT id, 'the transfer was credited by nobody else than who proposed it'
		FROM transfer
		WHERE state = 'credited'
			AND (decided_by = '' OR decided_by = proposed_by)`, `
		SELECT id, 'another amount than declared was entered, and no reason'
		FROM transfer
		WHERE state IN ('proposed', 'credited')
			AND arrived_minor <> minor
			AND difference = ''`, `
		SELECT t.id, 'its slips are not those that were sent'
		FROM transfer t
		WHERE t.slips <> (
			SELECT COUNT(*)
			FROM transfer_slip s
			JOIN attachment a ON a.id = s.attachment_id
			WHERE s.transfer_id = t.id)`,
	} {
		found, err := tx.strays(ctx, "I4", sql)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

package store

import (
	"context"
	"errors"
	"fmt"

	"tollgate.dev/internal/invoice"
	"tollgate.dev/internal/period"
)

const invoiceProfileColumns = `account_id, id, type, title, tax_number, bank, bank_account, registered_address, registered_phone, changed_at`

func scanInvoiceProfile(r Row) (invoice.Profile, error) {
	var p invoice.Profile
	var changed int64
	err := r.Scan(&p.AccountID, &p.ID, &p.Type, &p.Title, &p.TaxNumber, &p.Bank, &p.BankAccount, &p.RegisteredAddress, &p.RegisteredPhone, &changed)
	if errors.Is(err, ErrNoRows) {
		return p, invoice.ErrProfileUnknown
	}
	if err != nil {
		return p, fmt.Errorf("read an invoice profile: %w", err)
	}
	p.ChangedAt = period.FromMicros(changed)
	return p, nil
}

// InvoiceProfile finds a profile of the account, or invoice.ErrProfileUnknown.
func (tx *Tx) InvoiceProfile(ctx context.Context, accountID, id string) (invoice.Profile, error) {
	return scanInvoiceProfile(tx.QueryRow(ctx, `
		SELECT `+invoiceProfileColumns+`
		FROM invoice_profile
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// InvoiceProfiles lists the account's profiles, the last changed first.
func (tx *Tx) InvoiceProfiles(ctx context.Context, accountID string, limit int) ([]invoice.Profile, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+invoiceProfileColumns+`
		FROM invoice_profile
		WHERE account_id = $1
		ORDER BY changed_at DESC, id
		LIMIT $2`, accountID, int64(limit))
	return collect(rows, err, scanInvoiceProfile)
}

// SaveInvoiceProfile inserts or replaces a profile of its account.
func (tx *Tx) SaveInvoiceProfile(ctx context.Context, p invoice.Profile) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO invoice_profile (`+invoiceProfileColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (account_id, id) DO UPDATE SET
			type = excluded.type, title = excluded.title, tax_number = excluded.tax_number, bank = excluded.bank,
			bank_account = excluded.bank_account, registered_address = excluded.registered_address,
			registered_phone = excluded.registered_phone, changed_at = excluded.changed_at`,
		p.AccountID, p.ID, string(p.Type), p.Title, p.TaxNumber, p.Bank, p.BankAccount, p.RegisteredAddress, p.RegisteredPhone, period.Micros(p.ChangedAt))
	return err
}

// DeleteInvoiceProfile removes a profile of the account, once.
func (tx *Tx) DeleteInvoiceProfile(ctx context.Context, accountID, id string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM invoice_profile
		WHERE account_id = $1
			AND id = $2`, accountID, id)
	return exactlyOne(n, err, invoice.ErrProfileUnknown)
}

const invoiceAddressColumns = `account_id, id, recipient, phone, email, postal, changed_at`

func scanInvoiceAddress(r Row) (invoice.Address, error) {
	var a invoice.Address
	var changed int64
	err := r.Scan(&a.AccountID, &a.ID, &a.Recipient, &a.Phone, &a.Email, &a.Postal, &changed)
	if errors.Is(err, ErrNoRows) {
		return a, invoice.ErrAddressUnknown
	}
	if err != nil {
		return a, fmt.Errorf("read a delivery address: %w", err)
	}
	a.ChangedAt = period.FromMicros(changed)
	return a, nil
}

// InvoiceAddress finds an address of the account, or invoice.ErrAddressUnknown.
func (tx *Tx) InvoiceAddress(ctx context.Context, accountID, id string) (invoice.Address, error) {
	return scanInvoiceAddress(tx.QueryRow(ctx, `
		SELECT `+invoiceAddressColumns+`
		FROM invoice_address
		WHERE account_id = $1
			AND id = $2`, accountID, id))
}

// InvoiceAddresses lists the account's addresses, the last changed first.
func (tx *Tx) InvoiceAddresses(ctx context.Context, accountID string, limit int) ([]invoice.Address, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+invoiceAddressColumns+`
		FROM invoice_address
		WHERE account_id = $1
		ORDER BY changed_at DESC, id
		LIMIT $2`, accountID, int64(limit))
	return collect(rows, err, scanInvoiceAddress)
}

// SaveInvoiceAddress inserts or replaces an address of its account.
func (tx *Tx) SaveInvoiceAddress(ctx context.Context, a invoice.Address) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO invoice_address (`+invoiceAddressColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account_id, id) DO UPDATE SET
			recipient = excluded.recipient, phone = excluded.phone, email = excluded.email, postal = excluded.postal, changed_at = excluded.changed_at`,
		a.AccountID, a.ID, a.Recipient, a.Phone, a.Email, a.Postal, period.Micros(a.ChangedAt))
	return err
}

// DeleteInvoiceAddress removes an address of the account, once.
func (tx *Tx) DeleteInvoiceAddress(ctx context.Context, accountID, id string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM invoice_address
		WHERE account_id = $1
			AND id = $2`, accountID, id)
	return exactlyOne(n, err, invoice.ErrAddressUnknown)
}

// InvoiceWaiver finds out whether the account needs no cash balance to request
// an invoice.
func (tx *Tx) InvoiceWaiver(ctx context.Context, accountID string) (invoice.Waiver, error) {
	w := invoice.Waiver{AccountID: accountID}
	var waived, changed int64
	err := tx.QueryRow(ctx, `
		SELECT waived, reason, changed_by, changed_at
		FROM invoice_waiver
		WHERE account_id = $1`, accountID).Scan(&waived, &w.Reason, &w.By, &changed)
	if errors.Is(err, ErrNoRows) {
		return w, nil
	}
	w.On, w.At = waived != 0, period.FromMicros(changed)
	return w, err
}

// SaveInvoiceWaiver keeps it.
func (tx *Tx) SaveInvoiceWaiver(ctx context.Context, w invoice.Waiver) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO invoice_waiver (account_id, waived, reason, changed_by, changed_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account_id) DO UPDATE SET
			waived = excluded.waived, reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at`,
		w.AccountID, flag(w.On), w.Reason, w.By, period.Micros(w.At))
	return err
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

const studioColumns = `id, site, user_name, email, phone, password, profile, language, created_at`

func scanStudio(r Row) (account.Studio, error) {
	var a account.Studio
	var profile string
	var created int64
	err := r.Scan(&a.ID, &a.Site, &a.UserName, &a.Email, &a.Phone, &a.Password, &profile, &a.Language, &created)
	if errors.Is(err, ErrNoRows) {
		return a, account.ErrUnknown
	}
	if err != nil {
		return a, fmt.Errorf("read a Studio account: %w", err)
	}
	a.CreatedAt = period.FromMicros(created)
	return a, json.Unmarshal([]byte(profile), &a.Profile)
}

// StudioByID finds a Studio account, or account.ErrUnknown.
func (tx *Tx) StudioByID(ctx context.Context, id string) (account.Studio, error) {
	return scanStudio(tx.QueryRow(ctx, `
		SELECT `+studioColumns+`
		FROM studio_account
		WHERE id = $1`, id))
}

// StudioByEmail finds the account of an address on a site, or account.ErrUnknown.
func (tx *Tx) StudioByEmail(ctx context.Context, s site.ID, email string) (account.Studio, error) {
	return scanStudio(tx.QueryRow(ctx, `
		SELECT `+studioColumns+`
		FROM studio_account
		WHERE site = $1
			AND email = $2`, s, email))
}

// StudioByPhone finds the account of a phone on a site, or account.ErrUnknown.
func (tx *Tx) StudioByPhone(ctx context.Context, s site.ID, phone string) (account.Studio, error) {
	return scanStudio(tx.QueryRow(ctx, `
		SELECT `+studioColumns+`
		FROM studio_account
		WHERE site = $1
			AND phone = $2
			AND phone <> ''`, s, phone))
}

// InsertStudio keeps a new Studio account; another one of the same address or
// phone on the site is account.ErrEmailTaken.
func (tx *Tx) InsertStudio(ctx context.Context, a account.Studio) error {
	profile, err := json.Marshal(a.Profile)
	if err != nil {
		return fmt.Errorf("encode a profile: %w", err)
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO studio_account (`+studioColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT DO NOTHING`,
		a.ID, a.Site, a.UserName, a.Email, a.Phone, a.Password, string(profile), a.Language, period.Micros(a.CreatedAt))
	return exactlyOne(n, err, account.ErrEmailTaken.On("email"))
}

const billingColumns = `id, user_name, email, phone, password, currency, profile, language, disabled, arbitrary_settlement, certified_company, certified_taxpayer_id, created_at`

func scanBilling(r Row) (account.Billing, error) {
	var a account.Billing
	var profile string
	var created, disabled, arbitrary int64
	err := r.Scan(&a.ID, &a.UserName, &a.Email, &a.Phone, &a.Password, &a.Currency, &profile, &a.Language, &disabled, &arbitrary,
		&a.Enterprise.Company, &a.Enterprise.TaxpayerID, &created)
	if errors.Is(err, ErrNoRows) {
		return a, account.ErrUnknown
	}
	if err != nil {
		return a, fmt.Errorf("read a Billing Center account: %w", err)
	}
	a.Disabled, a.ArbitrarySettlement, a.CreatedAt = disabled != 0, arbitrary != 0, period.FromMicros(created)
	return a, json.Unmarshal([]byte(profile), &a.Profile)
}

// BillingByID finds a Billing Center account, or account.ErrUnknown.
func (tx *Tx) BillingByID(ctx context.Context, id string) (account.Billing, error) {
	return scanBilling(tx.QueryRow(ctx, `
		SELECT `+billingColumns+`
		FROM billing_account
		WHERE id = $1`, id))
}

// BillingByName finds the account of a user name, or account.ErrUnknown.
func (tx *Tx) BillingByName(ctx context.Context, userName string) (account.Billing, error) {
	return scanBilling(tx.QueryRow(ctx, `
		SELECT `+billingColumns+`
		FROM billing_account
		WHERE user_name = $1`, userName))
}

// BillingByLogin finds the account by what may be typed at sign-in: user name,
// e-mail or phone, or account.ErrUnknown.
func (tx *Tx) BillingByLogin(ctx context.Context, login string) (account.Billing, error) {
	return scanBilling(tx.QueryRow(ctx, `
		SELECT `+billingColumns+`
		FROM billing_account
		WHERE user_name = $1
			OR email = $1
			OR (phone = $1 AND phone <> '')
		ORDER BY CASE WHEN user_name = $1 THEN 0 WHEN email = $1 THEN 1 ELSE 2 END
		LIMIT 1`, login))
}

// InsertBilling keeps a new Billing Center account; one of the same user name,
// address or phone is account.ErrUserNameTaken.
func (tx *Tx) InsertBilling(ctx context.Context, a account.Billing) error {
	profile, err := json.Marshal(a.Profile)
	if err != nil {
		return fmt.Errorf("encode a profile: %w", err)
	}
	n, err := tx.Exec(ctx, `
		INSERT INTO billing_account (`+billingColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT DO NOTHING`,
		a.ID, a.UserName, a.Email, a.Phone, a.Password, a.Currency, string(profile), a.Language,
		flag(a.Disabled), flag(a.ArbitrarySettlement), a.Enterprise.Company, a.Enterprise.TaxpayerID, period.Micros(a.CreatedAt))
	return exactlyOne(n, err, account.ErrUserNameTaken.On("user_name"))
}

// SetBillingSwitches changes what the operator may switch on an account.
func (tx *Tx) SetBillingSwitches(ctx context.Context, id string, disabled, arbitrary bool) error {
	n, err := tx.Exec(ctx, `
		UPDATE billing_account
		SET disabled = $2, arbitrary_settlement = $3
		WHERE id = $1`, id, flag(disabled), flag(arbitrary))
	return exactlyOne(n, err, account.ErrUnknown)
}

// SetBillingCurrency changes an account's currency where no money was moved,
// nothing was billed and nothing is on its way, or is account.ErrCurrencyUsed.
// The head of its ledger keeps other writers of money away meanwhile.
func (tx *Tx) SetBillingCurrency(ctx context.Context, id string, to money.Currency) error {
	if _, err := tx.LedgerHead(ctx, id); err != nil {
		return err
	}
	n, err := tx.Exec(ctx, `
		UPDATE billing_account
		SET currency = $2
		WHERE id = $1
			AND NOT EXISTS (SELECT 1 FROM ledger_entry WHERE payer = $1)
			AND NOT EXISTS (SELECT 1 FROM bill WHERE payer = $1)
			AND NOT EXISTS (SELECT 1 FROM transfer WHERE account_id = $1 AND state NOT IN ('credited', 'rejected'))
			AND NOT EXISTS (SELECT 1 FROM payment WHERE account_id = $1 AND next_ask_at > 0)
			AND NOT EXISTS (SELECT 1 FROM adjustment WHERE account_id = $1 AND state = 'proposed')`, id, string(to))
	return exactlyOne(n, err, account.ErrCurrencyUsed)
}

// BillingAccounts lists accounts whose user name or address begins with the
// text, in order of user names after the given one.
func (tx *Tx) BillingAccounts(ctx context.Context, begins, after string, limit int) ([]account.Billing, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+billingColumns+`
		FROM billing_account
		WHERE user_name > $1
			AND (SUBSTR(user_name, 1, LENGTH($2)) = $2 OR SUBSTR(email, 1, LENGTH($2)) = $2)
		ORDER BY user_name
		LIMIT $3`, after, begins, int64(limit))
	return collect(rows, err, scanBilling)
}

// Registration finds an unfinished registration, or account.ErrRegistrationUnknown.
func (tx *Tx) Registration(ctx context.Context, id string) (account.Registration, error) {
	var r account.Registration
	var document string
	err := tx.QueryRow(ctx, `
		SELECT document
		FROM registration
		WHERE id = $1`+tx.lockWrites(), id).Scan(&document)
	if errors.Is(err, ErrNoRows) {
		return r, account.ErrRegistrationUnknown
	}
	if err != nil {
		return r, fmt.Errorf("read a registration: %w", err)
	}
	return r, json.Unmarshal([]byte(document), &r)
}

// SaveRegistration inserts or replaces a registration.
func (tx *Tx) SaveRegistration(ctx context.Context, r account.Registration) error {
	document, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode a registration: %w", err)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO registration (id, document, created_at)
		VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET document = excluded.document`, r.ID, string(document), period.Micros(r.CreatedAt))
	return err
}

// DeleteRegistration ends a registration; ended before is
// account.ErrRegistrationUnknown, so that two browsers make one account.
func (tx *Tx) DeleteRegistration(ctx context.Context, id string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM registration
		WHERE id = $1`, id)
	return exactlyOne(n, err, account.ErrRegistrationUnknown)
}

// LatestCode finds the newest code of purpose, address and subject, or
// account.ErrCodeNone.
func (tx *Tx) LatestCode(ctx context.Context, p account.Purpose, email, subject string) (account.Code, error) {
	var c account.Code
	var hash string
	var sent, expires, used, tries int64
	err := tx.QueryRow(ctx, `
		SELECT id, purpose, email, subject, hash, sent_at, expires_at, tries, used_at
		FROM code
		WHERE purpose = $1
			AND email = $2
			AND subject = $3
		ORDER BY sent_at DESC, id
		LIMIT 1`+tx.lockWrites(), p, email, subject).
		Scan(&c.ID, &c.Purpose, &c.Email, &c.Subject, &hash, &sent, &expires, &tries, &used)
	if errors.Is(err, ErrNoRows) {
		return c, account.ErrCodeNone.On("code")
	}
	if err != nil {
		return c, fmt.Errorf("read a code: %w", err)
	}
	c.SentAt, c.ExpiresAt, c.UsedAt, c.Tries = period.FromMicros(sent), period.FromMicros(expires), period.FromMicros(used), int(tries)
	return account.Stored(c, hash), nil
}

// CodesSince counts the codes of a purpose mailed to an address since then.
func (tx *Tx) CodesSince(ctx context.Context, p account.Purpose, email string, since time.Time) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM code
		WHERE purpose = $1
			AND email = $2
			AND sent_at >= $3`, p, email, period.Micros(since)).Scan(&n)
	return int(n), err
}

// SaveCode inserts a code or keeps its tries and use.
func (tx *Tx) SaveCode(ctx context.Context, c account.Code) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO code (id, purpose, email, subject, hash, sent_at, expires_at, tries, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET tries = excluded.tries, used_at = excluded.used_at`,
		c.ID, c.Purpose, c.Email, c.Subject, c.Hash(), period.Micros(c.SentAt), period.Micros(c.ExpiresAt), int64(c.Tries), period.Micros(c.UsedAt))
	return err
}

// InsertTicket keeps a jump ticket.
func (tx *Tx) InsertTicket(ctx context.Context, t account.Ticket) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO ticket (id, billing_id, studio_id, target, expires_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6)`, t.ID, t.BillingID, t.StudioID, t.Target, period.Micros(t.ExpiresAt), period.Micros(t.UsedAt))
	return err
}

// UseTicket spends a ticket, once, or answers account.ErrTicket.
func (tx *Tx) UseTicket(ctx context.Context, id string, at time.Time) (account.Ticket, error) {
	var t account.Ticket
	var expires, used int64
	err := tx.QueryRow(ctx, `
		SELECT id, billing_id, studio_id, target, expires_at, used_at
		FROM ticket
		WHERE id = $1`, id).Scan(&t.ID, &t.BillingID, &t.StudioID, &t.Target, &expires, &used)
	if errors.Is(err, ErrNoRows) {
		return t, account.ErrTicket
	}
	if err != nil {
		return t, fmt.Errorf("read a ticket: %w", err)
	}
	t.ExpiresAt, t.UsedAt = period.FromMicros(expires), period.FromMicros(used)
	if t, err = t.Use(at); err != nil {
		return t, err
	}
	n, err := tx.Exec(ctx, `
		UPDATE ticket
		SET used_at = $2
		WHERE id = $1
			AND used_at = 0`, id, period.Micros(at))
	return t, exactlyOne(n, err, account.ErrTicket)
}

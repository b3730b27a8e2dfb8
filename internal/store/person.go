package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
)

const (
	studioPerson  = `SELECT id, site, user_name, email, phone, password, profile, language FROM studio_account `
	billingPerson = `SELECT id, '', user_name, email, phone, password, profile, language FROM billing_account `
)

// Person finds an account of a system and keeps it from other writers, or
// account.ErrUnknown.
func (tx *Tx) Person(ctx context.Context, s account.System, id string) (account.Person, error) {
	sql := studioPerson
	if s == account.BillingSystem {
		sql = billingPerson
	}
	return tx.person(ctx, s, sql+`WHERE id = $1`, id)
}

// PersonByEmail is Person by its address; of Studio, on the site.
func (tx *Tx) PersonByEmail(ctx context.Context, s account.System, where site.ID, email string) (account.Person, error) {
	if s == account.BillingSystem {
		return tx.person(ctx, s, billingPerson+`WHERE email = $1`, email)
	}
	return tx.person(ctx, s, studioPerson+`WHERE site = $1 AND email = $2`, where, email)
}

func (tx *Tx) person(ctx context.Context, s account.System, sql string, args ...any) (account.Person, error) {
	p := account.Person{System: s}
	var profile string
	err := tx.QueryRow(ctx, sql+tx.lockWrites(), args...).
		Scan(&p.ID, &p.Site, &p.UserName, &p.Email, &p.Phone, &p.Password, &profile, &p.Language)
	if errors.Is(err, ErrNoRows) {
		return p, account.ErrUnknown
	}
	if err != nil {
		return p, fmt.Errorf("read an account: %w", err)
	}
	return p, json.Unmarshal([]byte(profile), &p.Profile)
}

// UpdatePerson keeps what the holder of an account may change. User name,
// site and currency stay, whatever the caller says; the operator's switches
// are SetBillingSwitches'. Where another account has the address or the phone
// it is account.ErrEmailTaken or account.ErrPhoneTaken.
func (tx *Tx) UpdatePerson(ctx context.Context, p account.Person) error {
	profile, err := json.Marshal(p.Profile)
	if err != nil {
		return fmt.Errorf("encode a profile: %w", err)
	}
	if err := tx.contactFree(ctx, p); err != nil {
		return err
	}
	table := "studio_account"
	if p.System == account.BillingSystem {
		table = "billing_account"
	}
	n, err := tx.Exec(ctx, `
		UPDATE `+table+`
		SET email = $2, phone = $3, password = $4, profile = $5, language = $6
		WHERE id = $1`, p.ID, p.Email, p.Phone, p.Password, string(profile), p.Language)
	return exactlyOne(n, err, account.ErrUnknown)
}

// contactFree refuses what another account has. Two at the same instant are
// parted by the unique index.
func (tx *Tx) contactFree(ctx context.Context, p account.Person) error {
	count := func(sql string, value string) (n int64, err error) {
		if value == "" {
			return 0, nil
		}
		args := []any{p.ID, value}
		if p.System == account.StudioSystem {
			args = append(args, p.Site)
		}
		err = tx.QueryRow(ctx, sql, args...).Scan(&n)
		return n, err
	}
	from := `FROM studio_account WHERE id <> $1 AND site = $3 AND `
	if p.System == account.BillingSystem {
		from = `FROM billing_account WHERE id <> $1 AND `
	}
	for _, c := range []struct {
		column, value string
		refusal       *fault.Error
	}{{"email", p.Email, account.ErrEmailTaken}, {"phone", p.Phone, account.ErrPhoneTaken}} {
		n, err := count(`SELECT COUNT(*) `+from+c.column+` = $2`, c.value)
		if err != nil {
			return fmt.Errorf("look for the %s of an account: %w", c.column, err)
		}
		if n > 0 {
			return c.refusal.On(c.column)
		}
	}
	return nil
}

// Contact finds a change of address or phone under way, or
// account.ErrContactNotBegun.
func (tx *Tx) Contact(ctx context.Context, s account.System, accountID string, k account.ContactKind) (account.Contact, error) {
	c := account.Contact{System: s, AccountID: accountID, Kind: k}
	var began, proved int64
	err := tx.QueryRow(ctx, `
		SELECT value, began_at, proved_at
		FROM contact_change
		WHERE system = $1
			AND account_id = $2
			AND kind = $3`+tx.lockWrites(), s, accountID, k).Scan(&c.New, &began, &proved)
	if errors.Is(err, ErrNoRows) {
		return c, account.ErrContactNotBegun
	}
	c.BegunAt, c.ProvedAt = period.FromMicros(began), period.FromMicros(proved)
	return c, err
}

// SaveContact inserts or replaces the change of its kind.
func (tx *Tx) SaveContact(ctx context.Context, c account.Contact) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO contact_change (system, account_id, kind, value, began_at, proved_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (system, account_id, kind) DO UPDATE
		SET value = excluded.value, began_at = excluded.began_at, proved_at = excluded.proved_at`,
		c.System, c.AccountID, c.Kind, c.New, period.Micros(c.BegunAt), period.Micros(c.ProvedAt))
	return err
}

// DeleteContact ends a change.
func (tx *Tx) DeleteContact(ctx context.Context, c account.Contact) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM contact_change
		WHERE system = $1
			AND account_id = $2
			AND kind = $3`, c.System, c.AccountID, c.Kind)
	return err
}

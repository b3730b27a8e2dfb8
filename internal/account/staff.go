package account

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
)

// maxOperatorName bounds an operator's name, in characters.
const maxOperatorName = 64

// OperatorTx is what looking after operators needs of a transaction.
type OperatorTx interface {
	OperatorByID(ctx context.Context, id string) (Operator, error) // ErrUnknown
	// AdminsForUpdate gives the IDs of the administrators who can sign in,
	// kept from other writers, so that two of them cannot disable each other.
	AdminsForUpdate(ctx context.Context) ([]string, error)
	InsertOperator(ctx context.Context, o Operator) error // ErrEmailTaken
	// SetOperator keeps role, name and whether it is disabled.
	SetOperator(ctx context.Context, o Operator) error
	// SetOperatorPassword replaces the password; every session and token ends.
	SetOperatorPassword(ctx context.Context, id, hash string, at time.Time) error
	Audit(ctx context.Context, e audit.Entry) error
}

// By is who acts on an operator: another operator with his address, or the
// command line, which is nobody's own.
type By struct {
	ID      string
	Address string
}

// CommandLine is whoever reaches the machine.
var CommandLine = By{ID: "command line"}

// OperatorDraft is an operator to be made.
type OperatorDraft struct {
	Email    string
	Name     string // empty: the address up to the @
	Role     OperatorRole
	Language string
}

// FirstPassword is a password that the house makes: its holder gets it once
// and replaces it on his page.
type FirstPassword struct {
	Text string
	Hash string
}

// NewFirstPassword makes one. It takes as long as hashing does, so make it
// before a transaction begins.
func NewFirstPassword() (FirstPassword, error) {
	text := strings.TrimPrefix(id.New(id.Operator), id.Operator+"_")[:18] + "1a"
	hash, err := HashPassword(text)
	return FirstPassword{text, hash}, err
}

// AddOperator makes an operator who signs in with the password of that hash.
func AddOperator(ctx context.Context, tx OperatorTx, d OperatorDraft, hash string, by By, at time.Time) (Operator, error) {
	var list fault.Fields
	email, err := NormalEmail(d.Email)
	if err != nil {
		list = append(list, ErrEmailForm.On("email"))
	}
	name := strings.TrimSpace(d.Name)
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	if err == nil && (utf8.RuneCountInString(name) > maxOperatorName || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name)) {
		list = append(list, ErrOperatorName.On("name"))
	}
	if !d.Role.Valid() {
		list = append(list, ErrOperatorRole.On("role"))
	}
	if err := list.OrNil(); err != nil {
		return Operator{}, err
	}
	language := d.Language
	if language != "zh" {
		language = "en"
	}
	o := Operator{ID: id.New(id.Operator), Email: email, Name: name, Role: d.Role, Password: hash, Language: language, CreatedAt: at}
	err = tx.InsertOperator(ctx, o)
	if errors.Is(err, ErrEmailTaken) {
		return Operator{}, ErrOperatorTaken.On("email")
	}
	if err != nil {
		return Operator{}, err
	}
	return o, tx.Audit(ctx, by.entry("operator_account.made", o.ID, at, map[string]string{"email": o.Email, "role": string(o.Role)}))
}

// GiveRole gives an operator another role. The same one changes nothing.
func GiveRole(ctx context.Context, tx OperatorTx, operatorID string, role OperatorRole, by By, at time.Time) error {
	if !role.Valid() {
		return ErrOperatorRole.On("role")
	}
	o, err := other(ctx, tx, operatorID, by)
	if err != nil || o.Role == role {
		return err
	}
	if err := keepsAnAdmin(ctx, tx, o); err != nil {
		return err
	}
	was := o.Role
	o.Role = role
	if err := tx.SetOperator(ctx, o); err != nil {
		return err
	}
	return tx.Audit(ctx, by.entry("operator_account.role_changed", o.ID, at, map[string]string{"role": string(was) + " -> " + string(role)}))
}

// DisableOperator ends an operator's sessions and tokens at once, and his
// password with them: enabled again, he gets another one.
func DisableOperator(ctx context.Context, tx OperatorTx, operatorID string, by By, at time.Time) error {
	o, err := other(ctx, tx, operatorID, by)
	if err != nil || o.Disabled() {
		return err
	}
	if err := keepsAnAdmin(ctx, tx, o); err != nil {
		return err
	}
	o.DisabledAt = at
	if err := tx.SetOperator(ctx, o); err != nil {
		return err
	}
	if err := tx.SetOperatorPassword(ctx, o.ID, "", at); err != nil {
		return err
	}
	return tx.Audit(ctx, by.entry("operator_account.disabled", o.ID, at, map[string]string{"disabled": "false -> true"}))
}

// EnableOperator lets an operator sign in again, with the password of that
// hash. Who is not disabled keeps what he has.
func EnableOperator(ctx context.Context, tx OperatorTx, operatorID, hash string, by By, at time.Time) (enabled bool, err error) {
	o, err := other(ctx, tx, operatorID, by)
	if err != nil || !o.Disabled() {
		return false, err
	}
	o.DisabledAt = time.Time{}
	if err := tx.SetOperator(ctx, o); err != nil {
		return false, err
	}
	if err := tx.SetOperatorPassword(ctx, o.ID, hash, at); err != nil {
		return false, err
	}
	return true, tx.Audit(ctx, by.entry("operator_account.enabled", o.ID, at, map[string]string{"disabled": "true -> false"}))
}

// ResetOperatorPassword replaces the password that an operator forgot.
func ResetOperatorPassword(ctx context.Context, tx OperatorTx, operatorID, hash string, by By, at time.Time) error {
	o, err := other(ctx, tx, operatorID, by)
	if err != nil {
		return err
	}
	if o.Disabled() {
		return ErrOperatorClosed
	}
	if err := tx.SetOperatorPassword(ctx, o.ID, hash, at); err != nil {
		return err
	}
	return tx.Audit(ctx, by.entry("operator_account.password_reset", o.ID, at, nil))
}

// ChangeOperatorPassword replaces an operator's own password. Every session
// ends, the one that asks too, unless its console renews it.
func ChangeOperatorPassword(ctx context.Context, tx OperatorTx, o Operator, hash, address string, at time.Time) error {
	if err := tx.SetOperatorPassword(ctx, o.ID, hash, at); err != nil {
		return err
	}
	return tx.Audit(ctx, By{o.ID, address}.entry("operator_account.password_changed", o.ID, at, nil))
}

// other finds the operator, who must not be the one who acts.
func other(ctx context.Context, tx OperatorTx, operatorID string, by By) (Operator, error) {
	if operatorID == by.ID {
		return Operator{}, ErrOperatorSelf
	}
	if _, err := tx.AdminsForUpdate(ctx); err != nil { // one change of operators at a time
		return Operator{}, err
	}
	return tx.OperatorByID(ctx, operatorID)
}

// keepsAnAdmin refuses to take the last administrator away.
func keepsAnAdmin(ctx context.Context, tx OperatorTx, leaving Operator) error {
	if leaving.Role != Admin || leaving.Disabled() {
		return nil
	}
	admins, err := tx.AdminsForUpdate(ctx)
	if err != nil {
		return err
	}
	for _, admin := range admins {
		if admin != leaving.ID {
			return nil
		}
	}
	return ErrOperatorLast
}

func (b By) entry(action, subject string, at time.Time, detail map[string]string) audit.Entry {
	return audit.Entry{At: at, Actor: b.ID, Address: b.Address, Action: action, Subject: subject, Detail: detail}
}

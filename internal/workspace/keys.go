package workspace

import (
	"context"
	"errors"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
)

// KeyTx is what the workspace's API keys need of a transaction.
type KeyTx interface {
	account.KeyTx
	Member(ctx context.Context, workspaceID, accountID string) (Member, error)
}

// KeyHolder is the workspace as a holder of keys.
func KeyHolder(workspaceID string) account.KeyHolder {
	return account.KeyHolder{Scope: account.WorkspaceKeys, ID: workspaceID}
}

// MakeKey makes a key that reads this workspace, and gives its secret. What it
// may read follows its maker's role (KeyRole).
func MakeKey(ctx context.Context, tx KeyTx, workspaceID, name string, actor Actor, at time.Time) (account.Key, string, error) {
	if err := MayManageKeys(ctx, tx, workspaceID, actor); err != nil {
		return account.Key{}, "", err
	}
	draft := account.KeyDraft{Holder: KeyHolder(workspaceID), Name: name, MadeBy: actor.AccountID, Address: actor.Address}
	return account.MakeKey(ctx, tx, draft, at)
}

// ErrKeyOrphan is a key whose maker has left.
var ErrKeyOrphan = fault.New(fault.Forbidden, "key_orphan", "The person who made this key has left the workspace. Make another one.")

// KeyRole is the role that a key of a workspace reads with: the one that its
// maker has now. A key never may more than a person does, so that it ends for
// whatever its maker may no longer see; balances are the Owner's alone.
func KeyRole(ctx context.Context, tx KeyTx, k account.Key) (Role, error) {
	m, err := tx.Member(ctx, k.Holder.ID, k.MadeBy)
	if errors.Is(err, ErrUnknown) {
		err = ErrKeyOrphan
	}
	return m.Role, err
}

// RevokeKey ends a key of this workspace, whoever made it.
func RevokeKey(ctx context.Context, tx KeyTx, workspaceID, keyID string, actor Actor, at time.Time) error {
	if err := MayManageKeys(ctx, tx, workspaceID, actor); err != nil {
		return err
	}
	return account.RevokeKey(ctx, tx, KeyHolder(workspaceID), keyID, actor.AccountID, actor.Address, at)
}

// MayManageKeys refuses a person who may not make and revoke this workspace's
// keys.
func MayManageKeys(ctx context.Context, tx KeyTx, workspaceID string, actor Actor) error {
	m, err := tx.Member(ctx, workspaceID, actor.AccountID)
	if err != nil {
		return err
	}
	return m.Role.Require(ManageKeys)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/period"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/workspace"
)

const promotionColumns = `id, workspace_id, account_id, from_role, to_role, requested_by, payer, requested_at, expires_at, state, answered_at, reason`

func scanPromotion(r Row) (workspace.Promotion, error) {
	var p workspace.Promotion
	var requested, expires, answered int64
	err := r.Scan(&p.ID, &p.WorkspaceID, &p.AccountID, &p.From, &p.To, &p.RequestedBy, &p.Payer, &requested, &expires, &p.State, &answered, &p.Reason)
	if errors.Is(err, ErrNoRows) {
		return p, workspace.ErrPromotionUnknown
	}
	if err != nil {
		return p, fmt.Errorf("read a promotion: %w", err)
	}
	p.RequestedAt, p.ExpiresAt, p.AnsweredAt = period.FromMicros(requested), period.FromMicros(expires), period.FromMicros(answered)
	return p, nil
}

// PendingPromotion finds the request that waits for a member, or
// workspace.ErrPromotionUnknown.
func (tx *Tx) PendingPromotion(ctx context.Context, workspaceID, accountID string) (workspace.Promotion, error) {
	return scanPromotion(tx.QueryRow(ctx, `
		SELECT `+promotionColumns+`
		FROM promotion
		WHERE workspace_id = $1
			AND account_id = $2
			AND state = 'pending'`+tx.lockWrites(), workspaceID, accountID))
}

// Promotion finds a request, or workspace.ErrPromotionUnknown.
func (tx *Tx) Promotion(ctx context.Context, id string) (workspace.Promotion, error) {
	return scanPromotion(tx.QueryRow(ctx, `
		SELECT `+promotionColumns+`
		FROM promotion
		WHERE id = $1`, id))
}

// PromotionForUpdate is Promotion, kept from other writers.
func (tx *Tx) PromotionForUpdate(ctx context.Context, id string) (workspace.Promotion, error) {
	return scanPromotion(tx.QueryRow(ctx, `
		SELECT `+promotionColumns+`
		FROM promotion
		WHERE id = $1`+tx.lockWrites(), id))
}

// Promotions lists the requests of a workspace since then, the newest first.
func (tx *Tx) Promotions(ctx context.Context, workspaceID string, since time.Time, limit int) ([]workspace.Promotion, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+promotionColumns+`
		FROM promotion
		WHERE workspace_id = $1
			AND requested_at >= $2
		ORDER BY requested_at DESC, id
		LIMIT $3`, workspaceID, period.Micros(since), int64(limit))
	return collect(rows, err, scanPromotion)
}

// PromotedMembers lists the members for whom a request waits.
func (tx *Tx) PromotedMembers(ctx context.Context, workspaceID string) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT account_id
		FROM promotion
		WHERE workspace_id = $1
			AND state = 'pending'
		ORDER BY account_id`, workspaceID)
	return collect(rows, err, scanText)
}

// SavePromotion inserts a request, or ends one that is still pending; a second
// one for a member is workspace.ErrPromotionWaits, one that ended meanwhile is
// workspace.ErrPromotionOver.
func (tx *Tx) SavePromotion(ctx context.Context, p workspace.Promotion) error {
	if p.State == workspace.PromotionPending {
		n, err := tx.Exec(ctx, `
			INSERT INTO promotion (`+promotionColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '')
			ON CONFLICT DO NOTHING`,
			p.ID, p.WorkspaceID, p.AccountID, p.From, p.To, p.RequestedBy, p.Payer, period.Micros(p.RequestedAt), period.Micros(p.ExpiresAt), p.State)
		return exactlyOne(n, err, workspace.ErrPromotionWaits.On("role"))
	}
	n, err := tx.Exec(ctx, `
		UPDATE promotion
		SET state = $2, answered_at = $3, reason = $4
		WHERE id = $1
			AND state = 'pending'`, p.ID, p.State, period.Micros(p.AnsweredAt), p.Reason)
	return exactlyOne(n, err, workspace.ErrPromotionOver)
}

// NextLapse is when the next request expires; ok is false when none waits.
func (tx *Tx) NextLapse(ctx context.Context) (at time.Time, ok bool, err error) {
	var next *int64
	err = tx.QueryRow(ctx, `
		SELECT MIN(expires_at)
		FROM promotion
		WHERE state = 'pending'`).Scan(&next)
	if err != nil || next == nil {
		return time.Time{}, false, err
	}
	return period.FromMicros(*next), true, nil
}

// LapsedPromotions lists requests that nobody answered in time.
func (tx *Tx) LapsedPromotions(ctx context.Context, at time.Time, limit int) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT id
		FROM promotion
		WHERE state = 'pending'
			AND expires_at <= $1
		ORDER BY expires_at, id
		LIMIT $2`, period.Micros(at), int64(limit))
	return collect(rows, err, scanText)
}

// Offer finds the offered ownership of a workspace, or workspace.ErrOfferNone.
func (tx *Tx) Offer(ctx context.Context, workspaceID string) (workspace.Offer, error) {
	o := workspace.Offer{WorkspaceID: workspaceID}
	var offered, expires int64
	err := tx.QueryRow(ctx, `
		SELECT from_id, to_id, offered_at, expires_at
		FROM ownership_offer
		WHERE workspace_id = $1`+tx.lockWrites(), workspaceID).Scan(&o.From, &o.To, &offered, &expires)
	if errors.Is(err, ErrNoRows) {
		return o, workspace.ErrOfferNone
	}
	o.OfferedAt, o.ExpiresAt = period.FromMicros(offered), period.FromMicros(expires)
	return o, err
}

// SaveOffer keeps an offer in place of an earlier one.
func (tx *Tx) SaveOffer(ctx context.Context, o workspace.Offer) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO ownership_offer (workspace_id, from_id, to_id, offered_at, expires_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (workspace_id) DO UPDATE
		SET from_id = excluded.from_id, to_id = excluded.to_id, offered_at = excluded.offered_at, expires_at = excluded.expires_at`,
		o.WorkspaceID, o.From, o.To, period.Micros(o.OfferedAt), period.Micros(o.ExpiresAt))
	return err
}

// DeleteOffer ends an offer.
func (tx *Tx) DeleteOffer(ctx context.Context, workspaceID string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM ownership_offer
		WHERE workspace_id = $1`, workspaceID)
	return exactlyOne(n, err, workspace.ErrOfferNone)
}

const invitationColumns = `id, workspace_id, site, email, role, invited_by, invited_at, expires_at`

func scanInvitation(r Row) (workspace.Invitation, error) {
	var i workspace.Invitation
	var invited, expires int64
	err := r.Scan(&i.ID, &i.WorkspaceID, &i.Site, &i.Email, &i.Role, &i.InvitedBy, &invited, &expires)
	i.InvitedAt, i.ExpiresAt = period.FromMicros(invited), period.FromMicros(expires)
	return i, err
}

// Invitations lists the invitations into a workspace, the newest first.
func (tx *Tx) Invitations(ctx context.Context, workspaceID string) ([]workspace.Invitation, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+invitationColumns+`
		FROM invitation
		WHERE workspace_id = $1
		ORDER BY invited_at DESC, id`, workspaceID)
	return collect(rows, err, scanInvitation)
}

// InvitationsTo lists the invitations to an address on a site.
func (tx *Tx) InvitationsTo(ctx context.Context, s site.ID, email string) ([]workspace.Invitation, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+invitationColumns+`
		FROM invitation
		WHERE site = $1
			AND email = $2
		ORDER BY workspace_id`, s, email)
	return collect(rows, err, scanInvitation)
}

// SaveInvitation keeps an invitation in place of one to the same address.
func (tx *Tx) SaveInvitation(ctx context.Context, i workspace.Invitation) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO invitation (`+invitationColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (workspace_id, email) DO UPDATE
		SET id = excluded.id, role = excluded.role, invited_by = excluded.invited_by,
			invited_at = excluded.invited_at, expires_at = excluded.expires_at`,
		i.ID, i.WorkspaceID, i.Site, i.Email, i.Role, i.InvitedBy, period.Micros(i.InvitedAt), period.Micros(i.ExpiresAt))
	return err
}

// DeleteInvitation ends an invitation, or is workspace.ErrInvitationUnknown.
func (tx *Tx) DeleteInvitation(ctx context.Context, workspaceID, email string) error {
	n, err := tx.Exec(ctx, `
		DELETE FROM invitation
		WHERE workspace_id = $1
			AND email = $2`, workspaceID, email)
	return exactlyOne(n, err, workspace.ErrInvitationUnknown)
}

// UnreadNotices counts the notices of a workspace since then that a member has
// not read, up to the limit.
func (tx *Tx) UnreadNotices(ctx context.Context, workspaceID, accountID string, since time.Time, limit int) (int, error) {
	var n int64
	err := tx.QueryRow(ctx, `
		SELECT COUNT(*)
		FROM (
			SELECT 1
			FROM notice
			WHERE workspace_id = $1
				AND created_at >= $3
				AND created_at > COALESCE((
					SELECT through
					FROM notice_read
					WHERE workspace_id = $1
						AND account_id = $2), 0)
			LIMIT $4
		) unread`, workspaceID, accountID, period.Micros(since), int64(limit)).Scan(&n)
	return int(n), err
}

// NoticesReadThrough is up to when a member has read the notices of a
// workspace; zero for never.
func (tx *Tx) NoticesReadThrough(ctx context.Context, workspaceID, accountID string) (time.Time, error) {
	var through int64
	err := tx.QueryRow(ctx, `
		SELECT through
		FROM notice_read
		WHERE workspace_id = $1
			AND account_id = $2`, workspaceID, accountID).Scan(&through)
	if errors.Is(err, ErrNoRows) {
		return time.Time{}, nil
	}
	return period.FromMicros(through), err
}

// ReadNotices keeps that a member has read the notices up to the instant. It
// moves forward only.
func (tx *Tx) ReadNotices(ctx context.Context, workspaceID, accountID string, through time.Time) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO notice_read (workspace_id, account_id, through)
		VALUES ($1, $2, $3)
		ON CONFLICT (workspace_id, account_id) DO UPDATE
		SET through = CASE WHEN notice_read.through > excluded.through THEN notice_read.through ELSE excluded.through END`,
		workspaceID, accountID, period.Micros(through))
	return err
}

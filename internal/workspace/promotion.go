package workspace

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/message"
)

// Faults of promotions.
var (
	ErrPromotionWaits   = fault.New(fault.Conflict, "promotion_waits", "This promotion waits for the Billing Center's answer already.")
	ErrPromotionUnknown = fault.New(fault.NotFound, "promotion_unknown", "There is no such promotion request.")
	ErrPromotionOver    = fault.New(fault.Conflict, "promotion_over", "This request was answered, withdrawn or has expired. Nothing was changed.")
	ErrPromotionReason  = fault.New(fault.Invalid, "promotion_reason", "A reason has at most 256 characters.")
)

// PromotionLife is how long a request waits for its answer.
const PromotionLife = 14 * 24 * time.Hour

// maxReason bounds the reason of a rejection, in characters.
const maxReason = 256

// PromotionState is how far a request came.
type PromotionState string

// The states. All but the first are final.
const (
	PromotionPending   PromotionState = "pending"
	PromotionAccepted  PromotionState = "accepted"
	PromotionRejected  PromotionState = "rejected"
	PromotionWithdrawn PromotionState = "withdrawn" // by the Owner or an Administrator
	PromotionCancelled PromotionState = "cancelled" // the member got another role, left, or the payer changed
	PromotionExpired   PromotionState = "expired"   // nobody answered
)

// Promotion is a wish to make a member of a Commercial workspace an
// Administrator, who sees the token with which data comes in: the account that
// pays for that data must accept it (domain section 2).
type Promotion struct {
	ID          string
	WorkspaceID string
	AccountID   string // the member
	From        Role   // that the member has
	To          Role
	RequestedBy string
	Payer       string // who answers
	RequestedAt time.Time
	ExpiresAt   time.Time
	State       PromotionState
	AnsweredAt  time.Time
	Reason      string // of a rejection; may be empty
}

// StateAt is the state at the instant: a request that nobody answered has
// expired, also before that is written down.
func (p Promotion) StateAt(at time.Time) PromotionState {
	if p.State == PromotionPending && !at.Before(p.ExpiresAt) {
		return PromotionExpired
	}
	return p.State
}

// end gives the request its final state.
func (p Promotion) end(s PromotionState, at time.Time) Promotion {
	p.State, p.AnsweredAt = s, at
	return p
}

// PromotionAnswered happens when a request ends by the Billing Center's answer
// or without one. It goes to who asked and to the member.
type PromotionAnswered struct {
	WorkspaceID   string
	WorkspaceName string
	State         PromotionState
	Role          Role
	Member        string
	Reason        string
	Email         string
	Language      string
	At            time.Time
}

// requestPromotion asks the payer.
func requestPromotion(ctx context.Context, tx Tx, w Workspace, m Member, to Role, actor Actor, at time.Time) (Promotion, error) {
	switch waiting, err := tx.PendingPromotion(ctx, w.ID, m.AccountID); {
	case err == nil && waiting.StateAt(at) == PromotionPending:
		return waiting, ErrPromotionWaits.On("role")
	case err == nil:
		if err := tx.SavePromotion(ctx, waiting.end(PromotionExpired, at)); err != nil {
			return Promotion{}, err
		}
	case !errors.Is(err, ErrPromotionUnknown):
		return Promotion{}, err
	}
	p := Promotion{
		ID: id.New(id.Promotion), WorkspaceID: w.ID, AccountID: m.AccountID, From: m.Role, To: to, RequestedBy: actor.AccountID,
		Payer: w.Payer, RequestedAt: at, ExpiresAt: at.Add(PromotionLife), State: PromotionPending,
	}
	if err := tx.SavePromotion(ctx, p); err != nil {
		return p, err
	}
	member, err := tx.StudioByID(ctx, m.AccountID)
	if err != nil {
		return p, err
	}
	by, err := tx.StudioByID(ctx, actor.AccountID)
	if err != nil {
		return p, err
	}
	err = tx.InsertMessage(ctx, message.New(w.Payer, message.PromotionRequested, p.ID, map[string]string{
		"workspace": w.Name, "workspace_id": w.ID, "member": member.UserName, "email": member.Email,
		"from": string(p.From), "role": string(to), "by": by.UserName,
	}, at))
	if err != nil {
		return p, err
	}
	e := actor.entry("workspace.promotion_requested", w.ID, at)
	e.Detail = map[string]string{"promotion": p.ID, "account": m.AccountID, "role": string(to)}
	return p, tx.Audit(ctx, e)
}

// cancelPromotion ends a request that waits for a member who gets another role
// or leaves.
func cancelPromotion(ctx context.Context, tx Tx, workspaceID, accountID string, at time.Time) error {
	p, err := tx.PendingPromotion(ctx, workspaceID, accountID)
	if errors.Is(err, ErrPromotionUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	state := p.StateAt(at)
	if state == PromotionPending {
		state = PromotionCancelled
	}
	return tx.SavePromotion(ctx, p.end(state, at))
}

// CancelPromotions ends all requests of a workspace whose payer changes: the
// account that was asked has no say any more.
func CancelPromotions(ctx context.Context, tx Tx, workspaceID string, at time.Time) error {
	members, err := tx.PromotedMembers(ctx, workspaceID)
	if err != nil {
		return err
	}
	for _, accountID := range members {
		if err := cancelPromotion(ctx, tx, workspaceID, accountID, at); err != nil {
			return err
		}
	}
	return nil
}

// WithdrawPromotion takes a request back, as whoever may manage members.
func WithdrawPromotion(ctx context.Context, tx Tx, workspaceID, promotionID string, actor Actor, at time.Time) error {
	if _, err := permitted(ctx, tx, workspaceID, actor, ManageMembers); err != nil {
		return err
	}
	p, err := tx.PromotionForUpdate(ctx, promotionID)
	switch {
	case err != nil:
		return err
	case p.WorkspaceID != workspaceID:
		return ErrPromotionUnknown
	case p.StateAt(at) != PromotionPending:
		return ErrPromotionOver.With("state", string(p.StateAt(at)))
	}
	if err := tx.SavePromotion(ctx, p.end(PromotionWithdrawn, at)); err != nil {
		return err
	}
	e := actor.entry("workspace.promotion_withdrawn", workspaceID, at)
	e.Detail = map[string]string{"promotion": p.ID, "account": p.AccountID}
	return tx.Audit(ctx, e)
}

// Answer is what the payer says to a request.
type Answer struct {
	Accept bool
	Reason string
}

// AnswerPromotion takes the payer's answer: accepted, the role changes; if
// not, it stays.
func AnswerPromotion(ctx context.Context, tx Tx, promotionID string, answer Answer, payer Actor, at time.Time) (Promotion, error) {
	answer.Reason = strings.TrimSpace(answer.Reason)
	if utf8.RuneCountInString(answer.Reason) > maxReason || !utf8.ValidString(answer.Reason) {
		return Promotion{}, ErrPromotionReason.On("reason")
	}
	p, err := tx.PromotionForUpdate(ctx, promotionID)
	switch {
	case err != nil:
		return p, err
	case p.Payer != payer.AccountID:
		return p, ErrPromotionUnknown
	case p.StateAt(at) != PromotionPending:
		return p, ErrPromotionOver.With("state", string(p.StateAt(at)))
	}
	p = p.end(PromotionRejected, at)
	p.Reason = answer.Reason
	if answer.Accept {
		p.State, p.Reason = PromotionAccepted, ""
		m, err := tx.Member(ctx, p.WorkspaceID, p.AccountID)
		if err != nil || m.Role != p.From {
			return p, ErrPromotionOver.With("state", string(PromotionCancelled))
		}
		m.Role = p.To
		if err := tx.SaveMember(ctx, m); err != nil {
			return p, err
		}
	}
	if err := tx.SavePromotion(ctx, p); err != nil {
		return p, err
	}
	e := payer.entry("workspace.promotion_"+string(p.State), p.WorkspaceID, at)
	e.Detail = map[string]string{"promotion": p.ID, "account": p.AccountID, "role": string(p.To)}
	if p.Reason != "" {
		e.Detail["reason"] = p.Reason
	}
	if err := tx.Audit(ctx, e); err != nil {
		return p, err
	}
	return p, tellAnswered(ctx, tx, p, at)
}

// ExpirePromotion writes down that nobody answered.
func ExpirePromotion(ctx context.Context, tx Tx, promotionID string, at time.Time) error {
	p, err := tx.PromotionForUpdate(ctx, promotionID)
	if err != nil || p.State != PromotionPending || at.Before(p.ExpiresAt) {
		return err
	}
	p = p.end(PromotionExpired, at)
	if err := tx.SavePromotion(ctx, p); err != nil {
		return err
	}
	return tellAnswered(ctx, tx, p, at)
}

// LapsePromotion is the job of ExpirePromotion.
type LapsePromotion struct {
	PromotionID string `json:"promotion_id"`
}

// Kind names the job for the queue.
func (LapsePromotion) Kind() string { return "workspace.lapse_promotion" }

// tellAnswered tells the team in Studio, and by mail who asked and the member.
func tellAnswered(ctx context.Context, tx Tx, p Promotion, at time.Time) error {
	w, err := tx.WorkspaceForUpdate(ctx, p.WorkspaceID)
	if err != nil {
		return err
	}
	member, err := tx.StudioByID(ctx, p.AccountID)
	if err != nil {
		return err
	}
	err = tx.SaveNotice(ctx, Notice{
		WorkspaceID: w.ID, Key: "promotion." + p.ID, Kind: "promotion_" + string(p.State), CreatedAt: at,
		Args: map[string]string{"member": member.UserName, "role": string(p.To)},
	})
	if err != nil {
		return err
	}
	told := PromotionAnswered{
		WorkspaceID: w.ID, WorkspaceName: w.Name, State: p.State, Role: p.To, Member: member.UserName, Reason: p.Reason,
		Email: member.Email, Language: member.Language, At: at,
	}
	if err := tx.Announce(ctx, told); err != nil || p.RequestedBy == p.AccountID {
		return err
	}
	by, err := tx.StudioByID(ctx, p.RequestedBy)
	if err != nil {
		return err
	}
	told.Email, told.Language = by.Email, by.Language
	return tx.Announce(ctx, told)
}

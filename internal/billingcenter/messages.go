package billingcenter

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/message"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const (
	messagesPath = Prefix + "/messages"
	messagesMany = 30 // messages on a page
	mostUnread   = 99 // that the navigation counts
)

// ErrAnswer is an answer that is neither.
var ErrAnswer = fault.New(fault.Invalid, "answer_unclear", "Accept or reject.")

// Messages is the message centre.
type Messages struct {
	Frame  web.Frame
	Rows   []MessageRow
	Unread int
	Pager  web.Pager
	Zone   *time.Location
}

// MessageRow is a message, with the promotion that it asks about.
type MessageRow struct {
	message.Message
	Promotion workspace.Promotion
	State     workspace.PromotionState // of the promotion; empty for other messages
}

// MessageView is the page of one message.
type MessageView struct {
	Frame web.Frame
	Row   MessageRow
	Form  *web.Form
	Zone  *time.Location
}

type unreadKey struct{}

// unread is how many messages the account has not read.
func unread(ctx context.Context) int {
	n, _ := ctx.Value(unreadKey{}).(int)
	return n
}

func (b *Console) messages() []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Pattern: messagesPath, Needs: web.SignedIn, Handler: b.messagesPage},
		{Method: http.MethodPost, Pattern: messagesPath + "/read", Needs: web.SignedIn, Handler: b.readMessages},
		{Method: http.MethodGet, Pattern: messagesPath + "/{message}", Needs: web.SignedIn, Handler: b.messagePage},
		{Method: http.MethodPost, Pattern: messagesPath + "/{message}/answer", Needs: web.SignedIn, Handler: b.answer},
	}
}

// asked reads the promotion that a message is about.
func (b *Console) asked(ctx context.Context, tx *store.Tx, m message.Message) (MessageRow, error) {
	row := MessageRow{Message: m}
	if m.Kind != message.PromotionRequested {
		return row, nil
	}
	p, err := tx.Promotion(ctx, m.About)
	row.Promotion, row.State = p, p.StateAt(b.Now())
	return row, err
}

func (b *Console) messagesPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	a := payer(ctx)
	page := Messages{Frame: b.frame(r, web.T(ctx, "messages.title"), "messages"), Unread: unread(ctx), Zone: zoneOf(a.Currency)}
	before := messageKey(r.URL.Query().Get("before"))
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		list, err := tx.Messages(ctx, a.ID, before, messagesMany+1)
		if err != nil {
			return err
		}
		if len(list) > messagesMany {
			list = list[:messagesMany]
			last := list[messagesMany-1]
			page.Pager.Older = messagesPath + "?before=" + url.QueryEscape(strconv.FormatInt(period.Micros(last.CreatedAt), 10)+"~"+last.ID)
		}
		if !before.At.IsZero() {
			page.Pager.Newer = messagesPath
		}
		for _, m := range list {
			row, err := b.asked(ctx, tx, m)
			if err != nil {
				return err
			}
			page.Rows = append(page.Rows, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, messagesView(page))
}

// messageKey reads where a page ends; anything else begins with the newest.
func messageKey(text string) store.MessageKey {
	at, id, ok := strings.Cut(text, "~")
	micros, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || micros <= 0 {
		return store.MessageKey{}
	}
	return store.MessageKey{At: period.FromMicros(micros), ID: id}
}

func (b *Console) readMessages(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := b.Store.Write(ctx, func(tx *store.Tx) error { return tx.ReadMessages(ctx, payer(ctx).ID, b.Now()) })
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, messagesPath)
}

func (b *Console) messagePage(w http.ResponseWriter, r *http.Request) error {
	return b.renderMessage(w, r, web.Blank())
}

// renderMessage shows a message, which is read by that.
func (b *Console) renderMessage(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	a := payer(ctx)
	page := MessageView{Form: form, Zone: zoneOf(a.Currency)}
	err := b.Store.Write(ctx, func(tx *store.Tx) error {
		m, err := tx.Message(ctx, a.ID, r.PathValue("message"))
		if err != nil {
			return err
		}
		if page.Row, err = b.asked(ctx, tx, m); err != nil {
			return err
		}
		return tx.ReadMessage(ctx, a.ID, m.ID, b.Now())
	})
	if err != nil {
		return err
	}
	page.Frame = b.frame(r, web.T(ctx, "messages.title"), "messages")
	return web.Render(w, r, form.Status(), messageView(page))
}

// answer accepts or rejects what a message asks for.
func (b *Console) answer(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	answer := workspace.Answer{Accept: form.Text("answer") == "accept", Reason: form.Text("reason")}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		m, err := tx.Message(ctx, payer(ctx).ID, r.PathValue("message"))
		if err != nil {
			return err
		}
		if form.Text("answer") != "accept" && form.Text("answer") != "reject" {
			return ErrAnswer.On("reason")
		}
		_, err = workspace.AnswerPromotion(ctx, tx, m.About, answer, actor(r), b.Now())
		return err
	})
	if errors.Is(err, message.ErrUnknown) {
		return err
	}
	if form.Refused(err) {
		return b.renderMessage(w, r, form)
	}
	if err != nil {
		return err
	}
	key := "messages.said.rejected"
	if answer.Accept {
		key = "messages.said.accepted"
	}
	b.say(ctx, key)
	return web.SeeOther(w, r, messagesPath)
}

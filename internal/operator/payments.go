package operator

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/id"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/topup"
	"tollgate.dev/internal/web"
)

const paymentsPath = Prefix + "/payments"

// paymentsShown bounds each list of the page.
const paymentsShown = 100

// PaymentRow is an online payment with its payer.
type PaymentRow struct {
	topup.Payment
	Payer account.Billing
}

// Payments is what needs a person, and what came in lately.
type Payments struct {
	Frame   web.Frame
	Parked  []topup.Notice
	Trouble []PaymentRow
	Latest  []PaymentRow
}

// PaymentView is one online payment with all that was said of it.
type PaymentView struct {
	Frame    web.Frame
	Form     *web.Form
	Row      PaymentRow
	Left     money.Amount
	Key      string // of the refund that the form would make
	Notices  []topup.Notice
	Refunds  []topup.Refund
	Disputes []topup.Dispute
	Log      []store.AuditLine
}

// NoticeView is one notice of a channel, to be read again or dismissed.
type NoticeView struct {
	Frame   web.Frame
	Form    *web.Form
	Notice  topup.Notice
	Decider string
}

// payments are the routes of online payments.
func (o *Console) payments() []web.Route {
	const payment, notice = paymentsPath + "/{payment}", paymentsPath + "/notices/{notice}"
	route := func(method, pattern string, h web.Handler) web.Route {
		duty := account.Look
		if method == http.MethodPost {
			duty = account.CreditMoney
		}
		return web.Route{Method: method, Pattern: pattern, Needs: needs(duty), Handler: h}
	}
	return []web.Route{
		route(http.MethodGet, paymentsPath, o.paymentsPage),
		route(http.MethodGet, payment, o.paymentPage),
		route(http.MethodPost, payment+"/ask", o.askChannel),
		route(http.MethodPost, payment+"/refund", o.refundPayment),
		route(http.MethodGet, notice, o.noticePage),
		route(http.MethodPost, notice+"/again", o.reconsiderNotice),
		route(http.MethodPost, notice+"/dismiss", o.dismissNotice),
	}
}

func (o *Console) paymentsPage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	page := Payments{Frame: o.frame(r, web.T(ctx, "op.nav.payments"), "payments")}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Parked, err = tx.NoticesIn(ctx, topup.NoticeParked, paymentsShown); err != nil {
			return err
		}
		trouble, err := tx.PaymentsInTrouble(ctx, paymentsShown)
		if err != nil {
			return err
		}
		latest, err := tx.Payments(ctx, "", paymentsShown)
		if err != nil {
			return err
		}
		if page.Trouble, err = paymentRows(ctx, tx, trouble); err != nil {
			return err
		}
		page.Latest, err = paymentRows(ctx, tx, latest)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, http.StatusOK, paymentsPage(page))
}

func paymentRows(ctx context.Context, tx *store.Tx, list []topup.Payment) ([]PaymentRow, error) {
	known := map[string]account.Billing{}
	rows := make([]PaymentRow, len(list))
	for i, p := range list {
		a, ok := known[p.AccountID]
		if !ok {
			var err error
			if a, err = tx.BillingByID(ctx, p.AccountID); err != nil {
				return nil, err
			}
			known[p.AccountID] = a
		}
		rows[i] = PaymentRow{p, a}
	}
	return rows, nil
}

func (o *Console) paymentPage(w http.ResponseWriter, r *http.Request) error {
	return o.renderPayment(w, r, web.Blank(), id.Short())
}

func (o *Console) renderPayment(w http.ResponseWriter, r *http.Request, form *web.Form, key string) error {
	ctx := r.Context()
	page := PaymentView{Form: form, Key: key}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		p, err := tx.PaymentForUpdate(ctx, r.PathValue("payment"))
		if err != nil {
			return err
		}
		rows, err := paymentRows(ctx, tx, []topup.Payment{p})
		if err != nil {
			return err
		}
		page.Row = rows[0]
		if page.Left, err = p.Left(); err != nil {
			return err
		}
		if page.Notices, err = tx.NoticesOf(ctx, p.ID); err != nil {
			return err
		}
		if page.Refunds, err = tx.RefundsOf(ctx, p.ID); err != nil {
			return err
		}
		if page.Disputes, err = tx.DisputesOf(ctx, p.ID); err != nil {
			return err
		}
		page.Log, err = tx.AuditLog(ctx, p.ID, 0, logLines)
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "topup.page"), "payments")
	return web.Render(w, r, form.Status(), paymentPage(page))
}

// askChannel asks the channel now how the payment stands.
func (o *Console) askChannel(w http.ResponseWriter, r *http.Request) error {
	ctx, paymentID := r.Context(), r.PathValue("payment")
	err := o.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.PaymentForUpdate(ctx, paymentID)
		if err != nil {
			return err
		}
		if err := tx.QueueTopup(ctx, topup.Ask{PaymentID: p.ID}); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Entry{At: o.Clock.Now(), Actor: operator(ctx).ID, Address: web.Address(r), Action: "payment.asked", Subject: p.ID})
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.payments.said_asked")
	return web.SeeOther(w, r, paymentsPath+"/"+url.PathEscape(paymentID))
}

// refundPayment has money of a payment sent back.
func (o *Console) refundPayment(w http.ResponseWriter, r *http.Request) error {
	ctx, paymentID := r.Context(), r.PathValue("payment")
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	key := form.Text("key")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := tx.PaymentForUpdate(ctx, paymentID)
		if err != nil {
			return err
		}
		amount, err := money.Parse(strings.TrimSpace(form.Text("amount")), p.Amount.Currency())
		if err != nil {
			return fault.From(err).On("amount")
		}
		_, err = topup.AskRefund(ctx, tx, topup.RefundWish{
			PaymentID: p.ID, Amount: amount, Reason: form.Text("remark"), Key: key, Operator: operator(ctx).ID, Address: web.Address(r),
		}, o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		if errors.Is(err, topup.ErrRefundKnown) || key == "" {
			key = id.Short()
		}
		return o.renderPayment(w, r, form, key)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.payments.said_refund")
	return web.SeeOther(w, r, paymentsPath+"/"+url.PathEscape(paymentID))
}

func (o *Console) noticePage(w http.ResponseWriter, r *http.Request) error {
	return o.renderNotice(w, r, web.Blank())
}

func (o *Console) renderNotice(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := NoticeView{Form: form}
	err := o.Store.Read(ctx, func(tx *store.Tx) (err error) {
		if page.Notice, err = tx.NoticeForUpdate(ctx, r.PathValue("notice")); err != nil || page.Notice.DecidedBy == "" {
			return err
		}
		by, err := tx.OperatorByID(ctx, page.Notice.DecidedBy)
		page.Decider = by.Name
		return err
	})
	if err != nil {
		return err
	}
	page.Frame = o.frame(r, web.T(ctx, "op.payments.notice"), "payments")
	return web.Render(w, r, form.Status(), noticePage(page))
}

// reconsiderNotice has a parked notice read again.
func (o *Console) reconsiderNotice(w http.ResponseWriter, r *http.Request) error {
	return o.decideNotice(w, r, "payment.notice_reconsidered", "op.payments.said_again", func(ctx context.Context, tx *store.Tx, n topup.Notice, _ string) error {
		return topup.Reconsider(ctx, tx, n.ID)
	})
}

// dismissNotice lets a parked notice be.
func (o *Console) dismissNotice(w http.ResponseWriter, r *http.Request) error {
	return o.decideNotice(w, r, "payment.notice_dismissed", "op.payments.said_dismissed", func(ctx context.Context, tx *store.Tx, n topup.Notice, why string) error {
		n, err := n.Dismiss(operator(ctx).ID, why, o.Clock.Now())
		if err != nil {
			return err
		}
		return tx.KeepNotice(ctx, n)
	})
}

// decideNotice makes the decision and writes it to the audit log.
func (o *Console) decideNotice(w http.ResponseWriter, r *http.Request, action, said string, do func(ctx context.Context, tx *store.Tx, n topup.Notice, why string) error) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	why := form.Text("remark")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.NoticeForUpdate(ctx, r.PathValue("notice"))
		if err != nil {
			return err
		}
		if err := do(ctx, tx, n, why); err != nil {
			return err
		}
		detail := map[string]string{"channel": string(n.Channel), "event": n.Report.Event, "reason": string(n.Reason)}
		if why != "" {
			detail["remark"] = why
		}
		return tx.Audit(ctx, audit.Entry{At: o.Clock.Now(), Actor: operator(ctx).ID, Address: web.Address(r), Action: action, Subject: n.ID, Detail: detail})
	})
	if form.Refused(err) {
		return o.renderNotice(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, said)
	return web.SeeOther(w, r, paymentsPath)
}

func paymentTone(s topup.State) web.Tone {
	switch s {
	case topup.Credited, topup.DisputeWon:
		return web.Good
	case topup.Paid, topup.Pending:
		return web.Accent
	case topup.Failed, topup.Disputed, topup.DisputeLost:
		return web.Bad
	}
	return web.Plain
}

// problem says what stands in a payment's way.
func problem(ctx context.Context, code string) string {
	switch code {
	case "":
		return ""
	case topup.ProblemUnanswered:
		return web.T(ctx, "op.payments.unanswered")
	}
	return code
}

// sum is an amount with its currency; a report without money has none.
func sum(a money.Amount) string {
	if a.Currency() == "" {
		return "–"
	}
	return web.Money(a) + " " + string(a.Currency())
}

// creditedAt is when a payment was credited, if it was.
func creditedAt(p topup.Payment) string {
	if p.CreditedAt.IsZero() {
		return "–"
	}
	return web.Instant(p.CreditedAt, zone)
}

// refundable reports whether something of the payment can go back.
func (p PaymentView) refundable() bool { return p.Row.State.Booked() && p.Left.Sign() > 0 }

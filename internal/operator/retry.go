package operator

import (
	"net/http"
	"slices"
	"strconv"

	"tollgate.dev/internal/audit"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// retryParked bills a parked workspace's day again.
func (o *Console) retryParked(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	day, err := period.ParseDay(r.PathValue("day"))
	if err != nil {
		return err
	}
	id := r.PathValue("workspace")
	made, err := o.Retry(ctx, id, day)
	if err != nil {
		return err
	}
	if err := o.retried(r, "bill.retried", id, map[string]string{"day": day.String(), "bill": made.ID}); err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.retried", "bill", made.Number)
	return web.SeeOther(w, r, Prefix+"/")
}

// retryStatement makes an account's statement of a month again. Where its bills
// went on a later statement meanwhile, nothing is left to state.
func (o *Console) retryStatement(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	m, err := period.ParseMonth(r.PathValue("month"))
	if err != nil {
		return err
	}
	id := r.PathValue("account")
	made, err := o.Issue(ctx, id, m)
	if err != nil {
		return err
	}
	if err := o.retried(r, "statement.retried", id, map[string]string{"month": m.String(), "statement": made.ID}); err != nil {
		return err
	}
	if made.ID == "" {
		o.say(ctx, web.Good, "op.said.unstated")
	} else {
		o.say(ctx, web.Good, "op.said.stated", "number", made.Number)
	}
	return web.SeeOther(w, r, Prefix+"/")
}

// retried keeps who had what done again.
func (o *Console) retried(r *http.Request, action, subject string, detail map[string]string) error {
	return o.Store.Write(r.Context(), func(tx *store.Tx) error {
		return tx.Audit(r.Context(), audit.Entry{
			At: o.Clock.Now(), Actor: operator(r.Context()).ID, Address: web.Address(r), Action: action, Subject: subject, Detail: detail,
		})
	})
}

// retryMail queues a waiting mail's delivery again. Its Message-ID stays, so
// that a mail that went out after all can be recognised.
func (o *Console) retryMail(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id := r.PathValue("mail")
	err := o.Store.Write(ctx, func(tx *store.Tx) error {
		waiting, err := tx.WaitingMails(ctx, o.Clock.Now(), shown)
		if err != nil {
			return err
		}
		for _, m := range waiting {
			if m.ID != id {
				continue
			}
			if err := tx.Enqueue(ctx, notify.Deliver{MailID: id}); err != nil {
				return err
			}
			return tx.Audit(ctx, audit.Entry{At: o.Clock.Now(), Actor: operator(ctx).ID, Address: web.Address(r), Action: "mail.retried", Subject: id})
		}
		return ErrMailGone
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.said.mail")
	return web.SeeOther(w, r, Prefix+"/")
}

// retryJob has a job that failed tried again at once.
func (o *Console) retryJob(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	id, err := strconv.ParseInt(r.PathValue("job"), 10, 64)
	if err != nil {
		return store.ErrJobGone
	}
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		failed, err := tx.FailedJobs(ctx, shown)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(failed, func(j store.FailedJob) bool { return j.ID == id })
		if at < 0 {
			return store.ErrJobGone
		}
		if err := tx.RetryJob(ctx, id); err != nil {
			return err
		}
		return tx.Audit(ctx, store.RetriedJob(failed[at], operator(ctx).ID, web.Address(r), o.Clock.Now()))
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "jobs.said")
	return web.SeeOther(w, r, Prefix+"/")
}

// ErrMailGone is a mail that does not wait: it was sent, or never was.
var ErrMailGone = fault.New(fault.NotFound, "mail_not_waiting", "This mail does not wait any more.")

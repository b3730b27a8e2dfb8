package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tollgate.dev/internal/failpoint"
	"tollgate.dev/internal/job"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
)

// openJobs says how each kind of job is done and when tasks fall due.
func (a *App) openJobs(context.Context) error {
	a.runner = job.NewRunner(a.store, a.log)
	job.Register(a.runner, a.deliver)
	a.registerClosing()
	a.registerAlerts()
	a.registerStatements()
	a.registerTopups()
	job.Register(a.runner, a.expire)
	job.Register(a.runner, a.warn)
	job.Register(a.runner, a.remind)
	a.registerRetention()
	a.registerPeople()
	a.registerArrears()
	a.registerMarketplaces()
	job.Register(a.runner, a.checkBooks)
	a.calendar = job.NewCalendar(a.store, a.clock, a.log, a.tasks(), a.flush)
	return nil
}

// tasks are what falls due.
func (a *App) tasks() []job.Task {
	tasks := []job.Task{
		a.asking(), a.sealing(), a.zeroing(), a.sending(),
		a.retaining(), a.closing(), a.issuing(), a.expiring(), a.warning(), a.reminding(), a.locking(), a.clearing(), a.lapsing(), a.cleaning(),
	}
	if !a.played { // a simulation verifies once, at its end
		tasks = append(tasks, a.checking())
	}
	return tasks
}

// deliver sends a mail of the outbox. One that was sent is not sent again; a
// death between the sending and the mark sends it twice, with one Message-ID.
func (a *App) deliver(ctx context.Context, d notify.Deliver) error {
	var mail notify.Mail
	var sent time.Time
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		mail, sent, err = tx.Mail(ctx, d.MailID)
		return err
	})
	if err != nil || !sent.IsZero() {
		return err
	}
	if err := failpoint.Around("mail.send", func() error { return a.send(ctx, mail) }); err != nil {
		if errors.Is(err, notify.ErrRefused) {
			a.log.Error("a mail cannot be sent", "mail", mail.ID, "kind", mail.Kind, "err", err)
		}
		return fmt.Errorf("deliver mail %s: %w", mail.ID, err)
	}
	return a.store.Write(ctx, func(tx *store.Tx) error { return tx.MailSent(ctx, mail.ID, a.clock.Now()) })
}

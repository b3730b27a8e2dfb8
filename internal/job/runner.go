package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"tollgate.dev/internal/store"
)

// How the queue is read.
const (
	pollEvery = 200 * time.Millisecond
	cooldown  = 50 * time.Millisecond
	atOnce    = 8 // jobs that run at the same time
)

// Runner works queued jobs. Register every kind before Start.
type Runner struct {
	store   *store.Store
	log     *slog.Logger
	workers *river.Workers
	worker  store.Worker
	byKind  map[string]func(ctx context.Context, args []byte) error // for Drain
}

// NewRunner makes a runner without jobs.
func NewRunner(s *store.Store, log *slog.Logger) *Runner {
	return &Runner{store: s, log: log, workers: river.NewWorkers(), byKind: map[string]func(context.Context, []byte) error{}}
}

// Register says how jobs of a kind are done. A job that fails is tried again,
// later and later; one that returns Wait is tried again after that time. A job
// may take a minute, or as long as its method Within says.
func Register[T river.JobArgs](r *Runner, work func(ctx context.Context, args T) error) {
	river.AddWorker(r.workers, &worker[T]{work: work})
	var kind T
	r.byKind[kind.Kind()] = func(ctx context.Context, text []byte) error {
		var args T
		if err := json.Unmarshal(text, &args); err != nil {
			return fmt.Errorf("read the job: %w", err)
		}
		return work(ctx, args)
	}
}

type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	work func(ctx context.Context, args T) error
}

func (w *worker[T]) Work(ctx context.Context, j *river.Job[T]) error { return w.work(ctx, j.Args) }

func (w *worker[T]) Timeout(j *river.Job[T]) time.Duration {
	if long, ok := any(j.Args).(interface{ Within() time.Duration }); ok {
		return long.Within()
	}
	return 0 // the queue's own: a minute
}

// Wait puts a job off: what it needs is not there yet.
func Wait(d time.Duration) error { return river.JobSnooze(d) }

// Drain works what is queued here and now, one job after the other in the
// order of the queue, until nothing is left. It is for a simulation, where
// nobody else works the queue: the same jobs run, in an order that is the same
// every time. A job that fails ends it and stays in the queue.
func (r *Runner) Drain(ctx context.Context) error {
	for {
		var next store.QueuedJob
		var waits bool
		if err := r.store.Read(ctx, func(tx *store.Tx) (err error) {
			next, waits, err = tx.NextJob(ctx)
			return err
		}); err != nil || !waits {
			return err
		}
		work, known := r.byKind[next.Kind]
		if !known {
			return fmt.Errorf("nobody knows how to do the job %s", next.Kind)
		}
		if err := work(ctx, next.Args); err != nil {
			return fmt.Errorf("job %s: %w", next.Kind, err)
		}
		if err := r.store.Write(ctx, func(tx *store.Tx) error { return tx.EndJob(ctx, next.ID) }); err != nil {
			return err
		}
	}
}

// Start begins to work the queue, first what an earlier life was killed at.
func (r *Runner) Start(ctx context.Context) error {
	var left int64
	err := r.store.Write(ctx, func(tx *store.Tx) (err error) {
		left, err = tx.ReclaimJobs(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("take up the jobs that were left running: %w", err)
	}
	if left > 0 {
		r.log.Info("jobs that were left running begin again", "jobs", left)
	}
	r.worker, err = r.store.Worker(&river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: atOnce}},
		Workers:           r.workers,
		FetchPollInterval: pollEvery,
		FetchCooldown:     cooldown,
		ErrorHandler:      failures{r.log},
		Logger:            slog.New(quiet{r.log.Handler()}),
	})
	if err != nil {
		return fmt.Errorf("prepare the job runner: %w", err)
	}
	if err := r.worker.Start(ctx); err != nil {
		return fmt.Errorf("start the job runner: %w", err)
	}
	return nil
}

// Stop lets running jobs end, and gives up when ctx does: what was not done
// stays in the queue.
func (r *Runner) Stop(ctx context.Context) error {
	if r.worker == nil {
		return nil
	}
	err := r.worker.Stop(ctx)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// failures writes what went wrong to the log; the queue tries again.
type failures struct{ log *slog.Logger }

func (f failures) HandleError(_ context.Context, j *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	f.log.Error("job failed", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "err", err)
	return nil
}

func (f failures) HandlePanic(_ context.Context, j *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.Error("job panicked", "kind", j.Kind, "job", j.ID, "value", value, "trace", trace)
	return nil
}

// quiet keeps the queue's own chatter below warnings out of the log.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && q.Handler.Enabled(ctx, l)
}

package marketplace

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/site"
)

// OutboxTx is what the outbox needs of a transaction.
type OutboxTx interface {
	// RecordsDue lists the open records of a cloud that are due, the earliest
	// deadline first, kept from other writers.
	RecordsDue(ctx context.Context, cloud site.Method, at time.Time, limit int) ([]Record, error)
	// RecordsToAlert lists the open records of a cloud of which a person is to
	// be told and has not been, kept from other writers.
	RecordsToAlert(ctx context.Context, cloud site.Method, at time.Time, limit int) ([]Record, error)
	// KeepRecord keeps what became of a record, unless it is decided, or was
	// sent again since it had that many attempts: an answer that comes after
	// its lease is heard when the repetition is answered.
	KeepRecord(ctx context.Context, r Record, attempts int) (kept bool, err error)
	// PausedUntil tells until when a cloud, and which of its instances, are not
	// to be called. The name of the cloud itself is empty.
	PausedUntil(ctx context.Context, cloud site.Method, at time.Time) (map[string]time.Time, error)
	// Pause keeps that they are not to be called until an instant.
	Pause(ctx context.Context, cloud site.Method, instances []string, until time.Time) error
	// Operators lists those who run the platform.
	Operators(ctx context.Context) ([]account.Operator, error)
	Announce(ctx context.Context, event any) error
}

// SendUsage is the job that sends what is due to a cloud. The first record and
// its attempts tell one need from the next.
type SendUsage struct {
	Cloud    site.Method `json:"cloud"`
	RecordID string      `json:"record_id"`
	Attempts int         `json:"attempts"`
	Due      time.Time   `json:"due"`
}

// Kind names the job for the queue.
func (SendUsage) Kind() string { return "marketplace.send" }

// UniqueByArgs keeps one of a need.
func (SendUsage) UniqueByArgs() bool { return true }

// Within is how long it may send: what is left then is due again.
func (SendUsage) Within() time.Duration { return 10 * time.Minute }

// How long the outbox waits. Lease is how long a request may take before its
// records are taken for lost on the way.
const (
	Lease        = 5 * time.Minute
	firstBackoff = 15 * time.Second
	mostBackoff  = 15 * time.Minute
)

// backoff is how long a record waits before it goes out again: twice as long
// each time, and a little more or less by its name, so that records that failed
// together do not come back together.
func (r Record) backoff() time.Duration {
	wait := firstBackoff
	for n := 1; n < r.Attempts && wait < mostBackoff; n++ {
		wait *= 2
	}
	wait = min(wait, mostBackoff)
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.ID)) // it never fails
	jitter := time.Duration(h.Sum32()%1000) * (wait / 4) / 1000
	return wait + jitter
}

// again is the record as it waits for its next sending.
func (r Record) again(at time.Time, reason string) Record {
	r.State, r.Reason = Sent, reason
	if r.Attempts == r.Answers {
		r.State = Waiting // surely nothing of it is there
	}
	r.NextAt = at.Add(r.backoff())
	if r.NextAt.After(r.Deadline) {
		r.NextAt = r.Deadline
	}
	return r
}

// begin is the record as it goes out.
func (r Record) begin(at time.Time) Record {
	r.State, r.Attempts, r.NextAt = Sent, r.Attempts+1, at.Add(Lease)
	return r
}

// unsure reports whether the cloud may have the record although nobody was told.
func (r Record) unsure() bool { return r.Attempts > r.Answers }

// decide gives the record its final state.
func (r Record) decide(s RecordState, reason string, at time.Time) Record {
	r.State, r.Reason, r.DecidedAt, r.NextAt = s, reason, at, time.Time{}
	r.Taken = money.Of(0, r.Amount.Currency())
	if s == Accepted || s == DuplicateSame {
		r.Taken = r.Amount
	}
	return r
}

// overdue is the record after its deadline: what was never taken is late; of
// what may have been, nobody knows.
func (r Record) overdue(at time.Time) Record {
	if r.unsure() {
		return r.decide(Ambiguous, ReasonNoAnswer, at)
	}
	return r.decide(Late, r.Reason, at)
}

// The reasons that are our own words; all others are the cloud's.
const (
	ReasonNoAnswer    = "no answer came before the deadline"
	ReasonResends     = "no answer came, and the cloud may count a repetition"
	ReasonAfterSilent = "refused after a sending without an answer: "
)

// after is the record after what the cloud said of it.
func (r Record) after(o Outcome, l Limits, at time.Time) Record {
	r.RemoteID = o.RemoteID
	switch o.State {
	case Accepted, DuplicateSame, DuplicateDiff, Ambiguous:
		return r.decide(o.State, o.Reason, at)
	case Rejected, Late:
		if r.Answers++; r.unsure() { // an earlier sending may have been taken
			return r.decide(Ambiguous, ReasonAfterSilent+o.Reason, at)
		}
		return r.decide(o.State, o.Reason, at)
	}
	return r.lost(o.Reason, l, at)
}

// lost is the record when nobody knows whether the cloud has it: it goes out
// again, byte for byte, as often as the cloud counts a repetition once.
func (r Record) lost(reason string, l Limits, at time.Time) Record {
	if l.Resends >= 0 && r.Attempts-r.Answers > l.Resends {
		return r.decide(Ambiguous, ReasonResends, at)
	}
	return r.again(at, reason)
}

// refused is the record when the whole request was: nothing of it was taken.
func (r Record) refused(err error, of int, l Limits, at time.Time) Record {
	r.Answers++
	var poisoned *Poisoned
	if !errors.As(err, &poisoned) {
		return r.again(at, err.Error())
	}
	if of == 1 {
		if r.unsure() {
			return r.decide(Ambiguous, ReasonAfterSilent+poisoned.Reason, at)
		}
		return r.decide(Rejected, poisoned.Reason, at)
	}
	r = r.again(at, poisoned.Reason)
	r.Most, r.NextAt = (of+1)/2, at.Add(l.PerInstance)
	return r
}

// answered gives each record of a request what came of it.
func answered(batch []Record, outcomes []Outcome, err error, l Limits, at time.Time) []Record {
	var poisoned *Poisoned
	surely := errors.Is(err, ErrThrottled) || errors.Is(err, ErrUnreachable) || errors.As(err, &poisoned)
	said := map[string]Outcome{}
	for _, o := range outcomes {
		said[o.RecordID] = o
	}
	after := make([]Record, len(batch))
	for i, r := range batch {
		o, known := said[r.ID]
		switch {
		case surely:
			after[i] = r.refused(err, len(batch), l, at)
		case err != nil:
			after[i] = r.lost(err.Error(), l, at)
		case known:
			after[i] = r.after(o, l, at)
		default:
			after[i] = r.lost("the answer did not name it", l, at)
		}
	}
	return after
}

// batch takes from records, which are in the order of their deadlines, those
// that one request may hold. What is paused is put off and given back apart.
func batch(due []Record, cloud Cloud, paused map[string]time.Time) (taken, put []Record) {
	l, size := cloud.Limits(), 0
	most := l.Records
	for _, r := range due {
		if until := paused[r.Instance]; !until.IsZero() {
			r.NextAt = until
			if r.NextAt.After(r.Deadline) {
				r.NextAt = r.Deadline
			}
			put = append(put, r)
			continue
		}
		allowed, bytes := most, cloud.Size(r)
		if r.Most > 0 {
			allowed = min(allowed, r.Most)
		}
		switch {
		case len(taken) >= allowed:
			continue // a request of its own
		case len(taken) > 0 && l.OneProduct && taken[0].Product != r.Product, len(taken) > 0 && l.Bytes > 0 && size+bytes > l.Bytes:
			continue
		}
		most, taken, size = allowed, append(taken, r), size+bytes
	}
	return taken, put
}

// Paged is an operator who is told.
type Paged struct{ Email, Language string }

// UsageLate happens when half of the time until the deadline of records is over
// and the cloud has not taken them. It goes to the operators.
type UsageLate struct {
	Cloud   site.Method
	Records []Record // the earliest deadline first
	Readers []Paged
	At      time.Time
}

// UsageLost happens when records end in a state in which money may be lost. It
// goes to the operators.
type UsageLost struct {
	Cloud   site.Method
	Records []Record
	Readers []Paged
	At      time.Time
}

// paged lists the operators who look after money.
func paged(ctx context.Context, tx OutboxTx) ([]Paged, error) {
	all, err := tx.Operators(ctx)
	if err != nil {
		return nil, err
	}
	var readers []Paged
	for _, o := range all {
		if !o.Disabled() && (o.Role == account.Finance || o.Role == account.Admin) {
			readers = append(readers, Paged{o.Email, o.Language})
		}
	}
	return readers, nil
}

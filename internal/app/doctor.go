package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"tollgate.dev/internal/catalog"
	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/period"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// Health is how something stands.
type Health string

// Checkup is one thing that was looked at.
type Checkup struct {
	What   string `json:"what"`
	Health Health `json:"health"`
	Says   string `json:"says"`
}

// The healths. A warning is for a person to think of; an illness loses data,
// money or time as it is.
const (
	Well    Health = "ok"
	Warning Health = "warn"
	Ill     Health = "fail"
)

// Patient is an installation that is examined from outside, running or not.
type Patient struct {
	Store      *store.Store
	Now        time.Time         // the installation's clock
	Real       time.Time         // the machine's
	Data       string            // the folder of the spool and the records
	Mail       notify.Server     // no address: it is not said how mails go out
	Elsewhere  map[string]string // what is reached at an address that is not the vendor's own
	Production bool              // simulators and a moved clock are illnesses
	Markets    Markets           // of clouds, as they are set
	Secrets    secret.Ring       // that opens what operators entered
	Keys       error             // why the keys could not be read
}

// The bounds beyond which something is said.
const (
	mostSkew      = 2 * time.Second
	leastDisk     = 10 // percent free
	catalogNotice = 60 // days before the last version of the catalogue ends
	lateGateway   = time.Minute
	lateClose     = 36 * time.Hour // after the end of the last closed day
	lateCheck     = 48 * time.Hour
	mostListed    = 50
)

// Examine looks at everything. An error means that the store could not be read.
func (p Patient) Examine(ctx context.Context) ([]Checkup, error) {
	all := []Checkup{p.clockOf(), p.disk(), p.mail(ctx)}
	for _, name := range slices.Sorted(maps.Keys(p.Elsewhere)) {
		all = append(all, Checkup{name, p.unreal(), "is reached at " + p.Elsewhere[name] + ", which is not the vendor's own address: a simulator?"})
	}
	err := p.Store.Read(ctx, func(tx *store.Tx) error {
		for _, look := range []func(context.Context, *store.Tx) ([]Checkup, error){p.engine, p.catalogue, p.gateways, p.closes, p.clouds, p.waiting, p.books} {
			found, err := look(ctx, tx)
			if err != nil {
				return err
			}
			all = append(all, found...)
		}
		return nil
	})
	return all, err
}

// unreal is how something stands that must not be in production.
func (p Patient) unreal() Health {
	if p.Production {
		return Ill
	}
	return Warning
}

func (p Patient) clockOf() Checkup {
	if ahead := p.Now.Sub(p.Real).Round(time.Second); ahead > mostSkew || ahead < -mostSkew {
		return Checkup{"clock", p.unreal(), fmt.Sprintf("is that of a sandbox and stands %s ahead", ahead)}
	}
	return Checkup{"clock", Well, "is the machine's"}
}

func (p Patient) disk() Checkup {
	var s syscall.Statfs_t
	if err := syscall.Statfs(p.Data, &s); err != nil || s.Blocks == 0 {
		return Checkup{"disk", Warning, fmt.Sprintf("cannot be looked at: %v", err)}
	}
	free := int64(s.Bavail) * 100 / int64(s.Blocks)
	health := Well
	if free < leastDisk {
		health = Ill
	}
	return Checkup{"disk", health, fmt.Sprintf("%d %% are free where the spool and the records are; without room reports are answered 503", free)}
}

func (p Patient) mail(ctx context.Context) Checkup {
	if p.Mail.Address == "" {
		return Checkup{"mail", Warning, "was not tried: name the mail server as for serve"}
	}
	sender, err := notify.NewSender(p.Mail)
	if err == nil {
		err = sender.Knock(ctx)
	}
	if err != nil {
		return Checkup{"mail", Ill, fmt.Sprintf("cannot be sent, so that nobody can register or upgrade: %v", err)}
	}
	return Checkup{"mail", Well, "the server at " + p.Mail.Address + " lets us in"}
}

func (p Patient) engine(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	settings, err := tx.EngineSettings(ctx)
	if err != nil {
		return nil, err
	}
	var found []Checkup
	for _, s := range settings {
		c := Checkup{"database, " + s.Name, Well, "is " + s.Is}
		if !s.Keeps() {
			c.Health, c.Says = Ill, "is "+s.Is+"; a commit can be lost unless it is "+strings.Join(s.Want, " or ")
		}
		found = append(found, c)
	}
	now, ok, err := tx.EngineNow(ctx)
	if err != nil || !ok {
		return found, err
	}
	c := Checkup{"database, clock", Well, "goes with the machine's"}
	if skew := now.Sub(p.Real).Round(time.Millisecond); skew > mostSkew || skew < -mostSkew {
		c.Health, c.Says = Warning, fmt.Sprintf("differs by %s from this machine's; one of them is wrong", skew)
	}
	return append(found, c), nil
}

func (p Patient) catalogue(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	whole, _, err := catalog.Default().Whole(ctx, tx)
	if err != nil {
		return nil, err
	}
	today := catalog.Today(p.Now, site.All())
	if _, err := whole.At(today); err != nil {
		return []Checkup{{"catalogue", Ill, "has no prices for today: nothing is admitted and no day can be closed"}}, nil
	}
	versions := whole.Versions()
	last := versions[len(versions)-1]
	if !last.Until.IsZero() && !today.Add(catalogNotice).Before(last.Until) {
		return []Checkup{{"catalogue", Warning, "ends on " + last.Until.String() + ": add a version that follows " + last.ID}}, nil
	}
	return []Checkup{{"catalogue", Well, "has prices for today and the days to come"}}, nil
}

func (p Patient) gateways(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	late, err := tx.LateGateways(ctx, p.Now.Add(-lateGateway))
	if err != nil {
		return nil, err
	}
	if len(late) > 0 {
		return []Checkup{{"gateways", Warning, "not heard of for a minute: " + strings.Join(late, ", ") + "; usage may stand in their spools, and days wait for it"}}, nil
	}
	return []Checkup{{"gateways", Well, "none is silent that reported today"}}, nil
}

func (p Patient) closes(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	var found []Checkup
	for _, s := range site.All() {
		last, err := tx.LastSiteDay(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		c := Checkup{"closed days of " + string(s.ID), Well, "none yet"}
		if !last.Day.IsZero() {
			c.Says = "through " + last.Day.String()
			if p.Now.Sub(last.Day.End(s.Zone)) > lateClose {
				c.Health, c.Says = Ill, "end with "+last.Day.String()+": the next one should be closed by now"
			}
		}
		found = append(found, c)
	}
	return found, nil
}

// waiting is what waits for a person.
func (p Patient) waiting(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	parked, err := tx.Parked(ctx, mostListed)
	if err != nil {
		return nil, err
	}
	statements, err := tx.ParkedStatements(ctx, mostListed)
	if err != nil {
		return nil, err
	}
	jobs, err := tx.FailedJobs(ctx, mostListed)
	if err != nil {
		return nil, err
	}
	mails, err := tx.StuckMails(ctx, p.Now.Add(-stuckAfter))
	if err != nil {
		return nil, err
	}
	return []Checkup{
		waits("bills that failed", len(parked)), waits("statements that failed", len(statements)),
		waits("jobs that failed", len(jobs)), waits("mails that are stuck", int(mails)),
	}, nil
}

func waits(what string, n int) Checkup {
	if n == 0 {
		return Checkup{what, Well, "none"}
	}
	return Checkup{what, Warning, fmt.Sprintf("%d wait for an operator, on the first page of the operator's console", n)}
}

func (p Patient) books(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	v, err := tx.LastVerdict(ctx)
	switch {
	case err != nil:
		return nil, err
	case v.At.IsZero():
		return []Checkup{{"books", Warning, "were never checked; tollgate verify does it now"}}, nil
	case len(v.Findings) > 0:
		return []Checkup{{"books", Ill, fmt.Sprintf("did not hold on %s: %s", period.DayOf(v.At, time.UTC), v.Findings[0].Detail)}}, nil
	case p.Now.Sub(v.At) > lateCheck:
		return []Checkup{{"books", Warning, "were last checked on " + period.DayOf(v.At, time.UTC).String()}}, nil
	}
	return []Checkup{{"books", Well, "held on " + period.DayOf(v.At, time.UTC).String()}}, nil
}

package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/workspace"
)

// Console is whose sign-in a call needs. Empty: nobody's.
type Console string

// The consoles. What is signed in to one is nobody at the others.
const (
	Studio        Console = "studio"
	BillingCenter Console = "billing_center"
	Operator      Console = "operator"
	Reader        Console = "api_key"       // no console: a program with a key that reads
	AccountReader Console = "account_key"   // such a key of a Billing Center account; one of a workspace is none
	Service       Console = "service_key"   // nor this: a service of the platform that reports usage
	Deducting     Console = "deduction_key" // nor this: a service that has amounts deducted
)

// Route is one call of the API: a line of the table in routes.go.
type Route struct {
	Method  string
	Path    string // below Prefix
	Console Console
	Action  workspace.Action // what a workspace's member must be allowed; empty where no workspace is in the path
	Duty    account.Duty     // what an operator's role must allow; empty at the other consoles
	Once    bool             // takes a required Idempotency-Key
	Room    int64            // the bytes of a body, where more than usual
	Media   []string         // the media types of a body, where not JSON alone
	ID      string           // the operation's name in the OpenAPI document
	Summary string
}

// Routes lists every call, for whoever wants to try them all.
func Routes() []Route {
	var all []Route
	for _, r := range (&server{}).routes() {
		all = append(all, r.Route)
	}
	return all
}

// route is a Route with the work behind it.
type route struct {
	Route
	mount func(s *server, door huma.API, r Route)
}

// call is one request in operation: who asks, when, and in which transaction.
type call struct {
	context.Context
	*caller
	tx *store.Tx
	at time.Time
}

// actor is how the nouns know the caller.
func (c *call) actor() workspace.Actor {
	return workspace.Actor{AccountID: c.AccountID, Address: c.Address}
}

// replayedHeader says that an answer was given before.
const replayedHeader = "Idempotency-Replayed"

// reply is a response with a body.
type reply[B any] struct {
	Status   int
	Replayed string `header:"Idempotency-Replayed" doc:"true when this answer was given before, to the same key."`
	Body     B
}

// The ways to answer a call. Each takes the line of the table and the work.

// reads answers from one consistent view.
func reads[I, B any](r Route, work func(c *call, in *I) (*B, error)) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, http.StatusOK, func(ctx context.Context, in *I) (*reply[B], error) {
			var body *B
			err := s.Store.Read(ctx, func(tx *store.Tx) (err error) {
				body, err = work(s.call(ctx, tx), in)
				return err
			})
			return answer(http.StatusOK, body, err)
		})
	}}
}

// writes does the work in one transaction.
func writes[I, B any](r Route, status int, work func(c *call, in *I) (*B, error)) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, status, func(ctx context.Context, in *I) (*reply[B], error) {
			body, err := transact(ctx, s, in, work)
			return answer(status, body, err)
		})
	}}
}

// removes does the work in one transaction and has nothing to say.
func removes[I any](r Route, work func(c *call, in *I) error) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, http.StatusNoContent, func(ctx context.Context, in *I) (*struct{}, error) {
			_, err := transact(ctx, s, in, func(c *call, in *I) (*struct{}, error) { return nil, work(c, in) })
			return nil, err
		})
	}}
}

// outside does work that opens its own transactions, or none.
func outside[I, B any](r Route, status int, work func(c *call, in *I) (*B, error)) route {
	return route{r, func(s *server, door huma.API, r Route) {
		register(s, door, r, status, func(ctx context.Context, in *I) (*reply[B], error) {
			body, err := work(s.call(ctx, nil), in)
			return answer(status, body, err)
		})
	}}
}

func (s *server) call(ctx context.Context, tx *store.Tx) *call {
	return &call{Context: ctx, caller: callerOf(ctx), tx: tx, at: s.Now()}
}

// transact does the work in one write transaction.
func transact[I, B any](ctx context.Context, s *server, in *I, work func(c *call, in *I) (*B, error)) (*B, error) {
	var body *B
	err := s.Store.Write(ctx, func(tx *store.Tx) (err error) {
		body, err = work(s.call(ctx, tx), in)
		return err
	})
	return body, err
}

func answer[B any](status int, body *B, err error) (*reply[B], error) {
	if err != nil {
		return nil, err
	}
	return &reply[B]{Status: status, Body: *body}, nil
}

// register puts a call behind its gate and turns what goes wrong into problems.
func register[I, O any](s *server, door huma.API, r Route, status int, work func(context.Context, *I) (*O, error)) {
	huma.Register(door, r.operation(s, status), func(ctx context.Context, in *I) (*O, error) {
		out, err := work(ctx, in)
		if err != nil {
			return nil, s.problem(err, receivedOf(ctx).Request)
		}
		return out, nil
	})
}

func (r Route) operation(s *server, status int) huma.Operation {
	tag, _, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/")
	op := huma.Operation{
		OperationID: r.ID, Method: r.Method, Path: r.Path, Summary: r.Summary, Tags: []string{tag},
		DefaultStatus: status, MaxBodyBytes: -1, BodyReadTimeout: -1,
		Middlewares: huma.Middlewares{s.gate(r)},
	}
	switch r.Console {
	case "":
	case Reader, AccountReader, Service, Deducting:
		op.Security = []map[string][]string{{string(r.Console): {}}, {keyScheme: {}}}
	default:
		op.Security = []map[string][]string{{string(r.Console): {}}}
	}
	switch {
	case r.Duty != "" && r.Duty != account.Look:
		op.Description = "Needs an operator whose role allows " + string(r.Duty) + ": " + rolesOf(r.Duty) + "."
	case r.Console == Service, r.Console == Deducting:
		op.Description = "Needs a key of a service of the platform, which operators make."
	case r.Console == AccountReader:
		op.Description = "Needs a key of a Billing Center account; one of a workspace is refused."
	case r.Action != "" && r.Console == Reader:
		op.Description = "A workspace's key needs a maker whose role in it now allows " + string(r.Action) + "."
	case r.Action != "":
		op.Description = "Needs a role in the workspace that allows " + string(r.Action) + "."
	}
	return op
}

// rolesOf lists the operators' roles that allow a duty.
func rolesOf(d account.Duty) string {
	var names []string
	for _, role := range account.OperatorRoles() {
		if role.May(d) {
			names = append(names, string(role))
		}
	}
	return strings.Join(names, ", ")
}

// gate lets through who may make the call, before anything of it is read.
func (s *server) gate(r Route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		request, w := humago.Unwrap(ctx)
		who, err := s.admit(request, r)
		if err != nil {
			s.problem(err, request).write(w)
			return
		}
		next(huma.WithContext(ctx, context.WithValue(ctx.Context(), callerKey{}, who)))
	}
}

type (
	callerKey  struct{}
	requestKey struct{}
)

// received is a request as it came in, with its whole body.
type received struct {
	*http.Request
	body []byte
}

func receivedOf(ctx context.Context) received { return ctx.Value(requestKey{}).(received) }

func callerOf(ctx context.Context) *caller { return ctx.Value(callerKey{}).(*caller) }

func parseQuery(raw string) (url.Values, error) { return url.ParseQuery(raw) }

// local is an instant as the people of a site read it.
func local(at time.Time, of site.ID) time.Time {
	if s, err := site.Find(of); err == nil {
		return at.In(s.Zone)
	}
	return at.UTC()
}

// instant is an optional one: nil for the zero time.
func instant(at time.Time, of site.ID) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = local(at, of)
	return &at
}

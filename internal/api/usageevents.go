package api

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/http"
	"slices"

	"github.com/cloudevents/sdk-go/v2/event"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/usageevent"
)

// Bounds of a call that reports usage.
const (
	maxEvents     = 1000
	maxEventsBody = 1 << 20
	maxEventName  = 256 // bytes of a source, of an ID
)

// Faults of a call that reports usage, as opposed to those of single events.
var (
	ErrEventsMedia = fault.New(fault.Unsupported, "events_media_type", "Send application/cloudevents+json, application/cloudevents-batch+json, application/x-ndjson, or application/json with ce- headers.")
	ErrEventsBatch = fault.New(fault.Invalid, "events_batch_malformed", "The body is not a JSON array of events.")
	ErrEventsMany  = fault.New(fault.TooLarge, "events_many", "A call takes at most 1000 events and 1 MiB.")
	ErrEventsNone  = fault.New(fault.Invalid, "events_none", "The body has no event.")
)

// The media types of CloudEvents over HTTP (CloudEvents HTTP binding 1.0.2,
// section 3; NDJSON is an event in JSON a line).
const (
	oneEvent    = "application/cloudevents+json"
	batchEvents = "application/cloudevents-batch+json"
	lineEvents  = "application/x-ndjson"
	plainJSON   = "application/json" // attributes in ce- headers, data in the body
)

// reported is what services of the platform report, and the keys they do it with.
func (s *server) reported() []route {
	const keys = "/operator/service-keys"
	return []route{
		outside(Route{
			Method: post, Path: "/usage-events", Console: Service, Room: maxEventsBody, Media: []string{oneEvent, batchEvents, lineEvents, plainJSON},
			ID: "report-usage-events", Summary: "Say what workspaces used that no collector reports: CloudEvents, single or many",
		}, ok, s.reportUsage),
		reads(onDuty(get, keys, account.KeepOperators, "list-service-keys", "The keys that services report usage with"), listServiceKeys),
		writes(onDuty(post, keys, account.KeepOperators, "make-service-key", "Make a key that a service reports usage with; its secret is shown once"), created, makeServiceKey),
		removes(onDuty(remove, keys+"/{key_id}", account.KeepOperators, "revoke-service-key", "Revoke a service's key"), revokeServiceKey),
	}
}

func listServiceKeys(c *call, in *struct{ Paged }) (*Page[APIKey], error) {
	return c.keysOf(account.ServicesKeys(), in.Paged)
}

func makeServiceKey(c *call, in *struct{ Body keyName }) (*MadeKey, error) {
	draft := account.KeyDraft{Holder: account.ServicesKeys(), Name: in.Body.Name, MadeBy: c.AccountID, Address: c.Address}
	k, secret, err := account.MakeKey(c, c.tx, draft, c.at)
	if err != nil {
		return nil, err
	}
	return &MadeKey{keyOf(k), secret}, nil
}

func revokeServiceKey(c *call, in *struct {
	KeyID string `path:"key_id" maxLength:"64"`
}) error {
	return account.RevokeKey(c, c.tx, account.ServicesKeys(), in.KeyID, c.AccountID, c.Address, c.at)
}

// EventResults is what became of the events of a call, in its order.
type EventResults struct {
	Accepted   int           `json:"accepted"`
	Duplicates int           `json:"duplicates" doc:"They came before, and counted then."`
	Refused    int           `json:"refused"`
	Results    []EventResult `json:"results" nullable:"false"`
}

// EventResult is what became of one event.
type EventResult struct {
	Source  string         `json:"source"`
	ID      string         `json:"id"`
	Result  string         `json:"result" enum:"accepted,duplicate,refused"`
	Code    string         `json:"code,omitempty" doc:"Why it was refused; stable."`
	Detail  string         `json:"detail,omitempty" doc:"Why it was refused, for a person."`
	Field   string         `json:"field,omitempty" doc:"The attribute, or field of the data, that it is about."`
	Figures map[string]any `json:"figures,omitempty"`
}

// events is a body with events in one of the media types.
type events struct {
	RawBody []byte `contentType:"application/cloudevents-batch+json"`
}

// arrival is an event as it came, or why it is none.
type arrival struct {
	event usageevent.Event
	err   error
}

// reportUsage counts what the services report. A single event that is refused
// is a problem; of several each has its own result.
func (s *server) reportUsage(c *call, in *events) (*EventResults, error) {
	media, came, err := arrivals(receivedOf(c).Header, in.RawBody)
	if err != nil {
		return nil, err
	}
	var good []usageevent.Event
	for _, a := range came {
		if a.err == nil {
			good = append(good, a.event)
		}
	}
	var outcomes []usageevent.Outcome
	err = s.Store.Write(c, func(tx *store.Tx) (err error) {
		outcomes, err = usageevent.Record(c, tx, s.Catalog, good, c.at)
		return err
	})
	if err != nil {
		return nil, err
	}
	shown := &EventResults{Results: make([]EventResult, 0, len(came))}
	for _, a := range came {
		o := usageevent.Outcome{Result: usageevent.Refused, Fault: fault.From(a.err)}
		if a.err == nil {
			o, outcomes = outcomes[0], outcomes[1:]
		}
		if o.Result == usageevent.Refused && (media == oneEvent || media == plainJSON) {
			return nil, o.Fault
		}
		shown.add(a.event, o)
	}
	return shown, nil
}

func (e *EventResults) add(of usageevent.Event, o usageevent.Outcome) {
	r := EventResult{Source: of.Source, ID: of.ID, Result: string(o.Result)}
	switch o.Result {
	case usageevent.Accepted:
		e.Accepted++
	case usageevent.Duplicate:
		e.Duplicates++
	default:
		e.Refused++
		r.Code, r.Detail, r.Field, r.Figures = o.Fault.Code, o.Fault.Message, o.Fault.Field, figures(o.Fault.Args)
	}
	e.Results = append(e.Results, r)
}

// arrivals reads the events of a body.
func arrivals(h http.Header, body []byte) (media string, came []arrival, err error) {
	media, _, err = mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return "", nil, ErrEventsMedia
	}
	switch media {
	case oneEvent:
		came = []arrival{eventOf(body)}
	case plainJSON:
		came = []arrival{headed(h, body)}
	case lineEvents:
		for line := range bytes.Lines(body) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				came = append(came, eventOf(line))
			}
		}
	case batchEvents:
		var parts []json.RawMessage
		if err := json.Unmarshal(body, &parts); err != nil {
			return "", nil, ErrEventsBatch.Because(err)
		}
		for _, part := range parts {
			came = append(came, eventOf(part))
		}
	default:
		return "", nil, ErrEventsMedia
	}
	switch {
	case len(came) == 0:
		return "", nil, ErrEventsNone
	case len(came) > maxEvents:
		return "", nil, ErrEventsMany.With("events", len(came)).With("most", maxEvents)
	}
	return media, came, nil
}

// eventOf reads an event in JSON.
func eventOf(text []byte) arrival {
	var e event.Event
	if err := json.Unmarshal(text, &e); err != nil {
		return arrival{err: usageevent.ErrMalformed.Because(err)}
	}
	return usageOf(e)
}

// headed reads an event whose attributes are headers.
func headed(h http.Header, body []byte) arrival {
	if h.Get("ce-specversion") != event.CloudEventsVersionV1 {
		return arrival{err: usageevent.ErrMalformed} // an event of no version cannot even be filled
	}
	e := event.New(event.CloudEventsVersionV1)
	e.SetID(h.Get("ce-id"))
	e.SetSource(h.Get("ce-source"))
	e.SetType(h.Get("ce-type"))
	e.SetSubject(h.Get("ce-subject"))
	e.SetDataContentType(plainJSON)
	e.DataEncoded = body
	return usageOf(e)
}

// usageOf is the event as usage.
func usageOf(e event.Event) arrival {
	if err := e.Validate(); err != nil || e.SpecVersion() != event.CloudEventsVersionV1 {
		return arrival{err: usageevent.ErrMalformed.Because(err)}
	}
	a := arrival{event: usageevent.Event{Source: e.Source(), ID: e.ID(), WorkspaceID: e.Subject(), Data: e.Data()}}
	item, of := bytes.CutPrefix([]byte(e.Type()), []byte(usageevent.TypePrefix))
	a.event.Item = string(item)
	switch {
	case len(e.Source()) > maxEventName || len(e.ID()) > maxEventName || !printable(e.Source()) || !printable(e.ID()):
		a = arrival{err: usageevent.ErrMalformed.Says("The source and the ID of an event are at most %d bytes of text.", maxEventName)}
	case !of || !slices.Contains(usageevent.Items(), a.event.Item):
		a.err = usageevent.ErrType.On("type")
	case e.Subject() == "" || len(e.Subject()) > maxEventName || !printable(e.Subject()):
		a.err = usageevent.ErrSubject.On("subject")
	case e.DataMediaType() != "" && e.DataMediaType() != plainJSON || e.DataBase64:
		a.err = usageevent.ErrData.On("datacontenttype").Says("The data of the event must be JSON.")
	case !json.Valid(e.Data()):
		a.err = usageevent.ErrData.On("data").Says("The data of the event must be a JSON object.")
	}
	return a
}

// admitService says whether a key is one of a service.
func (s *server) admitService(r *http.Request, who *caller) error {
	secret, err := shownKey(r)
	if err != nil {
		return err
	}
	err = s.Store.Read(r.Context(), func(tx *store.Tx) (err error) {
		who.Key, err = tx.KeyByHash(r.Context(), account.KeyHash(secret))
		return err
	})
	if err != nil {
		return err
	}
	if who.Key.Holder != account.ServicesKeys() {
		return account.ErrKeyInvalid
	}
	who.AccountID = who.Key.MadeBy
	s.used(r, who.Key)
	return nil
}

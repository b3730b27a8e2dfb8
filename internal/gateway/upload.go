package gateway

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/meter"
)

// Faults of uploads.
var (
	errMultipart = fault.New(fault.Invalid, "upload_malformed", "The upload is no multipart form, or it is cut off.")
	errNoSession = fault.New(fault.Invalid, "upload_without_session", "The replay does not say to which application and session it belongs.")
	errNoFile    = fault.New(fault.Invalid, "upload_without_file", "The upload holds no file.")
)

// maxParts bounds the parts of an upload.
const maxParts = 100

// replayReport understands a segment of a session's replay, as the browser made
// it and DataKit passes it on.
func (g *Gateway) replayReport(r *http.Request) (incoming, error) {
	in, err := upload(r, meter.Replaying, "replay")
	in.tally = func(points []meter.Point) meter.Tally {
		app, session := tag(points[0], "app_id"), tag(points[0], "session_id")
		return g.counter.Replay(app, session)
	}
	decode := in.decode
	in.decode = func(body []byte, at time.Time) ([]meter.Point, error) {
		points, err := decode(body, at)
		if err == nil && (tag(points[0], "app_id") == "" || tag(points[0], "session_id") == "") {
			return nil, errNoSession
		}
		return points, err
	}
	return in, err
}

// profileReport understands the files of a profile: what is known of it in the
// file "event", the profile itself in the others, by whose size it counts
// (domain section 7.3).
func (g *Gateway) profileReport(r *http.Request) (incoming, error) {
	in, err := upload(r, meter.Profiling, "profile")
	in.tally = func(points []meter.Point) meter.Tally {
		var size int64
		for _, f := range points[0].Fields {
			if f.Value.Kind == meter.KindBytes && f.Key != "event" && !strings.HasPrefix(f.Key, "event.") {
				size += f.Value.Size()
			}
		}
		return meter.Profile(size)
	}
	return in, err
}

// upload reads a multipart form as one point: its short fields are tags, its
// files are fields. Nothing in it says when it happened, so that only what
// DataKit sends again, byte for byte, is the same upload: the boundary that its
// client drew is part of it.
func upload(r *http.Request, t meter.Type, name string) (incoming, error) {
	packing, err := contentEncoding(r)
	if err != nil {
		return incoming{}, err
	}
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" || params["boundary"] == "" {
		return incoming{}, errEncoding.With("content_type", r.Header.Get("Content-Type"))
	}
	return incoming{
		Type: t, category: name, encoding: packing, resent: true,
		decode: func(body []byte, at time.Time) ([]meter.Point, error) {
			return readForm(name, body, params["boundary"], at)
		},
	}, nil
}

func readForm(name string, body []byte, boundary string, at time.Time) ([]meter.Point, error) {
	form := multipart.NewReader(bytes.NewReader(body), boundary)
	tags, fields, files := []meter.Tag{}, []meter.Field{}, 0
	for n := 0; ; n++ {
		part, err := form.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errMultipart.Because(err)
		}
		if n == maxParts {
			return nil, meter.ErrTooManyParts.With("parts", maxParts)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, errMultipart.Because(err)
		}
		key := part.FormName()
		if key == "" {
			key = "part." + strconv.Itoa(n+1)
		}
		switch {
		case part.FileName() != "":
			files++
			fields = append(fields, meter.Field{Key: key, Value: meter.Bytes(string(content))})
		case len(content) <= meter.MaxTagValue && len(key) <= meter.MaxKey:
			tags = append(tags, meter.Tag{Key: key, Value: string(content)})
		default:
			fields = append(fields, meter.Field{Key: key, Value: meter.Bytes(string(content))})
		}
	}
	if files == 0 {
		return nil, errNoFile
	}
	return []meter.Point{{Name: name, Tags: meter.Canonical(tags), Fields: fields, Time: at}}, nil
}

func tag(p meter.Point, key string) string {
	for _, t := range p.Tags {
		if t.Key == key {
			return t.Value
		}
	}
	return ""
}

// Package hooks is the door for what others call us with: the notices of
// payment channels, and the calls, entries and events of cloud marketplaces. It
// owns the reading of the request and the answer that is expected. It owns no
// rule: who may say what is for the signatures to tell.
//
// Always true: a body is bounded; a notice is answered as taken only when it is
// kept; what went wrong is in the log and never in the answer.
package hooks

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/topup"
)

// Prefix is where the channels reach the door: Prefix and the channel's name.
const Prefix = "/hooks"

// longestNotice bounds the body of a notice; the longest are Stripe's events.
const longestNotice = 256 << 10

// Config is what the door needs.
type Config struct {
	Desk   *topup.Desk
	Clouds *Clouds          // nil: none is connected
	Now    func() time.Time // the installation's clock
	Log    *slog.Logger
}

// New makes the handler of everything below Prefix.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Prefix+"/{channel}", c.notice)
	if c.Clouds != nil {
		c.Clouds.mount(mux)
	}
	return mux
}

func (c Config) notice(w http.ResponseWriter, r *http.Request) {
	name := topup.Name(r.PathValue("channel"))
	channel, err := c.Desk.Channel(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestNotice))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	err = c.Desk.Receive(r.Context(), name, topup.Message{Header: r.Header, Body: body}, c.Now())
	reply := channel.Reply(err == nil)
	switch {
	case errors.Is(err, topup.ErrForged), errors.Is(err, topup.ErrUnreadable):
		c.Log.Warn("a notice was refused", "channel", name, "why", fault.From(err).Code, "err", errors.Unwrap(err))
	case err != nil:
		c.Log.Error("a notice could not be kept", "channel", name, "err", err)
		reply.Status = http.StatusServiceUnavailable
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(reply.Status)
	_, _ = io.WriteString(w, reply.Body) // the channel hears nothing and sends it again
}

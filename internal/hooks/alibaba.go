package hooks

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/store"
)

// alibaba is the door of an Alibaba marketplace: its calls, and the browsers
// that it sends to sign in.
func (c *Clouds) alibaba(w http.ResponseWriter, r *http.Request, m *alibaba.Market) {
	call, err := m.Read(r.URL.Query(), c.Signed())
	call.Event.At = c.Now() // the marketplace names no instant
	if call.Action == alibaba.SignIn {
		c.alibabaSignIn(w, r, m, call, err)
		return
	}
	if err == nil && call.Event.Kind != "" {
		err = c.Store.Write(r.Context(), func(tx *store.Tx) error { return c.alibabaEvent(r.Context(), tx, call) })
	}
	if err == nil {
		reply := call.Answer(http.StatusOK, nil, alibaba.App{FrontEndURL: c.Entry, AuthURL: c.BaseURL + PathOf(m.Method())})
		write(w, reply.Status, reply.Body)
		return
	}
	f := c.told(m.Method(), err, "a call of a marketplace was refused")
	c.blame(r, f)
	reply := call.Answer(f.Kind.Status(), alibaba.Refusal(f.Code, f.Message), alibaba.App{})
	write(w, reply.Status, reply.Body)
}

// alibabaEvent keeps what happened. The word that an instance has expired is
// the same each time, so that the expiry tells one such word from the next. An
// old one that is sent again after a renewal, long before the new expiry,
// changes nothing: the marketplace's signatures have no instant, and whoever
// got hold of one could send it for ever.
func (c *Clouds) alibabaEvent(ctx context.Context, tx *store.Tx, call alibaba.Call) error {
	e := call.Event
	s, err := tx.SubscriptionByInstance(ctx, e.Cloud, e.Instance)
	if err != nil && !errors.Is(err, marketplace.ErrUnknown) {
		return err
	}
	heard, err := tx.EventsOf(ctx, e.Cloud, e.Instance)
	if err != nil {
		return err
	}
	e.At = happened(call, s, heard)
	if call.Action == alibaba.Expire {
		before := slices.ContainsFunc(heard, func(h marketplace.Event) bool { return h.Kind == marketplace.Expired })
		if before && s.ExpiresAt.After(c.Now().Add(replayMargin)) {
			c.Log.Warn("an expiry came again before its time, and was passed over", "cloud", string(e.Cloud), "instance", e.Instance)
			return nil
		}
		e = call.Again(s.ExpiresAt)
	}
	_, err = marketplace.Take(ctx, tx, e, c.Now())
	return err
}

// happened is when a call's event happened, as far as the calls tell, which name
// no instant: when it came, unless it must have been before others that came
// earlier. An instance is created first; and a renewal to an earlier expiry than
// is known was made before the one that said so, for what shortens a life is
// called otherwise.
func happened(call alibaba.Call, s marketplace.Subscription, heard []marketplace.Event) time.Time {
	if len(heard) == 0 {
		return call.Event.At
	}
	if call.Action == alibaba.Create || call.Action == alibaba.Renew && call.Event.ExpiresAt.Before(s.ExpiresAt) {
		return heard[0].At.Add(-time.Microsecond)
	}
	return call.Event.At
}

// replayMargin is how long before its time a second expiry is believed.
const replayMargin = time.Hour

// alibabaSignIn lets in the buyer of an instance, by an address that counts
// once.
func (c *Clouds) alibabaSignIn(w http.ResponseWriter, r *http.Request, m *alibaba.Market, call alibaba.Call, err error) {
	ctx := r.Context()
	if looksAhead(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	var ticket string
	if err == nil {
		err = c.Store.Write(ctx, func(tx *store.Tx) error {
			if err := tx.UseNonce(ctx, m.Method(), call.Nonce, c.Now()); err != nil {
				return err
			}
			s, err := tx.SubscriptionByInstance(ctx, m.Method(), call.Instance)
			if err != nil {
				return err
			}
			if s.Over() {
				return marketplace.ErrInactive
			}
			ticket, err = c.ticket(ctx, tx, s, true)
			return err
		})
	}
	if err != nil {
		c.refuse(w, r, m.Method(), err)
		return
	}
	c.admit(w, r, ticket)
}

// looksAhead reports whether a browser fetches a page that nobody has opened.
func looksAhead(r *http.Request) bool {
	return r.Method == http.MethodHead || r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") == "prefetch"
}

package hooks

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// Clouds are the doors of the cloud marketplaces. A marketplace that is not
// connected has none.
type Clouds struct {
	Alibaba []*alibaba.Market // the domestic and the international one
	AWS     *aws.Market
	Huawei  *huawei.Market
	Store   *store.Store
	Now     func() time.Time // the installation's clock
	Signed  func() time.Time // the clock by which signatures age
	BaseURL string           // of the doors
	Entry   string           // where buyers find the product
	Arrive  string           // the page to which a buyer with a ticket is led
	Refuse  string           // the page that says why a buyer was not let in
	Most    int              // calls of one source within a minute; 0 for the door's own bound
	Log     *slog.Logger

	crowd crowd
}

// PathOf is where a marketplace reaches its door.
func PathOf(m site.Method) string { return Prefix + "/" + string(m) }

// mount opens the doors of what is connected.
func (c *Clouds) mount(mux *http.ServeMux) {
	c.crowd = c.newCrowd()
	for _, m := range c.Alibaba {
		mux.HandleFunc("GET "+PathOf(m.Method()), c.orderly(func(w http.ResponseWriter, r *http.Request) { c.alibaba(w, r, m) }, c.awayAlibaba(m)))
	}
	if c.AWS != nil {
		mux.HandleFunc("POST "+PathOf(site.AWS), c.orderly(c.register, c.awayBrowser))
	}
	if c.Huawei != nil {
		v1 := c.orderly(c.huaweiV1, c.awayHuawei)
		mux.HandleFunc("POST "+PathOf(site.Huawei), c.orderly(c.huaweiV2, c.awayHuawei))
		mux.HandleFunc("GET "+PathOf(site.Huawei), v1)
		mux.HandleFunc("GET "+PathOf(site.Huawei)+"/v1", v1)
	}
}

// write answers a machine.
func write(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the marketplace hears nothing and calls again
}

// lead sends a buyer's browser on; nothing of the address that it comes from
// goes with it.
func lead(w http.ResponseWriter, r *http.Request, to string) {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// admit gives a buyer a ticket and leads on to the page that takes it.
func (c *Clouds) admit(w http.ResponseWriter, r *http.Request, ticket string) {
	lead(w, r, c.Arrive+"?ticket="+url.QueryEscape(ticket))
}

// refuse leads a buyer to the page that says why.
func (c *Clouds) refuse(w http.ResponseWriter, r *http.Request, m site.Method, err error) {
	f := c.told(m, err, "a buyer was not let in")
	c.blame(r, f)
	lead(w, r, c.Refuse+"?why="+url.QueryEscape(f.Code))
}

// told writes down what went wrong, in the words that are no secret, and gives
// the fault for the answer.
func (c *Clouds) told(m site.Method, err error, what string) *fault.Error {
	f := fault.From(err)
	if f.Kind == fault.Internal {
		c.Log.Error(what, "cloud", string(m), "err", err)
	} else {
		c.Log.Warn(what, "cloud", string(m), "why", f.Code)
	}
	return f
}

// ticket keeps the arrival of a buyer with a subscription.
func (c *Clouds) ticket(ctx context.Context, tx *store.Tx, s marketplace.Subscription, signsIn bool) (string, error) {
	a, ticket := marketplace.Arrive(s.ID, signsIn, c.Now())
	return ticket, tx.InsertArrival(ctx, a)
}

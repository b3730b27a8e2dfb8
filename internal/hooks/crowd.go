package hooks

import (
	"cmp"
	"net/http"
	"time"

	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/alibaba"
	"tollgate.dev/internal/marketplace/huawei"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/web"
)

// What one source may send to the doors of marketplaces within a minute: calls
// in all, calls that are refused, and registrations, each of which costs a
// question to AWS. A marketplace that is turned away calls again.
const (
	mostCalls         = 1200
	mostRefusals      = 60
	mostRegistrations = 30

	crowdWindow = time.Minute
)

// crowd counts what comes from each source.
type crowd struct{ calls, refusals, registrations *web.Limiter }

func (c *Clouds) newCrowd() crowd {
	limiter := func(most int) *web.Limiter { return &web.Limiter{Most: most, Window: crowdWindow, Now: c.Signed} }
	return crowd{limiter(cmp.Or(c.Most, mostCalls)), limiter(mostRefusals), limiter(mostRegistrations)}
}

// orderly passes on a call of a source that keeps within bounds, and has the
// others turned away before anything of them is read.
func (c *Clouds) orderly(door, away http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		source := web.Address(r)
		if !c.crowd.calls.Allows(source) || !c.crowd.refusals.Allows(source) {
			away(w, r)
			return
		}
		c.crowd.calls.Failed(source)
		door(w, r)
	}
}

// blame counts a call that no marketplace has signed. One that is signed and
// wrong otherwise may be a marketplace's that goes on calling, as it should.
func (c *Clouds) blame(r *http.Request, f *fault.Error) {
	if f.Kind == fault.Unauthenticated {
		c.crowd.refusals.Failed(web.Address(r))
	}
}

// awayAlibaba is the marketplace's own form of no, with 429; its browsers are
// led to the page that says why.
func (c *Clouds) awayAlibaba(m *alibaba.Market) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := c.told(m.Method(), marketplace.ErrCrowd, "a call of a marketplace was turned away")
		call := alibaba.Call{Action: r.URL.Query().Get("action")}
		if call.Action == alibaba.SignIn {
			c.awayBrowser(w, r)
			return
		}
		reply := call.Answer(f.Kind.Status(), alibaba.Refusal(f.Code, f.Message), alibaba.App{})
		w.Header().Set("Retry-After", "60")
		write(w, reply.Status, reply.Body)
	}
}

// awayHuawei answers as KooGallery's documents ask: 200, and a code by which it
// calls again.
func (c *Clouds) awayHuawei(w http.ResponseWriter, _ *http.Request) {
	err := error(c.told(site.Huawei, marketplace.ErrCrowd, "a call of a marketplace was turned away"))
	reply := c.Huawei.Answer(huawei.Call{}, err, nil)
	w.Header().Set("Body-Sign", reply.Sign)
	write(w, reply.Status, reply.Body)
}

// awayBrowser leads a buyer to the page that says why, which answers 429.
func (c *Clouds) awayBrowser(w http.ResponseWriter, r *http.Request) {
	lead(w, r, c.Refuse+"?why="+marketplace.ErrCrowd.Code)
}

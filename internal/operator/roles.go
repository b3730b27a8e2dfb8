package operator

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/fault"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
)

// needs is the duty of a route, as the route table states it.
func needs(d account.Duty) web.Need { return web.Need(d) }

// dutyOf is what a route asks of an operator. Where its table states nothing
// more than that somebody is signed in, a page is for all of them and a form
// for administrators alone, so that what nobody thought about is closed.
func dutyOf(method string, need web.Need) account.Duty {
	switch {
	case need != web.SignedIn:
		return account.Duty(need)
	case method == http.MethodGet || method == http.MethodHead:
		return account.Look
	}
	return account.KeepOperators
}

// may reports whether who is signed in has the duty; pages show no form and no
// button of another one.
func may(ctx context.Context, d account.Duty) bool { return operator(ctx).Role.May(d) }

func (o *Console) guard(r *http.Request, need web.Need) (*http.Request, error) {
	known, err := o.signedIn(r)
	switch {
	case need == web.Public && errors.Is(err, account.ErrSignedOut):
		return known, nil
	case need == web.Public || err != nil:
		return known, err
	}
	return known, operator(known.Context()).Role.Require(dutyOf(r.Method, need))
}

// colleagues are the operators who may do what was refused, for its page.
func (o *Console) colleagues(r *http.Request, f *fault.Error) templ.Component {
	roles := account.WhoMay(f)
	if len(roles) == 0 {
		return nil
	}
	var may []account.Operator
	err := o.Store.Read(r.Context(), func(tx *store.Tx) error {
		all, err := tx.Operators(r.Context())
		for _, a := range all {
			if !a.Disabled() && slices.Contains(roles, a.Role) {
				may = append(may, a)
			}
		}
		return err
	})
	if err != nil || len(may) == 0 {
		return nil // the sentence names the roles
	}
	return colleaguesPart(may)
}

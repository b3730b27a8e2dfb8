package operator

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/workspace"
)

const credentialsPath = Prefix + "/cloud-credentials"

// Credentials is how the installation stands to the credentials of clouds.
type Credentials struct {
	Ring  secret.Ring                // seals what is entered
	Given map[secret.Place]bool      // those that the settings hold, which win
	InUse map[secret.Place]time.Time // stored ones that the running installation uses, by when they were entered
}

// CredentialState says where a credential comes from.
type CredentialState string

// The states.
const (
	CredentialGiven   CredentialState = "given"   // from the settings
	CredentialStored  CredentialState = "stored"  // entered, and in use
	CredentialWaiting CredentialState = "waiting" // entered, and in use from the next start on
	CredentialNone    CredentialState = "none"
)

// CredentialRow is one credential of a cloud.
type CredentialRow struct {
	Cloud  site.Method
	Name   string
	State  CredentialState
	Stored *marketplace.Credential // nil: none was entered
	SetBy  string
}

// CredentialsPage lists the credentials of all clouds, none of which it shows.
type CredentialsPage struct {
	Frame web.Frame
	Form  *web.Form
	Key   string // that seals; empty: there is none, and nothing can be entered
	Rows  []CredentialRow
}

// credentials are the routes of the clouds' credentials.
func (o *Console) credentials() []web.Route {
	keep := needs(account.KeepCredentials)
	return []web.Route{
		{Method: http.MethodGet, Pattern: credentialsPath, Needs: keep, Handler: o.credentialsPage},
		{Method: http.MethodPost, Pattern: credentialsPath, Needs: keep, Handler: o.setCredential},
		{Method: http.MethodPost, Pattern: credentialsPath + "/{cloud}/{name}/remove", Needs: keep, Handler: o.removeCredential},
	}
}

func (o *Console) credentialsPage(w http.ResponseWriter, r *http.Request) error {
	return o.showCredentials(w, r, web.Blank())
}

func (o *Console) showCredentials(w http.ResponseWriter, r *http.Request, form *web.Form) error {
	ctx := r.Context()
	page := CredentialsPage{Frame: o.frame(r, web.T(ctx, "op.credentials.title"), "cloud-usage"), Form: form, Key: o.Credentials.Ring.Current()}
	err := o.Store.Read(ctx, func(tx *store.Tx) error {
		stored, err := tx.Credentials(ctx)
		if err != nil {
			return err
		}
		page.Rows, err = o.credentialRows(ctx, tx, stored)
		return err
	})
	if err != nil {
		return err
	}
	return web.Render(w, r, form.Status(), credentialsView(page))
}

func (o *Console) credentialRows(ctx context.Context, tx *store.Tx, stored []marketplace.Credential) ([]CredentialRow, error) {
	by := map[secret.Place]*marketplace.Credential{}
	for i, c := range stored {
		by[c.Place()] = &stored[i]
	}
	var rows []CredentialRow
	for _, cloud := range site.Methods() {
		for _, name := range marketplace.CredentialNames(cloud) {
			place := secret.Place{Cloud: string(cloud), Name: name}
			row := CredentialRow{Cloud: cloud, Name: name, State: CredentialNone, Stored: by[place]}
			switch {
			case o.Credentials.Given[place]:
				row.State = CredentialGiven
			case row.Stored != nil && o.Credentials.InUse[place].Equal(row.Stored.SetAt):
				row.State = CredentialStored
			case row.Stored != nil:
				row.State = CredentialWaiting
			}
			if row.Stored != nil {
				setter, err := tx.OperatorByID(ctx, row.Stored.SetBy)
				switch {
				case err == nil:
					row.SetBy = setter.Name
				case errors.Is(err, account.ErrUnknown): // somebody at the machine
					row.SetBy = row.Stored.SetBy
				default:
					return nil, err
				}
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// setCredential seals what was entered. The form forgets it whatever comes of it.
func (o *Console) setCredential(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	form, err := web.Parse(w, r)
	if err != nil {
		return err
	}
	value := form.Text("value")
	form.Values.Del("value")
	cloud, name, _ := strings.Cut(form.Text("credential"), "/")
	err = o.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := marketplace.SetCredential(ctx, tx, o.Credentials.Ring, site.Method(cloud), name, value, o.actor(r), o.Clock.Now())
		return err
	})
	if form.Refused(err) {
		return o.showCredentials(w, r, form)
	}
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.credentials.said")
	return web.SeeOther(w, r, credentialsPath)
}

func (o *Console) removeCredential(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	err := o.Store.Write(ctx, func(tx *store.Tx) error {
		return marketplace.ForgetCredential(ctx, tx, site.Method(r.PathValue("cloud")), r.PathValue("name"), o.actor(r), o.Clock.Now())
	})
	if err != nil {
		return err
	}
	o.say(ctx, web.Good, "op.credentials.removed")
	return web.SeeOther(w, r, credentialsPath)
}

func (o *Console) actor(r *http.Request) workspace.Actor {
	return workspace.Actor{AccountID: operator(r.Context()).ID, Address: web.Address(r)}
}

func (r CredentialRow) value() string { return string(r.Cloud) + "/" + r.Name }

func (r CredentialRow) tone() web.Tone {
	switch r.State {
	case CredentialGiven, CredentialStored:
		return web.Good
	case CredentialWaiting:
		return web.Accent
	}
	return web.Plain
}

// options are the credentials to choose from.
func (p CredentialsPage) options(ctx context.Context) []web.Option {
	list := make([]web.Option, len(p.Rows))
	for i, row := range p.Rows {
		list[i] = web.Option{Value: row.value(), Label: web.T(ctx, "op.credentials.name."+row.Name), Group: web.Name(ctx, "method", row.Cloud)}
	}
	return list
}

package operator

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/web"
	"tollgate.dev/internal/web/gallery"
)

func TestACredentialIsEnteredOnceAndNeverShownAgain(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-access-key-9x8y"
	h := open(t, false)
	h.signIn()
	h.get(http.StatusOK, "/cloud-credentials").says("from the settings")
	wrong := h.post(http.StatusUnprocessableEntity, "/cloud-credentials", "credential", "aws/secret", "value", canary+" and more")
	wrong.refused("credential_value")
	wrong.saysNot(canary)
	h.post(http.StatusNotFound, "/cloud-credentials", "credential", "aws/key", "value", canary)
	page := h.post(http.StatusOK, "/cloud-credentials", "credential", "aws/secret", "value", canary)
	page.says("…9x8y")
	page.says("after the next start")
	for _, path := range []string{"/cloud-credentials", "/audit", "/audit.csv", "/", "/cloud-usage"} {
		h.get(http.StatusOK, path).saysNot(canary)
	}
	if log := h.log("aws"); len(log) != 1 || log[0] != "marketplace_credential.set" {
		t.Errorf("the audit log says %v", log)
	}
	if strings.Contains(storetest.Dump(t, h.store), canary) {
		t.Error("the store holds it")
	}
	h.post(http.StatusOK, "/cloud-credentials/aws/secret/remove").saysNot("9x8y")
	h.post(http.StatusNotFound, "/cloud-credentials/aws/secret/remove")
}

func (a answer) saysNot(text string) {
	a.t.Helper()
	if html, err := a.Html(); err != nil || strings.Contains(html, text) {
		a.t.Errorf("%s says %q (%v)", a.path, text, err)
	}
}

func TestCredentialGallery(t *testing.T) {
	t.Parallel()
	c := func(cloud site.Method, name, key, tail string) *marketplace.Credential {
		return &marketplace.Credential{Cloud: cloud, Name: name, Sealed: secret.Sealed{Key: key}, Tail: tail, SetAt: noon}
	}
	rows := []CredentialRow{
		{Cloud: site.Alibaba, Name: marketplace.AccessKey, State: CredentialGiven},
		{Cloud: site.Alibaba, Name: marketplace.AccessKeySecret, State: CredentialStored, Stored: c(site.Alibaba, marketplace.AccessKeySecret, "0a1b2c3d", "x7Kq"), SetBy: "Grace"},
		{Cloud: site.Alibaba, Name: marketplace.SellerKey, State: CredentialWaiting, Stored: c(site.Alibaba, marketplace.SellerKey, "99887766", ""), SetBy: "command line"},
		{Cloud: site.AWS, Name: marketplace.AccessKey, State: CredentialNone},
	}
	var states []gallery.State
	for name, p := range map[string]CredentialsPage{
		"credentials":        {Key: "0a1b2c3d", Rows: rows, Form: web.Blank()},
		"credentials-no-key": {Rows: rows[3:], Form: web.Blank()},
		"credentials-wrong":  {Key: "0a1b2c3d", Rows: rows, Form: refused(web.Blank(), marketplace.ErrCredentialValue.On("value"))},
	} {
		states = append(states, gallery.State{Name: "operator/" + name, Page: seenBy(account.Admin, func(ctx context.Context) templ.Component {
			p.Frame = frame(ctx, "Cloud credentials", "cloud-usage")
			return credentialsView(p)
		})})
	}
	gallery.Check(t, states)
}

// sealedWith gives the house a key; the credentials in use are those of settings.
func sealedWith() Credentials {
	ring, err := secret.Parse(secret.NewKey())
	if err != nil {
		panic(err)
	}
	return Credentials{Ring: ring, Given: map[secret.Place]bool{{Cloud: "alibaba", Name: "key"}: true}, InUse: map[secret.Place]time.Time{}}
}

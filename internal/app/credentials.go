package app

import (
	"context"
	"fmt"
	"time"

	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
)

// credentials are the settings that credentials fill, by the place of each.
func (m *Markets) credentials() map[secret.Place]*string {
	at := func(c site.Method, name string) secret.Place { return secret.Place{Cloud: string(c), Name: name} }
	return map[secret.Place]*string{
		at(site.Alibaba, marketplace.AccessKey):           &m.Alibaba.AccessKey,
		at(site.Alibaba, marketplace.AccessKeySecret):     &m.Alibaba.Secret,
		at(site.Alibaba, marketplace.SellerKey):           &m.Alibaba.Key,
		at(site.AlibabaIntl, marketplace.AccessKey):       &m.AlibabaIntl.AccessKey,
		at(site.AlibabaIntl, marketplace.AccessKeySecret): &m.AlibabaIntl.Secret,
		at(site.AlibabaIntl, marketplace.SellerKey):       &m.AlibabaIntl.Key,
		at(site.AWS, marketplace.AccessKey):               &m.AWS.AccessKey,
		at(site.AWS, marketplace.AccessKeySecret):         &m.AWS.Secret,
		at(site.Huawei, marketplace.AccessKey):            &m.Huawei.AccessKey,
		at(site.Huawei, marketplace.AccessKeySecret):      &m.Huawei.Secret,
		at(site.Huawei, marketplace.SellerKey):            &m.Huawei.Key,
	}
}

// sells reports whether it is set what is sold on a cloud's marketplace. Where
// it is not, credentials alone connect nothing.
func (m *Markets) sells(c site.Method) bool {
	switch c {
	case site.Alibaba:
		return len(m.Alibaba.Products) > 0
	case site.AlibabaIntl:
		return len(m.AlibabaIntl.Products) > 0
	case site.AWS:
		return len(m.AWS.Products) > 0
	case site.Huawei:
		return len(m.Huawei.Products) > 0 || len(m.Huawei.Cards) > 0
	}
	return false
}

// Given lists the credentials that the settings themselves hold.
func (m *Markets) Given() map[secret.Place]bool {
	given := map[secret.Place]bool{}
	for place, to := range m.credentials() {
		if *to != "" {
			given[place] = true
		}
	}
	return given
}

// Unsealed is what became of a stored credential.
type Unsealed struct {
	marketplace.Credential
	Used bool  // false: the settings hold one, or nothing is sold there
	Err  error // it would be used, and does not open
}

// Fill puts the stored credentials where the settings hold none: what the
// environment says wins.
func (m *Markets) Fill(stored []marketplace.Credential, ring secret.Ring) []Unsealed {
	places, list := m.credentials(), make([]Unsealed, 0, len(stored))
	for _, c := range stored {
		u := Unsealed{Credential: c}
		if to := places[c.Place()]; to != nil && *to == "" && m.sells(c.Cloud) {
			*to, u.Err = ring.Open(c.Place(), c.Sealed)
			u.Used = u.Err == nil
		}
		list = append(list, u)
	}
	return list
}

// fillMarkets completes the settings with what operators entered. A credential
// that is needed and does not open ends the start: a marketplace that is
// silently not connected would lose usage.
func (a *App) fillMarkets(ctx context.Context, m *Markets) error {
	a.given, a.unsealed = m.Given(), map[secret.Place]time.Time{}
	var stored []marketplace.Credential
	err := a.store.Read(ctx, func(tx *store.Tx) (err error) {
		stored, err = tx.Credentials(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the credentials of clouds: %w", err)
	}
	for _, u := range m.Fill(stored, a.config.Secrets) {
		if u.Err != nil {
			return fmt.Errorf("the %s of %s, which was entered on %s: %w", u.Name, u.Cloud, u.SetAt.UTC().Format(time.DateOnly), u.Err)
		}
		if u.Used {
			a.unsealed[u.Place()] = u.SetAt
		}
	}
	return nil
}

// clouds says by which credentials each marketplace is connected, and what of
// its settings would end a start.
func (p Patient) clouds(ctx context.Context, tx *store.Tx) ([]Checkup, error) {
	var found []Checkup
	if p.Keys != nil {
		found = append(found, Checkup{"secret key", Ill, p.Keys.Error()})
	}
	stored, err := tx.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	markets := p.Markets
	given := markets.Given()
	unsealed := map[secret.Place]Unsealed{}
	for _, u := range markets.Fill(stored, p.Secrets) {
		unsealed[u.Place()] = u
	}
	for _, cloud := range site.Methods() {
		for _, name := range marketplace.CredentialNames(cloud) {
			place := secret.Place{Cloud: string(cloud), Name: name}
			u, is := unsealed[place]
			if c := p.credential(u, is, given[place], markets.sells(cloud)); c.Says != "" {
				c.What = string(cloud) + ", " + name
				found = append(found, c)
			}
		}
		if err := markets.check(cloud); err != nil && (markets.sells(cloud) || markets.set(cloud)) {
			found = append(found, Checkup{string(cloud), Ill, err.Error()})
		}
	}
	return found, nil
}

// credential is how one stands; it says nothing of one that is neither given
// nor entered.
func (p Patient) credential(u Unsealed, entered, given, sold bool) Checkup {
	on := u.SetAt.UTC().Format(time.DateOnly)
	switch {
	case given && entered:
		return Checkup{Health: Warning, Says: "is from the settings; the one that was entered on " + on + " is not used"}
	case given:
		return Checkup{Health: Well, Says: "is from the settings"}
	case !entered:
		return Checkup{}
	case !sold:
		return Checkup{Health: Warning, Says: "was entered on " + on + ", and is not used: no product of the marketplace is set"}
	case u.Err != nil:
		return Checkup{Health: Ill, Says: "was entered on " + on + ": " + u.Err.Error()}
	case u.Sealed.Key != p.Secrets.Current():
		return Checkup{Health: Warning, Says: "was entered on " + on + " and is sealed with key " + u.Sealed.Key + ", which is not the first; tollgate marketplace rotate-key seals it anew"}
	}
	return Checkup{Health: Well, Says: "was entered on " + on + " and is sealed with key " + u.Sealed.Key}
}

// check says what is wrong with the settings of a cloud, if anything.
func (m *Markets) check(c site.Method) error {
	switch c {
	case site.Alibaba:
		return m.Alibaba.Check()
	case site.AlibabaIntl:
		return m.AlibabaIntl.Check()
	case site.AWS:
		return m.AWS.Check()
	case site.Huawei:
		return m.Huawei.Check()
	}
	return nil
}

// set reports whether anything of a cloud is set.
func (m *Markets) set(c site.Method) bool {
	switch c {
	case site.Alibaba:
		return m.Alibaba.Set()
	case site.AlibabaIntl:
		return m.AlibabaIntl.Set()
	case site.AWS:
		return m.AWS.Set()
	case site.Huawei:
		return m.Huawei.Set()
	}
	return false
}

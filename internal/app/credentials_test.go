package app

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/job"
	"tollgate.dev/internal/marketplace"
	"tollgate.dev/internal/marketplace/aws"
	"tollgate.dev/internal/money"
	"tollgate.dev/internal/secret"
	"tollgate.dev/internal/site"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/testkit"
	"tollgate.dev/internal/workspace"
)

func ringOf(t *testing.T, keys ...string) secret.Ring {
	t.Helper()
	r, err := secret.Parse(strings.Join(keys, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// entered keeps credentials as an operator enters them.
func entered(t *testing.T, s *store.Store, ring secret.Ring, cloud site.Method, pairs ...string) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if _, err := marketplace.SetCredential(t.Context(), tx, ring, cloud, pairs[i], pairs[i+1], workspace.Actor{AccountID: "oper_1"}, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// soldOnAWS are settings without credentials.
func soldOnAWS() Markets {
	return Markets{AWS: aws.Config{
		Region: "us-east-1", Products: []string{"prod1"}, Dimension: "cents", Prices: []money.Amount{money.Of(1, money.USD)}, Listing: "https://market.example/2",
	}}
}

func TestWhatIsEnteredConnectsAMarketplaceAndTheEnvironmentWins(t *testing.T) {
	t.Parallel()
	s, ring := storetest.SQLite(t), ringOf(t, secret.NewKey())
	entered(t, s, ring, site.AWS, marketplace.AccessKey, "AKIA-entered-0001", marketplace.AccessKeySecret, "entered-secret-0002")
	entered(t, s, ring, site.Huawei, marketplace.SellerKey, "nothing-is-sold-there")
	connect := func(markets Markets, ring secret.Ring) (*App, error) {
		a := &App{config: Config{Markets: markets, Secrets: ring}, log: testkit.Logger(t), store: s, clock: job.Real(), baseURL: "https://tollgate.example"}
		return a, a.openClouds(t.Context())
	}
	a, err := connect(soldOnAWS(), ring)
	if err != nil || len(a.clouds.Clouds) != 1 || a.clouds.Clouds[0].Method() != site.AWS || len(a.unsealed) != 2 {
		t.Fatalf("%v, %+v", err, a.unsealed)
	}
	markets := soldOnAWS()
	markets.AWS.AccessKey = "AKIA-environment"
	if a, err = connect(markets, ring); err != nil || len(a.unsealed) != 1 || !a.given[secret.Place{Cloud: "aws", Name: marketplace.AccessKey}] {
		t.Errorf("%v, %+v", err, a.unsealed)
	}
	for name, wrong := range map[string]secret.Ring{"no key": {}, "another key": ringOf(t, secret.NewKey())} {
		if _, err := connect(soldOnAWS(), wrong); !errors.Is(err, secret.ErrNoKey) || strings.Contains(err.Error(), "entered-") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, err := connect(Markets{}, secret.Ring{}); err != nil || len(a.clouds.Clouds) != 0 {
		t.Errorf("credentials of what is not sold are needed: %v", err)
	}
}

func TestTheDoctorSaysByWhichCredentialsCloudsAreConnected(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		before, after := secret.NewKey(), secret.NewKey()
		entered(t, s, ringOf(t, before), site.AWS, marketplace.AccessKey, "AKIA-entered-0001", marketplace.AccessKeySecret, "entered-secret-0002")
		entered(t, s, ringOf(t, before), site.Huawei, marketplace.SellerKey, "nothing-is-sold-there")
		look := func(m Markets, ring secret.Ring) map[string]Checkup {
			var found []Checkup
			err := s.Read(t.Context(), func(tx *store.Tx) (err error) {
				found, err = Patient{Markets: m, Secrets: ring}.clouds(context.WithoutCancel(t.Context()), tx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			by := map[string]Checkup{}
			for _, c := range found {
				if strings.Contains(c.Says, "entered-") || strings.Contains(c.Says, "nothing-is") {
					t.Errorf("it tells a secret: %+v", c)
				}
				by[c.What] = c
			}
			return by
		}
		given := soldOnAWS()
		given.AWS.AccessKey = "AKIA-environment"
		for _, c := range []struct {
			name  string
			found map[string]Checkup
			what  string
			want  Health
			says  string
		}{
			{"its key", look(soldOnAWS(), ringOf(t, before)), "aws, secret", Well, "was entered on"},
			{"rotated and not sealed anew", look(soldOnAWS(), ringOf(t, after, before)), "aws, secret", Warning, "rotate-key"},
			{"no key", look(soldOnAWS(), secret.Ring{}), "aws, secret", Ill, "TOLLGATE_SECRET_KEY"},
			{"no key, and so nothing to start with", look(soldOnAWS(), secret.Ring{}), "aws", Ill, "access key"},
			{"another key", look(soldOnAWS(), ringOf(t, after)), "aws, access_key", Ill, "TOLLGATE_SECRET_KEY"},
			{"the environment wins", look(given, ringOf(t, before)), "aws, access_key", Warning, "from the settings"},
			{"not sold", look(soldOnAWS(), ringOf(t, before)), "huawei, key", Warning, "no product"},
		} {
			if got := c.found[c.what]; got.Health != c.want || !strings.Contains(got.Says, c.says) {
				t.Errorf("%s: %+v", c.name, c.found)
			}
		}
		if c, found := look(soldOnAWS(), ringOf(t, before))["aws"]; found {
			t.Errorf("what is whole is refused: %+v", c)
		}
	})
}

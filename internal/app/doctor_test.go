package app

import (
	"net"
	"strings"
	"testing"
	"time"

	"tollgate.dev/internal/notify"
	"tollgate.dev/internal/store"
	"tollgate.dev/internal/store/storetest"
	"tollgate.dev/internal/usage"
)

// examined is what was found, by what was looked at.
func examined(t *testing.T, p Patient) map[string]Checkup {
	t.Helper()
	all, err := p.Examine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]Checkup{}
	for _, c := range all {
		if _, twice := by[c.What]; twice || c.Says == "" {
			t.Errorf("%+v", c)
		}
		by[c.What] = c
	}
	return by
}

func TestTheDoctorFindsWhatLosesCommits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		by := examined(t, Patient{Store: s, Now: now, Real: now, Data: t.TempDir()})
		if s.OneWriter() {
			if by["database, journal_mode"].Health != Well || by["database, synchronous"].Health != Well {
				t.Errorf("SQLite as we open it: %+v", by)
			}
			return
		}
		for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit", "clock"} {
			if by["database, "+name].Health != Well {
				t.Errorf("PostgreSQL as it comes: %+v", by["database, "+name])
			}
		}
		if by["catalogue"].Health != Well {
			t.Errorf("%+v", by)
		}
	})
}

func TestASettingThatLosesCommitsIsNone(t *testing.T) {
	t.Parallel()
	s := store.EngineSetting{Name: "synchronous_commit", Is: "off", Want: []string{"on", "local"}}
	if s.Keeps() {
		t.Error("off keeps what was committed")
	}
	if s.Is = "local"; !s.Keeps() {
		t.Error("local loses it")
	}
}

func TestTheDoctorSaysWhatIsNotAsInProduction(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	now := time.Now()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	p := Patient{
		Store: s, Now: now.Add(72 * time.Hour), Real: now, Data: t.TempDir(), Elsewhere: map[string]string{"Stripe": "http://127.0.0.1:1"},
		Mail: notify.Server{Address: closed.Addr().String(), From: "a@b.example", Timeout: time.Second},
	}
	for _, production := range []bool{false, true} {
		p.Production = production
		want := Warning
		if production {
			want = Ill
		}
		by := examined(t, p)
		if by["clock"].Health != want || by["Stripe"].Health != want || by["mail"].Health != Ill || by["books"].Health != Warning {
			t.Errorf("in production %v: %+v", production, by)
		}
	}
}

func TestTheDoctorHearsThatAGatewayIsSilent(t *testing.T) {
	t.Parallel()
	s := storetest.SQLite(t)
	now := time.Now()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		return tx.AddUsage(t.Context(), usage.Batch{Gateway: "far", Epoch: 1, Seq: 1, Through: now.Add(-time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	p := Patient{Store: s, Now: now, Real: now, Data: t.TempDir()}
	if c := examined(t, p)["gateways"]; c.Health != Warning || !strings.Contains(c.Says, "far") {
		t.Errorf("%+v", c)
	}
	p.Now = now.Add(-59 * time.Minute)
	if c := examined(t, p)["gateways"]; c.Health != Well {
		t.Errorf("%+v", c)
	}
}

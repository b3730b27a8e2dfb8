package wallet

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tollgate.dev/internal/account"
	"tollgate.dev/internal/money"
)

var limits = Limits{money.CNY: cny("1000")}

func declared(t interface {
	Helper()
	Fatal(...any)
}, amount string) Transfer {
	t.Helper()
	d, err := Declare(account.Billing{ID: "p", Currency: money.CNY}, cny(amount), " INV 7 ", noon)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTransferIsDecidedOnce(t *testing.T) {
	t.Parallel()
	d := declared(t, "100")
	if d.State != Declared || d.Reference != "INV 7" {
		t.Fatalf("%+v", d)
	}
	credited, err := d.Credit(Arrival{}, limits, "op", noon)
	if err != nil || credited.State != Credited || credited.DecidedBy != "op" || credited.Arrived != d.Amount || credited.ProposedBy != "" {
		t.Fatalf("%+v, %v", credited, err)
	}
	if again, err := credited.Credit(Arrival{}, limits, "other", noon.AddDate(0, 0, 1)); err != nil || again != credited {
		t.Errorf("credited again: %+v, %v", again, err)
	}
	if _, err := credited.Credit(Arrival{cny("90"), "a fee"}, limits, "op", noon); !errors.Is(err, ErrTransferCredited) {
		t.Errorf("credited again for another amount: %v", err)
	}
	if _, err := credited.Reject("op", "late", noon); !errors.Is(err, ErrTransferCredited) {
		t.Errorf("rejected after it was credited: %v", err)
	}
	if _, err := credited.Return("wrong"); !errors.Is(err, ErrTransferCredited) {
		t.Errorf("sent back after it was credited: %v", err)
	}
	rejected, err := d.Reject("op", "never came", noon)
	if err != nil || rejected.State != Rejected || rejected.Reason != "never came" {
		t.Fatalf("%+v, %v", rejected, err)
	}
	if _, err := rejected.Credit(Arrival{}, limits, "op", noon); !errors.Is(err, ErrTransferRejected) {
		t.Errorf("credited after it was rejected: %v", err)
	}
	if _, err := rejected.Approve("op", noon); !errors.Is(err, ErrTransferRejected) {
		t.Errorf("approved after it was rejected: %v", err)
	}
	if _, err := d.Reject("op", " ", noon); !errors.Is(err, ErrReason) {
		t.Errorf("rejected without a reason: %v", err)
	}
	if _, err := d.Approve("op", noon); !errors.Is(err, ErrTransferUnproposed) {
		t.Errorf("approved before it was proposed: %v", err)
	}
}

func TestAboveTheLimitTwoOperatorsCredit(t *testing.T) {
	t.Parallel()
	at, _ := declared(t, "1000").Credit(Arrival{}, limits, "one", noon)
	if at.State != Credited {
		t.Errorf("the limit itself is %s", at.State)
	}
	above, err := declared(t, "1000.01").Credit(Arrival{}, limits, "one", noon)
	if err != nil || above.State != Proposed || above.ProposedBy != "one" || above.DecidedBy != "" {
		t.Fatalf("%+v, %v", above, err)
	}
	if again, err := above.Credit(Arrival{}, limits, "one", noon.AddDate(0, 0, 1)); err != nil || again != above {
		t.Errorf("entered again: %+v, %v", again, err)
	}
	if _, err := above.Credit(Arrival{}, limits, "two", noon); !errors.Is(err, ErrTransferProposed) {
		t.Errorf("entered by a second operator: %v", err)
	}
	if _, err := above.Credit(Arrival{cny("10"), "less"}, limits, "one", noon); !errors.Is(err, ErrTransferProposed) {
		t.Errorf("entered for less: %v", err)
	}
	if _, err := above.Approve("one", noon); !errors.Is(err, ErrTransferOwn) {
		t.Errorf("approved by who entered it: %v", err)
	}
	if _, err := above.Return(" "); !errors.Is(err, ErrReason) {
		t.Errorf("sent back without a reason: %v", err)
	}
	back, err := above.Return("the bank says 900")
	if err != nil || back.State != Declared || back.ProposedBy != "" || back.Arrived.Currency() != "" || back.Returned == "" {
		t.Fatalf("%+v, %v", back, err)
	}
	if less, err := back.Credit(Arrival{cny("900"), " a typo of the payer "}, limits, "one", noon); err != nil || less.State != Credited || less.Difference != "a typo of the payer" || less.Returned != "" {
		t.Errorf("%+v, %v", less, err)
	}
	if two, err := above.Approve("two", noon); err != nil || two.State != Credited || two.DecidedBy != "two" || two.ProposedBy != "one" {
		t.Errorf("%+v, %v", two, err)
	}
	if free, _ := declared(t, "1000.01").Credit(Arrival{}, nil, "one", noon); free.State != Credited {
		t.Errorf("without a limit it is %s", free.State)
	}
}

func TestWhatArrivedMustBeReal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrival Arrival
		want    error
	}{
		"nothing":          {Arrival{cny("0"), "why"}, ErrNotPositive},
		"negative":         {Arrival{cny("-1"), "why"}, ErrNotPositive},
		"absurd":           {Arrival{cny("10000000.01"), "why"}, ErrAbsurd},
		"another currency": {Arrival{money.Of(10000, money.USD), "why"}, money.ErrCurrency},
		"no reason":        {Arrival{cny("99"), " "}, ErrTransferDifference},
		"a long reason":    {Arrival{cny("99"), strings.Repeat("x", 257)}, ErrTransferDifference},
	} {
		if _, err := declared(t, "100").Credit(c.arrival, limits, "op", noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if same, err := declared(t, "100").Credit(Arrival{cny("100"), "no need"}, limits, "op", noon); err != nil || same.Difference != "" {
		t.Errorf("%+v, %v", same, err)
	}
}

func TestNoOrderOfDecisionsLetsOneOperatorCreditAboveTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		x := declared(r, rapid.SampledFrom([]string{"1", "1000", "1000.01", "5000"}).Draw(r, "declared"))
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			was, err := x, error(nil)
			by := rapid.SampledFrom([]string{"one", "two", "three"}).Draw(r, "by")
			switch rapid.IntRange(0, 3).Draw(r, "what") {
			case 0:
				a := Arrival{cny(rapid.SampledFrom([]string{"1", "999.99", "1000.01", "5000"}).Draw(r, "arrived")), rapid.SampledFrom([]string{"", "why"}).Draw(r, "why")}
				x, err = x.Credit(a, limits, by, noon)
			case 1:
				x, err = x.Approve(by, noon)
			case 2:
				x, err = x.Return("again")
			case 3:
				x, err = x.Reject(by, "never came", noon)
			}
			holds(r, was, x, err)
		}
	})
}

// holds checks a step of a transfer.
func holds(r *rapid.T, was, x Transfer, err error) {
	r.Helper()
	switch {
	case err != nil && x != was:
		r.Fatalf("a refused step changed %+v to %+v", was, x)
	case !was.State.Open() && x != was:
		r.Fatalf("a final state changed: %+v to %+v", was, x)
	case (x.State == Proposed) != (x.State.Open() && x.ProposedBy != ""):
		r.Fatalf("who proposed what: %+v", x)
	case x.State != Credited:
	case x.Arrived.Sign() <= 0, x.Arrived != x.Amount && x.Difference == "":
		r.Fatalf("credited what cannot be: %+v", x)
	case limits.NeedsTwo(x.Arrived) && (x.ProposedBy == "" || x.DecidedBy == "" || x.ProposedBy == x.DecidedBy):
		r.Fatalf("one operator credited it: %+v", x)
	}
}

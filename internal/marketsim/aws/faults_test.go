package aws_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/marketplacemetering/types"

	"tollgate.dev/internal/marketsim/aws"
	"tollgate.dev/internal/marketsim/stage"
)

func TestAnAnswerLostAfterTheCommitIsMetByARetryAndBillsOnce(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.fault(stage.Fault{Operation: "BatchMeterUsage", Kind: stage.Lost})
	if _, err := w.meter(1, usage(license, begin, 5)); err == nil {
		t.Fatal("the answer arrived")
	}
	if got := w.sim.Accepted(); len(got) != 1 {
		t.Fatalf("%d records: the fault is to come after the commit", len(got))
	}
	if got := w.one(usage(license, begin, 5)).Status; got != types.UsageRecordResultStatusSuccess {
		t.Error(got)
	}
	w.fault(stage.Fault{Kind: stage.Severed})
	if _, err := w.meter(1, usage(license, begin.Add(-0), 5)); err == nil {
		t.Fatal("the call was answered")
	}
	if got := w.sim.Accepted(); len(got) != 1 || got[0].Repeats != 1 {
		t.Errorf("%+v", got)
	}
}

func TestTheSDKRetriesWhatIsThrottledOrFails(t *testing.T) {
	t.Parallel()
	for _, kind := range []stage.FaultKind{stage.Throttle, stage.Failure, stage.Lost} {
		w := open(t)
		license := w.subscribe()["license"]
		w.fault(stage.Fault{Operation: "BatchMeterUsage", Kind: kind})
		got, err := w.meter(3, usage(license, begin, 5))
		if err != nil || got.Results[0].Status != types.UsageRecordResultStatusSuccess {
			t.Errorf("%s: %v", kind, err)
		}
		if n := len(w.stage.Journal(aws.Cloud)); n != 2 {
			t.Errorf("%s: %d calls", kind, n)
		}
	}
	w := open(t)
	w.fault(stage.Fault{Operation: "BatchMeterUsage", Kind: stage.Throttle})
	_, err := w.meter(1, usage(w.subscribe()["license"], begin, 5))
	var throttled *types.ThrottlingException
	if !errors.As(err, &throttled) {
		t.Errorf("%v is not the SDK's own type", err)
	}
}

func TestPartOfABatchIsLeftUnprocessed(t *testing.T) {
	t.Parallel()
	w := open(t)
	license := w.subscribe()["license"]
	w.pass(3 * time.Hour)
	w.fault(stage.Fault{Operation: "BatchMeterUsage", Kind: stage.Partial, Rows: 2})
	batch := []types.UsageRecord{usage(license, begin, 1), usage(license, begin.Add(time.Hour), 2), usage(license, begin.Add(2*time.Hour), 3)}
	got, err := w.meter(1, batch...)
	if err != nil || len(got.Results) != 1 || len(got.UnprocessedRecords) != 2 || len(w.sim.Accepted()) != 1 {
		t.Fatalf("%v: %+v", err, got)
	}
	got, err = w.meter(1, got.UnprocessedRecords...)
	if err != nil || len(got.Results) != 2 || len(w.sim.Accepted()) != 3 {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestMoreThanTenCallsASecondAreThrottled(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"calls_per_second": 10}`)
	license := w.subscribe()["license"]
	throttled := 0
	for range 40 {
		if _, err := w.meter(1, usage(license, begin, 5)); err != nil {
			if got := code(t, err); got != "ThrottlingException" {
				t.Fatal(got)
			}
			throttled++
		}
	}
	if throttled == 0 {
		t.Error("forty calls in a row went through")
	}
}

func TestFaultsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, f := range []stage.Fault{
		{Cloud: "nowhere", Kind: stage.Lost}, {Cloud: aws.Cloud, Kind: "odd"}, {Cloud: aws.Cloud, Kind: stage.Partial}, {Cloud: aws.Cloud, Kind: stage.Slow},
		{Cloud: aws.Cloud, Kind: stage.Lost, Times: -1},
	} {
		if err := w.stage.Ask(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
	for _, s := range []string{`{"lateness_hours": 5}`, `{"odd": 1}`, `{"identical_repeat": "x"}`, `[]`} {
		if err := w.sim.Switch([]byte(s)); err == nil {
			t.Errorf("%s was taken", s)
		}
	}
}

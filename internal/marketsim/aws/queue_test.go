package aws_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"tollgate.dev/internal/marketsim/aws"
)

func (w *world) queue() *sqs.Client {
	return sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: &w.server.URL, Credentials: credentials(), RetryMaxAttempts: 1, HTTPClient: w.server.Client()})
}

type event struct {
	ID         string `json:"id"`
	DetailType string `json:"detail-type"`
	Source     string
	Region     string
	Time       time.Time
	Detail     struct {
		Agreement struct{ ID, Intent, Status string }
		License   struct{ Arn string }
		Product   struct{ Code string }
		Acceptor  struct{ AccountID string }
	}
	Type, Message string // of SNS
}

// drain takes all messages that can be seen, and deletes them.
func (w *world) drain(wait int32) []event {
	w.t.Helper()
	var events []event
	for {
		got, err := w.queue().ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: sdk.String(w.sim.URL()), MaxNumberOfMessages: 10, WaitTimeSeconds: wait})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(got.Messages) == 0 {
			return events
		}
		wait = 0
		for _, m := range got.Messages {
			var e event
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				w.t.Fatal(err)
			}
			events = append(events, e)
			if _, err := w.queue().DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: sdk.String(w.sim.URL()), ReceiptHandle: m.ReceiptHandle}); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func kinds(events []event) string {
	var names []string
	for _, e := range events {
		names = append(names, strings.TrimSuffix(strings.TrimSuffix(e.DetailType, " - Manufacturer"), " - Proposer"))
	}
	return strings.Join(names, ", ")
}

func TestALifeIsToldThroughTheQueue(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"both_roles": false}`)
	license := w.subscribe()["license"]
	events := w.drain(0)
	if got := kinds(events); got != "Purchase Agreement Created, License Updated" {
		t.Fatal(got)
	}
	updated := events[1]
	if updated.Source != "aws.agreement-marketplace" || updated.Region != "us-east-1" || !updated.Time.Equal(begin) || updated.Detail.Product.Code != product ||
		updated.Detail.Acceptor.AccountID != buyer || updated.Detail.Agreement.ID != events[0].Detail.Agreement.ID {
		t.Errorf("%+v", updated)
	}
	tail := license[strings.LastIndex(license, ":")+1:]
	if arn := updated.Detail.License.Arn; !strings.HasSuffix(arn, ":"+tail) || strings.HasPrefix(arn, "arn:") {
		t.Errorf("%s for %s", arn, license)
	}
	next := w.act("renew", "license", license)
	if next["license"] == license {
		t.Error("a renewal has a new license")
	}
	if got := kinds(w.drain(0)); got != "Purchase Agreement Created, License Updated, Purchase Agreement Ended, License Deprovisioned" {
		t.Error(got)
	}
	w.act("amend", "license", next["license"])
	w.act("cancel", "license", next["license"])
	events = w.drain(0)
	if got := kinds(events); got != "Purchase Agreement Amended, Purchase Agreement Ended, License Deprovisioned" || events[1].Detail.Agreement.Status != "CANCELLED" {
		t.Error(got)
	}
}

func TestAnAgreementThatNobodyRenewsExpires(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.subscribe()
	w.drain(0)
	w.at(begin.AddDate(1, 0, 0))
	events := w.drain(0)
	if got := kinds(events); got != "Purchase Agreement Ended, Purchase Agreement Ended, License Deprovisioned" || events[0].Detail.Agreement.Status != "EXPIRED" {
		t.Errorf("%s", got)
	}
}

func TestEventsAreHeldDoubledAndShuffled(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"hold_events": true, "duplicate_events": true, "shuffle_events": true, "bare_licenses": false}`)
	license := w.subscribe()["license"]
	if got := w.drain(0); len(got) != 0 {
		t.Fatalf("%d events were not held", len(got))
	}
	w.flip(`{"hold_events": false}`)
	ids := map[string]int{}
	for _, e := range w.drain(0) {
		ids[e.ID]++
		if arn := e.Detail.License.Arn; arn != "" && arn != license {
			t.Errorf("%s", arn)
		}
	}
	if len(ids) != 3 {
		t.Errorf("%v: created for both roles, and updated", ids)
	}
	for id, n := range ids {
		if n != 2 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

func TestAMessageIsSeenAgainUnlessItIsDeleted(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.flip(`{"both_roles": false}`)
	w.subscribe()
	receive := func(timeout int32) []string {
		got, err := w.queue().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: sdk.String(w.sim.URL()), MaxNumberOfMessages: 10, VisibilityTimeout: timeout})
		if err != nil {
			t.Fatal(err)
		}
		var receipts []string
		for _, m := range got.Messages {
			receipts = append(receipts, *m.ReceiptHandle)
		}
		return receipts
	}
	first := receive(30)
	if len(first) != 2 || len(receive(30)) != 0 {
		t.Fatal("a message that was received is hidden")
	}
	if _, err := w.queue().ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: sdk.String(w.sim.URL()), ReceiptHandle: &first[0], VisibilityTimeout: 0}); err != nil {
		t.Fatal(err)
	}
	if got := receive(30); len(got) != 1 {
		t.Errorf("%d messages", len(got))
	}
}

func TestALongPollEndsWhenAMessageArrives(t *testing.T) {
	t.Parallel()
	w := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	found := make(chan int, 1)
	go func() {
		got, err := w.queue().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: sdk.String(w.sim.URL()), WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			found <- 0
			return
		}
		found <- len(got.Messages)
	}()
	w.subscribe()
	if n := <-found; n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestOnlyTheQueueOfTheRuleIsThere(t *testing.T) {
	t.Parallel()
	w := open(t)
	_, err := w.queue().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: sdk.String(w.server.URL + "/111122223333/other")})
	if got := code(t, err); got != "QueueDoesNotExist" && got != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Error(got)
	}
	_, err = w.queue().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: sdk.String(w.sim.URL()), MaxNumberOfMessages: 11})
	if got := code(t, err); got != "InvalidParameterValue" {
		t.Error(got)
	}
	_, err = w.queue().DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: sdk.String(w.sim.URL()), ReceiptHandle: sdk.String("forged")})
	if got := code(t, err); got != "ReceiptHandleIsInvalid" {
		t.Error(got)
	}
}

func TestLegacyProductsAreToldOfBySNS(t *testing.T) {
	t.Parallel()
	w := open(t)
	bought := w.act("subscribe", "account", buyer, "product", older)
	w.act("cancel", "license", bought["license"])
	w.pass(time.Hour)
	var actions []string
	for _, e := range w.drain(0) {
		if e.Type != "Notification" {
			t.Fatalf("%+v", e)
		}
		var m struct {
			Action   string
			Customer string `json:"customer-identifier"`
			Product  string `json:"product-code"`
		}
		if err := json.Unmarshal([]byte(e.Message), &m); err != nil || m.Customer != bought["customer"] || m.Product != older {
			t.Errorf("%v %+v", err, m)
		}
		actions = append(actions, m.Action)
	}
	if got := strings.Join(actions, ", "); got != "subscribe-success, unsubscribe-pending, unsubscribe-success" {
		t.Error(got)
	}
	w.flip(`{"raw_notifications": true}`)
	w.act("subscribe", "account", buyer, "product", older)
	if got := w.drain(0); len(got) != 1 || got[0].Type != "" {
		t.Errorf("%+v", got)
	}
}

func TestThePagesSellCancelAndShowWhatWasMetered(t *testing.T) {
	t.Parallel()
	w := open(t)
	get := func(path, language string) string {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept-Language", language)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", path, response.StatusCode, err)
		}
		return string(text)
	}
	press := func(form string) *http.Response {
		response, err := http.Post(w.server.URL+"/do", "application/x-www-form-urlencoded", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response
	}
	bought := press("action=subscribe&account=" + buyer + "&product=" + product)
	page := get(bought.Request.URL.Path, "en")
	for _, want := range []string{`action="https://vendor.example/landing"`, `name="x-amzn-marketplace-token"`, "Set up your account", "Cancel subscription", "Simulator."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	license := "arn:aws:license-manager::294406891311:license:" + bought.Request.URL.Path[strings.LastIndex(bought.Request.URL.Path, "/")+1:]
	w.one(usage(license, begin, 77))
	if page := get(bought.Request.URL.Path, "zh-CN"); !strings.Contains(page, ">77<") || !strings.Contains(page, "取消订阅") || !strings.Contains(page, "模拟器") {
		t.Error("the Chinese page does not show the usage")
	}
	press("action=cancel&license=" + license)
	if page := get(bought.Request.URL.Path, "en"); strings.Contains(page, "x-amzn-marketplace-token") || !strings.Contains(page, "deprovisioning") {
		t.Error("the page of what was cancelled still registers")
	}
	if page := get("/", "en"); !strings.Contains(page, license) {
		t.Error("the list does not have the purchase")
	}
	if got := press("action=subscribe&account=12&product=" + product).StatusCode; got != http.StatusUnprocessableEntity {
		t.Errorf("an account of two digits: %d", got)
	}
}

func TestAMarketplaceIsReadFromWhatItKept(t *testing.T) {
	t.Parallel()
	w, other := open(t), open(t)
	license := w.subscribe()["license"]
	w.one(usage(license, begin, 5))
	text, err := w.sim.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.sim.Restore(text); err != nil {
		t.Fatal(err)
	}
	other.one(usage(license, begin, 6))
	var first, second []aws.Record = w.sim.Accepted(), other.sim.Accepted()
	if len(second) != 1 || second[0].ID != first[0].ID || second[0].Quantity != 5 || len(second[0].Conflicts) != 1 {
		t.Errorf("%+v", second)
	}
}
